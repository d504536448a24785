"""Places and resources; see ``migrations/versions/0004``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Computed, Float, ForeignKey, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Place(Base):
    """A building or a site, with the safety category that bounds the people in all of it."""

    __tablename__ = "places"
    __table_args__ = (UniqueConstraint("lender_id", "source", "source_ref"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    town: Mapped[str] = mapped_column(default="")
    erp_type: Mapped[str] = mapped_column(default="")
    erp_category: Mapped[str] = mapped_column(default="")
    legal_min: Mapped[int | None] = mapped_column(Integer)
    legal_max: Mapped[int | None] = mapped_column(Integer)
    access: Mapped[str] = mapped_column(default="unknown")
    access_note: Mapped[str] = mapped_column(default="")
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    source: Mapped[str | None]
    source_ref: Mapped[str | None]
    created_at: Mapped[datetime]


class Resource(Base):
    """What can be booked: a room, a thing, or a pool of like things."""

    __tablename__ = "resources"
    __table_args__ = (UniqueConstraint("lender_id", "source", "source_ref"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    kind: Mapped[str]
    name: Mapped[str]
    sort_name: Mapped[str] = mapped_column(Text, Computed("sort_key(name)", persisted=True))
    category: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    conditions: Mapped[str] = mapped_column(default="")
    capacity: Mapped[int | None] = mapped_column(Integer)  # people
    quantity: Mapped[int | None] = mapped_column(Integer)  # like things in a pool
    opening_hours: Mapped[str] = mapped_column(default="")  # OpenStreetMap syntax; empty is always
    buffer_minutes: Mapped[int] = mapped_column(Integer, default=0)
    inventory_number: Mapped[str] = mapped_column(default="")
    notice_hours: Mapped[int] = mapped_column(Integer, default=0)
    ahead_days: Mapped[int | None] = mapped_column(Integer)
    least_minutes: Mapped[int | None] = mapped_column(Integer)
    most_minutes: Mapped[int | None] = mapped_column(Integer)
    lent_from: Mapped[date | None]
    lent_until: Mapped[date | None]
    slots: Mapped[str] = mapped_column(default="")  # in which it is lent, whole; empty is at any hour
    value_cents: Mapped[int | None]  # in euros, for the office
    photo_address: Mapped[str] = mapped_column(default="")  # of a photograph to add: nothing is fetched from there
    decided_by: Mapped[str] = mapped_column(default="officer")
    reserved: Mapped[bool] = mapped_column(default=False)  # to parties that are authorised
    option_days: Mapped[int | None] = mapped_column(Integer)  # an option holds so long; none is taken of others
    option_call_days: Mapped[int] = mapped_column(Integer, default=2)  # and so long once somebody else wants it
    turn_hours: Mapped[int] = mapped_column(Integer, default=48)  # what frees is held so long for who waits
    source: Mapped[str | None]
    source_ref: Mapped[str | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class ResourceUnit(Base):
    """A leaf that a resource occupies when it is taken: itself, or one of its parts."""

    __tablename__ = "resource_units"
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), primary_key=True)


class ResourceAct(Base, Signed):
    """Who added, edited, published, withdrew, retired or restored a resource, and when."""

    __tablename__ = "resource_acts"
    id: Mapped[Id]
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    act: Mapped[str]
    acted_at: Mapped[datetime]
