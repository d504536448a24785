"""Circuits, their steps, who speaks there, and what they said; see ``migrations/versions/0025``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Circuit(Base, Signed):
    """A way to decide of a lender, written once."""

    __tablename__ = "circuits"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    name: Mapped[str]
    written_at: Mapped[datetime]


Index("circuits_named_once", Circuit.lender_id, func.lower(Circuit.name), unique=True)


class Step(Base):
    """One of its steps; the last one decides, those before give an opinion."""

    __tablename__ = "circuit_steps"
    __table_args__ = (UniqueConstraint("circuit_id", "position", name="circuit_steps_in_order"),)
    id: Mapped[Id]
    circuit_id: Mapped[int] = mapped_column(ForeignKey("circuits.id"))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]


class Speaker(Base, Signed):
    """Somebody speaks at a step from now on, or doesn't any more; the last row counts."""

    __tablename__ = "circuit_speakers"
    id: Mapped[Id]
    step_id: Mapped[int] = mapped_column(ForeignKey("circuit_steps.id"))
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"))
    speaks: Mapped[bool]
    written_at: Mapped[datetime]


Index("circuit_speakers_step_id_idx", Speaker.step_id, Speaker.sign_in_id, Speaker.id.desc())


class CircuitResource(Base, Signed):
    """A circuit decides on a resource from now on, or none does any more; the last row counts."""

    __tablename__ = "circuit_resources"
    id: Mapped[Id]
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    circuit_id: Mapped[int | None] = mapped_column(ForeignKey("circuits.id"))
    written_at: Mapped[datetime]


Index("circuit_resources_resource_id_idx", CircuitResource.resource_id, CircuitResource.id.desc())


class BookingCircuit(Base):
    """The circuit that a request met when it was asked."""

    __tablename__ = "booking_circuits"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    circuit_id: Mapped[int] = mapped_column(ForeignKey("circuits.id"))


class Opinion(Base, Signed):
    """What a step says of a request, before the last one decides."""

    __tablename__ = "booking_opinions"
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking_circuits.booking_id"), primary_key=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("circuit_steps.id"), primary_key=True)
    favourable: Mapped[bool]
    text: Mapped[str] = mapped_column(default="")
    given_at: Mapped[datetime]
