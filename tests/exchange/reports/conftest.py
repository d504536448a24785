"""A year of loans that a test tells in lines: who had what, when, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from exchange.bookings import operations as bookings
from exchange.bookings.policy import Handed
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue.queries import ResourceView
from exchange.reports import operations
from exchange.reports.policy import Rate
from tests.cast import NOON, Cast
from tests.lent import Lent, lend

ZONE = "Europe/Paris"
PARIS = ZoneInfo(ZONE)
OPENED = datetime(2025, 12, 1, 9, tzinfo=PARIS)  # when the town began to lend
LATER = datetime(2027, 2, 1, 12, tzinfo=PARIS)  # when the years that tests tell are over


def on(day: str, hour: int = 14, minute: int = 0) -> datetime:
    """An hour of a day on the clocks of Paris."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), PARIS).replace(hour=hour, minute=minute)


@pytest.fixture
def lent(session: Session, cast: Cast) -> Lent:
    return lend(session, cast, at=OPENED, chairs=50)


Had = Callable[..., str]


@pytest.fixture
def had(session: Session, cast: Cast) -> Had:
    """Somebody asks, and what follows: "returned", "out", "past" (a room), "no-show", "cancelled", "declined",
    "expired", "accepted" (things that nobody has come for so far) or "pending".
    """

    def tell(
        party: int, *wanted: ResourceView | tuple[ResourceView, int], starts: datetime, hours: float = 4,
        then: str = "past", people: int | None = None, came: int | None = None, ground: str = "services",
        left: dict[int, int] | None = None, after: timedelta = timedelta(days=1),
    ) -> str:  # fmt: skip
        items = tuple(Wanted(each) if isinstance(each, ResourceView) else Wanted(*each) for each in wanted)
        ends = (starts.astimezone(ZoneInfo("UTC")) + timedelta(hours=hours)).astimezone(PARIS)
        asked, lender = starts - timedelta(days=5), items[0].resource.lender_id
        by = cast.alice.by._replace(party=party)
        booking = bookings.ask(session, Request(party, items, starts, ends, "Fête", people), zone=ZONE, by=by, at=asked)
        office: dict[str, Any] = {"lender": lender, "by": cast.olga.by}
        token = booking.token
        if then == "declined":
            bookings.decline(session, token, ground=ground, text="Non, désolée.", at=asked + after, **office)
        elif then == "expired":
            bookings.expire(session, by=cast.system, at=booking.answer_before)
        elif then != "pending":
            bookings.accept(session, token, at=asked + after, **office)
        if then in {"returned", "out"}:
            said = {id_: Handed(many) for id_, many in (left or {}).items()}
            bookings.hand_over(session, token, remarks="", items=said, at=starts, **office)
        if then == "returned":
            bookings.take_back(session, token, remarks="", at=ends, **office)
        if then == "no-show":
            bookings.note_no_show(session, token, remarks="", at=ends, **office)
        if then == "cancelled":
            bookings.cancel(session, token, parties=[party], reason="", by=by, at=starts - timedelta(hours=1))
        if came is not None:
            bookings.count_people(session, booking.id, came, by=cast.olga.by, at=ends)
        return token

    return tell


@pytest.fixture
def voted(session: Session, cast: Cast) -> Callable[..., Rate]:
    """The town's council votes a rate; of everything unless it says otherwise."""

    def vote(
        cents: int, per: str = "hour", *, since: str = "2026-01-01", resource: ResourceView | None = None,
        category: str | None = None,
    ) -> Rate:  # fmt: skip
        first = date.fromisoformat(since)
        rate = Rate(0, cast.town.id, resource.id if resource else None, category, cents, per, first,
                    f"{first.year}-12", first - timedelta(days=20))  # fmt: skip
        row = operations.write_rate(session, rate, by=cast.olga.by, at=NOON)
        return rate._replace(id=row.id)

    return vote


