"""Olga's pages: what the town lends, by hand and many at once."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.catalogue import operations, queries
from exchange.euros import cents
from tests.cast import NOON, Cast, sign_in
from tests.counting import counted
from tests.exchange.catalogue.conftest import Add
from tests.hostile import Controls

NBSP, THIN = "\u00a0", "\u202f"


@pytest.fixture
def olga(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.olga)


@pytest.fixture
def at(cast: Cast) -> str:
    return f"/preteurs/{cast.town.token}"


def room(**said: str) -> dict[str, str]:
    return {
        "name": "Salle des fêtes", "category": "Salles", "capacity": "120", "place": "nouveau", "place_name": "Mairie",
        "town": "Saint-Marron", "erp_category": "IV", "access": "accessible", "buffer_minutes": "30",
        "decided_by": "officer", "lent_by": "free", "key": "one-form", **said,
    }  # fmt: skip


def test_an_empty_catalogue_invites_to_import(olga: FlaskClient, at: str) -> None:
    page = olga.get(f"{at}/ressources")
    assert "Rien à prêter pour l’instant" in page.text
    assert f"{at}/imports" in page.text


def test_olga_adds_a_room_with_its_place_once_for_two_clicks(
    olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    first, second = (olga.post(f"{at}/ressources/ajout/salle", data=room()) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    (row,) = queries.of_lender(session, cast.town.id).rows
    assert (row.name, row.capacity, row.place_name, row.legal_max, row.accessible) == (
        "Salle des fêtes", 120, "Mairie", 300, True,
    )  # fmt: skip
    assert row.published_at is None
    assert olga.post(f"{at}/ressources/ajout/salle", data=room(name="Autre")).status_code == 409


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Donnez un nom."),
        ({"name": "x" * 201}, "200 caractères au plus."),
        ({"name": "Salle\u202edes"}, "caractères invisibles"),
        ({"capacity": "beaucoup"}, "Écrivez un nombre entier"),
        ({"capacity": "-3"}, "Écrivez un nombre entier"),
        ({"capacity": "9" * 400}, "Écrivez un nombre entier"),
        ({"capacity": "³"}, "Écrivez un nombre entier"),
        ({"capacity": "301"}, "La limite légale de ce bâtiment est de 300 personnes"),
        ({"place_name": ""}, "Donnez un nom à ce lieu."),
        ({"place": "ailleurs"}, "Choisissez une des réponses proposées."),
        ({"erp_category": "VI"}, "Choisissez une des réponses proposées."),
        ({"opening_hours": "lundi matin"}, "Ces heures ne sont pas comprises à partir du signe 1"),
        ({"buffer_minutes": "jamais"}, "Choisissez une des réponses proposées."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_kept(
    wrong: dict[str, str], said: str, olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    answer = olga.post(f"{at}/ressources/ajout/salle", data=room(**wrong))
    assert answer.status_code == 422
    assert said in answer.text
    assert "Salle des fêtes" in answer.text or "name" in wrong
    assert queries.of_lender(session, cast.town.id).rows == []
    assert session.execute(text("SELECT count(*) FROM places")).scalar() == 0


def test_hours_that_are_understood_are_kept(olga: FlaskClient, session: Session, cast: Cast, at: str) -> None:
    answer = olga.post(f"{at}/ressources/ajout/salle", data=room(opening_hours="Mo-Fr 08:30-12:00,13:30-17:30"))
    assert answer.status_code == 303
    assert queries.of_lender(session, cast.town.id).rows[0].opening_hours == "Mo-Fr 08:30-12:00,13:30-17:30"


WEEK = {
    "hours_days": ["Mo", "Tu", "We", "Th", "Fr"], "hours_from": "8h30", "hours_to": "12:00", "hours_again": "13:30",
    "hours_until": "17h30", "others_days": ["Sa"], "others_from": "9h", "others_to": "12h", "holidays_off": "y",
}  # fmt: skip
WRITTEN = "Mo-Fr 08:30-12:00,13:30-17:30; Sa 09:00-12:00; PH off"


def kept_hours(session: Session, cast: Cast) -> str:
    return queries.of_lender(session, cast.town.id).rows[0].opening_hours


def test_days_that_are_ticked_are_kept_and_shown_ticked(
    olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    page = olga.post(f"{at}/ressources/ajout/salle", data=room() | WEEK).headers["Location"]
    assert kept_hours(session, cast) == WRITTEN
    shown = olga.get(page).text
    assert shown.count('name="hours_days" value="') == 7
    assert all(f'name="hours_days" value="{day}" checked' in shown for day in WEEK["hours_days"])
    assert 'name="others_days" value="Sa" checked' in shown
    assert f'name="hours_shown" type="hidden" value="{WRITTEN}"' in shown
    again = room(place="", hours_shown=WRITTEN, opening_hours=WRITTEN) | WEEK
    assert olga.post(page, data=again | {"others_to": "13h"}).status_code == 303
    assert kept_hours(session, cast) == WRITTEN.replace("09:00-12:00", "09:00-13:00")


def test_what_was_changed_counts_ticked_or_written(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str
) -> None:
    hall = add("room", "Salle", opening_hours=WRITTEN)
    page = f"{at}/ressources/{hall.token}"
    same = room(place="", hours_shown=WRITTEN, opening_hours=WRITTEN) | WEEK
    written = "Sa[1] 09:00-18:00"
    assert olga.post(page, data=same | {"opening_hours": written}).status_code == 303
    assert kept_hours(session, cast) == written
    assert "<details class=\"details\" open>" in olga.get(page).text  # it can't be ticked: it is shown in full
    unticked = room(place="", hours_shown=written, opening_hours=written)
    assert olga.post(page, data=unticked | {"name": "Salle 2"}).status_code == 303
    assert kept_hours(session, cast) == written
    assert olga.post(page, data=unticked | WEEK).status_code == 303
    assert kept_hours(session, cast) == WRITTEN
    always = room(place="", hours_shown=WRITTEN, opening_hours=WRITTEN)
    assert olga.post(page, data=always).status_code == 303
    assert kept_hours(session, cast) == ""


def test_both_changed_otherwise_is_asked_back(
    olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    answer = olga.post(f"{at}/ressources/ajout/salle", data=room(opening_hours="Mo-Fr 08:30-22:00") | WEEK)
    assert answer.status_code == 422
    assert "ne disent pas la même chose" in answer.text
    assert queries.of_lender(session, cast.town.id).rows == []
    agreed = room(opening_hours=WRITTEN) | WEEK
    assert olga.post(f"{at}/ressources/ajout/salle", data=agreed).status_code == 303


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"hours_days": []}, "hours_days", "Cochez les jours où c’est ouvert"),
        ({"hours_to": ""}, "hours_from", "Indiquez de quelle heure à quelle heure"),
        ({"hours_from": "25h"}, "hours_from", "Écrivez une heure"),
        ({"hours_from": "18h", "hours_again": "", "hours_until": ""}, "hours_to", "La fermeture vient après"),
        ({"hours_again": "11h"}, "hours_again", "La seconde ouverture de la journée vient après"),
        ({"others_days": ["Fr"]}, "others_days", f"Un jour ne se coche qu’une fois{NBSP}: vendredi."),
    ],
)  # fmt: skip
def test_hours_that_make_no_sense_are_told_beside_their_field(
    wrong: dict[str, object], field: str, said: str, olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    answer = olga.post(f"{at}/ressources/ajout/salle", data=room() | WEEK | wrong)
    assert answer.status_code == 422
    _before, _id, after = answer.text.partition(f'id="{field}-error"')
    assert said in after.partition("</p>")[0]
    assert f'href="#{field}"' in answer.text
    assert queries.of_lender(session, cast.town.id).rows == []


def test_a_pool_wants_its_number_and_a_thing_none(olga: FlaskClient, session: Session, cast: Cast, at: str) -> None:
    said = room(place="", erp_category="")
    assert olga.post(f"{at}/ressources/ajout/lot", data={**said, "quantity": ""}).status_code == 422
    assert olga.post(f"{at}/ressources/ajout/lot", data={**said, "quantity": "40"}).status_code == 303
    assert olga.post(f"{at}/ressources/ajout/objet", data={**said, "key": "another"}).status_code == 303
    assert olga.get(f"{at}/ressources/ajout/chateau").status_code == 404
    assert {(row.kind, row.quantity) for row in queries.of_lender(session, cast.town.id).rows} == {
        ("pool", 40), ("thing", None),
    }  # fmt: skip


def test_the_room_is_edited_then_published_then_withdrawn(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str
) -> None:
    hall = add("room", "Salle", capacity=60, buffer_minutes=45)
    page = f"{at}/ressources/{hall.token}"
    assert "45 min" in olga.get(page).text
    said = room(name="Grande salle", place="", capacity="80", buffer_minutes="45")
    assert olga.post(page, data=said).status_code == 303
    assert olga.post(f"{page}/publication").status_code == 303
    assert "Grande salle" in [row.name for row in queries.published(session)]
    emptied = olga.post(page, data={**said, "capacity": ""})
    assert emptied.status_code == 422
    assert "Indiquez combien de personnes" in emptied.text
    for act, left in (("retrait", 0), ("fin", 0), ("reprise", 0)):
        assert olga.post(f"{page}/{act}").status_code == 303
        assert len(queries.published(session)) == left
    assert "par Olga" in olga.get(page).text


def test_the_office_reads_a_value_and_where_the_photograph_is_and_nobody_else_does(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str
) -> None:
    drill = add("thing", "Perceuse", value_cents=123_450, photo_address="https://ville.example/p.jpg")
    operations.publish(session, lender=cast.town.id, capacities={drill.id: None}, by=cast.olga.by, at=NOON)
    page = olga.get(f"{at}/ressources/{drill.token}").text
    assert f"1{THIN}234,50{NBSP}€" in page
    assert f"photo à ajouter{NBSP}: https://ville.example/p.jpg" in page
    assert not re.search('(?:src|href)="https://ville.example', page)  # words to read: neither a picture nor a link
    public = olga.application.test_client().get(f"/salles/{drill.token}").text
    assert "234,50" not in public
    assert "ville.example" not in public


def thing(**said: str) -> dict[str, str]:
    return {"name": "Perceuse", "place": "", "erp_category": "", "access": "unknown", "buffer_minutes": "0",
            "decided_by": "officer", "lent_by": "free", "key": "one-form", **said}  # fmt: skip


@pytest.mark.parametrize("kind", ["thing", "pool"])
def test_a_value_and_a_photograph_are_given_by_hand_shown_again_and_taken_away(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str, kind: str
) -> None:
    drill = add(kind, "Perceuse", **({"quantity": 4} if kind == "pool" else {}))
    page, more = f"{at}/ressources/{drill.token}", {"quantity": "4"} if kind == "pool" else {}

    def kept() -> tuple[int | None, str]:
        row = queries.mine_by_token(session, cast.town.id, drill.token)
        assert row is not None
        return row.value_cents, row.photo_address

    photo = "https://ville.example/p.jpg"
    assert olga.post(page, data=thing(value="1 234,5 €", photo_address=photo, **more)).status_code == 303
    assert kept() == (123_450, photo)
    shown = Controls(olga.get(page).text).shown
    assert (shown["value"], shown["photo_address"]) == (["1234,50"], [photo])
    olga.get("/langue/en")
    assert Controls(olga.get(page).text).shown["value"] == ["1234.50"]
    assert olga.post(page, data=thing(value="", photo_address="", **more)).status_code == 303
    assert kept() == (None, "")


def test_they_are_given_with_a_new_thing_too_and_a_room_has_a_photograph_alone(
    olga: FlaskClient, session: Session, cast: Cast, at: str
) -> None:
    given = {"value": "0,07", "photo_address": "https://ville.example/p.jpg"}
    assert olga.post(f"{at}/ressources/ajout/objet", data=thing(**given)).status_code == 303
    assert olga.post(f"{at}/ressources/ajout/salle", data=room(key="two", **given)).status_code == 303
    rows = {row.name: (row.value_cents, row.photo_address) for row in queries.of_lender(session, cast.town.id).rows}
    assert rows == {"Perceuse": (7, given["photo_address"]), "Salle des fêtes": (None, given["photo_address"])}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("60", 6000), ("60,5", 6050), ("60.05", 6005), ("1.234,50", 123_450), ("1,234.50", 123_450),
     (f"1{THIN}234", 123_400), ("12 EUR", 1200), ("10 000 000,00 €", 1_000_000_000), ("", None), (" € ", None)],
)  # fmt: skip
def test_a_sum_is_read_as_people_type_it(typed: str, kept: int | None) -> None:
    assert cents(typed) == kept


@pytest.mark.parametrize(
    "typed", ["-1", "1,234", "1.5.2", "10 000 000,01", "mille", "1e9", "٣", "1 2 3,456", "9" * 400, "12 $", "NaN"]
)
def test_a_sum_that_is_none_is_said_and_kept(olga: FlaskClient, add: Add, at: str, typed: str) -> None:
    answer = olga.post(f"{at}/ressources/{add('thing', 'Perceuse').token}", data=thing(value=typed))
    assert answer.status_code == 422
    assert "Écrivez une somme en euros" in answer.text
    assert Controls(answer.text).shown["value"] == [typed]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://ville.example/p.jpg", "commence par https://"), ("https://", "commence par https://"),
        ("javascript:alert(1)", "commence par https://"), ("https://a b/", "commence par https://"),
        ("https://olga:secret@ville.example/", "commence par https://"),
        ("https://ville.example/" + "p" * 500, "500 caractères au plus."),
    ],
)  # fmt: skip
def test_an_address_of_a_photograph_is_a_whole_one_of_https(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str, address: str, said: str
) -> None:
    drill = add("thing", "Perceuse")
    answer = olga.post(f"{at}/ressources/{drill.token}", data=thing(photo_address=address))
    assert answer.status_code == 422
    assert said in answer.text
    assert Controls(answer.text).shown["photo_address"] == [address]


def test_an_address_that_an_import_kept_without_https_stops_nobody_from_editing_the_rest(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str
) -> None:
    old = "http://ville.example/p.jpg"
    drill = add("thing", "Perceuse", photo_address=old)
    page = f"{at}/ressources/{drill.token}"
    assert olga.post(page, data=thing(name="Perceuse bleue", photo_address=old)).status_code == 303
    assert olga.post(page, data=thing(photo_address="http://ville.example/autre.jpg")).status_code == 422
    row = queries.mine_by_token(session, cast.town.id, drill.token)
    assert row is not None
    assert (row.name, row.photo_address) == ("Perceuse bleue", old)


def test_a_place_is_corrected_for_all_its_rooms(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str
) -> None:
    place = operations.add_place(session, lender=cast.town.id, name="Mairie", legal_max=300, erp_category="IV", at=NOON)
    add("room", "Salle", place_id=place.id, capacity=200)
    said = {"place_name": "Hôtel de ville", "erp_category": "III", "access": "works-needed", "access_note": "rampe"}
    assert olga.post(f"{at}/lieux/{place.token}", data=said).status_code == 303
    (row,) = queries.of_lender(session, cast.town.id).rows
    assert (row.place_name, row.legal_min, row.legal_max, row.access_note) == ("Hôtel de ville", 301, 700, "rampe")
    assert olga.post(f"{at}/lieux/{place.token}", data={**said, "place_name": ""}).status_code == 422


def test_a_hall_is_made_of_its_neighbours(olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str) -> None:
    place = operations.add_place(session, lender=cast.town.id, name="Mairie", at=NOON)
    half, other, hall = (add("room", name, place_id=place.id) for name in ("Nord", "Sud", "Entière"))
    answer = olga.post(f"{at}/ressources/{hall.token}/parties", data={"parts": [half.token, other.token]})
    assert answer.status_code == 303
    assert queries.units_of(session, [hall.id])[hall.id] == [half.id, other.id]
    assert olga.post(f"{at}/ressources/{hall.token}/parties", data={"parts": ["ailleurs"]}).status_code == 404
    assert olga.post(f"{at}/ressources/{half.token}/parties", data={"parts": [other.token]}).status_code == 422


# Many at once


@pytest.fixture
def three(session: Session, cast: Cast, add: Add) -> list[str]:
    place = operations.add_place(session, lender=cast.town.id, name="Mairie", legal_min=301, legal_max=700, at=NOON)
    return [add("room", f"Salle {n}", place_id=place.id, category="Salles").token for n in range(3)]


def test_olga_ticks_two_rooms_and_gives_their_capacity(
    olga: FlaskClient, session: Session, at: str, three: list[str]
) -> None:
    page = olga.get(f"{at}/ressources").text
    assert f"limite légale du bâtiment{NBSP}: 301 à 700 personnes" in page
    assert "à publier — capacité à donner" in page
    first, second, third = three
    typed = {f"capacite-{first}": f"1{THIN}00", f"capacite-{second}": "80", f"capacite-{third}": "x"}
    said = {"ligne": [first, second], **typed, "categorie": "Salles", "page": "1"}
    answer = olga.post(f"{at}/publications", data=said)
    assert answer.status_code == 303
    assert "categorie=Salles" in answer.headers["Location"]
    assert [(row.name, row.capacity) for row in queries.published(session)] == [("Salle 0", 100), ("Salle 1", 80)]


def test_one_row_that_is_wrong_keeps_all_back_with_the_reason_beside_it(
    olga: FlaskClient, session: Session, at: str, three: list[str]
) -> None:
    first, second, third = three
    said = {f"capacite-{first}": "100", f"capacite-{second}": "701", f"capacite-{third}": ""}
    answer = olga.post(f"{at}/publications", data={"ligne": three, **said})
    assert answer.status_code == 422
    assert "La limite légale de ce bâtiment est de 700 personnes" in answer.text
    assert "Indiquez combien de personnes cette salle peut recevoir" in answer.text
    assert f'href="#capacite-{second}"' in answer.text
    assert 'value="100"' in answer.text
    assert 'value="701"' in answer.text
    assert answer.text.count(" checked") == 3
    assert queries.published(session) == []


@pytest.mark.parametrize("elsewhere", [{"page": "2"}, {"q": "Salle 00"}])
def test_what_is_wrong_with_a_row_out_of_sight_is_said_and_leads_to_its_page(
    olga: FlaskClient, session: Session, add: Add, at: str, elsewhere: dict[str, str]
) -> None:
    rooms = [add("room", f"Salle {n:02d}", category="Salles") for n in range(queries.PAGE + 1)]
    hidden = rooms[20]
    answer = olga.post(f"{at}/publications", data={"ligne": hidden.token, **elsewhere})
    assert answer.status_code == 422
    summary = answer.text.partition('class="error-summary"')[2].partition("</ul>")[0]
    assert f'href="{at}/ressources/{hidden.token}"' in summary
    assert "Salle 20 – Indiquez combien de personnes" in summary
    assert queries.published(session) == []


def test_a_row_published_meanwhile_has_no_box_for_its_capacity_so_its_page_is_led_to(
    olga: FlaskClient, session: Session, cast: Cast, at: str, three: list[str]
) -> None:
    room_id = queries.mine_by_tokens(session, cast.town.id, three)[three[0]].id
    operations.publish(session, lender=cast.town.id, capacities={room_id: 40}, by=cast.olga.by, at=NOON)
    answer = olga.post(f"{at}/publications", data={"ligne": three[0], f"capacite-{three[0]}": "beaucoup"})
    assert answer.status_code == 422
    assert f'<a href="{at}/ressources/{three[0]}">Salle 0 – Écrivez un nombre entier' in answer.text
    assert f'id="capacite-{three[0]}"' not in answer.text


def test_nothing_ticked_is_said_and_what_was_typed_is_kept(olga: FlaskClient, at: str, three: list[str]) -> None:
    answer = olga.post(f"{at}/publications", data={f"capacite-{three[0]}": "55"})
    assert answer.status_code == 422
    assert "Cochez au moins une ligne" in answer.text
    assert 'value="55"' in answer.text


def test_a_capacity_lowered_by_the_building_shows(
    olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str
) -> None:
    place = operations.add_place(session, lender=cast.town.id, name="Mairie", legal_max=700, at=NOON)
    hall = add("room", "Salle", place_id=place.id, capacity=500)
    operations.publish(session, lender=cast.town.id, capacities={hall.id: None}, by=cast.olga.by, at=NOON)
    operations.edit_place(session, place, {"legal_max": 300})
    assert "au-dessus de la limite" in olga.get(f"{at}/ressources").text


@pytest.mark.parametrize(
    ("access", "note", "said"),
    [
        ("accessible", "conforme (2014)", "conforme (2014)"),
        ("works-needed", "travaux lourds à prévoir (2014)", "travaux lourds à prévoir (2014)"),
        ("unknown", "", "inconnue"),
    ],
)
def test_accessibility_is_shown_for_what_it_is(
    access: str, note: str, said: str, olga: FlaskClient, session: Session, cast: Cast, add: Add, at: str
) -> None:
    place = operations.add_place(session, lender=cast.town.id, name="Mairie", access=access, access_note=note, at=NOON)
    add("room", "Salle", place_id=place.id)
    assert f"accessibilité{NBSP}: {said}" in olga.get(f"{at}/ressources").text


@pytest.mark.parametrize(
    "odd", ["?etat=volé", "?page=-1", "?page=" + "9" * 40, "?page=²", "?categorie=%00", "?q=%FF%00", "?q=" + "a " * 900]
)
def test_an_odd_filter_is_left_aside(odd: str, olga: FlaskClient, at: str, three: list[str]) -> None:
    assert olga.get(f"{at}/ressources{odd}").status_code == 200


@pytest.mark.usefixtures("three")
def test_the_list_is_filtered_by_category_state_and_words(olga: FlaskClient, at: str, add: Add) -> None:
    add("thing", "Perceuse", category="Outils")
    assert "Perceuse" not in olga.get(f"{at}/ressources?categorie=Salles").text
    assert "Salle 1" not in olga.get(f"{at}/ressources?etat=ready").text
    assert "Salle 1" not in olga.get(f"{at}/ressources?q=perceuse").text
    assert "Rien ne correspond" in olga.get(f"{at}/ressources?categorie=-").text


def test_the_list_asks_as_few_questions_for_two_hundred_rows(olga: FlaskClient, at: str, add: Add) -> None:
    asked = []
    for size in (1, 60):
        for n in range(size):
            add("room", f"Salle {size}-{n}", category=f"C{n % 7}")
        with counted() as made:
            assert olga.get(f"{at}/ressources").status_code == 200
        asked.append(len(made))
    assert asked[1] <= asked[0] <= 12


# Who may


def test_other_people_are_told_who_can(client: FlaskClient, cast: Cast, at: str) -> None:
    sign_in(client, cast.alice)
    for path in (f"{at}/ressources", f"{at}/ressources/ajout/salle"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "les agents du prêteur" in answer.text
    assert client.post(f"{at}/publications", data={"ligne": ["x"]}).status_code == 403


def test_what_is_another_lender_s_is_not_found(olga: FlaskClient, cast: Cast, add: Add, at: str) -> None:
    dojo = add("room", "Dojo", lender=cast.club.id, capacity=40)
    for path in (f"{at}/ressources/{dojo.token}", f"{at}/lieux/{dojo.token}", "/preteurs/personne/ressources"):
        assert olga.get(path).status_code == 404
    assert olga.post(f"{at}/publications", data={"ligne": [dojo.token]}).status_code == 404
    assert olga.get(f"/preteurs/{cast.club.token}/ressources").status_code == 403


def test_a_visitor_is_sent_to_sign_in(client: FlaskClient, at: str) -> None:
    assert client.get(f"{at}/ressources").status_code in {302, 303}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"lent_by": "day"}, "00:00-24:00"), ({"lent_by": "free", "slots_typed": "n’importe quoi"}, ""),
        ({"lent_by": "slots", "slots_typed": "8h-13h et 13h-18h"}, "08:00-13:00,13:00-18:00"),
    ],
)  # fmt: skip
def test_a_room_is_lent_in_the_slots_that_are_typed(
    olga: FlaskClient, session: Session, cast: Cast, at: str, said: dict[str, str], kept: str
) -> None:
    assert olga.post(f"{at}/ressources/ajout/salle", data=room(**said)).status_code == 303
    (row,) = queries.of_lender(session, cast.town.id).rows
    assert row.slots == kept
    shown = olga.get(f"{at}/ressources/{row.token}").text
    assert f'value="{kept.replace(",", ", ")}"' in shown or not said.get("slots_typed", "").startswith("8h")


@pytest.mark.parametrize("typed", ["", "le matin"])
def test_slots_that_are_missing_or_unreadable_are_asked_again(olga: FlaskClient, at: str, typed: str) -> None:
    answer = olga.post(f"{at}/ressources/ajout/salle", data=room(lent_by="slots", slots_typed=typed))
    assert answer.status_code == 422
    assert "Écrivez des heures deux à deux" in answer.text


def test_a_day_has_hours_of_its_own_until_it_is_past(
    olga: FlaskClient, session: Session, cast: Cast, at: str, add: Add
) -> None:
    hall = add("room", "Salle des fêtes", opening_hours="Mo-Fr 08:00-18:00; 2026 Nov 10 08:00-12:00")
    page, day = f"{at}/ressources/{hall.token}/heures", {"day": "2026-12-24", "hours_from": "9h", "hours_to": "12h"}
    assert olga.post(page, data=day).status_code == 303
    session.expire_all()
    assert hall.opening_hours == "Mo-Fr 08:00-18:00; 2026 Dec 24 09:00-12:00"  # and the tenth of November is past
    assert olga.post(page, data={**day, "hours_again": "14h", "hours_until": "20h"}).status_code == 303
    shown = olga.get(page).text
    assert f"de 9{NBSP}h à 12{NBSP}h, de 14{NBSP}h à 20{NBSP}h" in shown
    assert shown.count("Retirer le jeudi 24 décembre 2026") == 1
    form = olga.get(f"{at}/ressources/{hall.token}").text
    assert "2026 Dec 24" in form  # in full, while the days of every week stay ticked
    assert re.search(r'value="Mo" checked', form)
    assert olga.post(f"{page}/2026-12-24/suppression").status_code == 303
    session.expire_all()
    assert hall.opening_hours == "Mo-Fr 08:00-18:00"
    assert olga.post(f"{page}/demain/suppression").status_code == 404


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"day": "2026-11-20"}, "Ce jour est passé."), ({"day": ""}, "Indiquez le jour."),
        ({"hours_from": ""}, "Indiquez de quelle heure à quelle heure"),
        ({"hours_to": "8h"}, "La fermeture vient après l’ouverture"),
    ],
)  # fmt: skip
def test_special_hours_that_make_no_sense_are_asked_again(
    olga: FlaskClient, at: str, add: Add, said: dict[str, str], why: str
) -> None:
    hall = add("room", "Salle des fêtes", opening_hours="Mo-Fr 08:00-18:00")
    day = {"day": "2026-12-24", "hours_from": "9h", "hours_to": "12h", **said}
    answer = olga.post(f"{at}/ressources/{hall.token}/heures", data=day)
    assert answer.status_code == 422
    assert why in answer.text


def test_what_is_ticked_keeps_the_special_days_and_the_schools(
    olga: FlaskClient, session: Session, at: str, add: Add
) -> None:
    written = 'Mo-Fr 08:00-18:00; SH off "zone A"; 2026 Dec 24 09:00-12:00'
    hall = add("room", "Salle des fêtes", opening_hours=written)
    page = f"{at}/ressources/{hall.token}"
    assert "Fermé pendant les vacances scolaires" in olga.get(page).text
    said = room(place="", hours_shown=written, opening_hours=written, schools_off="y", holidays_off="y")
    week = {"hours_days": ["Mo", "Tu"], "hours_from": "8h", "hours_to": "18h"}
    assert olga.post(page, data=said | week).status_code == 303
    session.expire_all()
    assert hall.opening_hours == 'Mo,Tu 08:00-18:00; SH off "zone A"; PH off; 2026 Dec 24 09:00-12:00'


def test_school_holidays_are_of_a_zone(olga: FlaskClient, at: str) -> None:
    answer = olga.post(f"{at}/ressources/ajout/salle", data=room(opening_hours="Mo-Fr 08:00-18:00; SH off"))
    assert answer.status_code == 422
    assert "Dites de quelle zone sont les vacances scolaires" in answer.text
