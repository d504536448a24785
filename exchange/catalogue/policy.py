"""Rules of what is lent, without any I/O."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from exchange.errors import (
    AskedTooEarly,
    AskedTooLate,
    CapacityAboveLimit,
    CapacityMissing,
    LongerThanLent,
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


class Terms(NamedTuple):
    """How long before it is asked for (hours at least, days at most), for how many minutes it is lent, and between
    which days of the territory, both included. None bounds nothing.
    """

    notice_hours: int = 0
    ahead_days: int | None = None
    least_minutes: int | None = None
    most_minutes: int | None = None
    lent_from: date | None = None
    lent_until: date | None = None


UNBOUND = Terms()  # what most things are lent on


def refusal_of_days(terms: Terms, starts_at: datetime, ends_at: datetime) -> Refused | None:
    """Why it isn't lent on these days, given in the time of the territory."""
    first, last = starts_at.date(), (ends_at - timedelta(microseconds=1)).date()
    if (terms.lent_from and first < terms.lent_from) or (terms.lent_until and last > terms.lent_until):
        return NotLentThen(first=terms.lent_from and terms.lent_from.isoformat(),
                           last=terms.lent_until and terms.lent_until.isoformat())  # fmt: skip
    return None


def refusal_of_length(terms: Terms, starts_at: datetime, ends_at: datetime) -> Refused | None:
    """Why it isn't lent for so short or so long."""
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


LEGAL_LIMITS: dict[str, tuple[int | None, int | None]] = {
    "": (None, None),
    "I": (1501, None),
    "II": (701, 1500),
    "III": (301, 700),
    "IV": (None, 300),
    "V": (None, None),
}
"""People in the whole building, by safety category: at least, at most (Code de la construction, R.143-19)."""
