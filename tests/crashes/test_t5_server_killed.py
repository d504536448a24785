"""T5: every process of the database is killed at once while the books are written and sealed, again and again.

Nothing that was acknowledged is lost: no entry, no hold, no signed head. A server that acknowledges what is not yet on
its disk (``synchronous_commit = off``), and writers that don't wait for the commit, must then lose something.
"""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from exchange import clock
from exchange.db import db
from ledger.store import auditing
from tests.cast import committed
from tests.crashes import writers
from tests.crashes.books import sealed_and_verified
from tests.crashes.processes import PATIENCE, Mortal, bury, kill
from tests.databases import Database
from tests.proofs import figure, proving, seeded

pytestmark = pytest.mark.campaign
CYCLES = 15  # on the same books
TOWNS = figure(1, 20)
WRITERS = 3


class Office:
    """Books that processes write and seal, and what was acknowledged to them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.app: Flask = database.app(SEAL_KEY=str(folder / "seal.pem"))
        cast = committed(self.app, at=clock.now() - timedelta(days=2))
        people = (cast.alice, cast.bruno, cast.chloe, cast.denise, cast.fanny, cast.tibo)
        accounts = [person.account.id for person in people if person.account]
        self.books = writers.Books(database.web_url, cast.community.id, cast.system, accounts)

    @property
    def _files(self) -> list[Path]:
        return [self.folder / f"writer-{number}" for number in range(WRITERS)]

    @contextmanager
    def at_work(self, chance: random.Random, *, sealer: bool = True, hasty: bool = False) -> Iterator[None]:
        """Three writers, and a sealer, until the end of the block; none of them ends by itself."""
        context = get_context("spawn")
        stop = context.Event()
        work: list[tuple[Callable[..., None], tuple[Any, ...]]]
        work = [(writers.write, (self.books, file, chance.getrandbits(32), stop, hasty)) for file in self._files]
        if sealer:
            settings = self.database.settings(SEAL_KEY=self.app.config["SEAL_KEY"])
            work.append((writers.seal, (settings, self.folder / "heads", stop)))
        processes = [context.Process(target=target, args=told, daemon=True) for target, told in work]
        for process in processes:
            process.start()
        try:
            yield
        finally:
            stop.set()
            for process in processes:
                process.join(PATIENCE)
        assert [process.exitcode for process in processes] == [0] * len(processes)

    def acknowledged(self) -> dict[str, int]:
        """The numbers of what was written, by key."""
        return {key: number for file in self._files for key, number in _lines(file)}

    def work(self, more: int) -> None:
        """Wait until so many more are acknowledged."""
        wanted, until = self._written() + more, time.monotonic() + PATIENCE
        while self._written() < wanted:
            assert time.monotonic() < until, "nothing is acknowledged any more"
            time.sleep(0.01)

    def _written(self) -> int:
        return sum(file.read_bytes().count(b"\n") for file in self._files if file.exists())

    def heads(self) -> dict[int, str]:
        """The heads that were signed, by their size."""
        return {size: note for size, note in _lines(self.folder / "heads")}  # noqa: C416 - lists, not pairs

    def lost(self) -> list[str]:
        """What was acknowledged and isn't there any more."""
        written, heads = self.acknowledged(), self.heads()
        with self.database.connected("superuser") as superuser:
            there = dict(superuser.execute(_WRITTEN).fetchall())
            signed = dict(superuser.execute("SELECT size, note FROM books.heads").fetchall())
        lost = [f"{key}: {number} acknowledged, {there.get(key)} there" for key, number in written.items()
                if there.get(key) != [number]]  # fmt: skip
        return lost + [f"the head of {size} lines" for size, note in heads.items() if signed.get(size) != note]

    def faults(self) -> list[str]:
        """What is wrong of all that must hold, while the writers go on."""
        heads = self.heads()
        found = self.lost()
        with self.app.app_context():
            session = db.session()
            for finding in auditing.run(session, auditing.CHECKS):
                found += finding.wrong
            for finding in auditing.run(session, auditing.SEALS, at=clock.now(), rows=""):
                found += finding.wrong
            found += auditing.tree(session).wrong
            session.rollback()
            return found + sealed_and_verified(self.folder, earlier=heads[max(heads)] if heads else None)


_WRITTEN = """
    SELECT key, array_agg(id) FROM (SELECT key, id FROM books.entries UNION ALL SELECT key, id FROM books.holds) written
     GROUP BY key
"""


def _lines(file: Path) -> list[list[Any]]:
    """The whole lines of a file that somebody is writing."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


def test_a_killed_server_starts_again_even_while_its_process_is_still_counted(server: Mortal, kept: Database) -> None:
    killed = kill(server.pid)
    assert not server.running()
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join(1)
    assert thread.is_alive()
    bury(killed)
    thread.join()
    with kept.connected() as web:
        assert web.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("town", range(TOWNS))
def test_nothing_acknowledged_is_lost_when_the_whole_server_is_killed(
    server: Mortal, kept: Database, tmp_path: Path, town: int
) -> None:
    office, chance, recoveries = Office(kept, tmp_path), seeded(), []
    with proving("T5", "kills of the whole database server", goal=CYCLES) as proof:
        with office.at_work(chance):
            for _cycle in range(CYCLES):
                office.work(chance.randint(1, 40))
                server.kill()
                began = time.monotonic()
                server.start()
                recoveries.append(time.monotonic() - began)
                assert office.faults() == []
                proof.reached += 1
        assert office.faults() == []
        proof.note(
            f"{len(office.acknowledged()):,} entries and {len(office.heads()):,} heads acknowledged;"
            f" started again in {statistics.median(recoveries):.1f} s, at most {max(recoveries):.1f} s"
        )


def loses_something(server: Mortal, office: Office, *, hasty: bool = False) -> bool:
    """Whether something acknowledged is lost in one of a few crashes."""
    chance = seeded()
    with office.at_work(chance, sealer=False, hasty=hasty):
        for _cycle in range(20):
            office.work(chance.randint(1, 40))
            server.kill()
            server.start()
            if office.lost():
                return True
    return False


def test_control_a_server_that_does_not_wait_for_its_disk_loses_what_it_acknowledged(
    server: Mortal, kept: Database, tmp_path: Path
) -> None:
    with kept.connected("superuser") as superuser:
        superuser.execute(f'ALTER DATABASE "{kept.name}" SET synchronous_commit = off')
    assert loses_something(server, Office(kept, tmp_path))


def test_control_writers_who_do_not_wait_for_the_commit_lose_what_they_noted(
    server: Mortal, kept: Database, tmp_path: Path
) -> None:
    assert loses_something(server, Office(kept, tmp_path), hasty=True)
