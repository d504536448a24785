"""Tries are counted for every worker together, slow a guesser down, and never stand in the way of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from exchange import clock, rates
from exchange.db import db
from tests.cast import PASSWORD, Cast, committed
from tests.databases import Database

WRONG = {"username": "alice", "password": "pas le bon"}


@pytest.fixture
def counted(database: Database) -> Flask:
    """An application that counts, on a database of its own."""
    return database.app(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=True)


@pytest.fixture
def cast(counted: Flask) -> Cast:
    return committed(counted)


def guess(app: Flask, times: int, *, address: str = "192.0.2.1", **said: str) -> list[int]:
    return [
        app.test_client().post("/connexion", data=WRONG | said, environ_base={"REMOTE_ADDR": address}).status_code
        for _ in range(times)
    ]


@contextmanager
def later(monkeypatch: pytest.MonkeyPatch, after: timedelta) -> Iterator[None]:
    now = clock.now
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: now() + after)
        yield


def test_guessing_from_one_place_is_stopped_even_with_the_right_password(counted: Flask, cast: Cast) -> None:
    assert guess(counted, 10) == [422] * 10
    assert guess(counted, 1) == [429]
    assert guess(counted, 1, password=PASSWORD) == [429]


def test_the_owner_elsewhere_still_comes_in(counted: Flask, cast: Cast) -> None:
    guess(counted, 30)
    assert guess(counted, 1, address="192.0.2.9", password=PASSWORD) == [303]


def test_guessing_one_name_from_many_places_is_stopped_for_a_while(
    counted: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(40):
        guess(counted, 1, address=f"198.51.100.{place}")
    assert guess(counted, 1, address="203.0.113.7", password=PASSWORD) == [429]
    assert guess(counted, 1, address="203.0.113.7", username="bruno", password=PASSWORD) == [303]
    with later(monkeypatch, timedelta(minutes=10, seconds=1)):
        assert guess(counted, 1, address="203.0.113.7", password=PASSWORD) == [303]


def test_a_house_of_ipv6_is_one_place(counted: Flask, cast: Cast) -> None:
    guess(counted, 10, address="2001:db8:1:2::a")
    assert guess(counted, 1, address="2001:db8:1:2:ffff::b") == [429]
    assert guess(counted, 1, address="2001:db8:1:3::a") == [422]


def test_capitals_and_spaces_are_the_same_name(counted: Flask, cast: Cast) -> None:
    guess(counted, 10)
    assert guess(counted, 1, username=" ALICE ") == [429]


def test_the_refusal_says_what_to_do(counted: Flask, cast: Cast) -> None:
    guess(counted, 10)
    page = counted.test_client().post("/connexion", data=WRONG, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert "Attendez 10 minutes au plus" in page.text


def test_links_and_applications_are_counted_too(counted: Flask, cast: Cast) -> None:
    browser: FlaskClient = counted.test_client()
    links = [browser.post("/mot-de-passe/oublie", data={"name": "nobody"}).status_code for _ in range(6)]
    assert links == [303] * 5 + [429]
    assert {browser.post("/rejoindre", data={}).status_code for _ in range(20)} == {422}
    assert browser.post("/rejoindre", data={}).status_code == 429


@pytest.mark.race
def test_tries_at_the_same_moment_are_each_counted(counted: Flask, cast: Cast) -> None:
    kept: list[int] = []

    def hit() -> None:
        with counted.app_context():
            for _ in range(10):
                kept.append(rates.RatesTable().incr("at once", 60))

    workers = [Thread(target=hit) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(kept) == list(range(1, 41))


def test_what_is_counted_is_forgotten_after_its_time(
    counted: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = rates.RatesTable()
    with counted.app_context():
        table.incr("here", 60)
        assert (table.get("here"), table.get("elsewhere")) == (1, 0)
        with later(monkeypatch, timedelta(seconds=61)):
            assert table.get("here") == 0
            with db.engine.begin() as own:
                rates.sweep(own)
        with db.engine.begin() as own:
            assert own.execute(text("SELECT count(*) FROM rates")).scalar() == 0


def test_names_are_not_kept(counted: Flask, cast: Cast) -> None:
    guess(counted, 1)
    with counted.app_context(), db.engine.begin() as own:
        keys = own.execute(text("SELECT string_agg(key, ' ') FROM rates")).scalar()
    assert keys
    assert "alice" not in keys
    assert "192.0.2.1" not in keys


def test_a_table_that_does_not_answer_refuses_nobody(counted: Flask, database: Database, cast: Cast) -> None:
    with database.connected("owner") as owner:
        owner.execute("DROP TABLE rates")
    assert guess(counted, 1, password=PASSWORD) == [303]


def test_a_database_that_does_not_answer_is_said_in_words(database: Database) -> None:
    gone = database.app(
        WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=True,
        SQLALCHEMY_DATABASE_URI="postgresql+psycopg://nobody@127.0.0.1:1/nowhere",
    )  # fmt: skip
    assert guess(gone, 1) == [503]
