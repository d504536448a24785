"""The fields of a template, and what becomes of an agreement; without any I/O.

In the text of ``exchange.blocks``, ``{demandeur}`` is a field; nothing else between braces is allowed, and what a field
becomes is never read again: a name with a ``#`` or a brace stays a name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from exchange.blocks import Block, on_one_line, read, written
from exchange.errors import BraceAlone, FieldUnknown

FIELDS: Final = (
    "numero", "fait_le", "preteur", "contact", "demandeur", "representant", "objet", "quoi", "lieu", "du", "au",
    "personnes", "prix", "redevance", "caution", "charte", "conditions", "assurance",
)  # fmt: skip
"""What a template may name; each page that lists them says what it would become."""

_FIELD = re.compile(r"\{([^{}\n]*)\}")


def check(text: str) -> None:
    """Refuse a template that can't be filled. Raises FieldUnknown or BraceAlone, with the line, counted from 1."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in _FIELD.finditer(line):
            if _named(found) not in FIELDS:
                raise FieldUnknown(name=found[1].strip()[:40], line=number)
        if re.search(r"[{}]", _FIELD.sub("", line)):
            raise BraceAlone(line=number)


def _named(found: re.Match[str]) -> str:
    return found[1].strip().lower()


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text of an agreement, in which every field is said; what a value holds is never taken for a mark."""
    return written(
        Block(block.kind, _FIELD.sub(lambda found: on_one_line(values[_named(found)]), block.text))
        for block in read(template)
    )


def digest(text: str) -> bytes:
    """The SHA-256 of a text as it is kept."""
    return hashlib.sha256(text.encode()).digest()


def called(year: int, number: int) -> str:
    """The number of an agreement as people write it: "C-2026-0001"."""
    return f"C-{year}-{number:04d}"


def state(*, erased: bool, cancelled: str | None, replaced: bool, signed: frozenset[str]) -> str:
    """What became of an agreement, in one word.

    erased, superseded (by another, of this loan or of what it was changed into), void (the loan is cancelled),
    signed (by both) or open. ``cancelled`` is the ground of the loan's cancellation, "" without any, None while it
    stands.
    """
    if replaced or cancelled in ("changed", "moved"):
        return "superseded"
    if cancelled is not None:
        return "void"
    if erased:
        return "erased"
    return "signed" if len(signed) == 2 else "open"


def turn(first: str, signed: frozenset[str]) -> str | None:
    """Whose turn it is to accept: "lender" or "borrower"; None once both have."""
    order = ("lender", "borrower") if first == "lender" else ("borrower", "lender")
    return next((side for side in order if side not in signed), None)
