"""Alice begins to lend her drill: she becomes the officer of what is hers, and of nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from exchange.bookings.operations import ask
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.errors import NotAllowed
from exchange.lending import operations, queries
from exchange.members import operations as members
from exchange.members.models import Mandate
from exchange.members.queries import Held, mandates_of
from exchange.organisations import operations as organisations
from tests.cast import NOON, SATURDAY, Cast, Person, sign_in
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent
from tests.photos import PHOTO

STREET = "12 rue des Lilas"


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


def as_(app: Flask, person: Person) -> FlaskClient:
    return sign_in(app.test_client(), person)


def what(cast: Cast, **more: Any) -> dict[str, Any]:
    return {"key": "one", "lender": cast.alice.party.token, "name": "Perceuse à percussion", "kind": "thing"} | more


HOW = {
    "key": "two", "when": "free", "most_minutes": "2880", "decided_by": "officer", "address": STREET,
    "town": "Saint-Marron", "conditions": "À rendre propre",
}  # fmt: skip


def lent(session: Session, lender: int) -> list[ResourceView]:
    return catalogue.of_lender(session, lender).rows


def begun(browser: FlaskClient, cast: Cast, **more: Any) -> TestResponse:
    """The two screens, one after the other; the answer of the second."""
    first = browser.post("/preter", data=what(cast, **more))
    assert first.status_code == 303, first.text
    assert browser.get(first.location).status_code == 200
    return browser.post(first.location, data=HOW)


def test_alice_lends_her_drill_in_two_screens_and_everybody_finds_it_without_her_street(
    app: Flask, session: Session, cast: Cast
) -> None:
    alice = as_(app, cast.alice)
    for page in ("/", "/salles"):
        assert 'href="/preter"' in alice.get(page).text
    answer = begun(alice, cast, file=(BytesIO(PHOTO), "p.jpg"), words="La perceuse dans sa boîte")
    assert answer.status_code == 303, answer.text
    assert "C’est publié" in unescape(alice.get(answer.location).text)
    [drill] = lent(session, cast.alice.party.id)
    assert (drill.status, drill.kind, drill.most_minutes, drill.address) == ("published", "thing", 2880, STREET)
    visitor = app.test_client()
    shown = unescape(visitor.get(f"/salles/{drill.token}").text)
    assert "La perceuse dans sa boîte" in shown
    assert "Saint-Marron" in shown
    for page in (f"/salles/{drill.token}", "/salles?q=perceuse", "/salles/carte?q=perceuse"):
        assert STREET not in unescape(visitor.get(page).text), page
    assert "Perceuse" not in visitor.get("/salles?q=lilas").text.partition("resultats")[2]


def test_nobody_sees_it_before_its_conditions_are_known(app: Flask, session: Session, cast: Cast) -> None:
    alice = as_(app, cast.alice)
    alice.post("/preter", data=what(cast))
    [drill] = lent(session, cast.alice.party.id)
    assert drill.status == "ready"
    assert app.test_client().get(f"/salles/{drill.token}").status_code == 404
    listed = unescape(alice.get(f"/preteurs/{cast.alice.party.token}/ressources").text)
    assert "Perceuse à percussion" in listed


def test_she_is_the_officer_of_what_is_hers_and_of_nothing_else(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    alice, mine = as_(app, cast.alice), cast.alice.party.token
    begun(alice, cast)
    [drill] = catalogue.of_lender(session, cast.alice.party.id).rows
    here = f"/preteurs/{mine}/ressources/{drill.token}"
    desk = (f"/preteurs/{mine}/demandes", f"/preteurs/{mine}/ressources", here, f"{here}/photos", f"{here}/fermeture",
            f"/preteurs/{mine}/etiquettes")  # fmt: skip
    for page in desk:
        assert alice.get(page).status_code == 200, page
        assert as_(app, cast.bruno).get(page).status_code == 403, page
    for page in (f"/preteurs/{cast.town.token}/demandes", f"/preteurs/{cast.town.token}/ressources"):
        assert alice.get(page).status_code == 403, page
    assert alice.get(f"/preteurs/{mine}/ressources/{lent.drill.token}").status_code == 404
    assert alice.get(f"/preteurs/{mine}/ressources/{lent.drill.token}/pret").status_code == 404


def test_her_menu_speaks_as_a_neighbour_does(app: Flask, session: Session, cast: Cast) -> None:
    alice = as_(app, cast.alice)
    assert "Ce que je prête" not in alice.get("/moi").text
    begun(alice, cast)
    page = unescape(alice.get("/moi").text)
    assert re.search(r"Ce que je prête.*On me demande.*Membres", page, re.S)
    assert "Gestion" not in page
    home = alice.get("/").text
    assert "À décider" not in home, "nothing waits"
    drill = lent(session, cast.alice.party.id)[0]
    ask(session, wanting(cast.bruno.party.id, drill), zone="Europe/Paris", by=cast.bruno.by, at=NOON)
    assert "Perceuse à percussion, pour Bruno" in unescape(alice.get("/").text)


def test_a_request_is_decided_handed_over_and_taken_back_by_her(app: Flask, session: Session, cast: Cast) -> None:
    alice, mine = as_(app, cast.alice), cast.alice.party.token
    begun(alice, cast)
    [drill] = lent(session, cast.alice.party.id)
    booking = ask(session, wanting(cast.bruno.party.id, drill), zone="Europe/Paris", by=cast.bruno.by, at=NOON)
    bruno, here = as_(app, cast.bruno), f"/preteurs/{mine}/reservations/{booking.token}"
    for act, said in (("acceptation", {}), ("remise", {}), ("retour", {f"back_{drill.token}": "back"})):
        assert bruno.post(f"{here}/{act}").status_code == 403
        with freeze_time(booking.starts_at if act != "acceptation" else NOON):
            assert alice.post(f"{here}/{act}", data=said).status_code == 303, act
    assert f"Alice, {STREET}, Saint-Marron" not in unescape(bruno.get(f"/reservations/{booking.token}").text)


def test_she_says_no_in_her_own_words_and_not_on_a_towns_ground(app: Flask, session: Session, cast: Cast) -> None:
    alice, mine = as_(app, cast.alice), cast.alice.party.token
    begun(alice, cast)
    drill = lent(session, cast.alice.party.id)[0]
    booking = ask(session, wanting(cast.bruno.party.id, drill), zone="Europe/Paris", by=cast.bruno.by, at=NOON)
    here = f"/preteurs/{mine}/reservations/{booking.token}"
    page = unescape(alice.get(here).text)
    assert ("propriétés communales" in page, "La personne lira ce que vous écrivez." in page) == (False, True)
    assert alice.post(f"{here}/refus", data={"ground": "other", "text": "Je m’en sers."}).status_code == 303
    assert "Je m’en sers." in as_(app, cast.bruno).get(f"/reservations/{booking.token}").text


def test_what_was_typed_is_kept_and_each_answer_that_is_missing_is_named(app: Flask, cast: Cast) -> None:
    alice = as_(app, cast.alice)
    answer = alice.post("/preter", data=what(cast, name="", kind="pool", description="Jaune"))
    assert answer.status_code == 422
    said = unescape(answer.text)
    assert ("Dites ce que vous prêtez." in said, "Indiquez combien il y en a." in said, "Jaune" in said) == (True,) * 3
    second = alice.post("/preter", data=what(cast)).location
    answer = alice.post(second, data=HOW | {"when": "hours", "address": "", "hours_from": "9h", "hours_to": "12h"})
    assert answer.status_code == 422
    said = unescape(answer.text)
    assert "Cochez les jours où c’est ouvert à ces heures." in said
    assert "Dites où l’on vient le chercher." in said
    assert "À rendre propre" in said


@pytest.mark.parametrize("photo", [b"not a picture", b"\xff" * (10 * 1024 * 1024 + 1)])
def test_a_photo_that_is_none_is_refused_and_nothing_is_kept(
    app: Flask, session: Session, cast: Cast, photo: bytes
) -> None:
    file = FileStorage(BytesIO(photo), filename="p.jpg")
    boundary, body = encode_multipart(what(cast, file=file))
    multipart = f"multipart/form-data; boundary={boundary}"
    answer = as_(app, cast.alice).post("/preter", data=body, content_type=multipart)
    assert answer.status_code == 422
    assert "Perceuse à percussion" in unescape(answer.text)
    assert lent(session, cast.alice.party.id) == []
    assert [each.role for each in held(session, cast.alice)] == ["member"]


def test_certain_days_and_hours_are_written_as_the_catalogue_writes_them(
    app: Flask, session: Session, cast: Cast
) -> None:
    alice = as_(app, cast.alice)
    second = alice.post("/preter", data=what(cast, kind="pool", quantity="4")).location
    hours = {"when": "hours", "hours_days": ["Mo", "Sa"], "hours_from": "9h", "hours_to": "18h30"}
    alice.post(second, data=HOW | hours)
    [four] = lent(session, cast.alice.party.id)
    assert (four.quantity, four.opening_hours, four.slots) == (4, "Mo,Sa 09:00-18:30", "")
    day = alice.post("/preter", data=what(cast, key="three")).location
    assert STREET in alice.get(day).text, "where she lent something from before"
    alice.post(day, data=HOW | {"when": "day", "key": "four"})
    by_day = next(row for row in lent(session, cast.alice.party.id) if row.kind == "thing")
    assert (by_day.slots, by_day.place_id) == ("00:00-24:00", four.place_id)


def test_pressing_twice_makes_one_thing_and_one_mandate(app: Flask, session: Session, cast: Cast) -> None:
    alice = as_(app, cast.alice)
    first, second = (alice.post("/preter", data=what(cast)).location for _press in range(2))
    assert first == second
    alice.post("/preter", data=what(cast, key="another", name="Échelle"))
    assert len(lent(session, cast.alice.party.id)) == 2
    assert sorted(each.role for each in held(session, cast.alice)) == ["member", "officer"]


# -- who may


def held(session: Session, person: Person) -> list[Held]:
    assert person.sign_in is not None
    return list(mandates_of(session, person.sign_in.id, on=SATURDAY))


def lends_for(session: Session, person: Person) -> list[str]:
    return [each.party_name for each in queries.lenders(session, held(session, person), on=SATURDAY)]


def test_one_lends_what_is_ones_own_and_an_associations_as_its_delegate(session: Session, cast: Cast) -> None:
    assert lends_for(session, cast.alice) == ["Alice"]
    assert lends_for(session, cast.bruno) == ["Bruno", "Club de gymnastique"]
    assert lends_for(session, cast.olga) == ["Olga", "Ville de Saint-Marron"]
    assert lends_for(session, cast.aicha) == ["Aïcha"], "who administers the SEL lends nothing of its"
    assert lends_for(session, cast.fanny) == ["Fanny"], "and who serves the counter nothing of who comes there"


def test_a_towns_delegate_and_an_associations_that_has_an_officer_do_not_make_themselves_one(
    app: Flask, session: Session, cast: Cast
) -> None:
    assert cast.alice.sign_in is not None
    assert cast.chloe.sign_in is not None
    members.grant(session, sign_in=cast.alice.sign_in.id, party=cast.town.id, role="delegate", starts_on=SATURDAY,
                  granted_by=None, at=NOON)  # fmt: skip
    members.grant(session, sign_in=cast.chloe.sign_in.id, party=cast.club.id, role="officer", starts_on=SATURDAY,
                  granted_by=None, at=NOON)  # fmt: skip
    assert lends_for(session, cast.alice) == ["Alice"]
    assert lends_for(session, cast.bruno) == ["Bruno"]
    for person, party in ((cast.alice, cast.town), (cast.bruno, cast.club)):
        answer = as_(app, person).post("/preter", data=what(cast, lender=party.token))
        assert answer.status_code == 422
        through = next(each for each in held(session, person) if each.party_id == party.id)
        with pytest.raises(NotAllowed):
            operations.begin(session, through, operations.Thing("Barnum"), today=SATURDAY, at=NOON)


def test_an_associations_delegate_lends_for_it_no_longer_than_they_are_its_delegate(
    app: Flask, session: Session, cast: Cast
) -> None:
    assert cast.chloe.sign_in is not None
    party = organisations.add(session, name="Vélo-club", kind="association", class_="local-association", at=NOON)
    until = date(2027, 6, 30)
    members.grant(session, sign_in=cast.chloe.sign_in.id, party=party.id, role="delegate", starts_on=SATURDAY,
                  ends_on=until, granted_by=None, at=NOON)  # fmt: skip
    chloe = as_(app, cast.chloe)
    assert "Qui prête" in chloe.get("/preter").text
    assert chloe.post("/preter", data=what(cast, lender=party.token)).status_code == 303
    office = session.scalars(select(Mandate).where(Mandate.party_id == party.id, Mandate.role == "officer")).one()
    assert (office.ends_on, office.granted_by) == (until, cast.chloe.sign_in.id)
    with freeze_time("2027-07-01 12:00"):
        assert as_(app, cast.chloe).get(f"/preteurs/{party.token}/ressources").status_code == 403


def test_it_is_in_the_books_that_are_sealed(app: Flask, session: Session, cast: Cast) -> None:
    as_(app, cast.alice).post("/preter", data=what(cast))
    sealed = session.execute(
        text("SELECT count(*) FROM books.mandates WHERE party_id = :party AND role = 'officer'"),
        {"party": cast.alice.party.id},
    )
    assert sealed.scalar() == 1


def test_who_acts_for_nobody_is_told_how_one_lends(app: Flask, session: Session, cast: Cast) -> None:
    assert cast.zoe.sign_in is not None
    nobody = members.add_sign_in(session, user_name="accueil", email=None, at=NOON)
    nobody.password = cast.zoe.sign_in.password
    session.flush()
    page = as_(app, Person(cast.town, nobody, None, cast.zoe.by)).get("/preter")
    assert page.status_code == 200
    assert "Vous ne prêtez pour personne" in page.text
