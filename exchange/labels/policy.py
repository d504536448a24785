"""Sheets of labels that shops sell, and what is on a label."""

from __future__ import annotations

from typing import Final, NamedTuple


class Sheet(NamedTuple):
    """Labels on A4, in millimetres: their size, and where the first one is."""

    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    between: float  # columns; rows touch each other

    @property
    def labels(self) -> int:
        """How many there are."""
        return self.columns * self.rows


SHEETS: Final = {
    "21": Sheet(3, 7, 63.5, 38.1, 7.2, 15.15, 2.5),
    "24": Sheet(3, 8, 70.0, 37.0, 0.0, 0.5, 0.0),
    "8": Sheet(2, 4, 99.1, 67.7, 4.65, 13.1, 2.5),
}
"""By their number of labels, the way that they are sold."""

MOST: Final = 600
"""Labels in one document."""


class Label(NamedTuple):
    """What one label says; ``address`` is what a telephone reads from it."""

    name: str
    number: str
    lender: str
    address: str


def repeated(labels: list[Label], copies: int) -> list[Label]:
    """Each label so many times, one after the other, as far as a document goes."""
    return [label for label in labels for _copy in range(copies)][:MOST]
