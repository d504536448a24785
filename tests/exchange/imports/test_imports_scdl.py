"""A file in the national layout of equipment, with what is wrong in real ones, becomes rooms once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.catalogue import queries as resources
from exchange.imports import operations, queries
from exchange.imports.plan import Choices
from exchange.imports.policy import sentence
from tests.cast import NOON, Cast, gather
from tests.databases import as_owner

FILE = Path(__file__).with_name("equipements-scdl.csv")
PARIS = "Europe/Paris"
TICKED = frozenset({5, 6, 13})  # the lines that wait


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        return gather(session)


@pytest.fixture(params=["utf-8-sig", "windows-1252"])
def data(request: pytest.FixtureRequest) -> bytes:
    return FILE.read_text(encoding="utf-8-sig").encode(request.param)


def imported(session: Session, cast: Cast, data: bytes, ticked: frozenset[int] = frozenset()) -> Counter[str]:
    """Import the file to its end in small steps; say how many lines became what."""
    choices = Choices(ticked=ticked)
    job = operations.receive(session, lender=cast.town.id, choices=choices, file_name="equipements.csv", data=data,
                             by=cast.olga.by, at=NOON)  # fmt: skip
    operations.start(session, job, zone=PARIS, at=NOON)
    work = operations.prepare(session, job.id, zone=PARIS, at=NOON)
    assert work is not None
    assert work.source == "scdl-equipements"
    while (progress := operations.step(session, work, at=NOON, most=4)).done < progress.total:
        pass
    return Counter({status: number for status, number in queries.counts(session, job.id).items() if number})


def rooms(session: Session, cast: Cast) -> dict[str, resources.ResourceView]:
    return {row.name: row for row in resources.of_lender(session, cast.town.id).rows}


def test_what_is_ready_becomes_rooms_and_the_rest_is_left(session: Session, cast: Cast, data: bytes) -> None:
    assert imported(session, cast, data) == {"created": 5, "left-out": 4, "refused": 2}
    found = rooms(session, cast)
    assert set(found) == {
        "Salle des Calèches", "Gymnase du Halage", "Médiathèque Anjela-Duval", "Boulodrome couvert", "Préau du bourg",
    }  # fmt: skip
    hall = found["Salle des Calèches"]
    assert (hall.status, hall.category, hall.capacity, hall.legal_max) == ("incomplete", "Salle polyvalente", None, 700)
    assert (hall.latitude, hall.longitude) == (47.6512, -2.0837)
    assert hall.where == "4 bis rue Thiers, 35600 Saint-Marron-sur-Vilaine"
    assert hall.opening_hours == "Mo-Fr 08:30-12:00,13:30-17:30; Sa 08:30-12:00"
    library = found["Médiathèque Anjela-Duval"]
    assert (library.latitude, library.longitude) == (None, None)
    court = found["Boulodrome couvert"]
    assert (court.postcode, court.erp_type, court.opening_hours) == ("", "", "")


def test_what_waits_is_imported_without_what_is_wrong_once_it_is_ticked(
    session: Session, cast: Cast, data: bytes
) -> None:
    assert imported(session, cast, data, TICKED)["created"] == 8
    found = rooms(session, cast)
    names = ("Maison des associations", "École Anjela-Duval", "Chapelle « Saint-Marron »")
    house, school, chapel = (found[name] for name in names)
    assert (house.opening_hours, house.latitude) == ("", 47.6521)
    assert (school.opening_hours, school.latitude, school.longitude) == ("", None, None)
    assert (chapel.opening_hours, chapel.latitude) == ("Apr-Oct 09:00-22:00", None)


def test_the_same_file_again_changes_nothing(session: Session, cast: Cast, data: bytes) -> None:
    imported(session, cast, data, TICKED)
    before = rooms(session, cast)
    assert imported(session, cast, data, TICKED) == {"unchanged": 8, "left-out": 1, "refused": 2}
    assert rooms(session, cast) == before


def test_each_line_says_what_is_wrong_and_where(app: Flask, session: Session, cast: Cast, data: bytes) -> None:
    job = operations.receive(session, lender=cast.town.id, choices=Choices(), file_name="equipements.csv", data=data,
                             by=cast.olga.by, at=NOON)  # fmt: skip
    run = operations.rehearse(job, zone=PARIS)
    said = {line.number: " ".join(map(sentence, (*line.reasons, *line.remarks))) for line in run.lines}
    for line, words in (
        (5, "à partir du caractère 1 («\u00a0Lu-Ve 9h-12h\u00a0»)"),
        (6, "à partir du caractère 26 («\u00a0SH off\u00a0»)"),
        (6, "La position (47,6530"), (8, "n’a pas cinq chiffres"), (8, "n’est pas complète"), (9, "répète la ligne 2"),
        (10, "Le nom (colonne"), (11, "n’a pas de catégorie"), (12, "déjà celle de la ligne 3"),
        (13, "La position (147,72"),
    ):  # fmt: skip
        assert words in said[line], line
    assert rooms(session, cast) == {}, "nothing is written before it is wanted"
