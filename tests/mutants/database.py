"""Small changes to the functions of the books in the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SWAPS = {
    " < ": (" <= ", " >= "), " <= ": (" < ", " > "), " > ": (" >= ", " <= "), " >= ": (" > ", " < "),
    " + ": (" - ",), " - ": (" + ",), " AND ": (" OR ",), " OR ": (" AND ",),
    " = ": (" <> ",), " <> ": (" = ",), " IS NOT NULL": (" IS NULL",), " IS NULL": (" IS NOT NULL",),
    " IS DISTINCT FROM ": (" IS NOT DISTINCT FROM ",), " IS NOT DISTINCT FROM ": (" IS DISTINCT FROM ",),
    " IS NOT TRUE": (" IS TRUE",), "IF NOT FOUND": ("IF FOUND",), "least(": ("greatest(",), "greatest(": ("least(",),
    "bool_and(": ("bool_or(",), "bool_or(": ("bool_and(",), "max(": ("min(",), "min(": ("max(",),
    " ASC": (" DESC",), " DESC": (" ASC",), ":= true": (":= false",), ":= false": (":= true",),
    " 0": (" 1",), " 1 ": (" 2 ",), "FOR NO KEY UPDATE": ("",), "FOR UPDATE": ("",), "FOR SHARE": ("",),
    "ORDER BY id ": ("ORDER BY id DESC ",), "coalesce(": ("nullif(",),
}  # fmt: skip
_ALONE = re.compile(r"^ *PERFORM (?:[^;']|'[^']*')*;", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One function of the database with one thing changed."""

    file: str
    line: int
    what: str
    sql: str


def mutants(file: Path, root: Path) -> Iterator[Mutant]:
    """Every change of one thing in the body of the function that the file makes."""
    source = file.read_text(encoding="utf-8")
    start = source.index("$$")
    for old, others in _SWAPS.items():
        for found in re.finditer(re.escape(old), source):
            written = source[source.rindex("\n", 0, found.start()) + 1 : found.start()]
            if found.start() < start or "--" in written:
                continue
            for new in others:
                what = f"{old.strip()} became {new.strip()!r}"
                yield _mutant(file, root, source, found.start(), found.end(), new, what)
    for found in _ALONE.finditer(source, start):
        what = f"left out: {' '.join(found.group().split())[:60]}"
        yield _mutant(file, root, source, found.start(), found.end(), "NULL;", what)


def callers(file: str, functions: Iterable[Path]) -> set[str]:
    """The functions through which the one of this file is reached, itself included; all for a trigger's."""
    sources = {_named(path.name): path.read_text(encoding="utf-8") for path in functions}
    changed = _named(Path(file).name)
    if "RETURNS trigger" in sources[changed]:
        return set(sources)
    found, waiting = {changed}, [changed]
    while waiting:
        name = waiting.pop()
        calls = re.compile(rf"\b{name}\s*\(")
        others = {other for other, source in sources.items() if other not in found and calls.search(source)}
        found |= others
        waiting += others
    return found


def _named(file_name: str) -> str:
    return file_name.removeprefix("books_").partition(".")[0]


def _mutant(file: Path, root: Path, source: str, start: int, end: int, new: str, what: str) -> Mutant:
    line = source.count("\n", 0, start) + 1
    return Mutant(str(file.relative_to(root)), line, what, source[:start] + new + source[end:])
