"""Work that is done after the answer: queued in the same transaction as what caused it, done by the worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from sqlalchemy.orm import Session

app = App(connector=PsycopgConnector(), import_paths=["exchange.tasks"])


class _OnSession:
    """Stands where procrastinate expects a pool, and hands out the session's own connection."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        connection = self._session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        yield connection


def defer(session: Session, task: str, **arguments: Any) -> None:
    """Queue a job by the name of its task; it exists only if the session's transaction commits."""
    connector = SyncPsycopgConnector()
    connector.open(pool=_OnSession(session))  # type: ignore[arg-type]  # the one method that it calls is there
    app.with_connector(connector).configure_task(task).defer(**arguments)
