"""Olga closes the hall for works; Alice, whose wedding was there, is offered another one and answers."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings.operations import accept, ask
from exchange.catalogue.queries import ResourceView
from tests.cast import NOON, Cast, Person, sign_in
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent

PARIS = "Europe/Paris"
STARTS = NOON + timedelta(days=7, hours=2)  # next Saturday at 15:00 in Paris


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


def as_(app: Flask, person: Person) -> FlaskClient:
    return sign_in(app.test_client(), person)


def works(**more: str) -> dict[str, str]:
    return {"kind": "works", "day": "2026-11-28", "starts": "", "end_day": "2026-11-29", "ends": "",
            "reason": "Réfection du parquet", "key": "one", **more}  # fmt: skip


def booked(session: Session, cast: Cast, it: ResourceView) -> str:
    """Alice has it, and it was accepted."""
    token = ask(session, wanting(cast.alice.party.id, it, starts=STARTS), zone=PARIS, by=cast.alice.by, at=NOON).token
    lender, by = (cast.club.id, cast.delegate) if it.lender_id == cast.club.id else (cast.town.id, cast.olga.by)
    accept(session, token, lender=lender, by=by, at=NOON)
    return token


def letters(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(text("SELECT recipient, subject FROM outbox ORDER BY id")).all()
    return [(row[0], row[1]) for row in rows]


def close(olga: FlaskClient, cast: Cast, it: ResourceView, **more: str) -> Any:
    return olga.post(f"/preteurs/{cast.town.token}/ressources/{it.token}/fermetures", data=works(**more))


def test_the_office_sees_who_is_displaced_before_anything_is_written(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    booked(session, cast, lent.half)
    olga = as_(app, cast.olga)
    path = f"/preteurs/{cast.town.token}/ressources/{lent.hall.token}/fermeture"
    assert "Fermer pour un temps" in olga.get(path).text
    page = olga.post(path, data=works()).text
    assert "1 réservation à déplacer" in page
    assert cast.alice.party.name in page
    assert "dimanche 29 novembre 2026 à 24\u00a0h" in page  # the last day is closed too
    assert session.execute(text("SELECT count(*) FROM closures")).scalar_one() == 0


def test_a_closed_hall_says_so_to_everybody(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    olga, visitor = as_(app, cast.olga), app.test_client()
    found = close(olga, cast, lent.hall)
    assert found.status_code == 303
    assert close(olga, cast, lent.hall).location == found.location  # a second press
    for it in (lent.hall, lent.half):
        page = unescape(visitor.get(f"/salles/{it.token}?jour=2026-11-28").text)
        assert "Travaux, Réfection du parquet" in page
        assert '<span class="slot-label">Indisponible</span>' in page
    free = visitor.get("/salles?day=2026-11-28&starts=14:00&ends=18:00").text.partition("pris ou fermé")[0]
    assert "Salle des fêtes" not in free
    assert "Dojo" in free
    week = visitor.get("/salles/semaine?semaine=2026-11-28").text
    assert week.count('class="slot shut"') >= 3


def test_what_is_asked_for_meanwhile_is_refused_in_words(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    close(as_(app, cast.olga), cast, lent.hall)
    alice = as_(app, cast.alice)
    said = {"party": cast.alice.party.token, "day": "2026-11-28", "starts": "14:00", "ends": "18:00",
            "purpose": "Fête", "people": "60", "key": "mine"}  # fmt: skip
    for step in ("verification", "reservations"):
        answer = alice.post(f"/salles/{lent.hall.token}/{step}", data=said)
        assert answer.status_code == 422
        assert "n’est pas disponible avant le lundi 30 novembre 2026" in unescape(answer.text)


def test_a_demand_for_what_was_closed_meanwhile_says_so_and_is_not_accepted(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    wanted = wanting(cast.alice.party.id, lent.half, starts=STARTS)
    token = ask(session, wanted, zone=PARIS, by=cast.alice.by, at=NOON).token
    olga, page = as_(app, cast.olga), f"/preteurs/{cast.town.token}/reservations/{token}"
    assert "n’est pas disponible" not in unescape(olga.get(page).text)
    close(olga, cast, lent.hall)
    assert "n’est pas disponible avant le lundi 30 novembre 2026" in unescape(olga.get(page).text)
    answer = olga.post(f"{page}/acceptation", data={})
    assert answer.status_code == 409
    assert "n’est pas disponible" in unescape(answer.text)
    assert "En attente de décision" in olga.get(page).text


def test_it_is_opened_again_before_its_end(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    olga = as_(app, cast.olga)
    made = close(olga, cast, lent.hall, end_day="").location
    assert "jusqu’à ce que vous le rouvriez" in unescape(olga.get(made).text)
    assert olga.post(f"{made}/fin").status_code == 303
    listed = olga.get(f"/preteurs/{cast.town.token}/fermetures").text
    assert "Rien n’est fermé" in unescape(listed)
    assert "Prêté de nouveau" in unescape(listed)
    assert olga.post(f"{made}/fin").status_code == 409


def test_a_closure_that_makes_no_sense_is_said_beside_its_field(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    olga = as_(app, cast.olga)
    for wrong in ({"end_day": "2026-11-27"}, {"day": "2026-11-01"}, {"kind": "other", "day": ""}, {"kind": ""}):
        assert close(olga, cast, lent.hall, key="wrong", **wrong).status_code == 422
    assert close(olga, cast, lent.chairs, quantity="6").status_code == 422
    assert session.execute(text("SELECT count(*) FROM closures")).scalar_one() == 0


def offered(app: Flask, cast: Cast, lent: Lent, token: str) -> str:
    """Olga follows the line of the other half, and says why; return where Alice reads it."""
    olga = as_(app, cast.olga)
    path = f"/preteurs/{cast.town.token}/reservations/{token}/proposition"
    page = olga.get(path).text
    link = unescape(re.findall(r'href="([^"]*quoi=[^"]*)"', page)[0])
    filled = olga.get(link).text
    assert f'<option selected value="{lent.other_half.token}">' in filled
    answer = olga.post(path, data={
        "resource": lent.other_half.token, "day": "2026-11-28", "starts": "15:00", "ends": "19:00", "end_day": "",
        "word": "Le parquet est refait.", "key": "two",
    })  # fmt: skip
    assert answer.status_code == 303, answer.text
    asked = app.test_client()
    page = sign_in(asked, cast.alice).get(f"/reservations/{token}").text
    return unescape(re.findall(r'href="(/reservations/[^"/]+)"', page)[-1])


def test_alice_is_written_to_and_takes_what_is_offered(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    token = booked(session, cast, lent.half)
    closed = close(as_(app, cast.olga), cast, lent.half).location
    here = offered(app, cast, lent, token)
    assert letters(session)[-1][1] == "Autre chose vous est proposé : Demi-salle nord".replace(" :", "\u00a0:")
    alice = as_(app, cast.alice)
    page = unescape(alice.get(here).text)
    assert "Le parquet est refait." in page
    assert "Oui, cela me convient" in page
    assert alice.post(f"{here}/accord").status_code == 303
    assert "Déplacée, avec votre accord." in unescape(alice.get(f"/reservations/{token}").text)
    assert alice.post(f"{here}/accord").status_code == 422  # a second tab
    assert "Aucune réservation n’est à déplacer." in unescape(as_(app, cast.olga).get(closed).text)


def test_alice_leaves_what_is_offered_and_keeps_hers(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    token = booked(session, cast, lent.half)
    here = offered(app, cast, lent, token)
    alice = as_(app, cast.alice)
    assert alice.post(f"{here}/sans-suite").status_code == 303
    assert "Oui, cela me convient" not in unescape(alice.get(here).text)
    assert "Accepté" in unescape(alice.get(f"/reservations/{token}").text)


def test_the_office_takes_back_its_offer(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    token = booked(session, cast, lent.half)
    here = offered(app, cast, lent, token)
    olga, path = as_(app, cast.olga), f"/preteurs/{cast.town.token}/reservations/{token}"
    assert "n’a pas encore répondu" in unescape(olga.get(path).text)
    assert olga.post(f"{path}/proposition/retrait").status_code == 303
    assert as_(app, cast.alice).post(f"{here}/accord").status_code == 422
    assert olga.post(f"{path}/proposition/retrait").status_code == 409


def test_an_office_that_cannot_keep_its_word_says_on_which_ground(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    token = booked(session, cast, lent.half)
    olga, path = as_(app, cast.olga), f"/preteurs/{cast.town.token}/reservations/{token}/reprise"
    assert olga.post(path, data={"text": "Une fuite"}).status_code == 422
    assert olga.post(path, data={"ground": "services", "text": "Une fuite d’eau"}).status_code == 303
    page = unescape(as_(app, cast.alice).get(f"/reservations/{token}").text)
    assert "Annulée par Saint-Marron" in page or "Annulée par" in page
    assert "Une fuite d’eau" in page
    assert letters(session)[-1][1].startswith("Votre réservation est annulée")
    assert olga.post(path, data={"ground": "services", "text": "Encore"}).status_code == 422


def test_bruno_answers_nothing_for_alice(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    here = offered(app, cast, lent, booked(session, cast, lent.half))
    bruno = as_(app, cast.bruno)
    for path in (here, f"{here}/accord", f"{here}/sans-suite"):
        assert bruno.open(path, method="GET" if path == here else "POST").status_code == 404
