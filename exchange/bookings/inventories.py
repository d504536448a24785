"""Reads of inventories: what left with a loan, what came back and in which state, with its keys and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.bookings.models import HandedItem, InventoryPicture, ReturnItem, ReturnPart
from exchange.bookings.queries import BookingView
from exchange.keys import queries as keys
from exchange.keys.queries import Given


class Counted(NamedTuple):
    """What is said of an item at one return."""

    item_id: int
    back: int
    broken: int
    lost: int
    remarks: str


class Part(NamedTuple):
    """What came back at one time."""

    noted_at: datetime
    by_sign_in: int | None
    remarks: str
    items: list[Counted]


class Pictured(NamedTuple):
    """A picture of an inventory, without its bytes; ``moment`` is "out" or "back"."""

    token: str
    moment: str
    words: str
    width: int
    height: int


class Inventory(NamedTuple):
    """All that is known of what left and came back. ``notes`` are the remarks at the hand-over, by item."""

    notes: dict[int, str]
    parts: list[Part]
    keys: Sequence[Given]
    pictures: list[Pictured]


NOTHING = Inventory({}, [], (), [])


def of(session: Session, view: BookingView) -> Inventory:
    """The inventory of a booking, in four queries."""
    notes = session.execute(
        select(HandedItem.item_id, HandedItem.remarks).where(HandedItem.booking_id == view.id, HandedItem.remarks != "")
    )
    known = {row[0]: row[1] for row in notes}
    return Inventory(known, _parts(session, view.id), held_keys(session, view), pictures(session, view.id))


def held_keys(session: Session, view: BookingView) -> Sequence[Given]:
    """The keys that a loan had or has."""
    return keys.of_bookings(session, [view.id]).get(view.id, ())


def _parts(session: Session, booking: int) -> list[Part]:
    rows = session.execute(
        select(ReturnPart, ReturnItem)
        .outerjoin(ReturnItem, ReturnItem.part_id == ReturnPart.id)
        .where(ReturnPart.booking_id == booking)
        .order_by(ReturnPart.id, ReturnItem.item_id)
    )
    found: dict[int, Part] = {}
    for part, item in rows:
        told = found.setdefault(part.id, Part(part.noted_at, part.by_sign_in, part.remarks, []))
        if item is not None:
            told.items.append(Counted(item.item_id, item.back, item.broken, item.lost, item.remarks))
    return list(found.values())


def pictures(session: Session, booking: int) -> list[Pictured]:
    """The pictures of an inventory, those of the hand-over first."""
    rows = session.execute(
        select(InventoryPicture.token, InventoryPicture.moment, InventoryPicture.words, InventoryPicture.width,
               InventoryPicture.height)
        .where(InventoryPicture.booking_id == booking)
        .order_by(InventoryPicture.moment.desc(), InventoryPicture.position)
    )  # fmt: skip
    return [Pictured(*row) for row in rows]


SCALES = {"grande": InventoryPicture.large, "petite": InventoryPicture.small}


def picture(session: Session, token: str, scale: str) -> tuple[int, bytes] | None:
    """The booking of a picture and its bytes (JPEG) in one size; None for a size that there isn't."""
    if scale not in SCALES:
        return None
    row = session.execute(
        select(InventoryPicture.booking_id, SCALES[scale]).where(InventoryPicture.token == token)
    ).one_or_none()
    return (row[0], row[1]) if row else None
