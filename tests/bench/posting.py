"""How fast the books are written, beside the least that any ledger must do (``reference.sql``)."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from exchange.members import operations as members
from ledger.entries import Acting, Entry, Transfer
from ledger.limits import Limits
from ledger.signatures import SigningKey
from ledger.store import sealing, writing
from tests.bench.figures import Figure, ratio
from tests.databases import Database, plain

HERE = Path(__file__).parent
ACCOUNTS = 1000
SECONDS = 2.0
ROUNDS = 7  # the machine's pace changes by the minute: short rounds, in turn
BATCH = 30  # transfers of a work day
DAY = date(2026, 1, 2)  # a fact is never of a day to come, even on a machine whose clock is late


def furnish(database: Database) -> int:
    """A community of a thousand accounts far from their floors, and the reference's; return the community's id."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    engine = create_engine(database.owner_url)
    with Session(engine) as session:
        community = members.open_community(session, name="SEL", system_name="Marronnier", at=at)
        by = Acting(None, community.system_party_id)
        writing.set_limit(session, Limits(-(10**9), None), community=community.id, kind="person", starts_at=at,
                          reason="bench", by=by, at=at)  # fmt: skip
        for number in range(ACCOUNTS):
            party = members.add_party(session, kind="person", name=f"Membre {number}", at=at)
            writing.open_account(session, community=community.id, party=party.id, kind="person", holder=party.name,
                                 at=at)  # fmt: skip
        session.commit()
        found = community.id
    engine.dispose()
    with database.connected("superuser") as connection:
        connection.execute((HERE / "reference.sql").read_text())
        connection.execute("INSERT INTO reference.accounts (id) SELECT generate_series(1, %s::int)", [ACCOUNTS])
        connection.execute("VACUUM ANALYZE")
    return found


def reference(pgbench: Path, database: Database, clients: int) -> float:
    """Transfers per second of the reference, by PostgreSQL's own pgbench with prepared statements."""
    from sqlalchemy import make_url

    url = make_url(database.superuser_url)
    ran = subprocess.run(
        [str(pgbench), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(int(SECONDS)),
         "-f", str(HERE / "reference.pgbench"), "-h", str(url.query["host"]), "-U", str(url.username),
         str(url.database)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    line = next(line for line in ran.stdout.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


def _pair(chance: random.Random, rows: Sequence[int], common: int | None) -> list[int]:
    """Two accounts; with a ``common`` one, it is one of the two every other time."""
    if common is None or chance.random() < 0.5:
        return chance.sample(rows, 2)
    return chance.sample([common, chance.choice(rows)], 2)


def _client(url: str, community: int, way: str, seconds: float, seed: int, out: Any) -> None:
    """One client: posts as fast as it can in one of the ways, and tells its transfers per second."""
    chance, moved = random.Random(seed), 0
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if way == "autocommit" else {}
    engine = create_engine(url, **options)
    with Session(engine) as session:
        rows = session.execute(text("SELECT id FROM books.accounts WHERE kind = 'person' ORDER BY id")).scalars().all()
        community_s = text("SELECT id FROM books.accounts WHERE kind = 'community'")
        common = session.scalar(community_s) if way == "hot" else None
        session.commit()
        by = Acting(None, 1)
        size = BATCH if way == "batch" else 1
        started = time.perf_counter()
        while (now := time.perf_counter()) - started < seconds:
            pairs = [_pair(chance, rows, common) for _ in range(size)]
            entry = Entry("exchange", tuple(Transfer(a, b, 1) for a, b in pairs), DAY)
            key = f"{seed}:{moved}:{now}"
            writing.post(session, entry, community=community, key=key, by=by, at=datetime.now(UTC))
            session.commit()
            moved += size
        out.put(moved / (time.perf_counter() - started))
    engine.dispose()


def ours(database: Database, community: int, way: str, clients: int, seconds: float = SECONDS) -> float:
    """Transfers per second of ``ledger.store.writing.post``, every check on, each client a process of its own."""
    context = get_context("spawn")
    out = context.Queue()
    seeds = random.SystemRandom().sample(range(10**9), clients)
    processes = [
        context.Process(target=_client, args=(database.web_url, community, way, seconds, seed, out)) for seed in seeds
    ]
    for process in processes:
        process.start()
    total = sum(out.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    return float(total)


def measure(database: Database, community: int, pgbench: Path) -> list[Figure]:
    """Reference and ours in turn, so that a machine that slows down slows both."""
    found = []
    for clients in (1, 4):
        for way, least in (("transaction", 0.40), ("autocommit", None), ("batch", 0.8)):
            pairs = [
                (ours(database, community, way, clients), reference(pgbench, database, clients)) for _ in range(ROUNDS)
            ]
            found.append(ratio(f"posting, {way}, {clients} client(s)", pairs, least=least, unit="transfers/s"))
    hot = [(ours(database, community, "hot", 4), ours(database, community, "transaction", 4)) for _ in range(ROUNDS)]
    found.append(ratio("posting, half of it on one account", hot, least=0.5, unit="transfers/s"))
    return found


def beside_another(database: Database, community: int, empty: Database) -> list[Figure]:
    """Ours and django-hordak in turn, on the same server; its own environment is in BENCH_ANOTHER."""
    python = os.environ.get("BENCH_ANOTHER")
    if not python:
        return []
    command = [python, str(HERE / "another_ledger.py"), plain(empty.superuser_url), str(SECONDS)]
    subprocess.run([*command, "make"], check=True)
    found = []
    for clients in (1, 4):
        pairs = []
        for turn in range(3):
            running = [
                subprocess.Popen([*command, str(10 * turn + client)], stdout=subprocess.PIPE, text=True)
                for client in range(clients)
            ]
            theirs = sum(float(process.communicate(timeout=120)[0]) for process in running)
            pairs.append((ours(database, community, "transaction", clients), theirs))
        found.append(ratio(f"posting beside django-hordak, {clients} client(s)", pairs, least=3, unit="transfers/s"))
    return found


def _sealer(url: str, resting: Any, stop: Any) -> None:
    """Seals as the worker does, again after two seconds; not while it rests."""
    engine, key = create_engine(url), SigningKey.generate("bench/livre")
    with Session(engine) as session:
        sealing.register(session, key.public, at=datetime.now(UTC))
        session.commit()
        while not stop.wait(2):
            if resting.is_set():
                continue
            sealing.seal(session, key, at=datetime.now(UTC))
            far = sealing.far(session)
            session.commit()
            if far:
                sealing.seal(session, key, at=datetime.now(UTC), still=True)
                session.commit()
    engine.dispose()


def sealed_meanwhile(database: Database, community: int) -> list[Figure]:
    """A minute of posting at full speed while everything is sealed; and what is not sealed ten seconds later.

    In quarters, each beside as much posting that nobody seals: the machine's pace changes by the minute.
    """
    context = get_context("spawn")
    resting, stop = context.Event(), context.Event()
    sealer = context.Process(target=_sealer, args=(database.web_url, resting, stop))
    resting.set()
    sealer.start()
    pairs = []
    with Session(create_engine(database.web_url)) as session:
        for _quarter in range(4):
            alone = ours(database, community, "transaction", 4, 15)
            resting.clear()
            while sealing.waiting(session):  # what was posted alone is sealed first
                session.rollback()
                time.sleep(1)
            session.rollback()
            pairs.append((ours(database, community, "transaction", 4, 15), alone))
            time.sleep(10)
            waiting = sealing.waiting(session)
            session.rollback()
            resting.set()
    stop.set()
    sealer.join()
    return [
        ratio("posting while sealing", pairs, least=0.75, unit="transfers/s"),
        Figure("unsealed ten seconds after", waiting, "facts", most=0),
    ]
