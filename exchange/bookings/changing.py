"""Pages of who wants a booking otherwise: the form of a request, filled with what it is, checked and asked again."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock
from exchange.bookings import changes
from exchange.bookings.asking import as_it_is, changing_of
from exchange.bookings.mapping import bookings
from exchange.bookings.telling import write_changed
from exchange.bookings.views import ask_page, checked, form_of, written
from exchange.bookings.wanted import Request
from exchange.db import db
from exchange.security import auth_required
from ledger.entries import Acting

__all__ = ["bookings"]  # with these pages beside those of ``views``


@bookings.get("/reservations/<booking>/changement")
@auth_required()
def change(booking: str) -> str:
    """The form of a request, filled with what the booking is now."""
    asking = changing_of(booking)
    return ask_page(asking, form_of(asking, formdata=None, **as_it_is(asking)))


@bookings.post("/reservations/<booking>/changement")
@auth_required()
def check_change(booking: str) -> str | tuple[str, int]:
    """Say what it would cost so, and which rules let it through, or what stands in the way. Writes nothing."""
    asking = changing_of(booking)
    assert asking.changed is not None
    view = asking.changed.booking
    return checked(asking, lambda wanted: changes.look(db.session(), wanted, view, at=clock.now()))


@bookings.post("/reservations/<booking>/changements")
@auth_required()
def ask_change(booking: str) -> Response | tuple[str, int]:
    """Change it, or ask its lender to, once for one key."""
    asking = changing_of(booking)
    assert asking.changed is not None
    before = asking.changed

    def ask(session: Session, wanted: Request, by: Acting, at: datetime) -> str:
        made = changes.change(session, booking, wanted, parties=asking.scope.parties, by=by, at=at)
        write_changed(session, made.id, before, at=at)
        return url_for("bookings.show", booking=made.token)

    return written(asking, ask)
