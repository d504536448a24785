"""Pages of a declared exchange: say it, check it, and answer what others said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from exchange import clock, idempotency, outbox
from exchange.db import db, transaction
from exchange.declarations import operations, queries
from exchange.declarations.forms import NATURES, DeclarationForm, RefusalForm
from exchange.declarations.policy import check_day
from exchange.declarations.telling import (
    check_counter,
    check_gain,
    other_side,
    shown_declaration,
    tell_other,
    tell_withdrawn,
)
from exchange.errors import AlreadyAnswered, OtherUnknown, status_of
from exchange.formats import amount
from exchange.members import queries as members
from exchange.security import Counter, auth_required, counter_of, counters, today
from ledger.errors import Refused
from ledger.store import reading

declarations = Blueprint("declarations", __name__)


@declarations.get("/echanges/nouveau")
@auth_required()
def begin() -> Response | str:
    """The form, for one's own account, perhaps with somebody (``avec``); with several accounts, a choice first."""
    found = counters("exchange.declare")
    if len(found) == 1:
        return redirect(url_for("declarations.new", account=found[0].account.token, avec=request.args.get("avec")), 303)
    return render_template("declarations/accounts.html", counters=found, endpoint="declarations.new",
                           avec=request.args.get("avec"), title=_("Déclarer un échange"))  # fmt: skip


@declarations.get("/comptes/<account>/echanges/nouveau")
@auth_required()
def new(account: str) -> str:
    """The form, perhaps begun: with somebody (``avec``), or again like an earlier one (``comme``)."""
    counter = counter_of("exchange.declare", account)
    return _form_page(counter, _form(counter, formdata=None, happened_on=today(), **_begun(counter)))


def _begun(counter: Counter) -> dict[str, Any]:
    """What the address says already: whom with, or which earlier exchange happened again."""
    session, mine = db.session(), counter.account.id
    earlier = queries.within(session, request.args.get("comme", ""), [mine])
    if earlier is None:
        return {"other": request.args.get("avec")}
    gave = earlier.giver_account == mine
    other = earlier.receiver_account if gave else earlier.giver_account
    return {
        "direction": "given" if gave else "received", "other": members.holders(session, [other])[other].token,
        "minutes": earlier.minutes, "nature": earlier.nature, "description": earlier.description,
    }  # fmt: skip


def _form(counter: Counter, **given: Any) -> DeclarationForm:
    """The form, in the words of who declares: one's own, or those of the counter for who is served there."""
    form = DeclarationForm(**given)
    if counter.served:
        form.ask_of(counter.holder.name)
    return form


@declarations.post("/comptes/<account>/echanges/verification")
@auth_required()
def check(account: str) -> str | tuple[str, int]:
    """Repeat what will be written, in words. Writes nothing."""
    counter = counter_of("exchange.declare", account)
    form = _form(counter)
    if "correct" in request.form:
        form.validate()
        return _form_page(counter, form, quiet=True)
    if (said := _understood(counter, form)) is None:
        return _form_page(counter, form), 422
    return render_template("declarations/check.html", counter=counter, form=form, said=said, names=_names(said),
                           nature=NATURES[said.nature])  # fmt: skip


@declarations.post("/comptes/<account>/declarations")
@auth_required()
def create(account: str) -> Response | tuple[str, int] | str:
    """Write the declaration, once for one key; by who was helped, the minutes move now."""
    counter = counter_of("exchange.declare", account)
    form = _form(counter)
    if (said := _understood(counter, form)) is None:
        return _form_page(counter, form), 422
    try:
        return redirect(_declare_once(counter, form, said), 303)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _form_page(counter, form), 422


def _declare_once(counter: Counter, form: DeclarationForm, said: operations.Exchange) -> str:
    """Declare, tell the other side, and return the address of what was written, now or by an earlier request."""
    by = counter.by

    def declare(session: Session, at: datetime) -> idempotency.Done:
        declaration = operations.declare(
            session, said, answer_days=counter.community.answer_days, today=today(), by=by, at=at
        )
        posted = by.party == said.receiver.party_id
        tell_other(counter, said, declaration, posted=posted)
        location = url_for("statements.show", account=counter.account.token, fait=declaration.token)
        return idempotency.Done(location, has_entry=posted)

    content = idempotency.digest(request.path, said.content())
    return idempotency.once(declare, party=by.party, key=form.key.data, content=content).location or "/"


def _understood(counter: Counter, form: DeclarationForm) -> operations.Exchange | None:
    """What the form says, or None with the reasons written beside its fields."""
    valid = form.validate()
    other = other_side(counter, form.other.data)
    if other is None:
        form.refuse(OtherUnknown()) if form.other.data else None
        return None
    if not valid:
        return None
    mine = counter.account
    giver, receiver = (mine, other) if form.direction.data == "given" else (other, mine)
    assert form.minutes.data is not None
    assert form.happened_on.data is not None
    said = operations.Exchange(
        giver, receiver, form.minutes.data, form.happened_on.data, form.nature.data, form.description.data,
        form.slip.data or None,
    )  # fmt: skip
    try:
        check_counter(counter, payer=receiver.party_id, payee=giver.party_id)
        check_day(said.happened_on, today=today())
    except Refused as error:
        form.refuse(error)
        return None
    return said


def _names(said: operations.Exchange) -> dict[int, members.PartyView]:
    return members.parties(db.session(), [said.giver.party_id, said.receiver.party_id])


def _form_page(counter: Counter, form: DeclarationForm, *, quiet: bool = False) -> str:
    """The form with its list of people; ``quiet``: shown again to correct, without blame."""
    session = db.session()
    open_accounts = reading.open_accounts(session, counter.account.community_id)
    people = members.parties(session, [a.party_id for a in open_accounts if a.id != counter.account.id])
    holders = {account.id: account.party_id for account in open_accounts}
    lately = [people[holders[id_]] for id_ in queries.recent(session, counter.account.id) if id_ in holders]
    everybody = sorted(people.values(), key=lambda party: party.sort_name)
    form.other.choices = [
        SelectChoice("", _("Choisissez")),
        *(SelectChoice(party.token, party.name, optgroup=_("Récemment")) for party in lately),
        *(SelectChoice(party.token, party.name, optgroup=_("Tous") if lately else None) for party in everybody),
    ]
    if quiet:
        for field in form:
            field.errors = ()
    names = {id_: people[party] for id_, party in holders.items() if party in people}
    again = [] if form.is_submitted() or form.other.data else queries.habits(session, counter.account.id)
    return render_template("declarations/new.html", counter=counter, form=form, names=names,
                           again=[each for each in again if each.other in names])  # fmt: skip


@declarations.get("/declarations/<declaration>")
@auth_required()
def show(declaration: str) -> str:
    """One declaration, with its answer, or the two buttons of who must answer."""
    return _show_page(declaration, RefusalForm(formdata=None))


def _show_page(token: str, form: RefusalForm) -> str:
    return render_template("declarations/show.html", shown=shown_declaration(token), form=form)


@declarations.post("/declarations/<declaration>/confirmation")
@auth_required()
def confirm(declaration: str) -> Response | tuple[str, int]:
    """Who was helped agrees: the minutes move."""
    shown = shown_declaration(declaration, "exchange.answer")
    try:
        by = shown.answering()
        check_gain(by, payer=shown.receiver.id, payee=shown.giver.id)
        with transaction() as session:
            operations.confirm(session, shown.declaration, payer_party=shown.receiver.id, by=by, at=clock.now())
    except Refused as error:
        return _not_answered(declaration, "confirmed", error)
    said = amount(shown.declaration.minutes, shown.community)
    flash(_("C’est confirmé : %(amount)s vont à %(name)s.", amount=said, name=shown.giver.name), "success")
    return redirect(url_for("declarations.show", declaration=declaration), 303)


@declarations.post("/declarations/<declaration>/retrait")
@auth_required()
def withdraw(declaration: str) -> Response | tuple[str, int]:
    """Who helped takes back what they declared, while nobody has answered."""
    shown = shown_declaration(declaration, "exchange.answer")
    by = shown.withdrawing()
    try:
        with transaction() as session:
            operations.withdraw(session, shown.declaration, giver_party=shown.giver.id, by=by, at=clock.now())
            tell_withdrawn(session, shown, at=clock.now())
    except AlreadyAnswered as error:
        return _not_answered(declaration, "withdrawn", error)
    flash(_("C’est retiré : rien n’a bougé. %(name)s en est averti.", name=shown.receiver.name), "success")
    return redirect(url_for("declarations.show", declaration=declaration), 303)


@declarations.post("/declarations/<declaration>/refus")
@auth_required()
def refuse(declaration: str) -> Response | tuple[str, int]:
    """Who was helped doesn't agree: nothing moves, and the other side is told why."""
    shown = shown_declaration(declaration, "exchange.answer")
    by = shown.answering()
    form = RefusalForm()
    if not form.validate():
        return render_template("declarations/show.html", shown=shown, form=form), 422
    try:
        with transaction() as session:
            operations.refuse(session, shown.declaration, payer_party=shown.receiver.id, reason=form.reason.data, by=by,
                              at=clock.now())  # fmt: skip
            outbox.write(session, members.e_mails_of(session, shown.giver.id, on=today()), "refused", at=clock.now(),
                         shown=shown, reason=form.reason.data)  # fmt: skip
    except AlreadyAnswered as error:
        return _not_answered(declaration, "refused", error)
    flash(_("C’est refusé : rien n’a bougé. %(name)s en est averti.", name=shown.giver.name), "success")
    return redirect(url_for("declarations.show", declaration=declaration), 303)


def _not_answered(declaration: str, answer: str, error: Refused) -> Response | tuple[str, int]:
    """The page with its reason; after a double click or from a second tab, the same answer was given: no reproach."""
    if isinstance(error, AlreadyAnswered) and error.facts.get("answer") == answer:
        return redirect(url_for("declarations.show", declaration=declaration), 303)
    form = RefusalForm(formdata=None)
    form.refuse(error)
    return _show_page(declaration, form), status_of(error)
