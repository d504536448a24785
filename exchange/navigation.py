"""What every page shows around its content: who is signed in, where they can go."""

from __future__ import annotations

from typing import Any

from flask import Flask, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from exchange import i18n
from exchange.security import held, territory


def _links() -> list[dict[str, Any]]:
    """The links of the main menu, for who is signed in."""
    return [{"label": _("Accueil"), "href": url_for("home"), "current": request.endpoint == "home"}]


def around() -> dict[str, Any]:
    """What ``base.html`` needs; an error page must show even when the database doesn't answer."""
    context: dict[str, Any] = {"locale": i18n.locale_name(), "languages": i18n.choices()}
    try:
        context["territory"] = territory()
        context["me"] = current_user if current_user.is_authenticated else None
        context["mandates"] = held()
        context["navigation"] = _links()
    except SQLAlchemyError:
        context |= {"territory": None, "me": None, "mandates": (), "navigation": []}
    return context


def init(app: Flask) -> None:
    """Bind to the application."""
    app.context_processor(around)
