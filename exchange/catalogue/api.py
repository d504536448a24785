"""A lender's office for programs: what it has, and publishing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from exchange.catalogue import operations, queries
from exchange.catalogue.queries import ResourceView
from exchange.catalogue.schemas import KeptPage, KeptQuery, KeptShape, Publication
from exchange.db import db
from exchange.errors import NotFound
from exchange.members.queries import PartyView
from exchange.rest import shapes
from exchange.rest.paging import number
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import office
from exchange.sentences import N

resources = Resources("catalogue", N("Ce que prête une structure"))


@resources.reads(
    "/lenders/<lender>/resources", N("Ce qu’un prêteur a, publié ou non"), query=KeptQuery, gives=KeptPage
)
def kept(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """By category, then by name."""
    desk = office("catalogue.manage", lender)
    page = number(query.get("cursor")) or 1
    found = queries.of_lender(
        db.session(), desk.party.id, text=query.get("q"), status=query.get("status"), kind=query.get("kind"),
        category=query.get("category"), page=page, size=query["limit"],
    )  # fmt: skip
    rows = found.rows if page == found.page else []
    following = str(page + 1) if page < found.pages else None
    return {"items": [_told(row, desk.party) for row in rows], "next": following}


@resources.reads(
    "/lenders/<lender>/resources/<resource>", N("Une chose qu’un prêteur a"), gives=KeptShape
)
def one(lender: str, resource: str) -> dict[str, Any]:
    """Published or not."""
    desk = office("catalogue.manage", lender)
    return _told(_mine(desk.party, resource), desk.party)


@resources.acts(
    "/lenders/<lender>/resources/<resource>/publication", N("Publier"), takes=Publication, gives=KeptShape
)
def publish(given: dict[str, Any], lender: str, resource: str) -> Deed:
    """Show it to whoever looks for something; a room only with its capacity, within its building's legal limit."""
    desk = office("catalogue.manage", lender)
    row = _mine(desk.party, resource)

    def show(session: Session, at: datetime) -> Done:
        capacities = {row.id: given.get("capacity")}
        operations.publish(session, lender=desk.party.id, capacities=capacities, by=desk.by, at=at)
        return Done(_told(_mine(desk.party, resource), desk.party))

    return Deed(desk.by, show)


def _mine(lender: PartyView, token: str) -> ResourceView:
    found = queries.mine_by_token(db.session(), lender.id, token)
    if found is None:
        raise NotFound
    return found


def _told(row: ResourceView, lender: PartyView) -> dict[str, Any]:
    kept = {"status": row.status, "value_cents": row.value_cents, "photo_address": row.photo_address}
    return {**shapes.resource(row, lender), **kept}
