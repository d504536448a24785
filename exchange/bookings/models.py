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
    held_until: Mapped[datetime | None]  # an option that is open; see ``migrations/versions/0026``


class BookingItem(Base):
    """One resource of a booking, with its price and the buffer that was frozen when it was asked for."""

    __tablename__ = "booking_items"
    __table_args__ = (
        UniqueConstraint("booking_id", "resource_id"),
        UniqueConstraint("booking_id", "id", name="booking_items_of_their_booking"),
    )
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


class HandedItem(Base):
    """How many of an item left in fact; see ``migrations/versions/0021`` for this and for what follows."""

    __tablename__ = "handed_items"
    __table_args__ = (
        UniqueConstraint("booking_id", "item_id"),
        ForeignKeyConstraint(["booking_id", "item_id"], ["booking_items.booking_id", "booking_items.id"]),
    )
    item_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    booking_id: Mapped[int] = mapped_column(ForeignKey("hand_overs.booking_id"))
    quantity: Mapped[int] = mapped_column(Integer)
    remarks: Mapped[str] = mapped_column(default="")


class ReturnPart(Base, Signed):
    """What came back at one time."""

    __tablename__ = "return_parts"
    __table_args__ = (UniqueConstraint("booking_id", "id"),)
    id: Mapped[Id]
    booking_id: Mapped[int] = mapped_column(ForeignKey("hand_overs.booking_id"))
    remarks: Mapped[str] = mapped_column(default="")
    noted_at: Mapped[datetime]


class ReturnItem(Base):
    """Of an item, how many came back at one time, how many of them broken, and how many are lost."""

    __tablename__ = "return_items"
    __table_args__ = (
        ForeignKeyConstraint(["booking_id", "part_id"], ["return_parts.booking_id", "return_parts.id"]),
        ForeignKeyConstraint(["booking_id", "item_id"], ["handed_items.booking_id", "handed_items.item_id"]),
    )
    part_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    booking_id: Mapped[int]
    back: Mapped[int] = mapped_column(Integer, default=0)
    broken: Mapped[int] = mapped_column(Integer, default=0)
    lost: Mapped[int] = mapped_column(Integer, default=0)
    remarks: Mapped[str] = mapped_column(default="")


class Return(Base, Signed):
    """The moment a loan ends in fact: all that left is accounted for."""

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


class InventoryPicture(Base, Signed):
    """A picture of an inventory, for the lender's office and the borrower."""

    __tablename__ = "inventory_pictures"
    __table_args__ = (UniqueConstraint("booking_id", "position", name="inventory_pictures_position"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    position: Mapped[int] = mapped_column(Integer)
    moment: Mapped[str]
    words: Mapped[str]
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    large: Mapped[bytes] = mapped_column(deferred=True)
    small: Mapped[bytes] = mapped_column(deferred=True)
    added_at: Mapped[datetime]


class Attendance(Base, Signed):
    """How many people came, beside those who were expected; noted once."""

    __tablename__ = "attendances"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    people: Mapped[int] = mapped_column(Integer)
    noted_at: Mapped[datetime]


class Extension(Base, Signed):
    """More time is asked for a loan that is out."""

    __tablename__ = "extensions"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("hand_overs.booking_id"))
    was_until: Mapped[datetime]
    until: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]


class ExtensionDecision(Base, Signed):
    """Granted, with the minutes that it costs besides, declined; or lapsed, when all came back before."""

    __tablename__ = "extension_decisions"
    extension_id: Mapped[int] = mapped_column(ForeignKey("extensions.id"), primary_key=True)
    verdict: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    minutes: Mapped[int] = mapped_column(default=0)
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("books.holds.id"), unique=True)
    decided_at: Mapped[datetime]


class LoanReminder(Base):
    """A letter was written about a loan that is out, of this end."""

    __tablename__ = "loan_reminders"
    booking_id: Mapped[int] = mapped_column(ForeignKey("hand_overs.booking_id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(primary_key=True)
    written_at: Mapped[datetime]


class Damage(Base, Signed):
    """What a lender proposes for what was broken or lost: minutes, or cents of euros that are paid elsewhere."""

    __tablename__ = "damages"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "account_id"], ["books.accounts.community_id", "books.accounts.id"]),
        ForeignKeyConstraint(
            ["community_id", "lender_account_id"], ["books.accounts.community_id", "books.accounts.id"]
        ),
    )
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("hand_overs.booking_id"))
    words: Mapped[str]
    minutes: Mapped[int | None]
    cents: Mapped[int | None]
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    account_id: Mapped[int | None]
    lender_account_id: Mapped[int | None]
    proposed_at: Mapped[datetime]


class DamageAnswer(Base, Signed):
    """The one answer of who borrowed: accepted, or contested with a reason."""

    __tablename__ = "damage_answers"
    damage_id: Mapped[int] = mapped_column(ForeignKey("damages.id"), primary_key=True)
    answer: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime]


class DamageOutcome(Base, Signed):
    """What a mediator decided of what was contested: maintained, lowered to so much, or dropped."""

    __tablename__ = "damage_outcomes"
    damage_id: Mapped[int] = mapped_column(ForeignKey("damage_answers.damage_id"), primary_key=True)
    outcome: Mapped[str]
    minutes: Mapped[int | None]
    cents: Mapped[int | None]
    text: Mapped[str]
    settled_at: Mapped[datetime]


class DamagePayment(Base, Signed):
    """It is paid: by an entry, or in euros that the office says to have received."""

    __tablename__ = "damage_payments"
    damage_id: Mapped[int] = mapped_column(ForeignKey("damage_answers.damage_id"), primary_key=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("books.entries.id"), unique=True)
    paid_at: Mapped[datetime]


class Option(Base):
    """A booking that began as an option: "taken" by who hesitates, or the "turn" of who waits."""

    __tablename__ = "options"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    kind: Mapped[str]
    until: Mapped[datetime]  # as it was promised
    taken_at: Mapped[datetime]


class OptionCall(Base):
    """Somebody else wants what an option holds: from then on it holds until a nearer day."""

    __tablename__ = "option_calls"
    booking_id: Mapped[int] = mapped_column(ForeignKey("options.booking_id"), primary_key=True)
    until: Mapped[datetime]
    called_at: Mapped[datetime]


class OptionConfirmation(Base, Signed):
    """An option became a request."""

    __tablename__ = "option_confirmations"
    booking_id: Mapped[int] = mapped_column(ForeignKey("options.booking_id"), primary_key=True)
    confirmed_at: Mapped[datetime]


class OptionLetter(Base):
    """A letter was written about an option: it ends "soon", or is "over"."""

    __tablename__ = "option_letters"
    booking_id: Mapped[int] = mapped_column(ForeignKey("options.booking_id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    written_at: Mapped[datetime]


class Wish(Base, Signed):
    """A place on a waiting list: a party would ask for this, if it frees."""

    __tablename__ = "wishes"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    purpose: Mapped[str]
    people: Mapped[int | None] = mapped_column(Integer)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    zone: Mapped[str]
    joined_at: Mapped[datetime]


class WishItem(Base):
    """One resource that is waited for, and how many of it when it is a pool."""

    __tablename__ = "wish_items"
    __table_args__ = (UniqueConstraint("wish_id", "resource_id"),)
    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    quantity: Mapped[int] = mapped_column(Integer, default=1)


class WishTurn(Base):
    """What is held for who waits."""

    __tablename__ = "wish_turns"
    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("options.booking_id"), unique=True)


class WishEnd(Base, Signed):
    """How a place on a waiting list ended: taken, left, declined, expired, refused by a rule, or over."""

    __tablename__ = "wish_ends"
    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"), primary_key=True)
    outcome: Mapped[str]
    finding: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # the rule that refused
    ended_at: Mapped[datetime]
