"""An officer changes many rooms while a colleague changes one of them, step by step, in every order that there is."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

import exchange.factory  # noqa: F401 - every table is described before time stands still
from exchange import hours
from exchange.catalogue import operations, queries
from exchange.catalogue.models import Resource
from exchange.catalogue.policy import Change
from tests.cast import NOON, Cast, committed
from tests.databases import Database
from tests.interleaving import Stage, begin, commit, orders

pytestmark = pytest.mark.race
EVE = "2026 Dec 24 09:00-12:00"


class Rooms:
    """Two rooms that are open on Mondays, and what two officers do to them."""

    def __init__(self, session: Session, cast: Cast) -> None:
        self.cast, add = cast, {"lender": cast.town.id, "kind": "room", "by": cast.olga.by, "at": NOON}
        made = [operations.add_resource(session, name=n, opening_hours="Mo 08:00-18:00", **add) for n in ("A", "B")]
        self.ids, self.token = [row.id for row in made], made[1].token
        session.commit()

    def open_later(self, session: Session) -> None:
        """Both rooms get other hours of every week."""
        self._change(session, self.ids, Change({"opening_hours": "Mo-Su 10:00-22:00"}))

    def rename(self, session: Session) -> None:
        """Both rooms get a category, the other one first."""
        self._change(session, self.ids[::-1], Change({"category": "Salles"}))

    def _change(self, session: Session, ids: Collection[int], change: Change) -> None:
        operations.change(session, lender=self.cast.town.id, ids=ids, change=change, by=self.cast.olga.by, at=NOON)

    def open_on_christmas_eve(self, session: Session) -> None:
        """One room gets hours of its own on a day, as its page does it."""
        row = queries.row_of(session, self.cast.town.id, self.token)
        assert row is not None
        weekly, _specials = hours.specials_of(row.opening_hours)
        operations.edit(session, row, {"opening_hours": f"{weekly}; {EVE}"}, by=self.cast.olga.by, at=NOON)

    def hours(self, session: Session) -> list[str]:
        """When both are open."""
        return [view.opening_hours for _id, view in sorted(queries.views(session, self.ids).items())]


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with Session(create_engine(database.web_url, poolclass=NullPool)) as made:
        yield made


@pytest.fixture
def cast(database: Database) -> Cast:
    return committed(database.app())


def test_a_day_of_its_own_is_never_lost(database: Database, session: Session, cast: Cast) -> None:
    with Stage(database) as stage:
        for order in orders(3, 3):
            rooms = Rooms(session, cast)
            first, second = [begin, rooms.open_later, commit], [begin, rooms.open_on_christmas_eve, commit]
            assert stage.play(order, first, second) == ([None] * 3, [None] * 3)
            assert rooms.hours(session) == ["Mo-Su 10:00-22:00", f"Mo-Su 10:00-22:00; {EVE}"], order
            session.rollback()


def test_two_officers_who_change_the_same_rooms_in_another_order_take_turns(
    database: Database, session: Session, cast: Cast
) -> None:
    with Stage(database) as stage:
        for order in orders(3, 3):
            rooms = Rooms(session, cast)
            met = stage.play(order, [begin, rooms.open_later, commit], [begin, rooms.rename, commit])
            assert met == ([None] * 3, [None] * 3)
            assert rooms.hours(session) == ["Mo-Su 10:00-22:00"] * 2
            session.rollback()


def test_control_without_the_lock_it_is_lost(
    database: Database, session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlocked(session: Session, _lender: int, ids: Collection[int]) -> list[Resource]:
        return list(session.scalars(select(Resource).where(Resource.id.in_(ids)).order_by(Resource.id)))

    monkeypatch.setattr(operations, "_mine", unlocked)
    lost = 0
    with Stage(database) as stage:
        for order in orders(4, 3):
            rooms = Rooms(session, cast)
            read = [begin, lambda session, rooms=rooms: unlocked(session, 0, rooms.ids)[0].name and None]
            stage.play(order, [*read, rooms.open_later, commit], [begin, rooms.open_on_christmas_eve, commit])
            lost += EVE not in rooms.hours(session)[1]
            session.rollback()
    assert lost
