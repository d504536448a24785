"""The verbs of a loan that its lender can't keep as it is: offer something else in its place, revoke it.

And the answers of who had asked: consent, dismiss.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from exchange.bookings import changes, policy, queries
from exchange.bookings.claims import claim, free, items_of
from exchange.bookings.models import Booking
from exchange.bookings.operations import (
    cancelled,
    close_others,
    decide,
    gates_again,
    give_way,
    locked,
    make_room,
    resolve,
    set_aside,
    write_items,
    write_request,
)
from exchange.bookings.queries import BookingView
from exchange.bookings.wanted import (
    Request,
    Wanted,
    check_fitness,
    check_free,
    let_through,
    let_through_again,
    one_lender,
    quote,
)
from exchange.documents import operations as documents
from exchange.errors import AlreadyOffered, ChangeWaits, NotBookable, WrongState
from ledger.entries import Acting


def offer(
    session: Session, token: str, *, lender: int, wanted: Sequence[Wanted], starts_at: datetime, ends_at: datetime,
    word: str, by: Acting, at: datetime,
) -> Booking:  # fmt: skip
    """The lender offers another time or another room in place of a booking, and holds it until its borrower answers.

    Every rule is run again. Raises WrongState, AlreadyOffered, and all that ``ask`` does.
    """
    booking, view = locked(session, token, lender=lender, states=("pending", "accepted"), at=at)
    if view.starts_at <= at:
        raise WrongState(state=view.state)
    around = queries.around(session, view, at=at)
    if around.offer:
        raise AlreadyOffered
    if changes.waits(view, around):
        raise ChangeWaits
    policy.check_span(starts_at, ends_at, at=at)
    request = Request(view.party_id, tuple(wanted), starts_at, ends_at, view.purpose, view.people)
    if one_lender(request.wanted) != lender:
        raise NotBookable
    check_fitness(request, zone=view.zone)
    check_free(session, request, at=at, apart_from=[view.token])
    evaluation = quote(session, request, zone=view.zone, at=at, instead_of=view, offers=True)
    let_through_again(evaluation)
    make_room(session, wanted, starts_at, ends_at, at=at)
    offered = write_request(
        session, request, lender, evaluation, zone=view.zone, by=by, at=at, series=booking.series_id
    )
    offered.replaces_id, offered.word = booking.id, word
    offered.answer_before = min(offered.answer_before, view.starts_at)
    claim(session, offered, write_items(session, offered, request, evaluation), beside=booking)
    return offered


def consent(session: Session, token: str, *, parties: Collection[int], by: Acting, at: datetime) -> BookingView:
    """Who asked agrees to what is offered: it takes the place of what they had, whose minutes are given back.

    Raises WrongState, FileIncomplete for a document that isn't valid then, and RuleRefuses when the account can't pay
    what it costs now.
    """
    before, booking, view = _offered(session, token, parties=parties, at=at)
    if view.starts_at <= at or before.starts_at <= at:
        raise WrongState(state=view.state)
    documents.check_complete(session, booking.id)
    give_way(session, before, ground="moved", by=by, at=at)
    let_through(gates_again(session, view, at=at))
    free(session, [booking.id])
    claim(session, booking, items_of(session, booking.id))
    decide(session, booking, "accepted", hold=set_aside(session, booking, by=by, at=at), by=by, at=at)
    return view


def dismiss(session: Session, token: str, *, parties: Collection[int], by: Acting, at: datetime) -> BookingView:
    """Who asked doesn't want what is offered: what they had stays as it was. Raises WrongState."""
    before, _booking, view = _offered(session, token, parties=parties, at=at)
    close_others(session, before.id, by=by, at=at)
    return view


def withdraw_offer(session: Session, token: str, *, lender: int, by: Acting, at: datetime) -> BookingView:
    """The lender takes back what it offered in place of a booking. Raises WrongState when it has been answered."""
    booking, view = locked(session, token, lender=lender, states=("pending", "accepted"), at=at)
    offered = queries.around(session, view, at=at).offer
    if offered is None:
        raise WrongState(state="expired")
    close_others(session, booking.id, by=by, at=at)
    return offered


def revoke(
    session: Session, token: str, *, lender: int, ground: str, text: str, by: Acting, at: datetime
) -> BookingView:
    """The lender can't keep what it accepted, on a named ground: the minutes are given back. Raises WrongState."""
    booking, view = locked(session, token, lender=lender, states=("accepted",), at=at)
    if view.starts_at <= at:
        raise WrongState(state=view.state)
    cancelled(session, booking, in_time=True, ground=ground, reason=text, by=by, at=at)
    close_others(session, booking.id, by=by, at=at)
    free(session, [booking.id])
    resolve(session, view, minutes=0, by=by, at=at)
    return view


def _offered(
    session: Session, token: str, *, parties: Collection[int], at: datetime
) -> tuple[Booking, Booking, BookingView]:
    """What was booked and what is offered in its place, both locked, the older first."""
    seen = queries.within(session, token, parties, at=at)
    if seen is None or seen.replaces_id is None:
        raise NotBookable
    replaced = queries.view(session, seen.replaces_id, at=at)
    before, _old = locked(session, replaced.token, lender=seen.lender_id, states=("pending", "accepted"), at=at)
    booking, view = locked(session, token, lender=seen.lender_id, states=("offered",), at=at)
    return before, booking, view
