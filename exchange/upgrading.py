"""Brings a database to the tables that this code expects, as the owner of the tables."""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate
from flask_migrate import upgrade as run_migrations

from exchange.config import ROOT, _driver
from exchange.db import db

MIGRATIONS = str(ROOT / "migrations")


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Run every migration up to ``revision``; those already run are left alone.

    On an application that has nothing but its tables, so that a page at fault can't keep an operator from migrating.
    """
    app = Flask("exchange.upgrading")
    app.config.update(OWNER_URL=_driver(owner_url), SQLALCHEMY_DATABASE_URI=_driver(owner_url))
    db.init_app(app)
    Migrate(app, db, directory=MIGRATIONS)
    with app.app_context():
        run_migrations(MIGRATIONS, revision)
