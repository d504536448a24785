"""Opening hours in the OpenStreetMap syntax, with the French public holidays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from functools import lru_cache
from itertools import pairwise
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


# What most places are: the same hours on some days, perhaps twice a day, perhaps others on other days. Officers tick
# that; anything else is written in full.

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MOST_OPENINGS = 2
LATEST = time(6)  # a place that closes after midnight closes before this
HOLIDAYS_OFF = "PH off"
ALWAYS = "24/7"
_SPAN = r"(\d\d?):(\d\d)-(\d\d?):(\d\d)"
_DAYS = r"[A-Z][a-z](?:-[A-Z][a-z])?"
_OPENING = re.compile(rf"({_DAYS}(?:,{_DAYS})*) ({_SPAN}(?:, ?{_SPAN})?)")

Span = tuple[time, time]  # midnight, at the end, is that of the day after


class Opening(NamedTuple):
    """Days of the week that share one or two spans of hours."""

    days: tuple[str, ...]
    spans: tuple[Span, ...]


class Week(NamedTuple):
    """When a place is open; no opening at all is always."""

    openings: tuple[Opening, ...] = ()
    holidays_off: bool = False


class NotAnOpening(ValueError):
    """What was ticked makes no sense: ``why`` is "days-missing", "hours-missing", "closes-first" or "overlap"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def opening(days: Iterable[str], spans: Sequence[tuple[time | None, time | None]]) -> Opening | None:
    """What was ticked and typed; None when nothing was. Raises NotAnOpening."""
    ticked = tuple(day for day in DAYS if day in set(days))
    typed = [span for span in spans if span != (None, None)]
    if not ticked and not typed:
        return None
    if not ticked:
        raise NotAnOpening("days-missing")
    whole = tuple((start, end) for start, end in typed if start is not None and end is not None)
    if not typed or len(whole) < len(typed) or spans[0] == (None, None):
        raise NotAnOpening("hours-missing")
    if not all(start < end or (end <= LATEST and end != start) or end == time(0) for start, end in whole):
        raise NotAnOpening("closes-first")
    if any(until <= before or then < until for (before, until), (then, _end) in pairwise(whole)):
        raise NotAnOpening("overlap")
    return Opening(ticked, whole)


def written(week: Week) -> str:
    """A week in the syntax; nothing for a place that is always open."""
    rules = [f"{_days(each.days)} {','.join(map(_span, each.spans))}" for each in week.openings]
    if week.holidays_off:
        rules = [*(rules or [ALWAYS]), HOLIDAYS_OFF]
    return "; ".join(rules)


def understood(expression: str) -> Week | None:
    """The week that an expression says, or None when it says more than can be ticked."""
    rules = [rule.strip() for rule in expression.split(";")] if expression.strip() else []
    holidays_off = rules[-1:] == [HOLIDAYS_OFF]
    rules = rules[:-1] if holidays_off else rules
    if rules == [ALWAYS]:
        return Week((), holidays_off)
    read = [_opening(rule) for rule in rules]
    openings = tuple(each for each in read if each is not None)
    days = [day for each in openings for day in each.days]
    if len(openings) < len(rules) or len(rules) > MOST_OPENINGS or len(set(days)) < len(days):
        return None
    return Week(openings, holidays_off) if openings or not holidays_off else None


def _opening(rule: str) -> Opening | None:
    found = _OPENING.fullmatch(rule)
    if found is None:
        return None
    figures = [int(figure) for figure in found.groups()[2:] if figure is not None]
    try:
        times = [time(hour % 24 if minute == 0 and hour == 24 else hour, minute)
                 for hour, minute in zip(figures[::2], figures[1::2], strict=True)]  # fmt: skip
        return opening(_each_day(found[1]), list(zip(times[::2], times[1::2], strict=True)))
    except ValueError:  # 25:00, Xy, or hours that nobody could tick
        return None


def _each_day(words: str) -> list[str]:
    """The days of "Mo-We,Sa". Raises ValueError for one that is none."""
    days: list[str] = []
    for word in words.split(","):
        first, *last = (DAYS.index(day) for day in word.split("-"))
        days += DAYS[first : (last or [first])[-1] + 1]
    if not days:
        raise ValueError(words)
    return days


def _days(days: Sequence[str]) -> str:
    """Three days or more that follow each other as "Mo-We", others one by one."""
    runs: list[list[str]] = []
    for day in days:
        if runs and DAYS.index(runs[-1][-1]) + 1 == DAYS.index(day):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(run) for run in runs)


def _span(span: Span) -> str:
    start, end = span
    return f"{start:%H:%M}-{'24:00' if end == time(0) else format(end, '%H:%M')}"
