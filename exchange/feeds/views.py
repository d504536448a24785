"""Pages of calendars: those that a telephone follows, and the page where people open them."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from exchange import clock
from exchange.bookings import queries as bookings
from exchange.catalogue import queries as catalogue
from exchange.db import db, transaction
from exchange.errors import NotFound
from exchange.feeds import operations, queries
from exchange.feeds.telling import address_of, followed, of_bookings, sides_of
from exchange.feeds.writing import calendar
from exchange.security import auth_required, held, own
from ledger.entries import Acting

feeds = Blueprint("feeds", __name__)
SIDES = {"reservations": "bookings", "prets": "loans"}  # as addresses say them
MIME = "text/calendar"


def _calendar(data: bytes, name: str) -> Response:
    """A calendar; who has it already is told that nothing changed. It is kept by nobody but who asks."""
    answer = Response(data, mimetype=MIME)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


@feeds.get("/agendas/<address>.ics")
def follow(address: str) -> Response:
    """What a telephone that follows an address is told."""
    return _calendar(followed(address), "agenda")


@feeds.get("/reservations/<booking>/agenda.ics")
@auth_required()
def event(booking: str) -> Response:
    """One booking, for the calendar of who has it."""
    found = bookings.within(db.session(), booking, own("booking.read").parties, at=clock.now())
    if found is None:
        raise NotFound
    return _calendar(calendar(_("Réservation"), of_bookings([found])), "reservation")


@feeds.get("/salles/<resource>/agenda")
def of_resource(resource: str) -> str:
    """How everybody follows when something is taken."""
    it = catalogue.published_by_token(db.session(), resource)
    if it is None:
        raise NotFound
    address = address_of(it.token)
    return render_template("feeds/resource.html", resource=it, address=address, webcal=_webcal(address))


class Line(NamedTuple):
    """A calendar that one may follow; ``address`` once it is open."""

    side: str  # as addresses say it
    party_token: str
    party_kind: str
    party_name: str
    lends: bool
    address: str | None

    @property
    def webcal(self) -> str:
        """The address with which a telephone opens its calendar by itself."""
        return _webcal(self.address or "")


def _webcal(address: str) -> str:
    return f"webcal://{address.partition('://')[2]}"


@feeds.get("/moi/agenda")
@auth_required()
def index() -> str:
    """One's calendars, and how a telephone shows them."""
    mine = held()
    opened = {(feed.party_id, feed.side): feed for feed in queries.of_sign_in(db.session(), current_user.id)}
    lending = {mandate.party_id for mandate in mine if mandate.role == "officer"}
    said = {side: name for name, side in SIDES.items()}
    lines = [
        Line(said[side], mandate.party_token, mandate.party_kind, mandate.party_name, party in lending,
             address_of(opened[party, side].secret) if (party, side) in opened else None)
        for (party, side), mandate in sides_of(mine).items()
    ]  # fmt: skip
    return render_template("feeds/index.html", lines=lines)


@feeds.post("/moi/agenda/<party>/<side>")
@auth_required()
def renew(party: str, side: str) -> Response:
    """Open an address, or put another in its place."""
    by, of = _mine(party, side)
    with transaction() as session:
        operations.open_(session, of, by=by, at=clock.now())
    flash(_("L’adresse est prête. S’il y en avait une autre, elle ne mène plus à rien."), "success")
    return redirect(url_for("feeds.index"), 303)


@feeds.post("/moi/agenda/<party>/<side>/fermeture")
@auth_required()
def close(party: str, side: str) -> Response:
    """The address leads nowhere any more."""
    by, of = _mine(party, side)
    with transaction() as session:
        operations.close(session, of, by=by)
    flash(_("C’est fermé : plus aucun appareil ne peut lire cet agenda ici."), "success")
    return redirect(url_for("feeds.index"), 303)


def _mine(party: str, side: str) -> tuple[Acting, str]:
    """Who acts, and the side of the party that an address names. Raises NotFound for what one may not follow."""
    for (_party, of), mandate in sides_of(held()).items():
        if mandate.party_token == party and SIDES.get(side) == of:
            return Acting(mandate.sign_in_id, mandate.party_id, mandate.id), of
    raise NotFound
