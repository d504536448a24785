"""Signing in, forgetting a password, choosing another; and what a stranger learns from trying: nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_security.recoverable import generate_reset_link
from freezegun import freeze_time
from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange import clock
from exchange.errors import WeakPassword
from exchange.i18n import safe_path
from exchange.members.operations import SESSION_LIVES
from exchange.members.policy import check_password
from exchange.outbox import Letter
from tests.cast import PASSWORD, Cast, Person, sign_in
from tests.databases import Database

GOOD = "trois sabots au grenier"


def told(session: Session) -> list[Letter]:
    return list(session.scalars(select(Letter).order_by(Letter.id)))


def link_for(app: Flask, person: Person) -> str:
    with app.test_request_context():
        link, _token = generate_reset_link(person.sign_in)
    return "/" + link.split("/", 3)[3]


def test_alice_signs_in_by_her_user_name_in_capitals_or_not(client: FlaskClient, cast: Cast) -> None:
    answer = client.post("/connexion", data={"username": " ALICE ", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Votre solde" in client.get("/").text


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(client: FlaskClient, cast: Cast) -> None:
    def answer(name: str) -> str:
        page = client.post("/connexion", data={"username": name, "password": "pas le bon"})
        assert page.status_code == 422
        return re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", page.text.replace(name, "NAME"))

    assert answer("alice") == answer("nobody") == answer("ALICE")
    assert "Identifiant ou mot de passe incorrect" in answer("alice")


def test_who_may_no_longer_sign_in_learns_nothing_more(client: FlaskClient, cast: Cast) -> None:
    assert cast.alice.sign_in is not None
    cast.alice.sign_in.active = False
    page = client.post("/connexion", data={"username": "alice", "password": PASSWORD})
    assert "Identifiant ou mot de passe incorrect" in page.text


def test_a_session_ends_when_its_person_may_no_longer_sign_in(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.alice)
    assert cast.alice.sign_in is not None
    cast.alice.sign_in.active = False
    assert client.get("/moi").status_code == 303


@pytest.mark.parametrize("missing", ["username", "password"])
def test_what_is_missing_is_said_beside_its_field(client: FlaskClient, cast: Cast, missing: str) -> None:
    given = {"username": "alice", "password": PASSWORD} | {missing: ""}
    page = client.post("/connexion", data=given)
    assert page.status_code == 422
    assert f'id="{missing}-error"' in page.text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example",
        "javascript:alert(1)", "\\\\evil.example", " //evil.example", "evil.example", "", None,
    ],
)  # fmt: skip
def test_signing_in_never_leads_to_another_site(client: FlaskClient, cast: Cast, elsewhere: str | None) -> None:
    answer = client.post("/connexion", data={"username": "alice", "password": PASSWORD, "next": elsewhere or ""})
    assert answer.location == "/"


def test_signing_in_leads_back_to_the_page_that_asked_for_it(client: FlaskClient, app: Flask, cast: Cast) -> None:
    asked = client.get("/messages?avant=x")
    assert asked.location == "/connexion?next=/messages?avant%3Dx"
    page = client.get(asked.location)
    assert 'value="/messages?avant=x"' in page.text
    with app.test_request_context():
        assert safe_path("/messages?avant=x") == "/messages?avant=x"


def test_nothing_of_an_earlier_visitor_stays_in_the_session_but_the_language(client: FlaskClient, cast: Cast) -> None:
    with client.session_transaction() as before:
        before["language"], before["planted"], before["csrf_token"] = "en", "by somebody else", "known to them"
    sign_in(client, cast.alice)
    with client.session_transaction() as after:
        assert after["language"] == "en"
        assert "planted" not in after
        assert after.get("csrf_token") != "known to them"


def test_signing_out_ends_the_session_and_forgets_the_device(client: FlaskClient, cast: Cast) -> None:
    client.post("/connexion", data={"username": "alice", "password": PASSWORD, "remember": "y"})
    assert client.get_cookie("remember_token") is not None
    assert client.post("/deconnexion").location == "/"
    assert client.get_cookie("remember_token") is None
    assert client.get("/moi").status_code == 303


def test_who_copied_the_cookies_is_out_when_their_owner_signs_out(client: FlaskClient, app: Flask, cast: Cast) -> None:
    thief = app.test_client()
    client.post("/connexion", data={"username": "alice", "password": PASSWORD, "remember": "y"})
    for name in ("session", "remember_token"):
        cookie = client.get_cookie(name)
        assert cookie is not None
        thief.set_cookie(name, cookie.value, secure=True)
    assert thief.get("/moi", base_url="https://localhost").status_code == 200
    client.post("/deconnexion")
    assert thief.get("/moi", base_url="https://localhost").status_code == 303


def test_a_session_is_ended_from_another_device(client: FlaskClient, app: Flask, cast: Cast) -> None:
    lost, bruno = sign_in(app.test_client(), cast.alice), sign_in(app.test_client(), cast.bruno)
    sign_in(client, cast.alice)
    assert "un autre appareil" in client.get("/moi").text
    assert client.post("/deconnexion/ailleurs").location == "/moi"
    assert [each.get("/moi").status_code for each in (lost, bruno, client)] == [303, 200, 200]
    assert "un autre appareil" not in client.get("/moi").text


def test_a_session_dies_of_age(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.alice)
    with freeze_time(clock.now() + SESSION_LIVES - timedelta(minutes=1)):
        assert client.get("/moi").status_code == 200
    with freeze_time(clock.now() + SESSION_LIVES):
        assert client.get("/moi").status_code == 303


def test_a_forgotten_password_is_answered_alike_whoever_asks(client: FlaskClient, session: Session, cast: Cast) -> None:
    names = ("alice", "nobody", "no@example.org")
    answers = [client.post("/mot-de-passe/oublie", data={"name": name}) for name in names]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/mot-de-passe/oublie/envoye")}
    assert [letter.recipient for letter in told(session)] == ["alice@example.org"]


def test_two_people_of_one_e_mail_each_get_their_link_with_their_user_name(
    client: FlaskClient, session: Session, cast: Cast
) -> None:
    assert cast.alice.sign_in is not None
    assert cast.bruno.sign_in is not None
    cast.alice.sign_in.email = cast.bruno.sign_in.email = "maison@example.org"
    client.post("/mot-de-passe/oublie", data={"name": "Maison@example.org"})
    bodies = [letter.body for letter in told(session)]
    assert [re.search(r"identifiant est\W+(\w+)", body)[1] for body in bodies] == ["bruno", "alice"]
    assert all("/mot-de-passe/oublie/" in body for body in bodies)


def test_reading_the_link_changes_nothing_and_using_it_signs_in(client: FlaskClient, app: Flask, cast: Cast) -> None:
    link = link_for(app, cast.alice)
    assert cast.alice.sign_in is not None
    before = cast.alice.sign_in.fs_uniquifier
    assert "alice" in client.get(link).text
    assert cast.alice.sign_in.fs_uniquifier == before
    assert client.post(link, data={"new": GOOD}).location == "/"
    assert "Votre mot de passe est enregistré" in client.get("/").text


def test_a_link_serves_once(client: FlaskClient, app: Flask, cast: Cast) -> None:
    link = link_for(app, cast.alice)
    client.post(link, data={"new": GOOD})
    other = app.test_client()
    assert other.get(link).location == "/mot-de-passe/oublie"
    assert other.post(link, data={"new": "un autre mot de passe"}).location == "/mot-de-passe/oublie"
    assert "n’est plus valable" in other.get("/mot-de-passe/oublie").text
    assert client.post(link, data={"new": GOOD}).location == "/"  # pressed twice


@pytest.mark.parametrize("token", ["x", "e30.x.y", "%00", "a" * 5000])
def test_an_invented_link_opens_nothing(client: FlaskClient, cast: Cast, token: str) -> None:
    assert client.get(f"/mot-de-passe/oublie/{token}").location == "/mot-de-passe/oublie"


def test_a_new_password_ends_every_other_session_and_is_told_by_letter(
    client: FlaskClient, app: Flask, session: Session, cast: Cast
) -> None:
    elsewhere = sign_in(app.test_client(), cast.alice)
    sign_in(client, cast.alice)
    answer = client.post("/mot-de-passe", data={"password": PASSWORD, "new": GOOD})
    assert answer.location == "/moi"
    assert client.get("/moi").status_code == 200
    assert elsewhere.get("/moi").status_code == 303
    assert [letter.recipient for letter in told(session)] == ["alice@example.org"]
    assert app.test_client().post("/connexion", data={"username": "alice", "password": GOOD}).location == "/"


def test_another_password_is_chosen_only_by_who_knows_the_one_in_use(client: FlaskClient, cast: Cast) -> None:
    page = sign_in(client, cast.alice).post("/mot-de-passe", data={"password": "pas le bon", "new": GOOD})
    assert page.status_code == 422
    assert 'id="password-error"' in page.text


@pytest.mark.parametrize(
    ("password", "why"),
    [("court", "short"), ("x" * 201, "long"), ("aaaaaaaaaaaa", "common"), ("1234567890", "common"),
     ("Motdepasse2026", "common"), ("azertyuiop", "common"), ("lena.le.goff", "name"), ("LenaLeGoff35", "name")],
)  # fmt: skip
def test_a_password_that_is_guessed_first_is_refused_with_its_reason(password: str, why: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_password(password, user_name="lena.le.goff")
    assert refused.value.facts == {"why": why}


@pytest.mark.parametrize("password", [GOOD, "chataigne-grillee", "éàüœ 🌰 çñ ßø", "x7!kQ2pLw9"])
def test_any_other_password_is_taken(password: str) -> None:
    check_password(password, user_name="lena.le.goff")


def test_a_weak_password_is_refused_beside_its_field_and_never_shown_again(
    client: FlaskClient, app: Flask, cast: Cast
) -> None:
    page = client.post(link_for(app, cast.alice), data={"new": "motdepasse1"})
    assert page.status_code == 422
    assert 'id="new-error"' in page.text
    assert "motdepasse1" not in page.text


def test_composed_and_decomposed_letters_are_one_password(client: FlaskClient, app: Flask, cast: Cast) -> None:
    client.post(link_for(app, cast.alice), data={"new": "cle\u0301 du grenier"})
    other = app.test_client()
    assert other.post("/connexion", data={"username": "alice", "password": "clé du grenier"}).status_code == 303


def test_pages_and_letters_are_in_the_persons_language(client: FlaskClient, session: Session, cast: Cast) -> None:
    sign_in(client, cast.alice).post("/moi/langue", data={"language": "en"})
    assert 'lang="en"' in client.get("/", headers={"Accept-Language": "fr"}).text
    assert client.post("/moi/langue", data={"language": "tlh"}).status_code == 422


def test_a_letter_never_carries_the_name_by_which_a_stranger_called_us(database: Database) -> None:
    app = database.app(PUBLIC_ADDRESS="https://marronnier.example.org", WTF_CSRF_ENABLED=False)
    ours = app.test_client().get("/healthz", base_url="https://marronnier.example.org")
    theirs = app.test_client().post("/mot-de-passe/oublie", data={"name": "alice"}, base_url="https://evil.example")
    assert (ours.status_code, theirs.status_code) == (200, 400)
