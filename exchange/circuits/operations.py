"""The verbs of a circuit: write it, say who speaks and what it decides on, bind a request to it, give an opinion."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from exchange.circuits import queries
from exchange.circuits.models import BookingCircuit, Circuit, CircuitResource, Opinion, Speaker, Step
from exchange.circuits.queries import CircuitView
from exchange.db import signed
from exchange.errors import NotYourStep, OpinionAwaited
from ledger.entries import Acting


def write(
    session: Session, *, lender: int, name: str, steps: Sequence[tuple[str, Collection[int]]], by: Acting, at: datetime
) -> Circuit:
    """Write a circuit: its steps in order, each with the sign-ins who speak there (none: the whole office).

    Raises CircuitExists (by the table's own index) for a name that the lender uses already.
    """
    made = Circuit(token=secrets.token_urlsafe(16), lender_id=lender, name=name, written_at=at, **signed(by))
    session.add(made)
    session.flush()
    for position, (step, speakers) in enumerate(steps, 1):
        row = Step(circuit_id=made.id, position=position, name=step)
        session.add(row)
        session.flush()
        _name(session, row.id, before=frozenset(), after=speakers, by=by, at=at)
    return made


def settle(
    session: Session, circuit: CircuitView, *, speakers: Mapping[int, Collection[int]], resources: Collection[int],
    by: Acting, at: datetime,
) -> None:  # fmt: skip
    """Say who speaks at each step (by its id) from now on, and what the circuit decides on; what waits follows.

    A request that was asked for before keeps its circuit.
    """
    for step in circuit.steps:
        _name(session, step.id, before=step.speakers, after=speakers.get(step.id, ()), by=by, at=at)
    decide_on(session, circuit.id, before=circuit.resources, after=resources, by=by, at=at)


def decide_on(
    session: Session, circuit: int, *, before: Collection[int], after: Collection[int], by: Acting, at: datetime
) -> None:
    """A circuit decides from now on on the resources ``after``; what it leaves is for the whole office again."""
    for resource in sorted(set(before) ^ set(after)):
        session.add(
            CircuitResource(
                resource_id=resource, circuit_id=circuit if resource in after else None, written_at=at, **signed(by)
            )
        )
    session.flush()


def _name(
    session: Session, step: int, *, before: Collection[int], after: Collection[int], by: Acting, at: datetime
) -> None:
    for sign_in in sorted(set(before) ^ set(after)):
        session.add(
            Speaker(step_id=step, sign_in_id=sign_in, speaks=sign_in in after, written_at=at, **signed(by))
        )
    session.flush()


def bind(session: Session, booking: int, resources: Collection[int]) -> None:
    """A request takes the circuit of what it asks for, if there is one."""
    circuit = queries.binding(session, resources)
    if circuit is not None:
        session.add(BookingCircuit(booking_id=booking, circuit_id=circuit))
        session.flush()


def check_decides(session: Session, booking: int, *, by: Acting, on: date) -> None:
    """Refuse who doesn't speak at the last step, and everybody while one before it is silent.

    Raises OpinionAwaited, NotYourStep. A request without a circuit is for the whole office.
    """
    turn = queries.turns(session, [booking], sign_in=by.sign_in, on=on).get(booking)
    if turn and not turn.last:
        raise OpinionAwaited(step=turn.step)
    if turn and not turn.mine:
        raise NotYourStep(step=turn.step)


def give_opinion(
    session: Session, booking: int, step: int, *, favourable: bool, text: str, by: Acting, at: datetime
) -> None:
    """A step speaks of a request, once. Raises NotYourStep; AlreadyAnswered when it isn't that step's turn any more."""
    session.add(
        Opinion(booking_id=booking, step_id=step, favourable=favourable, text=text, given_at=at, **signed(by))
    )
    session.flush()
