"""Rules of time and of states, without any I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from exchange.errors import (
    EndsBeforeStart,
    HourMissing,
    InThePast,
    MoreThanBooked,
    MoreThanOut,
    NothingLeaves,
    TooFar,
    TooLong,
)

LONGEST = timedelta(days=31)
FARTHEST = timedelta(days=550)  # next year's fête can be asked for, not the one after
CANCEL_NOTICE = timedelta(hours=24)  # later than this before the start, the minutes are due all the same
ANSWER_WITHIN = timedelta(days=15)  # a request holds its slot until it is decided, or this long
HANDED_OVER_WITHIN = timedelta(days=14)  # before the start: earlier is another loan than the one that is meant
FOREVER = datetime.max.replace(tzinfo=UTC)
NOTED_WITHIN = timedelta(hours=24)  # after the end, a hand-over that nobody thought of noting can still be noted

MOST_OPTIONS = 3  # open ones of a party with one lender
OPTION_AT_LEAST = timedelta(hours=1)  # what would hold for less is asked for firmly
TURN_AT_LEAST = timedelta(minutes=10)  # what is left to answer in, at least
MOST_WISHES = 20  # places of a party on waiting lists

GROUNDS = ("property", "services", "order", "rule", "other")


def instant(day: date, at: time, zone: str) -> datetime:
    """A wall-clock time of the territory as an instant.

    An hour that exists twice, when clocks go back, is the first. Raises HourMissing for one that they skip.
    """
    local = datetime.combine(day, at, ZoneInfo(zone))
    if local.astimezone(ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise HourMissing(day=day.isoformat(), hour=at.strftime("%H:%M"))
    return local


def check_span(starts_at: datetime, ends_at: datetime, *, at: datetime) -> None:
    """Raise EndsBeforeStart, InThePast, TooFar or TooLong."""
    if ends_at.astimezone(UTC) <= starts_at.astimezone(UTC):  # and not as clocks show them
        raise EndsBeforeStart
    if starts_at < at:
        raise InThePast
    if starts_at - at > FARTHEST:
        raise TooFar(days=FARTHEST.days)
    if ends_at - starts_at > LONGEST:
        raise TooLong(days=LONGEST.days)


def held_until(ends_at: datetime, buffer_minutes: int) -> datetime:
    """When what was used is free again: after the time to put it back in order, whatever clocks do meanwhile."""
    return ends_at.astimezone(UTC) + timedelta(minutes=buffer_minutes)


def cancelled_in_time(starts_at: datetime, at: datetime, *, accepted: bool) -> bool:
    """Whether a cancellation gives the minutes back: always before the decision, then until a day before."""
    return not accepted or starts_at - at >= CANCEL_NOTICE


def answer_before(starts_at: datetime, at: datetime) -> datetime:
    """Until when a request holds its slot without an answer: fifteen days, and never beyond its start."""
    return min(starts_at, at + ANSWER_WITHIN)


def option_until(starts_at: datetime, at: datetime, *, days: int, notice_hours: int) -> datetime:
    """Until when an option holds: so many days, and never beyond the last instant at which it can be asked for."""
    return min(starts_at - timedelta(hours=notice_hours), at + timedelta(days=days))


def called_until(held_until: datetime, at: datetime, *, days: int) -> datetime:
    """Until when an option holds once somebody else wants it: so many days, and never longer than it did."""
    return min(held_until, at + timedelta(days=days))


def turn_until(starts_at: datetime, at: datetime, *, hours: int, notice_hours: int) -> datetime | None:
    """Until when what frees is held for who waits: so many hours, half of what is left when that is less, so that
    the next has a turn too; None when it is too late for anybody to answer.
    """
    left = (starts_at - timedelta(hours=notice_hours) - at) / 2
    return at + min(timedelta(hours=hours), left) if left >= TURN_AT_LEAST else None


def state(
    *, verdict: str | None, offered: bool, cancelled: bool, no_show: bool, handed_over: bool, returned: bool,
    ends_at: datetime, at: datetime, held_until: datetime | None = None,
) -> str:  # fmt: skip
    """What became of a booking, in one word.

    option (held, not asked for firmly), pending, offered (by the lender, in place of another), accepted, declined,
    expired, cancelled, no-show (nobody came for the things), out (handed over), late (out beyond its end), returned or
    past.
    """
    if cancelled:
        return "cancelled"
    if no_show:
        return "no-show"
    if held_until is not None:
        return "option" if at < held_until else "expired"
    if verdict is None:
        return "offered" if offered else "pending"
    if verdict != "accepted":
        return verdict
    if returned:
        return "returned"
    if handed_over:
        return "late" if ends_at < at else "out"
    return "past" if ends_at <= at else "accepted"


class Handed(NamedTuple):
    """How many of something leave, and what is remarked of them."""

    quantity: int
    remarks: str = ""


class Back(NamedTuple):
    """Of something: how many are back as they left, how many broken, how many are lost."""

    back: int = 0
    broken: int = 0
    lost: int = 0
    remarks: str = ""

    @property
    def counted(self) -> int:
        """How many are accounted for."""
        return self.back + self.broken + self.lost


def became(what: str, quantity: int) -> Back:
    """All of something in one word: "back", "broken", "lost", or "still" out."""
    whole = {"back": Back(back=quantity), "broken": Back(broken=quantity), "lost": Back(lost=quantity)}
    return whole.get(what, Back())


def leaving(booked: Mapping[int, int], handed: Mapping[int, Handed]) -> dict[int, Handed]:
    """What leaves of each resource that is booked, all of it when nothing is said.

    Raises MoreThanBooked (facts: resource, most), and NothingLeaves.
    """
    found = {id_: handed.get(id_, Handed(quantity)) for id_, quantity in booked.items()}
    for id_, said in found.items():
        if not 0 <= said.quantity <= booked[id_]:
            raise MoreThanBooked(resource=id_, most=booked[id_])
    if not any(said.quantity for said in found.values()):
        raise NothingLeaves
    return found


def coming_back(out: Mapping[int, int], said: Mapping[int, Back] | None) -> dict[int, Back]:
    """What is written of each resource of which some is out: what is said of it; None: that all is back.

    Raises MoreThanOut (facts: resource, said, left) also for what isn't out.
    """
    if said is None:
        return {id_: Back(left) for id_, left in out.items() if left}
    for id_, told in said.items():
        if min(told[:3]) < 0 or told.counted > out.get(id_, 0):
            raise MoreThanOut(resource=id_, said=told.counted, left=out.get(id_, 0))
    found = {id_: told for id_, told in said.items() if told.counted or told.remarks}
    return {id_: told for id_, told in found.items() if out.get(id_)}


FIRST_HOUR, LAST_HOUR = 8, 22  # the hours that a week's page shows


def first_day(given: str | None, *, today: date) -> date:
    """The first of the seven days that a page shows: the one that its address names, else today; never a past one."""
    try:
        wanted = date.fromisoformat(given or "")
    except ValueError:
        return today
    return min(max(wanted, today), today + FARTHEST)


def first_of_month(given: str | None, *, today: date) -> date:
    """The first day of the month that an address names ("2026-11", or one of its days), else of this one; as far as one
    may ask, and never a past one.
    """
    try:
        wanted = date.fromisoformat(f"{given}-01" if given and len(given) == len("2026-11") else given or "")
    except ValueError:
        wanted = today
    return min(max(wanted, today), today + FARTHEST).replace(day=1)


Span = tuple[datetime, datetime]


class Hold(NamedTuple):
    """So many of something, during a span; one of a room or of a thing."""

    starts_at: datetime
    ends_at: datetime
    quantity: int


def missing_of(wanted: Hold, has: Hold | None) -> list[Hold]:
    """What is still to be taken by a party that has some: before that, during it when more is wanted, after it."""
    if has is None or has.ends_at <= wanted.starts_at or wanted.ends_at <= has.starts_at:
        return [wanted]
    both = max(wanted.starts_at, has.starts_at), min(wanted.ends_at, has.ends_at)
    pieces = [
        Hold(wanted.starts_at, both[0], wanted.quantity), Hold(*both, wanted.quantity - has.quantity),
        Hold(both[1], wanted.ends_at, wanted.quantity),
    ]  # fmt: skip
    return [piece for piece in pieces if piece.starts_at < piece.ends_at and piece.quantity > 0]


def left_of(open_: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """What is free of the open spans, both in their order."""
    left = []
    for start, end in open_:
        for begun, ended in taken:
            if begun < end and start < ended:
                if start < begun:
                    left.append((start, begun))
                start = max(start, ended)
        if start < end:
            left.append((start, end))
    return left


def too_many(holds: Iterable[Hold], owned: int) -> list[Span]:
    """When more is held than there is, in order."""
    turns: dict[datetime, int] = {}
    for hold in holds:
        turns[hold.starts_at] = turns.get(hold.starts_at, 0) + hold.quantity
        turns[hold.ends_at] = turns.get(hold.ends_at, 0) - hold.quantity
    over, held, since = [], 0, None
    for instant_, change in sorted(turns.items()):
        held += change
        if held > owned and since is None:
            since = instant_
        elif held <= owned and since is not None:
            over.append((since, instant_))
            since = None
    return over


def most_held(holds: Iterable[Hold], starts_at: datetime, ends_at: datetime) -> int:
    """The most that is held at one instant of a span."""
    turns = sorted(
        turn for hold in holds if hold.starts_at < ends_at and starts_at < hold.ends_at
        for turn in ((max(hold.starts_at, starts_at), hold.quantity), (hold.ends_at, -hold.quantity))
    )  # fmt: skip
    return max(accumulate((change for _instant, change in turns), initial=0))


MOST_THINGS = 4
_NUMBERS = {word: number for number, words in enumerate(
    ("un une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"), 1) for word in words.split()
}  # fmt: skip


class Thing(NamedTuple):
    """So many of what some words name."""

    quantity: int
    words: str


def things_typed(text: str) -> list[Thing]:
    """What somebody wants beside a room, as people write it: "40 chaises, un vidéoprojecteur et 2 tables"."""
    return [_thing(part.split()) for part in re.split(r"[,;+\n]| et | and ", text) if part.split()]


def _thing(words: list[str]) -> Thing:
    first, rest = words[0].lower(), " ".join(words[1:])
    quantity = int(first) if first.isascii() and first.isdecimal() and len(first) < 7 else _NUMBERS.get(first)
    return Thing(quantity, rest) if quantity and rest else Thing(1, " ".join(words))


def times_around(starts_at: datetime, ends_at: datetime, within: timedelta) -> Iterator[Span]:
    """The same length at other hours and on other days, the nearest first; in wall-clock time."""
    begins, ends = starts_at.replace(tzinfo=None), ends_at.replace(tzinfo=None)
    hours = [timedelta(hours=hour) for hour in (1, -1, 2, -2, 3, -3, 4, -4)]
    days = [timedelta(days=sign * day) for day in range(1, within.days + 1) for sign in (1, -1)]
    same_day = (shift for shift in hours if (begins + shift).date() == begins.date())
    for shift in (*same_day, *days):
        yield begins + shift, ends + shift


def hours_of(day: date, zone: str, slots: Sequence[tuple[time, time]] = ()) -> list[Span]:
    """The hours that a week's page shows on a day, as spans; or the slots in which something is lent."""
    there = ZoneInfo(zone)
    if slots:
        return [
            (datetime.combine(day, start, there), datetime.combine(day + timedelta(days=end == time(0)), end, there))
            for start, end in slots
        ]  # fmt: skip
    starts = [datetime.combine(day, time(hour), there) for hour in range(FIRST_HOUR, LAST_HOUR)]
    return [(start, start + timedelta(hours=1)) for start in starts]
