"""Bookings, what they occupy, and the records of what became of them; see ``migrations/versions/0004``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Series(Base, Signed):
    """What a party asks a lender for on many days at once; each day is a booking. See ``migrations/versions/0017``."""

    __tablename__ = "booking_series"
    __table_args__ = (UniqueConstraint("id", "lender_id", "party_id"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    rhythm: Mapped[dict[str, Any]] = mapped_column(JSONB)
    asked_at: Mapped[datetime]


class Booking(Base, Signed):
    """A party asks a lender for one or several resources, for a span of time, all or nothing."""

    __tablename__ = "bookings"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "account_id"], ["books.accounts.community_id", "books.accounts.id"]),
        ForeignKeyConstraint(
            ["community_id", "lender_account_id"], ["books.accounts.community_id", "books.accounts.id"]
        ),
        ForeignKeyConstraint(
            ["series_id", "lender_id", "party_id"],
            ["booking_series.id", "booking_series.lender_id", "booking_series.party_id"],
            name="bookings_of_their_series",
        ),
        Index("bookings_by_series", "series_id", "id", postgresql_where=text("series_id IS NOT NULL")),
    )
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    account_id: Mapped[int | None]
    lender_account_id: Mapped[int | None]
    purpose: Mapped[str]
    people: Mapped[int | None] = mapped_column(Integer)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    zone: Mapped[str]
    minutes: Mapped[int]
    explanation: Mapped[dict[str, Any]] = mapped_column(JSONB)
    asked_at: Mapped[datetime]
    answer_before: Mapped[datetime]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("bookings.id"))  # offered by the lender in its place
    word: Mapped[str] = mapped_column(default="")  # what the lender says with it
    changes_id: Mapped[int | None] = mapped_column(ForeignKey("bookings.id"))  # asked by its borrower in its place
    series_id: Mapped[int | None]


class BookingItem(Base):
    """One resource of a booking, with its price and the buffer that was frozen when it was asked for."""

    __tablename__ = "booking_items"
    __table_args__ = (UniqueConstraint("booking_id", "resource_id"),)
    id: Mapped[Id]
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    quantity: Mapped[int] = mapped_column(Integer, default=1)
    minutes: Mapped[int] = mapped_column(default=0)
    buffer_minutes: Mapped[int] = mapped_column(Integer, default=0)


class Occupancy(Base):
    """One leaf unit held for a span: the database refuses two that overlap."""

    __tablename__ = "occupancy"
    booking_item_id: Mapped[int] = mapped_column(ForeignKey("booking_items.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), primary_key=True)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE, primary_key=True)


class PoolOccupancy(Base):
    """Some of a pool's like things held for a span: a trigger refuses more than there are."""

    __tablename__ = "pool_occupancy"
    booking_item_id: Mapped[int] = mapped_column(ForeignKey("booking_items.id"), primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    quantity: Mapped[int] = mapped_column(Integer)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE, primary_key=True)


class BookingDecision(Base, Signed):
    """The one answer to a request: accepted (with its hold when it has a price), declined on a ground, or expired."""

    __tablename__ = "booking_decisions"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    verdict: Mapped[str]
    ground: Mapped[str | None]
    text: Mapped[str] = mapped_column(default="")
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("books.holds.id"), unique=True)
    decided_at: Mapped[datetime]


class BookingCancellation(Base, Signed):
    """Who had it doesn't need it any more, in time (its minutes are given back) or not; or its lender takes it back,
    on a ground; or it was moved by its lender, or changed by who had it.
    """

    __tablename__ = "booking_cancellations"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    in_time: Mapped[bool]
    reason: Mapped[str] = mapped_column(default="")
    ground: Mapped[str | None]
    cancelled_at: Mapped[datetime]


class HandOver(Base, Signed):
    """The moment a loan starts in fact."""

    __tablename__ = "hand_overs"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    remarks: Mapped[str] = mapped_column(default="")
    handed_over_at: Mapped[datetime]


class Return(Base, Signed):
    """The moment a loan ends in fact."""

    __tablename__ = "returns"
    booking_id: Mapped[int] = mapped_column(ForeignKey("hand_overs.booking_id"), primary_key=True)
    remarks: Mapped[str] = mapped_column(default="")
    returned_at: Mapped[datetime]


class NoShow(Base, Signed):
    """Nobody came for the things: noted by the office on the day, or by the worker once the end has passed."""

    __tablename__ = "no_shows"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    remarks: Mapped[str] = mapped_column(default="")
    noted_at: Mapped[datetime]
