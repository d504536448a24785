"""Pages of stewardship: what will be written is shown first, and each act says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from exchange import clock, idempotency, outbox
from exchange.db import db
from exchange.errors import Invalid, NotFound
from exchange.formats import elided
from exchange.forms import KeyedForm
from exchange.idempotency import Done, digest
from exchange.members import queries as members
from exchange.security import OFFICES, auth_required, held, office, territory, today
from exchange.stewardship import operations, policy, queries
from exchange.stewardship.forms import (
    KINDS,
    DefaultForm,
    ExceptionForm,
    LevyForm,
    LimitsForm,
    MonthForm,
    OpeningForm,
    ReasonForm,
)
from exchange.stewardship.models import Settlement
from ledger.entries import Acting, Entry
from ledger.errors import MonthClosed, Refused
from ledger.limits import Limits, refusals
from ledger.store import browsing, reading
from ledger.store.browsing import Month, Written
from ledger.store.reading import AccountView

stewardship = Blueprint("stewardship", __name__)
Answer = Response | str | tuple[str, int]


class Desk(NamedTuple):
    """The community that is looked after, who acts for it, and what else they may do there."""

    community: members.CommunityView
    by: Acting
    corrects: bool
    administers: bool


def _desk(permission: str, token: str) -> Desk:
    """Raises NotAllowed without the mandate, NotFound when the party is no community."""
    mine = office(permission, token)
    community = members.community_by_token(db.session(), token)
    if community is None:
        raise NotFound
    roles = {mandate.role for mandate in held() if mandate.party_id == mine.party.id}
    return Desk(community, mine.by, bool(roles & OFFICES["books.correct"]), "administrator" in roles)


def _account(desk: Desk, token: str) -> tuple[AccountView, members.PartyView]:
    session = db.session()
    account = reading.account_within(session, token, parties=[], communities=[desk.community.id])
    if account is None:
        raise NotFound
    return account, members.parties(session, [account.party_id])[account.party_id]


Doing = Callable[[Session, datetime], Done]


def _done(desk: Desk, form: KeyedForm, do: Doing) -> Response | None:
    """Do what a valid form asks, for the first request with its key; the others get the first one's answer.

    None when nothing was sent, or when the form is refused and says why.
    """
    if request.method != "POST" or not form.validate():
        return None
    said = {name: value for name, value in form.data.items() if name not in ("csrf_token", "key")}
    try:
        answer = idempotency.once(do, party=desk.by.party, key=form.key.data, content=digest(request.path, said))
        return redirect(answer.location or "/", 303)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return None


def _page(template: str, **facts: object) -> Answer:
    page = render_template(template, **facts)
    return page if request.method != "POST" else (page, 422)


# -- a correction


@stewardship.route("/administration/<community>/ecritures/<int:entry>/correction", methods=["GET", "POST"])
@auth_required()
def correct(community: str, entry: int) -> Answer:
    """Show the entry and its mirror; with a reason, write it."""
    desk = _desk("books.correct", community)
    written = browsing.entry(db.session(), desk.community.id, entry) if entry < 2**63 else None
    if written is None:
        raise NotFound
    form = ReasonForm()
    if (done := _done(desk, form, _correcting(desk, written, form))) is not None:
        return done
    parties = members.parties(db.session(), [p for m in written.moved for p in (m.from_party, m.to_party)])
    return _page("stewardship/correct.html", desk=desk, written=written, form=form, parties=parties)


def _correcting(desk: Desk, written: Written, form: ReasonForm) -> Doing:
    community, reason = desk.community, form.reason.data or ""
    acts_for = {mandate.party_id for mandate in held()} - {community.party_id}

    def do(session: Session, at: datetime) -> Done:
        number = operations.correct(
            session, written, community=community.id, community_party=community.party_id, acts_for=acts_for,
            reason=reason, key=form.key.data or "", today=today(), by=desk.by, at=at,
        )  # fmt: skip
        _tell(session, desk, written, reason, at)
        flash(_("La correction est écrite : écriture n° %(number)s.", number=number), "success")
        return Done(url_for("audit.entry", community=community.token, entry=number), has_entry=True)

    return do


def _tell(session: Session, desk: Desk, written: Written, reason: str, at: datetime) -> None:
    """Write to everybody whose account moves."""
    for party, minutes in queries.gains(written, community_party=desk.community.party_id).items():
        outbox.write(session, members.e_mails_of(session, party, on=today()), "corrected", at=at, desk=desk,
                     written=written, reason=reason, minutes=minutes)  # fmt: skip


# -- dues and opening credits


class Plan(NamedTuple):
    """What would be written for everybody: the entry, and who would be refused with the reason.

    Who is refused is in the entry, and stops it, unless they were left out. ``common``: why the common account can't,
    whoever is left out.
    """

    entry: Entry
    refused: list[tuple[members.PartyView, Refused]]
    common: Refused | None
    earlier: int | None  # the number of an entry of the same kind written for the same day

    @property
    def total(self) -> int:
        """What moves in all, in minutes."""
        return sum(move.minutes for move in self.entry.transfers)


@stewardship.route("/administration/<community>/ecritures/pour-tous", methods=["GET", "POST"])
@auth_required()
def levy(community: str) -> Answer:
    """Dues or an opening credit for everybody: the form, then what would be written and who would be refused."""
    desk = _desk("books.levy", community)
    form = _levy_form(desk)
    if "correct" in request.form:
        return render_template("stewardship/levy.html", desk=desk, form=form)
    if request.method != "POST" or (plan := _plan(desk, form)) is None:
        return _page("stewardship/levy.html", desk=desk, form=form)
    return render_template("stewardship/levy_check.html", desk=desk, form=form, plan=plan)


@stewardship.post("/administration/<community>/ecritures/pour-tous/ecriture")
@auth_required()
def write_levy(community: str) -> Answer:
    """Write what was shown, for all of them or for nobody; else show who is refused now."""
    desk = _desk("books.levy", community)
    form = _levy_form(desk)
    if (plan := _plan(desk, form)) is None:
        return _page("stewardship/levy.html", desk=desk, form=form)
    if not plan.common and (form.leave_out.data or not plan.refused):
        if (done := _done(desk, form, _levying(desk, plan, form))) is not None:
            return done
        plan = _plan(desk, form) or plan  # a balance moved meanwhile
    return _page("stewardship/levy_check.html", desk=desk, form=form, plan=plan)


def _levy_form(desk: Desk) -> LevyForm:
    """The form, with everybody who has an account to be ticked."""
    form, session = LevyForm(), db.session()
    accounts = reading.open_accounts(session, desk.community.id)
    mine = [account for account in accounts if account.kind in queries.WHOM["everybody"]]
    holders = members.parties(session, [account.party_id for account in mine])
    mine.sort(key=lambda account: (holders[account.party_id].sort_name, account.id))
    form.people.choices = [(account.token, holders[account.party_id].name) for account in mine]
    return form


def _plan(desk: Desk, form: LevyForm) -> Plan | None:
    """A dry run on the balances of now; None when the form says why there is nothing to plan."""
    if not form.validate():
        return None
    session = db.session()
    accounts = reading.open_accounts(session, desk.community.id)
    common = next(account for account in accounts if account.kind == "community")
    ticked, kinds = set(form.people.data or ()), queries.WHOM.get(form.whom.data, ())
    chosen = [account for account in accounts if account.kind in kinds or (not kinds and account.token in ticked)]
    if not chosen:
        form.refuse(Invalid(field="whom" if kinds else "people", why="nobody"))
        return None
    entry = _entry_for(form, chosen, common)
    by_account = {account.id: account.core() for account in accounts}
    found = {refusal.facts["account"]: refusal for refusal in refusals(entry, by_account)}
    refused = [refusal for account, refusal in found.items() if account != common.id]
    if form.leave_out.data and refused:
        out = {refusal.facts["account"] for refusal in refused}
        kept = [account for account in chosen if account.id not in out]
        if not kept:
            form.refuse(Invalid(field="whom", why="nobody"))
            return None
        entry = _entry_for(form, kept, common)
        found = {refusal.facts["account"]: refusal for refusal in refusals(entry, by_account)}
    holders = {account.id: account.party_id for account in accounts}
    names = members.parties(session, [holders[refusal.facts["account"]] for refusal in refused])
    told = [(names[holders[refusal.facts["account"]]], refusal) for refusal in refused]
    earlier = queries.levied(session, desk.community.id, entry.kind, on=entry.happened_on)
    return Plan(entry, sorted(told, key=lambda one: one[0].sort_name), found.get(common.id), earlier)


def _entry_for(form: LevyForm, accounts: list[AccountView], common: AccountView) -> Entry:
    assert form.minutes.data is not None
    return policy.levy(
        form.kind.data, [account.id for account in accounts], common=common.id, minutes=form.minutes.data, on=today(),
        note=form.reason.data or "",
    )  # fmt: skip


def _levying(desk: Desk, plan: Plan, form: LevyForm) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        number = operations.levy(session, plan.entry, community=desk.community.id, key=form.key.data or "", by=desk.by,
                                 at=at)  # fmt: skip
        count = len(plan.entry.transfers)
        flash(ngettext("C’est écrit pour %(num)s compte.", "C’est écrit pour %(num)s comptes.", count), "success")
        return Done(url_for("audit.entry", community=desk.community.token, entry=number), has_entry=True)

    return do


# -- limits


def _limits(form: LimitsForm) -> Limits:
    return Limits(None if form.floor.data is None else -form.floor.data, form.ceiling.data)


@stewardship.route("/administration/<community>/limites", methods=["GET", "POST"])
@auth_required()
def limits(community: str) -> Answer:
    """The limits of each kind of account, their history, and a form to change them from now on."""
    desk, form = _desk("books.limits", community), DefaultForm()
    if (done := _done(desk, form, _defaulting(desk, form))) is not None:
        return done
    history = browsing.defaults(db.session(), desk.community.id)
    return _page(
        "stewardship/limits.html", desk=desk, form=form, history=history, kinds=KINDS,
        in_force={row.kind: row for row in reversed(history) if row.starts_at <= clock.now()},
        names=members.sign_in_names(db.session(), [row.by_sign_in for row in history]),
    )  # fmt: skip


def _defaulting(desk: Desk, form: DefaultForm) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        operations.set_default(session, _limits(form), community=desk.community.id, kind=form.kind.data,
                               reason=form.reason.data or "", by=desk.by, at=at)  # fmt: skip
        flash(_("Les limites sont changées à partir de maintenant."), "success")
        return Done(url_for("stewardship.limits", community=desk.community.token), has_entry=True)

    return do


@stewardship.route("/administration/<community>/comptes/<account>/limites", methods=["GET", "POST"])
@auth_required()
def exception(community: str, account: str) -> Answer:
    """Limits of its own for one account, for a time."""
    desk, form = _desk("books.limits", community), ExceptionForm()
    mine, holder = _account(desk, account)
    if (done := _done(desk, form, _excepting(desk, mine, form))) is not None:
        return done
    return _page("stewardship/exception.html", desk=desk, form=form, account=mine, holder=holder)


def _excepting(desk: Desk, account: AccountView, form: ExceptionForm) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        assert form.until.data is not None
        midnight = datetime.combine(form.until.data + timedelta(days=1), datetime.min.time())
        ends_at = midnight.replace(tzinfo=ZoneInfo(territory().zone))
        operations.set_exception(session, _limits(form), community=desk.community.id, account=account.id,
                                 ends_at=ends_at, reason=form.reason.data or "", by=desk.by, at=at)  # fmt: skip
        flash(_("L’exception est enregistrée."), "success")
        return Done(url_for("audit.account", community=desk.community.token, account=account.token), has_entry=True)

    return do


# -- opening and closing


@stewardship.route("/administration/<community>/ouverture-de-compte", methods=["GET", "POST"])
@auth_required()
def open_account(community: str) -> Answer:
    """Open an account at zero for somebody of the territory who has none here."""
    desk, form = _desk("books.accounts", community), OpeningForm()
    without = {party.token: party for party in queries.without_account(db.session(), desk.community.id)}
    form.party.choices = [SelectChoice("", _("Choisissez")), *(
        SelectChoice(token, party.name) for token, party in without.items())]  # fmt: skip
    if (done := _done(desk, form, _opening(desk, form))) is not None:
        return done
    return _page("stewardship/open_account.html", desk=desk, form=form, anybody=bool(without))


def _opening(desk: Desk, form: OpeningForm) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        token = form.party.data or ""
        party = members.party_by_token(session, token) if token.isascii() and token.isprintable() else None
        if party is None:
            raise Invalid(field="party", why="unknown")
        account = operations.open_account(session, party, community=desk.community.id, kind=form.kind.data, by=desk.by,
                                          at=at)  # fmt: skip
        opened = reading.account(session, desk.community.id, account)
        assert opened is not None
        flash(elided("Le compte de %(name)s est ouvert.", name=party.name), "success")
        return Done(url_for("audit.account", community=desk.community.token, account=opened.token), has_entry=True)

    return do


@stewardship.route("/administration/<community>/comptes/<account>/depart", methods=["GET", "POST"])
@auth_required()
def leave(community: str, account: str) -> Answer:
    """Note that somebody leaves: their balance only goes toward zero from now on."""
    desk, form = _desk("books.accounts", community), ReasonForm()
    mine, holder = _account(desk, account)
    if (done := _done(desk, form, _leaving(desk, mine, form))) is not None:
        return done
    return _page("stewardship/leave.html", desk=desk, form=form, account=mine, holder=holder)


def _leaving(desk: Desk, account: AccountView, form: ReasonForm) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        operations.leave(session, account.id, community=desk.community.id, reason=form.reason.data or "", by=desk.by,
                         at=at)  # fmt: skip
        flash(_("Le départ est noté."), "success")
        return Done(url_for("audit.account", community=desk.community.token, account=account.token), has_entry=True)

    return do


@stewardship.route("/administration/<community>/comptes/<account>/solde", methods=["GET", "POST"])
@auth_required()
def settle(community: str, account: str) -> Answer:
    """What remains on the account of who leaves: an administrator proposes, another approves."""
    desk, form = _desk("books.accounts", community), ReasonForm()
    mine, holder = _account(desk, account)
    if (done := _done(desk, form, _proposing(desk, mine, form))) is not None:
        return done
    return _settlement_page(desk, mine, holder, form, KeyedForm(formdata=None))


def _settlement_page(
    desk: Desk, account: AccountView, holder: members.PartyView, form: ReasonForm, approval: KeyedForm
) -> Answer:
    session = db.session()
    pending = queries.pending(session, account.id)
    proposer = members.sign_in_names(session, [pending.by_sign_in]).get(pending.by_sign_in) if pending else None
    return _page(
        "stewardship/settle.html", desk=desk, form=form, approval=approval, account=account, holder=holder,
        pending=pending, proposer=proposer, mine=pending and pending.by_sign_in == desk.by.sign_in,
    )  # fmt: skip


def _proposing(desk: Desk, account: AccountView, form: ReasonForm) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        operations.propose_settlement(session, account, reason=form.reason.data or "", by=desk.by, at=at)
        flash(_("C’est proposé. Un autre administrateur doit l’approuver."), "success")
        return Done(url_for("stewardship.settle", community=desk.community.token, account=account.token))

    return do


@stewardship.post("/administration/<community>/comptes/<account>/soldes/<settlement>/accord")
@auth_required()
def approve(community: str, account: str, settlement: str) -> Answer:
    """Another administrator agrees: the entry is written, and the account closed."""
    desk, form = _desk("books.accounts", community), KeyedForm()
    mine, holder = _account(desk, account)
    proposed = queries.settlement(db.session(), settlement, account=mine.id)
    if proposed is None:
        raise NotFound
    if (done := _done(desk, form, _approving(desk, mine, proposed))) is not None:
        return done
    return _settlement_page(desk, mine, holder, ReasonForm(formdata=None), form)


def _approving(desk: Desk, account: AccountView, proposed: Settlement) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        common = reading.account_of(session, desk.community.id, desk.community.party_id)
        assert common is not None
        operations.settle(session, proposed, common=common.id, today=today(), by=desk.by, at=at)
        flash(_("Le compte est soldé."), "success")
        return Done(url_for("audit.account", community=desk.community.token, account=account.token), has_entry=True)

    return do


# -- months


@stewardship.route("/administration/<community>/mois", methods=["GET", "POST"])
@auth_required()
def months(community: str) -> Answer:
    """What each month counts, closed or open; the first one that is over can be closed, and stays as published."""
    desk, session = _desk("books.correct", community), db.session()
    closed = browsing.closed_months(session, desk.community.id)
    counted = browsing.open_months(session, desk.community.id, closed[0] if closed else None)
    first = _first_open(closed, counted)
    form = MonthForm(month=first and first.isoformat())
    if (done := _done(desk, form, _closing_month(desk, form, first))) is not None:
        return done
    return _page(
        "stewardship/months.html", desk=desk, form=form, closed=closed, counted=counted, first=first,
        over=first is not None and first < today().replace(day=1),
        names=members.sign_in_names(session, [month.by_sign_in for month in closed]),
    )  # fmt: skip


def _first_open(closed: Sequence[Month], counted: Sequence[Month]) -> date | None:
    """The month to close next: the one after the last closed, else the first in which something happened."""
    if closed:
        return (closed[0].month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return counted[0].month if counted else None


def _closing_month(desk: Desk, form: MonthForm, first: date | None) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        if first is None or form.month.data != first.isoformat():
            raise MonthClosed
        operations.close_month(session, first, community=desk.community.id, by=desk.by, at=at)
        flash(_("Le mois est clos : ses chiffres ne changeront plus."), "success")
        return Done(url_for("stewardship.months", community=desk.community.token), has_entry=True)

    return do


@stewardship.route("/administration/<community>/comptes/<account>/cloture", methods=["GET", "POST"])
@auth_required()
def close_account(community: str, account: str) -> Answer:
    """Close an account that stands at zero, for good."""
    desk, form = _desk("books.accounts", community), ReasonForm()
    mine, holder = _account(desk, account)
    if (done := _done(desk, form, _closing(desk, mine, form))) is not None:
        return done
    return _page("stewardship/close_account.html", desk=desk, form=form, account=mine, holder=holder)


def _closing(desk: Desk, account: AccountView, form: ReasonForm) -> Doing:
    def do(session: Session, at: datetime) -> Done:
        operations.close_account(session, account.id, community=desk.community.id, reason=form.reason.data or "",
                                 by=desk.by, at=at)  # fmt: skip
        flash(_("Le compte est clos."), "success")
        return Done(url_for("audit.account", community=desk.community.token, account=account.token), has_entry=True)

    return do
