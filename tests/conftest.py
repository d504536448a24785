"""What tests share: databases, the application, its session and its client.

- ``session``  a session as the web role; everything is undone after the test. It is also ``exchange.db.db.session``
               and what ``transaction()`` yields, and an application context is there for templates and addresses.
               ``with as_owner(session):`` writes what no page writes.
- ``client``   requests in the same undone transaction. Another person's browser: ``app.test_client()``.
- ``database`` a database of its own, really committed to: for races, workers and real servers.
"""

from __future__ import annotations

import contextvars
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import freezegun
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import StaticPool
from werkzeug.test import TestResponse

from exchange.config import WEB_ROLE
from exchange.db import db
from exchange.hours import intervals
from tests import proofs
from tests.databases import Database, Postgres

freezegun.configure(extend_ignore_list=["_pytest", "xdist"])  # so that --durations tells real ones
FOLDER = "MARRONNIER_TESTS_FOLDER"
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no timings here
settings.load_profile("any-machine")
# The library of opening hours keeps the type of datetime that it meets first: not one that a test has frozen.
intervals("24/7", "UTC", datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
asking: contextvars.ContextVar[str] = contextvars.ContextVar("asking", default="test")


def pytest_configure(config: pytest.Config) -> None:
    """The controller names the folder through which its workers share one server."""
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="marronnier-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The controller ends last: nobody uses the server any more."""
    if not hasattr(config, "workerinput"):
        Postgres(Path(os.environ.pop(FOLDER))).forget()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What the proofs of this run reached, those of every worker together."""
    if rows := proofs.table():
        terminalreporter.section("what the proofs reached")
        for line in proofs.told(rows):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The server of this run."""
    return Postgres(Path(os.environ[FOLDER]))


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """A database of its own, with a territory and nothing else; dropped after the test."""
    made = postgres.copy()
    yield made
    postgres.drop(made)


@pytest.fixture(scope="session")
def shared_database(postgres: Postgres, worker_id: str) -> Iterator[Database]:
    """The database of this worker, in which nothing is ever committed: see ``session``."""
    made = postgres.copy(worker_id)
    yield made
    postgres.drop(made)


@pytest.fixture(scope="session")
def app(shared_database: Database) -> Flask:
    """The application as in production, but for the token of forms, which the journeys send for real."""
    made = shared_database.app(WTF_CSRF_ENABLED=False)
    made.test_client_class = Client
    return made


class OneConnection(scoped_session[Session]):
    """Gives a test its one session whatever context it is in, and each request of a client a session of its own."""

    def remove(self) -> None:
        """At the end of a context: the test keeps its session until it ends."""
        if asking.get() == "client":
            super().remove()


class Client(FlaskClient):
    """Requests as from elsewhere: they see what the test has written, and no context of the test's."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request; afterwards the test reads again what it may have changed."""
        assert not self.preserve_context, "`with client:` would mix the contexts of the test and of the request"
        if asking.get() == "client":  # following a redirection
            return super().open(*args, **kwargs)
        mine = db.session()
        mine.commit()
        answer: TestResponse = contextvars.Context().run(self._elsewhere, *args, **kwargs)
        mine.expire_all()
        return answer

    def _elsewhere(self, *args: Any, **kwargs: Any) -> TestResponse:
        asking.set("client")
        return super().open(*args, **kwargs)


@pytest.fixture
def session(app: Flask, shared_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session as the web role, in a transaction that is undone after the test.

    The connection is the superuser's that took the web role, so that ``as_owner`` can take another for a moment.
    """
    app.extensions.pop("kept", None)  # what the test before made true
    options = {"options": f"-c role={WEB_ROLE} -c timezone=UTC"}
    engine = create_engine(shared_database.superuser_url, poolclass=StaticPool, connect_args=options)
    with engine.connect() as connection:
        undone = connection.begin()
        make = sessionmaker(bind=connection, join_transaction_mode="create_savepoint")
        monkeypatch.setattr(db, "session", OneConnection(make, scopefunc=asking.get))
        with app.app_context():
            mine = db.session()
            yield mine
        mine.close()
        undone.rollback()
    engine.dispose()


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    """Somebody's browser, not signed in."""
    return app.test_client()
