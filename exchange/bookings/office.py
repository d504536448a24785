"""Pages of the lender's office: requests to decide, and what goes out and comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock
from exchange.bookings import changes, damages, inventories, operations, queries
from exchange.bookings.counting import PeopleForm
from exchange.bookings.forms import GROUNDS, DeclineForm, RemarksForm
from exchange.bookings.queries import BookingView
from exchange.bookings.telling import Told, asked_of, still_due, tell, write_declined, write_no_show, write_to
from exchange.bookings.views import bookings
from exchange.bookings.wanted import check_free, request_of
from exchange.db import db, transaction
from exchange.documents import queries as documents
from exchange.dues import queries as dues
from exchange.errors import status_of
from exchange.members import queries as members
from exchange.paging import older_than
from exchange.security import auth_required, office, today
from exchange.sentences import Sentence, sentence_of
from ledger.errors import Refused

__all__ = ["bookings"]  # with these pages beside those of ``views``

PAGE = 25  # decided requests


@bookings.get("/preteurs/<lender>/demandes")
@auth_required()
def requests(lender: str) -> str:
    """What waits for this lender's decision, and what it hands over and takes back these days."""
    desk, at, session = office("booking.decide", lender), clock.now(), db.session()
    waiting = queries.to_decide(session, desk.party.id, at=at)
    following = queries.to_follow(session, desk.party.id, at=at, until=at + timedelta(days=7))
    told = tell([*waiting, *following])
    return render_template(
        "bookings/requests.html", lender=desk.party, waiting=told[: len(waiting)], following=told[len(waiting) :],
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
    found, _by, party = asked_of(lender, booking)
    return _request_page(found, party, DeclineForm(formdata=None), RemarksForm(formdata=None))


def _request_page(found: BookingView, lender: members.PartyView, decline: DeclineForm, remarks: RemarksForm) -> str:
    session, refused, at = db.session(), remarks if remarks.errors else decline, clock.now()
    open_ = found.state in {"pending", "accepted"} and found.starts_at > at
    moves = found.hand_over is None or found.replaces_id or found.changes_id  # what left isn't moved any more
    around = queries.around(session, found, at=at) if moves else queries.NOTHING_AROUND
    others = [each for each in (around.offer, around.before) if each]
    told, *rest = tell([found, *others], typed_by=False)
    beside = dict(zip([each.id for each in others], rest, strict=True))
    return render_template(
        "bookings/request.html", told=told, booking=found, lender=lender, decline=decline, form=refused,
        remarks=remarks, can_close=_can_close(found), grounds=GROUNDS,
        reached=members.contact(session, found.party_id, on=today()), missing=still_due(found),
        can_move=open_, obstacle=_obstacle(told) if open_ else None,
        offer=beside.get(around.offer.id) if around.offer else None, before=around.before,
        changed=beside.get(found.changes_id) if found.changes_id else None,
        change=around.change, change_waits=open_ and changes.waits(found, around),
        inventory=inventories.of(session, found) if found.hand_over else inventories.NOTHING,
        **_damages(found),
        endangered=_endangered_by(found, lender, at=at), people=PeopleForm(formdata=None),
        can_count=operations.can_count(found, at=at),
    )  # fmt: skip


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
        check_free(db.session(), request_of(told.booking, told.resources), apart_from=[told.booking.token])
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
        found, _by, party = asked_of(lender, booking)
        return _request_page(found, party, form, RemarksForm(formdata=None)), status_of(error)
    flash(_("C’est accepté. Le demandeur en est averti."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/refus")
@auth_required()
def decline(lender: str, booking: str) -> Response | tuple[str, int]:
    """The officer refuses, on a ground that the letter names with the remedy and its delay."""
    found, by, party = asked_of(lender, booking)
    form = DeclineForm()
    if not form.validate():
        return _request_page(found, party, form, RemarksForm(formdata=None)), 422
    with transaction() as session:
        at = clock.now()
        ground, text = form.ground.data, form.text.data
        operations.decline(session, booking, lender=party.id, ground=ground, text=text, by=by, at=at)
        write_declined(session, found, ground=GROUNDS[ground], text=text, at=at)
    flash(_("C’est refusé. Le demandeur reçoit le motif et les voies de recours."), "success")
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
        return _request_page(found, party, DeclineForm(formdata=None), form), 422
    try:
        with transaction() as session:
            act(session, booking, lender=party.id, remarks=form.remarks.data or "", by=by, at=clock.now())
    except Refused as error:
        form.refuse(error)
        found, _by, party = asked_of(lender, booking)
        return _request_page(found, party, DeclineForm(formdata=None), form), status_of(error)
    flash(done, "success")
    return redirect(url_for("bookings.request_", lender=lender, booking=booking), 303)
