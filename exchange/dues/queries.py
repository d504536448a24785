"""Reads of what is due, received and given back. Who may read it is said by the pages, through its loan.

What was received for a loan counts for what the loan was changed into, or moved to.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, select, text
from sqlalchemy.orm import Session

from exchange.dues import policy
from exchange.dues.models import Receipt, ReceiptEnd
from exchange.dues.policy import Due

_CHAIN = """
    WITH RECURSIVE chain (booking, before) AS (
        SELECT id, id FROM bookings WHERE id = ANY (:bookings)
        UNION SELECT chain.booking, coalesce(b.changes_id, b.replaces_id)
          FROM chain JOIN bookings b ON b.id = chain.before
         WHERE coalesce(b.changes_id, b.replaces_id) IS NOT NULL
    )"""
_MISSING = text(
    f"""
    {_CHAIN}
    SELECT d.booking_id, d.kind, d.cents - coalesce(sum(r.cents - coalesce((
           SELECT sum(e.cents) FROM euro_receipt_ends e WHERE e.receipt_id = r.id AND e.outcome = 'returned'), 0)), 0)
           AS lacking, d.first
      FROM booking_dues d JOIN chain ON chain.booking = d.booking_id
      LEFT JOIN euro_receipts r ON r.booking_id = chain.before AND r.kind = d.kind
     GROUP BY d.booking_id, d.kind, d.cents, d.first ORDER BY d.booking_id, d.kind
    """  # noqa: S608 - a constant
)
_OF_A_LOAN = text(f"{_CHAIN} SELECT before FROM chain").columns(before=BigInteger)  # noqa: S608 - a constant


def missing(session: Session, bookings: Collection[int]) -> dict[int, list[Due]]:
    """What is still to be received for each of these loans, those that lack something, in one query.

    What was given back is missing again; what was kept was received.
    """
    found: dict[int, list[Due]] = {}
    for booking, kind, lacking, first in session.execute(_MISSING, {"bookings": list(bookings)}) if bookings else ():
        if lacking > 0:
            found.setdefault(booking, []).append(Due(kind, int(lacking), first))
    return found


class EndView(NamedTuple):
    """What was given back or kept of a receipt."""

    outcome: str
    cents: int
    ended_on: date
    reason: str
    by_sign_in: int | None


class ReceiptView(NamedTuple):
    """A sum that was received, with what became of it."""

    id: int
    token: str
    lender_id: int
    booking_id: int
    year: int
    number: int
    kind: str
    means: str
    reference: str
    cents: int
    received_on: date
    by_sign_in: int | None
    noted_at: datetime
    ends: tuple[EndView, ...] = ()

    @property
    def called(self) -> str:
        """Its number as people write it."""
        return policy.called(self.year, self.number)

    @property
    def left(self) -> int:
        """What the lender still holds, and hasn't said that it keeps."""
        return self.cents - sum(end.cents for end in self.ends)


def _views(session: Session, condition: ColumnElement[bool]) -> list[ReceiptView]:
    """Receipts with what became of them, in two queries however many they are."""
    rows = session.execute(
        select(Receipt.id, Receipt.token, Receipt.lender_id, Receipt.booking_id, Receipt.year, Receipt.number,
               Receipt.kind, Receipt.means, Receipt.reference, Receipt.cents, Receipt.received_on, Receipt.by_sign_in,
               Receipt.noted_at)
        .where(condition).order_by(Receipt.id)
    ).all()  # fmt: skip
    ends: dict[int, list[EndView]] = {row[0]: [] for row in rows}
    wanted = select(ReceiptEnd.receipt_id, ReceiptEnd.outcome, ReceiptEnd.cents, ReceiptEnd.ended_on, ReceiptEnd.reason,
                    ReceiptEnd.by_sign_in).where(ReceiptEnd.receipt_id.in_(ends)).order_by(ReceiptEnd.id)  # fmt: skip
    for row in session.execute(wanted) if rows else ():
        ends[row[0]].append(EndView(*row[1:]))
    return [ReceiptView._make((*row, tuple(ends[row[0]]))) for row in rows]


def receipts(session: Session, booking: int) -> list[ReceiptView]:
    """What was received for a loan, or for what it was before it was changed."""
    return _views(session, Receipt.booking_id.in_(_OF_A_LOAN.bindparams(bookings=[booking])))


def receipt(session: Session, token: str) -> ReceiptView | None:
    """One receipt; its reader is checked through its loan."""
    return next(iter(_views(session, Receipt.token == token)), None)
