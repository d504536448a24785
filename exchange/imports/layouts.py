# ruff: noqa: SIM905 - a list of words is read as words
"""Which column holds what: the layouts we know, and those a person maps once.

A layout is recognised by its header, in any order, whatever its case and accents. Columns that it does not
name are left unread: gender and dates of birth have no field here, so they can't come in.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from exchange.imports.reasons import Reason, RefusedError
from exchange.imports.wording import fold

Kind = Literal["place-with-room", "thing"]

PLACE: Final = "place-with-room"
THING: Final = "thing"

PLACE_FIELDS: Final = frozenset(
    "source_ref name category theme address_number street complement complement_2 postcode town interop_key erp_type "
    "erp_type_words erp_category erp_category_words accessibility owner collectivity collectivity_number latitude "
    "longitude opening_hours phone email web capacity".split()
)
THING_FIELDS: Final = frozenset(
    "source_ref name category quantity inventory place owner value photo acquired_on".split()
)
_FIELDS_OF: Final[Mapping[Kind, frozenset[str]]] = {PLACE: PLACE_FIELDS, THING: THING_FIELDS}


class MappingError(RefusedError):
    """A mapping that names an unknown field or a column that the file has not."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file's rows are and which of its columns holds each of our fields."""

    code: str
    kind: Kind
    columns: Mapping[str, str] = field(hash=False)


ERP: Final = Layout(
    "erp",
    PLACE,
    {
        "source_ref": "CODE",
        "name": "DESIGNATION",
        "category": "CATEGORIE",
        "erp_category": "CODE CAT ERP",
        "erp_category_words": "CATEGORIE ERP",
        "erp_type": "CODE TYPE ERP",
        "erp_type_words": "TYPE ERP",
        "address_number": "NUM VOIRIE",
        "street": "RUE",
        "complement": "ADR2",
        "complement_2": "ADR3",
        "owner": "PROPRIO",
        "accessibility": "LIB ACCESS",
    },
)
"""Buildings open to the public, as the city of Montpellier publishes them (open data, Open Licence, 2014)."""

ERP_HEADER: Final = tuple(
    "CODE;DESIGNATION;CODE CATEG;CATEGORIE;CODE CAT ERP;CATEGORIE ERP;CODE TYPE ERP;TYPE ERP;CODE ACCESS;NUM VOIRIE;"
    "RUE;ADR2;ADR3;PROPRIO;CDRUE;LIB ACCESS;GROUPE ERP".split(";")
)

SCDL_EQUIPEMENTS: Final = Layout(
    "scdl-equipements",
    PLACE,
    {
        "collectivity": "COLL_NOM",
        "collectivity_number": "COLL_SIRET",
        "source_ref": "EQUIP_UID",
        "theme": "EQUIP_THEME",
        "category": "EQUIP_TYPE",
        "name": "EQUIP_NOM",
        "address_number": "ADR_NUMERO",
        "street": "ADR_NOMVOIE",
        "postcode": "ADR_CODEPOSTAL",
        "town": "ADR_COMMUNE",
        "interop_key": "ADR_CLE_INTEROP",
        "erp_type": "ERP_TYPE",
        "erp_category": "ERP_CATEGORIE",
        "latitude": "EQUIP_LAT",
        "longitude": "EQUIP_LONG",
        "opening_hours": "EQUIP_OUVERTURE",
        "phone": "EQUIP_TEL",
        "email": "EQUIP_EMAIL",
        "web": "EQUIP_WEB",
    },
)
"""National layout of local authorities' equipment (Socle commun des données locales, "équipements")."""

SCDL_HEADER: Final = tuple(
    "COLL_NOM COLL_SIRET EQUIP_UID EQUIP_THEME EQUIP_CODE EQUIP_TYPE EQUIP_NOM ADR_NUMERO ADR_NOMVOIE ADR_CODEPOSTAL "
    "ADR_COMMUNE ADR_CLE_INTEROP ERP_TYPE ERP_CATEGORIE EQUIP_LAT EQUIP_LONG EQUIP_OUVERTURE EQUIP_TEL EQUIP_EMAIL "
    "EQUIP_WEB".split()
)
"""The twenty columns, in the order in which we export them too."""

# What people call our fields, folded (no accents, no case, no punctuation).
THING_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "source_ref": ("reference", "ref", "identifiant", "id", "code", "source ref"),
    "name": ("nom", "designation", "libelle", "intitule", "article", "materiel", "objet", "name", "item", "title"),
    "category": ("categorie", "famille", "type", "category"),
    "quantity": ("quantite", "qte", "nombre", "nb", "quantity", "qty", "count"),
    "inventory": (
        "numero d inventaire", "numeros d inventaire", "n d inventaire", "n inventaire", "inventaire",
        "numero de serie", "n de serie", "inventory number", "inventory numbers", "inventory", "serial number",
        "serial numbers",
    ),
    "place": ("lieu", "emplacement", "lieu de stockage", "stockage", "local", "place", "location"),
    "owner": ("proprietaire", "preteur", "owner", "lender"),
    "value": ("valeur", "valeur en euros", "valeur euros", "prix", "value", "price"),
    "photo": (
        "photo", "adresse de la photo", "adresse photo", "url photo", "lien photo", "image", "photo address",
        "photo url",
    ),
    "acquired_on": ("date d achat", "date d acquisition", "acquis le", "acquired on", "purchase date"),
}  # fmt: skip
PLACE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "source_ref": ("reference", "ref", "identifiant", "id", "code", "source ref"),
    "name": ("nom", "designation", "libelle", "intitule", "salle", "batiment", "equipement", "name"),
    "category": ("categorie", "type", "famille", "category"),
    "address_number": ("numero", "n", "num voirie", "numero de rue", "number"),
    "street": ("rue", "voie", "adresse", "nom de la voie", "street", "address"),
    "complement": ("complement", "complement d adresse", "address 2"),
    "postcode": ("code postal", "cp", "postcode"),
    "town": ("ville", "commune", "town", "city"),
    "erp_type": ("type erp",),
    "erp_category": ("categorie erp",),
    "accessibility": ("accessibilite", "accessibility"),
    "owner": ("proprietaire", "proprio", "owner"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "long", "lon", "lng"),
    "opening_hours": ("horaires", "ouverture", "heures d ouverture", "opening hours"),
    "phone": ("telephone", "tel", "phone"),
    "email": ("courriel", "email", "e mail", "mail", "mel"),
    "web": ("site", "site web", "site internet", "web", "website"),
    "capacity": ("capacite", "places", "nombre de personnes", "capacity"),
}
_WORDS_OF: Final[Mapping[Kind, Mapping[str, tuple[str, ...]]]] = {PLACE: PLACE_WORDS, THING: THING_WORDS}


def recognise(header: Iterable[str]) -> Layout | None:
    """The known layout of a header, or None when a person has to map its columns."""
    header = tuple(header)
    for layout, expected in ((ERP, ERP_HEADER), (SCDL_EQUIPEMENTS, SCDL_HEADER)):
        if _holds_once(header, expected):
            return Layout(layout.code, layout.kind, _in_words_of(header, layout.columns))
    return _things(header)


def suggested(header: Iterable[str], kind: Kind) -> dict[str, str]:
    """The columns whose title names one of our fields, to fill the mapping form; doubtful ones are left to choose."""
    found: dict[str, list[str]] = {}
    for column in header:
        for name, words in _WORDS_OF[kind].items():
            if fold(column) in words:
                found.setdefault(name, []).append(column)
    return {name: columns[0] for name, columns in found.items() if len(columns) == 1}


def fingerprint(header: Iterable[str]) -> str:
    """What a mapping is remembered by: the same for the same titles in any order, case and accents."""
    return hashlib.sha256("\n".join(sorted(map(fold, header))).encode()).hexdigest()


def mapped(columns: Mapping[str, str], header: Iterable[str], *, kind: Kind | None = None) -> Layout:
    """The layout of a person's mapping {our field: column}. Raises `MappingError`.

    Without `kind` it is a thing as soon as one field belongs to things alone (quantity, inventory, place...).
    """
    header = tuple(header)
    kind = kind or (THING if (THING_FIELDS - PLACE_FIELDS) & set(columns) else PLACE)
    for name in columns:
        if name not in _FIELDS_OF[kind]:
            raise MappingError(Reason("mapping-field-unknown", {"field": name}))
    if "name" not in columns:
        raise MappingError(Reason("mapping-name-missing"))
    return Layout("mapped", kind, _in_words_of(header, columns))


def mapping_from_json(text: str, header: Iterable[str]) -> Layout:
    """The layout written as {"kind": "thing", "name": "Objet", "quantity": "Nb"}; "kind" may be left out.

    Raises `MappingError`.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise MappingError(Reason("mapping-not-json")) from None
    if not isinstance(document, dict) or not all(isinstance(column, str) for column in document.values()):
        raise MappingError(Reason("mapping-not-pairs"))
    return mapped(document, header, kind=_kind(document.pop("kind", None)))


def mapping_as_json(layout: Layout) -> str:
    """The mapping of a layout, as `mapping_from_json` reads it."""
    return json.dumps({"kind": layout.kind, **layout.columns}, ensure_ascii=False, indent=1)


def _kind(word: str | None) -> Kind | None:
    if word is None:
        return None
    for kind in _FIELDS_OF:
        if word == kind:
            return kind
    raise MappingError(Reason("mapping-kind-unknown", {"kind": word}))


def _things(header: tuple[str, ...]) -> Layout | None:
    """A list of things says their name and how many there are or which; each once, or a person chooses."""
    columns = suggested(header, THING)
    said_twice = len([column for column in header if _names_a_thing_field(column)]) != len(columns)
    if said_twice or "name" not in columns or not {"quantity", "inventory"} & set(columns):
        return None
    return Layout("things", THING, columns)


def _names_a_thing_field(column: str) -> bool:
    return any(fold(column) in words for words in THING_WORDS.values())


def _holds_once(header: tuple[str, ...], expected: Iterable[str]) -> bool:
    """True when every expected column is there and none twice: reading titles tells doubles apart as "CODE (2)"."""
    present = set(map(fold, header))
    return all(fold(name) in present and fold(f"{name} (2)") not in present for name in expected)


def _in_words_of(header: tuple[str, ...], columns: Mapping[str, str]) -> dict[str, str]:
    """The same columns as this file spells them. Raises `MappingError` for one that it has not."""
    spelt = {fold(column): column for column in reversed(header)}
    exact = set(header)
    found: dict[str, str] = {}
    for name, column in columns.items():
        if column not in exact and fold(column) not in spelt:
            raise MappingError(Reason("mapping-column-missing", {"column": column}))
        found[name] = column if column in exact else spelt[fold(column)]
    return found
