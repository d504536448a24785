"""What the proofs of a run reached: each notes its figures, and the run tells them together at its end.

    with proving("T4", "kills of web workers", goal=KILLS) as proof:
        ...
        proof.reached += 1

or, where the figure is known at once, ``record("T8", "rounds of a double spend", goal=ROUNDS, reached=turn)``. The seed
is that of ``seeded()`` in the same test, and whatever a harness measures besides can be told with ``proof.note``.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

FULL = bool(os.environ.get("MARRONNIER_FULL"))
_seeds: dict[str, int] = {}  # of the tests of this process


def figure(ci: int, full: int) -> int:
    """The goal of this run: that of every submission, or with MARRONNIER_FULL=1 that of a long campaign."""
    return full if FULL else ci


def seeded() -> random.Random:
    """Chance that can be played again: MARRONNIER_SEED, else a new seed; printed, so that a failure shows it."""
    seed = int(os.environ.get("MARRONNIER_SEED") or random.SystemRandom().randrange(2**32))
    print(f"MARRONNIER_SEED={seed}")
    _seeds[_test()] = seed
    return random.Random(seed)


def _test() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]


@dataclass
class Proof:
    """One figure of a proof: ``goal`` in this run, ``reached`` so far, and notes for who reads them."""

    name: str
    what: str
    goal: int
    reached: int = 0
    broken: bool = False
    seeds: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, said: str) -> None:
        """Tell something besides the figure: what was measured on the way."""
        print(said)
        self.notes.append(said)


@contextmanager
def proving(name: str, what: str, *, goal: int) -> Iterator[Proof]:
    """A figure that grows while the proof runs; it is kept whatever happens."""
    proof = Proof(name, what, goal)
    try:
        yield proof
    except BaseException:
        proof.broken = True
        raise
    finally:
        _keep(proof)


def record(name: str, what: str, *, goal: int, reached: int, seed: int | None = None) -> None:
    """A figure known at once. Several tests that note the same ``what`` are added up."""
    _keep(Proof(name, what, goal, reached, seeds=[] if seed is None else [seed]))


def _keep(proof: Proof) -> None:
    if not proof.seeds and (seed := _seeds.get(_test())) is not None:
        proof.seeds.append(seed)
    if folder := os.environ.get("MARRONNIER_TESTS_FOLDER"):
        line = json.dumps(vars(proof)) + "\n"
        with _file(folder).open("ab", buffering=0) as out:  # one write at the end: workers don't mix their lines
            out.write(line.encode())


def _file(folder: str) -> Path:
    return Path(folder) / "proofs.jsonl"


class Row(NamedTuple):
    """One line of the table."""

    name: str
    what: str
    figures: str
    verdict: str
    seeds: str
    notes: list[str]


def table() -> list[Row]:
    """What was noted in this run, by proof."""
    file = _file(os.environ.get("MARRONNIER_TESTS_FOLDER", "/nowhere"))
    if not file.exists():
        return []
    kept = [Proof(**json.loads(line)) for line in file.read_text().splitlines()]
    found: dict[tuple[str, str], list[Proof]] = {}
    for proof in sorted(kept, key=_place):
        found.setdefault((proof.name, proof.what), []).append(proof)
    return [_row(proofs) for proofs in found.values()]


def _place(proof: Proof) -> tuple[Any, ...]:
    return (*(int(part) if part.isdigit() else 0 for part in re.findall(r"\d+|\D+", proof.name)), proof.what)


def _row(proofs: list[Proof]) -> Row:
    goal, reached = sum(proof.goal for proof in proofs), sum(proof.reached for proof in proofs)
    seeds = dict.fromkeys(seed for proof in proofs for seed in proof.seeds)
    verdict = "broken" if any(proof.broken for proof in proofs) else "" if reached >= goal else "NOT REACHED"
    return Row(
        proofs[0].name, proofs[0].what, f"{reached:,} of {goal:,}", verdict, ", ".join(map(str, seeds)),
        [said for proof in proofs for said in proof.notes],
    )  # fmt: skip


def told(rows: list[Row]) -> Iterable[str]:
    """The table as lines of text."""
    columns = [max(len(row[place]) for row in rows) for place in range(3)]
    for row in rows:
        seeds = f"seed {row.seeds}" if row.seeds else ""
        name, what, figures = (text.ljust(width) for text, width in zip(row[:3], columns, strict=True))
        yield "  ".join((name, what, figures, row.verdict, seeds)).rstrip()
        yield from (f"{'':{columns[0]}}    {said}" for said in row.notes)
