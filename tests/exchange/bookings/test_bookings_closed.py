"""The hall is closed for works, eight chairs are broken: nothing new is booked, and what was booked is listed."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.bookings import moving
from exchange.bookings.operations import ask, cancel
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations, queries
from exchange.closures.models import Closure
from exchange.errors import EndsBeforeStart, InThePast, Invalid, OutOfService, PoolExhausted, QuantityBooked, WrongState
from tests.cast import NOON, Cast
from tests.databases import Database
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.exchange.bookings.test_t9_double_booking import count, furnished
from tests.lent import Lent

PARIS = "Europe/Paris"
HOUR = timedelta(hours=1)


def close(
    session: Session, cast: Cast, it: ResourceView, *, hours: float | None = 4, quantity: int | None = None
) -> Closure:
    """Olga closes it next Saturday from noon, for four hours unless it says otherwise; None is until further notice."""
    ends = None if hours is None else NEXT_WEEK + hours * HOUR
    return operations.close(session, it, kind="works", reason="Parquet", starts_at=NEXT_WEEK, ends_at=ends,
                            quantity=quantity, by=cast.olga.by, at=NOON)  # fmt: skip


def displaced(session: Session, it: ResourceView, *, closing: int = 0) -> list[str]:
    """The purposes of what is displaced by a closure of next Saturday, from noon to four."""
    found = moving.displaced(session, it, NEXT_WEEK, NEXT_WEEK + 4 * HOUR, closing=closing, at=NOON)
    return [view.purpose for view in found]


def test_a_closed_hall_is_not_booked_nor_are_its_halves(session: Session, cast: Cast, lent: Lent) -> None:
    close(session, cast, lent.hall)
    for room in (lent.hall, lent.half):
        with pytest.raises(OutOfService) as refused, session.begin_nested():
            ask(session, wanting(cast.alice.party.id, room), zone=PARIS, by=cast.alice.by, at=NOON)
        assert refused.value.facts["name"] == room.name
        assert refused.value.facts["kind"] == "works"
    ask(session, wanting(cast.alice.party.id, lent.hall, starts=NEXT_WEEK + 4 * HOUR), zone=PARIS, by=cast.alice.by,
        at=NOON)  # fmt: skip


def test_a_closed_half_closes_the_hall_and_leaves_the_other_half(session: Session, cast: Cast, lent: Lent) -> None:
    close(session, cast, lent.half)
    with pytest.raises(OutOfService), session.begin_nested():
        ask(session, wanting(cast.alice.party.id, lent.hall), zone=PARIS, by=cast.alice.by, at=NOON)
    ask(session, wanting(cast.alice.party.id, lent.other_half), zone=PARIS, by=cast.alice.by, at=NOON)


def test_what_is_in_repair_comes_back_when_the_office_says_so(session: Session, cast: Cast, lent: Lent) -> None:
    repair = close(session, cast, lent.drill, hours=None)
    in_a_year = wanting(cast.alice.party.id, lent.drill, starts=NEXT_WEEK + timedelta(days=300))
    with pytest.raises(OutOfService) as refused, session.begin_nested():
        ask(session, in_a_year, zone=PARIS, by=cast.alice.by, at=NOON)
    assert refused.value.facts["until"] is None
    operations.lift(session, repair.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    ask(session, in_a_year, zone=PARIS, by=cast.alice.by, at=NOON)
    with pytest.raises(WrongState):
        operations.lift(session, repair.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    [seen] = queries.over(session, cast.town.id, at=NOON)
    assert seen.lifted_at == NOON


def test_three_broken_chairs_of_five_leave_two(session: Session, cast: Cast, lent: Lent) -> None:
    close(session, cast, lent.chairs, quantity=3)
    with pytest.raises(PoolExhausted) as refused, session.begin_nested():
        ask(session, wanting(cast.alice.party.id, (lent.chairs, 3)), zone=PARIS, by=cast.alice.by, at=NOON)
    assert refused.value.facts["left"] == 2
    ask(session, wanting(cast.alice.party.id, (lent.chairs, 2)), zone=PARIS, by=cast.alice.by, at=NOON)


def test_a_pool_is_not_lowered_below_what_is_booked_and_what_is_broken(
    session: Session, cast: Cast, lent: Lent
) -> None:
    from exchange.catalogue import operations as catalogue_operations

    close(session, cast, lent.chairs, quantity=3)
    ask(session, wanting(cast.alice.party.id, (lent.chairs, 2)), zone=PARIS, by=cast.alice.by, at=NOON)
    row = catalogue.row_of(session, cast.town.id, lent.chairs.token)
    assert row is not None
    with pytest.raises(QuantityBooked), session.begin_nested():
        catalogue_operations.edit(session, row, {"quantity": 4}, by=cast.olga.by, at=NOON)


def test_what_is_booked_stays_and_is_listed_to_be_moved(session: Session, cast: Cast, lent: Lent) -> None:
    booked = ask(session, wanting(cast.alice.party.id, lent.half, hours=1), zone=PARIS, by=cast.alice.by, at=NOON)
    later = NEXT_WEEK + 4 * HOUR
    ask(session, wanting(cast.bruno.party.id, lent.half, starts=later), zone=PARIS, by=cast.bruno.by, at=NOON)
    assert displaced(session, lent.hall) == ["Fête"]
    close(session, cast, lent.hall)
    assert displaced(session, lent.hall) == ["Fête"]
    cancel(session, booked.token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    assert displaced(session, lent.hall) == []


def test_of_a_pool_only_those_who_lack_things_are_displaced(session: Session, cast: Cast, lent: Lent) -> None:
    for hour, many in ((0, 3), (1, 2), (3, 2)):  # five from one o'clock to two; two from three
        starts = NEXT_WEEK + hour * HOUR
        ask(session, wanting(cast.alice.party.id, (lent.chairs, many), starts=starts, hours=2 if hour < 1 else 1),
            zone=PARIS, by=cast.alice.by, at=NOON)  # fmt: skip
    assert displaced(session, lent.chairs) == []
    assert len(displaced(session, lent.chairs, closing=1)) == 2  # those of one o'clock
    assert len(displaced(session, lent.chairs, closing=4)) == 3
    close(session, cast, lent.chairs, quantity=1)
    assert len(displaced(session, lent.chairs)) == 2


def test_a_closure_makes_sense(session: Session, cast: Cast, lent: Lent) -> None:
    with pytest.raises(EndsBeforeStart):
        close(session, cast, lent.hall, hours=-1)
    with pytest.raises(Invalid):
        close(session, cast, lent.chairs, quantity=6)
    with pytest.raises(InThePast):
        operations.close(session, lent.hall, kind="works", reason="", starts_at=NOON - 48 * HOUR, ends_at=None,
                         quantity=None, by=cast.olga.by, at=NOON)  # fmt: skip


GUARD = "DROP TRIGGER not_while_closed ON occupancy"


@pytest.mark.race
@pytest.mark.parametrize("guarded", [True, False])
def test_who_books_while_it_is_being_closed_is_there_before_or_refused(database: Database, guarded: bool) -> None:
    """The closure is written and waits to be committed: a request that comes then waits, and is refused."""
    cast, lent = furnished(database)
    if not guarded:
        with database.connected("superuser") as connection:
            connection.execute(GUARD)
    engine = create_engine(database.web_url, poolclass=NullPool)
    written, asking, outcome = threading.Event(), threading.Event(), []

    def closes() -> None:
        with Session(engine) as session:
            close(session, cast, lent.hall)
            written.set()
            asking.wait()
            session.execute(text("SELECT pg_sleep(0.3)"))
            session.commit()

    def asks() -> None:
        written.wait()
        with Session(engine) as session:
            asking.set()
            try:
                ask(session, wanting(cast.alice.party.id, lent.half), zone=PARIS, by=cast.alice.by, at=NOON)
                session.commit()
                outcome.append("booked")
            except OutOfService:
                outcome.append("refused")

    threads = [threading.Thread(target=each) for each in (closes, asks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    assert outcome == (["refused"] if guarded else ["booked"])
    both = "SELECT count(*) FROM occupancy o JOIN closed_units c ON c.unit_id = o.unit_id AND c.during && o.during"
    assert (count(database, both) == 0) is guarded
