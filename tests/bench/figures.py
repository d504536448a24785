"""A figure: the ratio of two rates measured in turn, and the least that it should reach."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Figure(NamedTuple):
    """One line of the report. ``least`` is the bar, where there is one; with ``most`` it is an upper one."""

    name: str
    value: float
    detail: str
    least: float | None = None
    most: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the bar is reached; None without one."""
        if self.least is not None:
            return self.value >= self.least
        return None if self.most is None else self.value <= self.most

    def __str__(self) -> str:
        limit = self.most if self.least is None else self.least
        bar = "" if self.reached is None else f"  (bar {limit}: {'yes' if self.reached else 'NO'})"
        return f"{self.name:<44} {self.value:8.2f}{bar}  {self.detail}"


def ratio(name: str, pairs: Sequence[tuple[float, float]], *, least: float | None, unit: str) -> Figure:
    """The median of the ratios ours / reference, pair by pair."""
    ratios = [ours / reference for ours, reference in pairs]
    ours, reference = (median(pair[side] for pair in pairs) for side in (0, 1))
    spread = f"[{min(ratios):.2f} to {max(ratios):.2f}]"
    return Figure(name, median(ratios), f"{spread} {ours:.0f} against {reference:.0f} {unit}", least)
