"""What one line of a spreadsheet would publish: a place with its room, a thing, or a pool of like things."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal


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
    the room's own and stays None ("to be given") unless the file has a column for it. A thing with several
    `inventory_numbers` is as many things, one card each; a pool is counted, its items have no numbers. `value` is in
    euros, `collectivity_number` a SIRET. Latitude and longitude are decimal degrees, both or neither.
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
