"""What is free, counted minute by minute by brute force: claims, a search and a timetable must all say the same.

The town has a hall in two halves, a room with hours, one lent in slots, a tool and two pools, each with its own time to
be put in order. Bookings and closures fall on it at random, over the nights on which clocks change.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from exchange.bookings import availability, operations
from exchange.bookings.availability import Timetable
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations as closures
from ledger.entries import Acting
from ledger.errors import Refused
from tests.cast import Cast

PARIS = ZoneInfo("Europe/Paris")
MINUTE = timedelta(minutes=1)
FEW = settings(
    max_examples=1000 if os.environ.get("MARRONNIER_FULL") else 30,
    deadline=None,
    phases=[Phase.generate],  # making a failing town smaller takes longer than reading it
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
pytestmark = pytest.mark.campaign

SPRING, AUTUMN = date(2027, 3, 26), date(2027, 10, 29)  # the Friday before the night on which clocks change
DAYS = 4
STEP = 15  # minutes after the hour


class Kept(NamedTuple):
    """What the oracle knows of one resource: the minutes of its leaves, its hours, and how long it stays dirty."""

    view: ResourceView
    leaves: tuple[str, ...]
    weekdays: bool = False  # open on weekdays from eight to ten in the evening
    slots: tuple[tuple[int, int], ...] = ()  # hours


class Town:
    """The oracle: for each leaf, how much of it is held or closed at each minute."""

    def __init__(self, resources: dict[str, Kept], first: date) -> None:
        self.resources = resources
        self.start = datetime.combine(first, time(0), PARIS).astimezone(ZoneInfo("UTC"))
        many = (DAYS + 3) * 1440
        self.held = {leaf: [0] * many for kept in resources.values() for leaf in kept.leaves}
        self.closed = {leaf: [0] * many for leaf in self.held}
        local = [(self.start + n * MINUTE).astimezone(PARIS) for n in range(many)]
        self.weekday_hours = [each.weekday() < 5 and 8 <= each.hour < 22 for each in local]
        self.local = local

    def instant(self, minute: int) -> datetime:
        """The instant of a minute, in the time of the territory."""
        return self.local[minute]

    def open(self, kept: Kept, start: int, end: int) -> bool:
        """Whether every minute of a span is within the hours of a resource."""
        return not kept.weekdays or all(self.weekday_hours[start:end])

    def in_slots(self, kept: Kept, start: int, end: int) -> bool:
        """Whether a span is made of whole slots."""
        first, last = self.local[start], self.local[end]
        begins, ends = {slot[0] for slot in kept.slots}, {slot[1] % 24 for slot in kept.slots}
        return not kept.slots or (
            (first.hour in begins and not first.minute) and (last.hour in ends and not last.minute)
        )

    def refused(self, name: str, start: int, end: int, quantity: int = 1) -> str | None:
        """Why a span can't be had, minute after minute, or None."""
        kept = self.resources[name]
        if not self.open(kept, start, end):
            return "closed"
        if not self.in_slots(kept, start, end):
            return "not-a-slot"
        until = end + kept.view.buffer_minutes
        if kept.view.kind == "pool":
            (leaf,) = kept.leaves
            most = max(self.held[leaf][n] + self.closed[leaf][n] for n in range(start, until))
            return "pool-exhausted" if most + quantity > (kept.view.quantity or 0) else None
        spans = [(self.held[leaf][start:until], self.closed[leaf][start:until]) for leaf in kept.leaves]
        if any(any(closed) for _held, closed in spans):
            return "out-of-service"
        return "slot-taken" if any(any(held) for held, _closed in spans) else None

    def hold(self, name: str, start: int, end: int, quantity: int) -> None:
        """A booking was written."""
        kept = self.resources[name]
        for leaf in kept.leaves:
            for minute in range(start, end + kept.view.buffer_minutes):
                self.held[leaf][minute] += quantity

    def close(self, name: str, start: int, end: int, quantity: int) -> None:
        """A closure was written."""
        for leaf in self.resources[name].leaves:
            for minute in range(start, end):
                self.closed[leaf][minute] += quantity


def built(session: Session, cast: Cast) -> dict[str, Kept]:
    """The town, published."""
    town = Acting(None, cast.town.id)
    at = datetime(2026, 11, 1, tzinfo=PARIS)

    def add(kind: str, name: str, **facts: object) -> int:
        return catalogue.add_resource(
            session, lender=cast.town.id, kind=kind, name=name, by=town, at=at, **facts
        ).id  # fmt: skip

    left = add("room", "left", capacity=50)
    right = add("room", "right", capacity=50, buffer_minutes=60)
    ids = {
        "left": left, "right": right,
        "hall": add("room", "hall", capacity=100, buffer_minutes=30, parts=[left, right]),
        "room": add("room", "room", capacity=20, buffer_minutes=15, opening_hours="Mo-Fr 08:00-22:00"),
        "slots": add("room", "slots", capacity=20, slots="08:00-12:00,14:00-18:00,18:00-24:00"),
        "tool": add("thing", "tool", buffer_minutes=120),
        "chairs": add("pool", "chairs", quantity=5, buffer_minutes=30),
        "tables": add("pool", "tables", quantity=3, opening_hours="Mo-Fr 08:00-22:00"),
    }  # fmt: skip
    catalogue.publish(session, lender=cast.town.id, capacities=dict.fromkeys(ids.values()), by=town, at=at)
    views = queries.views(session, ids.values())
    leaves = {"hall": ("left", "right")}
    slots = {"slots": ((8, 12), (14, 18), (18, 24))}
    return {
        name: Kept(views[id_], leaves.get(name, (name,)), name in {"room", "tables"}, slots.get(name, ()))
        for name, id_ in ids.items()
    }


NAMES = ("left", "right", "hall", "room", "slots", "tool", "chairs", "tables")
# few moments, so that much touches: Friday afternoon, the night of the change, Sunday evening, Monday morning
MOMENTS = [
    1440 * day + 60 * hour + minute
    for day, hours in ((0, (14, 16, 18)), (1, (20, 22)), (2, (0, 1, 2, 3, 4, 8, 20)), (3, (7, 8, 9, 12)))
    for hour in hours for minute in (0, STEP)
]  # fmt: skip
spans = st.tuples(st.sampled_from(MOMENTS), st.sampled_from([15, 30, 60, 120, 240, 720])).map(
    lambda span: (span[0], span[0] + span[1])
)
acts = st.lists(
    st.tuples(st.sampled_from(("ask", "ask", "ask", "close")), st.sampled_from(NAMES), spans, st.integers(1, 4)),
    min_size=3, max_size=14,
)  # fmt: skip
looks = st.lists(spans, min_size=6, max_size=12)


def asked(session: Session, cast: Cast, kept: Kept, town: Town, span: tuple[int, int], quantity: int) -> str | None:
    """Ask for it, and say why it was refused."""
    request = Request(cast.alice.party.id, (Wanted(kept.view, quantity),), town.instant(span[0]),
                      town.instant(span[1]), "Essai")  # fmt: skip
    try:
        with session.begin_nested():
            operations.ask(session, request, zone="Europe/Paris", by=cast.alice.by, at=town.start - timedelta(days=1))
    except Refused as refused:
        return refused.rule
    return None


def on_slots(town: Town, span: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The smallest run of slots around a span, by trying them all."""
    starts = [n for n in range(span[0], max(span[0] - 1440, -1), -1) if _hour_of(town, n) in (8, 14, 18)]
    ends = [n for n in range(span[1], span[1] + 1440) if _hour_of(town, n) in (12, 18, 0)]
    first = next((n for n in starts if town.local[n].date() == town.local[span[0]].date()), None)
    last = next((n for n in ends if town.local[n - 1].date() == town.local[span[1] - 1].date()), None)
    if first is not None and last is not None:
        yield first, last


def _hour_of(town: Town, minute: int) -> int | None:
    return town.local[minute].hour if not town.local[minute].minute else None


def day_of(instant: datetime) -> tuple[datetime, datetime]:
    """The day of an instant, from midnight to midnight."""
    midnight = datetime.combine(instant.date(), time(0), PARIS)
    return midnight, datetime.combine(instant.date() + timedelta(days=1), time(0), PARIS)


def free_slot(town: Town, name: str, span: tuple[int, int]) -> bool:
    """Whether a span is free; of what is lent in slots, whether it lies in one slot that is."""
    slots = town.resources[name].slots
    if not slots:
        return town.refused(name, *span) is None
    for first, last in slots:
        starts = next((n for n in range(span[0], max(span[0] - 1440, -1), -1) if _hour_of(town, n) == first), None)
        ends = next(n for n in range(span[1], span[1] + 1560) if _hour_of(town, n) == last % 24)
        one = starts is not None and ends - starts <= 60 * (last - first)
        if one and starts is not None and town.refused(name, starts, ends) is None:
            return True
    return False


def touching(town: Town, done: list[tuple[str, str, tuple[int, int], int]]) -> Iterator[tuple[int, int]]:
    """The half hour that ends as something starts, that starts as it ends, and as it is in order again."""
    for _verb, name, (start, end), _quantity in done:
        ready = end + town.resources[name].view.buffer_minutes
        yield from ((start - 30, start), (end, end + 30), (ready, ready + 30))


@FEW
@given(st.sampled_from((SPRING, AUTUMN)), acts, looks)
def test_claims_searches_and_timetables_agree_with_a_count_minute_by_minute(
    session: Session, cast: Cast, first: date, done: list[tuple[str, str, tuple[int, int], int]],
    looked_at: list[tuple[int, int]],
) -> None:  # fmt: skip
    whole = session.begin_nested()
    town = Town(built(session, cast), first)
    at = town.start - timedelta(days=1)
    for verb, name, span, asked_for in done:
        kept = town.resources[name]
        quantity = asked_for if kept.view.kind == "pool" else 1
        if verb == "close":
            many = min(quantity, kept.view.quantity or 1)
            closures.close(session, kept.view, kind="works", reason="", starts_at=town.instant(span[0]),
                           ends_at=town.instant(span[1]), quantity=many if kept.view.kind == "pool" else None,
                           by=Acting(None, cast.town.id), at=at)  # fmt: skip
            town.close(name, *span, many)
            continue
        expected = town.refused(name, *span, quantity)
        said = asked(session, cast, kept, town, span, quantity)
        assert (said is None) == (expected is None), (name, span, said, expected)
        if expected is None:
            town.hold(name, *span, quantity)
    views = [kept.view.lendable for kept in town.resources.values()]
    table = Timetable(session, views, town.start, town.instant((DAYS + 1) * 1440), at=town.start)
    for span in [*looked_at, *touching(town, done[:5])]:
        starts, ends = town.instant(span[0]), town.instant(span[1])
        found = availability.free_among(session, views, starts, ends, zone="Europe/Paris", at=at)
        free = {
            name for name, kept in town.resources.items()
            for one in (on_slots(town, span) if kept.slots else [span])
            if town.refused(name, *one) is None
        }  # fmt: skip
        assert {name for name, kept in town.resources.items() if kept.view.id in found} == free, span
        each = [(view, 1) for view in views]
        throughout = availability.free_throughout(session, each, [(starts, ends)], zone="Europe/Paris", at=at)
        assert {view.id for view, _one in throughout} == found, span
        left = availability.left_on(session, views, *day_of(starts), zone="Europe/Paris", at=at)
        for name, kept in town.resources.items():
            expected = town.refused(name, *span)
            inside = any(begins <= starts and ends <= until for begins, until in left.get(kept.view.id, ()))
            if ends <= day_of(starts)[1]:
                assert inside == (expected in {None, "not-a-slot"} and bool(free_slot(town, name, span))), (name, span)
            if expected in {"closed", "not-a-slot"}:  # hours are not a timetable's affair
                continue
            refused = table.refusal([(kept.view, 1)], starts, ends)
            assert (refused.rule if refused else None) == expected, (name, span)
    whole.rollback()
