"""Pages where a lender's office reads, writes and ends its rules."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import idempotency
from exchange.catalogue import queries as catalogue
from exchange.db import db, transaction
from exchange.errors import Invalid, NotFound
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.reciprocity import operations
from exchange.reciprocity import queries as rules
from exchange.reciprocity.policy import Rule
from exchange.rulebook.forms import (
    CLASSES,
    GATES,
    PERS,
    DepositForm,
    EndForm,
    EuroForm,
    EuroTariffForm,
    GateForm,
    RuleForm,
    TariffForm,
)
from exchange.security import Office, auth_required, office, today
from ledger.errors import Refused
from ledger.store import reading

rulebook = Blueprint("rulebook", __name__)
FORMS: dict[str, type[RuleForm]] = {
    "tarif": TariffForm, "condition": GateForm, "euros": EuroTariffForm, "caution": DepositForm,
}  # fmt: skip


@rulebook.get("/preteurs/<lender>/regles")
@auth_required()
def index(lender: str) -> str:
    """Every rule of the lender, those in force first."""
    desk = office("rules.write", lender)
    return _index(desk, EndForm(formdata=None, ends_on=today()))


def _index(desk: Office, form: EndForm, *, refused: str = "") -> str:
    """The rules; ``refused``: the one whose last day was refused, which shows again what was typed."""
    session = db.session()
    rows = rules.rows_of(session, desk.party.id)
    names = catalogue.views(session, [row.resource_id for row in rows if row.resource_id])
    communities = {community.id: community for community in members.communities(session)}
    return render_template(
        "rulebook/index.html", lender=desk.party, rows=rows, names=names, form=form, today=today(), refused=refused,
        communities=communities, classes=CLASSES, pers=PERS, gates=GATES,
    )  # fmt: skip


@rulebook.get("/preteurs/<lender>/regles/<any(tarif, condition, euros, caution):shape>")
@auth_required()
def new(lender: str, shape: str) -> str:
    """The form of a new rule."""
    desk = office("rules.write", lender)
    return _page(desk, FORMS[shape](formdata=None, starts_on=today()), shape)


def _page(desk: Office, form: RuleForm, shape: str) -> str:
    session = db.session()
    listing = catalogue.of_lender(session, desk.party.id)
    categories = catalogue.categories(session, lender=desk.party.id)
    form.on.choices = [
        ("", _("Tout ce que nous prêtons")),
        *((f"category:{name}", _("Catégorie %(name)s", name=name)) for name in categories if name),
        *((f"resource:{row.token}", row.name) for row in listing.rows),
    ]
    return render_template("rulebook/new.html", lender=desk.party, form=form, shape=shape)


@rulebook.post("/preteurs/<lender>/regles/<any(tarif, condition, euros, caution):shape>")
@auth_required()
def create(lender: str, shape: str) -> Response | tuple[str, int]:
    """Write the rule, once for one key."""
    desk = office("rules.write", lender)
    form = FORMS[shape]()
    if not form.validate():
        return _page(desk, form, shape), 422
    try:
        rule = _rule(desk, form)
        number, decided_on = _decision(form)
        content = idempotency.digest(request.path, {**rule._asdict(), "number": number, "date": decided_on})

        def write(session: Session, at: datetime) -> Done:
            operations.write_rule(session, rule, lender=desk.party.id, decision_number=number,
                                  decision_date=decided_on, by=desk.by, at=at)  # fmt: skip
            return Done(url_for("rulebook.index", lender=lender))

        idempotency.once(write, party=desk.by.party, key=form.key.data, content=content)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _page(desk, form, shape), 422
    flash(_("La règle est écrite. Elle s’applique aux demandes à venir."), "success")
    return redirect(url_for("rulebook.index", lender=lender), 303)


def _rule(desk: Office, form: RuleForm) -> Rule:
    """The rule that a form says. Raises Invalid for what only makes sense together."""
    assert form.starts_on.data is not None
    if form.ends_on.data and form.ends_on.data < form.starts_on.data:
        raise Invalid(field="ends_on", why="before-start")
    resource, category = _bound(desk, form.on.data or "")
    rule = Rule(
        token="", shape="tariff", title=form.title.data, resource=resource, category=category,
        class_=form.class_.data or None, starts_on=form.starts_on.data, ends_on=form.ends_on.data,
    )  # fmt: skip
    if isinstance(form, TariffForm):
        minutes = form.minutes.data or 0
        if not 0 <= minutes <= 100_000:
            raise Invalid(field="minutes", why="bounds")
        community = _community(desk) if minutes else None
        return rule._replace(minutes=minutes, per=form.per.data, community=community)
    if isinstance(form, EuroForm):
        return _in_euros(rule, form)
    assert isinstance(form, GateForm)
    rule = rule._replace(shape="gate", gate=form.gate.data)
    if form.gate.data != "balance":
        return rule
    if form.least_balance.data is None:
        raise Invalid(field="least_balance", why="missing")
    return rule._replace(least_balance=form.least_balance.data, community=_community(desk))


def _in_euros(rule: Rule, form: EuroForm) -> Rule:
    """A deposit, or a tariff. Raises Invalid."""
    if form.cents.data is None:
        raise Invalid(field="cents", why="missing")
    rule = rule._replace(shape="deposit", cents=form.cents.data, first=bool(form.first.data))
    return rule._replace(shape="euro-tariff", per=form.per.data) if isinstance(form, EuroTariffForm) else rule


def _community(desk: Office) -> int:
    """The community whose minutes the lender counts in: where it has its account."""
    accounts = reading.accounts_of(db.session(), [desk.party.id])
    if not accounts:
        raise Invalid(why="no-account")
    return accounts[0].community_id


def _bound(desk: Office, on: str) -> tuple[int | None, str | None]:
    kind, _colon, name = on.partition(":")
    if kind == "category" and name in catalogue.categories(db.session(), lender=desk.party.id):
        return None, name
    if kind == "resource" and (row := catalogue.mine_by_token(db.session(), desk.party.id, name)):
        return row.id, None
    if on:
        raise Invalid(field="on", why="unknown")
    return None, None


def _decision(form: RuleForm) -> tuple[str | None, date | None]:
    if not isinstance(form, TariffForm | EuroForm) or not form.decision_number.data:
        return None, None
    if form.decision_date.data is None:
        raise Invalid(field="decision_date", why="missing")
    return form.decision_number.data, form.decision_date.data


@rulebook.post("/preteurs/<lender>/regles/<rule>/fin")
@auth_required()
def end(lender: str, rule: str) -> Response | tuple[str, int]:
    """Let a rule end; requests made before keep it as it was read."""
    desk = office("rules.write", lender)
    form = EndForm()
    if not form.validate():
        return _index(desk, form, refused=rule), 422
    with transaction() as session:
        row = rules.row_of(session, desk.party.id, rule)
        if row is None:
            raise NotFound
        operations.end_rule(session, row, on=form.ends_on.data)
    flash(_("La règle finit ce jour-là."), "success")
    return redirect(url_for("rulebook.index", lender=lender), 303)
