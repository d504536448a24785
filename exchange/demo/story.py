"""What happens in the demonstration, told in the order in which it happened."""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOMENT = re.compile(r"(?P<weekday>[a-z]{3})?(?P<first>[+-]\d+)(?P<days>[+-]\d+)? (?P<hour>\d\d):(?P<minute>\d\d)")


class Calendar(NamedTuple):
    """The days around the one when the demonstration is loaded, on the clocks of the territory."""

    today: date
    zone: str

    def moment(self, days: int, hour: int = 0, minute: int = 0) -> datetime:
        """A wall-clock time so many days from today."""
        return self.on(self.today + timedelta(days=days), hour, minute)

    def on(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A wall-clock time of a day; twenty-four o'clock is the midnight that ends it."""
        ends = timedelta(days=1) if hour == 24 else timedelta()
        return datetime.combine(day + ends, time(hour % 24, minute), ZoneInfo(self.zone))

    def next(self, weekday: int, *, weeks: int = 0) -> date:
        """The first such weekday (Monday is 0) after today, or some weeks later (earlier, when negative)."""
        return self.today + timedelta(days=(weekday - self.today.weekday() - 1) % 7 + 1 + 7 * weeks)

    def read(self, written: str) -> datetime:
        """A moment as the texts write it: "-9 10:00", "tue+1 18:00", "tue-2-3 18:00"."""
        found = MOMENT.fullmatch(written)
        assert found is not None, written
        number, more = int(found["first"]), int(found["days"] or 0)
        day = self.today + timedelta(days=number)
        if found["weekday"]:
            day = self.next(WEEKDAYS.index(found["weekday"]), weeks=number)
        return self.on(day + timedelta(days=more), int(found["hour"]), int(found["minute"]))


class Story:
    """Acts planned for an instant, done when their turn comes: the books only ever go forward."""

    def __init__(self) -> None:
        self._acts: list[tuple[datetime, int, Callable[[datetime], object]]] = []
        self._number = itertools.count()

    def plan(self, when: datetime, act: Callable[..., object], *given: Any, **named: Any) -> None:
        """Call ``act(*given, **named, at=when)`` at that instant, after what was planned before for the same one."""
        heapq.heappush(self._acts, (when, next(self._number), lambda at: act(*given, **named, at=at)))

    def tell(self, *, until: datetime) -> None:
        """Do everything planned up to an instant, what the acts themselves plan included; the rest never happens."""
        while self._acts and self._acts[0][0] <= until:
            at, _number, act = heapq.heappop(self._acts)
            act(at)
