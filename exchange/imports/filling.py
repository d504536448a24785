"""What a line fills in the catalogue, and what a later file changes in it.

A file owns what it says: when it says something new, that is taken up. An officer owns what they have edited: a value
that is no longer the one that the file gave is never overwritten. Capacity and description are the officer's as soon as
they have written them, since a file without them takes none away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP
from typing import Any, Final, NamedTuple

from exchange.imports.candidates import Address, Candidate
from exchange.imports.wording import fold

Facts = dict[str, Any]

_MOST: Final[Mapping[str, int]] = {
    "name": 200, "category": 80, "address": 300, "town": 100, "erp_type": 100, "access_note": 300, "description": 4000,
    "inventory_number": 60,
}  # fmt: skip
"""Characters that the catalogue keeps."""


@dataclass(frozen=True, slots=True)
class Filling:
    """One resource that a line stands for, and its place: known by its reference, or by its name alone."""

    kind: str
    ref: str
    resource: Facts
    place: Facts = field(default_factory=dict)
    place_name: str | None = None

    @property
    def said(self) -> dict[str, Facts]:
        """What is remembered of it until the next file."""
        return {"resource": self.resource, "place": self.place, "where": {"name": fold(self.place_name or "")}}


class Merged(NamedTuple):
    """What changes, and what stays though the file says otherwise, since somebody has edited it."""

    changes: Facts
    kept: list[str]


def fillings(candidate: Candidate) -> tuple[Filling, ...]:
    """The resources that a candidate stands for: a room, a pool, or as many things as it has inventory numbers."""
    if candidate.kind == "place-with-room":
        return (_room(candidate),)
    if candidate.kind == "pool":
        pool = Filling("pool", candidate.source_ref, _thing(candidate), place_name=candidate.place)
        pool.resource["quantity"] = candidate.quantity
        return (pool,)
    if candidate.inventory_numbers:
        return tuple(_numbered(candidate, number) for number in candidate.inventory_numbers)
    return (Filling("thing", candidate.source_ref, _thing(candidate), place_name=candidate.place),)


def merge(before: Mapping[str, Any], now: Mapping[str, Any], current: Mapping[str, Any]) -> Merged:
    """What a file changes: what it says anew, where nobody has edited what it said before."""
    anew = {name: value for name, value in now.items() if name not in before or before[name] != value}
    kept = [name for name, value in anew.items() if not _untouched(name, before, current) and current[name] != value]
    changes = {name: value for name, value in anew.items() if name not in kept and current[name] != value}
    return Merged(changes, kept)


def _untouched(name: str, before: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """True of what is still as the file said it, or still empty when no file said anything of it."""
    return current[name] == before[name] if name in before else current[name] in (None, "")


def references(candidates: Iterable[Candidate]) -> set[str]:
    """Every reference under which these candidates are known."""
    return {filling.ref for candidate in candidates for filling in fillings(candidate)}


def _room(candidate: Candidate) -> Filling:
    limit, address = candidate.legal_limit, candidate.address or Address()
    resource = _bounded({
        "name": candidate.name, "category": candidate.category or "", "opening_hours": candidate.opening_hours or "",
        "description": _contact(candidate),
    })  # fmt: skip
    if candidate.capacity is not None:
        resource["capacity"] = candidate.capacity
    place = _bounded({
        "name": candidate.name, "address": one_address(address), "postcode": address.postcode or "",
        "town": address.town or "", "erp_type": candidate.erp_type_words or candidate.erp_type or "",
        "erp_category": candidate.erp_category or "", "legal_min": limit.at_least if limit else None,
        "legal_max": limit.at_most if limit else None, "access": candidate.access.value,
        "access_note": candidate.access_words or "", "latitude": candidate.latitude, "longitude": candidate.longitude,
    })  # fmt: skip
    return Filling("room", candidate.source_ref, resource, place)


def _thing(candidate: Candidate) -> Facts:
    """What a file says of a thing; a value or a photograph that it doesn't give takes none away."""
    facts = _bounded({"name": candidate.name, "category": candidate.category or ""})
    if candidate.value is not None:
        facts["value_cents"] = int((candidate.value * 100).to_integral_value(ROUND_HALF_UP))
    if candidate.photo is not None:
        facts["photo_address"] = candidate.photo
    return facts


def _numbered(candidate: Candidate, number: str) -> Filling:
    """One thing, known by the number written on it, which its name shows: "Perceuse (n° 12)"."""
    facts, mark = _thing(candidate), f" (n°\u00a0{number})"
    facts["name"] = facts["name"][: _MOST["name"] - len(mark)] + mark
    facts["inventory_number"] = number[: _MOST["inventory_number"]]
    return Filling("thing", f"inv:{number}", facts, place_name=candidate.place)


def one_address(address: Address) -> str:
    """Number, street and complement on one line."""
    street = " ".join(filter(None, [address.number, address.street]))
    return ", ".join(filter(None, [street, address.complement]))


def _contact(candidate: Candidate) -> str:
    """What the file says of whom to call, as the beginning of a description."""
    lines = [("Téléphone", candidate.phone), ("Courriel", candidate.email), ("Site", candidate.web)]
    return "\n".join(f"{label}\u00a0: {text}" for label, text in lines if text)


def _bounded(facts: Facts) -> Facts:
    return {name: value[: _MOST[name]] if name in _MOST else value for name, value in facts.items()}
