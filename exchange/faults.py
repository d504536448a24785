"""Every error as a page, or as a problem document for programs (RFC 9457); none shows more than its sentence."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

import psycopg
from flask import Flask, Response, current_app, g, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException

from exchange.db import InDoubt, db
from exchange.errors import NotInstalled, status_of
from exchange.sentences import SENTENCES, Sentence, sentence_of
from ledger.errors import Refused

logger = logging.getLogger(__name__)

PutOff = tuple[Response | str, int, dict[str, str]]
# a database that only reads (a standby, or so set by who looks after it), a connection that it closed on who was idle
NOT_NOW = ("25006", "25P03")

TITLES = {
    400: lazy_gettext("Demande incompréhensible"),
    401: lazy_gettext("Connexion nécessaire"),
    403: lazy_gettext("Page réservée"),
    404: lazy_gettext("Page introuvable"),
    405: lazy_gettext("Action impossible ici"),
    409: lazy_gettext("Déjà fait, ou déjà pris"),
    413: lazy_gettext("Envoi trop lourd"),
    415: lazy_gettext("Format non reconnu"),
    422: lazy_gettext("Ce n’est pas possible"),
    429: lazy_gettext("Trop d’essais"),
    500: lazy_gettext("Une erreur de notre part"),
    503: lazy_gettext("Service momentanément indisponible"),
}
TITLES_OF_RULES = {"not-sealed": lazy_gettext("Pas encore scellé")}  # where the title of its status would say otherwise


def answer(status: int, sentence: Sentence, rule: str = "about:blank", *, links: list[tuple[str, str]] | None = None,
           **more: object) -> tuple[Response | str, int]:  # fmt: skip
    """An error as the caller reads it: a page, or a problem document under ``/api/``."""
    title = str(
        TITLES_OF_RULES.get(rule.rpartition("#")[2]) or TITLES.get(status) or TITLES[400 if status < 500 else 500]
    )
    if request.path.startswith("/api/"):
        problem = {"type": rule, "title": title, "status": status, "detail": " ".join(filter(None, sentence)), **more}
        body = jsonify(problem)
        body.mimetype = "application/problem+json"
        return body, status
    remedy = [sentence.remedy] if sentence.remedy else []
    page = render_template("errors/error.html", status=status, title=title, sentence=sentence.what, remedy=remedy,
                           links=links or [], written=g.get("written", []))  # fmt: skip
    return page, status


def refused(error: Refused) -> tuple[Response | str, int]:
    """A domain error that no form caught."""
    db.session.rollback()
    links = []
    if location := error.facts.get("location"):
        links.append((_("Voir ce qui est enregistré"), location))
    return answer(status_of(error), sentence_of(error), f"/api/v1/problems#{error.rule}", links=links)


def http_error(error: HTTPException) -> tuple[Response | str, int]:
    """An error of HTTP itself: unknown address, wrong method, too large..."""
    sentences = {
        400: Sentence(_("Nous n’avons pas compris cette demande."), _("Revenez en arrière et recommencez.")),
        401: Sentence(_("Il faut se connecter pour voir cette page.")),
        403: Sentence(_("Cette page est réservée.")),
        404: SENTENCES["not-found"]({}),
        405: Sentence(_("Cette adresse ne se demande pas de cette façon."), _("Repartez de l’accueil.")),
        413: Sentence(_("Cet envoi est trop lourd : 10 Mo au plus."),
                      _("Choisissez un fichier plus petit, et recommencez.")),
        429: Sentence(_("Trop d’essais en peu de temps."), _("Attendez quelques minutes, puis recommencez.")),
    }  # fmt: skip
    code = error.code or 500
    if code < 400 and error.response is not None:
        return error.response, code  # type: ignore[return-value]  # a redirection is no Response of Flask's own type
    page, status = answer(code, sentences.get(code, sentences[400]))
    if error.response is None and isinstance(page, Response):
        page.headers.extend([(k, v) for k, v in error.get_headers() if k == "Allow"])
    return page, status


def forged(_error: CSRFError) -> tuple[Response | str, int]:
    """The form was sent by another site, or the cookies were removed meanwhile; what was written is given back."""
    g.written = _written() if request.headers.get("Sec-Fetch-Site") == "same-origin" else []
    if not current_user.is_authenticated and g.written:
        back = urlsplit(request.referrer or "").path or None
        return answer(400, Sentence(
            _("Vous n’êtes plus connecté sur cet appareil : rien n’a été enregistré."),
            _("Connectez-vous, puis recommencez."),
        ), links=[(_("Se connecter"), url_for("security.login", next=back))])  # fmt: skip
    return answer(400, Sentence(
        _("Ce formulaire n’a pas pu être vérifié : la page a peut-être été ouverte avant votre connexion."),
        _("Rouvrez la page et recommencez."),
    ))  # fmt: skip


SECRETS = {"password", "new", "csrf_token", "key"}


def _written() -> list[str]:
    """What somebody wrote in sentences in a form of ours: a form of another site has nothing to show here."""
    return [value for name, value in request.form.items(multi=True) if name not in SECRETS and len(value.split()) > 1]


def unavailable(error: Exception) -> PutOff:
    """The database doesn't answer, or is full, or is kept by somebody else, or its pool is exhausted: nothing was
    written, unless an earlier part of the same request was.
    """
    if g.get("committed") and request.method == "POST":
        return in_doubt(error)
    return _put_off(error, Sentence(
        _("Le service ne répond pas en ce moment. Rien n’a été enregistré."),
        _("Attendez une minute et recommencez."),
    ))  # fmt: skip


def not_installed(error: NotInstalled) -> PutOff:
    """Whoever installed it has not said yet what it serves."""
    return _put_off(error, sentence_of(error))


def in_doubt(error: Exception) -> PutOff:
    """The database went away while it was writing, and nobody knows whether it did."""
    return _put_off(error, Sentence(
        _("Le service s’est interrompu pendant l’enregistrement : nous ne savons pas s’il a eu lieu."),
        _("Attendez une minute, puis regardez si c’est enregistré avant de recommencer."),
    ))  # fmt: skip


def _put_off(error: Exception, sentence: Sentence) -> PutOff:
    """Say so; the page that says it asks the database nothing more, not even who reads it."""
    logger.warning("unavailable: %r", error)
    db.session.remove()
    g.unanswered = True
    current_app.login_manager._update_request_context_with_user(None)  # type: ignore[attr-defined]  # see rest/tokens.py
    return *answer(503, sentence), {"Retry-After": "60"}


def broken(error: InternalError) -> PutOff | tuple[Response | str, int]:
    """What the database calls its own fault: it only reads for the moment, or it is one of ours."""
    return unavailable(error) if getattr(error.orig, "sqlstate", None) in NOT_NOW else unexpected(error)


def unreadable(error: DataError) -> tuple[Response | str, int]:
    """A value that the database can't hold reached it: refused like any other bad value."""
    logger.warning("value refused by the database: %s", error)
    db.session.rollback()
    return answer(422, Sentence(_("Une des valeurs envoyées ne peut pas être enregistrée.")))


def unexpected(error: Exception) -> tuple[Response | str, int]:
    """A fault of ours."""
    logger.exception("unexpected error", exc_info=error)
    db.session.rollback()
    return answer(500, Sentence(
        _("Quelque chose s’est mal passé de notre côté. Rien n’a été enregistré."),
        _("Recommencez ; si cela se reproduit, prévenez un administrateur."),
    ))  # fmt: skip


def init(app: Flask) -> None:
    """Bind to the application."""
    app.register_error_handler(Refused, refused)
    app.register_error_handler(NotInstalled, not_installed)
    app.register_error_handler(CSRFError, forged)
    app.register_error_handler(HTTPException, http_error)
    for unanswered in (
        OperationalError, InterfaceError, PoolExhausted, psycopg.OperationalError, psycopg.InterfaceError,
    ):  # fmt: skip
        app.register_error_handler(unanswered, unavailable)
    app.register_error_handler(InDoubt, in_doubt)
    app.register_error_handler(InternalError, broken)
    app.register_error_handler(DataError, unreadable)
    app.register_error_handler(Exception, unexpected)
