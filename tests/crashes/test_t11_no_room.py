"""T11: the database has no room, only reads, is kept by somebody else, or has no connection left.

Each time people read one clear sentence, nothing is half written, and the service, which nobody starts again, takes the
same request when the cause is gone.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy.pool import QueuePool
from werkzeug.test import TestResponse

from exchange.config import WEB_ROLE
from exchange.db import db, engine_options
from tests.crashes.processes import PATIENCE, Mortal
from tests.crashes.serving import Answer
from tests.crashes.town import IN_DOUBT, Act, Crowd, Neighbour, Town, sentence, wait_is_asked
from tests.databases import Database, Postgres
from tests.proofs import record

pytestmark = pytest.mark.campaign
PROXY = 30  # seconds that the least patient proxy waits for an answer


@dataclass
class Counter:
    """Two neighbours before the real service, one with its pages, one through a program."""

    town: Town
    alice: Neighbour
    bruno: Neighbour

    @property
    def both(self) -> tuple[Neighbour, Neighbour]:
        return self.alice, self.bruno

    def acts(self) -> list[Act]:
        """What each will ask for: they were helped by somebody else, and the minutes move now."""
        helpers = (self.town.cast.chloe, self.town.cast.fanny)
        return [each.act()._replace(direction="received", other=helper.party.token)
                for each, helper in zip(self.both, helpers, strict=True)]  # fmt: skip

    def ask(self, acts: list[Act]) -> list[Answer]:
        """Both ask at once, on new connections: the service closes those that nobody has used for two seconds."""
        for each in self.both:
            each.caller.leave()
        return together(*(lambda who=who, act=act: who.ask(act) for who, act in zip(self.both, acts, strict=True)))

    def reads(self) -> int:
        """The status of a page that only reads, for who is signed in."""
        assert self.alice.person.account is not None
        self.alice.caller.leave()
        return self.alice.caller.ask("GET", f"/comptes/{self.alice.person.account.token}").status

    def put_off(self, acts: list[Act]) -> None:
        """Both are told to wait, and nothing of what they asked for is there."""
        assert [sentence(answer) for answer in self.ask(acts) if not wait_is_asked(answer)] == []
        assert [self.town.written(act) for act in acts] == [0, 0]

    def served_again(self, acts: list[Act]) -> None:
        """The same requests are taken now, once, and everything agrees."""
        assert [answer.status for answer in self.ask(acts)] == [303, 201]
        assert self.faults() == []
        record("T11", "causes told in one sentence, and overcome without a restart", goal=1, reached=1)

    def faults(self) -> list[str]:
        return self.town.faults(Crowd(list(self.both)))


def together(*asks: Callable[[], Any]) -> list[Any]:
    """What each answers, all asked at once; nobody waits longer than a proxy would."""
    answers: list[Any] = [None] * len(asks)

    def ask(place: int) -> None:
        answers[place] = asks[place]()

    threads = [threading.Thread(target=ask, args=(place,), daemon=True) for place in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PROXY)
        assert not thread.is_alive(), "somebody still waits for an answer"
    return answers


@contextmanager
def opened(database: Database, folder: Path) -> Iterator[Counter]:
    """The service on a database, and both signed in."""
    town = Town(database, folder)
    town.served.start()
    chance = random.Random(1)
    alice = town.neighbour(town.cast.alice, chance, program=False)
    counter = Counter(town, alice, town.neighbour(town.cast.bruno, chance, program=True))
    counter.alice.enter()
    try:
        assert [answer.status for answer in counter.ask(counter.acts())] == [303, 201]
        yield counter
    finally:
        for each in counter.both:
            each.caller.leave()
        town.served.stop()
        database.let_go()


@pytest.fixture(scope="module")
def counter(durable: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """One service for what does it no lasting harm."""
    database = durable.copy()
    with opened(database, tmp_path_factory.mktemp("counter")) as made:
        yield made
    durable.drop(database)


# A full disk


@contextmanager
def small_disk(folder: Path, megabytes: int, owner: int | None = None) -> Iterator[Path]:
    """A disk of its own in this folder, soon full."""
    folder.mkdir(exist_ok=True)
    options = f"size={megabytes}m,mode=0700" + (f",uid={owner},gid={owner}" if owner else "")
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("Filling a disk takes one that nobody else needs: this machine doesn't let us mount one.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name that the database's user can be let into."""
    made = Path(tempfile.mkdtemp(prefix="marronnier-tests-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Nothing more can be written there until the end of the block."""
    with (folder / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            yield
    (folder / "ballast").unlink()


def fill_the_books(counter: Counter, *, meanwhile: Callable[[], object] = lambda: None) -> list[Act]:
    """Ask until both are put off: the pages that are begun take a few lines more."""
    for _time in range(200):
        acts = counter.acts()
        if all(wait_is_asked(answer) for answer in counter.ask(acts)):
            return acts
        meanwhile()
    raise AssertionError("a full disk stops nobody")


def move(server: Mortal, database: Database, tablespace: str) -> None:
    """Put a database on another disk; whoever is connected is sent away."""
    with server.superuser() as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database.name]
        )
        superuser.execute(f'ALTER DATABASE "{database.name}" SET TABLESPACE {tablespace}')


def test_when_the_disk_of_the_tables_is_full_nothing_is_half_written(
    server: Mortal, counter: Counter, folder: Path
) -> None:
    database = counter.town.database
    with small_disk(folder / "small", 64, server.identity.owner) as disk, server.superuser() as superuser:
        superuser.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        move(server, database, "small")
        try:
            with full(disk):
                acts = fill_the_books(counter)
                counter.put_off(acts)
                assert counter.reads() == 200
            counter.served_again(acts)
        finally:
            move(server, database, "pg_default")
            superuser.execute("DROP TABLESPACE small")


def test_when_the_one_disk_of_the_database_is_full_it_stops_and_nothing_acknowledged_is_lost(
    folder: Path, tmp_path: Path
) -> None:
    """Its journal has no room either: it stops by itself, and its operator starts it again once there is room."""
    server = Mortal(folder / "small" / "data")
    with small_disk(server.home or folder / "small", 250, server.identity.owner) as disk:
        durable = Postgres(folder, server)
        try:
            with opened(durable.copy(), tmp_path) as counter:
                with full(disk):
                    acts = fill_the_books(counter, meanwhile=lambda: next_segment(server))
                    stopped(server)
                    assert [sentence(answer) for answer in counter.ask(acts) if not wait_is_asked(answer)] == []
                server.start()
                counter.served_again(acts)
        finally:
            server.remove()
    if server.home:
        server.home.rmdir()


def stopped(server: Mortal) -> None:
    """Wait until a server has stopped by itself."""
    until = time.monotonic() + PATIENCE
    while server.running():
        assert time.monotonic() < until
        time.sleep(0.05)


def next_segment(server: Mortal) -> None:
    """Go on in another file of the journal, as after 16 MB."""
    with suppress(psycopg.OperationalError), server.superuser() as superuser:
        superuser.execute("SELECT pg_switch_wal()")


# A database that only reads, that somebody keeps, that has no connection left, that goes away at the worst moment


@contextmanager
def read_only(server: Mortal) -> Iterator[None]:
    """The server takes nothing until the end of the block, from those who are connected either."""
    with server.superuser() as superuser:
        superuser.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        try:
            reloaded(server, "on")
            yield
        finally:
            superuser.execute("SET default_transaction_read_only = off")
            superuser.execute("ALTER SYSTEM RESET default_transaction_read_only")
            reloaded(server, "off")


def reloaded(server: Mortal, value: str) -> None:
    """Wait until whoever comes finds this value."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with server.superuser() as other:
            other.execute("SELECT pg_reload_conf()")
        with server.superuser() as other:
            if other.execute("SHOW default_transaction_read_only").fetchone() == (value,):
                return
    raise AssertionError("the server doesn't read its settings")


def test_a_database_that_only_reads_still_shows_everything_and_takes_nothing(server: Mortal, counter: Counter) -> None:
    acts = counter.acts()
    with read_only(server):
        counter.put_off(acts)
        assert counter.reads() == 200
    counter.served_again(acts)


@contextmanager
def kept_by_somebody(counter: Counter) -> Iterator[None]:
    """Another session keeps Alice's account, the queue of letters that Bruno's request will want, and all adverts."""
    assert counter.alice.person.account is not None
    with counter.town.database.connected("superuser") as superuser, superuser.transaction():
        superuser.execute("SELECT FROM books.accounts WHERE id = %s FOR UPDATE", [counter.alice.person.account.id])
        superuser.execute("LOCK TABLE procrastinate_jobs, adverts IN ACCESS EXCLUSIVE MODE")
        yield


def in_process(app: Flask, town: Town, neighbour: Neighbour) -> Callable[[Act], TestResponse]:
    """Somebody's program asks an application of this process, which may have other settings."""
    client, token = app.test_client(), town.token(neighbour.person)

    def ask(act: Act) -> TestResponse:
        method, path, sent = replace(neighbour, program=True).request(act)
        neighbour.tried.add(act.description)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": sent["key"]}
        return client.open(path, method=method, json=sent["body"], headers=headers)

    return ask


def test_what_somebody_keeps_is_not_waited_for_but_by_a_service_that_was_told_to(counter: Counter) -> None:
    acts, patient = counter.acts(), counter.alice.act()._replace(direction="received")
    unlimited = counter.town.database.app(SQLALCHEMY_ENGINE_OPTIONS=engine_options(patient=True))
    ask = in_process(unlimited, counter.town, counter.alice)
    visitor = counter.town.neighbour(counter.town.cast.tibo, random.Random(2), program=False)
    visitor.enter()
    adverts = visitor.caller.ask("GET", "/annonces").location
    waiting: list[TestResponse] = []
    control = threading.Thread(target=lambda: waiting.append(ask(patient)))
    with kept_by_somebody(counter):
        control.start()
        asked, opened = together(lambda: counter.ask(acts), lambda: visitor.caller.ask("GET", adverts))
        assert [sentence(answer) for answer in (*asked, opened) if not wait_is_asked(answer)] == []
        assert [counter.town.written(act) for act in acts] == [0, 0]
        assert control.is_alive()  # without the limits of the web, the same request waits as long as it takes
    control.join()
    assert visitor.caller.ask("GET", adverts).status == 200
    visitor.caller.leave()
    assert [answer.status_code for answer in waiting] == [201]
    counter.served_again(acts)


def test_when_every_connection_of_a_process_is_in_use_others_are_told_to_wait(counter: Counter) -> None:
    act = counter.alice.act()._replace(direction="received")
    app = counter.town.app
    ask = in_process(app, counter.town, counter.alice)

    def declare() -> Answer:
        answer = ask(act)
        return Answer(answer.status_code, "", answer.text)

    def open_home() -> Answer:
        answer = app.test_client().get("/")
        return Answer(answer.status_code, "", answer.text)

    with app.app_context(), ExitStack() as held:
        pool = db.engine.pool
        assert isinstance(pool, QueuePool)
        for _connection in range(pool.size() + pool._max_overflow):
            held.enter_context(db.engine.connect())
        assert [sentence(answer) for answer in together(declare, open_home) if not wait_is_asked(answer)] == []
        assert counter.town.written(act) == 0
    assert [answer.status for answer in together(declare, open_home)] == [201, 200]
    counter.served_again(counter.acts())


def test_when_the_server_takes_no_more_connections_people_are_told_to_wait(server: Mortal, counter: Counter) -> None:
    acts = counter.acts()
    with server.superuser() as superuser:
        superuser.execute(f"ALTER ROLE {WEB_ROLE} CONNECTION LIMIT 0")
        superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [WEB_ROLE])
        counter.put_off(acts)
        assert counter.reads() == 503
        superuser.execute(f"ALTER ROLE {WEB_ROLE} CONNECTION LIMIT -1")
    counter.served_again(acts)


def test_when_the_database_goes_away_during_the_commit_people_are_told_that_nobody_knows(counter: Counter) -> None:
    acts = counter.acts()
    with counter.town.database.connected("superuser") as superuser:
        superuser.execute(GONE_AT_COMMIT)
        assert {sentence(answer).startswith(IN_DOUBT) for answer in counter.ask(acts)} == {True}
        superuser.execute("DROP FUNCTION go_away CASCADE")
    counter.served_again(acts)


def test_control_a_service_that_commits_each_statement_leaves_half_of_it(kept: Database, tmp_path: Path) -> None:
    town = Town(kept, tmp_path)
    torn = kept.app(SQLALCHEMY_ENGINE_OPTIONS=engine_options() | {"isolation_level": "AUTOCOMMIT"})
    alice = town.neighbour(town.cast.alice, random.Random(1), program=True)
    with kept.connected("superuser") as superuser:
        superuser.execute(f"REVOKE INSERT ON procrastinate_jobs FROM {WEB_ROLE}")
    act = alice.act()
    assert in_process(torn, town, alice)(act).status_code == 500
    assert town.written(act) == 1
    assert town.lost_or_doubled(Crowd([alice])) != []
    town.served.stop()


GONE_AT_COMMIT = """
    CREATE FUNCTION go_away() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER go_away AFTER INSERT ON declarations DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION go_away();
"""
