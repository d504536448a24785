"""A row read as a place with one room."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from exchange.imports import values
from exchange.imports.candidates import LEGAL_LIMITS, Access, Address, Candidate, LegalLimit
from exchange.imports.layouts import Layout
from exchange.imports.reading import Table
from exchange.imports.rows import Circumstances, Row, category_of, checked, name_of, number_in, owner_of, reference_of
from exchange.imports.wording import fold, street_name

WORKS_TO_DO: Final[Mapping[str, str]] = {
    "simple": "travaux simples à prévoir",
    "lourde": "travaux lourds à prévoir",
    "complexe": "travaux complexes à prévoir",
}
MOST_SHOWN: Final = 20
"""Characters of opening hours, from where they stop making sense."""

_NO_NUMBER: Final = frozenset({"0", "00", "000", "0000", "999", "9999", "99999"})


def place_in(row: Row, circumstances: Circumstances) -> Candidate:
    """The place and its room; what is wrong or doubtful is said to the row."""
    name, address = name_of(row), _address(row)
    erp_category, limit = _safety(row)
    access, access_words = _access(row, circumstances.as_of_year)
    latitude, longitude = _position(row)
    return Candidate(
        kind="place-with-room",
        source_ref=reference_of(row, name, address.number, address.street, address.postcode, address.town),
        name=name,
        category=category_of(row),
        owner=owner_of(row, circumstances),
        address=address if address != Address() else None,
        erp_type=row.text("erp_type"),
        erp_type_words=row.text("erp_type_words"),
        erp_category=erp_category,
        legal_limit=limit,
        access=access,
        access_words=access_words,
        latitude=latitude,
        longitude=longitude,
        opening_hours=_opening_hours(row, circumstances.hours_fault),
        phone=row.text("phone"),
        email=checked(row, "email", values.email, "email-odd"),
        web=checked(row, "web", values.link, "link-odd"),
        capacity=_capacity(row, limit),
        theme=row.text("theme"),
        collectivity=_collectivity(row, circumstances),
        collectivity_number=row.text("collectivity_number"),
    )


def _address(row: Row) -> Address:
    complements = [text for text in (row.text("complement"), row.text("complement_2")) if text]
    street, town = row.text("street"), row.text("town")
    return Address(
        number=_street_number(row),
        street=street_name(street) if street else None,
        complement=street_name(", ".join(complements)) or None,
        postcode=checked(row, "postcode", _postcode, "postcode-odd"),
        town=street_name(town) if town else None,
        interop_key=row.text("interop_key"),
    )


def _street_number(row: Row) -> str | None:
    """The number in the street; 0 and 9999 are what address software writes when it has none."""
    number = row.text("address_number")
    if number in _NO_NUMBER:
        row.remark("street-number-placeholder", "address_number", text=number)
        return None
    return number.lower() if number else None


def _postcode(text: str) -> str | None:
    bare = text.replace(" ", "")
    return bare if re.fullmatch("[0-9]{5}", bare) else None


def _safety(row: Row) -> tuple[str | None, LegalLimit | None]:
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


def _access(row: Row, year: int | None) -> tuple[Access, str | None]:
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


def _position(row: Row) -> tuple[float | None, float | None]:
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


def _opening_hours(row: Row, fault: Callable[[str], int | None]) -> str | None:
    text = row.text("opening_hours")
    if text is None or (position := fault(text)) is None:
        return text
    if there := text[position - 1 :][:MOST_SHOWN]:
        row.doubt("hours-unreadable-from", "opening_hours", text=text, position=str(position), there=there)
    else:  # it breaks off
        row.doubt("hours-unreadable", "opening_hours", text=text)
    return None


def _capacity(row: Row, limit: LegalLimit | None) -> int | None:
    """The room's own capacity, when a column gives it; it can't exceed what the building may hold."""
    capacity = number_in(row, "capacity", values.whole)
    if capacity is not None and not 1 <= capacity <= 100_000:
        row.doubt("number-unreadable", "capacity", column=row.column("capacity"), text=str(capacity))
        return None
    most = limit.at_most if limit else None
    if capacity is not None and most is not None and capacity > most:
        row.doubt("capacity-above-limit", "capacity", capacity=str(capacity), limit=str(most))
        return None
    return capacity


def _collectivity(row: Row, circumstances: Circumstances) -> str | None:
    """The authority whose file it is; a file that gathers several doesn't say which of them is lending."""
    name = row.text("collectivity")
    if circumstances.several_collectivities and not circumstances.is_lender(name or ""):
        row.doubt("collectivity-differs", "collectivity", owner=name or "—")
    return name


def several_collectivities(table: Table, layout: Layout) -> bool:
    """True of a file that gathers the equipment of several authorities, by their number or their name."""
    column = layout.columns.get("collectivity_number") or layout.columns.get("collectivity")
    if column is None:
        return False
    position = table.header.index(column)
    cells = (record.cells[position] for record in table.records)
    named = {fold(cell) for cell in cells if not values.is_nothing(cell)}
    return len(named) > 1
