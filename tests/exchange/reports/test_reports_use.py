"""How much is used: hours lent and open, by resource and by class, against a count minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.catalogue.models import Resource
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations as closures
from exchange.reports import policy, using
from exchange.reports.using import Attended, OfResource, Use
from exchange.sentences import CLASSES
from ledger.entries import Acting
from tests.cast import Cast
from tests.exchange.reports.conftest import LATER, PARIS, ZONE, Had, on
from tests.lent import Lent

HOUR = 60


def use(
    session: Session, cast: Cast, first: str = "2026-03-01", last: str = "2026-03-31", at: datetime = LATER
) -> Use:
    span = policy.days(on(first).date(), on(last).date(), ZONE)
    return using.of_lender(session, cast.town.id, span, list(CLASSES), zone=ZONE, at=at)


def of(found: Use, it: ResourceView) -> OfResource:
    return next(each for each in found.resources if each.resource.id == it.id)


def test_the_hours_of_each_resource_and_who_came(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    had(cast.club.id, lent.half, starts=on("2026-03-07"), hours=4, people=50, came=41)
    had(cast.alice.party.id, lent.half, starts=on("2026-03-08"), hours=2, people=20)
    for then in ("cancelled", "declined"):
        had(cast.club.id, lent.half, starts=on("2026-03-09"), then=then, people=30)
    found = use(session, cast)
    half = of(found, lent.half)
    assert (half.minutes, half.attended) == (6 * HOUR, Attended(2, 70, 41, 1))
    assert half.attended.uncounted == 1
    assert half.opened == 31 * 24 * HOUR - HOUR  # always open; that month has lost an hour
    assert half.taken == 6 * HOUR
    assert [(each.class_, each.minutes, each.attended.came) for each in found.classes] == [
        ("local-association", 4 * HOUR, 41), ("inhabitant", 2 * HOUR, 0),
    ]  # fmt: skip


def test_a_hall_is_taken_with_its_halves_and_they_with_it(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    had(cast.club.id, lent.hall, starts=on("2026-03-07"), hours=4)
    had(cast.club.id, lent.half, starts=on("2026-03-08"), hours=2)
    had(cast.alice.party.id, lent.other_half, starts=on("2026-03-08", 15), hours=2)
    found = use(session, cast)
    rows = (of(found, it) for it in (lent.hall, lent.half, lent.other_half))
    assert [(row.minutes // HOUR, row.taken // HOUR) for row in rows] == [(4, 7), (2, 6), (2, 6)]


def test_of_a_pool_the_hours_of_each_thing_add_up(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    had(cast.club.id, (lent.chairs, 20), starts=on("2026-03-07"), hours=10, then="returned", left={lent.chairs.id: 15})
    closures.close(session, lent.chairs, kind="repair", reason="", starts_at=on("2026-03-10"),
                   ends_at=on("2026-03-11"), quantity=10, by=cast.olga.by, at=on("2026-03-09"))  # fmt: skip
    chairs = of(use(session, cast, "2026-03-01", "2026-03-20"), lent.chairs)
    assert chairs.minutes == chairs.taken == 150 * HOUR
    assert chairs.opened == (50 * 20 * 24 - 10 * 24) * HOUR


def test_hours_are_cut_at_the_edges_and_a_booking_counts_where_it_begins(
    session: Session, cast: Cast, lent: Lent, had: Had
) -> None:
    had(cast.club.id, lent.half, starts=on("2026-03-31", 22), hours=5, people=30, came=30)
    march, april = use(session, cast), use(session, cast, "2026-04-01", "2026-04-30")
    assert [of(each, lent.half).minutes for each in (march, april)] == [2 * HOUR, 3 * HOUR]
    assert [of(each, lent.half).attended.bookings for each in (march, april)] == [1, 0]
    assert [each.attended.came for each in (march, april)] == [30, 0]


def test_works_and_retirement_close_it_in_the_count(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    closures.close(session, lent.hall, kind="works", reason="", starts_at=on("2026-03-10", 0),
                   ends_at=on("2026-03-20", 0), quantity=None, by=cast.olga.by, at=on("2026-03-09"))  # fmt: skip
    (shut,) = session.connection().exec_driver_sql("SELECT token FROM closures").scalars()
    closures.lift(session, shut, lender=cast.town.id, by=cast.olga.by, at=on("2026-03-12", 0))
    had(cast.club.id, lent.drill, starts=on("2026-03-02"), then="returned", hours=4)
    drill = session.get_one(Resource, lent.drill.id)
    catalogue.retire(session, drill, by=cast.olga.by, at=on("2026-03-05", 0))
    found = use(session, cast)
    month = 31 * 24 * HOUR - HOUR
    assert of(found, lent.half).opened == of(found, lent.hall).opened == month - 48 * HOUR
    retired = of(found, lent.drill)
    assert (retired.opened, retired.taken) == (4 * 24 * HOUR, 4 * HOUR)
    assert retired.resource.retired_at is not None


def test_a_period_ends_now(session: Session, cast: Cast, lent: Lent, had: Had) -> None:
    had(cast.club.id, lent.half, starts=on("2026-03-07", 10), hours=4)
    found = use(session, cast, at=on("2026-03-07", 12))
    half = of(found, lent.half)
    assert (half.minutes, half.opened) == (2 * HOUR, (6 * 24 + 12) * HOUR)
    assert use(session, cast, at=on("2026-02-01")).resources == []


# -- against a count minute by minute

OPEN = "Mo-Sa 08:00-12:00,13:30-24:00; Su 00:00-24:00"


def is_open(minute: datetime) -> bool:
    """The same hours, as somebody would say them."""
    at = minute.hour * 60 + minute.minute
    return minute.weekday() == 6 or 8 * 60 <= at < 12 * 60 or at >= 13 * 60 + 30


def test_open_and_taken_are_those_of_a_count_minute_by_minute(
    session: Session, cast: Cast, lent: Lent, had: Had
) -> None:
    """Over the night of the winter hour, in a room that is open all Sunday long."""
    town = Acting(None, cast.town.id)
    row = catalogue.add_resource(session, lender=cast.town.id, kind="room", name="Annexe", capacity=30,
                                 opening_hours=OPEN, by=town, at=on("2026-01-02"))  # fmt: skip
    catalogue.publish(session, lender=cast.town.id, capacities={row.id: None}, by=town, at=on("2026-01-02"))
    annexe = resources.views(session, [row.id])[row.id]
    spans = [(on("2026-10-22", 9), 3), (on("2026-10-24", 20), 12), (on("2026-10-26", 20), 4), (on("2026-10-29", 8), 4)]
    for starts, hours in spans:
        had(cast.club.id, annexe, starts=starts, hours=hours)
    row.opening_hours = "Mo-Sa 09:00-12:00,13:30-24:00; Su 00:00-24:00"  # fewer, since
    session.flush()
    found = of(use(session, cast, "2026-10-20", "2026-10-31"), annexe)
    first, last = policy.days(on("2026-10-20").date(), on("2026-10-31").date(), ZONE)
    opened = taken = 0
    minute = first.astimezone(UTC)
    while minute < last.astimezone(UTC):
        there = minute.astimezone(PARIS)
        if is_open(there) and not (there.weekday() != 6 and there.hour == 8):
            opened += 1
            taken += any(starts <= minute < starts.astimezone(UTC) + timedelta(hours=hours) for starts, hours in spans)
        minute += timedelta(minutes=1)
    assert (found.opened, found.taken) == (opened, taken)
    assert found.minutes == sum(60 * hours for _starts, hours in spans)
    assert found.share == taken / opened


