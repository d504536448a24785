"""Several connections at once on one database: everybody starts together, and what became of each is counted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from ledger.errors import Refused
from tests.databases import Database
from tests.proofs import figure, seeded

__all__ = ["RACERS", "ROUNDS", "Run", "Track", "counted", "seeded"]

RACERS = 32
ROUNDS = figure(50, 1000)
Run = Callable[[Session], Any]


class Track:
    """A database with a connection kept for each racer."""

    def __init__(self, database: Database) -> None:
        self.engine = create_engine(database.web_url, pool_size=RACERS, max_overflow=0)
        self.make = sessionmaker(self.engine)

    def __enter__(self) -> Track:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    def race(self, runs: Sequence[Run]) -> list[Any]:
        """Start every run at once; what each returned, or the refusal or the fault that it met."""
        barrier = threading.Barrier(len(runs))
        results: list[Any] = [None] * len(runs)

        def racer(place: int) -> None:
            with self.make() as session:
                session.execute(text("SELECT 1"))  # connected before the start
                session.rollback()
                barrier.wait()
                try:
                    results[place] = runs[place](session)
                    session.commit()
                except (Refused, DBAPIError) as met:
                    results[place] = met

        threads = [threading.Thread(target=racer, args=(place,)) for place in range(len(runs))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


def counted(results: Sequence[Any]) -> Counter[str]:
    """How many were written, refused by each rule, or met a fault."""
    def name(result: Any) -> str:
        if isinstance(result, Refused):
            return result.rule
        return f"fault: {result.orig}" if isinstance(result, DBAPIError) else "written"

    return Counter(name(result) for result in results)
