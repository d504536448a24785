"""A year of loans is listed with the value that the council voted; what didn't take place is worth nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import extending
from exchange.bookings import operations as bookings
from exchange.catalogue import operations as catalogue
from exchange.catalogue.models import Resource
from exchange.catalogue.queries import ResourceView
from exchange.members.queries import PartyView, parties
from exchange.reports import policy, valuing
from exchange.reports.policy import Rate
from exchange.reports.valuing import Year
from tests.cast import Cast
from tests.exchange.reports.conftest import LATER, PARIS, ZONE, Had, on
from tests.lent import Lent

Vote = Callable[..., Rate]


def town_of(session: Session, cast: Cast) -> PartyView:
    return parties(session, [cast.town.id])[cast.town.id]


def year(session: Session, cast: Cast, number: int = 2026, *, at: datetime = LATER) -> Year:
    return valuing.of_lender(session, town_of(session, cast), number, zone=ZONE, at=at)


def test_a_loan_is_worth_the_rate_of_its_hours(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1250)
    had(cast.club.id, lent.hall, starts=on("2026-03-07"), hours=4, people=60, came=48)
    found = year(session, cast)
    (club,) = found.borrowers
    assert (club.party and club.party.name, club.class_, club.own) == (cast.club.name, "local-association", False)
    assert found.total == (1, 240, 60, 48, 1, 5000, 0, 0)
    (line,) = club.loans[0].lines
    assert (line.name, line.quantity, line.cents) == ("Salle des fêtes", 1, 5000)


def test_only_what_took_place_counts(session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote) -> None:
    voted(1000)
    for number, then in enumerate(("past", "cancelled", "declined", "expired", "pending")):
        had(cast.club.id, lent.hall, starts=on(f"2026-03-{7 + number:02d}"), then=then)
    for number, then in enumerate(("returned", "out", "no-show", "accepted")):
        had(cast.club.id, lent.drill if then != "out" else (lent.chairs, 2), starts=on(f"2026-04-{7 + number:02d}"),
            then=then)  # fmt: skip
    total = year(session, cast).total
    assert (total.loans, total.missed, total.cents) == (3, 1, 4000 + 4000 + 8000)


def test_who_had_the_room_and_not_its_chairs_had_the_room(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1000)
    had(cast.club.id, lent.hall, (lent.chairs, 10), starts=on("2026-03-07"), then="no-show")
    found = year(session, cast)
    assert (found.total.loans, found.total.missed, found.total.cents) == (1, 1, 4000)
    assert [line.name for line in found.borrowers[0].loans[0].lines] == ["Salle des fêtes"]


def test_each_thing_that_left_counts_and_no_other(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(10, "day", category="Mobilier")
    had(cast.club.id, (lent.chairs, 20), starts=on("2026-03-07"), then="returned", left={lent.chairs.id: 18})
    assert year(session, cast).total.cents == 180


def test_without_a_rate_nothing_is_worth_zero(session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote) -> None:
    voted(500, resource=lent.hall)
    had(cast.club.id, lent.hall, (lent.chairs, 2), starts=on("2026-03-07"), then="returned")
    had(cast.club.id, lent.drill, starts=on("2026-03-09"), then="returned")
    found = year(session, cast)
    assert (found.total.cents, found.total.unvalued, found.total.valued) == (2000, 2, True)
    assert [[line.cents for line in loan.lines] for loan in found.borrowers[0].loans] == [[2000, None], [None]]


def test_a_rate_of_zero_is_a_value_that_was_voted(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(0)
    had(cast.club.id, lent.hall, starts=on("2026-03-07"))
    total = year(session, cast).total
    assert (total.cents, total.unvalued, total.valued) == (0, 0, True)


def test_the_rate_is_the_one_of_the_day_of_the_loan(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(2000, since="2026-09-01")
    voted(1000, since="2026-01-01")
    for day in ("2025-12-30", "2026-01-01", "2026-08-31", "2026-09-01"):
        had(cast.club.id, lent.half, starts=on(day), hours=1)
    old, new = year(session, cast, 2025), year(session, cast)
    assert (old.total.cents, old.total.unvalued) == (0, 1)
    assert [loan.cents for loan in new.borrowers[0].loans] == [1000, 1000, 2000]
    assert [rate.starts_on.isoformat() for rate in new.rates] == ["2026-01-01", "2026-09-01"]


def test_a_loan_counts_once_in_the_year_in_which_it_begins_in_paris(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1000, since="2025-01-01")
    had(cast.club.id, lent.half, starts=on("2025-12-31", 23, 30), hours=3)
    had(cast.club.id, lent.half, starts=on("2027-01-01", 0), hours=1)  # still 2026 in UTC
    had(cast.club.id, lent.other_half, starts=on("2026-01-01", 0), hours=1)
    assert [year(session, cast, number).total.cents for number in (2025, 2026, 2027)] == [3000, 1000, 1000]


def test_what_has_not_begun_is_not_lent_yet(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    had(cast.club.id, lent.hall, starts=on("2026-12-05"))
    assert year(session, cast, at=on("2026-12-05", 13, 59)).borrowers == []
    assert year(session, cast, at=on("2026-12-05", 14)).total.loans == 1


def test_inhabitants_are_counted_together_and_the_town_apart(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1000)
    for day, party in enumerate((cast.alice.party.id, cast.chloe.party.id, cast.town.id, cast.club.id), 1):
        had(party, lent.half, starts=on(f"2026-05-0{day}"))
    found = year(session, cast)
    assert [(each.party and each.party.name, each.people, each.own) for each in found.borrowers] == [
        (cast.club.name, 1, False), (None, 2, False), (cast.town.name, 1, True),
    ]  # fmt: skip
    assert found.total.cents == 12000
    assert found.borrowers[-1].total.cents == 4000


def test_a_resource_comes_before_its_category_before_all(lent: Lent) -> None:
    def rate(id_: int, since: str, resource: int | None = None, category: str | None = None) -> Rate:
        first = on(since).date()
        return Rate(id_, 1, resource, category, id_, "hour", first, "1", first)

    rates = [
        rate(1, "2020-01-01"), rate(2, "2026-01-01"), rate(3, "2026-01-01"), rate(4, "2021-01-01", None, "Salle"),
        rate(5, "2020-01-01", 7),
    ]  # fmt: skip
    day = on("2026-05-01").date()
    found = [policy.rate_for(rates, *of, day) for of in ((7, "Salle"), (8, "Salle"), (8, "Sport"))]
    assert [each.id for each in found if each] == [5, 4, 3]
    assert policy.rate_for(rates, 8, "Sport", on("2019-12-31").date()) is None
    assert policy.in_force(rates, day) == {3, 4, 5}


def test_a_rate_is_never_changed(session: Session, cast: Cast, lent: Lent, voted: Vote) -> None:
    voted(1000)
    for act in ("UPDATE council_rates SET cents = 1", "DELETE FROM council_rates"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.connection().exec_driver_sql(act)


def test_what_is_lent_no_more_still_counts(session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote) -> None:
    voted(1000)
    had(cast.club.id, lent.drill, starts=on("2026-03-07"), then="returned")
    drill = session.get_one(Resource, lent.drill.id)
    catalogue.retire(session, drill, by=cast.olga.by, at=on("2026-04-01"))
    assert year(session, cast).total.cents == 4000


def test_an_association_finds_what_each_lender_lent_it(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1000)
    had(cast.alice.party.id, lent.hall, starts=on("2026-03-07"))
    had(cast.club.id, lent.hall, starts=on("2026-03-08"))
    (town,) = valuing.of_party(session, cast.club.id, 2026, zone=ZONE, at=LATER)
    assert (town.lender.name, town.total.loans, town.total.cents) == (cast.town.name, 1, 4000)
    assert valuing.of_party(session, cast.club.id, 2025, zone=ZONE, at=LATER) == []


# -- against a count minute by minute


class Told(NamedTuple):
    """A loan as the test remembers it."""

    resource: ResourceView
    quantity: int
    starts: datetime
    hours: int
    then: str


PLAN = [("hour", 1234, "2026-01-01"), ("half-day", 5001, "2026-04-01"), ("day", 7000, "2026-10-01")]


def expected(told: Told) -> int:
    """The value of a loan, found by walking through each of its minutes."""
    voted = [each for each in PLAN if each[2] <= told.starts.date().isoformat()]
    if not voted:
        return 0
    per, cents, _since = voted[-1]
    begun = told.starts.astimezone(UTC)
    minutes = [(begun + timedelta(minutes=n)).astimezone(PARIS) for n in range(60 * told.hours)]
    days = {minute.date() for minute in minutes}
    halves = {(minute.date(), minute.hour < 13) for minute in minutes}
    one = {"hour": -(-cents * len(minutes) // 60), "half-day": cents * len(halves), "day": cents * len(days)}[per]
    return one * told.quantity


def test_the_sum_is_that_of_a_count_minute_by_minute(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    """Over nights when clocks change, over new year, with three rates in the year and all that may become of a loan."""
    for per, cents, since in PLAN:
        voted(cents, per, since=since)
    chance = random.Random(20261231)
    nights = [on("2026-03-28", 20), on("2026-10-24", 20), on("2025-12-31", 20), on("2026-12-31", 20)]
    others = [on("2026-01-03", 8) + timedelta(days=9 * n, hours=chance.randrange(12)) for n in range(38)]
    remembered = []
    for starts in nights + others:
        it = chance.choice([lent.hall, lent.drill, lent.chairs])
        many = chance.randint(2, 9) if it is lent.chairs else 1
        then = "returned" if starts in nights else chance.choice(["returned", "returned", "cancelled", "no-show",
                                                                  "declined"])  # fmt: skip
        if it is lent.hall:
            then = {"returned": "past", "no-show": "past"}.get(then, then)
        hours = chance.choice([3, 5, 8, 30, 50]) if starts not in nights else 10
        had(cast.club.id, (it, many), starts=starts, hours=hours, then=then)
        remembered.append(Told(it, many, starts, hours, then))
    for number in (2025, 2026):
        lived = [each for each in remembered if each.then in {"past", "returned"} and each.starts.year == number]
        total = year(session, cast, number).total
        assert (total.loans, total.cents) == (len(lived), sum(map(expected, lived)))
        assert total.minutes == sum(60 * each.hours for each in lived)
        assert total.missed == sum(each.then == "no-show" and each.starts.year == number for each in remembered)
    assert sum(map(expected, remembered)) > 100_000


def test_a_loan_that_is_granted_more_time_is_worth_it(
    session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1000)
    token = had(cast.club.id, lent.drill, starts=on("2026-03-07"), then="out")
    asked = on("2026-03-07", 15)
    extending.grant_at_once(session, token, asked + timedelta(hours=7), lender=cast.town.id, reason="", by=cast.olga.by,
                            at=asked)  # fmt: skip
    bookings.take_back(session, token, lender=cast.town.id, remarks="", by=cast.olga.by, at=asked + timedelta(hours=6))
    assert year(session, cast).total.cents == 8000
