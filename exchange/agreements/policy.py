"""The syntax of a template, without any I/O: headings, paragraphs, lists, and fields between braces.

A text is blocks parted by empty lines. A line that begins with ``#`` or ``##`` is a heading, lines that begin with
``-`` are a list, anything else is a paragraph. ``{demandeur}`` is a field; nothing else between braces is allowed, and
what a field becomes is never read again: a name with a ``#`` or a brace stays a name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from exchange.errors import BraceAlone, FieldUnknown

FIELDS: Final = (
    "numero", "fait_le", "preteur", "contact", "demandeur", "representant", "objet", "quoi", "lieu", "du", "au",
    "personnes", "prix", "conditions", "assurance",
)  # fmt: skip
"""What a template may name; each page that lists them says what it would become."""

LARGEST: Final = 20_000
"""Characters of a template."""

_FIELD = re.compile(r"\{([^{}\n]*)\}")
_MARK = re.compile(r"(##?|-)[ \t]+")
_MARKED = re.compile(r"[#\-\\]")


class Block(NamedTuple):
    """A piece of a text: its kind is "title", "heading", "paragraph" or "item"."""

    kind: str
    text: str


_KINDS: Final = {"#": "title", "##": "heading", "-": "item"}
_MARKS: Final = {kind: mark for mark, kind in _KINDS.items()}


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


def on_one_line(value: str) -> str:
    """A value as it stands in a sentence."""
    return re.sub(r"[^\S\u00a0\u202f]+", " ", value).strip()


def read(text: str) -> list[Block]:
    """The blocks of a text."""
    blocks: list[Block] = []
    open_ = False
    for line in text.splitlines():
        line = line.strip()
        mark = _MARK.match(line)
        if mark:
            blocks.append(Block(_KINDS[mark[1]], line[mark.end() :]))
        elif not line:
            open_ = False
            continue
        elif open_ and blocks[-1].kind in ("paragraph", "item"):
            blocks[-1] = Block(blocks[-1].kind, f"{blocks[-1].text} {_plain(line)}")
        else:
            blocks.append(Block("paragraph", _plain(line)))
        open_ = True
    return [block for block in blocks if block.text]


def _plain(line: str) -> str:
    """A line without what protects its first sign from being a mark."""
    return line[1:] if line.startswith("\\") else line


def written(blocks: Iterable[Block]) -> str:
    """The text that reads as these blocks: ``read`` gives them back."""
    return "\n\n".join(_line(block) for block in blocks if block.text.strip()) + "\n"


def _line(block: Block) -> str:
    if block.kind in _MARKS:
        return f"{_MARKS[block.kind]} {block.text.strip()}"
    text = block.text.strip()
    return f"\\{text}" if _MARKED.match(text) else text


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
