"""Bytes of a spreadsheet to rows, each with its line in the file.

The parser is ours rather than `csv`: `csv` lets one quotation mark left open swallow the rest of the file, and
this one must lose the bad line only. It reads RFC 4180 with `,`, `;` or a tab, and any line ending.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from exchange.imports.reasons import Reason, RefusedError
from exchange.imports.values import is_nothing
from exchange.imports.wording import fold, one_line, without_invisible

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_LINES: Final = 20_000
MAX_COLUMNS: Final = 100
MAX_CELL: Final = 10_000
"""Characters in one cell."""

DELIMITERS: Final = (";", "\t", ",")
"""In order of preference when the evidence is equal: French spreadsheets write `;`."""

ENCODINGS: Final = ("utf-8", "windows-1252", "iso-8859-1")

_SAMPLE: Final = 30
_MAX_CELLS: Final = 17_000  # a spreadsheet that saves its empty cells writes up to 16,384 of them
_STRAY = re.compile("[\udc80-\udcff]")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_SEPARATOR_HINT = re.compile(r"sep=([;,\t])(?:\r\n|\r|\n|$)", re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"]|"")*+)" *')

# What French, Breton, Occitan, Basque and Alsatian spreadsheets contain beyond ASCII.
_LIKELY: Final = frozenset(
    "àáâäæçèéêëìíîïñòóôöœßùúûüÿÀÁÂÄÆÇÈÉÊËÌÍÎÏÑÒÓÔÖŒÙÚÛÜŸ«»‹›“”„‘’‚–—…•·€°²³ªº½¼\u00a0\u202f\u2011\ufeff"
)


class ReadError(RefusedError):
    """A file that can't be read as a table."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row, as many cells as the header has, and the physical line (from 1) on which it starts."""

    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        """True when every cell is empty or says NULL."""
        return all(is_nothing(cell) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that could not be read, and why; the lines around it are not touched."""

    line: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Table:
    """A file read: its header, its rows (blank ones too), its unreadable lines, and how it was understood."""

    header: tuple[str, ...]
    header_line: int
    records: tuple[Record, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[Reason, ...] = ()
    encoding: str = field(default="utf-8", compare=False)
    delimiter: str = field(default=";", compare=False)


def read(data: bytes, *, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """The table in `data`; `encoding` and `delimiter` are guessed unless a person has corrected the guess.

    Raises `ReadError`, and nothing else, with a sentence for the person who gave the file.
    """
    _refuse_unless_text(data)
    text, encoding = _decoded(data, encoding)
    if len(_NEWLINE.findall(text)) > MAX_LINES:
        raise ReadError(Reason("too-many-lines", {"limit": str(MAX_LINES)}))
    hint = _SEPARATOR_HINT.match(text)
    chosen = _delimiter(text, delimiter, hint)
    return _table(list(_rows(text, chosen, skip=hint.end() if hint else 0)), encoding, chosen)


# Is it text at all?

_SIGNATURES: Final = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file-excel-old"),
    (b"%PDF-", "file-pdf"),
    (b"\x89PNG\r\n", "file-image"),
    (b"\xff\xd8\xff", "file-image"),
    (b"GIF87a", "file-image"),
    (b"GIF89a", "file-image"),
    (b"II*\x00", "file-image"),
    (b"MM\x00*", "file-image"),
    (b"\x1f\x8b", "file-archive"),
    (b"7z\xbc\xaf\x27\x1c", "file-archive"),
    (b"Rar!\x1a\x07", "file-archive"),
    (b"{\\rtf", "file-rich-text"),
    (codecs.BOM_UTF16_LE, "file-utf16"),
    (codecs.BOM_UTF16_BE, "file-utf16"),
)
_PAGE_STARTS: Final = (b"<!doctype html", b"<html", b"<table", b"<?xml")


def _refuse_unless_text(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise ReadError(Reason("file-too-big", {"limit": str(MAX_BYTES // 1024 // 1024)}))
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise ReadError(Reason("file-empty"))
    if code := _binary_kind(data):
        raise ReadError(Reason(code))


def _binary_kind(data: bytes) -> str | None:
    for start, code in _SIGNATURES:
        if data.startswith(start):
            return code
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive_kind(data)
    if data.removeprefix(codecs.BOM_UTF8).lstrip()[:20].lower().startswith(_PAGE_STARTS):
        return "file-web-page"
    return "file-binary" if b"\x00" in data else None


def _archive_kind(data: bytes) -> str:
    """Workbooks are zip archives; the names of their parts stand uncompressed in the file."""
    if b"opendocument.spreadsheet" in data[:200]:
        return "file-opendocument"
    return "file-excel" if b"xl/" in data else "file-archive"


# In which letters?


def _decoded(data: bytes, encoding: str | None) -> tuple[str, str]:
    if encoding is not None and encoding not in ENCODINGS:
        raise ReadError(Reason("encoding-unknown"))
    chosen = encoding or _guessed_encoding(data)
    if chosen == "utf-8":
        # A stray byte stays in its line as a lone surrogate, so that only this line is refused.
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape"), chosen
    try:
        return data.decode(chosen), chosen
    except UnicodeDecodeError:
        raise ReadError(Reason("encoding-unknown")) from None


def _guessed_encoding(data: bytes) -> str:
    """UTF-8 if it holds as UTF-8; else Windows-1252 if it uses what only Windows-1252 has, else ISO-8859-1."""
    if data.startswith(codecs.BOM_UTF8) or data.isascii():
        return "utf-8"
    one_byte = "windows-1252" if re.search(rb"[\x80-\x9f]", data) else "iso-8859-1"
    return "utf-8" if _is_rather_utf8(data, one_byte) else one_byte


def _is_rather_utf8(data: bytes, one_byte: str) -> bool:
    """True of valid UTF-8, and of UTF-8 with a few stray bytes: French in one-byte letters has next to no valid pair.

    The rare French text that is valid UTF-8 by accident ("LODÉ”" is) gives itself away: read as UTF-8 all its
    letters are strange here, read in one-byte letters none is.
    """
    text = data.decode("utf-8", "surrogateescape")
    beyond = [character for character in text if not character.isascii()]
    stray = len(_STRAY.findall(text))
    if stray:
        return len(beyond) - stray > stray
    return bool(_LIKELY.intersection(beyond)) or not _all_likely(data.decode(one_byte, "replace"))


def _all_likely(text: str) -> bool:
    return all(character.isascii() or character in _LIKELY for character in text)


# Between which marks?


def _delimiter(text: str, asked: str | None, hint: re.Match[str] | None) -> str:
    if asked is not None and asked not in DELIMITERS:
        raise ReadError(Reason("delimiter-unknown"))
    if asked or hint:
        return asked or (hint[1] if hint else ";")
    return max(DELIMITERS, key=lambda candidate: _fitness(text, candidate))


def _fitness(text: str, delimiter: str) -> tuple[int, int]:
    """How many of the first rows are as wide as the titles, then that width.

    A single column proves nothing; a mark that leaves the titles unreadable is not the one.
    """
    sample = [row for row in islice(_rows(text, delimiter), _SAMPLE) if isinstance(row, Problem) or not row.is_blank]
    if not sample or isinstance(sample[0], Problem) or len(sample[0].cells) < 2:
        return 0, 0
    width = len(sample[0].cells)
    return sum(isinstance(row, Record) and len(row.cells) == width for row in sample), width


# Row by row.

_Row = Record | Problem


def _rows(text: str, delimiter: str, *, skip: int = 0) -> Iterator[_Row]:
    bare = re.compile(f"[^{re.escape(delimiter)}\r\n]*+")
    position, line = skip, 1 + len(_NEWLINE.findall(text[:skip]))
    while position < len(text):
        row, end = _row_at(text, position, line, delimiter, bare)
        yield row
        line += len(_NEWLINE.findall(text, position, end))
        position = end


def _row_at(text: str, start: int, line: int, delimiter: str, bare: re.Pattern[str]) -> tuple[_Row, int]:
    """The row that starts here and where the next one does; after a bad row that is the next physical line."""
    cells: list[str] = []
    position, end = start, _line_end(text, start)
    while len(cells) < _MAX_CELLS:
        position = _take_plain_cells(text, position, end, delimiter, cells)
        cell, position, reason = _cell_at(text, position, bare)
        if reason is None and position < len(text) and text[position] not in (delimiter, "\r", "\n"):
            reason = Reason("quote-misplaced" if _same_line(text, start, position) else "quote-unclosed")
        if reason is not None:
            return Problem(line, reason), _next_line(text, start)
        cells.append(cell)
        if position == len(text) or text[position] != delimiter:
            return _bounded(line, cells), _next_line(text, position)
        position += 1
        end = end if position <= end else _line_end(text, position)
    return _bounded(line, cells), _next_line(text, start)


def _take_plain_cells(text: str, position: int, end: int, delimiter: str, cells: list[str]) -> int:
    """Take at once the cells before the last one of the line, or before the one with the next quotation mark.

    Nearly no cell has a mark: this spares looking at each of them alone.
    """
    mark = text.find('"', position, end)
    last = text.rfind(delimiter, position, end if mark < 0 else mark)
    if last < 0:
        return position
    cells.extend(text[position:last].split(delimiter))
    return last + 1


def _bounded(line: int, cells: list[str]) -> _Row:
    if len(cells) >= _MAX_CELLS:
        return Problem(line, Reason("line-too-wide", {"limit": str(_MAX_CELLS)}))
    if any(len(cell) > MAX_CELL for cell in cells):
        return Problem(line, Reason("cell-too-long", {"limit": str(MAX_CELL)}))
    return Record(line, tuple(cells))


def _cell_at(text: str, position: int, bare: re.Pattern[str]) -> tuple[str, int, Reason | None]:
    if not text.startswith('"', position):
        found = bare.match(text, position)
        assert found is not None, "a bare cell may be empty, so it always matches"
        return found[0], found.end(), None
    # The bound keeps a mark left open on each line from reading the whole file again for each.
    quoted = _QUOTED.match(text, position, position + 2 * MAX_CELL + 2)
    if quoted is None:
        return "", position, Reason("quote-unclosed")
    return quoted[1].replace('""', '"'), quoted.end(), None


def _same_line(text: str, start: int, end: int) -> bool:
    return _NEWLINE.search(text, start, end) is None


def _line_end(text: str, position: int) -> int:
    newline = _NEWLINE.search(text, position)
    return newline.start() if newline else len(text)


def _next_line(text: str, position: int) -> int:
    newline = _NEWLINE.search(text, position)
    return newline.end() if newline else len(text)


# Into a table.


def _table(rows: list[_Row], encoding: str, delimiter: str) -> Table:
    rows = [_without_stray_bytes(row) for row in rows]
    first = next((n for n, row in enumerate(rows) if isinstance(row, Problem) or not row.is_blank), None)
    if first is None:
        raise ReadError(Reason("file-empty"))
    title, body = rows[first], rows[first + 1 :]
    if isinstance(title, Problem):
        raise ReadError(Reason("header-unreadable", {"line": str(title.line)}))
    header, notes = _header(title, body)
    fitted = [_fitted(row, len(header)) for row in body]
    records = tuple(row for row in fitted if isinstance(row, Record))
    problems = tuple(row for row in fitted if isinstance(row, Problem))
    if not problems and all(record.is_blank for record in records):
        raise ReadError(Reason("header-only"))
    return Table(header, title.line, records, problems, notes, encoding, delimiter)


def _without_stray_bytes(row: _Row) -> _Row:
    if isinstance(row, Record) and any(map(_STRAY.search, row.cells)):
        return Problem(row.line, Reason("line-bad-bytes"))
    return row


def _fitted(row: _Row, width: int) -> _Row:
    """The row with exactly `width` cells; empty ones beyond the header are what spreadsheets leave behind."""
    if isinstance(row, Problem) or len(row.cells) == width:
        return row
    if row.is_blank:
        return Record(row.line, ("",) * width)
    kept = row.cells[:width]
    if len(row.cells) > width and not any(cell.strip() for cell in row.cells[width:]):
        return Record(row.line, kept)
    code = "line-too-long" if len(row.cells) > width else "line-too-short"
    return Problem(row.line, Reason(code, {"count": str(len(row.cells)), "expected": str(width)}))


def _header(title: Record, body: Sequence[_Row]) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    used = max((_used_width(row) for row in body), default=0)
    names = [one_line(without_invisible(name)) for name in title.cells]
    while names and not names[-1] and len(names) > used:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise ReadError(Reason("too-many-columns", {"count": str(len(names)), "limit": str(MAX_COLUMNS)}))
    return _distinct(names)


def _used_width(row: _Row) -> int:
    """How many cells up to the last one that holds something."""
    cells = row.cells if isinstance(row, Record) else ()
    return next((n for n in range(len(cells), 0, -1) if cells[n - 1].strip()), 0)


def _distinct(names: list[str]) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    """The names told apart: a person who maps columns must be able to say which one is meant."""
    taken = {fold(name) for name in names}
    header: list[str] = []
    notes: list[Reason] = []
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        given = name
        if not name:
            given = _free(f"Colonne {position}", taken, first=1)
            notes.append(Reason("header-empty", {"position": str(position), "renamed": given}))
        elif fold(name) in seen:
            given = _free(name, taken, first=2)
            notes.append(Reason("header-duplicated", {"column": name, "renamed": given}))
        header.append(given)
        seen.add(fold(given))
        taken.add(fold(given))
    return tuple(header), tuple(notes)


def _free(name: str, taken: set[str], *, first: int) -> str:
    """The name, or the name with the first number from `first` on that nobody has taken."""
    number, given = first, name if first == 1 else f"{name} ({first})"
    while fold(given) in taken:
        number += 1
        given = f"{name} ({number})"
    return given
