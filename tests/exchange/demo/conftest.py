"""The demonstration, loaded once for each worker of a run, and only read afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import demo
from exchange.db import db
from tests.databases import Database, Postgres

TODAY = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)  # a Sunday, two o'clock in the afternoon in Redon


class Village(NamedTuple):
    """A database in which Saint-Marron lives, and what was said while it was loaded."""

    database: Database
    app: Flask
    said: list[str]


def settle(postgres: Postgres, at: datetime, name: str) -> Village:
    """Load the demonstration into a new database."""
    database = postgres.copy(name)
    app = database.app()
    said: list[str] = []
    with app.app_context():
        demo.load(database.owner_url, said.append, at=at)
    return Village(database, app, said)


@pytest.fixture(scope="session")
def village(postgres: Postgres, worker_id: str) -> Iterator[Village]:
    """Saint-Marron, on the day of TODAY."""
    made = settle(postgres, TODAY, f"demo_{worker_id}")
    yield made
    postgres.drop(made.database)


@pytest.fixture
def there(village: Village) -> Iterator[Session]:
    """A session of the web role in Saint-Marron; nothing is kept of what it would write."""
    with village.app.app_context():
        session = db.session()
        yield session
        session.rollback()


def count(session: Session, sql: str, **values: object) -> int:
    """How many rows an SQL query finds."""
    return int(session.execute(text(f"SELECT count(*) FROM ({sql}) AS found"), values).scalar_one())
