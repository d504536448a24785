"""Pages of the lender's office, on a telephone: what leaves, what comes back, its pictures, how many people came."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from flask import Response as FlaskResponse
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency
from exchange.bookings import counting, inventories, inventory, operations, queries
from exchange.bookings.counting import Counted, InventoryPictureForm, PeopleForm
from exchange.bookings.office import bookings
from exchange.bookings.queries import BookingView
from exchange.bookings.telling import Told, asked_of, own_booking, still_due, tell, write_part_back
from exchange.db import db, transaction
from exchange.errors import NotFound, status_of
from exchange.forms import MOST_SENT
from exchange.idempotency import Done
from exchange.keys import queries as keys
from exchange.members import queries as members
from exchange.pictures.operations import drawn
from exchange.security import auth_required, in_office, own
from ledger.entries import Acting
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``

JUST_LEFT = timedelta(hours=12)  # a picture that is taken then shows how it left


@bookings.url_value_preprocessor
def _what_a_camera_gives(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    if endpoint == "bookings.add_picture":
        request.max_content_length = MOST_SENT


# -- what leaves


@bookings.get("/preteurs/<lender>/reservations/<booking>/remise")
@auth_required()
def handing_over(lender: str, booking: str) -> str | Response:
    """What leaves, filled in as it was booked."""
    found, _by, party = asked_of(lender, booking)
    if found.state not in {"accepted", "past"}:
        return _to_its_page(lender, booking)
    told = tell([found], typed_by=False)[0]
    return _out_page(told, party, _out_form(told, formdata=None))


def _to_its_page(lender: str, booking: str) -> Response:
    return redirect(url_for("bookings.request_", lender=lender, booking=booking), 303)


def _out_form(told: Told, **given: Any) -> Counted:
    there = [key for key in keys.of_lender(db.session(), told.lender.id) if key.lost_at is None and not key.booking]
    return counting.out_form(told.booking, told.resources, there, **given)


def _out_page(told: Told, lender: members.PartyView, form: Counted) -> str:
    return render_template("bookings/handing_over.html", told=told, booking=told.booking, lender=lender, form=form,
                           missing=still_due(told.booking))  # fmt: skip


@bookings.post("/preteurs/<lender>/reservations/<booking>/remise")
@auth_required()
def hand_over(lender: str, booking: str) -> Response | tuple[str, int]:
    """The things and the keys leave."""
    found, by, party = asked_of(lender, booking)
    told = tell([found], typed_by=False)[0]
    form = _out_form(told)
    if not form.validate():
        return _out_page(told, party, form), 422
    try:
        with transaction() as session:
            operations.hand_over(
                session, booking, lender=party.id, remarks=form.remarks.data or "", by=by, at=clock.now(),
                items=counting.handed(form, found, told.resources), keys=counting.given_keys(form),
            )  # fmt: skip
    except Refused as error:
        form.refuse_of(error, told.resources, "out")
        return _out_page(told, party, form), status_of(error)
    flash(_("La remise est notée."), "success")
    return _to_its_page(lender, booking)


# -- what comes back


@bookings.get("/preteurs/<lender>/reservations/<booking>/retour")
@auth_required()
def taking_back(lender: str, booking: str) -> str | Response:
    """What comes back, filled in as if all of it did."""
    found, _by, party = asked_of(lender, booking)
    if found.state not in {"out", "late"}:
        return _to_its_page(lender, booking)
    told = tell([found], typed_by=False)[0]
    return _back_page(told, party, _back_form(told, formdata=None))


def _back_form(told: Told, **given: Any) -> Counted:
    held = keys.of_bookings(db.session(), [told.booking.id]).get(told.booking.id, [])
    people = operations.can_count(told.booking, at=clock.now())
    return counting.back_form(told.booking, told.resources, held, people=people, **given)


def _back_page(told: Told, lender: members.PartyView, form: Counted) -> str:
    return render_template("bookings/taking_back.html", told=told, booking=told.booking, lender=lender, form=form)


@bookings.post("/preteurs/<lender>/reservations/<booking>/retour")
@auth_required()
def take_back(lender: str, booking: str) -> Response | tuple[str, int]:
    """All of it is back, or a part; what is broken or lost is noted with it."""
    found, by, party = asked_of(lender, booking)
    told = tell([found], typed_by=False)[0]
    form = _back_form(told)
    if not form.validate():
        return _back_page(told, party, form), 422
    try:
        over = _write_back(found, told, form, lender=party.id, by=by)
    except Refused as error:
        form.refuse_of(error, told.resources, "back")
        return _back_page(told, party, form), status_of(error)
    said = _("Tout est compté : le prêt est terminé.") if over else _("C’est noté. Le reste est encore sorti.")
    flash(said, "success")
    return _to_its_page(lender, booking)


def _write_back(found: BookingView, told: Told, form: Counted, *, lender: int, by: Acting) -> bool:
    """Write a return, and how many people came; return whether the loan is over."""
    with transaction() as session:
        at = clock.now()
        operations.take_back(
            session, found.token, lender=lender, remarks=form.remarks.data or "", by=by, at=at,
            items=counting.came_back(form, found, told.resources), keys=counting.ticked(form, "keys"),
            lost_keys=counting.ticked(form, "lost_keys"),
        )  # fmt: skip
        if "people" in form and form["people"].data is not None:
            operations.count_people(session, found.id, form["people"].data, by=by, at=at)
        after = queries.view(session, found.id, at=at)
        write_part_back(session, after, at=at)
        return after.back is not None


# -- how many people came


@bookings.post("/preteurs/<lender>/reservations/<booking>/frequentation")
@auth_required()
def count_people(lender: str, booking: str) -> Response:
    """The office notes how many people came."""
    found, by, _party = asked_of(lender, booking)
    return _count(found, by, url_for("bookings.request_", lender=lender, booking=booking))


@bookings.post("/reservations/<booking>/frequentation")
@auth_required()
def tell_people(booking: str) -> Response:
    """Who had it says how many people came."""
    found, scope = own_booking(booking)
    return _count(found, scope.acting(found.party_id), url_for("bookings.show", booking=booking))


def _count(found: BookingView, by: Acting, page: str) -> Response:
    form = PeopleForm()
    if not form.validate():
        flash(" ".join(str(said) for said in form.people.errors), "error")
        return redirect(page, 303)
    with transaction() as session:
        operations.count_people(session, found.id, form.people.data or 0, by=by, at=clock.now())
    flash(_("C’est noté, merci."), "success")
    return redirect(page, 303)


# -- pictures of an inventory


@bookings.get("/preteurs/<lender>/reservations/<booking>/photos")
@auth_required()
def pictures(lender: str, booking: str) -> str:
    """The pictures of an inventory, and a form for one more."""
    found, _by, party = asked_of(lender, booking)
    recent = found.hand_over is None or clock.now() - found.hand_over.handed_over_at < JUST_LEFT
    return _pictures_page(found, party, InventoryPictureForm(formdata=None, moment="out" if recent else "back"))


def _pictures_page(found: BookingView, lender: members.PartyView, form: InventoryPictureForm) -> str:
    kept = inventories.pictures(db.session(), found.id)
    return render_template(
        "bookings/pictures.html", told=tell([found], typed_by=False)[0], booking=found, lender=lender, form=form,
        kept=kept, full=len(kept) >= inventory.MOST_PICTURES, most=inventory.MOST_PICTURES, moments=counting.MOMENTS,
    )  # fmt: skip


@bookings.post("/preteurs/<lender>/reservations/<booking>/photos")
@auth_required()
def add_picture(lender: str, booking: str) -> Response | tuple[str, int]:
    """Add a picture to an inventory, once for one key."""
    found, by, party = asked_of(lender, booking)
    form = InventoryPictureForm()
    complete, data = form.validate(), form.given()
    if not complete or data is None:
        return _pictures_page(found, party, form), 422

    def add(session: Session, at: datetime) -> Done:
        picture = drawn(data)
        operations.lock(session, found.id)
        inventory.add_picture(session, found.id, picture, moment=form.moment.data, words=form.words.data or "", by=by,
                              at=at)  # fmt: skip
        return Done(url_for("bookings.pictures", lender=lender, booking=booking))

    said = {"file": hashlib.sha256(data).hexdigest(), "words": form.words.data, "moment": form.moment.data}
    try:
        done = idempotency.once(add, party=by.party, key=form.key.data, content=idempotency.digest(request.path, said))
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _pictures_page(found, party, form), 422
    flash(_("La photo est ajoutée."), "success")
    return redirect(done.location or "/", 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/photos/<picture>/retrait")
@auth_required()
def remove_picture(lender: str, booking: str, picture: str) -> Response:
    """Remove a picture of an inventory, for good."""
    found, _by, _party = asked_of(lender, booking)
    with transaction() as session:
        inventory.remove_picture(session, picture, booking=found.id)
    flash(_("La photo est supprimée."), "success")
    return redirect(url_for("bookings.pictures", lender=lender, booking=booking), 303)


@bookings.get("/etats-des-lieux/<picture>/<scale>")
@auth_required()
def picture(picture: str, scale: str) -> FlaskResponse:
    """A picture of an inventory, for its two sides alone. Raises NotFound."""
    session = db.session()
    kept = inventories.picture(session, picture, scale)
    if kept is None:
        raise NotFound
    of = queries.view(session, kept[0], at=clock.now())
    if of.party_id not in own("booking.read").parties and not in_office("booking.decide", of.lender_id):
        raise NotFound
    return FlaskResponse(kept[1], mimetype="image/jpeg")
