"""T12: the database is restarted while neighbours declare and read: they are told to wait, and nothing else happens.

No error of ours reaches anybody, whatever the restart interrupts; five seconds after the database is back nobody is put
off any more; what was acknowledged is there, once.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path

import pytest
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import clock, jobs, outbox
from exchange.db import transaction
from tests.cast import committed
from tests.crashes.processes import PATIENCE, Mortal
from tests.crashes.serving import Answer, Cut, Working
from tests.crashes.town import Neighbour, Told, Town, sentence, wait_is_asked
from tests.databases import Database
from tests.proofs import figure, proving, record, seeded

pytestmark = pytest.mark.campaign
RESTARTS = figure(2, 40)
SETTLED = 5  # seconds after which nobody is put off any more


@contextmanager
def reading(neighbour: Neighbour) -> Iterator[list[Answer]]:
    """Somebody opens one page after another; what they read, of which only 200 and 503 are expected."""
    neighbour.enter()
    assert neighbour.person.account is not None
    read: list[Answer] = []
    stop = threading.Event()
    pages = cycle(("/", f"/comptes/{neighbour.person.account.token}", "/salles", "/livre", "/readyz"))

    def read_on() -> None:
        while not stop.is_set():
            try:
                read.append(neighbour.caller.ask("GET", next(pages)))
            except Cut:
                read.append(Answer(0, "", "cut"))
            time.sleep(0.05)
        neighbour.caller.leave()

    thread = threading.Thread(target=read_on)
    thread.start()
    try:
        yield read
    finally:
        stop.set()
        thread.join()


def test_while_the_database_is_restarted_people_are_told_to_wait_and_nothing_else_happens(
    server: Mortal, town: Town
) -> None:
    chance, first = seeded(), []
    reader = town.neighbour(town.cast.tibo, random.Random(1), program=False)
    with proving("T12", "restarts of the database under load", goal=RESTARTS) as proof:
        with reading(reader) as read, town.crowd(chance) as crowd:
            for turn in range(RESTARTS):
                crowd.work(chance.randint(5, 20))
                server.stop("immediate" if turn % 2 else "fast")
                time.sleep(chance.uniform(0, 0.5))
                server.start()
                back = time.monotonic()
                crowd.work(1)
                first.append(time.monotonic() - back)
                time.sleep(max(0, back + SETTLED - time.monotonic()))
                crowd.work(4)
                assert [refusal for refusal in crowd.refusals if refusal.at > back + SETTLED] == []
                proof.reached += 1
        put_off = [answer for answer in read if answer.status != 200]
        assert put_off
        told: list[Told] = [*put_off, *crowd.refusals]
        assert [sentence(answer) for answer in told if not wait_is_asked(answer)] == []
        assert crowd.cut == 0
        assert town.faults(crowd) == []
        proof.note(f"{len(crowd.acknowledged):,} acknowledged, {len(crowd.refusals):,} put off and sent again")
        proof.note(f"the first one {max(first):.1f} s after a restart at most")


def test_control_a_service_that_answers_before_it_has_committed_loses_what_it_said(
    server: Mortal, kept: Database, tmp_path: Path
) -> None:
    town, chance, lost = Town(kept, tmp_path, "tests.crashes.hasty:app"), seeded(), False
    town.served.start()
    try:
        with town.crowd(chance) as crowd:
            for _restart in range(20):
                crowd.work(chance.randint(1, 10))
                server.stop("immediate")
                server.start()
                if lost := any("acknowledged and is there 0 times" in fault for fault in town.lost_or_doubled(crowd)):
                    break
    finally:
        town.served.stop()
    assert lost


# The worker


def write_letter(database: Database) -> None:
    """A letter that waits for the worker."""
    engine = create_engine(database.web_url, poolclass=NullPool)
    with Session(engine) as session, session.begin():
        outbox.send_later(session, "alice@example.org", "Un échange", "À samedi\u202f!\n", at=clock.now())


def until(database: Database, question: str) -> None:
    """Wait until the database answers yes."""
    patience = time.monotonic() + PATIENCE
    with database.connected("superuser") as superuser:
        while superuser.execute(f"SELECT {question}").fetchone() != (True,):
            assert time.monotonic() < patience, question
            time.sleep(0.05)


def test_the_worker_waits_for_a_database_that_is_restarted_and_goes_on(
    server: Mortal, kept: Database, tmp_path: Path
) -> None:
    worker = Working(kept, tmp_path)
    try:
        for mode in ("fast", "immediate"):
            until(kept, "EXISTS (SELECT FROM procrastinate_workers)")
            server.stop(mode)
            server.start()
            write_letter(kept)
            until(kept, "NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)")
        assert worker.process.poll() is None
        assert len(list((tmp_path / "mail").iterdir())) == 2
    finally:
        ended = worker.stop()
    assert ended == 0


def test_what_a_job_leaves_for_later_is_done_too(kept: Database, tmp_path: Path) -> None:
    app = kept.app(SEAL_KEY=str(tmp_path / "key.pem"))
    committed(app)
    with app.app_context(), transaction() as session:
        jobs.defer(session, "seal")
        jobs.defer(session, "mail_heads", timestamp=0)  # after it: the worker does one thing at a time
    worker = Working(kept, tmp_path, MARRONNIER_SEAL_KEY=str(tmp_path / "key.pem"))
    try:
        until(kept, "EXISTS (SELECT FROM outbox) AND NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)")
    finally:
        assert worker.stop() == 0
    assert "Traceback" not in (tmp_path / "worker.log").read_text(encoding="utf-8")


def test_a_letter_that_a_killed_worker_had_begun_leaves_with_the_next(kept: Database, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # a mail server that never says a word
        port = str(mute.getsockname()[1])
        worker = Working(kept, tmp_path, MARRONNIER_SMTP_HOST="127.0.0.1", MARRONNIER_SMTP_PORT=port)
        write_letter(kept)
        until(kept, "EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = 'send_letter' AND status = 'doing')")
        worker.kill()
    with kept.connected("superuser") as superuser:  # half a minute later
        superuser.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    app = kept.app(TESTING=False, MAIL_BACKEND="file", MAIL_FILE_PATH=str(tmp_path / "mail"))
    with app.app_context(), suppress(AlreadyEnqueued), transaction() as session:
        jobs.defer(session, "take_up", timestamp=0)
    kept.do_jobs(app)
    assert len(list((tmp_path / "mail").iterdir())) == 1
    until(kept, "NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)")
    record("T4", "kills of a worker that sends a letter", goal=1, reached=1)
