"""The harness itself, and what every install does: health, readiness, the first page."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from exchange.config import WEB_ROLE
from exchange.db import db, transaction
from exchange.members.models import Party
from tests.databases import TERRITORY, as_owner


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
    with as_owner(session):
        session.execute(text("UPDATE territory SET name = 'Trifouillis'"))
    assert "Trifouillis" in client.get("/").text


def test_a_request_rolls_back_alone(client: FlaskClient, session: Session) -> None:
    session.add(Party(token="alice", kind="person", name="Alice", created_at=db.func.now()))
    assert client.get("/nulle-part").status_code == 404
    assert session.scalar(text("SELECT count(*) FROM parties WHERE token = 'alice'")) == 1


def test_the_process_and_the_database_answer(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["status"] == "ok"


def test_the_first_page_names_the_territory(client: FlaskClient) -> None:
    assert TERRITORY in client.get("/").text
