"""The verbs of who hesitates: take an option, confirm it, give it up; and what is held for who waits, which is one too.

An option is a booking that nobody asked firmly for yet. It occupies what it needs as any other does, costs nothing, and
ends by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from exchange.bookings import policy, queries, waiting
from exchange.bookings.claims import claim, free, items_of
from exchange.bookings.models import Booking, Option, OptionCall, OptionConfirmation, OptionLetter
from exchange.bookings.operations import (
    accept_alone,
    bind,
    cancelled,
    end_hold,
    lapse,
    locked,
    make_room,
    paid,
    write_items,
    write_request,
)
from exchange.bookings.queries import BookingView
from exchange.bookings.wanted import (
    Request,
    check,
    check_all,
    check_free,
    let_through,
    one_lender,
    quote,
    request_of,
)
from exchange.catalogue import queries as catalogue
from exchange.db import signed
from exchange.dues import operations as dues
from exchange.errors import NoOption, NotBookable, OptionTooLate, TooManyOptions
from exchange.reciprocity.policy import Evaluation
from ledger.entries import Acting

SOON = 48  # hours before its end, a letter


def until(request: Request, *, at: datetime) -> datetime:
    """Until when an option on all of it would hold. Raises NoOption, OptionTooLate."""
    days = []
    for it, _quantity in request.wanted:
        if it.option_days is None:
            raise NoOption(name=it.name)
        days.append(it.option_days)
    notice = max(it.notice_hours for it, _quantity in request.wanted)
    found = policy.option_until(request.starts_at, at, days=min(days), notice_hours=notice)
    if found - at < policy.OPTION_AT_LEAST:
        raise OptionTooLate
    return found


def offered(request: Request, *, at: datetime) -> datetime | None:
    """The same; None where there is no option to take."""
    try:
        return until(request, at=at)
    except (NoOption, OptionTooLate):
        return None


def take(session: Session, request: Request, *, zone: str, by: Acting, at: datetime) -> Booking:
    """Hold one or several resources of one lender without a firm request, all or nothing, for as many days as it gives.

    Nobody holds what they couldn't ask for: every rule is run. Raises what ``ask`` does, NoOption, OptionTooLate,
    TooManyOptions.
    """
    lender, held_until = one_lender(request.wanted), until(request, at=at)
    _check_number(session, request.party, lender, at=at)
    check_all(session, request, zone=zone, at=at)
    waiting.refuse_overtaking(session, request, at=at)
    evaluation = quote(session, request, zone=zone, at=at)
    let_through(evaluation)
    make_room(session, request.wanted, request.starts_at, request.ends_at, at=at)
    booking = hold(session, request, lender, evaluation, held_until, "taken", zone=zone, by=by, at=at)
    waiting.fulfil(session, request, by=by, at=at)
    return booking


def _check_number(session: Session, party: int, lender: int, *, at: datetime) -> None:
    """Raise TooManyOptions; one after the other, since each counts the others."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("options"), cast(party, Integer))))
    mine = (
        select(func.count())
        .select_from(Booking)
        .join(Option, Option.booking_id == Booking.id)
        .where(Booking.party_id == party, Booking.lender_id == lender, Booking.held_until > at, Option.kind == "taken")
    )
    if session.execute(mine).scalar_one() >= policy.MOST_OPTIONS:
        raise TooManyOptions(most=policy.MOST_OPTIONS)


def hold(
    session: Session, request: Request, lender: int, evaluation: Evaluation, held_until: datetime, kind: str, *,
    zone: str, by: Acting, at: datetime,
) -> Booking:  # fmt: skip
    """Hold it until then. Raises SlotTaken, PoolExhausted or OutOfService."""
    booking = write_request(session, request, lender, evaluation, zone=zone, by=by, at=at, held_until=held_until)
    session.add(Option(booking_id=booking.id, kind=kind, until=held_until, taken_at=at))
    claim(session, booking, write_items(session, booking, request, evaluation))
    return booking


def confirm(session: Session, token: str, *, parties: Collection[int], by: Acting, at: datetime) -> Booking:
    """What was held is asked for firmly, at the price and under the rules of today; it is held all the while.

    Raises WrongState once its day has passed, NotBookable for what is lent no more, and what ``ask`` does.
    """
    seen = queries.within(session, token, parties, at=at)
    booking, view = locked(session, token, lender=seen.lender_id if seen else 0, states=("option",), at=at)
    request = request_of(view, catalogue.views(session, [item.resource_id for item in view.items]))
    if any(it.status != "published" for it, _quantity in request.wanted):
        raise NotBookable
    check(request, zone=view.zone, at=at)
    check_free(session, request, at=at, apart_from=[view.token])
    evaluation = quote(session, request, zone=view.zone, at=at, asked_at=view.asked_at)
    let_through(evaluation)
    dues.freeze(session, booking.id, evaluation.dues)
    session.add(OptionConfirmation(booking_id=booking.id, confirmed_at=at, **signed(by)))
    _price(session, booking, evaluation)
    booking.answer_before = policy.answer_before(booking.starts_at, at)
    end_hold(session, booking)
    bind(session, booking, request)
    waiting.end_of_turn(session, booking.id, "taken", by=by, at=at)
    accept_alone(session, booking, request, by=by, at=at)
    return booking


def _price(session: Session, booking: Booking, evaluation: Evaluation) -> None:
    """What it costs today takes the place of what it would have cost."""
    for name, value in paid(session, booking.party_id, booking.lender_id, evaluation).items():
        setattr(booking, name, value)
    for item in items_of(session, booking.id):
        item.minutes = evaluation.prices[item.resource_id]


def release(session: Session, token: str, *, parties: Collection[int], by: Acting, at: datetime) -> BookingView:
    """Who holds it doesn't want it: it is free at once. Raises WrongState."""
    seen = queries.within(session, token, parties, at=at)
    booking, view = locked(session, token, lender=seen.lender_id if seen else 0, states=("option",), at=at)
    end_hold(session, booking)
    cancelled(session, booking, in_time=True, by=by, at=at)
    waiting.end_of_turn(session, booking.id, "declined", by=by, at=at)
    free(session, [booking.id])
    return view


def call(session: Session, request: Request, *, at: datetime) -> list[BookingView]:
    """Somebody else wants what is under option: who holds it has a few days to confirm, and never more than they had.

    Return the options whose day came nearer.
    """
    found = queries.options_over(session, [it.id for it, _many in request.wanted], request.starts_at, request.ends_at,
                                 at=at)  # fmt: skip
    ids = [option.id for option in found if option.kind == "taken" and option.party_id != request.party]
    rows = session.scalars(
        select(Booking)
        .where(Booking.id.in_(ids), Booking.held_until > at)
        .where(Booking.id.not_in(select(OptionCall.booking_id)))
        .order_by(Booking.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return [queries.view(session, row.id, at=at) for row in rows if _call(session, row, at=at)]


def _call(session: Session, booking: Booking, *, at: datetime) -> bool:
    """Whether its day came nearer."""
    assert booking.held_until is not None
    if session.get(OptionCall, booking.id) is not None:  # by who had the lock before
        return False
    resources = catalogue.views(session, [item.resource_id for item in items_of(session, booking.id)])
    days = min(it.option_call_days for it in resources.values())
    nearer = policy.called_until(booking.held_until, at, days=days)
    session.add(OptionCall(booking_id=booking.id, until=nearer, called_at=at))
    is_nearer, booking.held_until = nearer < booking.held_until, nearer
    session.flush()
    return is_nearer


# -- what the worker does


def lapse_due(session: Session, *, by: Acting | None, at: datetime) -> int:
    """Close the options whose day has passed, and free what they held; return how many. ``by`` as in ``expire``."""
    due = session.scalars(
        select(Booking).where(Booking.held_until <= at).order_by(Booking.id).with_for_update(skip_locked=True)
    ).all()
    for booking in due:
        lapse(session, booking, by=by or Acting(None, booking.lender_id), at=at)
    return len(due)


class Reminder(NamedTuple):
    """A letter to write about an option: it ends "soon", or is "over"."""

    kind: str
    view: BookingView


def remind(session: Session, *, at: datetime) -> Reminder | None:
    """The next option about which a letter is due, written once for each kind; None when there is none."""
    found = queries.option_to_remind(session, at=at, soon=SOON)
    if found is None:
        return None
    kind, id_ = found
    session.add(OptionLetter(booking_id=id_, kind=kind, written_at=at))
    session.flush()
    return Reminder(kind, queries.view(session, id_, at=at))
