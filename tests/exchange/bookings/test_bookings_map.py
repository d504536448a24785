"""What a search finds, on a map."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings.operations import ask
from exchange.catalogue import operations as catalogue
from exchange.catalogue.models import Place, Resource
from exchange.headers import POLICY
from ledger.entries import Acting
from tests.cast import NOON, Cast
from tests.counting import counted
from tests.databases import Database, as_owner
from tests.exchange.bookings.conftest import wanting
from tests.exchange.imports.conftest import town_path
from tests.exchange.imports.test_imports_operations import imported
from tests.lent import Lent

PARIS = "Europe/Paris"
OUTLINE = '{"type": "MultiPolygon", "coordinates": [[[[-2.1, 47.6], [-2.0, 47.6], [-2.0, 47.7], [-2.1, 47.6]]]]}'
BOURG, HALAGE = (47.66, -2.02), (47.61, -2.07)
TILES = "https://tiles.example.org/{z}/{x}/{y}.png?key=1"


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


@pytest.fixture(autouse=True)
def outline(session: Session) -> None:
    with as_owner(session):
        session.execute(text("UPDATE territory SET outline = CAST(:outline AS jsonb)"), {"outline": OUTLINE})


def put(session: Session, name: str, at: tuple[float, float], *resources: Any, lender: int | None = None) -> Place:
    """A place with what stands in it."""
    place = catalogue.add_place(session, lender=lender or resources[0].lender_id, name=name, address="2 rue du Lavoir",
                                latitude=at[0], longitude=at[1], at=NOON)  # fmt: skip
    for each in resources:
        session.get_one(Resource, each.id).place_id = place.id
    session.flush()
    return place


def drawn(page: str) -> list[tuple[str, str, str]]:
    """Where each point of the picture leads, what it is called, what is written on it."""
    found = re.findall(r'<a class="map-point" href="([^"]*)" aria-label="([^"]*)">.*?<text[^>]*>([^<]*)<', page, re.S)
    return [(href, unescape(name), unescape(words)) for href, name, words in found]


def listed(page: str, number: int) -> str:
    """What the list says of a place."""
    return unescape(page.partition(f'id="lieu-{number}"')[2].partition("</ul>")[0])


def test_each_place_is_one_point_that_leads_to_what_is_lent_there(
    client: FlaskClient, session: Session, lent: Lent
) -> None:
    put(session, "Maison du bourg", BOURG, lent.hall, lent.half)
    put(session, "Dojo du halage", HALAGE, lent.dojo)
    page = client.get("/salles/carte").text
    points = drawn(page)
    assert [(href, words) for href, _name, words in points] == [("#lieu-1", "1"), ("#lieu-2", "2")]
    assert {name.partition("\u00a0: ")[2] for _href, name, _words in points} == {
        "Dojo du halage, 1 résultat", "Maison du bourg, 2 résultats"}  # fmt: skip
    bourg = next(int(name[0]) for _href, name, _words in points if "bourg" in name)
    assert "2 rue du Lavoir" in listed(page, bourg)
    assert f"/salles/{lent.hall.token}" in listed(page, bourg)
    assert f"/salles/{lent.half.token}" in listed(page, bourg)
    assert f"/salles/{lent.dojo.token}" not in listed(page, bourg)
    assert re.search(r'<path class="map-outline"[^>]* d="M[\d.]+,[\d.]+ [^"]+Z"', page)
    title = re.search(r"<title id=\"carte-nom\">([^<]*)", page)
    assert title is not None
    assert unescape(title[1]).endswith("\u00a0: 2 lieux")


def test_places_too_close_for_a_finger_are_one_point_that_says_how_many(
    client: FlaskClient, session: Session, lent: Lent
) -> None:
    put(session, "Dojo du halage", HALAGE, lent.dojo)
    put(session, "Maison du bourg", BOURG, lent.hall)
    put(session, "Atelier du bourg", (BOURG[0] + 0.0005, BOURG[1]), lent.drill)
    [(together, name, words)] = [point for point in drawn(client.get("/salles/carte").text) if "lieux" in point[2]]
    first = int(together.removeprefix("#lieu-"))
    assert (words, name) == ("2 lieux", f"2 lieux, du numéro {first} au numéro {first + 1}")
    page = client.get("/salles/carte").text
    assert "Maison du bourg" in listed(page, first) + listed(page, first + 1)
    assert "Atelier du bourg" in listed(page, first) + listed(page, first + 1)


def test_the_whole_search_is_kept_from_the_list_to_the_map_and_back(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    put(session, "Maison du bourg", BOURG, lent.hall, lent.half, lent.dojo)
    query = "day=2026-11-28&starts=14%3A00&ends=18%3A00&people=61&plus+tard=oui&plus+tard=non&_external=1&endpoint=x"
    to_map = re.findall(r'href="(/salles/carte[^"]*)"', client.get(f"/salles?{query}").text)
    assert [unescape(href) for href in to_map] == [f"/salles/carte?{query}#carte"]
    page = client.get(f"/salles/carte?{query}").text
    assert f'href="/salles?{query}"' in unescape(page)
    assert lent.hall.token in page
    assert lent.dojo.token not in page, "it takes forty people"
    assert "de 14\u00a0h à 18\u00a0h" in unescape(page)


def test_what_is_taken_then_is_not_on_the_map(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    put(session, "Maison du bourg", BOURG, lent.hall)
    starts = NOON + timedelta(days=7, hours=2)
    ask(session, wanting(cast.alice.party.id, lent.hall, starts=starts), zone=PARIS, by=cast.alice.by, at=NOON)
    query = "q=fêtes&day=2026-11-28&starts=15:00&ends=18:00"
    page = client.get(f"/salles/carte?{query}").text
    assert "Rien à montrer sur la carte" in page
    assert drawn(page) == []


def test_a_search_that_makes_no_sense_is_mended_on_the_list(client: FlaskClient, lent: Lent) -> None:
    for query in ("people=beaucoup", "starts=14%3A00"):  # the second lacks its day
        answer = client.get(f"/salles/carte?{query}")
        assert answer.location == f"/salles?{query}"
        assert client.get(answer.location).status_code == 422


def test_where_neighbours_live_is_never_on_the_map(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    chloe = Acting(None, cast.chloe.party.id)
    press = catalogue.add_resource(session, lender=chloe.party, kind="thing", name="Pressoir", by=chloe, at=NOON)
    put(session, "Chez Chloé", (47.6543, -2.0321), press)
    put(session, "Maison du bourg", BOURG, lent.hall)
    catalogue.publish(session, lender=chloe.party, capacities={press.id: None}, by=chloe, at=NOON)
    page = client.get("/salles/carte").text
    assert press.token in page
    assert "1 résultat chez des voisins" in page
    assert len(drawn(page)) == 1
    for secret in ("47.6543", "2.0321", "Chez Chloé", "2 rue du Lavoir · Chloé"):
        assert secret not in unescape(page)


def test_what_has_no_position_or_one_outside_is_listed_and_counted(
    client: FlaskClient, session: Session, lent: Lent
) -> None:
    put(session, "Maison du bourg", BOURG, lent.hall)
    put(session, "Refuge", (45.9, 6.9), lent.drill)
    page = client.get("/salles/carte").text
    assert len(drawn(page)) == 1
    adrift = page.partition("5 résultats sans position connue")[2]
    for it in (lent.drill, lent.chairs, lent.half, lent.other_half, lent.dojo):
        assert it.token in adrift
    assert lent.hall.token not in adrift


def test_without_any_position_the_page_is_its_list(client: FlaskClient, lent: Lent) -> None:
    page = client.get("/salles/carte").text
    assert "il n’y a rien à montrer sur une carte" in page
    assert lent.hall.token in page
    assert "<figure" not in page
    assert "map.js" not in page


def test_without_an_outline_the_places_alone_make_the_picture(
    client: FlaskClient, session: Session, lent: Lent
) -> None:
    with as_owner(session):
        session.execute(text("UPDATE territory SET outline = NULL"))
    put(session, "Maison du bourg", BOURG, lent.hall)
    put(session, "Dojo du halage", HALAGE, lent.dojo)
    page = client.get("/salles/carte").text
    assert len(drawn(page)) == 2
    assert 'd=""' in page


def test_only_the_map_asks_for_the_outline_and_for_leaflet(client: FlaskClient, session: Session, lent: Lent) -> None:
    put(session, "Maison du bourg", BOURG, lent.hall)
    for path in ("/", "/salles", f"/salles/{lent.hall.token}"):
        client.application.extensions.pop("kept", None)
        with counted() as asked:
            page = client.get(path).text
        assert "leaflet" not in page
        assert "map.js" not in page
        assert "map.css" not in page
        assert [sql for sql in asked if "outline" in sql] == []
    with counted() as asked:
        assert "leaflet" in client.get("/salles/carte").text
    assert len([sql for sql in asked if "outline" in sql]) == 1


@pytest.fixture
def town(session: Session, cast: Cast) -> None:
    """The 160 buildings of a real town, published, none with a position: its file has none."""
    imported(cast, town_path().read_bytes())
    ids = session.scalars(text("SELECT id FROM resources WHERE lender_id = :town"), {"town": cast.town.id}).all()
    catalogue.publish(session, lender=cast.town.id, capacities=dict.fromkeys(ids, 5), by=cast.olga.by, at=NOON)


def test_the_file_of_a_town_without_positions_is_listed_whole(client: FlaskClient, town: None) -> None:
    page = client.get("/salles/carte").text
    assert "160 résultats sans position connue" in page
    assert len(re.findall(r'<li><a href="/salles/[^"]+">', page)) == 160
    assert drawn(page) == []


@pytest.mark.parametrize("query", ["", "day=2026-11-28", "day=2026-11-28&starts=14:00&ends=18:00&q=ecole"])
def test_a_whole_town_is_few_points_and_few_questions(
    client: FlaskClient, session: Session, town: None, query: str
) -> None:
    session.execute(text(
        "UPDATE places SET latitude = 47.61 + 0.0057 * (id % 14), longitude = -2.01 - 0.0057 * (id % 13)"
    ))  # fmt: skip
    client.application.extensions.pop("kept", None)
    with counted() as asked:
        page = client.get(f"/salles/carte?{query}").text
    assert len(asked) <= 12
    assert 4 <= len(drawn(page)) <= 21
    found = re.findall(r'<h2 id="resultats"[^>]*>(\d+)', page)
    places = [int(number) for number in re.findall(r'<li id="lieu-(\d+)"', page)]
    assert places == list(range(1, int(found[0]) + 1))


def test_by_default_nothing_is_asked_of_another_server(client: FlaskClient, session: Session, lent: Lent) -> None:
    put(session, "Maison du bourg", BOURG, lent.hall)
    answer = client.get("/salles/carte")
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "data-tiles" not in answer.text
    assert "Fond de carte" not in answer.text
    assert "Rien n’est demandé à un autre site" in client.get("/confidentialite").text


def test_tiles_are_let_in_on_the_map_alone_and_who_drew_them_is_thanked(
    client: FlaskClient, session: Session, lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(session, "Maison du bourg", BOURG, lent.hall)
    monkeypatch.setitem(client.application.config, "TILES_URL", TILES)
    monkeypatch.setitem(client.application.config, "TILES_CREDIT", "© Les cartographes & Cie")
    answer = client.get("/salles/carte")
    policy = answer.headers["Content-Security-Policy"]
    assert "img-src 'self' blob: data: https://tiles.example.org;" in policy
    assert policy.replace(" data: https://tiles.example.org", "") == POLICY
    assert f'data-tiles="{TILES}"' in unescape(answer.text)
    assert "Fond de carte\u00a0: © Les cartographes & Cie" in unescape(answer.text)
    assert client.get("/salles").headers["Content-Security-Policy"] == POLICY
    privacy = client.get("/confidentialite").text
    assert "tiles.example.org" in privacy
    assert "Rien n’est demandé à un autre site" not in privacy


def test_the_outline_of_a_territory_is_an_object(database: Database) -> None:
    with database.connected("owner") as owner, pytest.raises(Exception, match="territory_outline_object"):
        owner.execute("UPDATE territory SET outline = '[1, 2]'")
