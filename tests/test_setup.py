"""The harness itself, and what every install does: health, readiness, the first page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import url_for
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from exchange import clock, messages
from exchange.config import WEB_ROLE, NotConfigured, from_environment
from exchange.db import db, transaction
from exchange.factory import create_app
from exchange.i18n import DRAFTS
from exchange.members.models import Party
from exchange.organisations.operations import add
from exchange.outbox import Letter, send_later
from tests.databases import TERRITORY, Database, as_owner


def test_a_session_acts_as_the_web_role(session: Session) -> None:
    assert session.scalar(text("SELECT current_user")) == WEB_ROLE
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("INSERT INTO territory (id, name) VALUES (1, 'Ailleurs')"))


@pytest.mark.parametrize("time", ["first", "second"])
def test_what_a_test_commits_is_undone_before_the_next(session: Session, time: str) -> None:
    with transaction() as inside:
        inside.execute(
            text("INSERT INTO parties (token, kind, name, created_at) VALUES ('alice', 'person', 'Alice', now())")
        )
    assert inside is session
    assert session.scalar(text("SELECT count(*) FROM parties WHERE token = 'alice'")) == 1


def test_the_owner_writes_for_a_moment_and_the_web_role_comes_back(session: Session) -> None:
    with as_owner(session):
        session.execute(text("UPDATE territory SET name = 'Ailleurs'"))
    assert session.scalar(text("SELECT current_user")) == WEB_ROLE
    assert session.scalar(text("SELECT name FROM territory")) == "Ailleurs"


def test_a_request_sees_what_the_test_wrote(client: FlaskClient, session: Session) -> None:
    add(session, name="Les Amis du lavoir", kind="association", class_="local-association", at=clock.now())
    assert "Les Amis du lavoir" in client.get("/structures").text


def test_a_request_rolls_back_alone(client: FlaskClient, session: Session) -> None:
    session.add(Party(token="alice", kind="person", name="Alice", created_at=db.func.now()))
    assert client.get("/nulle-part").status_code == 404
    assert session.scalar(text("SELECT count(*) FROM parties WHERE token = 'alice'")) == 1


def test_the_process_and_the_database_answer(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["status"] == "ok"


def test_links_in_letters_carry_the_public_address_of_the_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/marronnier")
    monkeypatch.setenv("MARRONNIER_VAR", str(tmp_path))

    def link(address: str, port: str) -> str:
        monkeypatch.setenv("MARRONNIER_ADDRESS", address)
        monkeypatch.setenv("PORT", port)
        with create_app().app_context():  # as in the worker, which nobody called by a name
            return url_for("bookings.mine", _external=True)

    assert link("https://sel.example.org/", "") == "https://sel.example.org/reservations"
    assert link("", "8080") == "http://127.0.0.1:8080/reservations"
    assert link("", "") == "http://127.0.0.1:8000/reservations"
    with pytest.raises(NotConfigured, match="MARRONNIER_ADDRESS"):
        link("sel.example.org", "")


TILES = "https://tiles.example.org:8443/osm/{z}/{x}/{y}.png?key=1"


@pytest.mark.parametrize(
    ("address", "credit"),
    [
        (TILES, ""), ("", "© Cartographes"), (TILES.replace("https", "http"), "©"), (TILES.replace("{z}", "3"), "©"),
        (TILES.replace("{x}", "{y}"), "©"), (TILES + "{r}", "©"), (TILES.replace("tiles.", "{s}."), "©"),
        (TILES.replace("tiles.", "me@tiles."), "©"), (TILES.replace(".org", ".org; script-src *"), "©"),
        ("https://tiles.example.org", "©"),
    ],
)  # fmt: skip
def test_a_background_for_maps_that_is_half_said_or_goes_nowhere_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, credit: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/marronnier")
    monkeypatch.setenv("MARRONNIER_VAR", str(tmp_path))
    assert from_environment()["TILES_URL"] == ""
    monkeypatch.setenv("MARRONNIER_TILES_URL", TILES)
    monkeypatch.setenv("MARRONNIER_TILES_CREDIT", " © Cartographes ")
    assert from_environment()["TILES_URL"] == TILES
    assert from_environment()["TILES_CREDIT"] == "© Cartographes"
    monkeypatch.setenv("MARRONNIER_TILES_URL", address)
    monkeypatch.setenv("MARRONNIER_TILES_CREDIT", credit)
    with pytest.raises(NotConfigured, match="MARRONNIER_TILES_URL"):
        from_environment()


def test_the_first_page_names_the_territory(client: FlaskClient) -> None:
    assert TERRITORY in client.get("/").text


# The worker


def write_one(session: Session) -> None:
    """A letter that waits for the worker."""
    send_later(session, "alice@example.org", "Un échange", "À samedi !\n", at=clock.now())


def test_a_letter_written_in_a_transaction_is_delivered_by_the_worker(database: Database, tmp_path: Path) -> None:
    app = database.app(TESTING=False, MAIL_BACKEND="file", MAIL_FILE_PATH=str(tmp_path / "mail"))
    with app.app_context(), transaction() as session:
        write_one(session)
    database.do_jobs(app)
    [delivered] = (tmp_path / "mail").iterdir()
    assert "To: alice@example.org" in delivered.read_text(encoding="utf-8")
    with app.app_context():
        assert db.session.scalars(db.select(Letter.sent_at)).one() is not None
        assert db.session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_letter'")) == 0


def test_a_letter_of_a_transaction_that_failed_never_leaves(database: Database, tmp_path: Path) -> None:
    app = database.app(TESTING=False, MAIL_BACKEND="file", MAIL_FILE_PATH=str(tmp_path / "mail"))

    def refused() -> None:
        with transaction() as session:
            write_one(session)
            raise LookupError

    with app.app_context(), pytest.raises(LookupError):
        refused()
    database.do_jobs(app)
    with app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM outbox")) == 0
    assert not (tmp_path / "mail").exists()


def test_a_letter_that_no_server_takes_waits_with_its_failure(database: Database) -> None:
    app = database.app(TESTING=False, MAIL_BACKEND="smtp", MAIL_SERVER="127.0.0.1", MAIL_PORT=1, MAIL_USE_TLS=False)
    with app.app_context(), transaction() as session:
        write_one(session)
    database.do_jobs(app)
    with app.app_context():
        kept = db.session.scalars(db.select(Letter)).one()
        assert kept.sent_at is None
        assert "refused" in (kept.failure or "")
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'send_letter'"
        assert db.session.scalar(text(waiting)) == 1


# Languages


def test_doing_what_is_queued_queues_nothing_that_the_clock_asks_for(database: Database) -> None:
    app = database.app()
    database.do_jobs(app)
    with app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM procrastinate_periodic_defers")) == 0


def test_a_sentence_of_the_code_and_one_of_a_template_are_both_collected(tmp_path: Path) -> None:
    for folder in ("exchange", "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "babel.cfg").write_bytes((messages.ROOT / "babel.cfg").read_bytes())
    (tmp_path / "exchange" / "pages.py").write_text("N('Plus tard'); ngettext('%(num)s salle', '%(num)s salles', 2)")
    (tmp_path / "templates" / "home.html").write_text("{{ _('Bonjour') }}")
    found = messages.found(tmp_path)
    assert {message.id for message in found if message.id} == {
        "Plus tard", "Bonjour", ("%(num)s salle", "%(num)s salles"),
    }  # fmt: skip
    assert sorted(messages.missing(messages.brought_up_to(found, "nl"))) == ["%(num)s salle", "Bonjour", "Plus tard"]
    assert messages.missing(messages.said_as_written(messages.brought_up_to(found, "nl"))) == []


@pytest.mark.parametrize("language", ["en", *DRAFTS])
def test_a_translation_has_the_gaps_of_the_sentence(language: str) -> None:
    gaps = re.compile(r"%\(\w+\)s")
    said = 0
    for message in messages.brought_up_to(messages.found(), language):
        translated = [form for form in messages.forms(message.string) if form] if message.id else []
        wanted = {gap for form in messages.forms(message.id) for gap in gaps.findall(form)} - {"%(num)s"}
        assert all(set(gaps.findall(form)) - {"%(num)s"} == wanted for form in translated), message.id
        said += bool(translated)
    assert said > 150


def test_breton_is_a_draft_that_the_installer_may_offer(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Brezhoneg" not in client.get("/").text
    monkeypatch.setenv("MARRONNIER_LANGUAGES", "br")
    page = client.get("/", headers={"Accept-Language": "br"}).text
    assert '<html lang="br">' in page
    assert "Salioù" in page
    assert "Demander à rejoindre" not in page
    assert "Vous aidez une heure" in page, "what a draft lacks is said in French"
    assert "Brezhoneg (da adlenn)" in client.get("/", headers={"Accept-Language": "fr"}).text
