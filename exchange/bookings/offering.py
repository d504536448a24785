"""Something else in place of a booking: offered by the lender's office, answered by who had asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency, outbox
from exchange.bookings import moving, offers, policy, queries
from exchange.bookings.damaging import bookings
from exchange.bookings.forms import DeclineForm, OfferForm, RemarksForm
from exchange.bookings.queries import BookingView
from exchange.bookings.telling import Told, asked_of, own_booking, tell, write_to
from exchange.bookings.views import show_page
from exchange.bookings.wanted import Wanted
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db, transaction
from exchange.formats import local
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import auth_required, today
from exchange.sentences import GROUNDS
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``


@bookings.get("/preteurs/<lender>/reservations/<booking>/proposition")
@auth_required()
def offering(lender: str, booking: str) -> str:
    """What could be offered in place of a booking, and a form for anything else."""
    found, _by, party = asked_of(lender, booking)
    told = tell([found])[0]
    starts, ends = (_instant(request.args.get(name)) for name in ("de", "a"))
    starts, ends = local(starts or found.starts_at), local(ends or found.ends_at)
    form = OfferForm(
        formdata=None, resource=request.args.get("quoi") or told.first.token, day=starts.date(), starts=starts.time(),
        ends=ends.time(), end_day=ends.date() if ends.date() != starts.date() else None,
    )  # fmt: skip
    return _offer_page(told, party, form)


def _instant(said: str | None) -> datetime | None:
    """An instant of an address, which one of our links wrote; anything else is left aside."""
    try:
        found = datetime.fromisoformat(said or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _offer_page(told: Told, lender: members.PartyView, form: OfferForm) -> str:
    session, lent = db.session(), _lent(told)
    form.resource.choices = [("", _("Choisissez")), *((it.token, it.name) for it in lent)]
    found = moving.alternatives(session, told.booking, told.resources, lent, at=clock.now())
    return render_template("bookings/offering.html", told=told, booking=told.booking, lender=lender, form=form,
                           alternatives=found)  # fmt: skip


def _lent(told: Told) -> list[ResourceView]:
    """What may be offered: what is booked, then all that the same lender lends of its kind."""
    lent = catalogue.published(db.session(), kind=told.first.kind, lender=told.lender.id)
    others = sorted((it for it in lent if it.id != told.first.id), key=lambda it: it.sort_name)
    return [told.first, *others]


@bookings.post("/preteurs/<lender>/reservations/<booking>/proposition")
@auth_required()
def offer(lender: str, booking: str) -> Response | tuple[str, int]:
    """Offer it, once for one key: it is held until who had asked answers."""
    found, by, party = asked_of(lender, booking)
    form, told = OfferForm(), tell([found])[0]
    lent = {it.token: it for it in _lent(told)}
    form.resource.choices = [(token, it.name) for token, it in lent.items()]
    if not form.validate():
        return _offer_page(told, party, form), 422
    assert form.starts.data is not None
    assert form.ends.data is not None
    starts, ends = form.starts.data, form.ends.data
    first, *others = found.items
    wanted = [Wanted(lent[form.resource.data], first.quantity)]
    wanted += [Wanted(told.resources[item.resource_id], item.quantity) for item in others]

    def write(session: Session, at: datetime) -> Done:
        made = offers.offer(
            session, booking, lender=party.id, wanted=wanted,
            starts_at=policy.instant(form.day.data, starts, found.zone),
            ends_at=policy.instant(form.end_day.data or form.day.data, ends, found.zone),
            word=form.word.data, by=by, at=at,
        )  # fmt: skip
        outbox.write(session, members.e_mails_of(session, found.party_id, on=today()), "booking_offered", at=at,
                     told=tell([queries.view(session, made.id, at=at)])[0], before=told)  # fmt: skip
        return Done(url_for("bookings.request_", lender=lender, booking=booking))

    names = ("resource", "day", "starts", "ends", "end_day", "word")
    content = idempotency.digest(url_for("bookings.offer", lender=lender, booking=booking),
                                 {name: str(form[name].data) for name in names})  # fmt: skip
    try:
        done = idempotency.once(write, party=by.party, key=form.key.data, content=content)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        found, _by, party = asked_of(lender, booking)
        return _offer_page(tell([found])[0], party, form), 422
    flash(_("C’est proposé, et gardé jusqu’à la réponse."), "success")
    return redirect(done.location or "/", 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/proposition/retrait")
@auth_required()
def withdraw_offer(lender: str, booking: str) -> Response:
    """Take back what was offered; the booking stays as it was."""
    found, by, party = asked_of(lender, booking)
    with transaction() as session:
        at = clock.now()
        offered = offers.withdraw_offer(session, booking, lender=party.id, by=by, at=at)
        write_to(session, found.party_id, "booking_offer_withdrawn", offered, at=at)
    flash(_("C’est retiré. La réservation reste comme elle était."), "success")
    return redirect(url_for("bookings.request_", lender=lender, booking=booking), 303)


@bookings.get("/preteurs/<lender>/reservations/<booking>/reprise")
@auth_required()
def revoking(lender: str, booking: str) -> str:
    """The form that takes back a booking that was accepted."""
    found, _by, party = asked_of(lender, booking)
    return _revoke_page(found, party, DeclineForm(formdata=None))


def _revoke_page(found: BookingView, lender: members.PartyView, form: DeclineForm) -> str:
    return render_template("bookings/revoking.html", told=tell([found])[0], booking=found, lender=lender, form=form)


@bookings.post("/preteurs/<lender>/reservations/<booking>/reprise")
@auth_required()
def revoke(lender: str, booking: str) -> Response | tuple[str, int]:
    """The lender can't keep what it accepted: on a named ground, with the remedy, and the minutes are given back."""
    found, by, party = asked_of(lender, booking)
    form = DeclineForm()
    if not form.validate():
        return _revoke_page(found, party, form), 422
    try:
        with transaction() as session:
            at = clock.now()
            ground, text = form.ground.data, form.text.data
            offers.revoke(session, booking, lender=party.id, ground=ground, text=text, by=by, at=at)
            outbox.write(session, members.e_mails_of(session, found.party_id, on=today()), "booking_revoked", at=at,
                         told=tell([found])[0], ground=GROUNDS[ground], text=text)  # fmt: skip
    except Refused as error:
        form.refuse(error)
        return _revoke_page(found, party, form), 422
    flash(_("C’est annulé. Le demandeur reçoit le motif et les voies de recours."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)


# -- the answer


@bookings.post("/reservations/<booking>/accord")
@auth_required()
def consent(booking: str) -> Response | tuple[str, int]:
    """What is offered suits me: it takes the place of what I had."""
    said = _("C’est d’accord : votre réservation est déplacée.")
    return _answer(booking, offers.consent, "booking_moved", said)


@bookings.post("/reservations/<booking>/sans-suite")
@auth_required()
def dismiss(booking: str) -> Response | tuple[str, int]:
    """What is offered doesn't suit me: what I had stays."""
    said = _("C’est noté. Votre réservation reste comme elle était.")
    return _answer(booking, offers.dismiss, "booking_offer_dismissed", said)


def _answer(booking: str, act: Any, letter: str, said: str) -> Response | tuple[str, int]:
    found, scope = own_booking(booking)
    try:
        with transaction() as session:
            at = clock.now()
            act(session, booking, parties=scope.parties, by=scope.acting(found.party_id), at=at)
            write_to(session, found.lender_id, letter, found, at=at)
    except Refused as error:
        form = RemarksForm(formdata=None)
        form.refuse(error)
        found, _scope = own_booking(booking)
        return show_page(found, form), 422
    flash(said, "success")
    return redirect(url_for("bookings.show", booking=booking), 303)
