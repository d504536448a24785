"""Authorisations for programs: who may borrow what is reserved; saying so, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from exchange.authorisations import operations, queries
from exchange.authorisations.queries import AuthorisationView
from exchange.authorisations.schemas import AuthorisationPage, AuthorisationShape, NewAuthorisation
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.errors import NotFound, WrongFields
from exchange.members import queries as members
from exchange.rest import shapes
from exchange.rest.paging import PageQuery, sliced
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import Office, office, today
from exchange.sentences import N

resources = Resources("authorisations", N("Personnes autorisées"))


@resources.reads("/lenders/<lender>/resources/<resource>/authorisations", N("Qui peut l’emprunter"), query=PageQuery,
                 gives=AuthorisationPage)  # fmt: skip
def authorised(query: dict[str, Any], lender: str, resource: str) -> dict[str, Any]:
    """Those in force today, the last given first."""
    _desk, it = _mine(lender, resource)
    found = queries.of_resource(db.session(), it.id, on=today())
    page = sliced(found, query, lambda each: each.token)
    return {"items": _told(page.rows), "next": page.last.token if page.last else None}


def _mine(lender: str, resource: str) -> tuple[Office, ResourceView]:
    desk = office("catalogue.manage", lender)
    found = catalogue.mine_by_token(db.session(), desk.party.id, resource)
    if found is None:
        raise NotFound
    return desk, found


def _told(found: list[AuthorisationView]) -> list[dict[str, Any]]:
    session = db.session()
    parties = members.parties(session, [each.party_id for each in found])
    names = members.sign_in_names(session, [each.by_sign_in for each in found])
    return [
        {"id": each.token, "party": shapes.party(parties[each.party_id]), "until": each.until,
         "given_at": each.given_at, "given_by": names.get(each.by_sign_in or 0)}
        for each in found
    ]  # fmt: skip


@resources.acts("/lenders/<lender>/resources/<resource>/authorisations", N("Autoriser quelqu’un"),
                takes=NewAuthorisation, gives=AuthorisationShape, status=201)  # fmt: skip
def give(given: dict[str, Any], lender: str, resource: str) -> Deed:
    """Given again, it counts from then on with its own last day."""
    desk, it = _mine(lender, resource)
    party = members.party_by_token(db.session(), given["party"])
    if party is None or party.kind not in {"person", "organisation"}:
        raise WrongFields(errors={"party": [_("Personne ne s’appelle ainsi.")]})

    def write(session: Session, at: datetime) -> Done:
        made = operations.give(session, it, party.id, until=given.get("until"), today=today(), by=desk.by, at=at)
        kept = next(each for each in queries.of_resource(session, it.id, on=today()) if each.token == made.token)
        here = url_for("api_authorisations.authorised", lender=lender, resource=resource)
        return Done(_told([kept])[0], here)

    return Deed(desk.by, write)


@resources.acts("/lenders/<lender>/authorisations/<authorisation>/end", N("Retirer l’autorisation"),
                gives=AuthorisationPage)  # fmt: skip
def end(_given: dict[str, Any], lender: str, authorisation: str) -> Deed:
    """What was accepted stays. Those that are left for the same thing are told."""
    desk = office("catalogue.manage", lender)

    def write(session: Session, at: datetime) -> Done:
        ended = operations.withdraw(session, authorisation, lender=desk.party.id, by=desk.by, at=at)
        return Done({"items": _told(queries.of_resource(session, ended.resource_id, on=today())), "next": None})

    return Deed(desk.by, write)
