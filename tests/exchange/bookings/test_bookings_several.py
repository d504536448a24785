"""Several resources in one request: a hall, another one beside it, chairs and a drill; all of them, or nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings.operations import ask
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries
from exchange.errors import TooManyPeople
from ledger.entries import Acting
from tests.cast import NOON, Cast, sign_in
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent

PARIS = "Europe/Paris"


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


def form(cast: Cast, **more: str) -> dict[str, str]:
    return {
        "party": cast.alice.party.token, "day": "2026-11-28", "starts": "14:00", "ends": "18:00", "purpose": "Fête",
        "key": "one-form", **more,
    }  # fmt: skip


def items(session: Session) -> list[tuple[str, int]]:
    rows = session.execute(text(
        "SELECT r.name, i.quantity FROM booking_items i JOIN resources r ON r.id = i.resource_id ORDER BY i.id"
    ))  # fmt: skip
    return [(row[0], row[1]) for row in rows]


def test_two_rooms_chairs_and_a_drill_are_one_request(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    browser, half, other = sign_in(client, cast.alice), lent.half.token, lent.other_half.token
    wanted = {f"with_{lent.chairs.token}": "4", f"with_{lent.drill.token}": "y", f"with_{other}": "y", "people": "100"}
    page = browser.post(f"/salles/{half}/verification", data=form(cast, **wanted))
    assert page.status_code == 200, "together the halves take a hundred and twenty"
    assert "Demi-salle sud, 4 × Chaises pliantes, Perceuse, Demi-salle nord" in unescape(page.text)
    assert browser.post(f"/salles/{half}/reservations", data=form(cast, **wanted)).status_code == 303
    assert items(session) == [("Demi-salle sud", 1), ("Chaises pliantes", 4), ("Perceuse", 1), ("Demi-salle nord", 1)]


def test_more_people_than_all_the_rooms_take_are_refused(session: Session, cast: Cast, lent: Lent) -> None:
    with pytest.raises(TooManyPeople) as refused:
        ask(session, wanting(cast.alice.party.id, lent.half, lent.other_half, people=121), zone=PARIS,
            by=cast.alice.by, at=NOON)  # fmt: skip
    assert refused.value.facts == {"name": "Demi-salle sud + Demi-salle nord", "capacity": 120}


def test_what_somebody_else_has_is_said_beside_it_and_nothing_is_asked(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    starts = NOON + timedelta(days=7, hours=2)
    ask(session, wanting(cast.bruno.party.id, lent.drill, starts=starts), zone=PARIS, by=cast.bruno.by, at=NOON)
    wanted = form(cast, **{f"with_{lent.drill.token}": "y"})
    answer = sign_in(client, cast.alice).post(f"/salles/{lent.hall.token}/reservations", data=wanted)
    assert answer.status_code == 422
    assert f'href="#with_{lent.drill.token}">« Perceuse » est déjà pris' in unescape(answer.text)
    assert items(session) == [("Perceuse", 1)]


def test_the_form_offers_what_the_same_lender_has_and_can_be_had_with_it(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    page = sign_in(client, cast.alice).get(f"/salles/{lent.half.token}/reserver").text
    assert f"with_{lent.chairs.token}" in page
    assert f"with_{lent.drill.token}" in page
    assert f"with_{lent.hall.token}" not in page, "the hall is made of this half"
    assert f"with_{lent.dojo.token}" not in page, "another lender's"
    assert f"with_{lent.other_half.token}" not in page, "not known to be in the same place"
    asked = client.get(f"/salles/{lent.half.token}/reserver?with_{lent.other_half.token}=1&with_{lent.chairs.token}=3")
    boxes = {match[1]: match[0] for match in re.finditer(r'<input [^>]*name="with_([^"]+)"[^>]*>', asked.text)}
    assert " checked" in boxes[lent.other_half.token], "named by the address"
    assert 'value="3"' in boxes[lent.chairs.token]
    assert " checked" not in boxes[lent.drill.token]


def test_rooms_of_the_same_place_are_offered_beside_one(session: Session, cast: Cast, lent: Lent) -> None:
    town = Acting(None, cast.town.id)
    place = catalogue.add_place(session, lender=cast.town.id, name="Le Foyer", at=NOON)
    rooms = [
        catalogue.add_resource(session, lender=cast.town.id, kind="room", name=name, capacity=20, place_id=place.id,
                               by=town, at=NOON)
        for name in ("Cuisine", "Petite salle", "Vestiaire")
    ]  # fmt: skip
    catalogue.publish(session, lender=cast.town.id, capacities=dict.fromkeys(room.id for room in rooms[:2]), by=town,
                      at=NOON)  # fmt: skip
    kitchen = queries.views(session, [rooms[0].id])[rooms[0].id]
    assert [it.name for it in queries.beside(session, kitchen)] == ["Chaises pliantes", "Perceuse", "Petite salle"]


def test_somebody_elses_things_or_odd_numbers_in_an_address_are_left_aside(
    client: FlaskClient, cast: Cast, lent: Lent
) -> None:
    browser = sign_in(client, cast.alice)
    odd = f"with_{lent.dojo.token}=1&with_%00=1&with_=²&with_{lent.chairs.token}=-3&" + "&".join(
        f"with_x{n}=1" for n in range(100)
    )
    page = browser.get(f"/salles/{lent.half.token}/reserver?{odd}")
    assert page.status_code == 200
    assert f'name="with_{lent.dojo.token}' not in page.text
