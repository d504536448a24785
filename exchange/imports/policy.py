"""A spreadsheet of rooms or things, line by line: what would be published, what waits for a tick, what is wrong.

Everything here is pure: bytes became a `Table` in `reading`, columns became fields in `layouts`, and nothing is
written anywhere. `dry_run` says what an import would do; importing is doing exactly that.

What is said of a line is of three sorts. An *error* keeps it out until the file is corrected. A *doubt* leaves it out
unless it is ticked. A *remark* stands beside a line and changes nothing.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal, TypeVar

from exchange.imports import values
from exchange.imports.layouts import PLACE, Layout
from exchange.imports.reading import ReadError, Record, Table, read
from exchange.imports.reasons import SENTENCES, RefusedError, Reason, sentence
from exchange.imports.wording import common_words, fold, one_line, proper_name, street_name, without_invisible

__all__ = [
    "SENTENCES",
    "Access",
    "Address",
    "Candidate",
    "CategoryCounts",
    "Counts",
    "DryRun",
    "RefusedError",
    "LegalLimit",
    "Line",
    "ReadError",
    "Reason",
    "Status",
    "Table",
    "dry_run",
    "read",
    "sentence",
    "year_in",
]

T = TypeVar("T")

MAX_NAME: Final = 200
MAX_QUANTITY: Final = 10_000
MAX_VALUE: Final = Decimal(10_000_000)
_MAX_TEXT: Final[Mapping[str, int]] = {
    "source_ref": 100, "opening_hours": 1000, "web": 500, "photo": 500, "inventory": 10_000,
}  # fmt: skip
_NO_NUMBER: Final = frozenset({"0", "00", "000", "0000", "999", "9999", "99999"})
_RANGE = re.compile(r"\S\s+(?:à|a|au|to|-|–)\s+\S|\.\.|…|->|→")


class Status(StrEnum):
    """Where a line stands; every line of the file has exactly one."""

    READY = "ready"
    WARNED = "warned"
    ERROR = "error"
    REPEATED = "repeated"
    BLANK = "blank"


class Access(StrEnum):
    """Whether somebody in a wheelchair can come in; only what is declared compliant is `ACCESSIBLE`."""

    ACCESSIBLE = "accessible"
    WORKS_NEEDED = "works-needed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LegalLimit:
    """People allowed in the whole building at once, staff included as its category counts them; None for no bound."""

    at_least: int | None
    at_most: int | None


LEGAL_LIMITS: Final[Mapping[str, LegalLimit | None]] = {
    "I": LegalLimit(1501, None),
    "II": LegalLimit(701, 1500),
    "III": LegalLimit(301, 700),
    "IV": LegalLimit(None, 300),
    "V": None,
}
"""By safety category of the building (Code de la construction et de l'habitation, R.143-19; figures as in the file)."""

WORKS_TO_DO: Final[Mapping[str, str]] = {
    "simple": "travaux simples à prévoir",
    "lourde": "travaux lourds à prévoir",
    "complexe": "travaux complexes à prévoir",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a place is, in the parts the file gives."""

    number: str | None = None
    street: str | None = None
    complement: str | None = None
    postcode: str | None = None
    town: str | None = None
    interop_key: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one line would publish: a place with one room, a thing, or a pool of like things.

    `source_ref` is what makes importing twice change nothing. `legal_limit` bounds the whole building, `capacity` is
    the room's own and stays None ("to be given") unless the file has a column for it. `value` is in euros.
    `collectivity_number` is a SIRET. Latitude and longitude are decimal degrees, both or neither.
    """

    kind: Literal["place-with-room", "thing", "pool"]
    source_ref: str
    name: str
    category: str | None = None
    owner: str | None = None
    address: Address | None = None
    erp_type: str | None = None
    erp_type_words: str | None = None
    erp_category: str | None = None
    legal_limit: LegalLimit | None = None
    access: Access = Access.UNKNOWN
    access_words: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    opening_hours: str | None = None
    phone: str | None = None
    email: str | None = None
    web: str | None = None
    capacity: int | None = None
    theme: str | None = None
    collectivity: str | None = None
    collectivity_number: str | None = None
    quantity: int = 1
    inventory_numbers: tuple[str, ...] = ()
    place: str | None = None
    value: Decimal | None = None
    photo: str | None = None
    acquired_on: date | None = None


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
    readable_hours: Callable[[str], bool] = bool,
) -> DryRun:
    """What importing `table` would do, one status per line.

    `owner_words` are the words that mean the lender in the owner's column, compared whole ("VILLE" is not
    "VILLE DE LATTES"), without regard to case and accents. `as_of_year` is the year that the file describes, said
    with the works to be done. `readable_hours` says whether the catalogue understands opening hours.
    """
    circumstances = _Circumstances(
        frozenset(map(fold, owner_words)), as_of_year, readable_hours, _several_collectivities(table, layout)
    )
    rows = (_Row(record, table.header, layout) for record in table.records)
    lines = [_line(row, circumstances) for row in rows]
    lines += [Line(problem.line, Status.ERROR, reasons=(problem.reason,)) for problem in table.problems]
    return DryRun(tuple(_without_doubles(sorted(lines, key=lambda line: line.number), table)), table.notes)


def year_in(file_name: str) -> int | None:
    """The year that a file's name gives, if it gives one only: "montpellier-erp-2014.csv" -> 2014."""
    years = set(re.findall(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])", file_name))
    return int(years.pop()) if len(years) == 1 else None


@dataclass(frozen=True, slots=True)
class _Circumstances:
    owner_words: frozenset[str]
    as_of_year: int | None
    readable_hours: Callable[[str], bool]
    several_collectivities: bool

    def is_lender(self, owner: str) -> bool:
        return fold(owner) in self.owner_words


class _Row:
    """One record seen by our fields, and what is found to say about it while it is read."""

    def __init__(self, record: Record, header: tuple[str, ...], layout: Layout) -> None:
        self.record = record
        self.layout = layout
        self._cells = dict(zip(header, record.cells, strict=True))
        self.errors: list[Reason] = []
        self.doubts: list[Reason] = []
        self.remarks: list[Reason] = []

    def has(self, name: str) -> bool:
        return name in self.layout.columns

    def column(self, name: str) -> str:
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
        limit = _MAX_TEXT.get(name, MAX_NAME)
        if len(text) > limit:
            self.error("text-too-long", name, column=self.column(name), length=str(len(text)), limit=str(limit))
        return text[:limit]

    def error(self, code: str, name: str, **params: str) -> None:
        self.errors.append(Reason(code, params, name))

    def doubt(self, code: str, name: str, **params: str) -> None:
        self.doubts.append(Reason(code, params, name))

    def remark(self, code: str, name: str, **params: str) -> None:
        reason = Reason(code, params, name)
        if reason not in self.remarks:
            self.remarks.append(reason)


def _line(row: _Row, circumstances: _Circumstances) -> Line:
    if row.record.is_blank:
        return Line(row.record.line, Status.BLANK)
    candidate = _place(row, circumstances) if row.layout.kind == PLACE else _thing(row, circumstances)
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


# Names, references, owners.


def _name(row: _Row) -> str:
    text = row.text("name")
    if text is None:
        row.error("name-missing", "name", column=row.column("name"))
    return proper_name(text or "")


def _category(row: _Row) -> str | None:
    text = row.text("category")
    if text is None and row.has("category"):
        row.remark("category-missing", "category")
    return None if text is None else common_words(text)


def _reference(row: _Row, *likeness: str | None) -> str:
    """The file's own reference, or else a fixed one made of what the line is called and where it is.

    Where a column holds references each line needs its own: without it, a second import would not know it again.
    """
    if not row.has("source_ref"):
        return _likeness(*likeness)
    text = row.text("source_ref")
    if text is None:
        row.error("reference-missing", "source_ref", column=row.column("source_ref"))
    return text or ""


_LIKENESS: Final = "auto:"


def _likeness(*parts: str | None) -> str:
    told = "\n".join(fold(part or "") for part in parts)
    return _LIKENESS + hashlib.sha256(told.encode()).hexdigest()[:24]


def _owner(row: _Row, circumstances: _Circumstances) -> str | None:
    """The owner named. A building without one is doubtful; a thing without one is taken to be the lender's."""
    owner = row.text("owner")
    if owner is None and row.has("owner") and row.layout.kind == PLACE:
        row.doubt("owner-missing", "owner")
    if owner is not None and not circumstances.is_lender(owner):
        row.doubt("owner-differs", "owner", owner=owner)
    return owner


# Places.


def _place(row: _Row, circumstances: _Circumstances) -> Candidate:
    name, address = _name(row), _address(row)
    erp_category, limit = _safety(row)
    access, access_words = _access(row, circumstances.as_of_year)
    latitude, longitude = _position(row)
    return Candidate(
        kind="place-with-room",
        source_ref=_reference(row, name, address.number, address.street, address.postcode, address.town),
        name=name,
        category=_category(row),
        owner=_owner(row, circumstances),
        address=address if address != Address() else None,
        erp_type=row.text("erp_type"),
        erp_type_words=row.text("erp_type_words"),
        erp_category=erp_category,
        legal_limit=limit,
        access=access,
        access_words=access_words,
        latitude=latitude,
        longitude=longitude,
        opening_hours=_opening_hours(row, circumstances.readable_hours),
        phone=row.text("phone"),
        email=_checked(row, "email", values.email, "email-odd"),
        web=_checked(row, "web", values.link, "link-odd"),
        capacity=_capacity(row, limit),
        theme=row.text("theme"),
        collectivity=_collectivity(row, circumstances),
        collectivity_number=row.text("collectivity_number"),
    )


def _address(row: _Row) -> Address:
    complements = [text for text in (row.text("complement"), row.text("complement_2")) if text]
    street, town = row.text("street"), row.text("town")
    return Address(
        number=_street_number(row),
        street=street_name(street) if street else None,
        complement=street_name(", ".join(complements)) or None,
        postcode=_checked(row, "postcode", _postcode, "postcode-odd"),
        town=street_name(town) if town else None,
        interop_key=row.text("interop_key"),
    )


def _street_number(row: _Row) -> str | None:
    """The number in the street; 0 and 9999 are what address software writes when it has none."""
    number = row.text("address_number")
    if number in _NO_NUMBER:
        row.remark("street-number-placeholder", "address_number", text=number)
        return None
    return number.lower() if number else None


def _postcode(text: str) -> str | None:
    bare = text.replace(" ", "")
    return bare if re.fullmatch("[0-9]{5}", bare) else None


def _safety(row: _Row) -> tuple[str | None, LegalLimit | None]:
    """The safety category as a Roman numeral, with the people it bounds; what disagrees is left to the person."""
    text, words = row.text("erp_category"), row.text("erp_category_words")
    told, told_in_words = _numeral(text), _numeral(words)
    if text is not None and told is None:
        row.doubt("erp-category-unknown", "erp_category", text=text)
        return None, None
    if told and told_in_words and told != told_in_words:
        row.doubt("erp-category-disagrees", "erp_category", text=text or "", words=words or "")
        return None, None
    numeral = told or told_in_words
    return numeral, LEGAL_LIMITS[numeral] if numeral else None


def _numeral(text: str | None) -> str | None:
    """ "IV", "4", "4e", "4ème catégorie (effectif <= 300)" -> "IV"."""
    found = re.match(r"(?:categorie )?(?:(iv|v|i{1,3})|([1-5])(?:ere|er|e|eme)?)(?: categorie.*)?$", fold(text or ""))
    if found is None:
        return None
    return found[1].upper() if found[1] else ("I", "II", "III", "IV", "V")[int(found[2]) - 1]


def _access(row: _Row, year: int | None) -> tuple[Access, str | None]:
    text = row.text("accessibility")
    if text is None:
        return Access.UNKNOWN, None
    word = fold(text)
    if word == "conforme":
        return Access.ACCESSIBLE, _in_year("conforme", year)
    if word in WORKS_TO_DO:
        return Access.WORKS_NEEDED, _in_year(WORKS_TO_DO[word], year)
    row.remark("accessibility-unknown", "accessibility", text=text)
    return Access.UNKNOWN, text


def _in_year(words: str, year: int | None) -> str:
    return f"{words} ({year})" if year else words


def _position(row: _Row) -> tuple[float | None, float | None]:
    """Both coordinates or neither; (0, 0) lies in the Gulf of Guinea and means that nobody knew."""
    texts = row.text("latitude"), row.text("longitude")
    if texts == (None, None):
        return None, None
    latitude, longitude = (values.degrees(text or "") for text in texts)
    if latitude is None or longitude is None or not _on_earth(latitude, longitude):
        row.doubt("position-unusable", "latitude", text=" ; ".join(text or "—" for text in texts))
        return None, None
    return latitude, longitude


def _on_earth(latitude: float, longitude: float) -> bool:
    return abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)


def _opening_hours(row: _Row, readable: Callable[[str], bool]) -> str | None:
    text = row.text("opening_hours")
    if text is not None and not readable(text):
        row.doubt("hours-unreadable", "opening_hours", text=text)
        return None
    return text


def _capacity(row: _Row, limit: LegalLimit | None) -> int | None:
    """The room's own capacity, when a column gives it; it can't exceed what the building may hold."""
    capacity = _number(row, "capacity", values.whole)
    if capacity is not None and not 1 <= capacity <= 100_000:
        row.doubt("number-unreadable", "capacity", column=row.column("capacity"), text=str(capacity))
        return None
    most = limit.at_most if limit else None
    if capacity is not None and most is not None and capacity > most:
        row.doubt("capacity-above-limit", "capacity", capacity=str(capacity), limit=str(most))
        return None
    return capacity


def _collectivity(row: _Row, circumstances: _Circumstances) -> str | None:
    """The authority whose file it is; a file that gathers several doesn't say which of them is lending."""
    name = row.text("collectivity")
    if circumstances.several_collectivities and not circumstances.is_lender(name or ""):
        row.doubt("collectivity-differs", "collectivity", owner=name or "—")
    return name


def _several_collectivities(table: Table, layout: Layout) -> bool:
    column = layout.columns.get("collectivity_number") or layout.columns.get("collectivity")
    if column is None:
        return False
    position = table.header.index(column)
    named = {fold(record.cells[position]) for record in table.records if not record.is_blank}
    return len(named) > 1


# Things.


def _thing(row: _Row, circumstances: _Circumstances) -> Candidate:
    name, place = _name(row), row.text("place")
    numbers = _inventory_numbers(row)
    quantity = _quantity(row, numbers)
    return Candidate(
        kind="pool" if quantity > 1 and not numbers else "thing",
        source_ref=numbers[0] if numbers and not row.has("source_ref") else _reference(row, name, place),
        name=name,
        category=_category(row),
        owner=_owner(row, circumstances),
        quantity=quantity,
        inventory_numbers=numbers,
        place=place,
        value=_value(row),
        photo=_checked(row, "photo", values.link, "link-odd"),
        acquired_on=_day(row, "acquired_on"),
    )


def _inventory_numbers(row: _Row) -> tuple[str, ...]:
    """The numbers written on the things, one by one; a range is asked back, since it may have holes."""
    text = row.raw("inventory")
    if text is None:
        return ()
    row.bounded("inventory", text)
    numbers = [one_line(number) for number in re.split(r"[,;|\n\r]", text)]
    numbers = [row.bounded("source_ref", number) for number in numbers if number]
    if any(_RANGE.search(number) for number in numbers):
        row.error("inventory-range", "inventory", text=one_line(text)[:MAX_NAME])
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        row.error("inventory-twice", "inventory", number=number)
    return tuple(numbers)


def _quantity(row: _Row, numbers: tuple[str, ...]) -> int:
    """How many: as said, or as many as there are numbers, or one."""
    text = row.text("quantity")
    if text is None:
        if not numbers:
            row.remark("quantity-assumed", "quantity")
        return len(numbers) or 1
    said = _whole_or_none(text)
    if said is None or not 1 <= said <= MAX_QUANTITY:
        row.error("quantity-wrong", "quantity", text=text, limit=str(MAX_QUANTITY))
        return 1
    if numbers and said != len(numbers):
        row.doubt("quantity-differs", "quantity", quantity=str(said), count=str(len(numbers)))
        return len(numbers)
    return said


def _whole_or_none(text: str) -> int | None:
    try:
        return values.whole(text)
    except values.Ambiguous:
        return None


def _value(row: _Row) -> Decimal | None:
    value = _number(row, "value", values.euros)
    if value is not None and not 0 <= value <= MAX_VALUE:
        row.doubt("number-unreadable", "value", column=row.column("value"), text=str(value))
        return None
    return value


# Any field.


def _checked(row: _Row, name: str, reader: Callable[[str], str | None], code: str) -> str | None:
    text = row.text(name)
    found = reader(text) if text is not None else None
    if text is not None and found is None:
        row.remark(code, name, text=text)
    return found


def _number(row: _Row, name: str, reader: Callable[[str], T | None]) -> T | None:
    text = row.text(name)
    if text is None:
        return None
    try:
        found = reader(text)
    except values.Ambiguous:
        row.doubt("number-ambiguous", name, column=row.column(name), text=text)
        return None
    if found is None:
        row.doubt("number-unreadable", name, column=row.column(name), text=text)
    return found


def _day(row: _Row, name: str) -> date | None:
    text = row.text(name)
    found = values.day(text) if text is not None else None
    if text is not None and found is None:
        row.doubt("date-unreadable", name, column=row.column(name), text=text)
    return found


# Doubles.


def _without_doubles(lines: Iterable[Line], table: Table) -> Iterator[Line]:
    """Each line once: word for word again is a repeat, the same reference with other words is an error."""
    cells = {record.line: tuple(cell.strip() for cell in record.cells) for record in table.records}
    first_of: dict[str, Line] = {}
    holders: dict[str, int] = {}
    for line in lines:
        told = _against_first(line, first_of, cells) if line.candidate else line
        if told.status is not Status.REPEATED:
            told = _against_holders(told, holders)
        yield told


def _against_first(line: Line, first_of: dict[str, Line], cells: Mapping[int, tuple[str, ...]]) -> Line:
    assert line.candidate is not None, "a line without a candidate has no reference to compare"
    reference = line.candidate.source_ref
    first = first_of.setdefault(reference, line)
    if first is line:
        return line
    if cells[first.number] == cells[line.number]:
        return replace(line, status=Status.REPEATED, reasons=(Reason("line-repeated", {"line": str(first.number)}),))
    code = "likeness-twice" if reference.startswith(_LIKENESS) else "reference-twice"
    reason = Reason(code, {"reference": reference, "line": str(first.number)}, "source_ref")
    return replace(line, status=Status.ERROR, reasons=(reason, *line.reasons))


def _against_holders(line: Line, holders: dict[str, int]) -> Line:
    """An inventory number is written on one thing only."""
    numbers = line.candidate.inventory_numbers if line.candidate else ()
    taken = [number for number in numbers if holders.setdefault(number, line.number) != line.number]
    reasons = tuple(Reason("inventory-taken", {"number": n, "line": str(holders[n])}, "inventory") for n in taken)
    return replace(line, status=Status.ERROR, reasons=(*reasons, *line.reasons)) if reasons else line
