"""Pages of the lender's office: requests to decide, and what goes out and comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock
from exchange.bookings import changes, damages, inventories, operations, opinions, queries
from exchange.bookings import waiting as list_
from exchange.bookings.counting import PeopleForm
from exchange.bookings.forms import DeclineForm, OpinionForm, RemarksForm
from exchange.bookings.queries import BookingView
from exchange.bookings.telling import (
    Told,
    Waited,
    asked_of,
    still_due,
    tell,
    waited,
    write_declined,
    write_no_show,
    write_to,
    write_turn,
)
from exchange.bookings.views import bookings
from exchange.bookings.wanted import check_free, request_of
from exchange.circuits import queries as circuits
from exchange.db import db, transaction
from exchange.documents import queries as documents
from exchange.dues import queries as dues
from exchange.errors import status_of
from exchange.members import queries as members
from exchange.paging import older_than
from exchange.security import auth_required, office, today
from exchange.sentences import GROUNDS, Sentence, sentence_of
from ledger.entries import Acting
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``

PAGE = 25  # decided requests


@bookings.get("/preteurs/<lender>/demandes")
@auth_required()
def requests(lender: str) -> str:
    """What waits for this lender's decision, and what it hands over and takes back these days."""
    desk, at, session = office("booking.decide", lender), clock.now(), db.session()
    waiting = queries.to_decide(session, desk.party.id, at=at)
    turns = opinions.turns(session, waiting, by=desk.by, at=at)
    held, following = queries.at_the_desk(session, desk.party.id, at=at, until=at + timedelta(days=7))
    told = tell([*waiting, *held, *following], typed_by=False)
    asked, rest = told[: len(waiting)], told[len(waiting) :]
    mine = [each for each in asked if (turn := turns.get(each.booking.id)) is None or turn.mine]
    return render_template(
        "bookings/requests.html", lender=desk.party, waiting=mine, turns=turns,
        elsewhere=[each for each in asked if each not in mine], held=rest[: len(held)], following=rest[len(held) :],
        missing=dues.missing(session, [view.id for view in following]),
        files=documents.files(session, [view.id for view in (*waiting, *following)]),
        endangered=inventories.endangered(session, desk.party.id, at=at),
    )  # fmt: skip


@bookings.get("/preteurs/<lender>/demandes/decidees")
@auth_required()
def decided(lender: str) -> str:
    """What this lender decided, a page at a time."""
    desk, before = office("booking.decide", lender), older_than()
    done = queries.decided(db.session(), desk.party.id, at=clock.now(), before=before, size=PAGE + 1)
    return render_template(
        "bookings/decided.html", lender=desk.party, done=tell(done[:PAGE]), newer=before is not None,
        older=done[PAGE - 1].id if len(done) > PAGE else None,
    )  # fmt: skip


@bookings.get("/preteurs/<lender>/reservations/<booking>")
@auth_required()
def request_(lender: str, booking: str) -> str:
    """One request as the lender's officer reads it: who, what for, condition met or not, never a balance."""
    return _request_page(*asked_of(lender, booking))


def _request_page(
    found: BookingView, by: Acting, lender: members.PartyView, *, decline: DeclineForm | None = None,
    remarks: RemarksForm | None = None, opinion: OpinionForm | None = None,
) -> str:  # fmt: skip
    session, at = db.session(), clock.now()
    refused = decline or remarks or opinion
    decline, remarks = decline or DeclineForm(formdata=None), remarks or RemarksForm(formdata=None)
    open_ = found.state in {"pending", "accepted"} and found.starts_at > at
    moves = found.hand_over is None or found.replaces_id or found.changes_id  # what left isn't moved any more
    around = queries.around(session, found, at=at) if moves else queries.NOTHING_AROUND
    others = [each for each in (around.offer, around.before) if each]
    told, *rest = tell([found, *others], typed_by=False)
    beside = dict(zip([each.id for each in others], rest, strict=True))
    return render_template(
        "bookings/request.html", told=told, booking=found, lender=lender, decline=decline, form=refused or decline,
        remarks=remarks, can_close=_can_close(found), grounds=GROUNDS,
        reached=members.contact(session, found.party_id, on=today()), missing=still_due(found),
        can_move=open_, obstacle=_obstacle(told) if open_ else None,
        offer=beside.get(around.offer.id) if around.offer else None, before=around.before,
        changed=beside.get(found.changes_id) if found.changes_id else None,
        change=around.change, change_waits=open_ and changes.waits(found, around),
        inventory=inventories.of(session, found) if found.hand_over else inventories.NOTHING,
        **_damages(found), **way_of(found, by, opinion or OpinionForm(formdata=None), at=at),
        endangered=_endangered_by(found, lender, at=at), people=PeopleForm(formdata=None),
        can_count=operations.can_count(found, at=at),
        waiting=_waiting_for(found, at=at) if found.state in {"pending", "option", "accepted"} else [],
    )  # fmt: skip


def way_of(found: BookingView, by: Acting, form: OpinionForm, *, at: datetime) -> dict[str, Any]:
    """Where a request is on its way, and what each step said."""
    session = db.session()
    if found.circuit_id is None:
        return {"turn": None, "said": [], "opinion": form, "speakers": {}}
    turn, said = circuits.way(session, found.id, sign_in=by.sign_in, on=operations.on_the_day(found, at))
    return {"turn": turn if found.state == "pending" else None, "said": said, "opinion": form,
            "speakers": members.sign_in_names(session, [each.by_sign_in for each in said])}  # fmt: skip


def _waiting_for(found: BookingView, *, at: datetime) -> list[Waited]:
    """Who waits for something of a booking, in order."""
    resources = [item.resource_id for item in found.items]
    return waited(list_.over(db.session(), resources, found.starts_at, found.ends_at, at=at))


def _damages(found: BookingView) -> dict[str, Any]:
    """The damages of a loan, and the communities that count them."""
    told = damages.of_booking(db.session(), found.id) if found.hand_over else []
    counted = any(each.minutes for each in told)
    return {"damages": told, "communities": {c.id: c for c in members.communities(db.session())} if counted else {}}


def _endangered_by(found: BookingView, lender: members.PartyView, *, at: datetime) -> list[inventories.Endangered]:
    """The bookings that wait for what a late loan has."""
    if found.state != "late":
        return []
    return [each for each in inventories.endangered(db.session(), lender.id, at=at) if each.loan == found.token]


def _obstacle(told: Told) -> Sentence | None:
    """Why what is booked can't be lent any more: it was closed meanwhile."""
    try:
        check_free(db.session(), request_of(told.booking, told.resources), at=clock.now(),
                   apart_from=[told.booking.token])  # fmt: skip
    except Refused as error:
        return sentence_of(error)
    return None


def _can_close(found: BookingView) -> bool:
    """Whether it can be noted that nobody came: the loan has begun, and there was something to hand over."""
    begun = found.state in {"accepted", "past"} and found.starts_at <= clock.now()
    return begun and queries.with_things(db.session(), found.id)


@bookings.post("/preteurs/<lender>/reservations/<booking>/acceptation")
@auth_required()
def accept(lender: str, booking: str) -> Response | tuple[str, int]:
    """The officer accepts: the rules are run again, and the minutes set aside."""
    found, by, party = asked_of(lender, booking)
    try:
        with transaction() as session:
            at = clock.now()
            operations.accept(session, booking, lender=party.id, by=by, at=at)
            write_to(session, found.party_id, "booking_accepted", found, at=at)
    except Refused as error:
        form = DeclineForm(formdata=None)
        form.refuse(error)
        return _request_page(*asked_of(lender, booking), decline=form), status_of(error)
    flash(_("C’est accepté. Le demandeur en est averti."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/refus")
@auth_required()
def decline(lender: str, booking: str) -> Response | tuple[str, int]:
    """The officer refuses, on a ground that the letter names with the remedy and its delay."""
    found, by, party = asked_of(lender, booking)
    form = DeclineForm()
    if not form.validate():
        return _request_page(found, by, party, decline=form), 422
    with transaction() as session:
        at = clock.now()
        ground, text = form.ground.data, form.text.data
        operations.decline(session, booking, lender=party.id, ground=ground, text=text, by=by, at=at)
        write_declined(session, found, ground=GROUNDS[ground], text=text, at=at)
    flash(_("C’est refusé. Le demandeur reçoit le motif et les voies de recours."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/avis")
@auth_required()
def give_opinion(lender: str, booking: str) -> Response | tuple[str, int]:
    """The step whose turn it is says what it thinks; those of the next one are told."""
    found, by, party = asked_of(lender, booking)
    form = OpinionForm()
    if not form.validate():
        return _request_page(found, by, party, opinion=form), 422
    with transaction() as session:
        at = clock.now()
        opinions.give(session, booking, lender=party.id, **form.said(), by=by, at=at)
        write_turn(session, [found], by=by, at=at)
    flash(_("Votre avis est noté. La demande passe à l’étape suivante."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/absence")
@auth_required()
def note_no_show(lender: str, booking: str) -> Response | tuple[str, int]:
    """Nobody came for the things: the minutes are given back, and both sides are told."""

    def note(session: Session, token: str, *, at: datetime, **more: Any) -> None:
        write_no_show(session, operations.note_no_show(session, token, at=at, **more), at=at)

    return _record(lender, booking, note, _("C’est noté. Les deux côtés en sont avertis."))


def _record(lender: str, booking: str, act: Any, done: str) -> Response | tuple[str, int]:
    found, by, party = asked_of(lender, booking)
    form = RemarksForm()
    if not form.validate():
        return _request_page(found, by, party, remarks=form), 422
    try:
        with transaction() as session:
            act(session, booking, lender=party.id, remarks=form.remarks.data or "", by=by, at=clock.now())
    except Refused as error:
        form.refuse(error)
        return _request_page(*asked_of(lender, booking), remarks=form), status_of(error)
    flash(done, "success")
    return redirect(url_for("bookings.request_", lender=lender, booking=booking), 303)
