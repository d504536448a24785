"""Measure everything on a durable server of its own, and print the ratios beside their bars."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from exchange.embedded import Server
from tests.bench import city, declaring, lending, million, posting
from tests.bench.figures import Figure
from tests.databases import Postgres


def _told(figures: list[Figure]) -> list[Figure]:
    """Print figures as soon as they are known."""
    for figure in figures:
        print(figure, flush=True)
    return figures


def _books(postgres: Postgres, folder: Path, pgbench: Path) -> list[Figure]:
    """Of the books: writing, reading, sealing, auditing."""
    posted, many = postgres.copy(), postgres.copy()
    community = posting.furnish(posted)
    figures = _told(posting.measure(posted, community, pgbench))
    figures += _told(posting.beside_another(posted, community, postgres.empty()))
    figures += _told(posting.sealed_meanwhile(posted, community))
    figures += _told(declaring.measure(postgres.copy(), folder / "var"))
    community = posting.furnish(many)
    million.fill(many, community)
    figures += _told(million.statements(many, community, postgres.copy()))
    figures += _told(million.verifying(many, folder))
    figures += _told(million.audits(many))
    return figures


def main(asked: list[str]) -> int:
    """Print the figures of the books and of lending, or of what is asked: books, lending, city.

    The status is 1 when a bar isn't reached.
    """
    with tempfile.TemporaryDirectory(prefix="marronnier-tests-bench") as folder:
        durable = Server(Path(folder) / "durable", max_connections=100)
        durable.start()
        os.environ["TEST_DATABASE_URL"] = durable.url("postgres")
        postgres = Postgres(Path(folder))
        try:
            pgbench = durable.binaries / "pgbench"
            figures = _books(postgres, Path(folder), pgbench) if not asked or "books" in asked else []
            if not asked or "lending" in asked:
                figures += _told(lending.measure(postgres))
            if not asked or {"lending", "city"} & {*asked}:
                figures += _told(city.measure(postgres.copy()))
        finally:
            durable.stop()
    return 0 if all(figure.reached in (True, None) for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
