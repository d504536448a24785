"""Options and places on a waiting list in one line: of the town's hall, next Saturday from noon to four."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import options, queries, waiting, wishes
from exchange.bookings.models import Booking, Wish
from exchange.bookings.queries import BookingView
from exchange.bookings.wanted import Request
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from tests.cast import NOON, SATURDAY, Cast, Person
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent

PARIS = "Europe/Paris"
DAY = timedelta(days=1)


def with_options(session: Session, lent: Lent, *, days: int = 5, call: int = 2, turn: int = 48) -> Lent:
    """Everything may be held for so many days; for fewer once somebody else wants it."""
    session.execute(
        text("UPDATE resources SET option_days = :days, option_call_days = :call, turn_hours = :turn"),
        {"days": days, "call": call, "turn": turn},
    )
    views = catalogue.views(session, [it.id for it in lent])
    return Lent(*(views[it.id] for it in lent))


def wish(person: Person, it: ResourceView | tuple[ResourceView, int], **when: object) -> Request:
    """What somebody wants."""
    return wanting(person.party.id, it, **when)  # type: ignore[arg-type]


def take(
    session: Session, person: Person, it: ResourceView | tuple[ResourceView, int], *, at: datetime = NOON,
    **when: object,
) -> Booking:  # fmt: skip
    """Somebody takes an option."""
    return options.take(session, wish(person, it, **when), zone=PARIS, by=person.by, at=at)


def join(
    session: Session, person: Person, it: ResourceView | tuple[ResourceView, int], *, at: datetime = NOON,
    **when: object,
) -> Wish:  # fmt: skip
    """Somebody waits."""
    return wishes.join(session, wish(person, it, **when), zone=PARIS, by=person.by, at=at).wish


def turns(session: Session, cast: Cast, *, at: datetime = NOON) -> list[int]:
    """What is free is held for who waits for the town's things; the parties that have a turn."""
    given = wishes.give_turns(session, cast.town.id, by=cast.system, at=at, today=SATURDAY).given
    return [view.party_id for view in given]


def became(session: Session, booking: Booking | BookingView, *, at: datetime = NOON) -> str:
    """How a booking stands."""
    return queries.view(session, booking.id, at=at).state


def outcome(session: Session, of: Wish, *, at: datetime = NOON) -> str | None:
    """How a place on the list ended, or None while it is open."""
    return waiting.by_ids(session, [of.id], at=at)[0].outcome
