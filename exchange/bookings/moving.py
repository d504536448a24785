"""What a closure displaces, and where a booking or a search could go instead: at the same hours, or others nearby."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from exchange.bookings import policy, queries
from exchange.bookings.availability import Some, Timetable
from exchange.bookings.models import BookingItem, Occupancy
from exchange.bookings.queries import BookingView
from exchange.catalogue import policy as terms
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import queries as closures
from exchange.errors import HourMissing
from exchange.hours import open_throughout

NEAR = timedelta(days=14)  # around what was asked for


def displaced(
    session: Session, resource: ResourceView, starts_at: datetime, ends_at: datetime | None, *, closing: int,
    at: datetime,
) -> list[BookingView]:  # fmt: skip
    """The bookings that a closure leaves without what they need, the nearest first; of a pool, those that share a
    moment with too few things. ``closing`` is how many things more would be closed: none once it is written.
    """
    begins = max(starts_at, at)
    if resource.kind == "pool":
        items = _short_of(session, resource, begins, ends_at, closing)
    else:
        span = Range(begins, ends_at)
        units = catalogue.units_of(session, [resource.id])[resource.id]
        held = select(Occupancy.booking_item_id).where(Occupancy.unit_id.in_(units), Occupancy.during.overlaps(span))
        items = set(session.scalars(held))
    found = session.scalars(select(BookingItem.booking_id).where(BookingItem.id.in_(items)).distinct()).all()
    return sorted(queries.views(session, found, at=at), key=lambda view: (view.starts_at, view.id))


def _short_of(
    session: Session, pool: ResourceView, starts_at: datetime, ends_at: datetime | None, closing: int
) -> set[int]:
    """The items of bookings that hold some of a pool while more is held or closed than there is."""
    booked = queries.taken_of(session, pool.id, starts_at, ends_at)
    if not booked:
        return set()
    last = max(each.hold.ends_at for each in booked)
    closed = closures.closed_things(session, [pool.id], starts_at, ends_at)
    closed.append(closures.Things(pool.id, closing, starts_at, ends_at))
    holds = [each.hold for each in booked]
    holds += [policy.Hold(each.starts_at, each.ends_at or last, each.quantity) for each in closed
              if each.quantity and each.starts_at < (each.ends_at or last)]  # fmt: skip
    over = policy.too_many(holds, pool.quantity or 0)
    return {
        each.item_id for each in booked
        if any(each.hold.starts_at < end and start < each.hold.ends_at for start, end in over)
    }  # fmt: skip


class Alternative(NamedTuple):
    """What could be offered in place of a booking."""

    resource: ResourceView
    starts_at: datetime
    ends_at: datetime


def alternatives(
    session: Session, view: BookingView, resources: Mapping[int, ResourceView], lent: Iterable[ResourceView], *,
    at: datetime, size: int = 3,
) -> list[Alternative]:  # fmt: skip
    """What could be offered: others that the same lender lends at the same hours, the nearest in size first; then the
    same one at other hours, the nearest first. ``resources`` are those of the booking. Rules are not run: the offer
    itself does.
    """
    first = resources[view.items[0].resource_id]
    with_it = [(resources[item.resource_id], item.quantity) for item in view.items[1:]]
    others = sorted(
        (it for it in lent if _as_good(it, first, view)),
        key=lambda it: (abs((it.capacity or 0) - (first.capacity or 0)), it.category != first.category, it.sort_name),
    )
    looked_at = [first, *others, *(it for it, _quantity in with_it)]
    around = _Around(session, looked_at, view.starts_at, view.ends_at, zone=view.zone, at=at, apart_from=[view.token])
    many = view.items[0].quantity
    same_hours = [
        Alternative(it, view.starts_at, view.ends_at) for it in others
        if around.free([(it, many), *with_it], view.starts_at, view.ends_at)
    ]  # fmt: skip
    return [*same_hours[:size], *around.other_times([(first, many), *with_it], size)]


def other_hours(
    session: Session, rooms: Sequence[ResourceView], starts_at: datetime, ends_at: datetime, *, zone: str,
    at: datetime, size: int = 5,
) -> list[Alternative]:  # fmt: skip
    """When these, which are taken, are free for as long: each at its nearest hours, the nearest of all first."""
    around = _Around(session, rooms, starts_at, ends_at, zone=zone, at=at)
    found = [one for it in rooms for one in around.other_times([(it, 1)], 1, asked=True)]
    return sorted(found, key=lambda one: abs(one.starts_at - starts_at))[:size]


def _as_good(it: ResourceView, first: ResourceView, view: BookingView) -> bool:
    """Whether it could do: another of the same kind, large enough; a thing or a pool of the same category."""
    if it.id == first.id or it.kind != first.kind:
        return False
    if it.kind != "room":
        return bool(it.category) and it.category == first.category
    return it.capacity is not None and it.capacity >= (view.people or 0) and (not first.accessible or it.accessible)


class _Around:
    """What is taken or closed around a span, read once; what a booking holds itself is left ``apart_from`` it."""

    def __init__(
        self, session: Session, resources: Collection[ResourceView], starts_at: datetime, ends_at: datetime, *,
        zone: str, at: datetime, apart_from: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._at, self._zone = at, zone
        self._starts_at, self._ends_at = starts_at.astimezone(ZoneInfo(zone)), ends_at.astimezone(ZoneInfo(zone))
        first, last = self._starts_at - NEAR - timedelta(days=1), self._ends_at + NEAR + timedelta(days=1)
        self._table = Timetable(session, resources, first, last, at=at, apart_from=apart_from)

    def free(self, wanted: Sequence[Some], starts_at: datetime, ends_at: datetime) -> bool:
        """Whether all of it is open and free during a span."""
        is_open = all(open_throughout(it.opening_hours, self._zone, starts_at, ends_at) for it, _quantity in wanted)
        return is_open and self._table.refusal(wanted, starts_at, ends_at) is None

    def other_times(self, wanted: Sequence[Some], size: int, *, asked: bool = False) -> list[Alternative]:
        """The same, at the hours nearest to those that were asked for; ``asked`` by others, on its lender's terms."""
        found: list[Alternative] = []
        first = wanted[0][0]
        for starts_at, ends_at in policy.times_around(self._starts_at, self._ends_at, NEAR):
            if len(found) == size:
                break
            try:
                span = tuple(policy.instant(each.date(), each.time(), self._zone) for each in (starts_at, ends_at))
            except HourMissing:
                continue
            if asked and terms.refusal_to_ask(first.terms, *span, at=self._at):
                continue
            if span[0] > self._at and self.free(wanted, *span):
                found.append(Alternative(first, *span))
        return found
