"""Plain text with headings, paragraphs and lists, as a lender writes an agreement or a charter; without any I/O.

A text is blocks parted by empty lines. A line that begins with ``#`` or ``##`` is a heading, lines that begin with
``-`` are a list, anything else is a paragraph. There is nothing else: no link, no picture, no code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

LARGEST: Final = 20_000
"""Characters of a text that is written."""

_MARK = re.compile(r"(##?|-)[ \t]+")
_MARKED = re.compile(r"[#\-\\]")


class Block(NamedTuple):
    """A piece of a text: its kind is "title", "heading", "paragraph" or "item"."""

    kind: str
    text: str


_KINDS: Final = {"#": "title", "##": "heading", "-": "item"}
_MARKS: Final = {kind: mark for mark, kind in _KINDS.items()}


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
