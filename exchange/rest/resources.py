"""How a capability offers what it does: ``reads`` for a GET, ``acts`` for a POST that happens once for its key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, NamedTuple

from flask import Response, g, json, request
from flask_smorest import Blueprint
from marshmallow import Schema
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from exchange import idempotency
from exchange.rest import problems, tokens
from exchange.rest.reading import StrictParser
from exchange.rest.shapes import Nothing
from ledger.entries import Acting
from ledger.errors import Refused

PREFIX = "/api/v1"
KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"},
}
View = Callable[..., Any]


class Done(NamedTuple):
    """What an act answers: a body, the address of what it made, and whether the books were written."""

    body: dict[str, Any]
    location: str | None = None
    has_entry: bool = False


class Deed(NamedTuple):
    """An act about to happen: who does it, and the work of one transaction, given its session and its instant."""

    by: Acting
    work: Callable[..., Done]


class Resources(Blueprint):
    """The resources of one capability, for the holders of access tokens."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, title: str) -> None:
        super().__init__(f"api_{name}", __name__, url_prefix=PREFIX)
        self.title = title
        self.before_request(tokens.recognise)
        self.register_error_handler(Refused, problems.refused)
        self.register_error_handler(HTTPException, problems.of_http)

    def reads(
        self, rule: str, summary: str, *, gives: type[Schema], query: type[Schema] | None = None
    ) -> Callable[[View], View]:
        """A GET: the function returns what ``gives`` tells; with ``query``, it receives the parameters first."""

        def decorator(function: View) -> View:
            view = self.response(200, gives)(function)
            if query is not None:
                view = self.arguments(query, location="query")(view)
            self._offer(rule, "GET", summary, view)
            return function

        return decorator

    def acts(
        self, rule: str, summary: str, *, gives: type[Schema], takes: type[Schema] = Nothing, status: int = 200
    ) -> Callable[[View], View]:
        """A POST: the function receives the body, checks who may, and returns the Deed, which happens once."""
        shape = gives()

        def decorator(function: View) -> View:
            @wraps(function)
            def once(given: dict[str, Any], **path: str) -> Response:
                return _once(function(given, **path), given, shape, status)

            view = self.response(status, shape, headers=_location(status))(once)
            view = self.arguments(takes, required=takes is not Nothing)(view)
            self._offer(rule, "POST", summary, self.doc(parameters=[KEY])(view))
            return function

        return decorator

    def _offer(self, rule: str, method: str, summary: str, view: View) -> None:
        self.route(rule, methods=[method], tags=[self.title])(self.doc(summary=summary)(view))


def _location(status: int) -> dict[str, Any] | None:
    return {"Location": {"schema": {"type": "string"}}} if status == 201 else None


def _once(deed: Deed, given: dict[str, Any], shape: Schema, status: int) -> Response:
    """Do it, or answer exactly what an earlier request with this key was answered."""

    def do(session: Session, at: datetime) -> idempotency.Done:
        done = deed.work(session, at)
        return idempotency.Done(done.location, done.has_entry, json.dumps(shape.dump(done.body)), status)

    content = idempotency.digest(request.path, given)
    answer = idempotency.once(do, party=deed.by.party, key=g.idempotency_key, content=content)
    response = Response(answer.body, answer.status, mimetype="application/json")
    if answer.location:
        response.headers["Location"] = answer.location
    return response
