"""What leaves with a loan and what becomes of it, item by item: written under the lock of the booking's row.

What stays or comes back is free at once; what is broken or lost leaves the stock, until its closure is lifted.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from exchange.bookings import policy
from exchange.bookings.models import (
    Extension,
    ExtensionDecision,
    HandedItem,
    InventoryPicture,
    Occupancy,
    PoolOccupancy,
    ReturnItem,
    ReturnPart,
)
from exchange.bookings.policy import Back, Handed
from exchange.bookings.queries import BookingView, ItemView
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations as closures
from exchange.db import signed
from exchange.errors import NotFound, PicturesFull
from exchange.pictures.operations import Drawn
from ledger.entries import Acting

MOST_PICTURES = 12
LEAVES_THE_STOCK = {"broken": "repair", "lost": "lost"}  # what becomes of a thing -> why it is closed


def write_out(session: Session, view: BookingView, handed: Mapping[int, Handed]) -> None:
    """Write what leaves, by resource; what isn't named leaves as booked. Raises MoreThanBooked, NothingLeaves."""
    leaving = policy.leaving({item.resource_id: item.quantity for item in view.items}, handed)
    for item in view.items:
        said = leaving[item.resource_id]
        session.add(HandedItem(item_id=item.id, booking_id=view.id, quantity=said.quantity, remarks=said.remarks))
        if said.quantity < item.quantity:
            _keep(session, item.id, said.quantity)
    session.flush()


def write_back(
    session: Session, view: BookingView, said: Mapping[int, Back] | None, *, remarks: str, by: Acting, at: datetime
) -> bool:
    """Write what comes back, by resource; None: all that is out. Return whether nothing of it is out any more.

    Raises MoreThanOut (facts: field, left), NothingBack.
    """
    out = {item.resource_id: item.still_out for item in view.items}
    came = policy.coming_back(out, said)
    part = ReturnPart(booking_id=view.id, remarks=remarks, noted_at=at, **signed(by))
    session.add(part)
    session.flush()
    for item in view.items:
        if item.resource_id in came:
            _write_item(session, part, item, came[item.resource_id])
    _close_what_is_broken(session, view, came, by=by, at=at)
    return all(left == (came[id_].counted if id_ in came else 0) for id_, left in out.items())


def _write_item(session: Session, part: ReturnPart, item: ItemView, said: Back) -> None:
    session.add(ReturnItem(part_id=part.id, item_id=item.id, booking_id=part.booking_id, **said._asdict()))
    session.flush()
    _keep(session, item.id, item.still_out - said.counted)


def _keep(session: Session, item: int, quantity: int) -> None:
    """Only so many of an item are taken from now on."""
    if quantity == 0:
        session.execute(delete(Occupancy).where(Occupancy.booking_item_id == item))
        session.execute(delete(PoolOccupancy).where(PoolOccupancy.booking_item_id == item))
        return
    lower = update(PoolOccupancy).where(PoolOccupancy.booking_item_id == item, PoolOccupancy.quantity > quantity)
    session.execute(lower.values(quantity=quantity))


def _close_what_is_broken(
    session: Session, view: BookingView, came: Mapping[int, Back], *, by: Acting, at: datetime
) -> None:
    """In the order in which bookings lock: things first, then pools, each in the order of their ids."""
    resources = catalogue.views(session, came)
    for it in sorted(resources.values(), key=lambda it: (it.kind == "pool", it.id)):
        for what, kind in LEAVES_THE_STOCK.items():
            if quantity := getattr(came[it.id], what):
                _close(session, it, kind, quantity, by=by, at=at)


def _close(session: Session, it: ResourceView, kind: str, quantity: int, *, by: Acting, at: datetime) -> None:
    many = min(quantity, it.quantity) if it.quantity else None  # its lender may own fewer by now
    closures.close(session, it, kind=kind, reason="", starts_at=at, ends_at=None, quantity=many, by=by, at=at)


def undecided(session: Session, booking: int) -> list[Extension]:
    """The time that is asked for a loan and waits for an answer: one at most, by the database's word."""
    decided = select(ExtensionDecision.extension_id)
    asked = select(Extension).where(Extension.booking_id == booking, Extension.id.not_in(decided))
    return list(session.scalars(asked.order_by(Extension.id)))


def decide_extension(
    session: Session, asked: Extension, verdict: str, *, by: Acting, at: datetime, text: str = "", minutes: int = 0,
    hold: int | None = None,
) -> None:  # fmt: skip
    """Write the one answer to time that was asked for: granted, declined; or lapsed, when all came back before."""
    session.add(ExtensionDecision(extension_id=asked.id, verdict=verdict, text=text, minutes=minutes, hold_id=hold,
                                  decided_at=at, **signed(by)))  # fmt: skip
    session.flush()


def add_picture(
    session: Session, booking: int, picture: Drawn, *, moment: str, words: str, by: Acting, at: datetime
) -> InventoryPicture:
    """Add a picture to an inventory, in the first place that is free, under the booking's lock. Raises PicturesFull."""
    taken = set(session.scalars(select(InventoryPicture.position).where(InventoryPicture.booking_id == booking)))
    free = next((position for position in range(1, MOST_PICTURES + 1) if position not in taken), None)
    if free is None:
        raise PicturesFull(most=MOST_PICTURES)
    kept = {name: value for name, value in picture._asdict().items() if name != "miniature"}
    added = InventoryPicture(
        token=secrets.token_urlsafe(16), booking_id=booking, position=free, moment=moment, words=words, added_at=at,
        **kept, **signed(by),
    )  # fmt: skip
    session.add(added)
    session.flush()
    return added


def remove_picture(session: Session, token: str, *, booking: int) -> None:
    """Take a picture away, for good: it may show somebody who asks for it. Raises NotFound."""
    found = session.scalar(
        select(InventoryPicture).where(InventoryPicture.token == token, InventoryPicture.booking_id == booking)
    )
    if found is None:
        raise NotFound
    session.delete(found)
    session.flush()
