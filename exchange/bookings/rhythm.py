"""The days of what comes back: every week or two, on several days, or each month on the same one. Without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from exchange.calendars import every_month, every_week, no_school, public_holiday
from exchange.errors import SeriesEmpty, SeriesTooLong

MOST = 120
"""Dates of one series: a year of two days a week, and a little more."""
EVERY = ("week", "fortnight", "month")
LAST = 5  # the fifth Tuesday, which few months have, is understood as the last


class Rhythm(NamedTuple):
    """What comes back: from its first day to a last one, both included.

    ``weekdays`` (0 is Monday) are those of each week; each month it is the same one as the first day's, by its rank.
    """

    every: str
    first: date
    until: date
    weekdays: tuple[int, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """As it is kept with the series."""
        return {**self._asdict(), "first": self.first.isoformat(), "until": self.until.isoformat(),
                "weekdays": list(self.weekdays)}  # fmt: skip


def days(rhythm: Rhythm) -> list[date]:
    """Every day of a rhythm, in order. Raises SeriesEmpty, and SeriesTooLong (facts: most)."""
    found = list(islice(_days(rhythm), MOST + 1))
    if not found:
        raise SeriesEmpty
    if len(found) > MOST:
        raise SeriesTooLong(most=MOST)
    return found


def _days(rhythm: Rhythm) -> Iterator[date]:
    if rhythm.every == "month":
        rank = rank_in_month(rhythm.first)
        return every_month(rhythm.first, rhythm.until, rank=-1 if rank == LAST else rank)
    weekdays = rhythm.weekdays or (rhythm.first.weekday(),)
    return every_week(rhythm.first, rhythm.until, weekdays, apart=2 if rhythm.every == "fortnight" else 1)


def without_holidays(found: Iterable[date], *, school_zone: str | None, public: bool) -> list[date]:
    """Those that are not in the holidays of the schools of a zone, when one is given; nor public holidays.

    Raises SeriesEmpty.
    """
    kept = [
        day for day in found
        if not (school_zone and no_school(day, school_zone)) and not (public and public_holiday(day))
    ]  # fmt: skip
    if not kept:
        raise SeriesEmpty
    return kept


def rank_in_month(day: date) -> int:
    """1 for the first of its weekday in its month, 2 for the second; 5 for the last when there are five."""
    return (day.day - 1) // 7 + 1
