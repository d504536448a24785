"""Keys, what they open, and the loans that have them; see ``migrations/versions/0021``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Key(Base, Signed):
    """A key or a badge, by the label that it carries."""

    __tablename__ = "keys"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    label: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))  # it opens all of it
    lost_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    added_at: Mapped[datetime]


class KeyResource(Base):
    """A room that a key opens, when that is not a whole place."""

    __tablename__ = "key_resources"
    key_id: Mapped[int] = mapped_column(ForeignKey("keys.id"), primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), primary_key=True)


class KeyLoan(Base, Signed):
    """A key that was given with a loan."""

    __tablename__ = "key_loans"
    __table_args__ = (UniqueConstraint("id", "key_id", "booking_id"),)
    id: Mapped[Id]
    key_id: Mapped[int] = mapped_column(ForeignKey("keys.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("hand_overs.booking_id"))
    given_at: Mapped[datetime]


class KeyReturn(Base, Signed):
    """It came back, or is lost."""

    __tablename__ = "key_returns"
    key_loan_id: Mapped[int] = mapped_column(ForeignKey("key_loans.id"), primary_key=True)
    outcome: Mapped[str]
    noted_at: Mapped[datetime]


class KeyOut(Base):
    """A key that is out now: written and taken away by the database itself, which refuses it twice."""

    __tablename__ = "keys_out"
    __table_args__ = (
        ForeignKeyConstraint(
            ["key_loan_id", "key_id", "booking_id"], ["key_loans.id", "key_loans.key_id", "key_loans.booking_id"]
        ),
    )
    key_id: Mapped[int] = mapped_column(ForeignKey("keys.id"), primary_key=True)
    key_loan_id: Mapped[int] = mapped_column(unique=True)
    booking_id: Mapped[int]
