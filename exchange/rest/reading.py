"""What a request carries, read strictly: one JSON object, each parameter once, nothing that is not expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from flask import Request
from marshmallow import RAISE, Schema, ValidationError
from webargs.core import missing
from webargs.flaskparser import FlaskParser

from exchange.errors import MalformedJson, NotJson, TooBig, WrongFields

MOST_BYTES = 64 * 1024
"""Of a body, unless its schema says more (``most_bytes``): one that holds a file."""


class StrictParser(FlaskParser):
    """Reads the body and the address for the schemas of the API."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The object in the body. Raises TooBig, NotJson or MalformedJson."""
        most = getattr(schema, "most_bytes", MOST_BYTES)
        if (req.content_length or 0) > most:
            raise TooBig
        body = req.get_data(cache=True)
        if len(body) > most:
            raise TooBig
        if not body:
            return missing
        if req.mimetype != "application/json":
            raise NotJson
        return parsed(body)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The parameters of the address; one that comes twice is refused, since nobody knows which one counts."""
        twice = [name for name, values in req.args.lists() if len(values) > 1]
        if twice:
            raise WrongFields(errors={name: [str(schema.error_messages["twice"])] for name in twice})
        return req.args.to_dict()

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **_more: Any) -> NoReturn:
        """What is wrong, by the path of the field: "items.0.quantity"."""
        raise WrongFields(errors=flat(next(iter(error.messages_dict.values())))) from error


def parsed(body: bytes) -> Any:
    """The value of a JSON text, in UTF-8. Raises MalformedJson, also for what no JSON says: NaN, a name twice."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError) as wrong:  # a number of ten thousand figures is a ValueError too
        raise MalformedJson from wrong


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name twice")
    return read


def flat(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Messages of nested fields as one table from path to sentences."""
    if not isinstance(messages, Mapping):
        told = messages if isinstance(messages, list | tuple) else [messages]  # one lazy sentence is no list of letters
        return {path or "body": [str(said) for said in told]}
    found: dict[str, list[str]] = {}
    for name, inner in messages.items():
        below = path if name == "_schema" else f"{path}.{name}".lstrip(".")
        found |= flat(inner, below)
    return found
