"""Reads of keys: the register of a lender, and what a loan has."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from exchange.keys.models import Key, KeyLoan, KeyOut, KeyResource, KeyReturn


class KeyView(NamedTuple):
    """A key of the register; ``opens`` are the rooms that it opens, ``booking`` the loan that has it."""

    id: int
    token: str
    label: str
    note: str
    place_id: int | None
    lost_at: datetime | None
    booking: int | None
    opens: frozenset[int]

    def opens_any(self, resources: Collection[int], places: Collection[int | None]) -> bool:
        """Whether it opens one of these rooms, or a place where they are."""
        return bool(self.opens & set(resources)) or (self.place_id is not None and self.place_id in places)


class Given(NamedTuple):
    """A key that a loan had, and what became of it: "back", "lost", or None while it is out."""

    token: str
    label: str
    outcome: str | None


_OPENS = (
    select(func.array_agg(KeyResource.resource_id)).where(KeyResource.key_id == Key.id).scalar_subquery()
)
_KEYS: Select[*tuple[Any, ...]] = select(
    Key.id, Key.token, Key.label, Key.note, Key.place_id, Key.lost_at, KeyOut.booking_id, _OPENS
).outerjoin(KeyOut, KeyOut.key_id == Key.id)


def _views(session: Session, query: Select[*tuple[Any, ...]]) -> list[KeyView]:
    return [KeyView(*row)._replace(opens=frozenset(row[-1] or ())) for row in session.execute(query)]


def of_lender(session: Session, lender: int, *, size: int = 500) -> list[KeyView]:
    """The register of a lender, by label."""
    query = _KEYS.where(Key.lender_id == lender, Key.retired_at.is_(None)).order_by(func.lower(Key.label), Key.id)
    return _views(session, query.limit(size))


def mine(session: Session, token: str, lender: int) -> KeyView | None:
    """The key of this random identifier, if it is in this lender's register."""
    query = _KEYS.where(Key.token == token, Key.lender_id == lender, Key.retired_at.is_(None))
    return next(iter(_views(session, query)), None)


def of_bookings(session: Session, bookings: Collection[int]) -> dict[int, list[Given]]:
    """The keys that these loans had or have, by label."""
    rows = session.execute(
        select(KeyLoan.booking_id, Key.token, Key.label, KeyReturn.outcome)
        .join(Key, Key.id == KeyLoan.key_id)
        .outerjoin(KeyReturn, KeyReturn.key_loan_id == KeyLoan.id)
        .where(KeyLoan.booking_id.in_(bookings))
        .order_by(func.lower(Key.label), Key.id)
    )
    found: dict[int, list[Given]] = {}
    for booking, *given in rows:
        found.setdefault(booking, []).append(Given(*given))
    return found


class OutTo(NamedTuple):
    """Who has a key: the loan's random identifier, its borrower's name, and until when."""

    booking: str
    name: str
    ends_at: datetime


_OUT_TO = text(
    "SELECT o.key_id, b.token, p.name, b.ends_at FROM keys_out o JOIN bookings b ON b.id = o.booking_id"
    " JOIN parties p ON p.id = b.party_id WHERE o.key_id = ANY (:keys)"
)


def out_to(session: Session, found: Collection[KeyView]) -> dict[int, OutTo]:
    """Who has those of these keys that are out."""
    held = [key.id for key in found if key.booking is not None]
    rows = session.execute(_OUT_TO, {"keys": held}) if held else ()
    return {row[0]: OutTo(*row[1:]) for row in rows}
