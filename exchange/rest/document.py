"""What the API offers, as an OpenAPI document for programs and as a page for people."""

from __future__ import annotations

import http
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Flask, Response, current_app, jsonify, render_template
from flask_babel import gettext as _
from flask_smorest import Api
from flask_smorest.utils import prepare_response
from flask_wtf import CSRFProtect
from markupsafe import Markup
from marshmallow import Schema

from exchange.i18n import locale_name
from exchange.rest import problems
from exchange.rest.fields import IDENTIFIER
from exchange.rest.resources import PREFIX, Resources

pages = Blueprint("api", __name__, url_prefix=PREFIX)
SAID = {"summary", "description", "title"}  # what the document says in words
METHODS = ("get", "post")


class Document(Api):
    """The API as flask-smorest describes it; errors stay those of the whole service, as problem documents."""

    ERROR_SCHEMA = problems.Problem

    def _register_error_handlers(self) -> None:
        """Ours answer, see ``exchange.faults`` and ``exchange.rest.problems``; smorest's would lose ``Allow``."""

    def _register_pagination_header(self) -> None:
        """Our pages are in the body, see ``exchange.rest.paging``."""

    def _register_responses(self) -> None:
        """Errors are of the media type of RFC 9457."""
        named = {status.name: status.phrase for status in http.HTTPStatus} | {"DEFAULT_ERROR": "Problem"}
        for name, phrase in named.items():
            response = {"description": phrase, "schema": self.ERROR_SCHEMA}
            prepare_response(response, self.spec, "application/problem+json")
            self.spec.components.response(name, response, lazy=True)


def init(app: Flask, csrf: CSRFProtect, offered: Iterable[Resources]) -> None:
    """Bind to the application, with the resources that each capability offers."""
    app.config |= {
        "API_TITLE": "Marronnier",
        "API_VERSION": "v1",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": None,  # the document and its page are ours, below
    }
    names = MarshmallowPlugin(schema_name_resolver=name_of_shape)
    document = Document(app, spec_kwargs={"marshmallow_plugin": names})
    identified = app.url_map.converters["default"]  # what addresses name things by
    document.register_converter(identified, lambda _converter: {"type": "string", "pattern": IDENTIFIER})
    document.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    document.spec.options["security"] = [{"token": []}]
    for resources in offered:
        document.register_blueprint(resources)
        csrf.exempt(resources)  # no cookie is accepted there, so there is nothing to forge
    app.extensions |= {"api_document": document, "api_drawn": {}}
    app.register_blueprint(pages)


def name_of_shape(shape: type[Schema] | Schema) -> str:
    """What the document calls a shape: "Booking" for BookingShape."""
    kind = shape if isinstance(shape, type) else type(shape)
    return kind.__name__.removesuffix("Shape")


def written() -> dict[str, Any]:
    """The OpenAPI document, in the language of the request."""
    document: Document = current_app.extensions["api_document"]
    told: dict[str, Any] = _translated(deepcopy(document.spec.to_dict()))
    told["servers"] = [{"url": "/"}]
    return told


def _translated(node: Any) -> Any:
    if isinstance(node, list):
        return [_translated(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _(value) if name in SAID and isinstance(value, str) and value else _translated(value)
        for name, value in node.items()
    }


@pages.get("/openapi.json")
def openapi() -> Response:
    """The document."""
    return jsonify(written())


@pages.get("/")
def index() -> str:
    """The document, for people: what can be asked."""
    return render_template("api/index.html", operations=_drawn("api/operations.html"))


@pages.get("/objects")
def shapes() -> str:
    """The document, for people: what is sent and received."""
    return render_template("api/shapes.html", objects=_drawn("api/objects.html"))


def _drawn(template: str) -> Markup:
    """A part of these pages, drawn once for each language: it changes with the program alone."""
    drawn: dict[tuple[str, str], Markup] = current_app.extensions["api_drawn"]
    if (template, locale_name()) not in drawn:
        told = written()
        groups: dict[str, list[dict[str, Any]]] = {}
        for path, operations in told["paths"].items():
            for method in METHODS:
                if method in operations:
                    groups.setdefault(_(operations[method]["tags"][0]), []).append(_line(path, method, operations))
        schemas = dict(sorted(told["components"]["schemas"].items()))
        drawn[template, locale_name()] = Markup(render_template(template, groups=groups, schemas=schemas))  # noqa: S704 - a template of ours
    return drawn[template, locale_name()]


def _line(path: str, method: str, operations: dict[str, Any]) -> dict[str, Any]:
    """One thing that can be asked, with the names of what it takes and gives."""
    operation = operations[method]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    success = next(code for code in operation["responses"] if code.startswith("2"))
    gives = operation["responses"][success]["content"]["application/json"]["schema"]
    return {
        "method": method.upper(), "path": path, "summary": operation["summary"], "status": success,
        "query": [p for p in operation.get("parameters", ()) if p.get("in") == "query"],
        "takes": name_of(body) if body else None, "gives": name_of(gives),
    }  # fmt: skip


def name_of(schema: dict[str, Any]) -> str:
    """The name of a shape that the document refers to."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


@pages.get("/problems")
def rules() -> str:
    """Every rule that can refuse, where the ``type`` of a problem leads."""
    return render_template("api/problems.html", rules=problems.catalogue())
