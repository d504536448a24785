"""Options and waiting lists for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from exchange import clock
from exchange.bookings import options, waiting, wishes
from exchange.bookings.api import as_mine, asked_for, by_its_item
from exchange.bookings.api_offers import resources
from exchange.bookings.schemas import BookingShape, WaitedPage, WaitedShape, WaitingQuery, WantedBooking
from exchange.bookings.telling import Waited, own_booking, own_wish, tell, waited, write_asked, write_called
from exchange.bookings.waiting import WishView
from exchange.db import db
from exchange.errors import WrongState
from exchange.formats import explain
from exchange.rest import shapes
from exchange.rest.paging import PageQuery, sliced
from exchange.rest.resources import Deed, Done
from exchange.security import Scope, office, own, territory
from exchange.sentences import N

__all__ = ["resources"]  # with what ``api`` offers


@resources.acts("/options", N("Prendre une option"), takes=WantedBooking, gives=BookingShape, status=201)
def take_option(given: dict[str, Any]) -> Deed:
    """Held without a firm request until ``held_until``, where its lender lends so; it costs nothing until then."""
    by, wanted = asked_for(given)

    def take(session: Session, at: datetime) -> Done:
        with by_its_item(wanted):
            booking = options.take(session, wanted, zone=territory().zone, by=by, at=at)
        return Done(_mine(booking.token), url_for("api_bookings.show", booking=booking.token))

    return Deed(by, take)


def _mine(token: str) -> dict[str, Any]:
    return as_mine(tell([own_booking(token)[0]])[0])


@resources.acts("/bookings/<booking>/confirmation", N("Confirmer une option"), gives=BookingShape)
def confirm_option(_given: dict[str, Any], booking: str) -> Deed:
    """Every rule is run again; it is held all the while."""
    return _confirm(booking, own_booking(booking)[1])


def _confirm(booking: str, scope: Scope) -> Deed:
    by = scope.acting(own_booking(booking)[0].party_id)

    def write(session: Session, at: datetime) -> Done:
        made = options.confirm(session, booking, parties=scope.parties, by=by, at=at)
        write_asked(session, made, at=at)
        return Done(_mine(booking))

    return Deed(by, write)


@resources.acts("/bookings/<booking>/release", N("Renoncer à une option"), gives=BookingShape)
def release_option(_given: dict[str, Any], booking: str) -> Deed:
    """It is free at once, or held for who waits for it."""
    return _release(booking, own_booking(booking)[1])


def _release(booking: str, scope: Scope) -> Deed:
    by = scope.acting(own_booking(booking)[0].party_id)

    def write(session: Session, at: datetime) -> Done:
        options.release(session, booking, parties=scope.parties, by=by, at=at)
        return Done(_mine(booking))

    return Deed(by, write)


# -- the waiting list


@resources.reads("/waiting-list", N("Mes places sur liste d’attente"), query=WaitingQuery, gives=WaitedPage)
def wishes_(query: dict[str, Any]) -> dict[str, Any]:
    """Mine, and those of the parties that I act for; the first joined first."""
    found = waiting.of_parties(db.session(), own("booking.read").parties, at=clock.now())
    return _page([wish for wish in found if query["ended"] or wish.outcome is None], query)


def _page(found: list[WishView], query: dict[str, Any]) -> dict[str, Any]:
    page = sliced(found, query, lambda wish: wish.token)
    items = [_place(told) for told in waited(list(page.rows))]
    return {"items": items, "next": page.last.token if page.last else None}


def _place(told: Waited) -> dict[str, Any]:
    wish = told.wish
    return {
        "id": wish.token,
        "lender": shapes.party(told.lender),
        "party": shapes.party(told.party),
        "items": [
            {"resource": shapes.resource_name(told.resources[id_]), "quantity": many} for id_, many in wish.items
        ],
        "starts_at": wish.starts_at,
        "ends_at": wish.ends_at,
        "purpose": wish.purpose,
        "people": wish.people,
        "joined_at": wish.joined_at,
        "before": wish.before,
        "booking": wish.turn,
        "held_until": wish.turn_until,
        "outcome": wish.outcome,
        "detail": explain(wish.finding).what if wish.finding else None,
    }


@resources.acts("/waiting-list", N("Attendre ce qui est pris"), takes=WantedBooking, gives=WaitedShape, status=201)
def join(given: dict[str, Any]) -> Deed:
    """Whoever could ask for it may wait; who holds it under option must then confirm sooner."""
    by, wanted = asked_for(given)

    def wait(session: Session, at: datetime) -> Done:
        with by_its_item(wanted):
            joined = wishes.join(session, wanted, zone=territory().zone, by=by, at=at)
        write_called(session, joined, at=at)
        return Done(_place(waited([own_wish(joined.wish.token)[0]])[0]), url_for("api_bookings.wishes_"))

    return Deed(by, wait)


@resources.acts("/waiting-list/<wish>/departure", N("Quitter une liste d’attente"), gives=WaitedShape)
def leave(_given: dict[str, Any], wish: str) -> Deed:
    """What was held for me is free, or held for who comes next."""
    found, scope = own_wish(wish)
    by = scope.acting(found.party_id)

    def write(session: Session, at: datetime) -> Done:
        wishes.leave(session, wish, parties=scope.parties, by=by, at=at)
        return Done(_place(waited([own_wish(wish)[0]])[0]))

    return Deed(by, write)


@resources.acts("/waiting-list/<wish>/acceptance", N("Prendre ce qui s’est libéré"), gives=BookingShape)
def take_turn(_given: dict[str, Any], wish: str) -> Deed:
    """It becomes a request: every rule is run again, and it is held all the while."""
    return _confirm(*_turn(wish))


@resources.acts("/waiting-list/<wish>/refusal", N("Laisser ce qui s’est libéré"), gives=BookingShape)
def decline_turn(_given: dict[str, Any], wish: str) -> Deed:
    """The next who waits has it; one's own place is gone."""
    return _release(*_turn(wish))


def _turn(wish: str) -> tuple[str, Scope]:
    """The booking that is held for a place. Raises NotFound; WrongState while nothing is."""
    found, scope = own_wish(wish)
    if found.turn is None:
        raise WrongState(state="waiting")
    return found.turn, scope


@resources.reads(
    "/lenders/<lender>/waiting-list", N("Qui attend ce que nous prêtons"), query=PageQuery, gives=WaitedPage
)
def waiting_(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """In the order in which they joined, which is that in which they are served."""
    return _page(waiting.of_lender(db.session(), office("booking.decide", lender).party.id, at=clock.now()), query)
