"""Work that is done after the answer: queued in the same transaction as what caused it, done by the worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from flask import Flask
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

app = App(connector=PsycopgConnector(), import_paths=["exchange.tasks"])


def defer(session: Session, task: str, *, seconds: int = 0, **arguments: Any) -> None:
    """Queue a job by the name of its task, to be done in so many ``seconds``; it exists only if the session's
    transaction commits. Raises AlreadyEnqueued when one with its lock waits already: the transaction is then lost.
    """
    connection = session.connection().connection.driver_connection
    later: dict[str, Any] = {"schedule_in": {"seconds": seconds}} if seconds else {}
    try:
        app.configure_task(task, connection=connection, **later).defer(**arguments)
    except ConnectorException as failed:  # under the same name as from any other statement
        if isinstance(failed.__cause__, psycopg.Error):
            raise DBAPIError.instance(task, None, failed.__cause__, psycopg.Error) from failed
        raise


def work(flask: Flask, **options: Any) -> None:
    """Do the jobs of this install until a signal says to stop; ``wait=False``: those that are queued now.

    Each job runs in an application context of its own, and so with a session of its own.
    """

    def in_application(do: Callable[[], Any], _context: JobContext, _worker: object) -> Any:
        with flask.app_context():
            return do()

    url = make_url(flask.config["SQLALCHEMY_DATABASE_URI"]).set(drivername="postgresql")
    connector = PsycopgConnector(conninfo=url.render_as_string(hide_password=False), min_size=1, max_size=4)
    with app.replace_connector(connector) as connected:
        connected.run_worker(
            task_middleware=[in_application], delete_jobs="successful", shutdown_graceful_timeout=10, **options
        )
