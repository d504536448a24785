"""The verbs of a series: look at its days, ask for those that are chosen, and decide or cancel them together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.bookings import operations, opinions, policy, queries, rhythm, waiting, wanted
from exchange.bookings.availability import Timetable
from exchange.bookings.claims import claim_all
from exchange.bookings.models import Booking, Series
from exchange.bookings.queries import BookingView
from exchange.bookings.rhythm import Rhythm
from exchange.bookings.wanted import Request
from exchange.db import signed
from exchange.errors import SeriesEmpty, SeriesTooLong
from exchange.reciprocity.policy import Evaluation
from ledger.entries import Acting
from ledger.errors import Refused


class Hours(NamedTuple):
    """From when to when each day, on the clocks of the territory; what ends before it starts ends the day after."""

    starts: time
    ends: time


class Day(NamedTuple):
    """One day of a series before it is asked for: what it would be and cost, or why it can't be."""

    day: date
    request: Request | None
    evaluation: Evaluation | None
    refused: Refused | None


def look(
    session: Session, request: Request, days: Sequence[date], hours: Hours, *, zone: str, at: datetime
) -> list[Day]:
    """What becomes of a request on each of these days, in as many questions to the database as for one of them."""
    there, lender = ZoneInfo(zone), wanted.one_lender(request.wanted)
    first, after = (datetime.combine(day, time(), there) for day in (min(days), max(days) + timedelta(days=2)))
    table = Timetable(session, [each.resource for each in request.wanted], first, after, at=at)
    quotes = wanted.Quotes(session, request.party, lender, zone=zone, at=at)

    def looked_at(day: date) -> Day:
        that_day = None
        try:
            that_day = on(request, day, hours, zone=zone)
            wanted.check(that_day, zone=zone, at=at)
            if refused := table.refusal(that_day.wanted, that_day.starts_at, that_day.ends_at):
                raise refused
            wanted.let_through(evaluation := quotes.of(that_day))
        except Refused as error:
            return Day(day, that_day, None, error)
        return Day(day, that_day, evaluation, None)

    return [looked_at(day) for day in days]


def on(request: Request, day: date, hours: Hours, *, zone: str) -> Request:
    """The same request on a day of the series. Raises HourMissing for an hour that the clocks skip."""
    last = day if hours.starts < hours.ends else date.fromordinal(day.toordinal() + 1)
    return request._replace(
        starts_at=policy.instant(day, hours.starts, zone), ends_at=policy.instant(last, hours.ends, zone)
    )


def ask(
    session: Session, requests: Sequence[Request], rhythm_: Rhythm, *, zone: str, by: Acting, at: datetime
) -> Series:
    """Ask for one thing on several days, all or nothing; where nobody has to decide, all are accepted at once.

    Raises what ``operations.ask`` does, with the moment that is refused (fact: starts_at); SeriesEmpty, SeriesTooLong.
    """
    if not requests:
        raise SeriesEmpty
    if len(requests) > rhythm.MOST:
        raise SeriesTooLong(most=rhythm.MOST)
    lender, party = wanted.one_lender([each for one in requests for each in one.wanted]), requests[0].party
    quotes = wanted.Quotes(session, party, lender, zone=zone, at=at)
    series = Series(token=secrets.token_urlsafe(16), lender_id=lender, party_id=party, rhythm=rhythm_.as_record(),
                    asked_at=at, **signed(by))  # fmt: skip
    session.add(series)
    session.flush()
    made = []
    for one in requests:
        try:
            wanted.check(one, zone=zone, at=at)
            wanted.let_through(evaluation := quotes.of(one))
            waiting.refuse_overtaking(session, one, at=at)
            operations.make_room(session, one.wanted, one.starts_at, one.ends_at, at=at)
        except Refused as refused:
            refused.facts["starts_at"] = one.starts_at.isoformat()
            raise
        booking = operations.write_request(
            session, one, lender, evaluation, zone=zone, by=by, at=at, series=series.id
        )
        made.append((booking, operations.write_items(session, booking, one, evaluation)))
        operations.bind(session, booking, one)
    claim_all(session, made)
    for booking, _items in made:
        operations.accept_alone(session, booking, requests[0], by=by, at=at)
    return series


class Outcome(NamedTuple):
    """What was done together: the bookings that it was done to, and those that it could not be, with why."""

    done: list[BookingView]
    refused: list[tuple[BookingView, Refused]]


def accept(session: Session, series: Series, *, by: Acting, at: datetime) -> Outcome:
    """The lender's officer accepts each day that waits, as far as the rules and the borrower's account let it."""
    return accept_each(session, _waiting(session, series, at=at), by=by, at=at)


def accept_each(session: Session, found: Sequence[BookingView], *, by: Acting, at: datetime) -> Outcome:
    """Accept several requests of one lender, whose rows are locked, each as far as it can be."""
    return _each(session, found, lambda view: operations.accept(
        session, view.token, lender=view.lender_id, by=by, at=at))  # fmt: skip


def decline_each(
    session: Session, found: Sequence[BookingView], *, ground: str, text: str, by: Acting, at: datetime
) -> Outcome:
    """Refuse several requests of one lender, whose rows are locked, on one ground, each as far as it can be."""
    return _each(session, found, lambda view: operations.decline(
        session, view.token, lender=view.lender_id, ground=ground, text=text, by=by, at=at))  # fmt: skip


def _each(session: Session, found: Sequence[BookingView], do: Callable[[BookingView], object]) -> Outcome:
    outcome = Outcome([], [])
    for view in found:
        try:
            with session.begin_nested():
                do(view)
            outcome.done.append(view)
        except Refused as error:
            outcome.refused.append((view, error))
    return outcome


def decline(
    session: Session, series: Series, *, ground: str, text: str, by: Acting, at: datetime
) -> list[BookingView]:
    """The lender's officer refuses every day that waits, on one ground."""
    found = _waiting(session, series, at=at)
    for view in found:
        operations.decline(session, view.token, lender=series.lender_id, ground=ground, text=text, by=by, at=at)
    return found


def waiting_with(session: Session, leads: Sequence[BookingView], *, at: datetime) -> list[BookingView]:
    """These requests as they are under their locks, with every waiting day of the series that they lead."""
    of = {view.series_id for view in leads if view.series_id is not None}
    wanted = Booking.id.in_([view.id for view in leads]) | Booking.series_id.in_(of)
    ids = session.scalars(select(Booking.id).where(wanted).order_by(Booking.id).with_for_update()).all()
    return [view for view in queries.views(session, ids, at=at) if view.state == "pending"]


def give_opinion(
    session: Session, series: Series, *, favourable: bool, text: str, by: Acting, at: datetime
) -> list[BookingView]:
    """A step speaks at once of every day that waits for it; return them. Raises what ``opinions.give`` does."""
    found = _waiting(session, series, at=at)
    turns = opinions.turns(session, found, by=by, at=at)
    mine = [view for view in found if (turn := turns.get(view.id)) and turn.mine and not turn.last]
    for view in mine or found[:1]:
        opinions.give(session, view.token, lender=series.lender_id, favourable=favourable, text=text, by=by, at=at)
    return mine


def cancel(session: Session, series: Series, *, reason: str, by: Acting, at: datetime) -> list[BookingView]:
    """Who asked needs none of the days to come any more."""
    found = _locked(session, series, lambda view: view.state in {"pending", "accepted"} and view.starts_at > at, at=at)
    for view in found:
        operations.cancel(session, view.token, parties=[series.party_id], reason=reason, by=by, at=at)
    return found


def _waiting(session: Session, series: Series, *, at: datetime) -> list[BookingView]:
    return _locked(session, series, lambda view: view.state == "pending", at=at)


def _locked(
    session: Session, series: Series, wanted: Callable[[BookingView], bool], *, at: datetime
) -> list[BookingView]:
    """The days of a series that are ``wanted``, in order, once all of its rows are locked: an act on one of them takes
    its row before an account, so an act on all takes all rows before any account.
    """
    session.scalars(
        select(Booking.id).where(Booking.series_id == series.id).order_by(Booking.id).with_for_update()
    ).all()
    return [view for view in queries.of_series(session, series.id, at=at) if wanted(view)]
