"""Languages. Sentences are written in French; English is complete; others are offered when the installer says so."""

from __future__ import annotations

import os

from babel.numbers import get_group_symbol
from flask import Blueprint, Flask, abort, has_request_context, redirect, request, session, url_for
from flask_babel import Babel, get_locale
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from ledger import minutes as durations

babel = Babel()
languages = Blueprint("languages", __name__)

DRAFTS = ("br",)  # begun, and reviewed by no speaker yet: what they lack is said in French
NAMES = {"fr": "Français", "en": "English", "br": "Brezhoneg (da adlenn)"}  # "to be read again"


def offered() -> list[str]:
    """The languages of this install: French, English, and those of MARRONNIER_LANGUAGES."""
    more = [code for code in os.environ.get("MARRONNIER_LANGUAGES", "").split(",") if code]
    return ["fr", "en", *more]


def chosen() -> str:
    """The language of this request: chosen on this device, else the signed-in person's, else the browser's first."""
    if not has_request_context():
        return "fr"  # the worker, the command line
    for wanted in (session.get("language"), _of_the_person()):
        if wanted in offered():
            return str(wanted)
    return request.accept_languages.best_match(offered()) or "fr"


def _of_the_person() -> str | None:
    try:
        return current_user.language if current_user.is_authenticated else None
    except (SQLAlchemyError, AttributeError):
        return None  # the page that says that the database doesn't answer has a language too


def safe_path(path: str | None) -> str:
    """A path of this site, to come back to; anything else is the home page."""
    if path and path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable():
        return path  # a browser drops tabs and line ends: "/<tab>/elsewhere" would be another site
    return url_for("home")


@languages.get("/langue/<code>")
def choose(code: str) -> Response:
    """Remember a language on this device and come back; nothing is written on the server."""
    if code not in offered():
        abort(404)
    session["language"] = code
    return redirect(safe_path(request.args.get("retour")), 303)


def choices() -> list[dict[str, object]]:
    """The languages as the page offers them."""
    current = str(get_locale())
    back = request.full_path.rstrip("?") if request.method != "POST" else "/"
    return [
        {"code": code, "name": NAMES.get(code, code), "current": code == current,
         "href": url_for("languages.choose", code=code, retour=back)}
        for code in offered()
    ]  # fmt: skip


def locale_name() -> str:
    """The code of the language of this page, as ``lang`` wants it."""
    return str(get_locale() or "fr")


def spell(minutes: int) -> str:
    """A duration in words, its thousands of hours parted as the language of the page does: "2 400 h", "2,400 h"."""
    return durations.spell(minutes).replace(durations.THOUSANDS, get_group_symbol(get_locale() or "fr"))


def init(app: Flask) -> None:
    """Bind Babel to the application."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "fr")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations")
    babel.init_app(app, locale_selector=chosen)
    app.register_blueprint(languages)
