"""Opening hours in the OpenStreetMap syntax, with the French public holidays, and those of schools by zone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State
from opening_hours.opening_hours import ParserError

from exchange.calendars import school_holidays


class Interval(NamedTuple):
    """A half-open span during which a place stays open, or stays closed."""

    starts_at: datetime
    ends_at: datetime
    open: bool


class NotHours(ValueError):
    """The expression is not opening hours; ``position`` is where it stops making sense, from 1.

    ``why`` is "syntax", or "schools" when it speaks of school holidays and names no zone.
    """

    def __init__(self, position: int, why: str = "syntax") -> None:
        super().__init__(position)
        self.position = position
        self.why = why


def check(expression: str, zone: str) -> None:
    """Raise NotHours for what isn't opening hours, or leaves open of which schools it speaks."""
    parse(expression, zone)
    for rule in _RULES.finditer(expression):
        if (schools := _SCHOOLS.search(rule[0])) and not _SCHOOL_ZONE.search(rule[0]):
            raise NotHours(rule.start() + schools.start() + 1, "schools")


@lru_cache(maxsize=2048)
def parse(expression: str, zone: str) -> OpeningHours:
    """The parsed expression, once for each version of it. Raises NotHours."""
    try:
        hours = OpeningHours(expression, timezone=ZoneInfo(zone), country="FR")
    except ParserError as wrong:
        raise NotHours(_position(str(wrong))) from wrong
    if not _SCHOOLS.search(expression):
        return hours
    return OpeningHours(_RULES.sub(_dated, expression), timezone=ZoneInfo(zone), country="FR")


_RULES = re.compile(r'(?:"[^"]*"|[^;"])+')
_SCHOOLS = re.compile(r'\bSH\b(?=[^"]*(?:"[^"]*"[^"]*)*$)')  # not in a comment
_SCHOOL_ZONE = re.compile(r'"zone ([ABC])"')


def _dated(rule: re.Match[str]) -> str:
    """A rule that speaks of the holidays of schools, with their dates: the library knows none.

    The syntax has no word for the zones of France: the rule's comment says which one, as in ``SH off "zone B"``.
    """
    named = _SCHOOL_ZONE.search(rule[0])
    if named is None:
        return rule[0]
    spans = (f"{first:%Y %b %d}-{last:%Y %b %d}" for first, last in school_holidays(named[1]))
    return _SCHOOLS.sub(",".join(spans), rule[0])


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
    there = ZoneInfo(zone)
    first, last = starts_at.astimezone(there), ends_at.astimezone(there)
    if last <= first:  # as clocks show them, in the hour that comes twice: all of that hour, then
        first, last = last.replace(minute=0, fold=0), first.replace(minute=0, fold=0) + timedelta(hours=1)
    return all(interval.open for interval in intervals(expression, zone, first, last))


# What most places are: the same hours on some days, perhaps twice a day, perhaps others on other days. Officers tick
# that; anything else is written in full.

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MOST_OPENINGS = 2
LATEST = time(6)  # a place that closes after midnight closes before this
HOLIDAYS_OFF = "PH off"
_SCHOOLS_OFF = re.compile(r'SH off "zone ([ABC])"')
ALWAYS = "24/7"
_SPAN = r"\d\d?:\d\d-\d\d?:\d\d"
_DAYS = r"[A-Z][a-z](?:-[A-Z][a-z])?"
_OPENING = re.compile(rf"({_DAYS}(?:,{_DAYS})*) ({_SPAN}(?:, ?{_SPAN})?)")
_SPECIAL = re.compile(rf"(\d{{4}} [A-Z][a-z]{{2}} \d\d?) ({_SPAN}(?:, ?{_SPAN})?)")

Span = tuple[time, time]  # midnight, at the end, is that of the day after


class Opening(NamedTuple):
    """Days of the week that share one or two spans of hours."""

    days: tuple[str, ...]
    spans: tuple[Span, ...]


class Special(NamedTuple):
    """A day that has hours of its own, whatever the day of the week."""

    day: date
    spans: tuple[Span, ...]


class Week(NamedTuple):
    """When a place is open; no opening at all is always. ``schools_off``: the zone whose schools' holidays close it."""

    openings: tuple[Opening, ...] = ()
    holidays_off: bool = False
    schools_off: str = ""
    specials: tuple[Special, ...] = ()


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
    """A week in the syntax; nothing for a place that is always open, but for the days that have their own hours:
    alone, they would be the only ones on which it is open.
    """
    rules = [f"{_days(each.days)} {','.join(map(_span, each.spans))}" for each in week.openings]
    closed = [f'SH off "zone {week.schools_off}"'] if week.schools_off else []
    closed += [HOLIDAYS_OFF] if week.holidays_off else []
    return with_specials("; ".join([*(rules or ([ALWAYS] if closed or week.specials else [])), *closed]), week.specials)


def specials_of(expression: str) -> tuple[str, tuple[Special, ...]]:
    """What an expression says of every week, and the days at its end that have hours of their own."""
    rules = [rule.strip() for rule in _RULES.findall(expression)]
    found: list[Special] = []
    while rules and (special := _special(rules[-1])):
        found.append(special)
        rules.pop()
    return "; ".join(rules), tuple(reversed(found))


def with_specials(expression: str, specials: Iterable[Special]) -> str:
    """Every week's hours, and days that have their own: the last rule that speaks of a day is the one that counts."""
    days = (f"{each.day:%Y %b %d} {','.join(map(_span, each.spans))}" for each in sorted(specials))
    return "; ".join(filter(None, [expression, *days]))


def replaced(expression: str, by: str) -> str:
    """Other hours of every week, and still the days that have their own; ``by`` may give a day other ones."""
    weekly, given = specials_of(by)
    days = {each.day: each for each in (*specials_of(expression)[1], *given)}
    return with_specials(weekly if by else ALWAYS, days.values()) if days else by


def _special(rule: str) -> Special | None:
    found = _SPECIAL.fullmatch(rule)
    try:
        spans = _times(found[2]) if found else []
        return Special(datetime.strptime(found[1], "%Y %b %d").date(), tuple(spans)) if found else None  # noqa: DTZ007 - a day
    except ValueError:
        return None


def understood(expression: str) -> Week | None:
    """The week that an expression says, or None when it says more than can be ticked."""
    weekly, specials = specials_of(expression)
    if expression.strip() and not (weekly or specials):
        return None
    rules = [rule.strip() for rule in weekly.split(";")] if weekly else []
    holidays_off = rules[-1:] == [HOLIDAYS_OFF]
    rules = rules[:-1] if holidays_off else rules
    schools = _SCHOOLS_OFF.fullmatch(rules[-1]) if rules else None
    rules = rules[:-1] if schools else rules
    closed = Week((), holidays_off, schools[1] if schools else "", specials)
    if rules == [ALWAYS]:
        return closed
    read = [_opening(rule) for rule in rules]
    openings = tuple(each for each in read if each is not None)
    days = [day for each in openings for day in each.days]
    if len(openings) < len(rules) or len(rules) > MOST_OPENINGS or len(set(days)) < len(days):
        return None
    return closed._replace(openings=openings) if openings or not (holidays_off or schools) else None


def _opening(rule: str) -> Opening | None:
    found = _OPENING.fullmatch(rule)
    if found is None:
        return None
    try:
        return opening(_each_day(found[1]), _times(found[2]))
    except ValueError:  # 25:00, Xy, or hours that nobody could tick
        return None


def _times(spans: str) -> list[Span]:
    """The spans of "08:30-12:00,13:30-24:00". Raises ValueError."""
    figures = [int(figure) for figure in re.findall(r"\d+", spans)]
    times = [time(hour % 24 if minute == 0 and hour == 24 else hour, minute)
             for hour, minute in zip(figures[::2], figures[1::2], strict=True)]  # fmt: skip
    return list(zip(times[::2], times[1::2], strict=True))


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
