"""Opening hours in the OpenStreetMap syntax, with the French public holidays."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State
from opening_hours.opening_hours import ParserError


class Interval(NamedTuple):
    """A half-open span during which a place stays open, or stays closed."""

    starts_at: datetime
    ends_at: datetime
    open: bool


class NotHours(ValueError):
    """The expression is not opening hours; ``position`` is where it stops making sense, from 1."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@lru_cache(maxsize=2048)
def parse(expression: str, zone: str) -> OpeningHours:
    """The parsed expression, once for each version of it. Raises NotHours."""
    try:
        return OpeningHours(expression, timezone=ZoneInfo(zone), country="FR")
    except ParserError as wrong:
        raise NotHours(_position(str(wrong))) from wrong


def _position(message: str) -> int:
    """The parser names the place as " --> 1:7"."""
    _, _, place = message.partition("--> ")
    column = place.partition("\n")[0].partition(":")[2].strip()
    return int(column) if column.isdigit() else 1


def intervals(expression: str, zone: str, starts_at: datetime, ends_at: datetime) -> list[Interval]:
    """The open and closed intervals between two instants; no expression means always open."""
    if not expression:
        return [Interval(starts_at, ends_at, open=True)]
    there = ZoneInfo(zone)
    hours = parse(expression, zone)
    found = hours.intervals(starts_at.astimezone(there), ends_at.astimezone(there))
    return [Interval(start, min(end or ends_at, ends_at), state == State.OPEN) for start, end, state, _comment in found]


def open_throughout(expression: str, zone: str, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a place is open during the whole of a span."""
    return all(interval.open for interval in intervals(expression, zone, starts_at, ends_at))
