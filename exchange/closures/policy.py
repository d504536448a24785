"""What a closure may be, without any I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from exchange.errors import EndsBeforeStart, InThePast, Invalid, TooFar

KINDS = ("works", "repair", "own-use", "lost", "other")
FARTHEST = timedelta(days=3660)  # works of ten years are something else
BEGUN_SINCE = timedelta(days=1)  # what broke yesterday is written today


def check(starts_at: datetime, ends_at: datetime | None, *, at: datetime) -> None:
    """Raise EndsBeforeStart, InThePast (over already, or begun long ago) or TooFar."""
    if ends_at is not None and ends_at.astimezone(UTC) <= starts_at.astimezone(UTC):  # and not as clocks show them
        raise EndsBeforeStart
    if starts_at < at - BEGUN_SINCE or (ends_at is not None and ends_at <= at):
        raise InThePast
    if max(starts_at, ends_at or starts_at) - at > FARTHEST:
        raise TooFar(days=FARTHEST.days)


def check_quantity(kind: str, quantity: int | None, owned: int | None) -> int | None:
    """How many things of a pool are closed, all of them when it isn't said; None for a room or a thing.

    Raises Invalid (facts: field, why) for more than there are.
    """
    if kind != "pool":
        return None
    assert owned is not None, "a pool has a quantity"
    if quantity is not None and not 1 <= quantity <= owned:
        raise Invalid(field="quantity", why="more-than-owned", most=owned)
    return quantity or owned
