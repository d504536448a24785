"""The verbs of what is due in euros: freeze it with a request, note what is received, given back or kept."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from exchange.db import signed
from exchange.dues import queries
from exchange.dues.models import BookingDue, Receipt, ReceiptEnd
from exchange.dues.queries import ReceiptView
from exchange.errors import EurosMissing, Invalid
from exchange.reciprocity.policy import Due
from ledger.entries import Acting


def freeze(session: Session, booking: int, dues: Iterable[Due]) -> None:
    """Keep what a request asks for in euros, as it is today."""
    session.add_all(BookingDue(booking_id=booking, kind=due.kind, cents=due.cents, first=due.first) for due in dues)
    session.flush()


def check_received(session: Session, booking: int) -> None:
    """Raise EurosMissing when something that the lender wants before a hand-over isn't received."""
    for due in queries.missing(session, [booking]).get(booking, []):
        if due.first:
            raise EurosMissing(kind=due.kind, cents=due.cents)


def receive(
    session: Session, booking: int, *, lender: int, kind: str, means: str, reference: str, cents: int, on: date,
    today: date, by: Acting, at: datetime,
) -> Receipt:  # fmt: skip
    """Note a sum that was received; its number is the next of its lender for the year. Raises Invalid."""
    if on > today:
        raise Invalid(field="received_on", why="to-come")
    last = session.execute(select(func.last_receipt_number(lender, today.year))).scalar_one()
    receipt = Receipt(
        token=secrets.token_urlsafe(16), lender_id=lender, booking_id=booking, year=today.year, number=last + 1,
        kind=kind, means=means, reference=reference, cents=cents, received_on=on, noted_at=at, **signed(by),
    )  # fmt: skip
    session.add(receipt)
    session.flush()
    return receipt


def end(
    session: Session, receipt: ReceiptView, *, outcome: str, cents: int, on: date, today: date, reason: str,
    by: Acting, at: datetime,
) -> None:  # fmt: skip
    """Note that some of it was given back ("returned"), or "kept" for a reason. Raises Invalid, MoreThanReceived."""
    if on > today:
        raise Invalid(field="ended_on", why="to-come")
    if outcome == "kept" and not reason:
        raise Invalid(field="reason", why="missing")
    session.add(ReceiptEnd(receipt_id=receipt.id, outcome=outcome, cents=cents, ended_on=on, reason=reason, noted_at=at,
                           **signed(by)))  # fmt: skip
    session.flush()
