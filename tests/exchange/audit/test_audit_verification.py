"""Everything is recomputed by the worker: each night, and when somebody who reads the books asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import clock, tasks
from exchange.audit import operations
from exchange.db import db
from exchange.members import queries as members
from ledger.entries import Acting
from tests.cast import Cast, committed, sign_in
from tests.databases import Database


@pytest.fixture
def app(database: Database) -> Flask:
    return database.app(WTF_CSRF_ENABLED=False)


@pytest.fixture
def cast(app: Flask) -> Cast:
    return committed(app, at=clock.now())


@pytest.fixture
def session(database: Database, cast: Cast) -> Iterator[Session]:
    """What is committed."""
    with Session(create_engine(database.superuser_url, poolclass=NullPool)) as reading:
        yield reading


def page(app: Flask, cast: Cast, who: str = "tibo") -> tuple[FlaskClient, str]:
    """The browser of somebody who signed in, and where the page is."""
    with app.app_context():
        community = members.parties(db.session(), [cast.community.party_id])[cast.community.party_id]
    return sign_in(app.test_client(), getattr(cast, who)), f"/administration/{community.token}/verification"


def written(session: Session) -> list[tuple[str, str]]:
    session.rollback()
    rows = session.execute(text("SELECT recipient, body FROM outbox WHERE body LIKE '%recalculé%' ORDER BY recipient"))
    return [(row.recipient, row.body) for row in rows]


def test_a_treasurer_asks_leaves_and_finds_the_result(app: Flask, cast: Cast, database: Database) -> None:
    tibo, path = page(app, cast)
    assert "Rien n’a encore été recalculé" in tibo.get(path).text
    assert tibo.post(path).status_code == 303
    waiting = tibo.get(path)
    assert "Recalcul en cours" in waiting.text
    assert waiting.headers["Refresh"] == "3"
    assert "Refresh" not in tibo.get(f"{path}?fixe=1").headers
    database.do_jobs(app)
    found = tibo.get(path)
    assert "Refresh" not in found.headers
    assert "Tout concorde. Recalculé le" in found.text
    assert "Demandé par Tibo." in found.text
    assert found.text.count("juste") > 10


def test_who_asks_again_waits_for_the_same(app: Flask, cast: Cast, session: Session) -> None:
    tibo, path = page(app, cast)
    asking = [Thread(target=sign_in(app.test_client(), cast.aicha).post, args=(path,)) for _time in range(4)]
    for thread in asking:
        thread.start()
    tibo.post(path)
    for thread in asking:
        thread.join()
    assert session.scalar(text("SELECT count(*) FROM verifications")) == 1
    assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'recompute'")) == 1


def test_books_that_disagree_are_said_aloud(app: Flask, cast: Cast, database: Database, session: Session) -> None:
    """On the page, on the administrator's first page, and by a letter to everybody who reads the books."""
    tibo, path = page(app, cast)
    with database.connected("superuser") as superuser:
        superuser.execute("UPDATE books.accounts SET balance = balance + 60 WHERE id = 2")
    tibo.post(path)
    database.do_jobs(app)
    shown = tibo.get(path).text
    assert "Les comptes ne concordent pas" in shown
    assert "account 2" in shown
    aicha, _path = page(app, cast, "aicha")
    assert "Les comptes ne concordent pas" in aicha.get("/").text
    letters = written(session)
    assert {recipient.partition("@")[0] for recipient, _body in letters} == {"aicha", "tibo"}
    assert "la somme des comptes est zéro : ce n’est pas le cas." in letters[0][1].replace("\u00a0", " ")
    assert path in letters[0][1]

    with database.connected("superuser") as superuser:
        superuser.execute("UPDATE books.accounts SET balance = balance - 60 WHERE id = 2")
    tibo.post(path)
    database.do_jobs(app)
    assert "Tout concorde" in tibo.get(path).text
    assert "Les comptes ne concordent pas" not in aicha.get("/").text
    assert len(written(session)) == 2


def test_each_night_the_service_asks_by_itself(app: Flask, cast: Cast, database: Database) -> None:
    with app.app_context():
        tasks.recompute_all(0)
        tasks.recompute_all(0)
    database.do_jobs(app)
    tibo, path = page(app, cast)
    assert "Recalcul de chaque nuit" in tibo.get(path).text


def test_two_workers_given_the_same_take_turns(app: Flask, cast: Cast, database: Database, session: Session) -> None:
    """The second waits for the first, and has nothing left to do."""
    engine = create_engine(database.web_url, poolclass=NullPool)
    with Session(engine) as first, Session(engine) as second:
        operations.ask(first, community=cast.community.id, by=Acting(None, cast.community.system_party_id),
                       at=clock.now())  # fmt: skip
        first.commit()
        (number,) = session.scalars(text("SELECT id FROM verifications")).all()
        assert operations.recompute(first, number, at=clock.now()) is not None
        done: list[object] = []
        late = Thread(target=lambda: done.append(operations.recompute(second, number, at=clock.now())))
        late.start()
        time.sleep(0.3)
        assert done == []
        first.commit()
        late.join()
        assert done == [None]
