"""What a booking occupies: units of rooms and things, shares of pools; all that it needs, or nothing.

The database is what refuses: two overlapping claims on a unit can't be written, nor more of a pool than there is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import policy, queries
from exchange.bookings.models import Booking, BookingItem, Occupancy, PoolOccupancy
from exchange.bookings.queries import BookingView
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.errors import SlotTaken, refusal_of
from ledger.errors import Refused


class Leaf(NamedTuple):
    """What an item takes, and when: a unit of its resource, or so many of a pool."""

    item: BookingItem
    resource: ResourceView
    unit: int
    hold: policy.Hold


def items_of(session: Session, booking: int) -> list[BookingItem]:
    return list(session.scalars(select(BookingItem).where(BookingItem.booking_id == booking).order_by(BookingItem.id)))


def claim(
    session: Session, booking: Booking, items: Sequence[BookingItem], *, beside: Booking | None = None
) -> None:
    """Take every unit, in the order of their ids so that two requests never wait in a circle; then of the pools.

    Where a booking that it would replace (``beside``) holds the same at an overlapping time, only what is missing is
    taken: the rest is its own already.
    """
    held = queries.held_by(session, beside.id) if beside else {}
    for leaf in _leaves(session, [(booking, items)]):
        for missing in policy.missing_of(leaf.hold, held.get(leaf.unit)):
            _take(session, leaf, missing)


def claim_all(session: Session, bookings: Sequence[tuple[Booking, Sequence[BookingItem]]]) -> None:
    """Take what several bookings need, unit by unit as one alone does, and each unit from its first day on.

    What is refused carries the moment (fact: starts_at) of the booking that can't have it.
    """
    for leaf in _leaves(session, bookings):
        try:
            _take(session, leaf, leaf.hold)
        except Refused as error:
            error.facts["starts_at"] = leaf.hold.starts_at.isoformat()
            raise


def _leaves(session: Session, bookings: Sequence[tuple[Booking, Sequence[BookingItem]]]) -> list[Leaf]:
    """What bookings take, in the order in which everybody takes it."""
    resources = catalogue.views(session, {item.resource_id for _booking, items in bookings for item in items})
    units = catalogue.units_of(session, resources)
    leaves = []
    for booking, items in bookings:
        for item in items:
            resource = resources[item.resource_id]
            until = policy.held_until(booking.ends_at, item.buffer_minutes)
            hold = policy.Hold(booking.starts_at, until, item.quantity)
            own = [resource.id] if resource.kind == "pool" else units[resource.id]
            leaves += [Leaf(item, resource, unit, hold) for unit in own]
    return sorted(leaves, key=lambda leaf: (leaf.resource.kind == "pool", leaf.unit, leaf.hold.starts_at))


_TAKE = text(
    "INSERT INTO occupancy (booking_item_id, unit_id, during)"
    " VALUES (:item, :unit, tstzrange(:starts_at, :ends_at)) ON CONFLICT DO NOTHING RETURNING unit_id"
)
_TAKE_FROM_POOL = text(
    "INSERT INTO pool_occupancy (booking_item_id, pool_id, quantity, during)"
    " VALUES (:item, :unit, :quantity, tstzrange(:starts_at, :ends_at)) RETURNING pool_id"
)


def _take(session: Session, leaf: Leaf, hold: policy.Hold) -> None:
    """Raise SlotTaken, PoolExhausted or OutOfService, with the name of what is asked for.

    A plain INSERT would wait for every overlapping row in flight and could deadlock; ON CONFLICT DO NOTHING answers.
    """
    values = {"item": leaf.item.id, "unit": leaf.unit, **hold._asdict()}
    try:
        taken = session.execute(_TAKE_FROM_POOL if leaf.resource.kind == "pool" else _TAKE, values).scalar()
    except DBAPIError as refused:
        if (error := refusal_of(refused)) is not None:
            error.facts |= {"name": leaf.resource.name, "resource": leaf.resource.id}
            raise error from refused
        raise
    if taken is None:
        raise SlotTaken(name=leaf.resource.name, resource=leaf.resource.id)


def lengthen(session: Session, booking: Booking, view: BookingView, until: datetime) -> None:
    """What is still out of a booking is taken until a later end, and no further than that when it was late.

    Raises SlotTaken, PoolExhausted or OutOfService.
    """
    ends = queries.held_until(session, booking.id)
    for leaf in _leaves(session, [(booking, items_of(session, booking.id))]):
        if (leaf.item.id, leaf.unit) not in ends:
            continue  # back already
        last, still = ends[leaf.item.id, leaf.unit], _still_out(view, leaf)
        ends_at = policy.held_until(until, leaf.item.buffer_minutes)
        if last < ends_at:
            _take(session, leaf, policy.Hold(last, ends_at, still))
        elif last > ends_at:
            cut = _CUT_POOL if leaf.resource.kind == "pool" else _CUT
            session.execute(cut, {"item": leaf.item.id, "unit": leaf.unit, "ends_at": ends_at})


def keep_late(
    session: Session, booking: Booking, view: BookingView, *, at: datetime, until: datetime, every: timedelta
) -> None:
    """What is out beyond its end keeps its place until an instant, or until the next that is booked or closed.

    ``every`` so often only, since it is done again and again. Who asks for it at the same moment has it.
    """
    ends = queries.held_until(session, booking.id)
    for leaf in _leaves(session, [(booking, items_of(session, booking.id))]):
        last = ends.get((leaf.item.id, leaf.unit))
        if last is None or last > until - every:
            continue
        free_until = _free_until(session, leaf, policy.Hold(last, until, _still_out(view, leaf)))
        if free_until > last:
            _grow(session, leaf, last, free_until)


def _free_until(session: Session, leaf: Leaf, more: policy.Hold) -> datetime:
    if leaf.resource.kind == "pool":
        return queries.pool_free_until(session, leaf.resource.id, leaf.resource.quantity or 0, more)
    return queries.unit_free_until(session, leaf.unit, more.starts_at, more.ends_at)


def _grow(session: Session, leaf: Leaf, last: datetime, until: datetime) -> None:
    values = {"item": leaf.item.id, "unit": leaf.unit, "last": last, "ends_at": until}
    try:
        with session.begin_nested():
            session.execute(_GROW_POOL if leaf.resource.kind == "pool" else _GROW, values)
    except DBAPIError as refused:
        if refusal_of(refused) is None:
            raise


def _still_out(view: BookingView, leaf: Leaf) -> int:
    return next(item.still_out for item in view.items if item.id == leaf.item.id)


_LONGER = "during = tstzrange(lower(during), :ends_at)"
_GROW = text(f"UPDATE occupancy SET {_LONGER} WHERE booking_item_id = :item AND unit_id = :unit"  # noqa: S608
             " AND upper(during) = :last")  # fmt: skip
_GROW_POOL = text(f"UPDATE pool_occupancy SET {_LONGER} WHERE booking_item_id = :item AND pool_id = :unit"  # noqa: S608
                  " AND upper(during) = :last")  # fmt: skip
_CUT = text(f"UPDATE occupancy SET {_LONGER} WHERE booking_item_id = :item AND unit_id = :unit"  # noqa: S608
            " AND during @> CAST(:ends_at AS timestamptz) AND lower(during) < :ends_at")  # fmt: skip
_CUT_POOL = text(f"UPDATE pool_occupancy SET {_LONGER} WHERE booking_item_id = :item AND pool_id = :unit"  # noqa: S608
                 " AND during @> CAST(:ends_at AS timestamptz) AND lower(during) < :ends_at")  # fmt: skip


def free(session: Session, bookings: Collection[int]) -> None:
    """Give back what these bookings occupy; what happened stays in the records."""
    items = select(BookingItem.id).where(BookingItem.booking_id.in_(bookings))
    session.execute(delete(Occupancy).where(Occupancy.booking_item_id.in_(items)))
    session.execute(delete(PoolOccupancy).where(PoolOccupancy.booking_item_id.in_(items)))
