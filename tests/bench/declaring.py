"""How fast a page writes: POST "declare an exchange", signed in, beside a route that does one SELECT signed in."""

from __future__ import annotations

import http.client
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from tests.bench.figures import Figure, ratio
from tests.cast import PASSWORD, Cast, gather
from tests.databases import Database

SECONDS = 5.0
ROUNDS = 3
CLIENTS = 4
DAY = "2026-11-21"
ROOT = Path(__file__).resolve().parents[2]


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Browser:
    """The least of a browser: one connection, the cookies it was given, and no redirection followed."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Send one request; return the status and the body."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        for given in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = given.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, answer.read().decode()

    def token(self, path: str) -> str:
        """The token of forms, as the page at ``path`` gives it."""
        status, page = self.ask("GET", path)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, (status, page[:500])
        return found[1]


def _client(port: int, route: str, account: str, other: str, seed: int, out: Any) -> None:
    browser, chance = Browser(port), random.Random(seed)
    given = {"username": "alice", "password": PASSWORD, "csrf_token": browser.token("/connexion")}
    status, page = browser.ask("POST", "/connexion", given)
    assert status in {302, 303}, (status, page[:500])
    token = browser.token(f"/comptes/{account}/echanges/nouveau")

    def declare() -> int:
        return browser.ask("POST", f"/comptes/{account}/declarations", {
            "csrf_token": token, "key": f"{seed}-{chance.random()}", "direction": "received", "other": other,
            "minutes": "1 min", "happened_on": DAY, "nature": "service", "description": "Arrosage",
        })[0]  # fmt: skip

    ways: dict[str, tuple[Callable[[], int], int]] = {
        "declare": (declare, 303),
        "select": (lambda: browser.ask("GET", "/bench")[0], 200),
    }
    act, expected = ways[route]
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        status = act()
        assert status == expected, status
        done += 1
    out.put(done / (time.perf_counter() - started))


def rate(port: int, route: str, account: str, other: str) -> float:
    """Requests per second of four browsers at once."""
    context = get_context("spawn")
    out = context.Queue()
    clients = [
        context.Process(target=_client, args=(port, route, account, other, seed, out)) for seed in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    total = sum(out.get(timeout=120) for _ in clients)
    for client in clients:
        client.join()
    return float(total)


def furnish(database: Database) -> tuple[str, str]:
    """The cast, with no floor in the way; return Alice's account and Bruno's party."""
    app = database.app()
    engine = create_engine(database.owner_url, poolclass=NullPool)
    with app.app_context(), Session(engine, expire_on_commit=False) as session:
        cast: Cast = gather(session)
        session.commit()
    with database.connected("superuser") as connection:
        connection.execute("UPDATE books.accounts SET floor = NULL")
    assert cast.alice.account is not None
    return cast.alice.account.token, cast.bruno.party.token


def measure(database: Database, var: Path) -> list[Figure]:
    """Two workers serve both routes; the two are asked in turn. The memory of each process is told too."""
    account, other = furnish(database)
    port = _free_port()
    environment = {
        **os.environ, "BENCH_URL": database.web_url,
        "BENCH_VAR": str(var), "BENCH_SALT": database.settings()["SECURITY_PASSWORD_SALT"], "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-w", "2", "-k", "gthread", "--threads", "4", "-b", f"127.0.0.1:{port}",
         "--log-level", "error", "tests.bench.served:app"],
        env=environment, cwd=ROOT,
    )  # fmt: skip
    try:
        _wait(port)
        pairs = [
            (rate(port, "declare", account, other), rate(port, "select", account, other)) for _ in range(ROUNDS)
        ]
        memory = [_pss(pid) for pid in _family(server.pid)]
    finally:
        server.terminate()
        server.wait(30)
    figures = [ratio("POST declare an exchange", pairs, least=0.25, unit="requests/s")]
    figures.append(Figure("memory of the largest web process, MB", max(memory), f"{memory}", most=150))
    return figures


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            if Browser(port).ask("GET", "/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _pss(pid: int) -> float:
    """Proportional memory of a process, in megabytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError(f"no memory figure for {pid}")
