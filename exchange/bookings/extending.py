"""The verbs of a loan that lasts longer: more time is asked for, granted or declined; what is late keeps its place."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange.bookings import policy, queries
from exchange.bookings.claims import keep_late, lengthen
from exchange.bookings.inventory import decide_extension, undecided
from exchange.bookings.models import (
    Booking,
    Extension,
    HandOver,
    LoanReminder,
    Return,
)
from exchange.bookings.operations import locked
from exchange.bookings.queries import BookingView
from exchange.bookings.wanted import (
    Quotes,
    Request,
    Wanted,
    check_fitness,
    check_free,
    let_through,
    let_through_again,
)
from exchange.catalogue import queries as catalogue
from exchange.db import signed
from exchange.errors import BorrowerCannotPay, ExtensionWaits, NotLater, TooLong, WrongState, refusal_of
from ledger.entries import Acting
from ledger.errors import FloorReached, Refused
from ledger.store import reading, writing

OUT = frozenset({"out", "late"})
LATE_AHEAD = timedelta(days=7)  # what is late keeps its place so long ahead, and nobody may ask for it
EVERY_DAY = timedelta(days=1)  # its place is moved on so often
SOON = timedelta(hours=24)  # before the end, a reminder
LONG_ENOUGH = timedelta(hours=36)  # a loan that is remembered the day before
LATE_BY = {"things": timedelta(hours=2), "rooms": timedelta(hours=24)}  # after the end, a letter


class Outcome(NamedTuple):
    """What became of time that was asked for, and the booking as it was before."""

    granted: bool
    view: BookingView
    until: datetime


def ask(
    session: Session, token: str, until: datetime, *, parties: Collection[int], reason: str, by: Acting, at: datetime
) -> Outcome:
    """Who borrows asks for more time: had at once when nobody follows and every rule lets it through; else the lender
    is asked. Raises WrongState, NotLater, TooLong, ExtensionWaits.
    """
    seen = queries.within(session, token, parties, at=at)
    booking, view = locked(session, token, lender=seen.lender_id if seen else 0, states=OUT, at=at)
    _check_until(view, until, at=at)
    asked = _write(session, booking, until, reason, by=by, at=at)
    granted = _tried(session, booking, view, asked, by=by, at=at)
    return Outcome(granted, view, until)


def grant_at_once(
    session: Session, token: str, until: datetime, *, lender: int, reason: str, by: Acting, at: datetime
) -> Outcome:
    """The officer gives more time to who asked for it at the desk; every rule is run again.

    Raises as ``ask`` and ``grant`` do.
    """
    booking, view = locked(session, token, lender=lender, states=OUT, at=at)
    _check_until(view, until, at=at)
    asked = _write(session, booking, until, reason, by=by, at=at)
    _grant(session, booking, view, asked, by=by, at=at)
    return Outcome(True, view, until)


def grant(session: Session, token: str, *, lender: int, by: Acting, at: datetime) -> Outcome:
    """The officer grants the time that waits. Raises WrongState, what is taken or closed, RuleRefuses,
    BorrowerCannotPay.
    """
    booking, view = locked(session, token, lender=lender, states=OUT, at=at)
    asked = _waiting(session, booking)
    _grant(session, booking, view, asked, by=by, at=at)
    return Outcome(True, view, asked.until)


def decline(session: Session, token: str, *, lender: int, text: str, by: Acting, at: datetime) -> Outcome:
    """The officer doesn't grant it, and says why: the loan ends when it did. Raises WrongState."""
    booking, view = locked(session, token, lender=lender, states=OUT, at=at)
    asked = _waiting(session, booking)
    decide_extension(session, asked, "declined", text=text, by=by, at=at)
    return Outcome(False, view, asked.until)


def _check_until(view: BookingView, until: datetime, *, at: datetime) -> None:
    if until <= max(view.ends_at, at):
        raise NotLater
    if until - max(view.ends_at, at) > policy.LONGEST:
        raise TooLong(days=policy.LONGEST.days)


def _write(session: Session, booking: Booking, until: datetime, reason: str, *, by: Acting, at: datetime) -> Extension:
    if undecided(session, booking.id):
        raise ExtensionWaits
    asked = Extension(token=secrets.token_urlsafe(16), booking_id=booking.id, was_until=booking.ends_at, until=until,
                      reason=reason, asked_at=at, **signed(by))  # fmt: skip
    session.add(asked)
    session.flush()
    return asked


def _waiting(session: Session, booking: Booking) -> Extension:
    found = undecided(session, booking.id)
    if not found:
        raise WrongState(state="answered")
    return found[0]


def _tried(
    session: Session, booking: Booking, view: BookingView, asked: Extension, *, by: Acting, at: datetime
) -> bool:
    """Whether it could be had at once; what was tried in vain is undone."""
    try:
        with session.begin_nested():
            _grant(session, booking, view, asked, by=by, at=at, own=True)
    except Refused:
        return False
    except DBAPIError as refused:
        if refusal_of(refused) is None:
            raise
        return False
    return True


def _grant(
    session: Session, booking: Booking, view: BookingView, asked: Extension, *, by: Acting, at: datetime,
    own: bool = False,
) -> None:  # fmt: skip
    resources = catalogue.views(session, [item.resource_id for item in view.items])
    wanted = tuple(Wanted(resources[item.resource_id], item.still_out) for item in view.items if item.still_out)
    if wanted:
        rest = Request(view.party_id, wanted, view.ends_at, asked.until, view.purpose, view.people)
        check_fitness(rest, zone=view.zone)
        check_free(session, rest, apart_from=[view.token])
    lengthen(session, booking, view, asked.until)
    minutes, hold = _set_aside(session, view, wanted, asked, by=by, at=at, own=own)
    booking.ends_at = asked.until
    decide_extension(session, asked, "granted", minutes=minutes, hold=hold, by=by, at=at)


def _set_aside(
    session: Session, view: BookingView, wanted: tuple[Wanted, ...], asked: Extension, *, by: Acting, at: datetime,
    own: bool,
) -> tuple[int, int | None]:  # fmt: skip
    """What what is still out costs besides, set aside; the rules are run again on the whole of the longer loan."""
    if not wanted:
        return 0, None
    before = Request(view.party_id, wanted, view.starts_at, view.ends_at, view.purpose, view.people)
    held = view._replace(minutes=view.minutes + queries.extra_minutes(session, view.id))
    quotes = Quotes(session, view.party_id, view.lender_id, zone=view.zone, at=at, instead_of=held,
                    asked_at=view.asked_at, offers=view.replaces_id is not None)  # fmt: skip
    longer = quotes.of(before._replace(ends_at=asked.until))
    (let_through if own else let_through_again)(longer)
    minutes = max(longer.minutes - quotes.of(before).minutes, 0)
    if not minutes or longer.community is None:
        return 0, None
    paying = reading.account_of(session, longer.community, view.party_id)
    receiving = reading.account_of(session, longer.community, view.lender_id)
    if paying is None or receiving is None:
        raise BorrowerCannotPay
    try:
        made = writing.hold(
            session, community=longer.community, from_account=paying.id, to_account=receiving.id, minutes=minutes,
            cause=("booking", view.id), key=f"extension:{asked.id}:hold", by=by, at=at,
        )  # fmt: skip
    except FloorReached as refused:
        raise BorrowerCannotPay from refused
    return minutes, made.id


# -- what is late


def keep_places(session: Session, *, at: datetime, after: int = 0) -> int | None:
    """Let the next loan that is late (by id, after one) keep its place a week ahead, up to the next booking; return its
    id, or None when there is no other.
    """
    booking = session.scalar(
        select(Booking)
        .join(HandOver, HandOver.booking_id == Booking.id)
        .where(Booking.ends_at < at, Booking.id > after, Booking.id.not_in(select(Return.booking_id)))
        .order_by(Booking.id)
        .limit(1)
        .with_for_update(of=Booking)
    )
    if booking is None:
        return None
    view = queries.view(session, booking.id, at=at)
    if view.state == "late":
        keep_late(session, booking, view, at=at, until=at + LATE_AHEAD, every=EVERY_DAY)
    return booking.id


class Reminder(NamedTuple):
    """A letter to write about a loan: "soon", the day before its end, or "late"."""

    kind: str
    view: BookingView


def remind(session: Session, *, at: datetime) -> Reminder | None:
    """The next loan about which a letter is due, written once for each end; None when there is none."""
    found = queries.to_remind(session, at=at, soon=SOON, long_enough=LONG_ENOUGH, late_by=LATE_BY)
    if found is None:
        return None
    kind, id_ = found
    view = queries.view(session, id_, at=at)
    session.add(LoanReminder(booking_id=id_, kind=kind, ends_at=view.ends_at, written_at=at))
    session.flush()
    return Reminder(kind, view)


