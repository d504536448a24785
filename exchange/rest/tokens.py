"""Who asks: only the holder of an access token. A cookie opens nothing here, so that no other site can use one."""

from __future__ import annotations

from flask import current_app, g, request
from limits import RateLimitItemPerMinute

from exchange import clock, rates
from exchange.db import db
from exchange.errors import KeyMissing, TokenMissing
from exchange.members import queries as members
from exchange.members.models import SignIn

OF_A_TOKEN = RateLimitItemPerMinute(600)


def recognise() -> None:
    """Let the holder of the access token be who asks, for everything that reads ``current_user``.

    Whoever the cookies name is forgotten first. Raises TokenMissing, TooOften, and KeyMissing for a POST without key.
    """
    person = _holder()
    # Flask-Login's own way in, which Flask-Security takes too; its public ones begin a session. It hangs itself on the
    # application, whose type doesn't know.
    current_app.login_manager._update_request_context_with_user(person)  # type: ignore[attr-defined]
    if person is None:
        raise TokenMissing
    rates.at_most(OF_A_TOKEN, "api", str(person.id))
    if request.method == "POST":
        g.idempotency_key = _key()


def _holder() -> SignIn | None:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        return None
    return members.sign_in_of_token(db.session(), given.token, clock.now())


def _key() -> str:
    """The key of this request, bare or between quotes as the draft of the IETF writes it."""
    given = request.headers.get("Idempotency-Key", "").strip()
    key = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    if not 1 <= len(key) <= 100 or not key.isascii() or not key.isprintable():
        raise KeyMissing
    return key
