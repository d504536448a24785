"""Work that is done after the answer: queued in the same transaction as what caused it, done by the worker."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from flask import Flask
from procrastinate import App, JobContext, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from procrastinate.periodic import PeriodicRegistry
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)
BEFORE_WORKING_AGAIN = 2  # seconds
app = App(connector=PsycopgConnector(), import_paths=["exchange.tasks"])
_queue = JobManager(SyncPsycopgConnector())  # never opened: it writes on the connection that it is given


def defer(session: Session, task: str, *, seconds: int = 0, **arguments: Any) -> None:
    """Queue a job by the name of its task, to be done in so many ``seconds``; it exists only if the session's
    transaction commits. Raises AlreadyEnqueued when one with its lock waits already: the transaction is then lost.
    """
    connection = session.connection().connection.driver_connection
    later: dict[str, Any] = {"schedule_in": {"seconds": seconds}} if seconds else {}
    job = app.configure_task(task, connection=connection, **later)
    job.job_manager = _queue  # in a worker, the application's own writes on connections of the worker's loop alone
    try:
        job.defer(**arguments)
    except ConnectorException as failed:  # under the same name as from any other statement
        if isinstance(failed.__cause__, psycopg.Error):
            raise DBAPIError.instance(task, None, failed.__cause__, psycopg.Error) from failed
        raise


def work(flask: Flask, *, wait: bool = True, **options: Any) -> None:
    """Do the jobs of this install until a signal says to stop; ``wait=False``: those that are queued now.

    Each job runs in an application context of its own, and so with a session of its own. A database that goes away is
    waited for.
    """

    def in_application(do: Callable[[], Any], _context: JobContext, _worker: object) -> Any:
        with flask.app_context():
            return do()

    url = make_url(flask.config["SQLALCHEMY_DATABASE_URI"]).set(drivername="postgresql")
    connector = PsycopgConnector(conninfo=url.render_as_string(hide_password=False), min_size=1, max_size=4)
    options |= {
        "wait": wait, "task_middleware": [in_application], "delete_jobs": "successful", "shutdown_graceful_timeout": 10,
    }  # fmt: skip
    with app.replace_connector(connector) as connected:
        if wait:
            asyncio.run(_work_on(connected, options | {"install_signal_handlers": False}))
        else:
            with _nothing_periodic(connected):
                connected.run_worker(**options)


@contextmanager
def _nothing_periodic(worker: App) -> Iterator[None]:
    """Who does what is queued now doesn't queue what the clock asks for."""
    worker.perform_import_paths()  # its tasks say when as they are imported
    kept, worker.periodic_registry = worker.periodic_registry, PeriodicRegistry()
    try:
        yield
    finally:
        worker.periodic_registry = kept


async def _work_on(connected: App, options: dict[str, Any]) -> None:
    """Work until a signal says to stop. Left alone, procrastinate stops too when it loses its database."""
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    stop = asyncio.create_task(asked.wait())
    while not asked.is_set():
        working = asyncio.create_task(_open_and_work(connected, options))
        await asyncio.wait([working, stop], return_when=asyncio.FIRST_COMPLETED)
        working.cancel()  # no effect on one that has stopped by itself
        with suppress(asyncio.CancelledError):
            try:
                await working
            except (ConnectorException, psycopg.Error) as gone:
                logger.warning("database unavailable: %s", gone.__cause__ or gone)
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), BEFORE_WORKING_AGAIN)


async def _open_and_work(connected: App, options: dict[str, Any]) -> None:
    try:
        async with connected.open_async():
            await connected.run_worker_async(**options)
    finally:
        await connected.connector.close_async()  # also when it was never quite open
