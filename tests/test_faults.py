"""An error is told in the language of who reads it, with the signs of that language."""

from __future__ import annotations

import pytest
from flask import Response
from flask.testing import FlaskClient
from flask_babel import force_locale
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import clock
from exchange.db import db, transaction
from exchange.errors import NotFound
from exchange.faults import TITLES
from exchange.outbox import send_later
from tests.databases import Database

ENGLISH = {"Accept-Language": "en"}


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("status", TITLES)
def test_every_title_is_told_in_both_languages(status: int) -> None:
    said = {}
    for language in ("fr", "en"):
        with force_locale(language):
            said[language] = str(TITLES[status])
    assert said["fr"] != said["en"]
    assert "'" not in said["fr"] + said["en"]


def test_a_lost_reader_of_english_is_told_so_in_english(client: FlaskClient) -> None:
    page = client.get("/nulle-part", headers=ENGLISH).text
    assert "<h1>Page not found</h1>" in page
    assert "introuvable" not in page


def test_a_program_that_asks_for_english_reads_an_english_problem(client: FlaskClient, session: Session) -> None:
    problem = client.get("/api/v1/me", headers=ENGLISH)
    assert problem.status_code == 401
    assert problem.json is not None
    assert problem.json["title"] == "You need to sign in"
    assert client.get("/api/v1/me").json != problem.json


def test_what_was_written_before_the_database_stopped_answering_is_not_denied(database: Database) -> None:
    app = database.app(WTF_CSRF_ENABLED=False)

    def never_answered() -> None:
        db.session.execute(text("SET LOCAL statement_timeout = 10"))
        db.session.execute(text("SELECT pg_sleep(60)"))

    @app.post("/essai/<what>")
    def essai(what: str) -> str:
        if what == "written":
            with transaction() as session:
                send_later(session, "alice@example.org", "Un échange", "À samedi !", at=clock.now())
        never_answered()
        return ""

    nothing, written = (app.test_client().post(f"/essai/{what}") for what in ("nothing", "written"))
    assert (nothing.status_code, written.status_code) == (503, 503)
    assert "Rien n’a été enregistré" in nothing.text
    assert "Rien n’a été enregistré" not in written.text
    assert "regardez si c’est enregistré" in written.text


def test_an_answer_that_is_ready_is_given_although_the_database_goes_away_before_the_connection_is_given_back(
    database: Database,
) -> None:
    """Nothing was left to write; who reads sees nothing of it, and neither does who comes next."""
    app = database.app()

    @app.after_request
    def loses_its_connection(response: Response) -> Response:
        if db.session.registry.has():
            number = db.session.scalar(text("SELECT pg_backend_pid()"))
            with database.connected("superuser") as superuser:
                superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
        return response

    for path in ("/", "/salles", "/livre"):
        answer = app.test_client().get(path)
        assert (path, answer.status_code) == (path, 200)


def test_a_refusal_is_told_although_the_database_goes_away_meanwhile(database: Database) -> None:
    app = database.app(WTF_CSRF_ENABLED=False)

    @app.post("/essai")
    def refuses() -> str:
        with transaction() as session:
            number = session.scalar(text("SELECT pg_backend_pid()"))
            with database.connected("superuser") as superuser:
                superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
            raise NotFound

    for _again in range(2):
        answer = app.test_client().post("/essai")
        assert answer.status_code == 404
        assert "Page introuvable" in answer.text


@pytest.fixture
def guarded(database: Database) -> FlaskClient:
    """A browser on the service as it is installed: forms carry a token."""
    return database.app().test_client()


FROM_US, FROM_ELSEWHERE = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}


def test_what_was_written_is_given_back_when_the_session_is_lost(guarded: FlaskClient) -> None:
    said = {"text": "Bonjour, la haie\net <b>le reste</b>", "password": "noix et noisettes", "key": "une clé à nous"}
    page = guarded.post("/annonces/une/messages", data=said,
                        headers=FROM_US | {"Referer": "http://localhost/annonces/une"})  # fmt: skip
    assert page.status_code == 400
    assert "Vous n’êtes plus connecté" in page.text
    assert "Bonjour, la haie\net &lt;b&gt;le reste&lt;/b&gt;" in page.text
    assert 'href="/connexion?next=/annonces/une"' in page.text
    assert "noisettes" not in page.text
    assert "une clé" not in page.text


def test_a_form_of_another_site_shows_none_of_its_words_on_a_page_of_ours(guarded: FlaskClient) -> None:
    for headers in (FROM_ELSEWHERE, {}):
        page = guarded.post("/annonces/une/messages", data={"text": "Appelez ce numéro"}, headers=headers)
        assert page.status_code == 400
        assert "Appelez" not in page.text
