"""Reports for programs: a year of loans at the council's rate, what is used, what was refused."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _

from exchange import clock
from exchange.catalogue import queries as catalogue
from exchange.db import db
from exchange.errors import WrongFields
from exchange.members import queries as members
from exchange.reports import policy, queries, using, valuing
from exchange.reports.policy import Loan
from exchange.reports.queries import Sought
from exchange.reports.schemas import PeriodQuery, RefusalPage, RefusalsQuery, UseShape, YearOfLoans, YearQuery
from exchange.rest import paging, shapes
from exchange.rest.resources import Resources
from exchange.security import Office, office, territory, today
from exchange.sentences import CLASSES, N

resources = Resources("reports", N("Bilans"))


@resources.reads("/lenders/<lender>/reports/loans", N("Les prêts d’une année et leur valeur"), query=YearQuery,
                 gives=YearOfLoans)  # fmt: skip
def loans(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """At the rate that the council voted, in force on the day of each."""
    desk = office("reports.read", lender)
    number = query.get("year") or today().year
    year = valuing.of_lender(db.session(), desk.party, number, zone=territory().zone, at=clock.now())
    borrowers = [
        {"party": shapes.party(each.party) if each.party else None, "class_": each.class_, "own": each.own,
         "total": each.total._asdict(), "loans": [_loan(loan) for loan in each.loans]}
        for each in year.borrowers
    ]  # fmt: skip
    return {"year": year.number, "total": year.total._asdict(), "borrowers": borrowers}


def _loan(loan: Loan) -> dict[str, Any]:
    told = {name: getattr(loan, name) for name in ("starts_at", "ends_at", "minutes", "people", "came", "missed")}
    lines = [
        {"name": line.name, "quantity": line.quantity, "cents": line.cents,
         "rate": line.rate._asdict() if line.rate else None}
        for line in loan.lines
    ]  # fmt: skip
    return {"booking": loan.token, **told, "lines": lines}


@resources.reads("/lenders/<lender>/reports/use", N("L’usage de ce qui se prête"), query=PeriodQuery, gives=UseShape)
def use(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """By resource, retired or not, and by class of borrowers."""
    desk, zone = office("reports.read", lender), territory().zone
    found = using.of_lender(db.session(), desk.party.id, _span(query), list(CLASSES), zone=zone, at=clock.now())
    return {
        "resources": [
            {"resource": shapes.resource_name(each.resource), "minutes": each.minutes, "opened": each.opened,
             "taken": each.taken, **each.attended._asdict()}
            for each in found.resources
        ],
        "classes": [{"class_": each.class_, "minutes": each.minutes, **each.attended._asdict()}
                    for each in found.classes],
    }  # fmt: skip


def _span(query: dict[str, Any]) -> policy.Span:
    """The period of a query. Raises WrongFields."""
    until: date = query.get("until") or today()
    since: date = query.get("since") or date(until.year, 1, 1)
    if until < since:
        raise WrongFields(errors={"until": [_("Le dernier jour vient après le premier.")]})
    if until - since > policy.LONGEST:
        raise WrongFields(errors={"until": [_("Choisissez cinq ans au plus.")]})
    return policy.days(since, until, territory().zone)


@resources.reads("/lenders/<lender>/reports/refusals", N("Ce qui a été refusé, et pour quel motif"),
                 query=RefusalsQuery, gives=RefusalPage)  # fmt: skip
def refusals(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """The last decided first."""
    desk, session = office("reports.read", lender), db.session()
    sought = Sought(*_span(query), _resource(desk, query.get("resource")))
    skip = paging.number(query.get("cursor")) or 0
    found = queries.refusals(session, desk.party.id, sought, ground=query.get("ground"), size=query["limit"] + 1,
                             skip=skip)  # fmt: skip
    page = found[: query["limit"]]
    parties = members.parties(session, {each.party for each in page})
    typed = members.sign_in_names(session, {each.by_sign_in for each in page})
    told = ("act", "class_", "resources", "starts_at", "ends_at", "ground", "text", "asked_at", "decided_at")
    items = [
        {"booking": each.token, **{name: getattr(each, name) for name in told},
         "party": shapes.party(parties[each.party]) if parties[each.party].kind != "person" else None,
         "decided_by": typed.get(each.by_sign_in or 0)}
        for each in page
    ]  # fmt: skip
    return {"items": items, "next": str(skip + len(page)) if len(found) > len(page) else None}


def _resource(desk: Office, token: str | None) -> int | None:
    found = catalogue.mine_by_token(db.session(), desk.party.id, token) if token else None
    if token and found is None:
        raise WrongFields(errors={"resource": [_("Cette ressource n’est pas l’une des vôtres.")]})
    return found.id if found else None
