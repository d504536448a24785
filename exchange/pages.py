"""Pages of the service itself: home, accessibility, health."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, jsonify, render_template
from sqlalchemy import text

from exchange.config import ROOT
from exchange.db import db


def home() -> str:
    """The first page, for whoever comes."""
    return render_template("home.html")


def accessibility() -> str:
    """The operator's statement of accessibility, on the official French model."""
    return render_template("accessibility.html")


def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


def newest_migration() -> str:
    """The migration that this code expects."""
    return max(file.name.split("_")[0] for file in Path(ROOT / "migrations/versions").glob("[0-9]*.py"))


def readyz() -> tuple[Response, int]:
    """The database answers and has the tables that this code expects."""
    at = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    ready = at == newest_migration()
    return jsonify(status="ok" if ready else "migrations-missing", migration=at), 200 if ready else 503


def init(app: Flask) -> None:
    """Bind to the application."""
    app.add_url_rule("/", "home", home)
    app.add_url_rule("/accessibilite", "accessibility", accessibility)
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)
