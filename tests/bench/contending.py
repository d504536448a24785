"""Eight clients want the same room: who wins, how long they wait, and how many attempts a second are answered."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from exchange.bookings import operations
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import queries as catalogue
from ledger.entries import Acting
from ledger.errors import Refused
from tests.bench.figures import Figure
from tests.databases import Database

CLIENTS = 8
SECONDS = 4.0
ROUNDS = 5
CONTROLS = 8
DOUBLES = 100_000  # attempts among which nothing may be booked twice
SPANS = 3  # days ahead: almost everybody comes too late
ROOM, UNIT = "bench-resource-4", 4  # always open, answered by nobody
RAW = """
    CREATE TABLE IF NOT EXISTS raw_occupancy (
        unit_id bigint NOT NULL, during tstzrange NOT NULL, EXCLUDE USING gist (unit_id WITH =, during WITH &&));
    TRUNCATE raw_occupancy;
    GRANT SELECT, INSERT ON raw_occupancy TO PUBLIC
"""
_RAW = text(
    "INSERT INTO raw_occupancy (unit_id, during) VALUES (1, tstzrange(:starts_at, :ends_at))"
    " ON CONFLICT DO NOTHING RETURNING unit_id"
)
_CHECK = text("SELECT 1 FROM raw_occupancy WHERE unit_id = 1 AND during && tstzrange(:starts_at, :ends_at) LIMIT 1")
_INSERT = text("INSERT INTO raw_occupancy (unit_id, during) VALUES (1, tstzrange(:starts_at, :ends_at))")
_TWICE = """
    SELECT count(*) FROM {table} a JOIN {table} b ON a.unit_id = b.unit_id AND a.during && b.during AND a.ctid < b.ctid
     WHERE a.unit_id = {unit}
"""


class Ran(NamedTuple):
    """What one client saw: attempts, those that won, answers that are neither, its longest wait and its rate."""

    attempts: int
    won: int
    odd: int
    longest: float  # milliseconds
    rate: float


def _client(url: str, way: str, seconds: float, seed: int, out: Any) -> None:
    """Ask for one hour after another, drawn among few, until the time is over."""
    chance, at = random.Random(seed), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    engine = create_engine(url)
    with Session(engine) as session:
        room = catalogue.published_by_token(session, ROOM)
        assert room is not None
        session.commit()
        attempts = won = odd = 0
        longest, started = 0.0, time.perf_counter()
        while (now := time.perf_counter()) - started < seconds:
            starts = at + timedelta(minutes=15 * chance.randrange(8, 4 * 24 * SPANS))
            span = {"starts_at": starts, "ends_at": starts + timedelta(hours=1)}
            try:
                won += _attempt(session, way, room, span, at)
                session.commit()
            except Refused as refused:
                session.rollback()
                odd += refused.rule != "slot-taken"
            attempts += 1
            longest = max(longest, 1000 * (time.perf_counter() - now))
        out.put(Ran(attempts, won, odd, longest, attempts / (time.perf_counter() - started)))
    engine.dispose()


def _attempt(session: Session, way: str, room: Any, span: dict[str, datetime], at: datetime) -> bool:
    if way == "raw":
        return session.execute(_RAW, span).scalar() is not None
    if way == "checked":  # what everybody writes first: look, then insert
        if session.execute(_CHECK, span).scalar():
            return False
        session.execute(_INSERT, span)
        return True
    request = Request(1000001, (Wanted(room),), *span.values(), "Réunion")
    operations.ask(session, request, zone="Europe/Paris", by=Acting(None, 1000001), at=at)
    return True


def _together(database: Database, way: str, seconds: float) -> list[Ran]:
    context = get_context("spawn")
    out = context.Queue()
    seeds = random.SystemRandom().sample(range(10**9), CLIENTS)
    processes = [context.Process(target=_client, args=(database.web_url, way, seconds, seed, out)) for seed in seeds]
    for process in processes:
        process.start()
    found = [out.get(timeout=300) for _ in processes]
    for process in processes:
        process.join()
    return found


def measure(database: Database) -> list[Figure]:
    """Ours and the bare constraint in turn, until there were attempts enough; then the control, without it."""
    def run(way: str, seconds: float = SECONDS) -> tuple[list[Ran], int]:
        with database.connected("superuser") as superuser:
            if way == "ask":
                superuser.execute("SET session_replication_role = replica")
                superuser.execute(f"DELETE FROM occupancy WHERE unit_id = {UNIT}")
            else:
                superuser.execute(RAW)
        return _together(database, way, seconds), _twice(database, "occupancy" if way == "ask" else "raw_occupancy")

    ratios, pairs, asked, doubles = [], [], [], 0
    while len(pairs) < ROUNDS or sum(ran.attempts for ran in asked) < DOUBLES:
        ours, twice = run("ask")
        raw, _none = run("raw")
        asked, doubles = [*asked, *ours], doubles + twice
        pairs.append((sum(ran.rate for ran in ours), sum(ran.rate for ran in raw)))
        ratios.append(pairs[-1][0] / pairs[-1][1])
    with database.connected("superuser") as superuser:
        superuser.execute(RAW)
        superuser.execute("ALTER TABLE raw_occupancy DROP CONSTRAINT raw_occupancy_unit_id_during_excl")
    control = 0
    for _ in range(CONTROLS):  # what is free is soon taken: the race is at the beginning
        with database.connected("superuser") as superuser:
            superuser.execute("TRUNCATE raw_occupancy")
        _together(database, "checked", SECONDS / 4)
        control += _twice(database, "raw_occupancy")
    attempts, longest = sum(ran.attempts for ran in asked), max(ran.longest for ran in asked)
    rates = [median(pair[side] for pair in pairs) for side in (0, 1)]
    return [
        Figure("eight for one room: rate, in bare ON CONFLICT", median(ratios),
               f"{rates[0]:.0f} against {rates[1]:.0f} attempts/s", least=0.4),
        Figure("eight for one room: the longest wait, ms", longest, f"{attempts} attempts", most=500),
        Figure("eight for one room: answers that are neither", sum(ran.odd for ran in asked), "", most=0),
        Figure("eight for one room: booked twice", doubles, f"{sum(ran.won for ran in asked)} won", most=0),
        Figure("control, look then insert: booked twice", control, f"{CONTROLS} rounds", least=1),
    ]  # fmt: skip


def _twice(database: Database, table: str) -> int:
    with database.connected("superuser") as superuser:
        row = superuser.execute(_TWICE.format(table=table, unit=UNIT if table == "occupancy" else 1)).fetchone()
    assert row is not None
    return int(row[0])
