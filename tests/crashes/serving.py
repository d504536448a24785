"""The real service, started as docs/production.md says, whose processes can be killed; and who calls it by HTTP."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from exchange.config import ROOT
from tests.crashes.processes import PATIENCE, bury, children, kill
from tests.databases import Database


def settings_of(database: Database, var: Path, port: int = 1) -> dict[str, str]:
    """What an operator tells the processes of an install."""
    return {
        "DATABASE_URL": database.web_url,
        "MARRONNIER_VAR": str(var),
        "MARRONNIER_PASSWORD_SALT": database.settings()["SECURITY_PASSWORD_SALT"],
        "MARRONNIER_ADDRESS": f"http://127.0.0.1:{port}",
    }


class Working:
    """The real worker, with more of its settings."""

    def __init__(self, database: Database, var: Path, **more: str) -> None:
        with (var / "worker.log").open("ab") as journal:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "exchange.cli", "worker"], cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=journal, stderr=journal,
                env={**os.environ, **settings_of(database, var), **more},
            )  # fmt: skip

    def stop(self) -> int:
        """Stop it in order; the code that it ends with."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait(PATIENCE)


class Served:
    """gunicorn with its two workers of four threads. It inherits a socket that listens: no port is taken twice."""

    def __init__(self, database: Database, var: Path, application: str = "wsgi:app") -> None:
        self._database, self._var, self._application = database, var, application
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listening.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = settings_of(self._database, self._var, self.port)
        fd = self._listening.fileno()
        with (self._var / "web.log").open("ab") as journal:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "gunicorn", self._application, "--bind", f"fd://{fd}"],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=journal, stderr=journal, pass_fds=[fd],
                env={**os.environ, **settings, "CRASHES_SETTINGS": json.dumps(settings)},
            )  # fmt: skip
        visitor = Caller(self.port)
        assert visitor.ask("GET", "/healthz").status == 200
        visitor.leave()

    def workers(self) -> list[int]:
        """The processes that answer."""
        assert self._process is not None
        assert self._process.poll() is None, self.journal()
        return children(self._process.pid)

    def kill_worker(self, chance: random.Random) -> int:
        """Kill one of the workers, the other goes on; 1 when there was one to kill."""
        found = self.workers()
        if not found:
            return 0
        os.kill(chance.choice(found), signal.SIGKILL)
        return 1

    def kill(self) -> None:
        """Kill everything at once."""
        assert self._process is not None
        killed = kill(self._process.pid)
        self._process.wait(PATIENCE)
        bury(killed[:-1])

    def stop(self) -> None:
        """Stop it in order, and listen no more."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(PATIENCE)
        self._listening.close()

    def journal(self) -> str:
        """What it said."""
        return (self._var / "web.log").read_text(errors="replace")


class Cut(Exception):
    """No whole answer came: whoever asked doesn't know what became of it."""


class Answer(NamedTuple):
    """An answer that came whole."""

    status: int
    location: str
    body: str


class Caller:
    """The least of a browser or of a program: one connection, made again when it was cut, and the cookies it was given.

    No redirection is followed. ``token`` is that of a program.
    """

    def __init__(self, port: int, token: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._cookies: dict[str, str] = {}
        self._token = token

    def ask(self, method: str, path: str, **sent: Any) -> Answer:
        """Send one request and read its answer; ``sent`` as for ``send``. Raises Cut."""
        self.send(method, path, **sent)
        try:
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as cut:
            self.leave()
            raise Cut from cut
        for given in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = given.partition(";")[0].partition("=")
            self._cookies[name] = value
        return Answer(answer.status, answer.headers.get("Location", ""), text)

    def send(
        self, method: str, path: str, *, form: dict[str, str] | None = None, body: Any = None, key: str | None = None
    ) -> None:
        """Send one request: a form, or a body of JSON with its key of idempotency. Raises Cut."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        sent = None
        if form is not None:
            sent, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        if body is not None:
            sent, headers["Content-Type"] = json.dumps(body), "application/json"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if key:
            headers["Idempotency-Key"] = key
        try:
            self._connection.request(method, path, sent, headers)
        except (OSError, http.client.HTTPException) as cut:
            self.leave()
            raise Cut from cut

    def leave(self) -> None:
        """Close the connection, whatever was still to come through it."""
        self._connection.close()
