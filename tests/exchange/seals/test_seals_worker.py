"""Sealing as the worker and the commands do it, on books that are really committed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import sealing as running
from exchange import tasks
from exchange.seals import telling
from exchange.seals.commands import export, rotate_key, seal
from ledger import verify, witness
from ledger.signatures import KeyRefused, SigningKey
from ledger.store import sealing
from tests.cast import NOON, Cast, committed
from tests.databases import Database
from tests.exchange.audit.test_audit_pages import help_given


@pytest.fixture
def books(database: Database, tmp_path: Path) -> Iterator[tuple[Flask, Cast]]:
    app = database.app(SEAL_KEY=str(tmp_path / "keys" / "seal.pem"))
    cast = committed(app)
    with app.app_context():
        yield app, cast


@contextmanager
def writing(database: Database) -> Iterator[Session]:
    engine = create_engine(database.web_url, poolclass=NullPool)
    with Session(engine) as session:
        yield session
        session.commit()


def coming_back(database: Database) -> int:
    with database.connected("superuser") as superuser:
        found = superuser.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'seal'").fetchone()
    assert found is not None
    return int(found[0])


def key_file(app: Flask) -> Path:
    return Path(app.config["SEAL_KEY"])


def test_the_worker_seals_and_comes_back_while_people_write(database: Database, books: tuple[Flask, Cast]) -> None:
    app, cast = books
    tasks.seal(0)
    assert coming_back(database) == 1
    with writing(database) as session:
        first = sealing.last_head(session)
        help_given(session, cast.alice, cast.bruno, 60)
    tasks.seal(0)  # another of the worker's threads: one that comes back is enough
    assert coming_back(database) == 1
    with writing(database) as session:
        last = sealing.last_head(session)
        assert first is not None
        assert last is not None
        assert last.size > first.size
        assert sealing.waiting(session) == 0
    with database.connected("superuser") as superuser:
        superuser.execute("DELETE FROM procrastinate_jobs")
    tasks.seal(0)
    assert coming_back(database) == 0
    assert key_file(app).stat().st_mode & 0o077 == 0


def test_the_commands_seal_export_and_change_the_key(books: tuple[Flask, Cast], tmp_path: Path) -> None:
    run = CliRunner()
    assert "\n\n— localhost/livre " in run.invoke(seal).output
    assert "déjà scellé" in run.invoke(seal).output
    assert "localhost/livre+" in run.invoke(rotate_key).output
    path = tmp_path / "livre.jsonl"
    done = run.invoke(export, ["ledger", str(path)])
    assert (done.exit_code, verify.verify(path).finding) == (0, None)
    assert verify.verify(path).facts["key"] == 2
    again = run.invoke(export, ["ledger", str(path)])
    assert (again.exit_code, "existe déjà" in again.output) == (1, True)
    nowhere = run.invoke(export, ["ledger", str(tmp_path / "nowhere" / "x")])
    assert (nowhere.exit_code, "n’existe pas" in nowhere.output) == (1, True)


def test_a_key_that_is_lost_or_of_other_books_stops_the_seals_and_says_so(books: tuple[Flask, Cast]) -> None:
    app, _cast = books
    running.seal_now(at=NOON)
    key_file(app).unlink()
    with pytest.raises(running.KeyMissing):
        running.seal_now(at=NOON)
    SigningKey.generate("localhost/livre").save(key_file(app))
    with pytest.raises(running.KeyMissing):
        running.seal_now(at=NOON)
    done = CliRunner().invoke(seal)
    assert (done.exit_code, "rotate-key" in done.output) == (1, True)
    running.rotate(at=NOON)
    assert running.seal_now(at=NOON) is None


def test_a_key_that_others_can_read_signs_nothing(books: tuple[Flask, Cast]) -> None:
    app, _cast = books
    running.seal_now(at=NOON)
    key_file(app).chmod(0o644)
    with pytest.raises(KeyRefused):
        running.seal_now(at=NOON)


def test_a_second_town_countersigns_what_only_grows(
    database: Database, books: tuple[Flask, Cast], tmp_path: Path
) -> None:
    app, cast = books
    running.seal_now(at=NOON)
    secret = SigningKey.generate("temoin.example.org")
    with writing(database) as session:
        [log] = sealing.keys(session)
    other = witness.Witness(secret, [log], tmp_path / "kept.json", NOON.timestamp)
    server = witness.serve(other, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        app.config |= {"WITNESS_ADDRESS": f"http://127.0.0.1:{server.server_port}", "WITNESS_KEY": str(secret.witness)}
        assert running.ask_witness(at=NOON)
        assert not running.ask_witness(at=NOON)  # it has seen this head
        with writing(database) as session:
            help_given(session, cast.alice, cast.bruno, 60)
        running.seal_now(at=NOON)
        assert running.ask_witness(at=NOON)
        path = tmp_path / "livre.jsonl"
        running.export(path, at=NOON)
        report = verify.verify(path, keys=[running.signing_key().public, secret.witness])
        assert (report.finding, report.witnesses) == (None, ("temoin.example.org",))
        (tmp_path / "kept.json").unlink()  # a witness that forgot asks for everything again, and is told nothing
        with writing(database) as session:
            help_given(session, cast.alice, cast.bruno, 60)
        running.seal_now(at=NOON)
        assert not running.ask_witness(at=NOON)
    finally:
        server.shutdown()
        server.server_close()
    assert not running.ask_witness(at=NOON)  # nobody answers: tried again another time


def test_the_head_goes_to_those_who_audit(database: Database, books: tuple[Flask, Cast]) -> None:
    app, cast = books
    head = running.seal_now(at=NOON)
    assert head is not None
    with app.test_request_context(), writing(database) as session:
        telling.mail(session, at=NOON)
    with database.connected("superuser") as superuser:
        letters = superuser.execute("SELECT recipient, body FROM outbox").fetchall()
    assert cast.aicha.sign_in is not None
    assert [recipient for recipient, _body in letters] == [cast.aicha.sign_in.email]
    assert head.note in letters[0][1]
