"""Databases for tests: a server, a template built once by the real migrations, and copies of it.

The server is that of TEST_DATABASE_URL (the address of a superuser), else an embedded one in a temporary folder, which
every worker of a run shares. Only databases named ``marronnier_test_*`` are made and dropped.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from threading import Thread
from typing import Any
from uuid import uuid4

import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import URL, make_url, text
from sqlalchemy.orm import Session

from exchange import jobs
from exchange.config import OWNER_ROLE, WEB_ROLE
from exchange.db import db
from exchange.embedded import Server
from exchange.roles import make_roles
from exchange.upgrading import upgrade

PREFIX = "marronnier_test_"
TERRITORY = "Saint-Marron-sur-Vilaine"


@contextmanager
def as_owner(session: Session) -> Iterator[Session]:
    """Write as the owner of the tables what no page writes (a community...), in the test's own transaction."""
    session.execute(text(f"SET LOCAL ROLE {OWNER_ROLE}"))
    yield session
    session.flush()  # what was added inside is written as the owner, not later as the web role
    session.execute(text(f"SET LOCAL ROLE {WEB_ROLE}"))


@dataclass
class Database:
    """One database of the run, and its addresses for each role, as SQLAlchemy wants them."""

    name: str
    superuser_url: str
    owner_url: str
    web_url: str
    _apps: list[Flask] = field(default_factory=list)

    def settings(self, **more: Any) -> dict[str, Any]:
        """The settings of an application on this database, as safe as in production unless ``more`` says otherwise."""
        return {
            "TESTING": True,
            "SQLALCHEMY_DATABASE_URI": self.web_url,
            "OWNER_URL": self.owner_url,
            "SECRET_KEY": "a key for tests alone, long enough",
            "SECURITY_PASSWORD_SALT": "146585145368132386173505678016728509634",
            "SESSION_COOKIE_SECURE": True,
            "SERVER_NAME": "localhost",
            "PREFERRED_URL_SCHEME": "https",
            "MAIL_BACKEND": "locmem",
            "MAIL_DEFAULT_SENDER": "marronnier@example.org",
            "RATELIMIT_ENABLED": False,
            "SEAL_KEY": str(Path(os.environ.get("MARRONNIER_TESTS_FOLDER", gettempdir())) / f"{self.name}.pem"),
            **more,
        }

    def app(self, **settings: Any) -> Flask:
        """An application that commits to this database."""
        from exchange.factory import create_app  # here: tests of the books alone run whatever the pages are worth

        app = create_app(self.settings(**settings))
        self._apps.append(app)
        return app

    @contextmanager
    def connected(self, role: str = "web") -> Iterator[psycopg.Connection]:
        """A connection of one's own, as "web", "owner" or "superuser", in autocommit."""
        with psycopg.connect(plain(getattr(self, f"{role}_url")), autocommit=True) as connection:
            yield connection

    def do_jobs(self, app: Flask) -> None:
        """Let the worker do what is queued, in a thread: the loop of a browser may already run in ours."""
        failed: list[BaseException] = []

        def work() -> None:
            try:
                jobs.work(app, wait=False, install_signal_handlers=False)
            except BaseException as error:
                failed.append(error)

        thread = Thread(target=work, name="worker")
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    def let_go(self) -> None:
        """Close the connections that our applications keep."""
        for app in self._apps:
            with app.app_context():
                for engine in db.engines.values():
                    engine.dispose()


def plain(url: str) -> str:
    """An address as libpq wants it, for psycopg and procrastinate."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Postgres:
    """The server of this run, shared by its workers through ``folder``; or ``server``, for who must do it harm."""

    def __init__(self, folder: Path, server: Server | None = None) -> None:
        self.folder = folder
        self.run = folder.name.rpartition("-")[2].lower()
        given = None if server else os.environ.get("TEST_DATABASE_URL")
        self.embedded = server or (None if given else Server(folder / "pg", fast=True, max_connections=250))
        self._root = make_url(given or self.embedded.url("postgres")).set(drivername="postgresql+psycopg")
        # the same for runs at the same time on one server, and known to nobody who doesn't know the superuser's
        self._password = hashlib.sha256(f"marronnier {given}".encode()).hexdigest()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One worker of the run at a time."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _superuser(self, database: str | None = None) -> Iterator[psycopg.Connection]:
        with psycopg.connect(plain(self._url(database)), autocommit=True) as connection:
            yield connection

    def _url(self, database: str | None, role: str | None = None) -> str:
        url: URL = self._root.set(database=database or self._root.database or "postgres")
        if role:
            url = url.set(username=role, password=self._password)
        return url.render_as_string(hide_password=False)

    def named(self, end: str) -> Database:
        """The database of this run with this name, which may not exist yet."""
        name = f"{PREFIX}{self.run}_{end}"
        return Database(name, self._url(name), self._url(name, OWNER_ROLE), self._url(name, WEB_ROLE))

    def empty(self) -> Database:
        """A new database without a table."""
        self._ready()
        made = self.named(uuid4().hex[:12])
        with self._superuser() as connection:
            make_roles(connection, made.name)
        return made

    def copy(self, end: str | None = None) -> Database:
        """A new database with everything that the migrations make, and a territory."""
        template = self._template()
        made = self.named(end or uuid4().hex[:12])
        with self._superuser() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    sql.Identifier(made.name), sql.Identifier(OWNER_ROLE), sql.Identifier(template.name)
                )
            )
        return made

    def drop(self, database: Database) -> None:
        """Forget a database of this run."""
        assert database.name.startswith(PREFIX)
        database.let_go()
        with self._superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name)))

    def drop_those(self, start: str) -> None:
        """Forget the databases of this run whose ``end`` begins like this, whoever made them."""
        with self._superuser() as connection:
            made = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self.named(start).name]
            ).fetchall()
            for (name,) in made:
                with suppress(psycopg.errors.InvalidCatalogName):
                    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _template(self) -> Database:
        """The database that the others are copied from, made by the first worker that wants one."""
        self._ready()
        template, made = self.named("template"), self.folder / "template-made"
        with self._alone():
            if not made.exists():
                self.drop(template)
                with self._superuser() as connection:
                    make_roles(connection, template.name)
                upgrade(template.owner_url)
                with template.connected("owner") as owner:
                    owner.execute("INSERT INTO territory (name, school_zone) VALUES (%s, 'B')", [TERRITORY])
                made.touch()
        return template

    def _ready(self) -> None:
        """Start the embedded server if nobody did, and let the roles of tests sign in."""
        done = self.folder / "roles-made"
        with self._alone():
            if self.embedded:
                self.embedded.start()
            if done.exists():
                return
            with self._superuser() as connection:
                make_roles(connection)
                for role in (OWNER_ROLE, WEB_ROLE):
                    connection.execute(
                        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(self._password))
                    )
            done.touch()

    def forget(self) -> None:
        """At the end of the run: the embedded server goes, or the databases that were made on the given one."""
        if self.embedded:
            self.embedded.remove()
        elif (self.folder / "roles-made").exists():
            self.drop_those("")
        shutil.rmtree(self.folder, ignore_errors=True)
