"""What is due for a loan, receipts, and what became of them; see ``migrations/versions/0024``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class BookingDue(Base):
    """A deposit or a fee in euro cents, as it was when the loan was asked for."""

    __tablename__ = "booking_dues"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    cents: Mapped[int]
    first: Mapped[bool]


class Receipt(Base, Signed):
    """A sum that the office received, numbered by lender and year without a gap."""

    __tablename__ = "euro_receipts"
    __table_args__ = (
        UniqueConstraint("lender_id", "year", "number", name="euro_receipts_numbered_once"),
        Index("euro_receipts_booking_id_idx", "booking_id"),
    )
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    year: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    means: Mapped[str]
    reference: Mapped[str] = mapped_column(default="")
    cents: Mapped[int]
    received_on: Mapped[date]
    noted_at: Mapped[datetime]


class ReceiptEnd(Base, Signed):
    """Some of it was given back, or kept for a reason."""

    __tablename__ = "euro_receipt_ends"
    __table_args__ = (Index("euro_receipt_ends_receipt_id_idx", "receipt_id"),)
    id: Mapped[Id]
    receipt_id: Mapped[int] = mapped_column(ForeignKey("euro_receipts.id"))
    outcome: Mapped[str]
    cents: Mapped[int]
    ended_on: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    noted_at: Mapped[datetime]
