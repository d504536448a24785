"""What a step says of a request before the last one decides."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from exchange.bookings.operations import locked, on_the_day
from exchange.bookings.queries import BookingView
from exchange.circuits import operations as circuits
from exchange.circuits import queries as ways
from exchange.circuits.queries import Turn
from exchange.errors import AlreadyAnswered, NotYourStep
from ledger.entries import Acting


def turns(session: Session, found: Collection[BookingView], *, by: Acting, at: datetime) -> dict[int, Turn]:
    """Where these requests are on their way, for who acts; by booking id."""
    days = {on_the_day(view, at) for view in found}
    ids = [view.id for view in found if view.state == "pending" and view.circuit_id is not None]
    return ways.turns(session, ids, sign_in=by.sign_in, on=max(days)) if ids else {}


def give(
    session: Session, token: str, *, lender: int, favourable: bool, text: str, by: Acting, at: datetime
) -> BookingView:
    """The step whose turn it is says what it thinks; the request goes on to the next.

    Raises WrongState; AlreadyAnswered when what is left is to decide, or nobody is asked; NotYourStep.
    """
    booking, view = locked(session, token, lender=lender, states=("pending",), at=at)
    turn = turns(session, [view], by=by, at=at).get(booking.id)
    if turn is None or turn.last:
        raise AlreadyAnswered
    if not turn.mine:
        raise NotYourStep(step=turn.step)
    circuits.give_opinion(session, booking.id, turn.step_id, favourable=favourable, text=text, by=by, at=at)
    return view
