"""Closures, and what they close now or later; see ``migrations/versions/0013``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Closure(Base, Signed):
    """A resource is not lent during a span, or until further notice; of a pool, so many of its things."""

    __tablename__ = "closures"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    kind: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int | None] = mapped_column(Integer)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    closed_at: Mapped[datetime]


class ClosureEnd(Base, Signed):
    """It is lent again before the end that was planned."""

    __tablename__ = "closure_ends"
    closure_id: Mapped[int] = mapped_column(ForeignKey("closures.id"), primary_key=True)
    ended_at: Mapped[datetime]


class ClosedUnit(Base):
    """One leaf unit closed for a span, booked or not: the database refuses to book it from then on."""

    __tablename__ = "closed_units"
    closure_id: Mapped[int] = mapped_column(ForeignKey("closures.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), primary_key=True)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class ClosedThings(Base):
    """Some of a pool's like things out of service for a span: ``pool_peak`` counts them as taken."""

    __tablename__ = "closed_things"
    closure_id: Mapped[int] = mapped_column(ForeignKey("closures.id"), primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    quantity: Mapped[int] = mapped_column(Integer)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
