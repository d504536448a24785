"""Pages of the service itself: accessibility, legal notice, privacy, health."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from flask import Flask, Response, current_app, jsonify, render_template
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import text

from exchange import home
from exchange.config import ROOT
from exchange.db import db
from exchange.headers import tiles_host
from exchange.members.operations import SESSION_LIVES
from exchange.navigation import link
from exchange.security import territory

STATED_ON = date(2026, 11, 22)  # when the statement of accessibility was last read again


def accessibility() -> str:
    """The operator's statement of accessibility, on the official French model."""
    return render_template("accessibility.html", contact=contact(), established=STATED_ON, operator=operator())


def legal_notice() -> str:
    """Who answers for this service, as the law on digital services wants it said; what the installer left out, too."""
    said = {name: current_app.config.get(name.upper()) for name in ("operator_address", "publisher", "hosting")}
    return render_template("legal_notice.html", contact=contact(), operator=operator(), **said)


def privacy() -> str:
    """What is kept about people, and for how long: what the tables and the tasks really do, nothing better."""
    return render_template("privacy.html", contact=contact(), operator=operator(), days=SESSION_LIVES.days,
                           tiles_host=tiles_host())  # fmt: skip


def site_map() -> str:
    """The menu unfolded, and the pages that stand outside of it: the second way to find one's way."""
    yours = (
        [link(_("Mon profil"), "members.me"), link(_("Mon agenda dans mon téléphone"), "feeds.index"),
         link(_("Changer de mot de passe"), "security.change_password"),
         link(_("Clés d’accès pour un programme"), "members.tokens")]
        if current_user.is_authenticated
        else [link(_("Se connecter"), "security.login"), link(_("Mot de passe oublié"), "security.forgot_password")]
    )  # fmt: skip
    service = [
        link(_("Premiers pas"), "help"), link(_("La semaine de toutes les salles"), "bookings.week"),
        link(_("Les comptes scellés"), "seals.index"),
        link(_("Pour les programmes : l’API"), "api.index"), link(_("Mentions légales"), "legal_notice"),
        link(_("Confidentialité"), "privacy"), link(_("Accessibilité"), "accessibility"),
    ]  # fmt: skip
    return render_template("site_map.html", yours=yours, service=service)


def operator() -> str:
    """Who runs this install."""
    return current_app.config.get("OPERATOR") or _("L’organisme qui exploite ce service à %(place)s",
                                                   place=territory().name)  # fmt: skip


def contact() -> str:
    """Where to write to the operator of this install."""
    return str(current_app.config.get("CONTACT") or current_app.config.get("MAIL_DEFAULT_SENDER") or "")


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
    app.add_url_rule("/", "home", home.home)
    app.add_url_rule("/accessibilite", "accessibility", accessibility)
    app.add_url_rule("/plan", "site_map", site_map)
    app.add_url_rule("/mentions-legales", "legal_notice", legal_notice)
    app.add_url_rule("/confidentialite", "privacy", privacy)
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)
