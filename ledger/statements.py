"""What moved on one account, in the order in which it was recorded."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple


class Line(NamedTuple):
    """One movement seen from one account; minutes are positive when they come in."""

    seq: int
    entry: int
    kind: str
    cause_kind: str | None
    cause_id: int | None
    happened_on: date
    recorded_at: datetime
    minutes: int
    balance: int  # minutes, after this movement
    other_account: int
    other_party: int
    by_sign_in: int | None
    by_party: int
    corrects: int | None  # the entry that this one corrects
    corrected_by: int | None  # the entry that corrects this one
    by_mandate: int | None = None


class Broken(NamedTuple):
    """A line that doesn't follow from the one before it."""

    seq: int
    what: str


def breaks(lines: list[Line], *, before: tuple[int, int] = (0, 0)) -> list[Broken]:
    """Where a run of lines, oldest first, fails to follow from ``before`` (its last seq and balance, in minutes)."""
    seq, balance = before
    found = []
    for line in lines:
        if line.seq != seq + 1:
            found.append(Broken(line.seq, "seq"))
        if line.balance != balance + line.minutes:
            found.append(Broken(line.seq, "balance"))
        seq, balance = line.seq, line.balance
    return found
