"""Pages, sheets and papers of what a lender accounts for, and of what somebody was lent in a year."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from exchange import binding, clock, idempotency, paper
from exchange.catalogue import queries as catalogue
from exchange.db import db, unhurried
from exchange.errors import NotFound
from exchange.formats import local
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.members.queries import PartyView
from exchange.paging import page_number
from exchange.reports import operations, policy, queries, telling, using, valuing
from exchange.reports.forms import PERS, LogForm, PeriodForm, RateForm
from exchange.reports.policy import Loan, Rate
from exchange.reports.queries import Refusal, Sought
from exchange.security import Office, auth_required, in_office, office, own, territory, today
from exchange.sentences import CLASSES, GROUNDS
from exchange.sheets import euros, sheet
from ledger.errors import Refused

reports = Blueprint("reports", __name__)
PAGE = 50  # refusals
MOST_EXPORTED = 100_000  # refusals in one file
CHARTED = 15  # resources in a picture


# -- a year of loans


@reports.get("/preteurs/<lender>/bilan")
@auth_required()
def loans(lender: str) -> str:
    """A civil year of loans, borrower by borrower, at the rate of the council."""
    desk, session = office("reports.read", lender), db.session()
    first = queries.first_of_lender(session, desk.party.id)
    return render_template(
        "reports/loans.html", lender=desk.party, year=_year(desk), told=telling, classes=CLASSES,
        years=valuing.years(first, today(), territory().zone),
        address_of=partial(_request_of, lender) if in_office("booking.decide", desk.party.id) else None,
        rated=bool(queries.rates_of(session, [desk.party.id])),
    )  # fmt: skip


def _request_of(lender: str, loan: Loan) -> str:
    return url_for("bookings.request_", lender=lender, booking=loan.token)


def _booking_of(loan: Loan) -> str:
    return url_for("bookings.show", booking=loan.token)


def _year(desk: Office) -> valuing.Year:
    number = telling.wanted_year(request.args.get("annee", ""))
    return valuing.of_lender(db.session(), desk.party, number, zone=territory().zone, at=clock.now())


@reports.get("/preteurs/<lender>/bilan.csv")
@auth_required()
def loans_sheet(lender: str) -> Response:
    """Each resource of each loan of the year, for a spreadsheet. Inhabitants aren't named: a file goes anywhere."""
    desk = office("reports.read", lender)
    unhurried(db.session())
    year = _year(desk)
    return sheet(
        f"prets-{year.number}.csv",
        [_("Emprunteur"), _("Qui"), _("Début"), _("Fin"), _("Minutes de prêt"), _("Quoi"), _("Quantité"),
         _("Personnes attendues"), _("Personnes venues"), _("Taux en euros"), _("Compté"), _("Délibération"),
         _("Votée le"), _("Valeur en euros"), _("Remarque")],
        _lines(year),
    )  # fmt: skip


def _lines(year: valuing.Year) -> Iterable[list[object]]:
    for each in year.borrowers:
        name = each.party.name if each.party else _("Un habitant")
        for loan in each.loans:
            about = [name, str(CLASSES[each.class_]), _minute(loan.starts_at), _minute(loan.ends_at), loan.minutes]
            people = [loan.people, loan.came]
            if loan.missed:
                yield [*about, "", 0, *people, "", "", "", "", "", _("personne n’est venu")]
            for line in loan.lines:
                voted = line.rate
                yield [
                    *about, line.name, line.quantity, *people,
                    *((euros(voted.cents), str(PERS[voted.per]), voted.decision, voted.decided_on.isoformat())
                      if voted else ("", "", "", "")),
                    "" if line.cents is None else euros(line.cents),
                    _("sans valeur votée") if line.cents is None else _("pour soi-même") if each.own else "",
                ]  # fmt: skip


def _minute(at: datetime) -> str:
    return str(local(at).isoformat(timespec="minutes"))


@reports.get("/preteurs/<lender>/bilan.pdf")
@auth_required()
def loans_paper(lender: str) -> Response:
    """The same on paper, to annex to the accounts."""
    desk = office("reports.read", lender)
    year = _year(desk)
    return _paper(telling.year_on_paper(desk.party, year), f"prets-{year.number}.pdf")


def _paper(told: dict[str, Any], name: str) -> Response:
    answer = Response(paper.pdf("reports/loans", told), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# -- what somebody was lent in a year


@reports.get("/emprunteurs/<party>/bilan")
@auth_required()
def statement(party: str) -> str:
    """What a person or an organisation was lent in a civil year, for who acts for it."""
    mine, session = _borrower(party), db.session()
    number, lent = _statement(mine)
    years = valuing.years(queries.first_of_party(session, mine.id), today(), territory().zone)
    return render_template("reports/statement.html", party=mine, number=number, lent=lent, told=telling, years=years,
                           own_address_of=_booking_of,
                           total=policy.total(loan for each in lent for loan in each.loans))  # fmt: skip


def _borrower(token: str) -> PartyView:
    """Raises NotFound for a party that this person doesn't act for."""
    found = members.party_by_token(db.session(), token)
    if found is None or found.id not in own("booking.read").parties:
        raise NotFound
    return found


def _statement(mine: PartyView) -> tuple[int, list[valuing.Lent]]:
    number = telling.wanted_year(request.args.get("annee", ""))
    return number, valuing.of_party(db.session(), mine.id, number, zone=territory().zone, at=clock.now())


@reports.get("/emprunteurs/<party>/bilan.pdf")
@auth_required()
def statement_paper(party: str) -> Response:
    """The same on paper, for the association's own accounts."""
    mine = _borrower(party)
    number, lent = _statement(mine)
    return _paper(telling.statement_on_paper(mine, number, lent), f"prets-recus-{number}.pdf")


# -- how much is used


@reports.get("/preteurs/<lender>/bilan/usage")
@auth_required()
def use(lender: str) -> str | tuple[str, int]:
    """How much each resource is used, by whom, and how many people came."""
    desk, form = office("reports.read", lender), _period(PeriodForm)
    return _use_page(desk, form, _use(desk, form)) if form.validate() else (_use_page(desk, form, None), 422)


def _use_page(desk: Office, form: PeriodForm, found: using.Use | None) -> str:
    return render_template("reports/use.html", lender=desk.party, form=form, classes=CLASSES, use=found,
                           charted=CHARTED, asked=_asked(form))  # fmt: skip


def _period(kind: type[Any]) -> Any:
    """The form of an address; this year when it says no day."""
    return kind(request.args if {"du", "au"} & request.args.keys() else MultiDict(telling.this_year()))


def _asked(form: PeriodForm) -> dict[str, str]:
    """What an address says of the period that is shown."""
    return {name: form[name].data.isoformat() for name in ("du", "au") if form[name].data}


def _use(desk: Office, form: PeriodForm) -> using.Use:
    zone = territory().zone
    span = policy.days(form.du.data, form.au.data, zone)
    return using.of_lender(db.session(), desk.party.id, span, list(CLASSES), zone=zone, at=clock.now())


@reports.get("/preteurs/<lender>/bilan/usage.csv")
@auth_required()
def use_sheet(lender: str) -> Response | tuple[str, int]:
    """The same for a spreadsheet: resources, then classes."""
    desk, form = office("reports.read", lender), _period(PeriodForm)
    if not form.validate():
        return _use_page(desk, form, None), 422
    unhurried(db.session())
    found = _use(desk, form)
    rows: list[list[object]] = [
        [each.resource.name, each.resource.category, "", each.minutes, each.opened, each.taken,
         each.attended.bookings, each.attended.people, each.attended.came, each.attended.counted]
        for each in found.resources
    ]  # fmt: skip
    rows += [["", "", str(CLASSES[each.class_]), each.minutes, "", "", *each.attended] for each in found.classes]
    return sheet(
        "usage.csv",
        [_("Ressource"), _("Catégorie"), _("Qui"), _("Minutes prêtées"), _("Minutes ouvertes"),
         _("Minutes ouvertes prises"), _("Réservations"), _("Personnes attendues"), _("Personnes venues"),
         _("Réservations comptées")],
        rows,
    )  # fmt: skip


# -- what was refused


@reports.get("/preteurs/<lender>/bilan/refus")
@auth_required()
def refusals(lender: str) -> str | tuple[str, int]:
    """What was refused, on which ground, by whom and how soon; and how each class was answered."""
    desk = office("reports.read", lender)
    form = _log_form(desk)
    if not form.validate():
        return _log_page(desk, form), 422
    session, sought, number = db.session(), _sought(desk, form), page_number(request.args.get("page", ""))
    found = queries.refusals(session, desk.party.id, sought, ground=form.motif.data or None, size=PAGE + 1,
                             skip=PAGE * (number - 1))  # fmt: skip
    answers = queries.answers(session, desk.party.id, sought, list(CLASSES))
    return _log_page(desk, form, answers=answers, log=_log(desk, found[:PAGE]), number=number, more=len(found) > PAGE)


def _log_page(desk: Office, form: LogForm, **found: Any) -> str:
    return render_template("reports/refusals.html", lender=desk.party, form=form, classes=CLASSES, grounds=GROUNDS,
                           told=telling, asked=_narrowed(form), **found)  # fmt: skip


def _log_form(desk: Office) -> LogForm:
    form: LogForm = _period(LogForm)
    kept = catalogue.all_of(db.session(), desk.party.id)
    form.quoi.choices = [("", _("Tout ce que nous prêtons")), *((it.token, it.name) for it in kept)]
    return form


def _narrowed(form: LogForm) -> dict[str, str]:
    return {**_asked(form), **{name: form[name].data for name in ("quoi", "motif") if form[name].data}}


def _sought(desk: Office, form: LogForm) -> Sought:
    it = catalogue.mine_by_token(db.session(), desk.party.id, form.quoi.data) if form.quoi.data else None
    return Sought(*policy.days(form.du.data, form.au.data, territory().zone), it.id if it else None)


def _log(desk: Office, found: list[Refusal]) -> list[dict[str, Any]]:
    """Refusals with the names that may be read: those of inhabitants by the office that answered them, by nobody else;
    names are read where they are kept, so that who is forgotten is forgotten here too.
    """
    session, decides = db.session(), in_office("booking.decide", desk.party.id)
    parties = members.parties(session, {each.party for each in found})
    typed = members.sign_in_names(session, {each.by_sign_in for each in found})
    return [
        {"it": each, "by": typed.get(each.by_sign_in or 0),
         "name": parties[each.party].name if decides or parties[each.party].kind != "person" else "",
         "href": url_for("bookings.request_", lender=desk.party.token, booking=each.token) if decides else None}
        for each in found
    ]  # fmt: skip


@reports.get("/preteurs/<lender>/bilan/refus.csv")
@auth_required()
def refusals_sheet(lender: str) -> Response | tuple[str, int]:
    """The log for a spreadsheet. Inhabitants aren't named: a file goes anywhere, and forgets nobody."""
    desk = office("reports.read", lender)
    form = _log_form(desk)
    if not form.validate():
        return _log_page(desk, form), 422
    session = db.session()
    unhurried(session)
    found = queries.refusals(session, desk.party.id, _sought(desk, form), ground=form.motif.data or None,
                             size=MOST_EXPORTED)  # fmt: skip
    parties = members.parties(session, {each.party for each in found})
    typed = members.sign_in_names(session, {each.by_sign_in for each in found})
    return sheet(
        "refus.csv",
        [_("Décidé le"), _("Demandé le"), _("Délai en heures"), _("Acte"), _("Demandeur"), _("Qui"), _("Quoi"),
         _("Début"), _("Fin"), _("Motif"), _("Explication"), _("Décidé par")],
        ([_minute(each.decided_at), _minute(each.asked_at), delay_in_hours(each),
          _("refus") if each.act == "declined" else _("retrait"),
          parties[each.party].name if parties[each.party].kind != "person" else _("Un habitant"),
          str(CLASSES[each.class_]), ", ".join(each.resources), _minute(each.starts_at), _minute(each.ends_at),
          str(GROUNDS[each.ground]), each.text, typed.get(each.by_sign_in or 0, "")] for each in found),
    )  # fmt: skip


def delay_in_hours(each: Refusal) -> int:
    """Whole hours between a request and its answer."""
    return int((each.decided_at - each.asked_at).total_seconds() // 3600)


# -- what the council voted


@reports.get("/preteurs/<lender>/bilan/taux")
@auth_required()
def rates(lender: str) -> str:
    """The rates of the council, those of before too, and a form for the next."""
    desk = office("reports.read", lender)
    return _rates(desk, RateForm(formdata=None, starts_on=date(today().year, 1, 1)))


def _rates(desk: Office, form: RateForm) -> str:
    session = db.session()
    voted = queries.rates_of(session, [desk.party.id])
    form.on.choices = binding.choices(desk.party.id)
    return render_template(
        "reports/rates.html", lender=desk.party, form=form, rates=voted, told=telling, today=today(),
        in_force=policy.in_force(voted, today()), writes=in_office("rates.write", desk.party.id),
        names=catalogue.views(session, [rate.resource for rate in voted if rate.resource]),
    )  # fmt: skip


@reports.post("/preteurs/<lender>/bilan/taux")
@auth_required()
def write_rate(lender: str) -> Response | tuple[str, int]:
    """Write a rate, once for one key."""
    desk, form = office("rates.write", lender), RateForm()
    if not form.validate():
        return _rates(desk, form), 422
    try:
        resource, category = binding.bound(desk.party.id, form.on.data or "")
        rate = Rate(0, desk.party.id, resource, category, form.cents.data or 0, form.per.data, form.starts_on.data,
                    form.decision.data, form.decided_on.data)  # fmt: skip
        here = url_for("reports.rates", lender=lender)

        def write(session: Session, at: datetime) -> Done:
            operations.write_rate(session, rate, by=desk.by, at=at)
            return Done(here)

        content = idempotency.digest(request.path, rate._asdict())
        idempotency.once(write, party=desk.by.party, key=form.key.data, content=content)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _rates(desk, form), 422
    flash(_("Le taux est écrit. Il vaut pour les prêts qui commencent à partir de ce jour."), "success")
    return redirect(here, 303)
