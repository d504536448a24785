"""Rules of what is lent, without any I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from exchange import hours
from exchange.errors import (
    AskedTooEarly,
    AskedTooLate,
    CapacityAboveLimit,
    CapacityMissing,
    HoursTooLong,
    LastBeforeFirst,
    LeastAboveMost,
    LongerThanLent,
    NotASlot,
    NotLentThen,
    QuantityMissing,
    ShorterThanLent,
)
from ledger.errors import Refused


def refusal(kind: str, *, capacity: int | None, legal_max: int | None, quantity: int | None = None) -> Refused | None:
    """Why a resource can't be kept with these figures; None when it can. ``legal_max`` bounds the whole building."""
    if kind == "pool" and quantity is None:
        return QuantityMissing()
    if kind == "room" and capacity is not None and legal_max is not None and capacity > legal_max:
        return CapacityAboveLimit(capacity=capacity, limit=legal_max)
    return None


def refusal_to_publish(kind: str, *, capacity: int | None, legal_max: int | None) -> Refused | None:
    """Why a resource can't be published; a room is asked how many people it takes (None when it can be)."""
    if kind == "room" and capacity is None:
        return CapacityMissing()
    return refusal(kind, capacity=capacity, legal_max=legal_max, quantity=1)


def status(kind: str, *, capacity: int | None, published: bool, retired: bool) -> str:
    """Where a resource stands: retired, published, ready to publish, or incomplete (a room without its capacity)."""
    if retired:
        return "retired"
    if published:
        return "published"
    return "incomplete" if kind == "room" and capacity is None else "ready"


Slot = tuple[time, time]
"""From when to when on the clocks of the territory; midnight, at the end, is that of the evening."""
WHOLE_DAY = "00:00-24:00"
MOST_SLOTS = 12
_HOUR = r"(\d{1,2}) ?(?:[h:] ?(\d{2})?)?"
_SLOT = re.compile(rf"(?:de )?{_HOUR} ?(?:-|–|à) ?{_HOUR}")


class NotSlots(ValueError):
    """What was typed can't be slots: ``why`` is "unreadable" or "order"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def slots_typed(text: str) -> str:
    """Slots as people write them, "8h-12h, 14h à 18h", as they are kept: "08:00-12:00,14:00-18:00". Raises NotSlots."""
    parts = [" ".join(part.lower().replace("minuit", "24h").split()) for part in re.split(r"[,;\n]| et ", text)]
    read = [_SLOT.fullmatch(part) for part in parts if part]
    if not read or None in read or len(read) > MOST_SLOTS:
        raise NotSlots("unreadable")
    figures = [[int(figure or 0) for figure in match.groups()] for match in read if match]
    if any(h > 24 or m > 59 or (h == 24 and m) for h1, m1, h2, m2 in figures for h, m in ((h1, m1), (h2, m2))):
        raise NotSlots("unreadable")
    spans = [(60 * h1 + m1, 60 * h2 + m2) for h1, m1, h2, m2 in figures]
    if any(end <= start for start, end in spans) or any(then < until for (_s, until), (then, _e) in pairwise(spans)):
        raise NotSlots("order")
    return ",".join("-".join(f"{at // 60:02d}:{at % 60:02d}" for at in span) for span in spans)


def slots_of(kept: str) -> list[Slot]:
    """The slots of a resource, in order; none when it is lent at any hour."""
    if not kept:
        return []
    spans = ([part.split(":") for part in span.split("-")] for span in kept.split(","))
    return [(time(int(h1), int(m1)), time(int(h2) % 24, int(m2))) for (h1, m1), (h2, m2) in spans]


def slots_around(slots: Sequence[Slot], starts_at: datetime, ends_at: datetime) -> tuple[datetime, datetime] | None:
    """The slots that hold a span (in wall-clock time, as what is returned), or None when they don't."""
    last = (ends_at - timedelta(microseconds=1)).date()
    begins = [datetime.combine(starts_at.date(), start, starts_at.tzinfo) for start, _end in slots]
    ends = [datetime.combine(last + timedelta(days=end == time(0)), end, starts_at.tzinfo) for _start, end in slots]
    first, until = [at for at in begins if at <= starts_at], [at for at in ends if at >= ends_at]
    return (first[-1], until[0]) if first and until else None


class Terms(NamedTuple):
    """How long before it is asked for (hours at least, days at most), for how many minutes it is lent, and between
    which days of the territory, both included. None bounds nothing. ``slots`` are those in which it is lent, whole.
    """

    notice_hours: int = 0
    ahead_days: int | None = None
    least_minutes: int | None = None
    most_minutes: int | None = None
    lent_from: date | None = None
    lent_until: date | None = None
    slots: str = ""


HOLDING = ("option_days", "option_call_days", "turn_hours")
"""How long it is held without a firm request: days of an option (None: none is taken), days once somebody else wants
it, hours for who waits when it frees.
"""
CALLED = 2  # days to confirm an option that somebody else wants, unless a lender says otherwise
UNBOUND = Terms()  # what most things are lent on


def terms_of(row: Any, facts: Mapping[str, Any]) -> Terms:
    """The terms that a resource would have with these facts."""
    return Terms(*(facts.get(name, getattr(row, name)) for name in Terms._fields))


def refusal_of_terms(terms: Terms) -> Refused | None:
    """Why a resource can't be lent on these terms, which contradict each other; None when it can."""
    least, most, first, last = terms.least_minutes, terms.most_minutes, terms.lent_from, terms.lent_until
    if least is not None and most is not None and most < least:
        return LeastAboveMost(least=least, most=most)
    if first is not None and last is not None and last < first:
        return LastBeforeFirst(first=first.isoformat(), last=last.isoformat())
    return None


def refusal_of_days(terms: Terms, starts_at: datetime, ends_at: datetime) -> Refused | None:
    """Why it isn't lent on these days, given in the time of the territory."""
    first, last = starts_at.date(), (ends_at - timedelta(microseconds=1)).date()
    if (terms.lent_from and first < terms.lent_from) or (terms.lent_until and last > terms.lent_until):
        return NotLentThen(first=terms.lent_from and terms.lent_from.isoformat(),
                           last=terms.lent_until and terms.lent_until.isoformat())  # fmt: skip
    return None


def refusal_of_length(terms: Terms, starts_at: datetime, ends_at: datetime) -> Refused | None:
    """Why it isn't lent for so short or so long, or at these hours of its slots; in the time of the territory."""
    begins, ends = zip(*slots_of(terms.slots), strict=True) if terms.slots else ((), ())
    if terms.slots and not (starts_at.time() in begins and ends_at.time() in ends):
        return NotASlot(slots=terms.slots)
    minutes = (ends_at.astimezone(UTC) - starts_at.astimezone(UTC)) / timedelta(minutes=1)  # and not of a wall clock
    if terms.least_minutes is not None and minutes < terms.least_minutes:
        return ShorterThanLent(minutes=terms.least_minutes)
    if terms.most_minutes is not None and minutes > terms.most_minutes:
        return LongerThanLent(minutes=terms.most_minutes)
    return None


def refusal_of_moment(terms: Terms, starts_at: datetime, *, at: datetime) -> Refused | None:
    """Why it can't be asked for now, or not yet."""
    if starts_at - at < timedelta(hours=terms.notice_hours):
        return AskedTooLate(hours=terms.notice_hours)
    if terms.ahead_days is not None and starts_at - at > timedelta(days=terms.ahead_days):
        return AskedTooEarly(days=terms.ahead_days)
    return None


def refusal_to_ask(terms: Terms, starts_at: datetime, ends_at: datetime, *, at: datetime) -> Refused | None:
    """Why it can't be asked for that span, which is given in the time of the territory; None when it can."""
    return (
        refusal_of_days(terms, starts_at, ends_at)
        or refusal_of_moment(terms, starts_at, at=at)
        or refusal_of_length(terms, starts_at, ends_at)
    )


HTTPS = re.compile(r"https://[^\s<>\"'\\/?#@:]+(?::[0-9]{1,5})?(?:[/?#][^\s<>\"'\\]*)?", re.IGNORECASE)
"""A whole address of a photograph, that a browser would open as it is written."""
MOST_WRITTEN = 1000  # characters of opening hours
MOST_AT_ONCE = 200  # resources that are changed together


class Change(NamedTuple):
    """What becomes the same for several resources; what it doesn't name stays as each has it.

    ``facts`` are columns and their values. Opening hours take the place of those of every week; the days of each
    resource that have hours of their own stay, unless ``forgets_specials``. ``act`` is "withdrawn", "retired" or
    "restored"; empty, each stays where it stands.
    """

    facts: Mapping[str, Any]
    forgets_specials: bool = False
    act: str = ""

    def of(self, row: Any) -> dict[str, Any]:
        """What it changes of a resource: nothing of one that is so already."""
        facts = dict(self.facts)
        if "opening_hours" in facts and not self.forgets_specials:
            facts["opening_hours"] = hours.replaced(row.opening_hours, facts["opening_hours"])
        return {name: value for name, value in facts.items() if getattr(row, name) != value}

    def moves(self, row: Any) -> bool:
        """Whether a resource stands elsewhere afterwards."""
        published, retired = row.published_at is not None, row.retired_at is not None
        return {"withdrawn": published, "retired": not retired, "restored": retired}.get(self.act, False)

    def refusal(self, row: Any) -> Refused | None:
        """Why a resource can't be changed so; None when it can."""
        changed = self.of(row)
        if len(changed.get("opening_hours", "")) > MOST_WRITTEN:
            return HoursTooLong(most=MOST_WRITTEN)
        return refusal_of_terms(terms_of(row, changed))


LEGAL_LIMITS: dict[str, tuple[int | None, int | None]] = {
    "": (None, None),
    "I": (1501, None),
    "II": (701, 1500),
    "III": (301, 700),
    "IV": (None, 300),
    "V": (None, None),
}
"""People in the whole building, by safety category: at least, at most (Code de la construction, R.143-19)."""
