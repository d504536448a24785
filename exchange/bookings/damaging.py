"""Pages of a damage: the office proposes, who borrowed answers, a mediator settles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, idempotency, outbox
from exchange.bookings import damages, queries
from exchange.bookings.damages import DamageView
from exchange.bookings.forms import (
    ContestForm,
    CountedDamageForm,
    DamageForm,
    EurosMediationForm,
    MediationForm,
    MinutesMediationForm,
)
from exchange.bookings.prolonging import bookings
from exchange.bookings.queries import BookingView
from exchange.bookings.telling import asked_of, tell
from exchange.db import db, transaction
from exchange.errors import NotFound, WrongState, status_of
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.security import Office, auth_required, office, own, today
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``


def _write(session: Session, party: int, template: str, damage: DamageView, *, at: datetime) -> None:
    """Write a letter about a damage to one of its sides."""
    told = tell([queries.view(session, damage.booking_id, at=at)])[0]
    community = members.community(session, damage.community_id) if damage.community_id else None
    outbox.write(session, members.e_mails_of(session, party, on=today()), template, at=at, told=told, damage=damage,
                 community=community)  # fmt: skip


# -- the lender's office


@bookings.get("/preteurs/<lender>/degats")
@auth_required()
def open_damages(lender: str) -> str:
    """What was proposed and is neither paid nor dropped."""
    desk, session = office("booking.decide", lender), db.session()
    found = damages.open_of(session, desk.party.id)
    return render_template("bookings/damages.html", lender=desk.party, found=found,
                           parties=members.parties(session, {each.party_id for each in found}),
                           communities={each.id: each for each in members.communities(session)})  # fmt: skip


@bookings.get("/preteurs/<lender>/reservations/<booking>/degats")
@auth_required()
def new_damage(lender: str, booking: str) -> str | Response:
    """The form of a damage."""
    found, _by, party = asked_of(lender, booking)
    if found.state not in damages.AFTER_HAND_OVER:
        return redirect(url_for("bookings.request_", lender=lender, booking=booking), 303)
    return _form_page(found, party, _form(found, formdata=None))


def _form(found: BookingView, **given: Any) -> DamageForm:
    """In euros; in minutes too where they can be counted."""
    return CountedDamageForm(**given) if damages.common(db.session(), found) else DamageForm(**given)


def _form_page(found: BookingView, lender: members.PartyView, form: DamageForm) -> str:
    return render_template("bookings/new_damage.html", told=tell([found], typed_by=False)[0], booking=found,
                           lender=lender, form=form)  # fmt: skip


@bookings.post("/preteurs/<lender>/reservations/<booking>/degats")
@auth_required()
def propose_damage(lender: str, booking: str) -> Response | tuple[str, int]:
    """Say what was damaged and what it would cost, once for one key; who borrowed answers."""
    found, by, party = asked_of(lender, booking)
    form = _form(found)
    if not form.validate():
        return _form_page(found, party, form), 422

    def write(session: Session, at: datetime) -> Done:
        made = damages.propose(session, booking, lender=party.id, words=form.words.data, minutes=form.duration,
                               cents=form.cents.data, by=by, at=at)  # fmt: skip
        _write(session, made.party_id, "damage_proposed", made, at=at)
        return Done(url_for("bookings.request_", lender=lender, booking=booking))

    said = {"words": form.words.data, "minutes": form.duration, "cents": form.cents.data}
    content = idempotency.digest(request.path, said)
    try:
        done = idempotency.once(write, party=by.party, key=form.key.data, content=content)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _form_page(found, party, form), status_of(error)
    flash(_("C’est proposé. La personne reçoit une lettre, et répond."), "success")
    return redirect(done.location or "/", 303)


@bookings.post("/preteurs/<lender>/degats/<damage>/paiement")
@auth_required()
def note_received(lender: str, damage: str) -> Response:
    """The office received the euros."""
    desk = office("booking.decide", lender)
    with transaction() as session:
        damages.note_received(session, damage, lender=desk.party.id, by=desk.by, at=clock.now())
    flash(_("C’est noté : la somme est reçue."), "success")
    return redirect(url_for("bookings.open_damages", lender=lender), 303)


# -- who borrowed


@bookings.post("/degats/<damage>/acceptation")
@auth_required()
def accept_damage(damage: str) -> Response:
    """I agree: the minutes are counted, or the euros are due."""
    scope = own("booking.read")
    found = damages.within(db.session(), damage, scope.parties)
    with transaction() as session:
        at = clock.now()
        after = damages.accept(session, damage, parties=scope.parties, by=scope.acting(found.party_id), at=at)
        _write(session, after.lender_id, "damage_answered", after, at=at)
    flash(_("C’est accepté, merci."), "success")
    return redirect(url_for("bookings.show", booking=found.booking), 303)


@bookings.post("/degats/<damage>/contestation")
@auth_required()
def contest_damage(damage: str) -> Response:
    """I don't agree, and say why."""
    scope = own("booking.read")
    found, form = damages.within(db.session(), damage, scope.parties), ContestForm()
    if not form.validate():
        flash(" ".join(str(said) for said in form.text.errors), "error")
        return redirect(url_for("bookings.show", booking=found.booking), 303)
    with transaction() as session:
        at = clock.now()
        after = damages.contest(session, damage, parties=scope.parties, text=form.text.data,
                                by=scope.acting(found.party_id), at=at)  # fmt: skip
        _write(session, after.lender_id, "damage_answered", after, at=at)
        if after.community_id is not None:
            community = members.community(session, after.community_id)
            outbox.write(session, members.in_office(session, community.party_id, ["facilitator"], on=today()),
                         "damage_contested", at=at, community=community, damage=after)  # fmt: skip
    flash(_("C’est noté. Rien n’est compté tant que ce n’est pas réglé."), "success")
    return redirect(url_for("bookings.show", booking=found.booking), 303)


# -- who settles


@bookings.get("/communautes/<community>/desaccords")
@auth_required()
def disputes(community: str) -> str:
    """What a community's facilitator has to settle."""
    desk, found = _mediator(community)
    waiting, session = damages.disputes(db.session(), found.id), db.session()
    parties = {id_ for each in waiting for id_ in (each.party_id, each.lender_id)}
    return render_template("bookings/disputes.html", here=desk, community=found, waiting=waiting,
                           parties=members.parties(session, parties))  # fmt: skip


def _mediator(community: str) -> tuple[Office, members.CommunityView]:
    desk = office("counter.serve", community)
    found = members.community_by_token(db.session(), community)
    if found is None:
        raise NotFound
    return desk, found


@bookings.get("/communautes/<community>/desaccords/<damage>")
@auth_required()
def dispute(community: str, damage: str) -> str:
    """One of them, and the form that settles it."""
    _desk, found = _mediator(community)
    seen = damages.of_community(db.session(), damage, found.id)
    action = url_for("bookings.mediate", community=community, damage=damage)
    return _dispute_page(seen, _mediation(seen, formdata=None), action)


def _mediation(seen: DamageView, **given: Any) -> MediationForm:
    """The form of what is settled, in what it was proposed in."""
    return EurosMediationForm(**given) if seen.minutes is None else MinutesMediationForm(**given)


def _dispute_page(seen: DamageView, form: MediationForm, action: str) -> str:
    session = db.session()
    parties = members.parties(session, [seen.party_id, seen.lender_id])
    community = members.community(session, seen.community_id) if seen.community_id else None
    return render_template("bookings/dispute.html", damage=seen, form=form, action=action, community=community,
                           party=parties[seen.party_id], lender=parties[seen.lender_id])  # fmt: skip


@bookings.post("/communautes/<community>/desaccords/<damage>")
@auth_required()
def mediate(community: str, damage: str) -> Response | tuple[str, int]:
    """The facilitator settles it; both sides are told."""
    desk, found = _mediator(community)
    seen = damages.of_community(db.session(), damage, found.id)
    action = url_for("bookings.mediate", community=community, damage=damage)
    return _settled(seen, desk, action, url_for("bookings.disputes", community=community))


def _settled(seen: DamageView, desk: Office, action: str, then: str) -> Response | tuple[str, int]:
    form = _mediation(seen)
    if not form.validate():
        return _dispute_page(seen, form, action), 422
    try:
        with transaction() as session:
            at = clock.now()
            after = damages.mediate(
                session, seen, form.outcome.data, text=form.text.data,
                amount=form["amount"].data if form.outcome.data == "lowered" else None,
                own=[] if desk.party.id == seen.lender_id else own("booking.read").parties,
                by=desk.by, at=at,
            )  # fmt: skip
            _write(session, after.party_id, "damage_settled", after, at=at)
            _write(session, after.lender_id, "damage_settled", after, at=at)
    except Refused as error:
        form.refuse(error)
        return _dispute_page(seen, form, action), status_of(error)
    flash(_("C’est réglé. Les deux côtés en sont avertis."), "success")
    return redirect(then, 303)


@bookings.get("/preteurs/<lender>/degats/<damage>/accord")
@auth_required()
def agreeing(lender: str, damage: str) -> str:
    """Without a community, what both sides agreed on is noted by the office."""
    desk = office("booking.decide", lender)
    seen = damages.of_lender(db.session(), damage, desk.party.id)
    action = url_for("bookings.agree", lender=lender, damage=damage)
    return _dispute_page(seen, _mediation(seen, formdata=None), action)


@bookings.post("/preteurs/<lender>/degats/<damage>/accord")
@auth_required()
def agree(lender: str, damage: str) -> Response | tuple[str, int]:
    """The office notes what both agreed on. Where there is a community, its facilitator settles. Raises WrongState."""
    desk = office("booking.decide", lender)
    seen = damages.of_lender(db.session(), damage, desk.party.id)
    if seen.community_id is not None:
        raise WrongState(state="mediated")
    action = url_for("bookings.agree", lender=lender, damage=damage)
    return _settled(seen, desk, action, url_for("bookings.open_damages", lender=lender))
