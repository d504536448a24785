"""A lender's office for programs: what it has, adding, editing, publishing and retiring it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from exchange.catalogue import operations, policy, queries
from exchange.catalogue.queries import ResourceView
from exchange.catalogue.schemas import (
    Edition,
    KeptPage,
    KeptPlacePage,
    KeptPlaceShape,
    KeptQuery,
    KeptShape,
    NewPlace,
    NewResource,
    Publication,
)
from exchange.db import db
from exchange.errors import NotFound, WrongFields
from exchange.members.queries import PartyView
from exchange.rest import shapes
from exchange.rest.paging import PageQuery, number, sliced
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


# -- adding and editing


OF_KINDS = {  # facts that only some kinds of things have
    "capacity": {"room"}, "quantity": {"pool"}, "inventory_number": {"thing"}, "value_cents": {"thing", "pool"},
}  # fmt: skip


@resources.acts("/lenders/<lender>/resources", N("Ajouter une chose à prêter"), takes=NewResource, gives=KeptShape,
                status=201)  # fmt: skip
def add(given: dict[str, Any], lender: str) -> Deed:
    """Nobody sees it before it is published."""
    desk = office("catalogue.manage", lender)
    facts = _facts(given, given["kind"], desk.party)

    def keep(session: Session, at: datetime) -> Done:
        kind = facts.pop("kind")
        made = operations.add_resource(session, lender=desk.party.id, kind=kind, by=desk.by, at=at, **facts)
        here = url_for("api_catalogue.one", lender=lender, resource=made.token)
        return Done(_told(_mine(desk.party, made.token), desk.party), here)

    return Deed(desk.by, keep)


@resources.acts("/lenders/<lender>/resources/<resource>/edition", N("Modifier une chose"), takes=Edition,
                gives=KeptShape)  # fmt: skip
def edit(given: dict[str, Any], lender: str, resource: str) -> Deed:
    """What isn't named stays as it is; what is booked keeps its conditions."""
    desk = office("catalogue.manage", lender)
    facts = _facts(given, _mine(desk.party, resource).kind, desk.party)

    def write(session: Session, at: datetime) -> Done:
        operations.edit(session, _row(session, desk.party, resource), facts, by=desk.by, at=at)
        return Done(_told(_mine(desk.party, resource), desk.party))

    return Deed(desk.by, write)


def _facts(given: dict[str, Any], kind: str, lender: PartyView) -> dict[str, Any]:
    """What the catalogue keeps of a body. Raises WrongFields for what such a thing doesn't have, or another's place."""
    if strange := [name for name, kinds in OF_KINDS.items() if name in given and kind not in kinds]:
        raise WrongFields(errors={name: [_("Ce qui se prête ainsi n’a pas cela.")] for name in strange})
    facts = dict(given)
    if facts.get("slots"):
        facts["slots"] = policy.slots_typed(facts["slots"])
    if "place" in facts:
        facts["place_id"] = _place(lender, facts.pop("place"))
    return facts


def _place(lender: PartyView, token: str | None) -> int | None:
    found = queries.place_by_token(db.session(), lender.id, token) if token else None
    if token and found is None:
        raise WrongFields(errors={"place": [_("Ce lieu n’est pas l’un des vôtres.")]})
    return found.id if found else None


def _row(session: Session, lender: PartyView, token: str) -> Any:
    row = queries.row_of(session, lender.id, token)
    if row is None:
        raise NotFound
    return row


@resources.acts("/lenders/<lender>/resources/<resource>/withdrawal", N("Ne plus publier"), gives=KeptShape)
def withdraw(_given: dict[str, Any], lender: str, resource: str) -> Deed:
    """Nobody can ask for it any more; what is booked stays booked."""
    return _moved(lender, resource, operations.withdraw)


@resources.acts("/lenders/<lender>/resources/<resource>/retirement", N("Ne plus prêter"), gives=KeptShape)
def retire(_given: dict[str, Any], lender: str, resource: str) -> Deed:
    """Out of the lists, kept for the records."""
    return _moved(lender, resource, operations.retire)


@resources.acts("/lenders/<lender>/resources/<resource>/restoration", N("Prêter de nouveau"), gives=KeptShape)
def restore(_given: dict[str, Any], lender: str, resource: str) -> Deed:
    """Back in the lists, to be published again."""
    return _moved(lender, resource, operations.restore)


def _moved(lender: str, resource: str, act: Callable[..., None]) -> Deed:
    desk = office("catalogue.manage", lender)
    _mine(desk.party, resource)

    def move(session: Session, at: datetime) -> Done:
        act(session, _row(session, desk.party, resource), by=desk.by, at=at)
        return Done(_told(_mine(desk.party, resource), desk.party))

    return Deed(desk.by, move)


# -- places


@resources.reads("/lenders/<lender>/places", N("Les lieux d’un prêteur"), query=PageQuery, gives=KeptPlacePage)
def places(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """By name."""
    desk = office("catalogue.manage", lender)
    page = sliced(queries.places_of(db.session(), desk.party.id), query, lambda place: place.token)
    return {"items": [_as_place(place) for place in page.rows], "next": page.last.token if page.last else None}


@resources.acts("/lenders/<lender>/places", N("Ajouter un lieu"), takes=NewPlace, gives=KeptPlaceShape, status=201)
def add_place(given: dict[str, Any], lender: str) -> Deed:
    """Where rooms and things of this lender are."""
    desk = office("catalogue.manage", lender)
    legal_min, legal_max = policy.LEGAL_LIMITS[given["erp_category"]]

    def keep(session: Session, at: datetime) -> Done:
        made = operations.add_place(session, lender=desk.party.id, at=at, legal_min=legal_min, legal_max=legal_max,
                                    **given)  # fmt: skip
        return Done(_as_place(made), url_for("api_catalogue.places", lender=lender))

    return Deed(desk.by, keep)


def _as_place(place: Any) -> dict[str, Any]:
    return {"id": place.token, **{name: getattr(place, name) for name in shapes.PlaceShape().fields}}


def _mine(lender: PartyView, token: str) -> ResourceView:
    found = queries.mine_by_token(db.session(), lender.id, token)
    if found is None:
        raise NotFound
    return found


def _told(row: ResourceView, lender: PartyView) -> dict[str, Any]:
    kept = ("status", "value_cents", "photo_address", "inventory_number", "buffer_minutes")
    place = {**shapes.place(row), "id": row.place_token} if row.place_id is not None else None
    return {**shapes.resource(row, lender), **{name: getattr(row, name) for name in kept}, "place": place}
