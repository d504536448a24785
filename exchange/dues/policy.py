"""What is due and how it is called, without any I/O. Sums are euro cents."""

from __future__ import annotations

from typing import NamedTuple


class Due(NamedTuple):
    """What a loan asks for: ``first`` when it isn't handed over before it is received."""

    kind: str
    cents: int
    first: bool


def called(year: int, number: int) -> str:
    """The number of a receipt as people write it: "R-2026-0001"."""
    return f"R-{year}-{number:04d}"
