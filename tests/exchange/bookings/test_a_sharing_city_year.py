"""A small town's year, replayed: whatever was asked, in whatever order, what must be true is; each no has its why."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from exchange.bookings.wanted import Wanted
from tests.bench import city
from tests.bench.city import City, Holds, Size, Wish, Year
from tests.databases import Database

SMALL = Size(buildings=12, requests=400, seed=7)


@pytest.fixture
def year(database: Database) -> tuple[City, list[Wish], Year, list[str]]:
    """A year of a dozen buildings, and what is wrong after it."""
    app = database.app()
    engine = create_engine(database.web_url)
    with app.app_context(), app.test_request_context(), Session(engine) as session:
        town = city.furnished(database, SMALL)
        wanted = city.wishes(town, SMALL)
        lived = city.replay(session, town, wanted)
        wrong = city.faults(session)
    engine.dispose()
    return town, wanted, lived, wrong


def test_whatever_is_asked_nothing_is_held_twice_and_each_refusal_has_its_reason(
    year: tuple[City, list[Wish], Year, list[str]], database: Database
) -> None:
    town, wanted, lived, wrong = year
    assert wrong == []
    assert lived.wrong == []
    assert lived.asked > 100
    assert lived.answered > 50
    assert {"slot-taken", "closed", "rule-refuses"} <= set(lived.refused), "every wall was met"
    assert wanted == city.wishes(town, SMALL), "a seed tells one year"


def test_control_a_unit_that_is_held_twice_is_seen(
    year: tuple[City, list[Wish], Year, list[str]], database: Database
) -> None:
    with database.connected("superuser") as superuser:
        superuser.execute("ALTER TABLE occupancy DROP CONSTRAINT occupancy_once")
        superuser.execute(
            "INSERT INTO occupancy SELECT i.id, o.unit_id, o.during FROM occupancy o, booking_items i"
            " WHERE i.id <> o.booking_item_id ORDER BY o.booking_item_id, i.id DESC LIMIT 1"
        )
    engine = create_engine(database.web_url)
    with Session(engine) as session:
        assert "two bookings hold the same unit at the same moment" in city.faults(session)
        session.execute(text("SELECT 1"))
    engine.dispose()


def test_control_a_refusal_without_a_cause_is_seen(year: tuple[City, list[Wish], Year, list[str]]) -> None:
    town, wanted, _lived, _wrong = year
    free = wanted[0]._replace(request=wanted[0].request._replace(wanted=(Wanted(town.rooms[0]),)))
    holds = Holds({town.rooms[0].id: [town.rooms[0].id]})
    assert not holds.taken(free.request)
    holds.note("ask", free, "one")
    assert holds.taken(free.request)
    holds.note("cancel", free, "one")
    assert not holds.taken(free.request)
