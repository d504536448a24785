"""Closing for programs: what is closed for a time, why, and the bookings that it displaces."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from exchange import clock
from exchange.bookings import moving
from exchange.bookings.api import as_asked
from exchange.bookings.api_searching import resources
from exchange.bookings.schemas import (
    ClosureDetail,
    ClosurePage,
    ClosuresQuery,
    DisplacedShape,
    NewClosure,
    WantedClosure,
)
from exchange.bookings.telling import tell
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations, policy
from exchange.closures import queries as closures
from exchange.closures.queries import ClosureView
from exchange.db import db
from exchange.errors import NotFound, WrongFields
from exchange.rest import shapes
from exchange.rest.paging import sliced
from exchange.rest.resources import Deed, Done
from exchange.security import Office, office
from exchange.sentences import N

__all__ = ["resources"]  # with what ``api`` offers

MOST = 1000


@resources.reads("/lenders/<lender>/closures", N("Ce qui est fermé pour un temps"), query=ClosuresQuery,
                 gives=ClosurePage)  # fmt: skip
def closed(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """The first to begin first; what is lent again, the last closed first."""
    desk, session, at = office("booking.decide", lender), db.session(), clock.now()
    found = (closures.over if query["over"] else closures.of_lender)(session, desk.party.id, at=at, size=MOST)
    page = sliced(found, query, lambda closure: closure.token)
    views = catalogue.views(session, [each.resource_id for each in page.rows])
    items = [_told(each, views[each.resource_id]) for each in page.rows]
    return {"items": items, "next": page.last.token if page.last else None}


def _told(closure: ClosureView, it: ResourceView) -> dict[str, Any]:
    kept = ("kind", "reason", "quantity", "starts_at", "ends_at", "closed_at", "lifted_at")
    told = {name: getattr(closure, name) for name in kept}
    return {"id": closure.token, "resource": shapes.resource_name(it), **told}


@resources.reads("/lenders/<lender>/closures/<closure>", N("Une fermeture"), gives=ClosureDetail)
def closure(lender: str, closure: str) -> dict[str, Any]:
    """With the bookings that are still to be moved."""
    return _detail(db.session(), office("booking.decide", lender), closure, clock.now())


def _detail(session: Session, desk: Office, token: str, at: datetime) -> dict[str, Any]:
    found = closures.mine(session, token, desk.party.id)
    if found is None:
        raise NotFound
    it = catalogue.views(session, [found.resource_id])[found.resource_id]
    displaced = [] if found.over(at) else moving.displaced(
        session, it, found.starts_at, found.ends_at, closing=0, at=at
    )  # fmt: skip
    return {**_told(found, it), "bookings": [as_asked(told) for told in tell(displaced)]}


@resources.acts("/lenders/<lender>/resources/<resource>/closures/quotes", N("Voir ce qu’une fermeture déplacerait"),
                takes=WantedClosure, gives=DisplacedShape)  # fmt: skip
def displaces(given: dict[str, Any], lender: str, resource: str) -> Deed:
    """The bookings that would be left without what they need; nothing is closed."""
    desk, it = _closing(lender, resource, given)

    def look(session: Session, at: datetime) -> Done:
        policy.check(given["starts_at"], given.get("ends_at"), at=at)
        many = policy.check_quantity(it.kind, given.get("quantity"), it.quantity) or 0
        found = moving.displaced(session, it, given["starts_at"], given.get("ends_at"), closing=many, at=at)
        return Done({"bookings": [as_asked(told) for told in tell(found)]})

    return Deed(desk.by, look)


def _closing(lender: str, resource: str, given: dict[str, Any]) -> tuple[Office, ResourceView]:
    """What would be closed, by whose office. Raises NotFound, NotAllowed, WrongFields for so many of what is one."""
    desk = office("booking.decide", lender)
    found = catalogue.mine_by_token(db.session(), desk.party.id, resource)
    if found is None or found.retired_at is not None:
        raise NotFound
    if found.kind != "pool" and "quantity" in given:
        raise WrongFields(errors={"quantity": [_("Il n’y en a qu’un exemplaire.")]})
    return desk, found


@resources.acts("/lenders/<lender>/resources/<resource>/closures", N("Fermer pour un temps"), takes=NewClosure,
                gives=ClosureDetail, status=201)  # fmt: skip
def close(given: dict[str, Any], lender: str, resource: str) -> Deed:
    """What is booked then stays booked, and is told: it is for the lender to move."""
    desk, it = _closing(lender, resource, given)

    def shut(session: Session, at: datetime) -> Done:
        made = operations.close(
            session, it, kind=given["kind"], reason=given["reason"], starts_at=given["starts_at"],
            ends_at=given.get("ends_at"), quantity=given.get("quantity"), by=desk.by, at=at,
        )  # fmt: skip
        here = url_for("api_bookings.closure", lender=lender, closure=made.token)
        return Done(_detail(session, desk, made.token, at), here)

    return Deed(desk.by, shut)


@resources.acts("/lenders/<lender>/closures/<closure>/end", N("Rouvrir"), gives=ClosureDetail)
def lift(_given: dict[str, Any], lender: str, closure: str) -> Deed:
    """Lend it again, before the end that was planned."""
    desk = office("booking.decide", lender)

    def reopen(session: Session, at: datetime) -> Done:
        operations.lift(session, closure, lender=desk.party.id, by=desk.by, at=at)
        return Done(_detail(session, desk, closure, at))

    return Deed(desk.by, reopen)
