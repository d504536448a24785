"""One row seen by our fields: its texts, numbers and days, and what is found to say about it.

What is said is of three sorts. An *error* keeps the line out until the file is corrected. A *doubt* leaves it out
unless it is ticked. A *remark* stands beside the line and changes nothing.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from exchange.imports import values
from exchange.imports.layouts import PLACE, Layout
from exchange.imports.reading import Record
from exchange.imports.reasons import Reason
from exchange.imports.wording import common_words, fold, one_line, proper_name, without_invisible

T = TypeVar("T")

MAX_NAME: Final = 200
_MAX_TEXT: Final[Mapping[str, int]] = {
    "source_ref": 100,
    "opening_hours": 1000,
    "web": 500,
    "photo": 500,
    "inventory": 10_000,
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known beside the rows: who lends (folded words), when the file was true, what of hours is unclear."""

    owner_words: frozenset[str]
    as_of_year: int | None
    hours_fault: Callable[[str], int | None]
    several_collectivities: bool

    def is_lender(self, owner: str) -> bool:
        """True of a text that is one of the lender's names, whole."""
        return fold(owner) in self.owner_words


class Row:
    """One record seen by our fields, and what is found to say about it while it is read."""

    def __init__(self, record: Record, header: tuple[str, ...], layout: Layout) -> None:
        self.record = record
        self.layout = layout
        self._cells = dict(zip(header, record.cells, strict=True))
        self.errors: list[Reason] = []
        self.doubts: list[Reason] = []
        self.remarks: list[Reason] = []

    def has(self, name: str) -> bool:
        """True when a column holds this field."""
        return name in self.layout.columns

    def column(self, name: str) -> str:
        """The column's title, as people see it in their file."""
        return self.layout.columns.get(name, name)

    def raw(self, name: str) -> str | None:
        """The cell as text without what can't be seen, or None for nothing."""
        cell = self._cells.get(self.layout.columns.get(name, ""), "")
        text = without_invisible(cell)
        if text != cell:
            self.remark("characters-removed", name, column=self.column(name))
        return None if values.is_nothing(text) else text.strip()

    def text(self, name: str) -> str | None:
        """The cell on one line, or None; too long a text is an error."""
        found = self.raw(name)
        return None if found is None else self.bounded(name, one_line(found))

    def bounded(self, name: str, text: str) -> str:
        """The text, or its beginning with an error when it is too long."""
        limit = _MAX_TEXT.get(name, MAX_NAME)
        if len(text) > limit:
            self.error("text-too-long", name, column=self.column(name), length=str(len(text)), limit=str(limit))
        return text[:limit]

    def error(self, code: str, name: str, **params: str) -> None:
        """Say why the line can't be imported."""
        self.errors.append(Reason(code, params, name))

    def doubt(self, code: str, name: str, **params: str) -> None:
        """Say why the line waits for a tick."""
        self.doubts.append(Reason(code, params, name))

    def remark(self, code: str, name: str, **params: str) -> None:
        """Say something once, that changes nothing."""
        reason = Reason(code, params, name)
        if reason not in self.remarks:
            self.remarks.append(reason)


def name_of(row: Row) -> str:
    """The name, in French case; a line without one is in error."""
    text = row.text("name")
    if text is None:
        row.error("name-missing", "name", column=row.column("name"))
    return proper_name(text or "")


def category_of(row: Row) -> str | None:
    """The category as a sentence, so that an officer may choose by it."""
    text = row.text("category")
    if text is None and row.has("category"):
        row.remark("category-missing", "category")
    return None if text is None else common_words(text)


def reference_of(row: Row, *likeness: str | None) -> str:
    """The file's own reference, or else a fixed one made of what the line is called and where it is.

    Where a column holds references each line needs its own: without it, a second import would not know it again.
    """
    if not row.has("source_ref"):
        return _likeness(*likeness)
    text = row.text("source_ref")
    if text is None:
        row.error("reference-missing", "source_ref", column=row.column("source_ref"))
    return text or ""


LIKENESS: Final = "auto:"
"""What a reference made here begins with."""


def _likeness(*parts: str | None) -> str:
    told = "\n".join(fold(part or "") for part in parts)
    return LIKENESS + hashlib.sha256(told.encode()).hexdigest()[:24]


def owner_of(row: Row, circumstances: Circumstances) -> str | None:
    """The owner named. A building without one is doubtful; a thing without one is taken to be the lender's."""
    owner = row.text("owner")
    if owner is None and row.has("owner") and row.layout.kind == PLACE:
        row.doubt("owner-missing", "owner")
    if owner is not None and not circumstances.is_lender(owner):
        row.doubt("owner-differs", "owner", owner=owner)
    return owner


def checked(row: Row, name: str, reader: Callable[[str], str | None], code: str) -> str | None:
    """The text if `reader` takes it; else nothing and a remark."""
    text = row.text(name)
    found = reader(text) if text is not None else None
    if text is not None and found is None:
        row.remark(code, name, text=text)
    return found


def number_in(row: Row, name: str, reader: Callable[[str], T | None]) -> T | None:
    """The number; one with two readings, or none, is a doubt."""
    text = row.text(name)
    if text is None:
        return None
    try:
        found = reader(text)
    except values.AmbiguousError:
        row.doubt("number-ambiguous", name, column=row.column(name), text=text)
        return None
    if found is None:
        row.doubt("number-unreadable", name, column=row.column(name), text=text)
    return found


def day_in(row: Row, name: str) -> date | None:
    """The day; a text that is none is a doubt."""
    text = row.text(name)
    found = values.day(text) if text is not None else None
    if text is not None and found is None:
        row.doubt("date-unreadable", name, column=row.column(name), text=text)
    return found
