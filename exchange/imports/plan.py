"""A file with what was chosen of it: how it is read, which lines will be imported, and what is told of the others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from exchange import hours
from exchange.imports.policy import (
    DryRun,
    Layout,
    Line,
    MappingError,
    Reason,
    Status,
    Table,
    dry_run,
    mapped,
    read,
    recognise,
    year_in,
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose of a file: the lender's words, categories (None: all), ticked lines, how it is read."""

    owner_words: tuple[str, ...] = ()
    categories: frozenset[str | None] | None = None
    ticked: frozenset[int] = frozenset()
    encoding: str | None = None
    delimiter: str | None = None

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Choices":
        """As `as_json` wrote them."""
        categories = kept.get("categories")
        return cls(
            tuple(kept.get("owner_words", ())),
            None if categories is None else frozenset(categories),
            frozenset(kept.get("ticked", ())),
            kept.get("encoding"),
            kept.get("delimiter"),
        )

    def as_json(self) -> dict[str, Any]:
        """To be kept with the import."""
        return {
            "owner_words": list(self.owner_words),
            "categories": None if self.categories is None else sorted(self.categories, key=lambda name: name or ""),
            "ticked": sorted(self.ticked),
            "encoding": self.encoding,
            "delimiter": self.delimiter,
        }

    def having(self, **changes: Any) -> "Choices":
        """The same, but for these."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Understood:
    """A file as a table, and its layout when one is known."""

    table: Table
    layout: Layout | None


def understood(data: bytes, mapping: Mapping[str, Any] | None, choices: Choices) -> Understood:
    """The table in a file, and what its columns hold: as mapped by a person, else as a known layout.

    Raises ReadError, MappingError.
    """
    table = read(data, encoding=choices.encoding, delimiter=choices.delimiter)
    if mapping is not None:
        return Understood(table, mapped(mapping["columns"], table.header, kind=mapping.get("kind")))
    return Understood(table, recognise(table.header))


def still_mapped(table: Table, mapping: Mapping[str, Any] | None) -> bool:
    """Whether the columns of a mapping are all in this table."""
    try:
        return mapping is None or mapped(mapping["columns"], table.header, kind=mapping.get("kind")) is not None
    except MappingError:
        return False


def rehearsal(known: Understood, choices: Choices, *, file_name: str, zone: str) -> DryRun:
    """What importing would do with these choices."""
    assert known.layout is not None, "columns are mapped before they are rehearsed"

    def fault(expression: str) -> int | None:
        try:
            hours.check(expression, zone)
        except hours.NotHours as wrong:
            return wrong.position
        return None

    run = dry_run(
        known.table, known.layout, owner_words=choices.owner_words, as_of_year=year_in(file_name),
        hours_fault=fault,
    )  # fmt: skip
    return run.choosing(ticked=choices.ticked, categories=choices.categories)


def told(run: DryRun, line: Line) -> tuple[Reason, ...]:
    """Everything there is to say of a line: why it is left out or in error, then the remarks beside it."""
    return (*_not_chosen(run, line), *line.reasons, *line.remarks)


def _not_chosen(run: DryRun, line: Line) -> tuple[Reason, ...]:
    aside = line.status in (Status.READY, Status.WARNED)
    if not aside or run.categories is None or line.category in run.categories:
        return ()
    if line.category is None:
        return (Reason("category-none-not-chosen"),)
    return (Reason("category-not-chosen", {"category": line.category}),)


def lines_of(run: DryRun) -> tuple[Line, ...]:
    """The lines that are counted: all but the blank ones, in the order of the file."""
    return tuple(line for line in run.lines if line.status is not Status.BLANK)
