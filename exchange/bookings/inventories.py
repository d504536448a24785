"""Reads of loans that are out: what left and came back, with keys and pictures; more time; the bookings in danger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from exchange.bookings.models import InventoryPicture
from exchange.bookings.queries import BookingView
from exchange.keys.queries import Given

IN_DANGER = timedelta(days=7)  # that begin so soon, while what they need isn't back


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
    remarks: str
    items: list[Counted]


class Pictured(NamedTuple):
    """A picture of an inventory, without its bytes; ``moment`` is "out" or "back"."""

    token: str
    moment: str
    words: str
    width: int
    height: int


class ExtensionView(NamedTuple):
    """More time that was asked for: ``verdict`` is "granted", "declined", "lapsed", or None while it waits."""

    token: str
    was_until: datetime
    until: datetime
    reason: str
    verdict: str | None
    text: str
    minutes: int


class Inventory(NamedTuple):
    """All that is known of what left and came back, and of the time that was asked for. ``notes`` are by item."""

    notes: dict[int, str]
    parts: list[Part]
    keys: list[Given]
    pictures: list[Pictured]
    extensions: list[ExtensionView]

    @property
    def waiting(self) -> ExtensionView | None:
        """The time that is asked for and waits for an answer."""
        return next((each for each in self.extensions if each.verdict is None), None)

    @property
    def minutes(self) -> int:
        """What was granted costs besides."""
        return sum(each.minutes for each in self.extensions)


NOTHING = Inventory({}, [], [], [], [])

# One question, since a page has few of them. Instants are told as PostgreSQL writes them in JSON: ISO 8601.
_OF = text(
    """
    SELECT
    (SELECT json_agg(json_build_array(h.item_id, h.remarks)) FROM handed_items h
      WHERE h.booking_id = :booking AND h.remarks <> ''),
    (SELECT json_agg(json_build_array(p.noted_at, p.remarks, (
            SELECT coalesce(json_agg(json_build_array(r.item_id, r.back, r.broken, r.lost, r.remarks)
                                     ORDER BY r.item_id), '[]')
              FROM return_items r WHERE r.part_id = p.id)) ORDER BY p.id)
       FROM return_parts p WHERE p.booking_id = :booking),
    (SELECT json_agg(json_build_array(k.token, k.label, r.outcome) ORDER BY lower(k.label), k.id)
       FROM key_loans l JOIN keys k ON k.id = l.key_id LEFT JOIN key_returns r ON r.key_loan_id = l.id
      WHERE l.booking_id = :booking),
    (SELECT json_agg(json_build_array(i.token, i.moment, i.words, i.width, i.height) ORDER BY i.moment DESC, i.position)
       FROM inventory_pictures i WHERE i.booking_id = :booking),
    (SELECT json_agg(json_build_array(e.token, e.was_until, e.until, e.reason, d.verdict, coalesce(d.text, ''),
                                      coalesce(d.minutes, 0)) ORDER BY e.id)
       FROM extensions e LEFT JOIN extension_decisions d ON d.extension_id = e.id WHERE e.booking_id = :booking)
    """
)


def of(session: Session, view: BookingView) -> Inventory:
    """What is known of a booking that left, in one query."""
    notes, parts, keys, pictures, extensions = (
        found or [] for found in session.execute(_OF, {"booking": view.id}).one()
    )
    return Inventory(
        {item: said for item, said in notes},  # noqa: C416 - lists of JSON are not pairs to dict()
        [Part(_instant(at), said, [Counted(*item) for item in items]) for at, said, items in parts],
        [Given(*key) for key in keys], [Pictured(*picture) for picture in pictures],
        [_extension(*each) for each in extensions],
    )  # fmt: skip


def _extension(token: str, was_until: str, until: str, *more: Any) -> ExtensionView:
    return ExtensionView(token, _instant(was_until), _instant(until), *more)


def _instant(said: str) -> datetime:
    return datetime.fromisoformat(said)


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


class Endangered(NamedTuple):
    """A booking that was accepted, while what it needs is out beyond its time: of which loan, by whom."""

    loan: str
    holder: str
    token: str
    name: str
    what: str
    starts_at: datetime
    ends_at: datetime


_ENDANGERED = text(
    """
    WITH late AS (
        SELECT b.id, b.token, b.party_id, h.item_id, i.resource_id,
               h.quantity - coalesce((SELECT sum(r.back + r.broken + r.lost) FROM return_items r
                                       WHERE r.item_id = h.item_id), 0) AS out
          FROM bookings b JOIN handed_items h ON h.booking_id = b.id JOIN booking_items i ON i.id = h.item_id
         WHERE b.lender_id = :lender AND b.ends_at < :at
           AND NOT EXISTS (SELECT FROM returns r WHERE r.booking_id = b.id))
    SELECT DISTINCT ON (b.starts_at, b.id) late.token, holder.name, b.token, p.name, r.name, b.starts_at, b.ends_at
      FROM late JOIN parties holder ON holder.id = late.party_id
      JOIN resource_units mine ON mine.resource_id = late.resource_id
      JOIN resource_units theirs ON theirs.unit_id = mine.unit_id
      JOIN booking_items i ON i.resource_id = theirs.resource_id
      JOIN resources r ON r.id = i.resource_id
      JOIN bookings b ON b.id = i.booking_id AND b.id <> late.id AND b.starts_at < :until AND b.ends_at > :at
      JOIN booking_decisions d ON d.booking_id = b.id AND d.verdict = 'accepted'
      JOIN parties p ON p.id = b.party_id
     WHERE late.out > 0
       AND NOT EXISTS (SELECT FROM hand_overs h WHERE h.booking_id = b.id)
       AND NOT EXISTS (SELECT FROM booking_cancellations c WHERE c.booking_id = b.id)
       AND NOT EXISTS (SELECT FROM no_shows n WHERE n.booking_id = b.id)
       -- of a pool, when too few are left; what is late may be counted there already
       AND (r.kind <> 'pool' OR r.quantity < pool_peak(r.id, tstzrange(b.starts_at, b.ends_at))
            + CASE WHEN EXISTS (SELECT FROM pool_occupancy o WHERE o.booking_item_id = late.item_id
                                   AND o.during && tstzrange(b.starts_at, b.ends_at)) THEN 0 ELSE late.out END)
     ORDER BY b.starts_at, b.id, late.id LIMIT 50
    """
)


def endangered(session: Session, lender: int, *, at: datetime) -> list[Endangered]:
    """The bookings of the days to come whose things are still out beyond their time, the nearest first."""
    rows = session.execute(_ENDANGERED, {"lender": lender, "at": at, "until": at + IN_DANGER})
    return [Endangered(*row) for row in rows]
