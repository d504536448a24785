"""The verbs of a loan: ask, accept, decline, cancel, expire, hand over, take back, settle, close.

Those of a loan that its lender can't keep as it is are in ``offers``; what is looked at before anything is written is
in ``wanted``, what a loan occupies in ``claims``.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from exchange.bookings import inventory, policy, queries, waiting
from exchange.bookings.claims import claim, free, items_of
from exchange.bookings.models import (
    Attendance,
    Booking,
    BookingCancellation,
    BookingDecision,
    BookingItem,
    HandOver,
    NoShow,
    Return,
)
from exchange.bookings.policy import Back, Handed
from exchange.bookings.queries import BookingView
from exchange.bookings.wanted import (
    Request,
    Wanted,
    at_once,
    check_all,
    check_free,
    let_through,
    let_through_again,
    one_lender,
    quote,
    request_of,
)
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.charters import operations as chartering
from exchange.charters import queries as charters
from exchange.circuits import operations as circuits
from exchange.db import signed
from exchange.documents import operations as documents
from exchange.documents import queries as papers
from exchange.dues import operations as dues
from exchange.errors import (
    AlreadyAnswered,
    BorrowerCannotPay,
    NotBegun,
    NotBookable,
    NothingBack,
    RoomAlone,
    TooEarly,
    WrongState,
)
from exchange.keys import operations as key_register
from exchange.reciprocity.policy import Evaluation
from ledger.entries import Acting
from ledger.errors import FloorReached, Refused
from ledger.store import reading, writing

COUNTED = frozenset({"accepted", "out", "late", "returned", "past"})  # somebody came, or comes now


def ask(session: Session, request: Request, *, zone: str, by: Acting, at: datetime) -> Booking:
    """Ask for one or several resources of one lender, all or nothing; the request holds its slot until it is decided.

    Raises what the span, the hours, the capacity and the rules refuse, SlotTaken or PoolExhausted, UnderOption,
    SlotAwaited. Where nobody has to decide, the request is accepted at once.
    """
    lender = one_lender(request.wanted)
    check_all(session, request, zone=zone, at=at)  # most of those who come too late go no further
    waiting.refuse_overtaking(session, request, at=at)
    evaluation = quote(session, request, zone=zone, at=at)
    let_through(evaluation)
    make_room(session, request.wanted, request.starts_at, request.ends_at, at=at)
    booking = write_request(session, request, lender, evaluation, zone=zone, by=by, at=at)
    claim(session, booking, write_items(session, booking, request, evaluation))
    bind(session, booking, request)
    waiting.fulfil(session, request, by=by, at=at)
    accept_alone(session, booking, request, by=by, at=at)
    return booking


def accept_alone(session: Session, booking: Booking, request: Request, *, by: Acting, at: datetime) -> None:
    """Accept what nobody has to decide; what lacks a document waits for it, and nobody decides then either."""
    if at_once(request) and papers.ready(session, booking.id):
        decide(session, booking, "accepted", hold=set_aside(session, booking, by=by, at=at), by=by, at=at)


def accept_complete(session: Session, party: int, kind: int, *, by: Acting, at: datetime) -> list[BookingView]:
    """Accept the requests of a party that waited for a document of this kind alone, and that nobody has to decide;
    return them. What the rules refuse meanwhile waits for the lender's office.
    """
    done = []
    for token in papers.waiting_for(session, party, kind, at=at):
        view = queries.within(session, token, [party], at=at)
        if view is None or not at_once(request_of(view, _resources_of(session, view))):
            continue
        with suppress(Refused), session.begin_nested():
            done.append(accept(session, token, lender=view.lender_id, by=by, at=at))
    return done


def accept(session: Session, token: str, *, lender: int, by: Acting, at: datetime) -> BookingView:
    """The lender's officer accepts: every rule is run again, and the price is set aside on the borrower's account.

    What was offered in its place is offered no more; what it changes gives way to it. Raises WrongState; NotYourStep or
    OpinionAwaited when it isn't theirs to decide now; FileIncomplete for a document that lacks; OutOfService or
    PoolExhausted for what was closed meanwhile, RuleRefuses, or BorrowerCannotPay, which tells the office nothing of a
    balance.
    """
    before = _changed(session, token, lender=lender, at=at)  # locked first, as by whoever changes it again
    booking, view = locked(session, token, lender=lender, states=("pending",), at=at)
    if view.circuit_id is not None:
        circuits.check_decides(session, view.id, by=by, on=on_the_day(view, at))
    if view.starts_at <= at:
        raise WrongState(state="pending")
    documents.check_complete(session, booking.id)
    make_room(session, request_of(view, _resources_of(session, view)).wanted, view.starts_at, view.ends_at, at=at)
    own = [view.token, *([before.token] if before else [])]
    check_free(session, request_of(view, _resources_of(session, view)), at=at, apart_from=own)
    close_others(session, booking.id, by=by, at=at)
    if before:
        give_way(session, before, ground="changed", by=by, at=at)
        free(session, [booking.id])
        claim(session, booking, items_of(session, booking.id))
    let_through_again(gates_again(session, view, at=at))
    try:
        hold = set_aside(session, booking, by=by, at=at)
    except FloorReached as refused:
        raise BorrowerCannotPay from refused
    decide(session, booking, "accepted", hold=hold, by=by, at=at)
    return view


def decline(
    session: Session, token: str, *, lender: int, ground: str, text: str, by: Acting, at: datetime
) -> BookingView:
    """The lender's officer refuses, on a named ground, also what is held without a firm request; the slot is free
    again. Raises WrongState; NotYourStep or OpinionAwaited when it isn't theirs to decide now.
    """
    booking, view = locked(session, token, lender=lender, states=("pending", "option"), at=at)
    if view.circuit_id is not None:
        circuits.check_decides(session, view.id, by=by, on=on_the_day(view, at))
    if view.state == "option":
        end_hold(session, booking)
        waiting.end_of_turn(session, booking.id, "refused", by=by, at=at)
    decide(session, booking, "declined", ground=ground, text=text, by=by, at=at)
    close_others(session, booking.id, by=by, at=at)
    free(session, [booking.id])
    return view


def cancel(session: Session, token: str, *, parties: Collection[int], reason: str, by: Acting, at: datetime) -> bool:
    """Who asked doesn't need it any more: the slot is free again. Return whether its minutes are given back.

    A day or more before the start they are; later, they are due all the same. Raises WrongState.
    """
    seen = queries.within(session, token, parties, at=at)
    booking, view = locked(session, token, lender=seen.lender_id if seen else 0, states=("pending", "accepted"), at=at)
    if view.starts_at <= at:
        raise WrongState(state=view.state)
    in_time = policy.cancelled_in_time(booking.starts_at, at, accepted=view.state == "accepted")
    cancelled(session, booking, in_time=in_time, reason=reason, by=by, at=at)
    close_others(session, booking.id, by=by, at=at)
    free(session, [booking.id])
    resolve(session, view, minutes=0 if in_time else view.minutes, by=by, at=at)
    return in_time


def _changed(session: Session, token: str, *, lender: int, at: datetime) -> Booking | None:
    """What an open change would take the place of, under its row's lock; None for any other request.

    Raises WrongState once that has begun.
    """
    seen = queries.of_lender(session, token, lender, at=at)
    before = session.get(Booking, seen.changes_id, with_for_update=True) if seen and seen.changes_id else None
    if before is None or queries.view(session, before.id, at=at).state == "cancelled":
        return None
    if before.starts_at <= at:
        raise WrongState(state="past")
    return before


def give_way(session: Session, before: Booking, *, ground: str, by: Acting, at: datetime) -> None:
    """A booking whose row is locked leaves its place to another: what it holds is free, its minutes are given back."""
    view = queries.view(session, before.id, at=at)
    cancelled(session, before, in_time=True, ground=ground, by=by, at=at)
    resolve(session, view, minutes=0, by=by, at=at)
    free(session, [before.id])


def close_others(session: Session, booking: int, *, by: Acting, at: datetime) -> None:
    """Close what would take the place of a booking, whose row is locked: what its lender offers, the change that its
    borrower asks for. What they hold is given back.
    """
    rows = session.scalars(
        select(Booking)
        .where(or_(Booking.replaces_id == booking, Booking.changes_id == booking))
        .where(Booking.id.not_in(select(BookingDecision.booking_id)))
        .where(Booking.id.not_in(select(BookingCancellation.booking_id)))
        .order_by(Booking.id)
        .with_for_update()
    ).all()
    for row in rows:
        if queries.view(session, row.id, at=at).state in {"offered", "pending"}:  # as it is under its lock
            decide(session, row, "expired", by=by, at=at)
            free(session, [row.id])


def cancelled(
    session: Session, booking: Booking, *, in_time: bool, by: Acting, at: datetime, ground: str | None = None,
    reason: str = "",
) -> None:  # fmt: skip
    """Write that a booking is cancelled. Raises AlreadyAnswered (by the table's own key)."""
    session.add(
        BookingCancellation(
            booking_id=booking.id, in_time=in_time, ground=ground, reason=reason, cancelled_at=at, **signed(by)
        )
    )
    session.flush()


def expire(session: Session, *, by: Acting | None, at: datetime) -> int:
    """Close the requests that nobody decided in time, and free their slots; return how many.

    What a lender offers and nobody answers is closed too, under the lock of what it would replace: an answer takes it
    first. In a territory without any community, and so without a system party, each lender is said to have let it
    expire.
    """
    decided = select(BookingDecision.booking_id)
    cancelled = select(BookingCancellation.booking_id)
    late = session.scalars(
        select(Booking)
        .where(Booking.answer_before <= at, Booking.id.not_in(decided), Booking.id.not_in(cancelled))
        .where(Booking.replaces_id.is_(None), Booking.held_until.is_(None))
        .order_by(Booking.id)
        .with_for_update(skip_locked=True)
    ).all()
    for booking in late:
        acting = by or Acting(None, booking.lender_id)
        decide(session, booking, "expired", by=acting, at=at)
        close_others(session, booking.id, by=acting, at=at)
    free(session, [booking.id for booking in late])
    unanswered = select(Booking.replaces_id).where(Booking.answer_before <= at, Booking.id.not_in(decided))
    replaced = session.scalars(
        select(Booking).where(Booking.id.in_(unanswered)).order_by(Booking.id).with_for_update(skip_locked=True)
    ).all()
    for booking in replaced:
        close_others(session, booking.id, by=by or Acting(None, booking.lender_id), at=at)
    return len(late) + len(replaced)


def end_hold(session: Session, booking: Booking) -> None:
    """What was held without a firm request, and whose row is locked, is so no more."""
    booking.held_until = None
    session.flush()


def lapse(session: Session, booking: Booking, *, by: Acting, at: datetime) -> None:
    """An option whose row is locked and whose day has passed is over, and what it held is free."""
    end_hold(session, booking)
    decide(session, booking, "expired", by=by, at=at)
    waiting.end_of_turn(session, booking.id, "expired", by=by, at=at)
    free(session, [booking.id])


def make_room(
    session: Session, wanted: Sequence[Wanted], starts_at: datetime, ends_at: datetime, *, at: datetime
) -> None:
    """Close the options in the way whose day has passed: who comes next doesn't wait for the worker.

    To be called before anything else is freed or taken: who closes an option may then wait for who took its place.
    """
    found = queries.options_over(session, [it.id for it, _many in wanted], starts_at, ends_at, at=at, lapsed=True)
    if not found:
        return
    rows = session.scalars(
        select(Booking)
        .where(Booking.id.in_([option.id for option in found]), Booking.held_until <= at)
        .order_by(Booking.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        lapse(session, row, by=Acting(None, row.lender_id), at=at)


def hand_over(
    session: Session, token: str, *, lender: int, remarks: str, by: Acting, at: datetime,
    items: Mapping[int, Handed] | None = None, keys: Collection[str] = (),
) -> BookingView:  # fmt: skip
    """The lender hands over the things and the keys: so many of each resource (``items``, by its id; as booked when it
    isn't named), and these keys. What stays is free at once.

    Raises WrongState; TooEarly long before the start; EurosMissing when the lender wants something received first;
    MoreThanBooked, NothingLeaves, KeyOut, KeyNotThere.
    """
    booking, view = locked(session, token, lender=lender, states=("accepted", "past"), at=at)
    if view.starts_at - at > policy.HANDED_OVER_WITHIN:
        raise TooEarly(days=policy.HANDED_OVER_WITHIN.days)
    dues.check_received(session, booking.id)
    close_others(session, booking.id, by=by, at=at)
    session.add(HandOver(booking_id=booking.id, remarks=remarks, handed_over_at=at, **signed(by)))
    session.flush()
    inventory.write_out(session, view, items or {})
    key_register.give(session, keys, booking=booking.id, lender=lender, by=by, at=at)
    return view


def take_back(
    session: Session, token: str, *, lender: int, remarks: str, by: Acting, at: datetime,
    items: Mapping[int, Back] | None = None, keys: Collection[str] | None = None, lost_keys: Collection[str] = (),
) -> BookingView:  # fmt: skip
    """The lender has all of it back, or the part that ``items`` (by resource) and ``keys`` say: that is free at once.

    With what was last, the loan is over and the minutes that were set aside are posted. Raises WrongState, MoreThanOut,
    NothingBack, KeyNotThere.
    """
    booking, view = locked(session, token, lender=lender, states=("out", "late"), at=at)
    before = key_register.out(session, booking.id)
    left = key_register.take_back(session, booking=booking.id, back=keys, lost=lost_keys, by=by, at=at)
    all_in = inventory.write_back(session, view, items, remarks=remarks, by=by, at=at)
    if items is not None and not any(said.counted for said in items.values()) and before == len(left):
        raise NothingBack
    if all_in and not left:
        session.add(Return(booking_id=booking.id, remarks=remarks, returned_at=at, **signed(by)))
        session.flush()
        resolve(session, view, minutes=view.minutes, by=by, at=at)
        _resolve_extensions(session, view, by=by, at=at)
        free(session, [booking.id])
    return view


def _resolve_extensions(session: Session, view: BookingView, *, by: Acting, at: datetime) -> None:
    """Time that was granted is counted with the rest; what still waits is wanted no more."""
    for asked in inventory.undecided(session, view.id):
        inventory.decide_extension(session, asked, "lapsed", by=by, at=at)
    for hold, community, minutes in queries.holds_of_extensions(session, view.id):
        writing.post_hold(session, hold, community=community, minutes=minutes, happened_on=_day(view, at), by=by, at=at,
                          note="")  # fmt: skip


def _day(view: BookingView, at: datetime) -> date:
    """On which day what a booking costs is said to have happened."""
    return on_the_day(view, min(at, view.ends_at))


def on_the_day(view: BookingView, at: datetime) -> date:
    """Which day it is where a booking takes place."""
    return at.astimezone(ZoneInfo(view.zone)).date()


def can_count(view: BookingView, *, at: datetime) -> bool:
    """Whether it can be noted how many people came: the use has begun, and nobody noted it yet."""
    return view.state in COUNTED and view.starts_at <= at and view.attendance is None


def count_people(session: Session, booking: int, people: int, *, by: Acting, at: datetime) -> None:
    """Note how many people came, once: during a use, or after it. Raises WrongState, NotBegun, AlreadyAnswered."""
    lock(session, booking)
    view = queries.view(session, booking, at=at)
    if view.state not in COUNTED:
        raise WrongState(state=view.state)
    if view.starts_at > at:
        raise NotBegun(starts_at=view.starts_at.isoformat())
    if view.attendance is not None:
        raise AlreadyAnswered
    session.add(Attendance(booking_id=booking, people=people, noted_at=at, **signed(by)))
    session.flush()


def settle_started(session: Session, *, community: int, by: Acting, at: datetime, most: int = 100) -> int:
    """Post the minutes of the rooms whose use has started; return how many bookings.

    A room is used from its start; the minutes of things are posted when they come back. While others post too, ``most``
    is one for each transaction: several payments in one lock accounts in an order of their own.
    """
    due = queries.rooms_to_settle(session, community, at=at, size=most)
    for view in due:
        resolve(session, view, minutes=view.minutes, by=by, at=at)
    return len(due)


def note_no_show(session: Session, token: str, *, lender: int, remarks: str, by: Acting, at: datetime) -> BookingView:
    """The office notes that nobody came for the things, once the loan has begun; see ``close_uncollected``.

    Raises WrongState; RoomAlone when there was nothing to hand over: a room is used from its start; NotBegun.
    """
    booking, view = locked(session, token, lender=lender, states=("accepted", "past"), at=at)
    if not queries.with_things(session, booking.id):
        raise RoomAlone
    if view.starts_at > at:
        raise NotBegun(starts_at=view.starts_at.isoformat())
    _close(session, view, remarks=remarks, by=by, at=at)
    return view


def close_uncollected(
    session: Session, *, systems: Mapping[int, Acting], at: datetime, most: int = 100
) -> list[BookingView]:
    """Close the loans of things that nobody came for and whose end has passed; return them, to be told.

    Their minutes are given back and they are free again. Of a request with a room too, the room was used from its
    start as any other: its minutes are counted. ``systems`` says who acts in each community; in a territory without
    any, each lender is said to have noted it. ``most`` as in ``settle_started``.
    """
    due = queries.uncollected(session, before=at - policy.NOTED_WITHIN, at=at, size=most)
    anywhere = next(iter(systems.values()), None)
    for view in due:
        by = systems.get(view.community_id or 0) or anywhere or Acting(None, view.lender_id)
        _close(session, view, remarks="", by=by, at=at)
    return due


def _close(session: Session, view: BookingView, *, remarks: str, by: Acting, at: datetime) -> None:
    session.add(NoShow(booking_id=view.id, remarks=remarks, noted_at=at, **signed(by)))
    session.flush()
    resolve(session, view, minutes=minutes_of_rooms(view, _resources_of(session, view)), by=by, at=at)
    free(session, [view.id])


def minutes_of_rooms(view: BookingView, resources: Mapping[int, ResourceView]) -> int:
    """What the rooms of a booking cost: counted even when nobody came for the things that go with them."""
    return sum(item.minutes for item in view.items if resources[item.resource_id].kind == "room")


def decide(
    session: Session, booking: Booking, verdict: str, *, by: Acting, at: datetime, ground: str | None = None,
    text: str = "", hold: int | None = None,
) -> None:  # fmt: skip
    """Write the one answer to a request. Raises AlreadyAnswered (by the table's own key)."""
    session.add(
        BookingDecision(
            booking_id=booking.id, verdict=verdict, ground=ground, text=text, hold_id=hold, decided_at=at, **signed(by)
        )
    )
    session.flush()


def gates_again(session: Session, view: BookingView, *, at: datetime) -> Evaluation:
    """Every rule once more, on the day of the decision. The price stays what it was when it was asked for."""
    return quote(session, request_of(view, _resources_of(session, view)), zone=view.zone, at=at,
                 asked_at=view.asked_at, offers=view.replaces_id is not None)  # fmt: skip


def _resources_of(session: Session, view: BookingView) -> dict[int, ResourceView]:
    return catalogue.views(session, [item.resource_id for item in view.items])


def write_request(
    session: Session, request: Request, lender: int, evaluation: Evaluation, *, zone: str, by: Acting, at: datetime,
    series: int | None = None, changes: int | None = None, held_until: datetime | None = None,
) -> Booking:  # fmt: skip
    booking = Booking(
        token=secrets.token_urlsafe(16),
        lender_id=lender,
        party_id=request.party,
        **paid(session, request.party, lender, evaluation),
        purpose=request.purpose,
        people=request.people,
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        zone=zone,
        asked_at=at,
        answer_before=held_until or policy.answer_before(request.starts_at, at),
        held_until=held_until,
        series_id=series,
        changes_id=changes,
        **signed(by),
    )
    session.add(booking)
    session.flush()
    accept_charters(session, request, lender, by=by, at=at)
    if held_until is None:  # what is held without a firm request owes nothing yet
        dues.freeze(session, booking.id, evaluation.dues)
    return booking


def bind(session: Session, booking: Booking, request: Request) -> None:
    """A request that somebody has to decide passes the steps of what it asks for."""
    if not at_once(request):
        circuits.bind(session, booking.id, [each.resource.id for each in request.wanted])


def paid(session: Session, party: int, lender: int, evaluation: Evaluation) -> dict[str, Any]:
    """What a request costs and why, and between which accounts."""
    paying = receiving = None
    if evaluation.minutes and evaluation.community is not None:
        paying = reading.account_of(session, evaluation.community, party)
        receiving = reading.account_of(session, evaluation.community, lender)
    return {
        "community_id": evaluation.community if paying else None,
        "account_id": paying.id if paying else None,
        "lender_account_id": receiving.id if receiving else None,
        "minutes": evaluation.minutes,
        "explanation": evaluation.as_record(),
    }


def accept_charters(session: Session, request: Request, lender: int, *, by: Acting, at: datetime) -> None:
    """Keep that who asks accepted what was ticked with the request."""
    if request.accepts:
        found = charters.of_lender(session, lender, at=at)
        ticked = [each for each in found if each.token in request.accepts]
        chartering.accept(session, request.party, ticked, by=by, at=at)


def write_items(session: Session, booking: Booking, request: Request, evaluation: Evaluation) -> list[BookingItem]:
    """Write what a booking is made of, each with its price and its buffer of today, and the documents it asks for."""
    items = [
        BookingItem(
            booking_id=booking.id, resource_id=resource.id, quantity=quantity,
            minutes=evaluation.prices[resource.id], buffer_minutes=resource.buffer_minutes,
        )
        for resource, quantity in request.wanted
    ]  # fmt: skip
    session.add_all(items)
    session.flush()
    documents.freeze(session, booking.id, replaces=booking.replaces_id)
    return items


def set_aside(session: Session, booking: Booking, *, by: Acting, at: datetime) -> int | None:
    """Set the price aside on the account of who asked; a free loan moves nothing."""
    if not booking.minutes:
        return None
    assert booking.community_id is not None
    assert booking.account_id is not None
    assert booking.lender_account_id is not None
    held = writing.hold(
        session, community=booking.community_id, from_account=booking.account_id, to_account=booking.lender_account_id,
        minutes=booking.minutes, cause=("booking", booking.id), key=f"booking:{booking.id}:hold", by=by, at=at,
    )  # fmt: skip
    return held.id


def resolve(session: Session, view: BookingView, *, minutes: int, by: Acting, at: datetime) -> None:
    """Post so many of the minutes that were set aside and release the rest, once; a free loan has none."""
    if view.hold_id is None or view.community_id is None or queries.hold_resolved(session, view.hold_id):
        return
    if minutes:
        writing.post_hold(session, view.hold_id, community=view.community_id, minutes=minutes,
                          happened_on=_day(view, at), by=by, at=at, note="")  # fmt: skip
    else:
        writing.release_hold(session, view.hold_id, community=view.community_id, by=by, at=at)


def lock(session: Session, booking: int) -> None:
    """Lock the row of a booking: what is written about it comes one after the other."""
    session.execute(select(Booking.id).where(Booking.id == booking).with_for_update())


def locked(
    session: Session, token: str, *, lender: int, states: Iterable[str], at: datetime
) -> tuple[Booking, BookingView]:
    """The booking under its row's lock, so that two acts come one after the other, and in a state that allows it."""
    booking = session.scalar(
        select(Booking).where(Booking.token == token, Booking.lender_id == lender).with_for_update()
    )
    if booking is None:
        raise NotBookable
    view = queries.view(session, booking.id, at=at)
    if view.state not in states:
        raise WrongState(state=view.state)
    return booking, view
