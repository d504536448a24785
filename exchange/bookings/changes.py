"""The verb of who has a booking, or asked for one, and wants it otherwise: other hours, other things, other people."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from exchange.bookings import policy, queries, waiting
from exchange.bookings.claims import claim
from exchange.bookings.models import Booking
from exchange.bookings.operations import (
    accept_alone,
    bind,
    close_others,
    give_way,
    locked,
    make_room,
    write_items,
    write_request,
)
from exchange.bookings.queries import Around, BookingView
from exchange.bookings.wanted import Request, at_once, check, check_free, let_through, one_lender, quote
from exchange.documents import queries as papers
from exchange.errors import ChangedTooLate, ChangeWaits, NotBookable, WrongState
from exchange.reciprocity.policy import Evaluation
from ledger.entries import Acting

CHANGEABLE = frozenset({"pending", "accepted"})


def change(
    session: Session, token: str, request: Request, *, parties: Collection[int], by: Acting, at: datetime
) -> Booking:
    """Ask for a booking otherwise, all or nothing; every rule is run again.

    What nobody has decided yet, or nobody has to, is changed at once. What an officer accepted, or what lacks a
    document once changed, stays as it was until the change is accepted, which holds until then what it needs besides;
    a change asked before is given up.

    Raises NotBookable, WrongState, ChangeWaits for a change that waits itself, ChangedTooLate when cancelling would
    cost, and what ``ask`` does.
    """
    seen = queries.within(session, token, parties, at=at)
    before, view = locked(session, token, lender=seen.lender_id if seen else 0, states=CHANGEABLE, at=at)
    _check_changeable(view, queries.around(session, view, at=at), at=at)
    if one_lender(request.wanted) != view.lender_id or request.party != view.party_id:
        raise NotBookable
    evaluation = look(session, request, view, at=at)
    waiting.refuse_overtaking(session, request, at=at, apart_from=[view.token])
    let_through(evaluation)
    make_room(session, request.wanted, request.starts_at, request.ends_at, at=at)
    close_others(session, before.id, by=by, at=at)
    changed = write_request(session, request, view.lender_id, evaluation, zone=view.zone, by=by, at=at,
                            series=before.series_id, changes=before.id)  # fmt: skip
    items = write_items(session, changed, request, evaluation)
    bind(session, changed, request)
    if decided_again(view, request) or (view.state == "accepted" and not papers.ready(session, changed.id)):
        changed.answer_before = min(changed.answer_before, view.starts_at)
        claim(session, changed, items, beside=before)
        return changed
    give_way(session, before, ground="changed", by=by, at=at)
    claim(session, changed, items)
    accept_alone(session, changed, request, by=by, at=at)
    return changed


def look(session: Session, request: Request, view: BookingView, *, at: datetime) -> Evaluation:
    """What a booking would cost if it were that, and what the rules say. Raises what ``wanted.check_all`` does."""
    check(request, zone=view.zone, at=at, instead_of=view)
    change_ = queries.around(session, view, at=at).change
    waiting = [change_.token] if change_ and change_.state == "pending" else []
    check_free(session, request, at=at, apart_from=[view.token, *waiting])
    return quote(session, request, zone=view.zone, at=at, instead_of=view)


def decided_again(view: BookingView, request: Request) -> bool:
    """Whether a change waits for an officer while what was accepted stands."""
    return view.state == "accepted" and not at_once(request)


def changeable(view: BookingView, around: Around, *, at: datetime) -> bool:
    """Whether who asked may ask for it otherwise, now."""
    try:
        _check_changeable(view, around, at=at)
    except (WrongState, ChangedTooLate, ChangeWaits):
        return False
    return True


def _check_changeable(view: BookingView, around: Around, *, at: datetime) -> None:
    if view.state not in CHANGEABLE or view.starts_at <= at:
        raise WrongState(state=view.state)
    if view.state == "pending" and waits(view, around):
        raise ChangeWaits
    if view.minutes and not policy.cancelled_in_time(view.starts_at, at, accepted=view.state == "accepted"):
        raise ChangedTooLate


def waits(view: BookingView, around: Around) -> bool:
    """Whether a booking is a change that waits while what it changes stands, or has such a change."""
    if changes_what_stands(view, around):
        return True
    return around.change is not None and around.change.state == "pending"


def changes_what_stands(view: BookingView, around: Around) -> bool:
    """Whether a booking is a change that waits, of a booking that stands."""
    if view.state != "pending" or view.changes_id is None:
        return False
    return around.before is not None and around.before.state != "cancelled"
