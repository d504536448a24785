"""What every page shows and almost nobody changes, read once a minute by each process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from flask import current_app

from exchange import clock

KEPT = timedelta(minutes=1)
T = TypeVar("T")


def kept(name: str, read: Callable[[], T]) -> T:
    """What ``read`` gives, or gave under this name less than a minute ago."""
    at = clock.now()
    known: dict[str, tuple[T, datetime]] = current_app.extensions.setdefault("kept", {})
    found = known.get(name)
    if found is None or not found[1] <= at < found[1] + KEPT:
        found = known[name] = read(), at
    return found[0]


def last(name: str) -> object:
    """What was read last under a name, however long ago; None when nothing was."""
    found = current_app.extensions.get("kept", {}).get(name)
    return found[0] if found else None
