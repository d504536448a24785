"""Which rate is in force, the hours that spans share, and what a list of loans adds up to; without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

PERS = ("hour", "half-day", "day")
FIRST_YEAR, LAST_YEAR = 1901, 2199
LONGEST = timedelta(days=1830)  # of a period that is looked at: five years

Span = tuple[datetime, datetime]


class Rate(NamedTuple):
    """So many cents per hour, half-day or day for one thing, from a day on. Without ``resource`` and ``category``, of
    everything that its lender lends.
    """

    id: int
    lender: int
    resource: int | None
    category: str | None
    cents: int
    per: str
    starts_on: date
    decision: str  # its number
    decided_on: date

    @property
    def of(self) -> tuple[int | None, str | None]:
        """What it is the rate of: one rate of the same follows another."""
        return self.resource, self.category

    def binds(self, resource: int, category: str) -> bool:
        """Whether it is a rate of this resource."""
        return self.resource == resource if self.resource else self.category in (None, category)


def rate_for(rates: Iterable[Rate], resource: int, category: str, on: date) -> Rate | None:
    """The rate of a resource on a day: its own before that of its category, that before the one of everything; of the
    same, the one that began last, or was written last. None where nothing was voted.
    """
    voted = (rate for rate in rates if rate.starts_on <= on and rate.binds(resource, category))
    return max(voted, key=lambda rate: (rate.resource is not None, rate.category is not None, rate.starts_on, rate.id),
               default=None)  # fmt: skip


def in_force(rates: Iterable[Rate], on: date) -> set[int]:
    """The rates (ids) that a loan of this day may be valued at."""
    last: dict[tuple[int | None, str | None], Rate] = {}
    for rate in sorted((rate for rate in rates if rate.starts_on <= on), key=lambda rate: (rate.starts_on, rate.id)):
        last[rate.of] = rate
    return {rate.id for rate in last.values()}


class Line(NamedTuple):
    """One resource of a loan, with its value: None where no rate was voted."""

    resource: int
    name: str
    quantity: int
    rate: Rate | None
    cents: int | None


class Loan(NamedTuple):
    """What somebody had, from when to when. Without any line, nobody came for any of it.

    ``people`` are those who were expected, ``came`` those who were counted; None when nobody said.
    """

    token: str
    lender: int
    party: int
    starts_at: datetime
    ends_at: datetime
    people: int | None
    came: int | None
    missed: bool  # somebody noted that nobody came for the things
    lines: tuple[Line, ...]

    @property
    def minutes(self) -> int:
        """How long it was booked for, as time passes."""
        return minutes_of((self.starts_at, self.ends_at))

    @property
    def cents(self) -> int:
        """The value of what has one."""
        return sum(line.cents or 0 for line in self.lines)

    @property
    def unvalued(self) -> bool:
        """Whether some of it has no value that was voted."""
        return any(line.cents is None for line in self.lines)


class Total(NamedTuple):
    """What loans add up to; ``unvalued`` and ``missed`` are numbers of loans."""

    loans: int
    minutes: int
    people: int
    came: int
    counted: int  # loans whose people were counted
    cents: int
    unvalued: int
    missed: int

    @property
    def valued(self) -> bool:
        """Whether anything has a value: zero may have been voted."""
        return self.loans > self.unvalued or self.cents > 0


def total(loans: Iterable[Loan]) -> Total:
    """The sum of loans; those that nobody came for are only counted apart."""
    found = list(loans)
    had = [loan for loan in found if loan.lines]
    return Total(
        len(had), sum(loan.minutes for loan in had), sum(loan.people or 0 for loan in had),
        sum(loan.came or 0 for loan in had), sum(loan.came is not None for loan in had),
        sum(loan.cents for loan in had), sum(loan.unvalued for loan in had), sum(loan.missed for loan in found),
    )  # fmt: skip


# -- spans


def midnight(day: date, zone: str) -> datetime:
    """The beginning of a day on the clocks of the territory."""
    return datetime.combine(day, time(0), ZoneInfo(zone))


def year(number: int, zone: str) -> Span:
    """A civil year on the clocks of the territory."""
    return midnight(date(number, 1, 1), zone), midnight(date(number + 1, 1, 1), zone)


def days(first: date, last: date, zone: str) -> Span:
    """From the beginning of a day to the end of another."""
    return midnight(first, zone), midnight(last + timedelta(days=1), zone)


def minutes_of(*spans: Span) -> int:
    """The minutes that pass during spans that don't overlap, whatever clocks do meanwhile."""
    seconds = sum((end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() for start, end in spans)
    return int(seconds // 60)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The time that is in any of these spans, in order."""
    found: list[Span] = []
    for start, end in sorted((start.astimezone(UTC), end.astimezone(UTC)) for start, end in spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif start < end:
            found.append((start, end))
    return found


def shared(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The time that is in both, each in order and without overlaps."""
    found, other = [], 0
    for start, end in some:
        while other < len(others) and others[other][1] <= start:
            other += 1
        for begun, ended in others[other:]:
            if begun >= end:
                break
            found.append((max(start, begun), min(end, ended)))
    return found


def without(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The time that is in the first and not in the second, each in order and without overlaps."""
    edges = [(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)), *others,
             (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))]  # fmt: skip
    return shared(some, [(before[1], after[0]) for before, after in pairwise(edges) if before[1] < after[0]])


def published_spans(acts: Iterable[tuple[str, datetime]], until: datetime) -> list[Span]:
    """When something could be asked for, from what was done to it in order: published, then withdrawn or retired."""
    found: list[Span] = []
    since: datetime | None = None
    for act, at in acts:
        if act == "published":
            since = since or at
        elif act in {"withdrawn", "retired"} and since is not None:
            found.append((since, at))
            since = None
    return merged([*found, *([(since, until)] if since is not None and since < until else [])])
