"""A community of a million entries, made in SQL as the functions would have made it, and what is asked of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from exchange.seals import operations as seals
from ledger import exports
from ledger.signatures import SigningKey
from ledger.store import auditing, reading, sealing
from tests.bench.figures import Figure
from tests.bench.posting import ACCOUNTS, HERE, furnish
from tests.databases import Database

ENTRIES = int(os.environ.get("BENCH_ENTRIES", 1_000_000))
FEW = 50_000  # a hundred lines for each account, where the others have two thousand
SCANS = 3


def fill(database: Database, community: int, entries: int = ENTRIES) -> None:
    """Write so many entries."""
    with database.connected("superuser") as superuser:
        superuser.execute("SET session_replication_role = replica; SET work_mem = '256MB'")
        made = (HERE / "million.sql").read_text(encoding="utf-8")
        superuser.execute(made.format(accounts=ACCOUNTS, entries=entries, community=community))
        superuser.execute("VACUUM ANALYZE books.entries, books.transfers, books.accounts")


def _seconds(do: Callable[[], Any]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def _times(
    name: str, ours: Callable[[], Any], reference: Callable[[], Any], *, most: float, rounds: int = SCANS
) -> Figure:
    """How many times the reference something takes: the median of ratios, each of two measured one after the other."""
    pairs = [(_seconds(ours), _seconds(reference)) for _ in range(rounds)]
    ratios = [one / other for one, other in pairs]
    took, beside = (median(pair[side] for pair in pairs) for side in (0, 1))
    detail = f"[{min(ratios):.2f} to {max(ratios):.2f}] {took:.3f} s against {beside:.3f} s"
    return Figure(name, median(ratios), detail, most=most)


class _Reader:
    """Who reads their balance and their statement, in one database."""

    def __init__(self, session: Session, community: int) -> None:
        self._session, self._community = session, community
        self._mine = next(each for each in reading.open_accounts(session, community) if each.kind == "person")

    def balances(self) -> None:
        """A thousand times."""
        for _ in range(1000):
            reading.account_of(self._session, self._community, self._mine.party_id)

    def pages(self) -> None:
        """The first page, a hundred times."""
        for _ in range(100):
            reading.statement(self._session, self._mine.id)


def statements(many: Database, community: int, few: Database) -> list[Figure]:
    """Reading costs the same whatever came before."""
    engines = [create_engine(many.web_url), create_engine(few.web_url)]
    other = furnish(few)
    fill(few, other, FEW)
    with Session(engines[0]) as large, Session(engines[1]) as small:
        there, here = _Reader(large, community), _Reader(small, other)
        of = f"{ENTRIES} entries against {FEW}"
        found = [
            _times(f"a balance, {of}", there.balances, here.balances, most=1.5, rounds=9),
            _times(f"a statement's first page, {of}", there.pages, here.pages, most=1.5, rounds=9),
        ]
    for engine in engines:
        engine.dispose()
    return found


def audits(database: Database) -> list[Figure]:
    """What ``marronnier audit`` asks, beside the least that its question costs."""
    engine = create_engine(database.web_url)
    checks = {check.name: check for check in (*auditing.CHECKS, *auditing.SEALS)}

    def ask(session: Session, *names: str) -> None:
        for name in names:
            rows = auditing._ROWS if name in {check.name for check in auditing.CHECKS} else ""
            [finding] = auditing.run(session, [checks[name]], rows=rows)
            assert not finding.wrong, finding

    def scan(session: Session) -> None:
        session.execute(text("SELECT sum(minutes), max(from_seq), max(to_seq) FROM books.transfers")).one()

    def window(session: Session) -> None:
        session.execute(text(
            "SELECT min(balance) FROM (SELECT sum(minutes) OVER (PARTITION BY account ORDER BY seq) AS balance FROM ("
            " SELECT from_account AS account, from_seq AS seq, -minutes AS minutes FROM books.transfers"
            " UNION ALL SELECT to_account, to_seq, minutes FROM books.transfers) lines) lived"
        )).one()  # fmt: skip

    def copy_and_hash(session: Session) -> None:
        from hashlib import sha256

        connection: Any = session.connection().connection.driver_connection
        with connection.cursor() as cursor, cursor.copy("COPY (SELECT line FROM books.facts) TO STDOUT") as copied:
            for row in copied:
                sha256(row).digest()

    def hashes(session: Session) -> None:
        ask(session, "leaves", "sealed")
        assert not auditing.tree(session).wrong

    with Session(engine) as session:
        found = [
            _times("audit: balances, in plain scans", lambda: ask(session, "balances"), lambda: scan(session), most=4,
                   rounds=5),
            _times("audit: floors, in window queries", lambda: ask(session, "floors"), lambda: window(session), most=2),
            _times("audit: hashes, in COPY-and-hash", lambda: hashes(session), lambda: copy_and_hash(session), most=2),
        ]  # fmt: skip
    engine.dispose()
    return found


def verifying(database: Database, folder: Path) -> list[Figure]:
    """Seal everything, export it, and verify the file, beside reading it line by line as JSON."""
    engine, path, key = create_engine(database.web_url), folder / "books.jsonl", SigningKey.generate("bench/livre")
    with Session(engine) as session:
        started = time.perf_counter()
        head = seals.seal(session, key, at=datetime.now(UTC))
        session.commit()
        sealed = time.perf_counter() - started
        assert head is not None
        with path.open("wb") as out:
            exports.write(out, sealing.lines(session, head), head.note)
    engine.dispose()
    seconds, peak = {}, {}
    for way in ("json", "verify"):
        asked = [sys.executable, "-m", "tests.bench.alone", way, str(path)]
        told = [subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split() for _ in range(SCANS)]
        seconds[way], peak[way] = (median(float(one[i]) for one in told) for i in (0, 1))
    return [
        Figure("sealing everything at once, leaves/s", head.size / sealed, f"{head.size} in {sealed:.1f} s"),
        Figure("verifying an export, in readings as JSON", seconds["verify"] / seconds["json"],
               f"{seconds['verify']:.1f} s, {seconds['json']:.1f} s, {path.stat().st_size / 1e6:.0f} MB", most=3),
        Figure("memory of the verifier, MB", peak["verify"], f"{peak}", most=300),
    ]  # fmt: skip

