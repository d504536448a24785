"""A town of a thousand resources and a million bookings, and what is asked of it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session

from exchange.bookings import availability, policy
from exchange.catalogue import queries as catalogue
from tests.bench import contending
from tests.bench.figures import Figure
from tests.bench.posting import HERE
from tests.databases import Database

DAYS = int(os.environ.get("BENCH_DAYS", 550))  # two bookings a day of each of 900 rooms: 990,000
ZONE = "Europe/Paris"
SEARCHES = 40
MANY, FEW = "bench-resource-951", "bench-resource-952"


def fill(database: Database, *, every: int = 1) -> None:
    """Write the town, and of its bookings one in so many."""
    with database.connected("superuser") as superuser:
        superuser.execute("SET session_replication_role = replica; SET work_mem = '256MB'")
        superuser.execute((HERE / "lending.sql").read_text(encoding="utf-8").format(days=DAYS, every=every))
        superuser.execute("VACUUM ANALYZE")


class Search(NamedTuple):
    """A span that somebody looks for, and when they look."""

    starts_at: datetime
    ends_at: datetime
    at: datetime


def _searches(number: int = SEARCHES) -> list[Search]:
    """Two hours of some morning or afternoon in the year to come."""
    chance, at = random.Random(7), datetime.now(UTC)
    found = []
    for _ in range(number):
        starts = (at + timedelta(days=chance.randrange(1, DAYS // 2 - 5))).replace(
            hour=chance.choice((8, 9, 10, 13, 14, 15)), minute=0, second=0, microsecond=0
        )
        found.append(Search(starts, starts + timedelta(hours=2), at))
    return found


def _each(do: Callable[[Search], Any], searches: Sequence[Search]) -> list[float]:
    """Milliseconds of each."""
    took = []
    for search in searches:
        started = time.perf_counter()
        do(search)
        took.append(1000 * (time.perf_counter() - started))
    return took


class Town:
    """One filled database, and the ways of asking it what is free."""

    def __init__(self, database: Database) -> None:
        self._engine = create_engine(database.web_url)
        self.session = Session(self._engine)
        self._reference = text((HERE / "free.sql").read_text(encoding="utf-8"))
        self.in_sql = 0.0
        event.listen(self._engine, "before_cursor_execute", self._before)
        event.listen(self._engine, "after_cursor_execute", self._after)

    def _before(self, *_told: Any) -> None:
        self._since = time.perf_counter()

    def _after(self, *_told: Any) -> None:
        self.in_sql += time.perf_counter() - self._since

    def reference(self, search: Search) -> int:
        """The least: which rooms nobody has."""
        span = {"starts_at": search.starts_at, "ends_at": search.ends_at}
        return len(self.session.execute(self._reference, span).all())

    def free(self, search: Search) -> int:
        """The whole answer: hours, slots, trees, pools, time to put things in order."""
        found = catalogue.lendable(self.session)
        span = search.starts_at, search.ends_at
        return len(availability.free_among(self.session, found, *span, zone=ZONE, at=search.at))

    def sql_of(self, do: Callable[[Search], Any]) -> Callable[[Search], float]:
        """The same, told in milliseconds of SQL alone."""

        def alone(search: Search) -> float:
            self.in_sql = 0.0
            do(search)
            return 1000 * self.in_sql

        return alone

    def close(self) -> None:
        """Give the connection back."""
        self.session.close()
        self._engine.dispose()


def searching(many: Town, few: Town) -> list[Figure]:
    """What is free, beside an anti-join and beside a town that has ten times fewer bookings."""
    searches = _searches()
    for town in (many, few):
        assert 0 < town.free(searches[0]) < 1000
        _each(town.free, searches[:5])
        _each(town.reference, searches[:5])
    considered = len(catalogue.published(many.session))
    least, whole = [], []
    for search in searches:  # in turn, so that a machine that slows down slows both
        least += _each(many.reference, [search])
        whole += _each(many.free, [search])
    sql = [many.sql_of(many.free)(search) for search in searches]
    beside = [many.sql_of(many.reference)(search) for search in searches]
    fewer = []
    again = []
    for search in searches:
        fewer += _each(few.free, [search])
        again += _each(many.free, [search])
    above = 1000 * (median(whole) - median(least)) / considered
    return [
        Figure("what is free: its SQL, in anti-joins", median(sql) / median(beside),
               f"{median(sql):.1f} ms against {median(beside):.1f} ms", most=2),
        Figure("what is free: microseconds above it, for each", above,
               f"{median(whole):.1f} ms against {median(least):.1f} ms, {considered} resources", most=15),
        Figure("what is free: with ten times the bookings", median(again) / median(fewer),
               f"{median(again):.1f} ms against {median(fewer):.1f} ms", most=1.5),
    ]  # fmt: skip


def weeks(town: Town) -> list[Figure]:
    """How many things are left at each hour of a week, of a pool with ten thousand loans and one with a hundred."""
    pools = {token: catalogue.published_by_token(town.session, token) for token in (MANY, FEW)}
    first = datetime.now(UTC).date() + timedelta(days=1)
    spans = [span for day in range(7) for span in policy.hours_of(first + timedelta(days=day), ZONE)]
    took: dict[str, list[float]] = {MANY: [], FEW: []}
    for _ in range(SEARCHES):
        for token, pool in pools.items():
            assert pool is not None
            started = time.perf_counter()
            availability.Timetable(town.session, [pool], spans[0][0], spans[-1][1], at=spans[0][0]).left_of(pool, spans)
            took[token].append(1000 * (time.perf_counter() - started))
    many, few = (median(took[token]) for token in (MANY, FEW))
    detail = f"{many:.1f} ms against {few:.1f} ms"
    return [Figure("a pool's week, 10,000 loans against 100", many / few, detail, most=1.5)]


def measure(postgres: Any) -> list[Figure]:
    """Fill two towns and ask them."""
    large, small = postgres.copy(), postgres.copy()
    fill(large)
    fill(small, every=10)
    towns = Town(large), Town(small)
    found = searching(*towns) + weeks(towns[0])
    for town in towns:
        town.close()
    return found + contending.measure(small)
