"""A spreadsheet of rooms or things, line by line: what would be published, what waits for a tick, what is wrong.

Everything here is pure: bytes became a `Table` in `reading`, columns became fields in `layouts`, and nothing is
written anywhere. `dry_run` says what an import would do; importing is doing exactly that.

What is said of a line is of three sorts. An *error* keeps it out until the file is corrected. A *doubt* leaves it out
unless it is ticked. A *remark* stands beside a line and changes nothing.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from exchange.imports.candidates import Access, Address, Candidate, LegalLimit
from exchange.imports.layouts import (
    PLACE,
    Layout,
    MappingError,
    fingerprint,
    mapped,
    mapping_as_json,
    mapping_from_json,
    recognise,
    suggested,
)
from exchange.imports.places import place_in, several_collectivities
from exchange.imports.reading import ReadError, Record, Table, read
from exchange.imports.reasons import SENTENCES, Reason, RefusedError, sentence
from exchange.imports.rows import LIKENESS, Circumstances, Row
from exchange.imports.things import thing_in
from exchange.imports.wording import fold

__all__ = [
    "SENTENCES",
    "Access",
    "Address",
    "Candidate",
    "CategoryCounts",
    "Counts",
    "DryRun",
    "Layout",
    "LegalLimit",
    "Line",
    "MappingError",
    "ReadError",
    "Reason",
    "Record",
    "RefusedError",
    "Status",
    "Table",
    "dry_run",
    "fingerprint",
    "mapped",
    "mapping_as_json",
    "mapping_from_json",
    "read",
    "recognise",
    "sentence",
    "suggested",
    "year_in",
]


class Status(StrEnum):
    """Where a line stands; every line of the file has exactly one."""

    READY = "ready"
    WARNED = "warned"
    ERROR = "error"
    REPEATED = "repeated"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: its physical number, where it stands, why, and what it would publish.

    `reasons` are what keeps it in error, waiting or repeated; `remarks` change nothing. A line in error may have no
    candidate, or one that is not to be published.
    """

    number: int
    status: Status
    candidate: Candidate | None = None
    reasons: tuple[Reason, ...] = ()
    remarks: tuple[Reason, ...] = ()
    category: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of a dry run.

    read      every line that is not blank = ready + warned + in_error + repeated
    ready     nothing stands against it
    warned    it waits for a tick, ticked or not
    left_out  will not be imported though not in error: warned and not ticked, of a category not chosen, repeated
    in_error  to be corrected in the file
    repeated  says again, word for word, what an earlier line says
    chosen    will be imported = read - left_out - in_error
    """

    read: int
    ready: int
    warned: int
    left_out: int
    in_error: int
    repeated: int
    blank: int

    @property
    def chosen(self) -> int:
        return self.read - self.left_out - self.in_error

    @property
    def summary(self) -> Reason:
        """The last line of a dry run."""
        figures = ("read", "ready", "warned", "left_out", "in_error")
        return Reason("summary", {name: str(getattr(self, name)) for name in figures})


@dataclass(frozen=True, slots=True)
class CategoryCounts:
    """The figures of one category, so that an officer may choose by category; None for lines without one."""

    category: str | None
    read: int
    ready: int
    warned: int
    in_error: int
    repeated: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """What importing a table would do, with the person's choices: lines ticked, categories kept (None keeps all)."""

    lines: tuple[Line, ...]
    notes: tuple[Reason, ...] = ()
    ticked: frozenset[int] = frozenset()
    categories: frozenset[str | None] | None = None

    def choosing(self, *, ticked: Collection[int] = (), categories: Collection[str | None] | None = None) -> "DryRun":
        """The same dry run, choosing otherwise: `ticked` by physical line, `categories` as `by_category` names them."""
        kept = None if categories is None else frozenset(categories)
        return replace(self, ticked=frozenset(ticked), categories=kept)

    @property
    def chosen(self) -> tuple[Line, ...]:
        """The lines that will be imported."""
        return tuple(line for line in self.lines if self.keeps(line))

    @property
    def left_out(self) -> tuple[Line, ...]:
        """The lines that will not, though nothing has to be corrected in them; blank ones are not counted."""
        aside = (Status.READY, Status.WARNED, Status.REPEATED)
        return tuple(line for line in self.lines if line.status in aside and not self.keeps(line))

    def keeps(self, line: Line) -> bool:
        """True of a line that will be imported: ready, or warned and ticked, and of a category chosen."""
        wanted = self.categories is None or line.category in self.categories
        waits = line.status is Status.WARNED and line.number not in self.ticked
        return wanted and line.status in (Status.READY, Status.WARNED) and not waits

    def having(self, status: Status) -> tuple[Line, ...]:
        """The lines that stand there."""
        return tuple(line for line in self.lines if line.status is status)

    @property
    def counts(self) -> Counts:
        by_status = {status: len(self.having(status)) for status in Status}
        return Counts(
            read=len(self.lines) - by_status[Status.BLANK],
            ready=by_status[Status.READY],
            warned=by_status[Status.WARNED],
            left_out=len(self.left_out),
            in_error=by_status[Status.ERROR],
            repeated=by_status[Status.REPEATED],
            blank=by_status[Status.BLANK],
        )

    @property
    def by_category(self) -> tuple[CategoryCounts, ...]:
        """The figures of each category, the largest first."""
        figures = [_category_counts(name, lines) for name, lines in _grouped(self._read, lambda line: line.category)]
        return tuple(sorted(figures, key=lambda figure: (-figure.read, figure.category or "")))

    @property
    def by_owner(self) -> tuple[tuple[str | None, int], ...]:
        """How many lines name each owner, the most named first: an officer sees which words mean the lender."""
        figures = [(name, len(lines)) for name, lines in _grouped(self._read, lambda line: line.owner)]
        return tuple(sorted(figures, key=lambda figure: (-figure[1], figure[0] or "")))

    @property
    def _read(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.status is not Status.BLANK)


def _grouped(lines: Iterable[Line], by: Callable[[Line], str | None]) -> Iterable[tuple[str | None, list[Line]]]:
    groups: dict[str | None, list[Line]] = {}
    for line in lines:
        groups.setdefault(by(line), []).append(line)
    return groups.items()


def _category_counts(category: str | None, lines: list[Line]) -> CategoryCounts:
    standing = [line.status for line in lines]
    ready, warned, wrong, repeated = (
        standing.count(status) for status in (Status.READY, Status.WARNED, Status.ERROR, Status.REPEATED)
    )
    return CategoryCounts(category, len(lines), ready, warned, wrong, repeated)


def dry_run(
    table: Table,
    layout: Layout,
    *,
    owner_words: Collection[str],
    as_of_year: int | None = None,
    hours_fault: Callable[[str], int | None] = lambda _hours: None,
) -> DryRun:
    """What importing `table` would do, one status per line.

    `owner_words` are the words that mean the lender in the owner's column, compared whole ("VILLE" is not
    "VILLE DE LATTES"), without regard to case and accents. `as_of_year` is the year that the file describes, said
    with the works to be done. `hours_fault` says where opening hours stop being understood, from 1.
    """
    circumstances = Circumstances(
        frozenset(filter(None, map(fold, owner_words))),
        as_of_year,
        hours_fault,
        several_collectivities(table, layout),
    )
    rows = (Row(record, table.header, layout) for record in table.records)
    lines = [_line(row, circumstances) for row in rows]
    lines += [Line(problem.line, Status.ERROR, reasons=(problem.reason,)) for problem in table.problems]
    return DryRun(tuple(_without_doubles(sorted(lines, key=lambda line: line.number), table)), table.notes)


def year_in(file_name: str) -> int | None:
    """The year that a file's name gives, if it gives one only: "montpellier-erp-2014.csv" -> 2014."""
    years = set(re.findall(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])", file_name))
    return int(years.pop()) if len(years) == 1 else None


def _line(row: Row, circumstances: Circumstances) -> Line:
    if row.record.is_blank:
        return Line(row.record.line, Status.BLANK)
    candidate = place_in(row, circumstances) if row.layout.kind == PLACE else thing_in(row, circumstances)
    status = Status.ERROR if row.errors else Status.WARNED if row.doubts else Status.READY
    return Line(
        row.record.line,
        status,
        candidate if candidate.name and candidate.source_ref else None,
        (*row.errors, *row.doubts),
        tuple(row.remarks),
        candidate.category,
        candidate.owner,
    )


def _without_doubles(lines: Iterable[Line], table: Table) -> Iterator[Line]:
    """Each line once: word for word again is a repeat, the same reference with other words is an error."""
    cells = {record.line: tuple(cell.strip() for cell in record.cells) for record in table.records}
    first_of: dict[str, Line] = {}
    holders: dict[str, int] = {}
    for line in lines:
        first = first_of.setdefault(line.candidate.source_ref, line) if line.candidate else line
        if first is line:
            yield _in_error(line, _numbers_taken(line, holders))
        elif cells[first.number] == cells[line.number]:
            yield replace(line, status=Status.REPEATED, reasons=(_repeats(first),))
        else:
            yield _in_error(line, [_same_reference(line, first), *_numbers_taken(line, holders)])


def _repeats(first: Line) -> Reason:
    return Reason("line-repeated", {"line": str(first.number)})


def _same_reference(line: Line, first: Line) -> Reason:
    """The reference said twice, in the words of what it is: the file's own, a number on a thing, or a likeness."""
    assert line.candidate is not None, "a line without a candidate has no reference to compare"
    reference, at = line.candidate.source_ref, {"line": str(first.number)}
    if reference.startswith(LIKENESS):
        return Reason("likeness-twice", at, "source_ref")
    if reference in line.candidate.inventory_numbers:
        return Reason("inventory-taken", {"number": reference, **at}, "inventory")
    return Reason("reference-twice", {"reference": reference, **at}, "source_ref")


def _numbers_taken(line: Line, holders: dict[str, int]) -> list[Reason]:
    """An inventory number is written on one thing only."""
    numbers = line.candidate.inventory_numbers if line.candidate else ()
    taken = [number for number in numbers if holders.setdefault(number, line.number) != line.number]
    return [Reason("inventory-taken", {"number": n, "line": str(holders[n])}, "inventory") for n in taken]


def _in_error(line: Line, found: list[Reason]) -> Line:
    """The line with these errors before what was already said of it, each said once."""
    said = tuple(dict.fromkeys((*found, *line.reasons)))
    return replace(line, status=Status.ERROR, reasons=said) if found else line
