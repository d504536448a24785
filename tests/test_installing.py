"""From an empty database to the first person who signs in, by the command line alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from exchange.installing import install
from tests.databases import Database

Run = Callable[..., Result]
SEL, TOWN = "SEL de la Vilaine", "Ville de Redon"


@pytest.fixture
def new(database: Database) -> Flask:
    """An install that nobody has named yet."""
    with database.connected("owner") as owner:
        owner.execute("DELETE FROM territory")
    return database.app(WTF_CSRF_ENABLED=False)


@pytest.fixture
def run(new: Flask) -> Run:
    """``run("territory", "Redon")``."""

    def invoked(*words: str) -> Result:
        with new.app_context():
            return CliRunner().invoke(install, [*words])

    return invoked


def founded(run: Run) -> None:
    """A territory, a community and a town."""
    for words in (("territory", "Redon", "--school-zone", "B"), ("community", SEL),
                  ("organisation", TOWN, "--kind", "authority", "--class", "town", "--in", SEL)):  # fmt: skip
        done = run(*words)
        assert done.exit_code == 0, done.output


def test_a_town_and_a_community_are_installed_and_somebody_signs_in(
    run: Run, new: Flask, database: Database
) -> None:
    founded(run)
    done = run("person", "Anne Le Goff", "--e-mail", "anne@example.org", "--in", SEL)
    assert "Nom d'utilisateur : anne.le.goff" in done.output
    for role, of in (("administrator", SEL), ("treasurer", SEL), ("officer", TOWN)):
        assert run("mandate", "anne.le.goff", role, of, "--until", "2030-12-31").exit_code == 0
    link = re.findall(r"https?://[^/\s]+(/\S+)", done.output)[0]
    browser = new.test_client()
    assert "anne.le.goff" in browser.get(link).text
    chosen = browser.post(link, data={"new": "un marron, deux marrons", "again": "un marron, deux marrons"})
    assert chosen.status_code == 303, chosen.text
    with database.connected("owner") as owner:
        town = owner.execute("SELECT token FROM parties WHERE name = %s", [TOWN]).fetchone()
        kinds = owner.execute("SELECT kind FROM books.accounts ORDER BY kind").fetchall()
    assert town is not None
    answer = browser.get(f"/preteurs/{town[0]}/ressources")
    assert answer.status_code == 200, answer.headers
    assert [kind for (kind,) in kinds] == ["authority", "community", "person"]


def test_the_territory_is_named_again(run: Run, database: Database) -> None:
    for words in (("Redon",), ("Redon Agglomération", "--zone", "Indian/Reunion", "--school-zone", "A")):
        assert run("territory", *words).exit_code == 0
    with database.connected("owner") as owner:
        assert owner.execute("SELECT name, zone, school_zone FROM territory").fetchall() == [
            ("Redon Agglomération", "Indian/Reunion", "A")
        ]


SQUARE = [[-2.1, 47.6], [-2.0, 47.6], [-2.0, 47.7], [-2.1, 47.7], [-2.1, 47.6]]


def geojson(folder: Path, *rings: object) -> str:
    """A file with these rings as the one polygon of a feature."""
    file = folder / "contour.geojson"
    told = {"type": "Feature", "properties": {"nom": "Redon"}, "geometry": {"type": "Polygon", "coordinates": rings}}
    file.write_text(json.dumps(told), encoding="utf-8")
    return str(file)


def test_the_outline_is_imported_and_imported_again(run: Run, new: Flask, database: Database, tmp_path: Path) -> None:
    founded(run)
    for ring in (SQUARE, SQUARE[1:4] + SQUARE[1:2]):
        done = run("outline", geojson(tmp_path, ring))
        assert done.exit_code == 0, done.output
        assert f"{len(ring)} positions" in done.output
        with database.connected("owner") as owner:
            kept = owner.execute("SELECT outline FROM territory").fetchone()
        assert kept == ({"type": "MultiPolygon", "coordinates": [[ring]]},)


def test_what_is_no_outline_is_said_with_its_place_and_the_old_one_stays(
    run: Run, database: Database, tmp_path: Path
) -> None:
    founded(run)
    run("outline", geojson(tmp_path, SQUARE))
    done = run("outline", geojson(tmp_path, SQUARE, SQUARE[:4]))
    assert done.exit_code == 1
    assert "se referme" in done.output
    assert "geometry.coordinates[1]" in done.output
    done = run("outline", geojson(tmp_path, [[355000, 6789000]] * 4))
    assert "WGS 84" in done.output
    assert run("outline", str(tmp_path / "nulle-part.geojson")).exit_code == 2
    with database.connected("owner") as owner:
        kept = owner.execute("SELECT outline FROM territory").fetchone()
    assert kept == ({"type": "MultiPolygon", "coordinates": [[SQUARE]]},)


def test_a_territory_has_a_name_before_it_has_an_outline(run: Run, tmp_path: Path) -> None:
    done = run("outline", geojson(tmp_path, SQUARE))
    assert done.exit_code == 1
    assert "marronnier install territory" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("territory", "Redon", "--zone", "Europe/Redon"), "n'est pas un fuseau horaire"),
        (("territory", "  "), "Donnez un nom"), (("community", SEL), "s'appelle déjà"),
        (("organisation", TOWN, "--kind", "authority", "--class", "town"), "s'appelle déjà"),
        (("organisation", "Club", "--kind", "firm", "--class", "outside", "--in", "Ailleurs"), "Aucune communauté"),
        (("person", "Anne", "--in", "Ailleurs"), "Aucune communauté"),
        (("mandate", "personne", "officer", TOWN), "Personne ne se connecte"),
        (("mandate", "anne", "officer", "Ailleurs"), "Aucune structure"),
        (("mandate", "anne", "treasurer", TOWN), "Aucune communauté"),
        (("mandate", "anne", "officer", TOWN, "--until", "2000-01-01"), "Le dernier jour"),
        (("mandate", "anne", "officer", TOWN, "--until", "2999-12-31"), "Le dernier jour"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    run: Run, database: Database, words: tuple[str, ...], said: str
) -> None:
    founded(run)
    run("person", "Anne")
    count = "SELECT (SELECT count(*) FROM parties), (SELECT count(*) FROM mandates), (SELECT count(*) FROM territory)"
    with database.connected("owner") as owner:
        before = owner.execute(count).fetchone()
        done = run(*words)
        assert done.exit_code == 1, done.output
        assert said in done.output
        assert owner.execute(count).fetchone() == before


def test_the_web_role_installs_nothing(database: Database) -> None:
    app = database.app(OWNER_URL=database.web_url)
    with app.app_context():
        done = CliRunner().invoke(install, ["territory", "Redon"])
    assert done.exit_code == 1
    assert "MARRONNIER_OWNER_URL" in done.output


def test_before_it_is_installed_every_page_says_so(new: Flask) -> None:
    answer = new.test_client().get("/")
    assert answer.status_code == 503
    assert "marronnier install territory" in answer.text
