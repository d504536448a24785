"""The verbs of who comes too late: join a waiting list, leave it; and the turn of the first whose wish now fits.

A turn is an option that the service takes for who waits: confirmed or given up as any other, see ``options``.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import options, policy, queries, waiting
from exchange.bookings.models import Wish, WishEnd, WishItem, WishTurn
from exchange.bookings.operations import accept_charters, make_room
from exchange.bookings.queries import BookingView
from exchange.bookings.waiting import WishView
from exchange.bookings.wanted import Request, check, check_free, let_through, one_lender, quote
from exchange.catalogue import queries as catalogue
from exchange.db import signed
from exchange.errors import (
    AskedTooLate,
    InThePast,
    NotBookable,
    OutOfService,
    PoolExhausted,
    SlotTaken,
    StillFree,
    TooManyWishes,
    WaitsAlready,
    WrongState,
    refusal_of,
)
from exchange.members import queries as members
from exchange.reciprocity.policy import Evaluation
from ledger.entries import Acting
from ledger.errors import Refused


class Joined(NamedTuple):
    """A place on a waiting list, and the options whose holders must now make up their minds sooner."""

    wish: Wish
    called: list[BookingView]


def join(session: Session, request: Request, *, zone: str, by: Acting, at: datetime) -> Joined:
    """Wait for what is taken, held or closed: whoever could ask for it may.

    Raises what ``ask`` does but for what is taken; StillFree, WaitsAlready, TooManyWishes; PoolExhausted for more than
    there are.
    """
    lender = one_lender(request.wanted)
    waiting.lock(session, lender)
    check(request, zone=zone, at=at)
    for it, quantity in request.wanted:
        if quantity > (it.quantity or 1):
            raise PoolExhausted(name=it.name, resource=it.id, asked=quantity, left=it.quantity or 1)
    let_through(quote(session, request, zone=zone, at=at))
    _check_places(session, request, at=at)
    if not _is_taken(session, request, at=at):
        raise StillFree
    accept_charters(session, request, lender, by=by, at=at)
    wish = _write(session, request, lender, zone=zone, by=by, at=at)
    return Joined(wish, options.call(session, request, at=at))


def _check_places(session: Session, request: Request, *, at: datetime) -> None:
    """Raise WaitsAlready, TooManyWishes."""
    mine = [wish for wish in waiting.of_parties(session, [request.party], at=at) if wish.outcome is None]
    wanted = {(it.id, quantity) for it, quantity in request.wanted}
    for wish in mine:
        if set(wish.items) == wanted and (wish.starts_at, wish.ends_at) == (request.starts_at, request.ends_at):
            raise WaitsAlready
    if len(mine) >= policy.MOST_WISHES:
        raise TooManyWishes(most=policy.MOST_WISHES)


def _is_taken(session: Session, request: Request, *, at: datetime) -> bool:
    try:
        check_free(session, request, at=at)
        waiting.refuse_overtaking(session, request, at=at)
    except (SlotTaken, PoolExhausted, OutOfService):
        return True
    return False


def _write(session: Session, request: Request, lender: int, *, zone: str, by: Acting, at: datetime) -> Wish:
    wish = Wish(
        token=secrets.token_urlsafe(16), lender_id=lender, party_id=request.party, purpose=request.purpose,
        people=request.people, starts_at=request.starts_at, ends_at=request.ends_at, zone=zone, joined_at=at,
        **signed(by),
    )  # fmt: skip
    session.add(wish)
    session.flush()
    session.add_all(
        WishItem(wish_id=wish.id, position=number, resource_id=it.id, quantity=quantity)
        for number, (it, quantity) in enumerate(request.wanted)
    )
    session.flush()
    return wish


def leave(session: Session, token: str, *, parties: Collection[int], by: Acting, at: datetime) -> WishView:
    """Who waited waits no more; what was held for them is free. Raises NotBookable, WrongState."""
    seen = waiting.within(session, token, parties, at=at)
    if seen is None:
        raise NotBookable
    waiting.lock(session, seen.lender_id)
    wish = waiting.within(session, token, parties, at=at) or seen
    if wish.outcome is not None:
        raise WrongState(state=wish.outcome)
    if wish.turn is not None:
        options.release(session, wish.turn, parties=parties, by=by, at=at)
    else:
        waiting.end(session, wish.id, "left", by=by, at=at)
    return wish


# -- what the worker does


class Turns(NamedTuple):
    """What is held now for who waited, and who waited for what a rule refuses them, with what it says."""

    given: list[BookingView]
    refused: list[WishView]


def give_turns(session: Session, lender: int, *, by: Acting | None, at: datetime, today: date) -> Turns:
    """Hold what is free for who waits for it, in the order in which they joined; each wish whole, or the next.

    Who couldn't ask for it any more leaves the list, and so does who would be told too late. ``by`` as in ``expire``.
    """
    waiting.lock(session, lender)
    acting = by or Acting(None, lender)
    turns = Turns([], [])
    found = [wish for wish in _unanswered(session, lender, at=at) if wish.turn is None]
    people = members.signing_in(session, {wish.party_id for wish in found}, on=today)
    for wish in found:
        if wish.party_id not in people:
            waiting.end(session, wish.id, "over", by=acting, at=at)
        else:
            _try(session, wish, turns, by=acting, at=at)
    return turns


def _unanswered(session: Session, lender: int, *, at: datetime) -> list[WishView]:
    """Every open place, also of days that have begun meanwhile."""
    ids = session.scalars(
        select(Wish.id).where(Wish.lender_id == lender, Wish.id.not_in(select(WishEnd.wish_id)))
    ).all()
    return waiting.by_ids(session, ids, at=at)


def _try(session: Session, wish: WishView, turns: Turns, *, by: Acting, at: datetime) -> None:
    """Hold for one what they wait for, if it is free and the rules let them have it."""
    request = wish.request(catalogue.views(session, [id_ for id_, _many in wish.items]))
    held_until = waiting.until(request, at=at)
    if held_until is None or waiting.too_late(request, at=at):
        waiting.end(session, wish.id, "over", by=by, at=at)
        return
    try:
        check_free(session, request, at=at)
        check(request, zone=wish.zone, at=at)
    except (InThePast, AskedTooLate):
        waiting.end(session, wish.id, "over", by=by, at=at)
        return
    except Refused:
        return  # taken, or closed: its day may come
    evaluation = quote(session, request, zone=wish.zone, at=at, asked_at=wish.joined_at)
    if not evaluation.allowed:
        finding = next(each for each in evaluation.as_record()["findings"] if not each["holds"])
        waiting.end(session, wish.id, "refused", finding=finding, by=by, at=at)
        turns.refused.append(wish._replace(outcome="refused", finding=finding))
        return
    if given := _hold(session, wish, request, evaluation, held_until, by=by, at=at):
        turns.given.append(given)


def _hold(
    session: Session, wish: WishView, request: Request, evaluation: Evaluation, held_until: datetime, *, by: Acting,
    at: datetime,
) -> BookingView | None:  # fmt: skip
    """Hold it for them; None when somebody had it at the same moment."""
    try:
        with session.begin_nested():
            make_room(session, request.wanted, request.starts_at, request.ends_at, at=at)
            booking = options.hold(session, request, wish.lender_id, evaluation, held_until, "turn", zone=wish.zone,
                                   by=by, at=at)  # fmt: skip
            session.add(WishTurn(wish_id=wish.id, booking_id=booking.id))
            session.flush()
    except Refused:
        return None
    except DBAPIError as refused:
        if refusal_of(refused) is None:
            raise
        return None
    return queries.view(session, booking.id, at=at)
