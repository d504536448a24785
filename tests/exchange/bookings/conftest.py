"""Requests in one line."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue.queries import ResourceView
from tests.cast import NOON

NEXT_WEEK = NOON + timedelta(days=7)


def wanting(
    party: int, *wanted: ResourceView | tuple[ResourceView, int], starts: datetime = NEXT_WEEK, hours: float = 4,
    people: int | None = None,
) -> Request:  # fmt: skip
    """A request for these resources, next Saturday at noon for four hours unless it says otherwise."""
    items = tuple(Wanted(each) if isinstance(each, ResourceView) else Wanted(*each) for each in wanted)
    return Request(party, items, starts, starts + timedelta(hours=hours), "Fête", people)
