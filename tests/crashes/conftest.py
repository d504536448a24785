"""A server of its own that keeps what it says it keeps, and a town served as in production: both may be killed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crashes.processes import Mortal, orphans_adopted
from tests.crashes.town import Town
from tests.databases import Database, Postgres


@pytest.fixture(scope="session")
def durable() -> Iterator[Postgres]:
    """A durable server for the tests of this folder alone: nobody else's connections die with it."""
    folder = Path(tempfile.mkdtemp(prefix="marronnier-tests-"))
    postgres = Postgres(folder, Mortal(folder / "pg"))
    with orphans_adopted():
        yield postgres
        postgres.forget()


@pytest.fixture
def server(durable: Postgres) -> Mortal:
    """That server, to be killed."""
    assert isinstance(durable.embedded, Mortal)
    return durable.embedded


@pytest.fixture
def kept(durable: Postgres) -> Iterator[Database]:
    """A database on the durable server; dropped after the test."""
    made = durable.copy()
    yield made
    durable.drop(made)


@pytest.fixture
def town(kept: Database, tmp_path: Path) -> Iterator[Town]:
    """The cast, committed, each with a token for their program, and the real service in front of them, started."""
    made = Town(kept, tmp_path)
    made.served.start()
    yield made
    made.served.stop()
