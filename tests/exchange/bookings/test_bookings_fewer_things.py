"""A pool never has less than what is booked of it: neither on a page, nor from a file, nor while somebody books."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.bookings.operations import ask, cancel
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.catalogue.models import Resource
from exchange.db import transaction
from exchange.errors import PoolExhausted, QuantityBooked
from exchange.formats import day
from exchange.imports import operations as imports
from exchange.imports import queries as reports
from exchange.imports.plan import Choices
from exchange.tasks import import_resources
from ledger.errors import Refused
from tests.cast import Cast, committed, sign_in
from tests.databases import Database
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent, lend

PARIS = "Europe/Paris"


def present(session: Session) -> datetime:
    """The database guards what comes from its own present on: the hour that has begun on its clock."""
    began: datetime = session.execute(text("SELECT date_trunc('hour', now())")).scalar_one()
    return began


def booked(session: Session, cast: Cast, lent: Lent, *, many: int, days: int, hours: float = 4) -> str:
    """Alice asks for so many of the five chairs, in so many days."""
    at = present(session)
    request = wanting(cast.alice.party.id, (lent.chairs, many), starts=at + timedelta(days=days), hours=hours)
    return ask(session, request, zone=PARIS, by=cast.alice.by, at=at).token


def lower(session: Session, cast: Cast, lent: Lent, quantity: int) -> None:
    row = resources.row_of(session, cast.town.id, lent.chairs.token)
    assert row is not None
    catalogue.edit(session, row, {"quantity": quantity}, by=cast.olga.by, at=present(session))


def left(session: Session, lent: Lent) -> int | None:
    return resources.views(session, [lent.chairs.id])[lent.chairs.id].quantity


def test_chairs_that_are_booked_cannot_disappear(session: Session, cast: Cast, lent: Lent) -> None:
    booked(session, cast, lent, many=3, days=7)
    lower(session, cast, lent, 3)
    with pytest.raises(QuantityBooked) as refused, session.begin_nested():
        lower(session, cast, lent, 2)
    there = (present(session) + timedelta(days=7)).astimezone().date()
    assert refused.value.facts["peak"] == 3
    assert abs((datetime.fromisoformat(refused.value.facts["day"]).date() - there).days) <= 1
    session.expire_all()
    assert left(session, lent) == 3


def test_it_is_the_peak_that_counts_and_never_the_sum(session: Session, cast: Cast, lent: Lent) -> None:
    for days in (7, 8, 9):
        booked(session, cast, lent, many=2, days=days)
    booked(session, cast, lent, many=1, days=8)
    lower(session, cast, lent, 3)
    with pytest.raises(QuantityBooked) as refused, session.begin_nested():
        lower(session, cast, lent, 2)
    eighth = booked_day(session, 8)
    assert refused.value.facts == {"resource": lent.chairs.id, "peak": 3, "day": eighth}


def booked_day(session: Session, days: int) -> str:
    """A day in so many days, on the calendar of the territory."""
    on = "SELECT ((CAST(:at AS timestamptz) + make_interval(days => :days)) AT TIME ZONE 'Europe/Paris')::date::text"
    return str(session.execute(text(on), {"at": present(session), "days": days}).scalar_one())


def test_what_is_over_or_given_up_counts_no_more(session: Session, cast: Cast, lent: Lent) -> None:
    over = booked(session, cast, lent, many=5, days=1)
    session.execute(text("UPDATE pool_occupancy SET during = tstzrange(now() - interval '2 days', now())"))
    given_up = booked(session, cast, lent, many=4, days=7)
    cancel(session, given_up, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=present(session))
    lower(session, cast, lent, 1)
    assert over != given_up
    assert left(session, lent) == 1


def test_having_more_or_as_many_is_never_refused(session: Session, cast: Cast, lent: Lent) -> None:
    booked(session, cast, lent, many=5, days=7)
    lower(session, cast, lent, 6)
    lower(session, cast, lent, 5)
    assert left(session, lent) == 5


def test_olga_reads_how_many_and_when_beside_the_number(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    booked(session, cast, lent, many=3, days=7)
    with freeze_time(present(session)):
        olga = sign_in(client, cast.olga)
        said = {"name": "Chaises pliantes", "quantity": "2", "decided_by": "officer", "buffer_minutes": "0",
                "lent_by": "free", "place": "", "erp_category": "", "access": "unknown", "key": "one-form"}  # fmt: skip
        page = f"/preteurs/{cast.town.token}/ressources/{lent.chairs.token}"
        answer = olga.post(page, data=said)
        assert answer.status_code == 422
        when = day(datetime.fromisoformat(booked_day(session, 7)).date())
        assert f"3 exemplaires sont déjà réservés à un même moment, le {when}\u00a0: " in answer.text
        assert 'id="quantity-error"' in answer.text
        assert 'value="2"' in answer.text
        assert olga.post(page, data={**said, "quantity": "3"}).status_code == 303


def test_a_file_with_fewer_chairs_is_refused_on_its_line_and_the_others_go_on(
    session: Session, cast: Cast, lent: Lent
) -> None:
    def imported(data: str) -> list[tuple[str, str, list[str]]]:
        with transaction() as same:
            job = imports.receive(same, lender=cast.town.id, choices=Choices(), file_name="stock.csv",
                                  data=data.encode(), by=cast.olga.by, at=present(same))  # fmt: skip
            imports.start(same, job, zone=PARIS, at=present(same))
            number = job.id
        import_resources(number)
        lines = reports.lines(session, number)
        return [(row.name, row.status, [said["code"] for said in row.reasons]) for row in lines]

    imported("Nom;Quantité\nBanc;9\nTable;9\n")
    bench = next(row for row in resources.of_lender(session, cast.town.id).rows if row.name == "Banc")
    catalogue.publish(session, lender=cast.town.id, capacities={bench.id: None}, by=cast.olga.by, at=present(session))
    booked(session, cast, lent._replace(chairs=resources.views(session, [bench.id])[bench.id]), many=6, days=3)
    assert imported("Nom;Quantité\nBanc;5\nTable;4\n") == [
        ("Banc", "refused", ["quantity-booked"]), ("Table", "changed", []),
    ]  # fmt: skip


# At the same moment: really committed, on real connections

TRIGGER = "pool_never_lowered_below_its_bookings"
MISSING = "SELECT pool_peak(id, tstzrange(now(), NULL)) - quantity FROM resources WHERE kind = 'pool'"


def lower_as_a_file_does(session: Session, cast: Cast, lent: Lent, quantity: int) -> None:
    """Without locking the row first, as a page does: only the database stands in between."""
    row = session.get_one(Resource, lent.chairs.id)
    catalogue.edit(session, row, {"quantity": quantity}, by=cast.olga.by, at=present(session))


def race(database: Database) -> Counter[str]:
    """Of five chairs four are booked; Olga takes one away while Alice asks for the last."""
    cast = committed(database.app())
    engine = create_engine(database.web_url, poolclass=NullPool)
    with Session(engine, expire_on_commit=False) as session:
        lent = lend(session, cast)
        booked(session, cast, lent, many=4, days=7)
        session.commit()
    runs: list[Callable[[Session], object]] = [
        lambda session: booked(session, cast, lent, many=1, days=7),
        lambda session: lower_as_a_file_does(session, cast, lent, 4),
    ]
    barrier, results = threading.Barrier(len(runs)), []

    def racer(run: Callable[[Session], object]) -> None:
        with Session(engine) as session:
            session.execute(text("SELECT 1"))  # connected before the start
            session.rollback()
            barrier.wait()
            try:
                run(session)
                session.execute(text("SELECT pg_sleep(0.5)"))  # the other arrives before the end
                session.commit()
                results.append("done")
            except (PoolExhausted, QuantityBooked) as lost:
                results.append(lost.rule)
            except Refused as other:
                results.append(f"error: {other.rule}")

    threads = [threading.Thread(target=racer, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(results)


def missing(database: Database) -> int:
    """How many chairs are booked that aren't there."""
    with database.connected("superuser") as connection:
        row = connection.execute(MISSING).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.race
@pytest.mark.parametrize("_again", range(3))
def test_the_last_chair_is_booked_or_taken_away_never_both(database: Database, _again: int) -> None:
    outcome = race(database)
    assert outcome in ({"done": 1, "pool-exhausted": 1}, {"done": 1, "quantity-booked": 1})
    assert missing(database) <= 0


@pytest.mark.race
def test_without_its_trigger_chairs_are_booked_that_are_not_there(database: Database) -> None:
    with database.connected("superuser") as connection:
        connection.execute(f"DROP TRIGGER {TRIGGER} ON resources")
        row = connection.execute("SELECT pg_get_functiondef('guard_pool'::regproc)").fetchone()
    assert row is not None
    assert "pg_advisory_xact_lock" in row[0]  # bookings keep their own guard
    assert race(database) == {"done": 2}
    assert missing(database) == 1


def both_lowered(database: Database, locks: Callable[[Session, list[int]], None]) -> list[DBAPIError]:
    """Two pools are lowered by two files, each in its own order; the faults that somebody meets."""
    cast = committed(database.app())
    engine = create_engine(database.web_url, poolclass=NullPool)
    with Session(engine, expire_on_commit=False) as session:
        at = present(session)
        pools = [
            catalogue.add_resource(session, lender=cast.town.id, kind="pool", name=name, quantity=9, by=cast.olga.by,
                                   at=at).id
            for name in ("Banc", "Table")
        ]  # fmt: skip
        session.commit()
    barrier, faults = threading.Barrier(2), []

    def lowering(order: list[int]) -> None:
        with Session(engine) as session:
            session.execute(text("SELECT 1"))
            barrier.wait()
            try:
                locks(session, order)
                for pool in order:
                    row = session.get_one(Resource, pool)
                    catalogue.edit(session, row, {"quantity": 5}, by=cast.olga.by, at=at)
                    session.execute(text("SELECT pg_sleep(0.3)"))
                session.commit()
            except DBAPIError as fault:
                faults.append(fault)

    threads = [threading.Thread(target=lowering, args=(order,)) for order in (pools, pools[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


@pytest.mark.race
def test_two_pools_are_locked_in_one_order_so_that_nobody_waits_in_a_circle(database: Database) -> None:
    assert both_lowered(database, catalogue.lock_pools) == []


@pytest.mark.race
def test_without_that_order_one_of_the_two_is_aborted(database: Database) -> None:
    [fault] = both_lowered(database, lambda _session, _pools: None)
    assert "deadlock" in str(fault)
