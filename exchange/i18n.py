"""Languages. Sentences are written in French; English is complete; others are offered when the installer says so."""

from __future__ import annotations

import os

from flask import Blueprint, Response, current_app, g, redirect, request, session, url_for
from flask_babel import Babel, get_locale

babel = Babel()
languages = Blueprint("languages", __name__)

NAMES = {"fr": "Français", "en": "English", "br": "Brezhoneg"}


def offered() -> list[str]:
    """The languages of this install: French, English, and those of MARRONNIER_LANGUAGES."""
    more = [code for code in os.environ.get("MARRONNIER_LANGUAGES", "").split(",") if code]
    return ["fr", "en", *more]


def chosen() -> str:
    """The language of this request: the one chosen on this device, else the browser's first that we have."""
    wanted = session.get("language")
    if wanted in offered():
        return str(wanted)
    return request.accept_languages.best_match(offered()) or "fr"


def safe_path(path: str | None) -> str:
    """A path of this site, to come back to; anything else is the home page."""
    if path and path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path:
        return path
    return url_for("home")


@languages.get("/langue/<code>")
def choose(code: str) -> Response:
    """Remember a language on this device and come back; nothing is written on the server."""
    if code in offered():
        session["language"] = code
    return redirect(safe_path(request.args.get("retour")), 303)


def choices() -> list[dict[str, object]]:
    """The languages as the page offers them."""
    current = str(get_locale())
    back = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return [
        {"code": code, "name": NAMES.get(code, code), "current": code == current,
         "href": url_for("languages.choose", code=code, retour=back)}
        for code in offered()
    ]  # fmt: skip


def locale_name() -> str:
    """The code of the language of this page, as ``lang`` wants it."""
    return str(get_locale() or "fr")


def init(app) -> None:  # type: ignore[no-untyped-def]
    """Bind Babel to the application."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "fr")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations")
    babel.init_app(app, locale_selector=chosen)
    app.register_blueprint(languages)
    _ = (g, current_app)
