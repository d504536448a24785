"""Pages of who hesitates, and of who comes too late: options, and places on a waiting list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock
from exchange.bookings import options, waiting, wishes
from exchange.bookings.asking import Asking, asking_of, charters_to_tick, prefilled
from exchange.bookings.changing import bookings
from exchange.bookings.forms import AskForm, RemarksForm
from exchange.bookings.telling import own_booking, own_wish, waited, write_asked, write_called
from exchange.bookings.views import form_of, show_page, written
from exchange.bookings.wanted import Request
from exchange.db import db, transaction
from exchange.errors import status_of
from exchange.security import auth_required, office, own, territory
from ledger.entries import Acting
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``


# -- options


@bookings.post("/salles/<resource>/options")
@auth_required()
def take_option(resource: str) -> Response | tuple[str, int]:
    """Hold it without a firm request, once for one key."""

    def take(session: Session, wanted: Request, by: Acting, at: datetime) -> str:
        booking = options.take(session, wanted, zone=territory().zone, by=by, at=at)
        return url_for("bookings.show", booking=booking.token)

    return written(asking_of(resource), take)


@bookings.post("/reservations/<booking>/confirmation")
@auth_required()
def confirm_option(booking: str) -> Response | tuple[str, int]:
    """Ask firmly for what is held: every rule is run again, and it is held all the while."""
    found, scope = own_booking(booking)
    try:
        with transaction() as session:
            at = clock.now()
            made = options.confirm(session, booking, parties=scope.parties, by=scope.acting(found.party_id), at=at)
            write_asked(session, made, at=at)
    except Refused as error:
        form = RemarksForm(formdata=None)
        form.refuse(error)
        return show_page(own_booking(booking)[0], form), status_of(error)
    flash(_("C’est confirmé."), "success")
    return redirect(url_for("bookings.show", booking=booking), 303)


@bookings.post("/reservations/<booking>/renoncement")
@auth_required()
def release_option(booking: str) -> Response:
    """Give up what is held: it is free at once, or held for who comes next."""
    found, scope = own_booking(booking)
    with transaction() as session:
        options.release(session, booking, parties=scope.parties, by=scope.acting(found.party_id), at=clock.now())
    flash(_("C’est noté : le créneau est libre de nouveau."), "success")
    return redirect(url_for("bookings.show", booking=booking), 303)


# -- the waiting list


@bookings.get("/salles/<resource>/attente")
@auth_required()
def new_wish(resource: str) -> str:
    """The form of a request, for what is taken: one is told when it frees."""
    asking = asking_of(resource)
    return _wish_page(asking, form_of(asking, formdata=None, **prefilled(asking)))


def _wish_page(asking: Asking, form: AskForm, **_more: Any) -> str:
    form.party.choices = [(party.token, party.name) for party in asking.parties]
    return render_template("bookings/new_wish.html", asking=asking, form=form, charters=charters_to_tick(asking, form))


@bookings.post("/salles/<resource>/attente")
@auth_required()
def join(resource: str) -> Response | tuple[str, int]:
    """Wait for it, once for one key; who holds it under option is told."""

    def wait(session: Session, wanted: Request, by: Acting, at: datetime) -> str:
        joined = wishes.join(session, wanted, zone=territory().zone, by=by, at=at)
        write_called(session, joined, at=at)
        return url_for("bookings.wishes_")

    return written(asking_of(resource), wait, _wish_page)


@bookings.get("/reservations/liste-d-attente")
@auth_required()
def wishes_() -> str:
    """Where I, and those I act for, wait; and how other places ended, of the days to come."""
    at = clock.now()
    told = waited(waiting.of_parties(db.session(), own("booking.read").parties, at=at))
    return render_template(
        "bookings/wishes.html", open=[each for each in told if each.wish.outcome is None and each.wish.starts_at > at],
        ended=[each for each in told if each.wish.outcome is not None],
    )  # fmt: skip


@bookings.post("/reservations/liste-d-attente/<wish>/depart")
@auth_required()
def leave(wish: str) -> Response:
    """I wait for it no more; what was held for me is free."""
    found, scope = own_wish(wish)
    with transaction() as session:
        wishes.leave(session, wish, parties=scope.parties, by=scope.acting(found.party_id), at=clock.now())
    flash(_("C’est noté : vous n’attendez plus cela."), "success")
    return redirect(url_for("bookings.wishes_"), 303)


@bookings.get("/preteurs/<lender>/liste-d-attente")
@auth_required()
def waiting_(lender: str) -> str:
    """Who waits for what this lender lends, day by day, in the order in which they will be served."""
    desk = office("booking.decide", lender)
    told = waited(waiting.of_lender(db.session(), desk.party.id, at=clock.now()))
    return render_template("bookings/waiting.html", lender=desk.party, told=told)
