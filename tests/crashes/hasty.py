"""A control: the service with one fault, it says that something is written before it is.

Its connections answer "committed" at once, and commit a moment later.
"""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import psycopg
from sqlalchemy import event

from exchange.db import db

LATER = 0.1  # seconds

# tests forget the settings of an operator; these are told by another name
os.environ.update(json.loads(os.environ["CRASHES_SETTINGS"]))


class Hasty(psycopg.Connection[Any]):
    """A connection that is in a hurry to answer."""

    _committing: threading.Timer | None = None

    def commit(self) -> None:
        """Later; whatever is asked of this connection next waits for it."""
        self._wait()
        self._committing = threading.Timer(LATER, super().commit)
        self._committing.start()

    def rollback(self) -> None:
        """Nothing to undo of what is about to be committed."""
        if self._committing is None:
            super().rollback()

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """The next statement."""
        self._wait()
        return super().cursor(*args, **kwargs)

    def set_autocommit(self, value: bool) -> None:
        """What the pool asks of a connection before it gives it again."""
        self._wait()
        super().set_autocommit(value)

    def _wait(self) -> None:
        committing, self._committing = self._committing, None
        if committing is not None:
            committing.join()


def _connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> psycopg.Connection[Any]:
    return Hasty.connect(*arguments, **options)


from exchange.factory import create_app  # noqa: E402 - once the settings are there

app = create_app()
with app.app_context():
    event.listen(db.engine, "do_connect", _connect)
