"""Rules of a declared exchange, without any I/O."""

from __future__ import annotations

from datetime import date, timedelta

from exchange.errors import HappensLater, TooOld

OLDEST = timedelta(days=366)  # a slip found at the bottom of a drawer, not another year's books


def check_day(happened_on: date, *, today: date) -> None:
    """Raise HappensLater for a day to come, TooOld for one more than a year past."""
    if happened_on > today:
        raise HappensLater
    if today - happened_on > OLDEST:
        raise TooOld(days=OLDEST.days)


def posts_at_once(*, declared_for: int, receiver: int) -> bool:
    """Who was helped pays, so their own declaration needs nobody else's word; who helped waits for theirs."""
    return declared_for == receiver
