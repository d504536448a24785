"""Refusals as problem documents (RFC 9457): their ``type`` is the address of the rule, explained on one page."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, url_for
from flask_babel import gettext as _
from marshmallow import fields
from werkzeug.exceptions import HTTPException

import ledger.errors
from exchange.db import db
from exchange.errors import TooBig, status_of
from exchange.faults import answer, http_error
from exchange.rest.fields import Figure, Shape, Text
from exchange.sentences import Sentence, sentence_of
from ledger.errors import Refused

# the name of a form's field, where a body calls it otherwise
FIELDS = {"starts": "starts_at", "ends": "ends_at", "day": "starts_at"}

# figures with which the page of the rules says the sentences that need some
EXAMPLES: dict[str, dict[str, Any]] = {
    "under-option": {"name": "Salle des fêtes", "until": "2026-12-01T18:00:00+01:00"},
    "slot-awaited": {"name": "Salle des fêtes"},
    "no-option": {"name": "Perceuse"},
    "too-many-options": {"most": 3},
    "too-many-wishes": {"most": 20},
    "not-lent-then": {"name": "Jardin partagé", "first": "2026-04-01", "last": "2026-09-30"},
    "not-a-slot": {"name": "Salle du bourg", "slots": "08:00-12:00,13:30-18:00"},
    "least-above-most": {"least": 120, "most": 60},
    "last-before-first": {"first": "2026-09-30", "last": "2026-04-01"},
    "too-many-at-once": {"most": 200},
    "shorter-than-lent": {"name": "Dojo", "minutes": 60},
    "longer-than-lent": {"name": "Dojo", "minutes": 2880},
    "asked-too-late": {"name": "Dojo", "hours": 48},
    "asked-too-early": {"name": "Dojo", "days": 90},
    "floor-reached": {"floor": -2000, "balance": -1950, "held": 0, "minutes": 90},
    "series-too-long": {"most": 120},
    "hour-missing": {"day": "2027-03-28", "hour": "02:30"},
    "too-many-people": {"name": "Salle des fêtes", "capacity": 60},
    "not-your-step": {"step": "Service technique"},
    "opinion-awaited": {"step": "Service technique"},
    "file-incomplete": {"missing": ["Attestation d’assurance"]},
    "document-too-long": {"most": 30},
    "documents-mixed": {"most": 8},
    "documents-full": {"most": 12},
    "charter-not-accepted": {"title": "Charte des salles"},
    "euros-missing": {"kind": "deposit", "cents": 30_000},
    "more-than-received": {"left": 30_000},
    "field-unknown": {"name": "demandeuse", "line": 3},
    "brace-alone": {"line": 3},
    "not-your-turn": {"first": "lender"},
    "picture-too-large": {"megapixels": 120},
    "more-than-booked": {"most": 20},
    "more-than-out": {"left": 18},
    "too-early": {"days": 7},
    "not-begun": {"starts_at": "2026-11-28T14:00:00+01:00"},
    "pays-themselves": {"name": "Alice Le Goff"},
    "closed": {"name": "Salle des fêtes"},
    "pool-exhausted": {"left": 12},
    "quantity-booked": {"peak": 12, "day": "2026-11-28"},
    "capacity-above-limit": {"capacity": 200, "limit": 120},
    "not-allowed": {"roles": ["officer"], "party": "Ville de Saint-Marron"},
    "too-often": {"minutes": 1},
    "weak-password": {"why": "short"},
    "outline-wrong": {"why": "not-closed", "where": "geometry.coordinates[0]"},
}


class Problem(Shape):
    """A refusal: which rule (``type``), in words (``detail``), and beside each field what is wrong with it."""

    type = Text(required=True)
    title = Text(required=True)
    status = Figure(required=True)
    detail = Text(required=True, most=4000)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    location = Text(most=2000)


def refused(error: Refused) -> Response:
    """A domain error as the program reads it."""
    db.session.rollback()
    status = status_of(error)
    problem = make_response(answer(status, sentence_of(error), f"/api/v1/problems#{error.rule}", **_more(error)))
    if status == 401:
        problem.headers["WWW-Authenticate"] = 'Bearer realm="Marronnier"'
    if status == 429:
        problem.headers["Retry-After"] = str(60 * error.facts.get("minutes", 1))
    return problem


def _more(error: Refused) -> dict[str, Any]:
    """What a program needs besides the words: the fields to mend, the address of what exists already."""
    if errors := error.facts.get("errors"):
        return {"errors": errors}
    if charter := error.facts.get("charter"):
        return {"location": url_for("api_charters.show", charter=charter)}
    if location := error.facts.get("location"):
        return {"location": location}
    name = error.facts.get("field") or getattr(error, "field", None)
    return {"errors": {FIELDS.get(name, name): [sentence_of(error).what]}} if name else {}


def of_http(error: HTTPException) -> Response:
    """An error of HTTP itself, which is of no rule of ours."""
    if error.code == 413:
        return refused(TooBig())
    return make_response(http_error(error))


def catalogue() -> list[tuple[str, int, Sentence]]:
    """Every rule that can refuse, its status, and what it says; in the order of the statuses."""
    kinds = {kind.rule: kind for kind in _below(ledger.errors.Refused)}
    return sorted((_explained(kind) for kind in kinds.values()), key=lambda row: (row[1], row[0]))


def _below(kind: type[Refused]) -> list[type[Refused]]:
    return [found for child in kind.__subclasses__() for found in (child, *_below(child)) if found.rule != "refused"]


def _explained(kind: type[Refused]) -> tuple[str, int, Sentence]:
    error = kind(**EXAMPLES.get(kind.rule, {}))
    try:
        said = sentence_of(error)
    except KeyError:  # its sentence needs figures that only a real refusal has
        said = Sentence(_("La phrase de ce refus dépend de la demande."))
    return kind.rule, status_of(error), said
