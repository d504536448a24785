"""The application served for real, in a thread: for browsers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.databases import Database


@dataclass
class Live:
    """A server that answers at ``url``."""

    url: str
    app: Flask
    database: Database


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    timeout = 20  # seconds: a browser opens connections in advance, and may forget to close them

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Nothing."""


@contextmanager
def served(database: Database, **settings: object) -> Iterator[Live]:
    """The application on a database, forms protected."""
    app = database.app(SESSION_COOKIE_SECURE=False, PREFERRED_URL_SCHEME="http", **settings)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = False  # so that it ends after the requests that it answers
    app.config["SERVER_NAME"] = f"127.0.0.1:{server.server_port}"  # where links in letters lead
    thread = Thread(target=server.serve_forever, name="live server")
    thread.start()
    try:
        yield Live(f"http://127.0.0.1:{server.server_port}", app, database)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
