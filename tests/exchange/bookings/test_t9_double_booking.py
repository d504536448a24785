"""T9: forty people want the same thing at the same moment; exactly those who can have it get it.

Real threads, real connections, committed transactions. Each guard is then taken away, and the same race must go wrong:
otherwise it proved nothing.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool

from exchange.bookings.operations import ask
from exchange.errors import PoolExhausted, SlotTaken, refusal_of
from tests.cast import NOON, Cast, committed
from tests.databases import Database
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent, lend
from tests.proofs import record

PARIS = "Europe/Paris"
RACERS = 40

pytestmark = pytest.mark.race

OVERLAPS = """
    SELECT count(*) FROM occupancy a JOIN occupancy b
        ON a.unit_id = b.unit_id AND a.booking_item_id < b.booking_item_id AND a.during && b.during
"""
PEAK = """
    SELECT max(taken) FROM (
        SELECT (SELECT sum(o.quantity) FROM pool_occupancy o WHERE o.during @> lower(s.during)) AS taken
          FROM pool_occupancy s) peaks
"""


def furnished(database: Database) -> tuple[Cast, Lent]:
    """The cast and what is lent, committed."""
    cast = committed(database.app())
    with Session(create_engine(database.web_url, poolclass=NullPool), expire_on_commit=False) as session:
        lent = lend(session, cast)
        session.commit()
    return cast, lent


def race(database: Database, runs: list[Callable[[Session], object]]) -> Counter[str]:
    """Start every run at once, each on its own connection; count what became of them."""
    engine = create_engine(database.web_url, pool_size=len(runs), max_overflow=0)
    make, barrier, results = sessionmaker(engine), threading.Barrier(len(runs)), []

    def racer(run: Callable[[Session], object]) -> None:
        with make() as session:
            session.execute(text("SELECT 1"))  # connected before the start
            session.rollback()
            barrier.wait()
            try:
                run(session)
                session.commit()
                results.append("won")
            except (SlotTaken, PoolExhausted) as lost:
                results.append(lost.rule)
            except DBAPIError as error:
                refused = refusal_of(error)
                results.append(refused.rule if refused else f"error: {error.orig}")

    threads = [threading.Thread(target=racer, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    return Counter(results)


def shifted(cast: Cast, lent: Lent, seed: int) -> list[Callable[[Session], object]]:
    """Forty requests for the hall or a half of it, each four hours, all around the same noon: every two overlap."""
    chance = random.Random(seed)
    print("seed", seed)

    def wants() -> Callable[[Session], object]:
        starts = NEXT_WEEK + timedelta(minutes=chance.randrange(0, 230))
        request = wanting(cast.alice.party.id, lent.hall, starts=starts)
        return lambda session: ask(session, request, zone=PARIS, by=cast.alice.by, at=NOON)

    return [wants() for _ in range(RACERS)]


def chairs(cast: Cast, lent: Lent) -> list[Callable[[Session], object]]:
    """Forty requests for one chair each, of which three are left."""
    request = wanting(cast.alice.party.id, (lent.chairs, 1))
    return [lambda session: ask(session, request, zone=PARIS, by=cast.alice.by, at=NOON)] * RACERS


def take_two(database: Database, cast: Cast, lent: Lent) -> None:
    with Session(create_engine(database.web_url, poolclass=NullPool)) as session:
        ask(session, wanting(cast.bruno.party.id, (lent.chairs, 2)), zone=PARIS, by=cast.bruno.by, at=NOON)
        session.commit()


def count(database: Database, question: str) -> int:
    with database.connected("superuser") as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return int(row[0] or 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_of_forty_has_the_hall_and_nobody_meets_an_error(database: Database, seed: int) -> None:
    cast, lent = furnished(database)
    outcome = race(database, shifted(cast, lent, seed))
    assert outcome == {"won": 1, "slot-taken": RACERS - 1}
    assert count(database, OVERLAPS) == 0
    record("T9", "races of 40 for one hall", goal=1, reached=1, seed=seed)


def test_without_the_constraint_the_hall_is_given_twice(database: Database) -> None:
    cast, lent = furnished(database)
    with database.connected("superuser") as connection:
        connection.execute("ALTER TABLE occupancy DROP CONSTRAINT occupancy_once")
    outcome = race(database, shifted(cast, lent, 1))
    assert outcome["won"] > 1
    assert count(database, OVERLAPS) > 0


def test_three_of_forty_have_the_last_three_chairs(database: Database) -> None:
    cast, lent = furnished(database)
    take_two(database, cast, lent)
    outcome = race(database, chairs(cast, lent))
    assert outcome == {"won": 3, "pool-exhausted": RACERS - 3}
    assert count(database, PEAK) == 5
    record("T9", "races of 40 for the last three chairs", goal=1, reached=1)


def test_without_its_lock_the_pool_gives_chairs_that_it_does_not_have(database: Database) -> None:
    cast, lent = furnished(database)
    take_two(database, cast, lent)
    with database.connected("superuser") as connection:
        row = connection.execute("SELECT pg_get_functiondef('guard_pool'::regproc)").fetchone()
        assert row is not None
        without = str(row[0]).replace("PERFORM pg_advisory_xact_lock(hashtext('pool'), NEW.pool_id::integer);", "")
        assert without != row[0]
        # what a check without a lock does: read, be overtaken, then write
        connection.execute(without.replace("IF v_quantity IS NULL", "PERFORM pg_sleep(0.2); IF v_quantity IS NULL"))
    outcome = race(database, chairs(cast, lent))
    assert outcome["won"] > 3
    assert count(database, PEAK) > 5
