"""Try mutants of the books and say which lived: ``python -m tests.mutants [most of each kind]``; the bar is 85 %."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections import defaultdict

import pytest

from exchange.config import ROOT
from tests.mutants.campaign import Campaign, Result

LEAST = 85  # percent
TESTS = ["tests/ledger", "tests/exchange/audit", "tests/exchange/seals", "tests/exchange/statements"]


def main(at_most: int) -> int:
    """The status is 0 when enough mutants were noticed."""
    seed = int(os.environ.get("MARRONNIER_SEED") or random.SystemRandom().randrange(2**32))
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "ledger").rglob("*.py")) if path.stem not in {"__init__"}
    ]  # fmt: skip
    functions = sorted((ROOT / "migrations" / "sql").glob("books_*.sql"))
    campaign = Campaign(modules, functions, random.Random(seed), at_most)
    with tempfile.TemporaryDirectory() as examples:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = examples  # what a mutant breaks is no example to keep
        status = pytest.main(["-q", "-s", "-p", "no:cacheprovider", "-m", "not campaign", *TESTS], plugins=[campaign])
    if status != pytest.ExitCode.OK:
        return int(status)
    return _said(campaign.results, seed)


def _said(results: list[Result], seed: int) -> int:
    files: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        files[result.mutant.file].append(result.killed)
    for file, killed in sorted(files.items()):
        print(f"{file:<48} {sum(killed):5} of {len(killed):5}")
    share = 100 * sum(result.killed for result in results) / len(results)
    print(f"T29  mutants of the books noticed: {share:.1f} % of {len(results):,} (bar {LEAST})  seed {seed}")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
