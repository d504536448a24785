"""Puts the application together: settings, edge modules, then the pages of each capability."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_mailman import Mail
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from exchange import config, faults, formats, guide, headers, i18n, navigation, pages, sign_in, style
from exchange.adverts.views import adverts
from exchange.agreements.receipts import agreements
from exchange.audit.views import audit
from exchange.authorisations.views import authorisations
from exchange.bookings.verifying import bookings
from exchange.catalogue.many import catalogue
from exchange.charters.views import charters
from exchange.circuits.views import circuits
from exchange.db import db, engine_options
from exchange.declarations.views import declarations
from exchange.documents.views import documents
from exchange.feeds.views import feeds
from exchange.imports.views import imports
from exchange.keys.views import keys
from exchange.labels.views import labels
from exchange.lending.views import lending
from exchange.members.views import members
from exchange.organisations.views import organisations
from exchange.pictures.views import pictures
from exchange.reports.views import reports
from exchange.rest import document
from exchange.rest.offered import OFFERED
from exchange.rulebook.views import rulebook
from exchange.seals.views import seals
from exchange.statements.views import statements
from exchange.stewardship.views import stewardship

csrf = CSRFProtect()
MOST_UPLOADED = 11 * 1024 * 1024  # bytes: a photograph of 10 MiB and the form around it


class Token(BaseConverter):
    """What addresses name things by: nothing else than the signs of our random identifiers reaches a page."""

    regex = r"[A-Za-z0-9_-]{1,64}"


def create_app(settings: dict[str, Any] | None = None, *, patient: bool = False) -> Flask:
    """The WSGI application, from the environment, or from ``settings`` over it.

    ``patient``: for the worker and the commands, which wait for the database as long as it takes.

    Raises NotConfigured when no database is named.
    """
    app = Flask("exchange", template_folder=str(config.ROOT / "templates"), static_folder=None)
    app.url_map.converters["default"] = Token
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_UPLOADED,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=2000,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(patient=patient),
        PERMANENT_SESSION_LIFETIME=60 * 60 * 24 * 31,
    )
    app.config.update(config.from_environment() if settings is None else settings)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    if app.config.get("BEHIND_PROXIES"):
        hops = app.config["BEHIND_PROXIES"]
        # a method put in another's place is how Flask wraps an application
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    db.init_app(app)
    Mail(app)
    csrf.init_app(app)
    i18n.init(app)
    sign_in.init(app)
    headers.init(app)
    formats.init(app)
    faults.init(app)
    navigation.init(app)
    pages.init(app)
    guide.init(app)
    style.init(app)
    for pages_of_capability in (
        adverts, agreements, audit, authorisations, bookings, catalogue, charters, circuits, declarations, documents,
        feeds, imports, keys, labels, lending, members, organisations, pictures, reports, rulebook, seals, statements,
        stewardship,
    ):  # fmt: skip
        app.register_blueprint(pages_of_capability)
    document.init(app, csrf, OFFERED)
    return app
