"""Collects the tests once, sees which function each of them runs, then tries each mutant in a process of its own."""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import threading
import time
import traceback
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import pytest

from exchange.config import ROOT
from tests.databases import Database, Postgres
from tests.mutants import database, python

LONGEST = 30.0  # seconds: a test that takes more tries no mutant
ENOUGH = 60.0  # seconds of tests, as long as they took unchanged, after which a mutant has survived
PATIENCE = 30.0  # seconds that a mutant may take beyond three times what its tests took
_FUNCTION = re.compile(r"books\.(\w+)\s*\(")
Place = tuple[str, int]


@dataclass
class Result:
    """What became of a mutant."""

    mutant: python.Mutant | database.Mutant
    killed: bool
    tried: int


@dataclass(eq=False)  # a plugin is known by itself
class Campaign:
    """A plugin that runs every test once as usual, then those that matter for each mutant.

    ``at_most`` mutants are drawn with ``chance`` from those of the Python ``modules``, and as many from those of the
    ``functions`` of the database.
    """

    modules: list[str]
    functions: list[Path]
    chance: random.Random
    at_most: int
    results: list[Result] = field(default_factory=list)
    _failed: bool = False
    _took: dict[pytest.Item, float] = field(default_factory=dict)
    _runs: dict[Place, list[pytest.Item]] = field(default_factory=dict)
    _calls: dict[str, list[pytest.Item]] = field(default_factory=dict)
    _kills: Counter[pytest.Item] = field(default_factory=Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A failure in any part of a test is one."""
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """The whole campaign, in place of the usual run."""
        self._watch(session.items)
        if self._failed:
            raise pytest.UsageError("a test fails before anything was changed")
        postgres = Postgres(Path(os.environ["MARRONNIER_TESTS_FOLDER"]))
        postgres.drop(postgres.copy())  # the server is there and its template made, before any process is split off
        waiting = self._drawn(postgres)
        running: dict[int, tuple[python.Mutant | database.Mutant, list[pytest.Item]]] = {}
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                mutant = waiting.pop()
                items = self._chosen(mutant)
                if not items:
                    self._told(Result(mutant, False, 0))
                    continue
                running[self._split(mutant, items)] = mutant, items
            if running:
                child, status = os.wait()
                mutant, items = running.pop(child)
                postgres.drop_those(f"m{child}_")
                ended = os.waitstatus_to_exitcode(status)
                if 0 < ended <= len(items):
                    self._kills[items[ended - 1]] += 1
                self._told(Result(mutant, ended != 0, len(items)))
        return True

    def _watch(self, items: list[pytest.Item]) -> None:
        """Run every test as it is, and note how long it took and which functions of the modules it ran."""
        files = {str(import_module(name).__file__) for name in self.modules}
        for item, following in zip(items, [*items[1:], None], strict=True):
            ran: set[Place] = set()
            called: set[str] = set()

            def note(frame: FrameType, event: str, _: Any, ran: set[Place] = ran) -> None:
                if event == "call" and frame.f_code.co_filename in files:
                    ran.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

            began = time.monotonic()
            threading.setprofile(note)
            sys.setprofile(note)
            try:
                with _heard(called):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            finally:
                sys.setprofile(None)
                threading.setprofile(None)
            self._took[item] = time.monotonic() - began
            for place in ran:
                self._runs.setdefault(place, []).append(item)
            for name in called:
                self._calls.setdefault(name, []).append(item)

    def _drawn(self, postgres: Postgres) -> list[python.Mutant | database.Mutant]:
        code = [each for name in self.modules for each in python.mutants(import_module(name), ROOT)]
        trial = postgres.copy()
        with trial.connected("superuser") as connection:
            stored = [
                each for file in self.functions for each in database.mutants(file, ROOT) if _made(connection, each)
            ]
        postgres.drop(trial)
        print(f"\n{len(code)} mutants of Python, {len(stored)} of the functions of the database", flush=True)
        drawn: list[python.Mutant | database.Mutant] = []
        for many in (code, stored):
            drawn += self.chance.sample(many, min(self.at_most, len(many)))
        self.chance.shuffle(drawn)
        return drawn

    def _chosen(self, mutant: python.Mutant | database.Mutant) -> list[pytest.Item]:
        """The tests that may notice: those that killed most first, then the shortest; for ENOUGH seconds."""
        if isinstance(mutant, python.Mutant):
            code = mutant.function.__code__
            items = self._runs.get((code.co_filename, code.co_firstlineno), [])
        else:
            callers = database.callers(mutant.file, self.functions)
            items = [item for item in self._took if any(item in self._calls.get(name, ()) for name in callers)]
        items = [item for item in items if self._took[item] < LONGEST]
        items.sort(key=lambda item: (-self._kills[item], self._took[item]))
        spent = list(accumulate(self._took[item] for item in items))
        return items[: bisect_left(spent, ENOUGH) + 1]

    def _split(self, mutant: python.Mutant | database.Mutant, items: list[pytest.Item]) -> int:
        """Start a process in which the mutant is tried. Its status is 0 when no test failed, else which did."""
        if child := os.fork():
            return child
        status = 255
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nothing, stream)
            signal.alarm(int(3 * sum(self._took[item] for item in items) + PATIENCE))
            _copies(f"m{os.getpid()}_", mutant.sql if isinstance(mutant, database.Mutant) else None)
            if isinstance(mutant, python.Mutant):
                mutant.live()
            status = self._tried(items)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def _tried(self, items: list[pytest.Item]) -> int:
        self._failed = False
        for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return min(place + 1, 250)
        return 0

    def _told(self, result: Result) -> None:
        self.results.append(result)
        if len(self.results) % 25 == 0:
            print(f"{len(self.results)} tried, {sum(each.killed for each in self.results)} noticed", flush=True)
        if not result.killed:
            how = f"{result.tried} tests" if result.tried else "no test runs it"
            print(f"survived: {result.mutant.file}:{result.mutant.line} {result.mutant.what} ({how})", flush=True)


@contextmanager
def _heard(called: set[str]) -> Iterator[None]:
    """Note the functions of the books that statements name, in whichever thread."""
    execute = psycopg.Cursor.execute

    def noting(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        called.update(_FUNCTION.findall(query if isinstance(query, str) else str(query)))
        return execute(self, query, *args, **more)

    psycopg.Cursor.execute = noting
    try:
        yield
    finally:
        psycopg.Cursor.execute = execute


def _made(connection: psycopg.Connection, mutant: database.Mutant) -> bool:
    """Whether the database takes it: what it refuses at once is no mutant."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(mutant.sql.encode())
    except psycopg.Error:
        return False
    return True


def _copies(prefix: str, sql: str | None) -> None:
    """From now on databases are named after this process, and hold the changed function."""
    copy: Callable[[Postgres, str], Database] = Postgres.copy
    names = _names(prefix)

    def changed(self: Postgres, end: str | None = None) -> Database:
        made = copy(self, next(names))
        if sql is not None:
            with made.connected("superuser") as connection:
                connection.execute(sql.encode())
        return made

    Postgres.copy = changed


def _names(prefix: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"{prefix}{number}"
