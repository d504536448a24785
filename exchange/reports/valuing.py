"""A civil year of loans with their value: for a lender, borrower by borrower; for a borrower, lender by lender."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from exchange.members import queries as members
from exchange.members.queries import PartyView
from exchange.organisations import queries as organisations
from exchange.reciprocity import policy as tariffs
from exchange.reports import policy, queries
from exchange.reports.policy import Line, Loan, Rate, Total
from exchange.reports.queries import Fact


class Borrower(NamedTuple):
    """The loans of one party; those of all inhabitants together, without their names (``party`` is None).

    ``own``: the lender's own use, which helps nobody else and is no part of the sum.
    """

    party: PartyView | None
    class_: str
    people: int  # how many parties
    own: bool
    loans: list[Loan]
    total: Total

    @property
    def had(self) -> list[Loan]:
        """The loans that took place."""
        return [loan for loan in self.loans if loan.lines]


class Year(NamedTuple):
    """What a lender lent in a civil year, and what that adds up to apart from its own use."""

    number: int
    borrowers: list[Borrower]
    total: Total
    rates: list[Rate]  # that some loan is valued at


class Lent(NamedTuple):
    """What one lender lent to a party in a year."""

    lender: PartyView
    loans: list[Loan]
    total: Total


def of_lender(session: Session, lender: PartyView, number: int, *, zone: str, at: datetime) -> Year:
    """The loans of a lender that began in a year; those that people who aren't organisations had are told together."""
    since, until = policy.year(number, zone)
    facts = queries.facts_of_lender(session, lender.id, since, until, at=at)
    loans = _loans(facts, queries.rates_of(session, [lender.id]), since, zone)
    parties = members.parties(session, {loan.party for loan in loans})
    classes = organisations.classes_of(session, list(parties))
    of: dict[int, list[Loan]] = {}  # 0: the inhabitants
    for loan in loans:
        of.setdefault(loan.party if parties[loan.party].kind != "person" else 0, []).append(loan)
    borrowers = [
        Borrower(parties.get(id_), classes.get(id_, "inhabitant"), len({loan.party for loan in mine}),
                 id_ == lender.id, mine, policy.total(mine))
        for id_, mine in of.items()
    ]  # fmt: skip
    borrowers.sort(key=_order)
    helped = [loan for each in borrowers if not each.own for loan in each.loans]
    return Year(number, borrowers, policy.total(helped), rates_in(loans))


def _order(each: Borrower) -> tuple[bool, bool, str]:
    return (each.own, each.party is None, each.party.sort_name if each.party else "")


def rates_in(loans: Iterable[Loan]) -> list[Rate]:
    """The rates that these loans are valued at, the first that began first."""
    used = {line.rate for loan in loans for line in loan.lines if line.rate}
    return sorted(used, key=lambda rate: (rate.starts_on, rate.id))


def of_party(session: Session, party: int, number: int, *, zone: str, at: datetime) -> list[Lent]:
    """The loans that a party had and that began in a year, by the name of their lender."""
    since, until = policy.year(number, zone)
    facts = queries.facts_of_party(session, party, since, until, at=at)
    lenders = members.parties(session, {fact.lender for fact in facts})
    loans = _loans(facts, queries.rates_of(session, list(lenders)), since, zone)
    found = [(lender, [loan for loan in loans if loan.lender == lender.id]) for lender in lenders.values()]
    return sorted((Lent(lender, mine, policy.total(mine)) for lender, mine in found if mine),
                  key=lambda each: each.lender.sort_name)  # fmt: skip


def years(first: datetime | None, today: date, zone: str) -> list[int]:
    """The years that can be chosen: from the first loan's to this one, the last first."""
    begun = min(first.astimezone(ZoneInfo(zone)).year, today.year) if first else today.year
    return list(range(today.year, begun - 1, -1))


def _loans(facts: Iterable[Fact], rates: list[Rate], since: datetime, zone: str) -> list[Loan]:
    """Loans that begin after an instant, and those that nobody came for; what was never taken is no loan."""
    by_lender: dict[int, list[Rate]] = {}
    for rate in rates:
        by_lender.setdefault(rate.lender, []).append(rate)
    found = []
    for _booking, several in groupby((fact for fact in facts if fact.starts_at >= since), key=lambda f: f.booking):
        items = list(several)
        one = items[0]
        lines = tuple(_valued(each, by_lender.get(one.lender, []), zone) for each in items if each.had)
        if lines or one.missed:
            found.append(Loan(one.token, one.lender, one.party, one.starts_at, one.ends_at, one.people, one.came,
                              one.missed, lines))  # fmt: skip
    return found


def _valued(fact: Fact, rates: list[Rate], zone: str) -> Line:
    """What was had, at the rate of the day on which it begins, for each thing of it."""
    there = ZoneInfo(zone)
    span = tariffs.Span(fact.starts_at.astimezone(there), fact.ends_at.astimezone(there))
    rate = policy.rate_for(rates, fact.resource, fact.category, span.starts_at.date())
    cents = tariffs.charged(rate.cents, rate.per, 1, span) * fact.had if rate else None
    return Line(fact.resource, fact.name, fact.had, rate, cents)
