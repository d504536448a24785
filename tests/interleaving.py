"""Two sessions of one database, step by step, in every order that there is.

    with Stage(database) as stage:
        for order in orders(3, 3):
            stage.play(order, [begin, pay, commit], [begin, close, commit])

A step is a function of a session; what it returns, or the fault that it meets, is kept. The server itself tells when a
step waits for a lock of the other session; the other one's steps then come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from tests.databases import Database, plain

LOOK = 0.001  # seconds between two looks at a step that hasn't ended: is it waiting for the other session?
Step = Callable[[Session], Any]


def orders(*lengths: int) -> Iterator[tuple[int, ...]]:
    """Every order in which two sessions can do so many steps: (0, 1, 1, 0...) tells whose turn it is."""
    first, second = lengths
    for turns in combinations(range(first + second), first):
        yield tuple(0 if turn in turns else 1 for turn in range(first + second))


class Actor:
    """A session with its thread. ``met`` is what the steps returned, or the fault that the last one met."""

    def __init__(self, database: Database) -> None:
        engine = create_engine(database.web_url, poolclass=NullPool)
        self.session = Session(engine.connect())
        self.pid = self.session.scalar(text("SELECT pg_backend_pid()"))
        self.session.rollback()
        self.met: list[Any] = []
        self.waited = False  # in this play, for the other one
        self.idle = Event()
        self.idle.set()
        self._steps: SimpleQueue[Step | None] = SimpleQueue()
        self._thread = Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while (step := self._steps.get()) is not None:
            try:
                self.met.append(step(self.session))
            except BaseException as met:  # it is for the test to judge
                self.met.append(met)
            self.idle.set()

    def begin(self, step: Step) -> None:
        self.idle.clear()
        self._steps.put(step)

    def leave(self) -> None:
        self._steps.put(None)
        self._thread.join()
        connection = self.session.connection()
        self.session.close()
        connection.close()


class Stage:
    """Two actors, and somebody who sees which of them waits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Stage:
        self.actors = (Actor(self._database), Actor(self._database))
        self._watch = psycopg.connect(plain(self._database.superuser_url), autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self.actors:
            actor.leave()
        self._watch.close()

    def play(self, order: Sequence[int], *steps: Sequence[Step]) -> tuple[list[Any], list[Any]]:
        """Do the steps of both in this order, but for those that must wait; what each session met."""
        coming = tuple(iter(each) for each in steps)
        for actor in self.actors:
            actor.met, actor.waited = [], False
        turns = list(order)
        while turns:
            free = [who for who in (0, 1) if self.actors[who].idle.is_set()]
            turn = next((place for place, who in enumerate(turns) if who in free), None)
            if turn is None:  # both wait for each other, until the server lets one of them fall
                self.actors[0].idle.wait(LOOK)
                continue
            who = turns.pop(turn)
            self.actors[who].begin(next(coming[who]))
            self._settle()
        for actor in self.actors:
            actor.idle.wait()
        return self.actors[0].met, self.actors[1].met

    def _settle(self) -> None:
        """Until each step that was begun has ended, or waits for the other session."""
        while busy := [actor for actor in self.actors if not actor.idle.is_set()]:
            if busy[0].idle.wait(LOOK):
                continue
            waiting = [actor for actor in busy if self._waits(actor, self.actors[actor is self.actors[0]])]
            for actor in waiting:
                actor.waited = True
            if waiting == busy:
                return

    def _waits(self, actor: Actor, other: Actor) -> bool:
        found = self._watch.execute("SELECT %s = ANY (pg_blocking_pids(%s))", [other.pid, actor.pid]).fetchone()
        return bool(found and found[0])


def begin(session: Session) -> None:
    """The first step of a session."""
    session.execute(text("SELECT 1"))


def commit(session: Session) -> None:
    """The last step, of who means it."""
    session.commit()


def rollback(session: Session) -> None:
    """The last step, of who gives up or is cut."""
    session.rollback()
