"""Processes that write the books directly, and one that seals them: what was acknowledged to each is in its file."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange import clock
from ledger.entries import Acting, Entry, Transfer
from ledger.errors import HoldResolved, Refused
from ledger.store import writing

GONE = (psycopg.OperationalError, psycopg.InterfaceError)


class Books(NamedTuple):
    """What a writer is told: where, for whom, between which accounts."""

    url: str
    community: int
    by: Acting
    accounts: list[int]


def write(books: Books, path: Path, seed: int, stop: Event, hasty: bool) -> None:
    """Post entries and holds, each again with its key until it is acknowledged; ``hasty``: noted before the commit."""
    chance, engine = random.Random(seed), create_engine(books.url, pool_pre_ping=True)
    with path.open("a", buffering=1) as kept:
        while not stop.is_set():
            key = f"{chance.getrandbits(64):016x}"
            make = _holding(books, chance, key) if chance.random() < 0.1 else _posting(books, chance, key)
            for do in make:
                _insist(engine, do, key, kept, stop, hasty=hasty)
    engine.dispose()


Do = Callable[[Session], int | None]


def _posting(books: Books, chance: random.Random, key: str) -> list[Do]:
    moves = [chance.sample(books.accounts, 2) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
    transfers = tuple(Transfer(payer, payee, chance.randint(1, 5)) for payer, payee in moves)
    entry = Entry("exchange", transfers, clock.now().date())

    def post(session: Session) -> int | None:
        return writing.post(session, entry, community=books.community, key=key, by=books.by, at=clock.now()).id

    return [post]


def _holding(books: Books, chance: random.Random, key: str) -> list[Do]:
    """Set minutes aside, then post half of them, in two transactions."""
    payer, payee = chance.sample(books.accounts, 2)
    held: list[int] = []

    def hold(session: Session) -> int | None:
        written = writing.hold(
            session, community=books.community, from_account=payer, to_account=payee, minutes=4, cause=("booking", 1),
            key=key, by=books.by, at=clock.now(),
        )  # fmt: skip
        assert written.id is not None
        held[:] = [written.id]
        return written.id

    def settle(session: Session) -> None:
        if held:
            writing.post_hold(
                session, held[0], community=books.community, minutes=2, happened_on=clock.now().date(), by=books.by,
                at=clock.now(), note="",
            )  # fmt: skip

    return [hold, settle]


def _insist(engine: Any, do: Do, key: str, kept: Any, stop: Event, *, hasty: bool) -> None:
    """Do it once, whatever happens to the server meanwhile."""
    while not stop.is_set():
        try:
            with Session(engine) as session:
                number = do(session)
                told = json.dumps([key, number]) + "\n" if number is not None else ""
                if hasty:
                    kept.write(told)
                    time.sleep(0.05)
                session.commit()
            kept.write("" if hasty else told)
        except HoldResolved:  # it was: the answer was cut
            return
        except Refused:
            return
        except DBAPIError as cut:
            if not isinstance(cut.orig, GONE):
                raise
            time.sleep(0.02)
        else:
            return


def seal(settings: dict[str, Any], path: Path, stop: Event) -> None:
    """Seal again and again as the worker does, and keep each head as an auditor would."""
    from exchange import sealing  # here: whoever only writes starts faster without them
    from exchange.factory import create_app

    app = create_app(settings)
    with path.open("a", buffering=1) as kept, app.app_context():
        while not stop.is_set():
            try:
                head = sealing.seal_now(at=clock.now())
            except DBAPIError as cut:
                if not isinstance(cut.orig, GONE):
                    raise
                head = None
            if head is not None:
                kept.write(json.dumps([head.size, head.note]) + "\n")
            time.sleep(0.05)
