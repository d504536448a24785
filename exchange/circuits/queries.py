"""Reads of circuits: what they are made of, and where each request is on its way."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, func, literal, select, text
from sqlalchemy.orm import Session

from exchange.circuits.models import BookingCircuit, Circuit, CircuitResource, Opinion, Speaker, Step


class StepView(NamedTuple):
    """A step of a circuit, and the sign-ins who are named for it, in office or not."""

    id: int
    position: int
    name: str
    speakers: frozenset[int]


class CircuitView(NamedTuple):
    """A lender's way to decide, with its steps in order and the resources that it decides on."""

    id: int
    token: str
    name: str
    by_sign_in: int | None
    written_at: datetime
    steps: tuple[StepView, ...]
    resources: frozenset[int]


class Turn(NamedTuple):
    """Where a request is on its way: the step that speaks now, and whether the one who reads is one of them."""

    booking_id: int
    step_id: int
    step: str
    last: bool
    mine: bool


class Said(NamedTuple):
    """What a step said, or that it hasn't yet."""

    step: str
    favourable: bool | None
    text: str
    by_sign_in: int | None
    given_at: datetime | None


def of_lender(session: Session, lender: int) -> list[CircuitView]:
    """The circuits of a lender, the last written first."""
    rows = session.execute(
        select(Circuit.id, Circuit.token, Circuit.name, Circuit.by_sign_in, Circuit.written_at)
        .where(Circuit.lender_id == lender)
        .order_by(Circuit.id.desc())
    ).all()
    steps, speakers = _steps(session, [row[0] for row in rows]), _speakers(session, lender)
    decided = by_resource(session, lender)
    return [
        CircuitView(
            *row, tuple(StepView(*step, speakers.get(step[0], frozenset())) for step in steps.get(row[0], [])),
            frozenset(resource for resource, circuit in decided.items() if circuit == row[0]),
        )
        for row in rows
    ]  # fmt: skip


def of_token(session: Session, lender: int, token: str) -> CircuitView | None:
    """One circuit of a lender."""
    return next((each for each in of_lender(session, lender) if each.token == token), None)


def _steps(session: Session, circuits: Collection[int]) -> dict[int, list[tuple[int, int, str]]]:
    found: dict[int, list[tuple[int, int, str]]] = {}
    rows = session.execute(
        select(Step.circuit_id, Step.id, Step.position, Step.name)
        .where(Step.circuit_id.in_(circuits))
        .order_by(Step.circuit_id, Step.position)
    )
    for circuit, step, position, name in rows:
        found.setdefault(circuit, []).append((step, position, name))
    return found


def _speakers(session: Session, lender: int) -> dict[int, frozenset[int]]:
    last = select(func.max(Speaker.id)).group_by(Speaker.step_id, Speaker.sign_in_id)
    rows = session.execute(
        select(Speaker.step_id, Speaker.sign_in_id)
        .join(Step, Step.id == Speaker.step_id)
        .join(Circuit, Circuit.id == Step.circuit_id)
        .where(Circuit.lender_id == lender, Speaker.speaks, Speaker.id.in_(last))
    )
    found: dict[int, set[int]] = {}
    for step, sign_in in rows:
        found.setdefault(step, set()).add(sign_in)
    return {step: frozenset(each) for step, each in found.items()}


def by_resource(session: Session, lender: int) -> dict[int, int]:
    """The circuit that decides on each resource of a lender, where one does: resource id -> circuit id."""
    return _last(session, Circuit.lender_id == lender)


def binding(session: Session, resources: Collection[int]) -> int | None:
    """The circuit of what is asked for together: the one with most steps, and of two alike the oldest."""
    found = set(_last(session, CircuitResource.resource_id.in_(resources)).values())
    if not found:
        return None
    steps = _steps(session, found)
    return min(found, key=lambda circuit: (-len(steps[circuit]), circuit))


def _last(session: Session, of: Any) -> dict[int, int]:
    last = select(func.max(CircuitResource.id)).group_by(CircuitResource.resource_id)
    rows = session.execute(
        select(CircuitResource.resource_id, CircuitResource.circuit_id)
        .join(Circuit, Circuit.id == CircuitResource.circuit_id)
        .where(of, CircuitResource.id.in_(last))
    )
    return {resource: circuit for resource, circuit in rows if circuit is not None}


_TURNS = text(
    """
    SELECT b.booking_id, s.id, s.name,
           NOT EXISTS (SELECT FROM circuit_steps l WHERE l.circuit_id = s.circuit_id AND l.position > s.position),
           :sign_in IN (SELECT speakers(s.id, :on))
      FROM booking_circuits b JOIN circuit_steps s ON s.id = step_of(b.booking_id)
     WHERE b.booking_id = ANY (:bookings)
    """
)


def turns(session: Session, bookings: Iterable[int], *, sign_in: int | None, on: date) -> dict[int, Turn]:
    """Where these requests are on their way, by booking id; none for what no circuit decides on."""
    wanted = {"bookings": list(bookings), "sign_in": sign_in, "on": on}
    rows = session.execute(_TURNS, wanted) if wanted["bookings"] else ()
    return {row[0]: Turn(*row) for row in rows}


def speakers_of(session: Session, step: int, *, on: date) -> set[int]:
    """The sign-ins who may speak at a step on a day."""
    return set(session.scalars(text("SELECT speakers(:step, :on)"), {"step": step, "on": on}))


def said_of(session: Session, booking: int) -> list[Said]:
    """What each step of its circuit said of a request, in order; the last says nothing here: it decides."""
    rows = session.execute(
        select(Step.name, Opinion.favourable, Opinion.text, Opinion.by_sign_in, Opinion.given_at)
        .join(BookingCircuit, BookingCircuit.circuit_id == Step.circuit_id)
        .outerjoin(Opinion, (Opinion.step_id == Step.id) & (Opinion.booking_id == BookingCircuit.booking_id))
        .where(BookingCircuit.booking_id == booking)
        .order_by(Step.position)
    )
    return [Said(row[0], row[1], row[2] or "", row[3], row[4]) for row in rows]


def way(session: Session, booking: int, *, sign_in: int | None, on: date) -> tuple[Turn | None, list[Said]]:
    """The same with whose turn it is, in one query; nobody's once every step has spoken."""
    speaks = literal(sign_in, BigInteger).in_(select(func.speakers(Step.id, on)))
    rows = session.execute(
        select(Step.id, Step.name, Opinion.favourable, Opinion.text, Opinion.by_sign_in, Opinion.given_at, speaks)
        .join(BookingCircuit, BookingCircuit.circuit_id == Step.circuit_id)
        .outerjoin(Opinion, (Opinion.step_id == Step.id) & (Opinion.booking_id == BookingCircuit.booking_id))
        .where(BookingCircuit.booking_id == booking)
        .order_by(Step.position)
    ).all()
    silent = next((row for row in rows if row[5] is None), None)
    turn = Turn(booking, silent[0], silent[1], last=silent is rows[-1], mine=bool(silent[6])) if silent else None
    return turn, [Said(row[1], row[2], row[3] or "", row[4], row[5]) for row in rows]
