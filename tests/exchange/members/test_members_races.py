"""Two administrators at once, on real connections."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from exchange.db import db, transaction
from exchange.errors import AlreadyAnswered
from exchange.members import operations
from exchange.members.models import Application, Party
from tests.cast import NOON, SATURDAY, Cast, committed
from tests.databases import Database

pytestmark = pytest.mark.race


@pytest.fixture
def app(database: Database) -> Flask:
    return database.app()


@pytest.fixture
def cast(app: Flask) -> Cast:
    return committed(app)


def ask(app: Flask, cast: Cast, *names: str) -> list[int]:
    with app.app_context(), transaction() as session:
        return [
            operations.apply(session, community=cast.community.id, name=name, email=f"{number}@example.org", phone="",
                             message="", at=NOON).id
            for number, name in enumerate(names)
        ]  # fmt: skip


def at_once(app: Flask, *acts: Callable[[Session], object]) -> list[str]:
    """Do these at the same moment, each on its own connection; return what became of each."""
    start, became = Barrier(len(acts)), []

    def work(act: Callable[[Session], object]) -> None:
        with app.app_context():
            try:
                with transaction() as session:
                    session.execute(select(1))  # connected before the start
                    start.wait()
                    act(session)
                became.append("done")
            except AlreadyAnswered:
                became.append("already answered")

    threads = [Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(became)


def accepting(cast: Cast, application: int) -> Callable[[Session], object]:
    return lambda session: operations.accept(
        session, session.get_one(Application, application), today=SATURDAY, by=cast.aicha.by, at=NOON
    )


def named(app: Flask, name: str) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Party).where(Party.name == name)) or 0


def test_two_administrators_accepting_at_once_make_one_member(app: Flask, cast: Cast) -> None:
    (asked,) = ask(app, cast, "Léna Le Goff")
    assert at_once(app, *[accepting(cast, asked)] * 4) == ["already answered"] * 3 + ["done"]
    assert named(app, "Léna Le Goff") == 1


def test_without_the_lock_the_decision_itself_lets_one_through(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second wall: even with the first removed, the database keeps one answer, under the same name."""
    monkeypatch.setattr(operations, "_still_unanswered", lambda _session, _application: None)
    (asked,) = ask(app, cast, "Léna Le Goff")
    assert at_once(app, *[accepting(cast, asked)] * 2) == ["already answered", "done"]
    assert named(app, "Léna Le Goff") == 1


def test_two_of_one_name_accepted_at_once_have_two_user_names(app: Flask, cast: Cast) -> None:
    asked = ask(app, cast, "Léna Le Goff", "Léna Le Goff", "Lena Le Goff")
    assert at_once(app, *[accepting(cast, each) for each in asked]) == ["done"] * 3
