"""A town's file becomes rooms: once, changed where the file changes, never where somebody edited since."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.cli import marronnier
from exchange.db import db, transaction
from exchange.errors import ImportStarted, NothingChosen
from exchange.imports import operations, queries, running
from exchange.imports.filling import merge
from exchange.imports.plan import Choices
from exchange.imports.policy import ReadError
from exchange.tasks import import_resources, resume_imports
from tests.cast import NOON, Cast, committed, gather
from tests.databases import Database, as_owner

PARIS = "Europe/Paris"
CHOSEN = frozenset({"Maison pour tous", "Equipement sportifs", "Multi - affectation"})
STOCK = "Nom;Quantité;Inventaire;Lieu\nChaise;40;;Hangar\nPerceuse;;P1,P2;Hangar\nTable;1;;Cave\n"


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        return gather(session)


def started(
    cast: Cast, data: bytes, *, name: str = "batiments-2014.csv", lender: int | None = None, **choices: object
) -> int:
    """Give a file, choose, and start; return the import."""
    chosen = Choices(("VILLE",)).having(**choices)
    with transaction() as session:
        job = operations.receive(
            session, lender=lender or cast.town.id, choices=chosen, file_name=name, data=data, by=cast.olga.by, at=NOON
        )
        operations.start(session, job, zone=PARIS, at=NOON)
        return job.id


def imported(cast: Cast, data: bytes, **more: object) -> Counter[str]:
    """Import a file to its end; say how many lines became what."""
    job = started(cast, data, **more)
    import_resources(job)
    return Counter({status: number for status, number in queries.counts(db.session(), job).items() if number})


def of_town(session: Session, cast: Cast, **wanted: str) -> list[resources.ResourceView]:
    return resources.of_lender(session, cast.town.id, **wanted).rows


def last_lines(session: Session, cast: Cast) -> dict[str, tuple[str, list[str]]]:
    """The last report: by name, what became of the line and why."""
    job = queries.of_lender(session, cast.town.id)[0]
    return {row.name: (row.status, [said["code"] for said in row.reasons]) for row in queries.lines(session, job.id)}


# The real file


def test_the_rooms_of_three_categories_are_made(session: Session, cast: Cast, town_file: bytes) -> None:
    assert imported(cast, town_file, categories=CHOSEN) == {"created": 42, "left-out": 169}
    rooms = of_town(session, cast)
    assert Counter(room.category for room in rooms) == {
        "Maison pour tous": 12, "Equipement sportifs": 15, "Multi - affectation": 15,
    }  # fmt: skip
    assert {room.status for room in rooms} == {"incomplete"}
    marie = next(room for room in rooms if room.name == "Ensemble maison pour tous Marie Curie")
    assert (marie.address, marie.legal_min, marie.legal_max) == ("13 Allee Antonin Chauliac", 301, 700)
    assert (marie.access, marie.access_note) == ("works-needed", "travaux simples à prévoir (2014)")
    assert [room.name for room in rooms if room.accessible] == ["Maison pour tous Rosa Lee Parks"]
    assert resources.units_of(session, [marie.id]) == {marie.id: [marie.id]}


def test_the_same_file_twice_changes_nothing(session: Session, cast: Cast, town_file: bytes) -> None:
    imported(cast, town_file, categories=CHOSEN)
    everything = text("SELECT * FROM resources JOIN places ON places.id = place_id ORDER BY 1")
    before = session.execute(everything).all()
    acts = session.execute(text("SELECT count(*) FROM resource_acts")).scalar()
    assert imported(cast, town_file, categories=CHOSEN) == {"unchanged": 42, "left-out": 169}
    assert session.execute(everything).all() == before
    assert session.execute(text("SELECT count(*) FROM resource_acts")).scalar() == acts


def test_what_is_another_s_comes_only_when_ticked(session: Session, cast: Cast, town_file: bytes) -> None:
    assert imported(cast, town_file) == {"created": 160, "left-out": 51}
    joffre = last_lines(session, cast)["College Joffre"]
    assert joffre == ("left-out", ["owner-differs"])
    assert imported(cast, town_file, ticked=frozenset({5})) == {"created": 1, "unchanged": 160, "left-out": 50}


def test_a_changed_file_changes_only_what_changed(session: Session, cast: Cast, town_file: bytes) -> None:
    imported(cast, town_file, categories=CHOSEN)
    changed = town_file.replace(b"MAISON POUR TOUS SAINT EXUPERY", b"MAISON POUR TOUS SAINT-EX")
    assert imported(cast, changed, categories=CHOSEN) == {"changed": 1, "unchanged": 41, "left-out": 169}
    assert last_lines(session, cast)["Maison pour tous Saint-Ex"] == ("changed", [])


def test_what_an_officer_edited_since_is_kept(session: Session, cast: Cast, town_file: bytes) -> None:
    imported(cast, town_file, categories=CHOSEN)
    room = next(room for room in of_town(session, cast) if room.name == "Maison pour tous Saint Exupery")
    row = resources.row_of(session, cast.town.id, room.token)
    assert row is not None
    mine = {"name": "Maison Saint-Exupéry", "capacity": 80, "description": "Avec cuisine"}
    catalogue.edit(session, row, mine, by=cast.olga.by, at=NOON)
    changed = town_file.replace(b"MAISON POUR TOUS SAINT EXUPERY", b"MAISON POUR TOUS SAINT-EX")
    changed = changed.replace(b"130;ALLEE DU BRIOL", b"132;ALLEE DU BRIOL")
    imported(cast, changed, categories=CHOSEN)
    now = resources.views(session, [room.id])[room.id]
    assert (now.name, now.capacity, now.description) == ("Maison Saint-Exupéry", 80, "Avec cuisine")
    assert now.address == "132 Allee du Briol"
    assert last_lines(session, cast)["Maison pour tous Saint-Ex"] == ("changed", ["edited-since"])
    assert imported(cast, changed, categories=CHOSEN) == {"unchanged": 42, "left-out": 169}


def test_a_lowered_limit_is_said_and_a_retired_room_stays_so(session: Session, cast: Cast, town_file: bytes) -> None:
    imported(cast, town_file, categories=CHOSEN)
    rooms = {room.name: room for room in of_town(session, cast)}
    marie, exupery = rooms["Ensemble maison pour tous Marie Curie"], rooms["Maison pour tous Saint Exupery"]
    catalogue.publish(session, lender=cast.town.id, capacities={marie.id: 500}, by=cast.olga.by, at=NOON)
    row = resources.row_of(session, cast.town.id, exupery.token)
    assert row is not None
    catalogue.retire(session, row, by=cast.olga.by, at=NOON)
    lowered = "4ème catégorie (effectif <= 300)".encode("iso-8859-1")
    line = next(line for line in town_file.split(b"\n") if line.startswith(b"1686;"))
    other = line.replace("3ème catégorie (300 < effectif <= 700)".encode("iso-8859-1"), lowered)
    imported(cast, town_file.replace(line, other.replace(b";III;", b";IV;")), categories=CHOSEN)
    said = last_lines(session, cast)
    assert said[marie.name] == ("changed", ["limit-lowered"])
    assert said[exupery.name] == ("unchanged", ["retired-since"])
    assert resources.views(session, [marie.id])[marie.id].above_limit


# Things


def test_a_stock_of_things_becomes_pools_and_numbered_things(session: Session, cast: Cast) -> None:
    assert imported(cast, STOCK.encode(), name="stock.csv") == {"created": 3}
    rows = {(row.name, row.kind, row.quantity, row.place_name) for row in of_town(session, cast)}
    assert rows == {
        ("Chaise", "pool", 40, "Hangar"), ("Table", "thing", None, "Cave"),
        ("Perceuse (n°\u00a0P1)", "thing", None, "Hangar"), ("Perceuse (n°\u00a0P2)", "thing", None, "Hangar"),
    }  # fmt: skip
    more = STOCK.replace("40", "45").replace("P1,P2;Hangar", "P1,P2,P3;Grange").replace("Table;1", "Table;6")
    assert imported(cast, more.encode(), name="stock.csv") == {"changed": 1, "created": 1, "refused": 1}
    assert last_lines(session, cast)["Table"] == ("refused", ["kind-differs"])
    places = {row.name: row.place_name for row in of_town(session, cast)}
    assert places["Perceuse (n°\u00a0P1)"] == "Grange"
    assert session.execute(text("SELECT count(*) FROM places")).scalar() == 3


VALUED = (
    "Nom;Quantité;Inventaire;Valeur;Photo\n"
    "Perceuse;;P1,P2;1 234,50 €;https://ville.example/p.jpg\n"
    "Chaise;40;;12,5;photo.jpg\n"
    "Table;1;;;\n"
)


def test_the_value_and_the_address_of_the_photograph_are_kept_for_the_office(session: Session, cast: Cast) -> None:
    assert imported(cast, VALUED.encode(), name="stock.csv") == {"created": 3}
    kept = {row.name: (row.value_cents, row.photo_address) for row in of_town(session, cast)}
    drill = (123_450, "https://ville.example/p.jpg")
    assert kept == {
        "Perceuse (n°\u00a0P1)": drill, "Perceuse (n°\u00a0P2)": drill, "Chaise": (1250, ""), "Table": (None, ""),
    }  # fmt: skip
    assert last_lines(session, cast)["Chaise"] == ("created", ["link-odd"])
    assert imported(cast, VALUED.encode(), name="stock.csv") == {"unchanged": 3}


def test_a_new_value_is_taken_up_and_a_file_without_any_takes_none_away(session: Session, cast: Cast) -> None:
    imported(cast, VALUED.encode(), name="stock.csv")
    dearer = VALUED.replace("12,5", "13,0051")
    assert imported(cast, dearer.encode(), name="stock.csv") == {"changed": 1, "unchanged": 2}
    without = "Nom;Quantité;Inventaire\nPerceuse;;P1,P2\nChaise;40;\nTable;1;\n"
    assert imported(cast, without.encode(), name="stock.csv") == {"unchanged": 3}
    assert {row.value_cents for row in of_town(session, cast)} == {123_450, 1301, None}


def test_two_lenders_may_have_the_same_references(session: Session, cast: Cast) -> None:
    imported(cast, STOCK.encode())
    assert imported(cast, STOCK.encode(), lender=cast.club.id) == {"created": 3}


def test_what_a_file_says_of_a_value_is_taken_only_where_nobody_wrote(session: Session) -> None:
    assert merge({}, {"a": 1}, {"a": None}) == ({"a": 1}, [])
    assert merge({}, {"a": 1}, {"a": 2}) == ({}, ["a"])
    assert merge({"a": 1}, {"a": 1}, {"a": 2}) == ({}, [])
    assert merge({"a": 1}, {"a": 3}, {"a": 1}) == ({"a": 3}, [])
    assert merge({"a": 1}, {"a": 3}, {"a": 2}) == ({}, ["a"])
    assert merge({"a": 1}, {"a": 3}, {"a": 3}) == ({}, [])


# A line in error, an interruption, two at once


def test_a_line_that_the_database_refuses_stops_nobody_and_leaves_nothing(session: Session, cast: Cast) -> None:
    with as_owner(session):
        session.execute(text("ALTER TABLE resources ADD CHECK (name <> 'Chaise 2')"))
    stock = "Nom;Quantité\n" + "".join(f"Chaise {n};5\n" for n in range(4))
    assert imported(cast, stock.encode()) == {"created": 3, "refused": 1}
    assert last_lines(session, cast)["Chaise 2"] == ("refused", ["line-not-kept"])
    assert [row.name for row in of_town(session, cast)] == ["Chaise 0", "Chaise 1", "Chaise 3"]


def test_lines_in_error_are_in_the_report_with_their_reason(session: Session, cast: Cast) -> None:
    stock = "Nom;Quantité\nChaise;5\n;3\nTable;beaucoup\nBanc;2;9;9\n"
    assert imported(cast, stock.encode()) == {"created": 1, "refused": 3}
    assert last_lines(session, cast)["Table"] == ("refused", ["quantity-wrong"])


def test_an_import_starts_once_and_is_chosen_no_more(session: Session, cast: Cast, town_file: bytes) -> None:
    job = queries.of_lender(session, cast.town.id)[0] if started(cast, town_file) else None
    assert job is not None
    with pytest.raises(ImportStarted):
        operations.start(session, job, zone=PARIS, at=NOON)
    with pytest.raises(ImportStarted):
        operations.choose(session, job, ticked=frozenset({5}))
    with pytest.raises(ImportStarted):
        operations.read_as(session, job, encoding="utf-8", delimiter=None)


def test_nothing_chosen_starts_nothing(session: Session, cast: Cast, town_file: bytes) -> None:
    with pytest.raises(NothingChosen):
        started(cast, town_file, categories=frozenset({"Salles de bal"}))


def test_a_mapping_is_remembered_for_the_files_that_look_alike(session: Session, cast: Cast) -> None:
    data = b"Objet;Combien\nChaise;40\n"
    job = operations.receive(
        session, lender=cast.town.id, choices=Choices(), file_name="a.csv", data=data, by=cast.olga.by, at=NOON
    )
    assert job.mapping is None
    operations.map_columns(session, job, kind="thing", columns={"name": "Objet", "quantity": "Combien"})
    alike = operations.receive(
        session, lender=cast.town.id, choices=Choices(), file_name="b.csv", data=b"COMBIEN;objet\n3;Banc\n",
        by=cast.olga.by, at=NOON,
    )  # fmt: skip
    assert alike.mapping == {"kind": "thing", "columns": {"name": "Objet", "quantity": "Combien"}}
    assert operations.rehearse(alike, zone=PARIS).counts.ready == 1
    other = operations.receive(
        session, lender=cast.club.id, choices=Choices(), file_name="a.csv", data=data, by=cast.olga.by, at=NOON
    )
    assert other.mapping is None


@pytest.mark.parametrize(
    "hostile",
    [
        b"", b"PK\x03\x04 xl/workbook", b"\x00\x01\x02", b"a;b\n\x00;2\n", b"x;" * 100_000 + b"\n1\n",
        b"a" * 5_300_000, b"%PDF-1.7",
    ],
    ids=["empty", "xlsx", "binary", "nul", "100 000 columns", "too big", "pdf"],
)  # fmt: skip
def test_a_hostile_file_is_refused_in_words_and_not_kept(hostile: bytes, session: Session, cast: Cast) -> None:
    with pytest.raises(ReadError) as refused:
        started(cast, hostile)
    assert str(refused.value).endswith(".")
    assert queries.of_lender(session, cast.town.id) == []


# Really committed


def town_of(database: Database) -> tuple[Flask, Cast]:
    app = database.app()
    return app, committed(app)


def made(database: Database) -> tuple[int, int]:
    """How many resources, and how many distinct references."""
    with database.connected("superuser") as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT source_ref) FROM resources").fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_worker_killed_midway_goes_on_where_it_stopped(database: Database, town_file: bytes) -> None:
    app, cast = town_of(database)
    with app.app_context():
        job = started(cast, town_file)
        steps = running.steps(job)
        assert next(steps) == (50, 211)
        assert next(steps) == (100, 211)
        steps.close()  # killed here
    assert made(database)[0] < 160
    with app.app_context():
        assert next(running.steps(job)) == (150, 211)
        import_resources(job)
        import_resources(job)  # the queue may do it twice
        assert queries.counts(db.session(), job)["created"] == 160
    assert made(database) == (160, 160)


def test_an_import_whose_worker_died_is_taken_up_again(session: Session, cast: Cast, town_file: bytes) -> None:
    job = started(cast, town_file)
    next(running.steps(job))
    resume_imports(0)  # it has only just started: its worker may well be alive
    assert queries.of_lender(session, cast.town.id)[0].done == 50
    with freeze_time(NOON + timedelta(minutes=3)):
        resume_imports(0)
    assert queries.counts(session, job)["created"] == 160


@pytest.mark.race
def test_two_imports_of_one_lender_at_once_make_each_room_once(database: Database, town_file: bytes) -> None:
    app, cast = town_of(database)
    with app.app_context():
        jobs = [started(cast, town_file) for _ in range(2)]
    barrier, results = threading.Barrier(4), []

    def work(job: int) -> None:
        with app.app_context():
            barrier.wait()
            import_resources(job)
            results.append(queries.counts(db.session(), job))

    racers = [threading.Thread(target=work, args=(job,)) for job in jobs * 2]  # and each by two workers
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(results) == 4
    assert made(database) == (160, 160)
    with app.app_context():
        counts = [queries.counts(db.session(), job) for job in jobs]
    assert sum(count["created"] for count in counts) == 160
    assert sum(count["unchanged"] for count in counts) == 160
    assert sum(count["refused"] for count in counts) == 0


@pytest.mark.race
def test_without_the_lender_s_lock_the_same_race_goes_wrong(
    database: Database, town_file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what one import creates, the other then refuses line by line instead of finding it there."""
    monkeypatch.setattr(operations, "_one_at_a_time", lambda _session, _lender: None)
    app, cast = town_of(database)
    with app.app_context():
        jobs = [started(cast, town_file) for _ in range(2)]
    barrier = threading.Barrier(2)

    def work(job: int) -> None:
        with app.app_context():
            barrier.wait()
            import_resources(job)

    racers = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    with app.app_context():
        assert sum(queries.counts(db.session(), job)["refused"] for job in jobs) > 0


# The command


@pytest.fixture
def town_path(tmp_path: Path, town_file: bytes) -> Path:
    path = tmp_path / "montpellier-erp-2014.csv"
    path.write_bytes(town_file)
    return path


def run(*words: object) -> tuple[int, list[str]]:
    answer = CliRunner().invoke(marronnier, ["import", "resources", *map(str, words)])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output.splitlines()


@pytest.mark.usefixtures("cast")
def test_a_dry_run_says_each_line_then_the_count_and_writes_nothing(session: Session, town_path: Path) -> None:
    code, said = run(town_path, "--lender", "ville de saint marron", "--dry-run")
    assert code == 0
    assert len(said) == 212
    assert said[0] == "ligne 2\u00a0: prête, Ecole elementaire Marc Bloch."
    assert said[3].startswith("ligne 5\u00a0: à vérifier, College Joffre. Le propriétaire indiqué est «\u00a0CG 34")
    assert said[-1] == (
        "Lignes lues\u00a0: 211\u202f; prêtes\u00a0: 160\u202f; à vérifier\u00a0: 51\u202f; "
        "laissées de côté\u00a0: 51\u202f; en erreur\u00a0: 0."
    )
    assert session.execute(text("SELECT count(*) FROM imports")).scalar() == 0


@pytest.mark.usefixtures("cast")
def test_a_dry_run_with_a_line_in_error_exits_1(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("Nom;Quantité\nChaise;5\n;3\n")
    code, said = run(path, "--lender", "Ville de Saint-Marron", "--dry-run")
    assert code == 1
    assert said[1] == "ligne 3\u00a0: en erreur, (illisible). Le nom (colonne «\u00a0Nom\u00a0») manque."


def test_rooms_are_imported_given_a_capacity_and_published(session: Session, cast: Cast, town_path: Path) -> None:
    words = ("--lender", "Ville de Saint-Marron", "--categories", "maison pour tous", "--capacity", "90", "--publish")
    code, said = run(town_path, *words)
    assert code == 0
    assert said[-1] == "Publiées\u00a0: 12."
    assert {row.capacity for row in resources.published(session, lender=cast.town.id)} == {90}
    assert run(town_path, *words)[1][-1] == "Publiées\u00a0: 0."


def test_a_capacity_above_the_building_s_limit_is_said_and_that_room_waits(
    session: Session, cast: Cast, town_path: Path
) -> None:
    words = ("--lender", "Ville de Saint-Marron", "--categories", "Maison pour tous", "--capacity", "400", "--publish")
    code, said = run(town_path, *words)
    assert code == 1
    assert any("La limite légale de ce bâtiment est de 300 personnes" in line for line in said)
    assert 0 < len(resources.published(session, lender=cast.town.id)) < 12


@pytest.mark.usefixtures("cast")
def test_the_command_says_in_a_sentence_what_it_lacks(tmp_path: Path, town_path: Path) -> None:
    odd, mapping = tmp_path / "odd.csv", tmp_path / "mapping.json"
    odd.write_text("Objet;Combien\nChaise;40\n")
    mapping.write_text('{"kind": "thing", "name": "Objet", "quantity": "Combien"}')
    lender = ("--lender", "Ville de Saint-Marron")
    assert "Aucun prêteur ne s'appelle" in run(town_path, "--lender", "Mairie")[1][0]
    assert "n’a pas de catégorie" in run(town_path, *lender, "--categories", "Salles de bal")[1][0]
    assert "La forme de ce fichier est inconnue" in run(odd, *lender)[1][0]
    assert run(odd, *lender, "--mapping", mapping)[0] == 0
    mapping.write_bytes(b"\xff\xfe")
    assert "n’est pas un document JSON" in run(odd, *lender, "--mapping", mapping)[1][0]
    odd.write_bytes(b"\x00")
    assert "octets nuls" in run(odd, *lender)[1][0]
