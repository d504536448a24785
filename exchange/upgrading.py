"""Brings a database to the tables that this code expects, as the owner of the tables."""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate
from flask_migrate import downgrade as undo_migrations
from flask_migrate import upgrade as run_migrations
from sqlalchemy import make_url

from exchange.config import ROOT
from exchange.db import db

MIGRATIONS = str(ROOT / "migrations")


def bare_app(owner_url: str) -> Flask:
    """An application that has nothing but its tables, so that a page at fault can't keep an operator from migrating."""
    app = Flask("exchange.upgrading")
    url = make_url(owner_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    app.config.update(OWNER_URL=url, SQLALCHEMY_DATABASE_URI=url)
    db.init_app(app)
    Migrate(app, db, directory=MIGRATIONS)
    return app


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Run every migration up to ``revision``; those already run are left alone."""
    with bare_app(owner_url).app_context():
        run_migrations(MIGRATIONS, revision)


def downgrade(owner_url: str, revision: str = "base") -> None:
    """Undo every migration down to ``revision``, with all the data that they made possible."""
    with bare_app(owner_url).app_context():
        undo_migrations(MIGRATIONS, revision)
