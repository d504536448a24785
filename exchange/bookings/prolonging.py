"""Pages of more time for a loan that is out: who borrows asks for it, the lender's office grants it or not."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from exchange import clock
from exchange.bookings import extending, inventories, policy
from exchange.bookings.closing import bookings
from exchange.bookings.extending import Outcome
from exchange.bookings.forms import ExtensionForm, NotExtendedForm
from exchange.bookings.queries import BookingView
from exchange.bookings.telling import asked_of, own_booking, tell, write_extension_answered, write_extension_asked
from exchange.db import db, transaction
from exchange.errors import status_of
from exchange.formats import local
from exchange.members import queries as members
from exchange.security import auth_required
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``


def _blank(found: BookingView) -> ExtensionForm:
    ends = local(max(found.ends_at, clock.now()))
    return ExtensionForm(formdata=None, day=ends.date(), ends=local(found.ends_at).time())


def _until(form: ExtensionForm, found: BookingView) -> datetime:
    """Until when, as it was typed. Raises HourMissing."""
    assert form.ends.data is not None
    return policy.instant(form.day.data, form.ends.data, found.zone)


# -- who borrows


@bookings.get("/reservations/<booking>/prolongation")
@auth_required()
def extending_(booking: str) -> str | Response:
    """The form of more time."""
    found, _scope = own_booking(booking)
    if found.state not in extending.OUT:
        return redirect(url_for("bookings.show", booking=booking), 303)
    return _ask_page(found, _blank(found))


def _ask_page(found: BookingView, form: ExtensionForm) -> str:
    waiting = inventories.of(db.session(), found).waiting
    return render_template("bookings/extending.html", told=tell([found])[0], booking=found, form=form, waiting=waiting)


@bookings.post("/reservations/<booking>/prolongation")
@auth_required()
def extend(booking: str) -> Response | tuple[str, int]:
    """More time, at once or asked of the lender."""
    found, scope = own_booking(booking)
    form = ExtensionForm()
    if not form.validate():
        return _ask_page(found, form), 422
    try:
        with transaction() as session:
            at = clock.now()
            outcome = extending.ask(session, booking, _until(form, found), parties=scope.parties,
                                    reason=form.reason.data or "", by=scope.acting(found.party_id), at=at)  # fmt: skip
            write_extension_asked(session, outcome, reason=form.reason.data or "", at=at)
    except Refused as error:
        form.refuse(error)
        found, _scope = own_booking(booking)
        return _ask_page(found, form), status_of(error)
    flash(*_said(outcome))
    return redirect(url_for("bookings.show", booking=booking), 303)


def _said(outcome: Outcome) -> tuple[str, str]:
    if outcome.granted:
        return _("C’est prolongé."), "success"
    return _("Votre demande est envoyée : le prêteur vous répond. D’ici là, la fin ne change pas."), "neutral"


# -- the lender's office


@bookings.get("/preteurs/<lender>/reservations/<booking>/prolongation")
@auth_required()
def extending_for(lender: str, booking: str) -> str | Response:
    """What is asked, what follows, and a form for who asks at the desk."""
    found, _by, party = asked_of(lender, booking)
    if found.state not in extending.OUT:
        return redirect(url_for("bookings.request_", lender=lender, booking=booking), 303)
    return _office_page(found, party, _blank(found), NotExtendedForm(formdata=None))


def _office_page(found: BookingView, lender: members.PartyView, form: ExtensionForm, refusal: NotExtendedForm) -> str:
    session = db.session()
    return render_template(
        "bookings/extending_for.html", told=tell([found], typed_by=False)[0], booking=found, lender=lender,
        form=refusal if refusal.errors else form, extension=form, refusal=refusal,
        waiting=inventories.of(session, found).waiting,
        endangered=[each for each in inventories.endangered(session, lender.id, at=clock.now())
                    if each.loan == found.token],
    )  # fmt: skip


@bookings.post("/preteurs/<lender>/reservations/<booking>/prolongation")
@auth_required()
def extend_for(lender: str, booking: str) -> Response | tuple[str, int]:
    """The office gives more time to who asks for it at the desk."""
    found, by, party = asked_of(lender, booking)
    form = ExtensionForm()
    if not form.validate():
        return _office_page(found, party, form, NotExtendedForm(formdata=None)), 422
    try:
        with transaction() as session:
            at = clock.now()
            outcome = extending.grant_at_once(session, booking, _until(form, found), lender=party.id,
                                              reason=form.reason.data or "", by=by, at=at)  # fmt: skip
            write_extension_answered(session, outcome, text="", at=at)
    except Refused as error:
        form.refuse(error)
        found, _by, party = asked_of(lender, booking)
        return _office_page(found, party, form, NotExtendedForm(formdata=None)), status_of(error)
    return _answered(lender, booking, _("C’est prolongé. Le demandeur en est averti."))


def _answered(lender: str, booking: str, said: str) -> Response:
    flash(said, "success")
    return redirect(url_for("bookings.request_", lender=lender, booking=booking), 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/prolongation/accord")
@auth_required()
def grant_extension(lender: str, booking: str) -> Response | tuple[str, int]:
    """The office grants the time that is asked."""
    found, by, party = asked_of(lender, booking)
    try:
        with transaction() as session:
            at = clock.now()
            outcome = extending.grant(session, booking, lender=party.id, by=by, at=at)
            write_extension_answered(session, outcome, text="", at=at)
    except Refused as error:
        form = _blank(found)
        form.refuse(error)
        found, _by, party = asked_of(lender, booking)
        return _office_page(found, party, form, NotExtendedForm(formdata=None)), status_of(error)
    return _answered(lender, booking, _("C’est prolongé. Le demandeur en est averti."))


@bookings.post("/preteurs/<lender>/reservations/<booking>/prolongation/refus")
@auth_required()
def decline_extension(lender: str, booking: str) -> Response | tuple[str, int]:
    """The office doesn't grant it, and says why."""
    found, by, party = asked_of(lender, booking)
    form = NotExtendedForm()
    if not form.validate():
        return _office_page(found, party, _blank(found), form), 422
    with transaction() as session:
        at = clock.now()
        outcome = extending.decline(session, booking, lender=party.id, text=form.text.data, by=by, at=at)
        write_extension_answered(session, outcome, text=form.text.data, at=at)
    return _answered(lender, booking, _("C’est noté. Le demandeur reçoit votre réponse."))
