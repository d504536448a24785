"""Work that is done after the answer: queued in the same transaction as what caused it, done by the worker."""

from __future__ import annotations

from typing import Any

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from sqlalchemy.orm import Session

app = App(connector=PsycopgConnector(), import_paths=["exchange.tasks"])


_deferring = app.with_connector(SyncPsycopgConnector())  # never opened: each job travels on its session's connection


def defer(session: Session, task: str, **arguments: Any) -> None:
    """Queue a job by the name of its task; it exists only if the session's transaction commits."""
    connection = session.connection().connection.driver_connection
    _deferring.configure_task(task, connection=connection).defer(**arguments)
