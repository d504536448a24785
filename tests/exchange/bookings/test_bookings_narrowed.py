"""A search that asks for more: chairs and a projector with it, near a place, at most so many minutes, several days."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.bookings.operations import ask
from exchange.bookings.policy import Thing, things_typed
from exchange.catalogue import operations as catalogue
from exchange.reciprocity import operations as rules
from exchange.reciprocity.policy import Rule
from ledger.entries import Acting
from tests.cast import NOON, Cast, sign_in
from tests.counting import counted
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent

PARIS = "Europe/Paris"
SATURDAY = "/salles?day=2026-11-28&starts=14:00&ends=18:00"
STARTS = NOON + timedelta(days=7, hours=2)  # three in the afternoon in Paris


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


def found(client: FlaskClient, address: str) -> tuple[list[str], str]:
    """The names of what is free, and the page."""
    answer = client.get(address)
    page = unescape(answer.text)
    cards = page.partition('id="resultats"')[2].partition("pris ou fermé")[0]
    return re.findall(r'class="card-title"><a [^>]*>([^<]+)</a>', cards), page


@pytest.mark.parametrize(("typed", "understood"), [
    ("40 chaises, un vidéoprojecteur", [Thing(40, "chaises"), Thing(1, "vidéoprojecteur")]),
    ("deux tables et Une sono ; 3 bancs", [Thing(2, "tables"), Thing(1, "sono"), Thing(3, "bancs")]),
    ("perceuse", [Thing(1, "perceuse")]),
    (" , et ,", []),
    ("40", [Thing(1, "40")]),
    ("0 chaise", [Thing(1, "0 chaise")]),
    ("99999999 chaises", [Thing(1, "99999999 chaises")]),
])  # fmt: skip
def test_things_are_understood_as_people_write_them(typed: str, understood: list[Thing]) -> None:
    assert things_typed(typed) == understood


def test_rooms_whose_lender_has_the_chairs_and_the_drill_too(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    rooms, page = found(client, f"{SATURDAY}&things=5+chaises+et+une+perceuse")
    assert sorted(rooms) == ["Demi-salle nord", "Demi-salle sud", "Salle des fêtes"], "the club has no chairs"
    assert "avec 5 × Chaises pliantes, Perceuse" in page
    link = next(part for part in page.split('"') if lent.half.token in part and "jour=" in part)
    assert f"with_{lent.chairs.token}=5" in link
    assert f"with_{lent.drill.token}=1" in link
    form = sign_in(client, cast.alice).get(link.replace(lent.half.token, f"{lent.half.token}/reserver")).text
    assert re.search(rf'<input[^>]* name="with_{lent.chairs.token}"[^>]* value="5"', form)
    assert found(client, f"{SATURDAY}&things=6+chaises")[0] == []
    ask(session, wanting(cast.bruno.party.id, (lent.chairs, 1), starts=STARTS), zone=PARIS, by=cast.bruno.by, at=NOON)
    assert found(client, f"{SATURDAY}&things=5+chaises")[0] == [], "one of them is somebody else's then"
    assert len(found(client, f"{SATURDAY}&things=4+chaises")[0]) == 3
    assert len(found(client, "/salles?things=5+chaises")[0]) == 3, "without a day, what there is"
    assert found(client, f"{SATURDAY}&things=4+chaises,4+chaises")[0] == [], "not the same ones twice"


def test_the_price_is_what_an_inhabitant_would_pay(client: FlaskClient, lent: Lent) -> None:
    page = found(client, SATURDAY)[1]
    assert "120\u00a0marrons (2\u00a0h)" in page
    assert "Dojo" in found(client, f"{SATURDAY}&most=2h")[0]
    rooms, page = found(client, f"{SATURDAY}&most=1h59")
    assert "Dojo" not in page, "nor among what is taken"
    assert "Salle des fêtes" in rooms, "it is free"
    answer = client.get("/salles?most=2h")
    assert answer.status_code == 422
    assert "Indiquez le jour et les heures" in answer.text


def test_who_acts_for_an_association_is_told_its_price(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    free = Rule("", "tariff", "Associations", starts_on=NOON.date(), community=cast.community.id, minutes=15,
                per="hour", class_="local-association")  # fmt: skip
    rules.write_rule(session, free, lender=cast.club.id, by=Acting(None, cast.club.id), at=NOON)
    bruno, alice = sign_in(client, cast.bruno), sign_in(client.application.test_client(), cast.alice)
    assert "Au nom de qui" not in alice.get(SATURDAY).text, "she acts for herself alone"
    for who, price in (("", 120), (cast.club.token, 60), ("ailleurs", 120)):
        page = found(bruno, f"{SATURDAY}&qui={who}")[1]
        assert f"{price}\u00a0marrons" in page, who
        assert "Au nom de qui" in page
    rooms, page = found(bruno, f"{SATURDAY}&most=1h&qui={cast.club.token}")
    assert "Dojo" in rooms
    assert f"qui={cast.club.token}" in page.partition("resultats")[2], "the request is in its name"


def test_the_nearest_come_first_and_nobodys_home_is_measured(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    town, far = Acting(None, cast.town.id), {"Le Bourg": 47.80, "La Gare": 47.81, "Le Port": 47.83}
    for name, latitude in far.items():
        place = catalogue.add_place(session, lender=cast.town.id, name=name, address="rue " + name, latitude=latitude,
                                    longitude=-1.9, at=NOON)  # fmt: skip
        room = catalogue.add_resource(session, lender=cast.town.id, kind="room", name=f"Salle {name}", capacity=20,
                                      place_id=place.id, by=town, at=NOON)  # fmt: skip
        catalogue.publish(session, lender=cast.town.id, capacities={room.id: None}, by=town, at=NOON)
    home = catalogue.add_place(session, lender=cast.alice.party.id, name="Chez Alice", address="rue des Lilas",
                               latitude=47.8101, longitude=-1.9, at=NOON)  # fmt: skip
    saw = catalogue.add_resource(session, lender=cast.alice.party.id, kind="thing", name="Scie", place_id=home.id,
                                 by=cast.alice.by, at=NOON)  # fmt: skip
    catalogue.publish(session, lender=cast.alice.party.id, capacities={saw.id: None}, by=cast.alice.by, at=NOON)
    names, page = found(client, "/salles?near=gare")
    assert names[:3] == ["Salle La Gare", "Salle Le Bourg", "Salle Le Port"]
    assert "à 1,1\u00a0km de «\u00a0La Gare\u00a0»" in page
    assert page.count("de «\u00a0La Gare\u00a0»") == 2, "it is there itself, and of the saw nothing is told"
    for nowhere in ("Lilas", "Chez Alice", "zzz"):
        answer = client.get("/salles", query_string={"near": nowhere})
        assert answer.status_code == 422
        assert "Aucun lieu d’ici ne porte ce nom" in unescape(answer.text)


def test_several_days_each_at_these_hours(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    sunday = STARTS + timedelta(days=1)
    ask(session, wanting(cast.bruno.party.id, lent.half, starts=sunday), zone=PARIS, by=cast.bruno.by, at=NOON)
    rooms, page = found(client, f"{SATURDAY}&end_day=2026-11-29&each_day=y")
    assert "Demi-salle nord" in rooms
    assert "Demi-salle sud" not in rooms, "taken on Sunday"
    assert "Dojo" not in rooms, "closed on Sundays"
    assert "chaque jour de 14\u00a0h à 18\u00a0h" in page
    here = next(part for part in page.split('"') if lent.other_half.token in part and "jour=" in part)
    shown = unescape(client.get(here).text)
    series = next(part for part in shown.split('"') if "/serie?" in part)
    form = sign_in(client, cast.alice).get(series).text
    assert 'value="2026-11-29"' in form
    assert re.search(r'value="Sa"[^>]*checked|checked[^>]*value="Sa"', form)
    assert len(found(client, f"{SATURDAY}&end_day=2026-11-28&each_day=y")[0]) == 6, "a day alone"


def test_several_days_without_a_stop(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    rooms, page = found(client, f"{SATURDAY}&end_day=2026-11-29")
    assert "Perceuse" in page
    assert "Dojo" not in rooms, "closed at night"
    sunday = STARTS + timedelta(days=1)
    ask(session, wanting(cast.bruno.party.id, lent.drill, starts=sunday), zone=PARIS, by=cast.bruno.by, at=NOON)
    assert "Perceuse" not in found(client, f"{SATURDAY}&end_day=2026-11-29")[1].partition("pris ou fermé")[0].partition(
        'id="resultats"')[2]  # fmt: skip


@pytest.mark.parametrize(("asked", "said"), [
    ("day=2026-11-28&end_day=2026-11-27", "Ce jour est avant le premier."),
    ("end_day=2026-11-29", "Indiquez aussi le jour."),
    ("day=2026-11-28&end_day=2026-11-29&each_day=y", "Indiquez les heures."),
    ("day=2026-11-28&starts=14h&ends=16h&end_day=2026-12-12&each_day=y", "Cherchez au plus 14 jours à la fois."),
    ("day=2026-11-28&end_day=2027-02-12", "31 jours"),
    ("things=a,b,c,d,e", "Cherchez au plus 4 choses à la fois."),
    ("most=12", "Écrivez l’unité."),
    ("near=%00", "caractères invisibles"),
    ("day=2026-11-28&starts=14h&ends=13h&end_day=2026-11-29&each_day=y", "La fin doit venir après le début"),
])  # fmt: skip
def test_what_makes_no_sense_is_said_beside_its_field(client: FlaskClient, lent: Lent, asked: str, said: str) -> None:
    answer = client.get(f"/salles?{asked}")
    assert answer.status_code == 422
    assert said in unescape(answer.text)


def test_with_everything_at_once_it_is_no_more_than_twelve_questions(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    town = Acting(None, cast.town.id)
    place = catalogue.add_place(session, lender=cast.town.id, name="Le Foyer", latitude=47.8, longitude=-1.9, at=NOON)
    room = catalogue.add_resource(session, lender=cast.town.id, kind="room", name="Foyer", capacity=60, by=town,
                                  place_id=place.id, at=NOON)  # fmt: skip
    catalogue.publish(session, lender=cast.town.id, capacities={room.id: None}, by=town, at=NOON)
    browser = sign_in(client, cast.bruno)
    wanted = f"&qui={cast.club.token}&people=40&end_day=2026-11-29&each_day=y"
    wanted += "&things=5+chaises,perceuse&near=foyer&most=4h"
    with counted() as asked:
        assert browser.get(SATURDAY + wanted).status_code == 200
    assert len(asked) <= 12, asked
