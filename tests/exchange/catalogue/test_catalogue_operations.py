"""What a lender has: added, made of parts, edited, published and found."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from exchange.catalogue import operations, policy, queries
from exchange.db import transaction
from exchange.errors import CapacityAboveLimit, CapacityMissing, NotFound, PartsFixed, QuantityMissing
from exchange.imports.candidates import LEGAL_LIMITS
from tests.cast import NOON, Cast
from tests.exchange.catalogue.conftest import Add


def publish(session: Session, cast: Cast, **capacities: int | None) -> None:
    ids = {int(name.removeprefix("r")): people for name, people in capacities.items()}
    operations.publish(session, lender=cast.town.id, capacities=ids, by=cast.olga.by, at=NOON)


def names(rows: list[queries.ResourceView]) -> list[str]:
    return [row.name for row in rows]


def test_a_simple_room_takes_itself_and_a_hall_takes_its_parts(session: Session, add: Add) -> None:
    half, other = add("room", "Nord"), add("room", "Sud")
    hall = add("room", "Salle entière", parts=[half.id, other.id])
    drill = add("thing", "Perceuse")
    assert queries.units_of(session, [half.id, hall.id, drill.id]) == {
        half.id: [half.id], hall.id: [half.id, other.id], drill.id: [drill.id],
    }  # fmt: skip


def test_a_hall_of_halls_takes_their_leaves(session: Session, add: Add) -> None:
    a, b, c = add("room", "A"), add("room", "B"), add("room", "C")
    pair = add("room", "AB", parts=[a.id, b.id])
    whole = add("room", "ABC", parts=[pair.id, c.id])
    assert queries.units_of(session, [whole.id])[whole.id] == [a.id, b.id, c.id]


def test_a_part_of_another_lender_or_a_thing_is_no_part(session: Session, cast: Cast, add: Add) -> None:
    dojo, drill = add("room", "Dojo", lender=cast.club.id), add("thing", "Perceuse")
    for part in (dojo.id, drill.id, 10**12):
        with pytest.raises(NotFound):
            add("room", "Salle", parts=[part])


def test_another_lender_s_place_is_not_found(session: Session, cast: Cast, add: Add) -> None:
    theirs = operations.add_place(session, lender=cast.club.id, name="Dojo", at=NOON)
    with pytest.raises(NotFound):
        add("room", "Salle", place_id=theirs.id)


def test_what_a_hall_is_made_of_is_said_before_it_is_published(session: Session, cast: Cast, add: Add) -> None:
    half, other, hall = add("room", "Nord", capacity=1), add("room", "Sud"), add("room", "Entière", capacity=2)
    operations.make_of(session, hall, [half.id, other.id], by=cast.olga.by, at=NOON)
    assert queries.units_of(session, [hall.id])[hall.id] == [half.id, other.id]
    with pytest.raises(PartsFixed):
        operations.make_of(session, half, [other.id], by=cast.olga.by, at=NOON)  # it is itself a part
    publish(session, cast, **{f"r{hall.id}": None})
    with pytest.raises(PartsFixed):
        operations.make_of(session, hall, [], by=cast.olga.by, at=NOON)


def test_a_room_is_published_with_its_capacity_only(session: Session, cast: Cast, add: Add) -> None:
    hall = add("room", "Salle")
    with pytest.raises(CapacityMissing):
        publish(session, cast, **{f"r{hall.id}": None})
    publish(session, cast, **{f"r{hall.id}": 60})
    assert queries.published_by_token(session, hall.token).capacity == 60
    with pytest.raises(CapacityMissing):
        operations.edit(session, hall, {"capacity": None}, by=cast.olga.by, at=NOON)
    assert hall.capacity == 60


def test_the_database_itself_refuses_a_published_room_without_capacity(session: Session, add: Add) -> None:
    hall = add("room", "Salle")
    with pytest.raises(CapacityMissing), transaction() as same:
        same.execute(text("UPDATE resources SET published_at = now() WHERE id = :id"), {"id": hall.id})


def test_a_room_takes_no_more_than_its_building(session: Session, cast: Cast, add: Add) -> None:
    place = operations.add_place(session, lender=cast.town.id, name="Mairie", legal_max=300, at=NOON)
    hall = add("room", "Salle", place_id=place.id)
    with pytest.raises(CapacityAboveLimit) as refused:
        publish(session, cast, **{f"r{hall.id}": 301})
    assert refused.value.facts == {"capacity": 301, "limit": 300, "resource": hall.id}
    with pytest.raises(CapacityAboveLimit):
        operations.edit(session, hall, {"capacity": 301}, by=cast.olga.by, at=NOON)
    publish(session, cast, **{f"r{hall.id}": 300})


def test_publishing_is_all_or_nothing(session: Session, cast: Cast, add: Add) -> None:
    ready, incomplete = add("room", "A", capacity=9), add("room", "B")
    theirs = add("thing", "Tatami", lender=cast.club.id)
    with pytest.raises(CapacityMissing):
        publish(session, cast, **{f"r{ready.id}": None, f"r{incomplete.id}": None})
    with pytest.raises(NotFound):
        publish(session, cast, **{f"r{ready.id}": None, f"r{theirs.id}": None})
    assert queries.published(session) == []


def test_a_pool_says_how_many_there_are(session: Session, add: Add) -> None:
    with pytest.raises(QuantityMissing):
        add("pool", "Chaises")
    assert add("pool", "Chaises", quantity=40).quantity == 40


def test_withdrawn_or_retired_it_is_found_no_more_and_can_come_back(session: Session, cast: Cast, add: Add) -> None:
    drill = add("thing", "Perceuse")
    publish(session, cast, **{f"r{drill.id}": None})
    operations.withdraw(session, drill, by=cast.olga.by, at=NOON)
    assert queries.published(session) == []
    operations.retire(session, drill, by=cast.olga.by, at=NOON)
    assert queries.of_lender(session, cast.town.id).rows == []
    assert names(queries.of_lender(session, cast.town.id, status="retired").rows) == ["Perceuse"]
    operations.restore(session, drill, by=cast.olga.by, at=NOON)
    assert names(queries.of_lender(session, cast.town.id, status="ready").rows) == ["Perceuse"]
    acts = ["added", "published", "withdrawn", "retired", "restored"]
    assert [act.act for act in reversed(queries.acts(session, drill.id))] == acts


def test_who_did_what_is_written_once(session: Session, cast: Cast, add: Add) -> None:
    drill = add("thing", "Perceuse")
    assert [act.by_sign_in for act in queries.acts(session, drill.id)] == [cast.olga.by.sign_in]
    with pytest.raises(Exception, match="permission denied"):
        session.execute(text("DELETE FROM resource_acts"))


def test_a_reference_is_one_resource_of_a_lender(session: Session, add: Add) -> None:
    add("thing", "Perceuse", source=("things", "P1"))
    with pytest.raises(IntegrityError), session.begin_nested():
        add("thing", "Ponceuse", source=("things", "P1"))


@pytest.fixture
def town_catalogue(session: Session, cast: Cast, add: Add) -> None:
    place = operations.add_place(
        session, lender=cast.town.id, name="Espace Émile-Zola", address="3 rue des Écoles", access="accessible", at=NOON
    )
    rooms = [
        add("room", "Salle des fêtes", category="Salles", capacity=120, place_id=place.id),
        add("room", "Petite salle", category="Salles", capacity=30),
        add("thing", "Vidéoprojecteur", category="Matériel"),
        add("pool", "Chaises", category="Matériel", quantity=40),
    ]
    add("room", "Grange", category="À venir")
    publish(session, cast, **{f"r{room.id}": None for room in rooms})


@pytest.mark.usefixtures("town_catalogue")
def test_what_is_published_is_found_without_accents_or_exact_words(session: Session) -> None:
    assert names(queries.published(session, text="SALLE FETE")) == ["Salle des fêtes"]
    assert names(queries.published(session, text="ecoles")) == ["Salle des fêtes"]
    assert names(queries.published(session, text="video projecteur")) == ["Vidéoprojecteur"]
    assert names(queries.published(session, text="chaize")) == ["Chaises"]
    assert queries.published(session, text="100%_") == []
    assert queries.published(session, text="grange") == []


@pytest.mark.usefixtures("town_catalogue")
def test_a_room_for_sixty_is_the_smallest_that_fits_and_things_stay(session: Session) -> None:
    for_twenty = ["Petite salle", "Salle des fêtes", "Chaises", "Vidéoprojecteur"]
    assert names(queries.published(session, capacity=20)) == for_twenty
    assert names(queries.published(session, capacity=60, kind="room")) == ["Salle des fêtes"]
    assert names(queries.published(session, accessible=True)) == ["Salle des fêtes"]
    assert names(queries.published(session, category="Matériel")) == ["Chaises", "Vidéoprojecteur"]
    assert queries.categories(session) == ["Matériel", "Salles"]


@pytest.mark.usefixtures("town_catalogue")
def test_an_officer_sees_all_of_their_own_by_pages(session: Session, cast: Cast) -> None:
    first = queries.of_lender(session, cast.town.id, size=2)
    assert (names(first.rows), first.total, first.pages) == (["Grange", "Chaises"], 5, 3)
    assert queries.of_lender(session, cast.town.id, page=99, size=2).page == 3
    assert queries.of_lender(session, cast.club.id).rows == []
    assert queries.counts(session, cast.town.id) == {"incomplete": 1, "published": 4}


def test_the_legal_limits_are_those_that_imports_read() -> None:
    read = {numeral: astuple(limit) if limit else (None, None) for numeral, limit in LEGAL_LIMITS.items()}
    assert {"": (None, None), **read} == policy.LEGAL_LIMITS
