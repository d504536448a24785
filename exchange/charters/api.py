"""Charters for programs: read the text, and accept it for a party."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from exchange.charters import operations, queries
from exchange.charters.queries import CharterView
from exchange.charters.schemas import CharterAccepted, CharterShape
from exchange.db import db
from exchange.errors import NotFound, WrongFields
from exchange.members import queries as members
from exchange.rest import shapes
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import own
from exchange.sentences import N

resources = Resources("charters", N("Chartes"))


@resources.reads("/charters/<charter>", N("Le texte d’une charte"), gives=CharterShape)
def show(charter: str) -> dict[str, Any]:
    """A refusal named charter-not-accepted leads here."""
    return _told(_found(charter))


def _found(token: str) -> CharterView:
    found = queries.version(db.session(), token)
    if found is None:
        raise NotFound
    return found


def _told(found: CharterView) -> dict[str, Any]:
    lender = members.parties(db.session(), [found.lender_id])[found.lender_id]
    return {"id": found.token, "lender": shapes.party(lender), "title": found.title, "text": found.text,
            "asked": found.asked, "written_at": found.written_at}  # fmt: skip


@resources.acts(
    "/charters/<charter>/acceptance", N("Accepter une charte"), takes=CharterAccepted, gives=CharterShape
)
def accept(given: dict[str, Any], charter: str) -> Deed:
    """In the name of a party; once is enough for each version."""
    found, scope = _found(charter), own("booking.ask")
    party = members.party_by_token(db.session(), given["party"])
    if party is None or party.id not in scope.parties:
        raise WrongFields(errors={"party": [_("Vous ne pouvez pas agir en ce nom.")]})
    by = scope.acting(party.id)

    def sign(session: Session, at: datetime) -> Done:
        operations.accept(session, party.id, [found], by=by, at=at)
        return Done(_told(found))

    return Deed(by, sign)
