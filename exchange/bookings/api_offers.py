"""Moving a booking for programs: its lender offers something else or revokes it, who had it accepts or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from exchange import outbox
from exchange.bookings import offers, queries
from exchange.bookings.api import as_mine, by_its_item, detail, request_of
from exchange.bookings.api_closures import resources
from exchange.bookings.schemas import BookingShape, NewOffer, RequestDetail, Revocation
from exchange.bookings.telling import asked_of, own_booking, tell, write_to
from exchange.members import queries as members
from exchange.rest.resources import Deed, Done
from exchange.security import today
from exchange.sentences import GROUNDS, N

__all__ = ["resources"]  # with what ``api`` offers


@resources.acts("/lenders/<lender>/bookings/<booking>/offer", N("Proposer autre chose à la place"), takes=NewOffer,
                gives=RequestDetail, status=201)  # fmt: skip
def offer(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """It is held until who had the booking answers; that stays as it is until then."""
    found, by, party = asked_of(lender, booking)
    wanted = request_of(found.party_id, given)

    def write(session: Session, at: datetime) -> Done:
        before = tell([found])[0]
        with by_its_item(wanted):
            made = offers.offer(session, booking, lender=party.id, wanted=wanted.wanted, starts_at=wanted.starts_at,
                                ends_at=wanted.ends_at, word=given["word"], by=by, at=at)  # fmt: skip
        offered = queries.view(session, made.id, at=at)
        outbox.write(session, members.e_mails_of(session, found.party_id, on=today()), "booking_offered", at=at,
                     told=tell([offered])[0], before=before)  # fmt: skip
        return Done(detail(offered), url_for("api_bookings.asked", lender=lender, booking=made.token))

    return Deed(by, write)


@resources.acts("/lenders/<lender>/bookings/<booking>/offer/withdrawal", N("Retirer ce qui est proposé"),
                gives=RequestDetail)  # fmt: skip
def withdraw_offer(_given: dict[str, Any], lender: str, booking: str) -> Deed:
    """The booking stays as it was; its own address, not that of what was offered."""
    found, by, party = asked_of(lender, booking)

    def write(session: Session, at: datetime) -> Done:
        offered = offers.withdraw_offer(session, booking, lender=party.id, by=by, at=at)
        write_to(session, found.party_id, "booking_offer_withdrawn", offered, at=at)
        return Done(detail(asked_of(lender, booking)[0]))

    return Deed(by, write)


@resources.acts("/lenders/<lender>/bookings/<booking>/revocation", N("Annuler ce qui était accepté"), takes=Revocation,
                gives=RequestDetail)  # fmt: skip
def revoke(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """On a ground, with an explanation; the minutes are given back."""
    found, by, party = asked_of(lender, booking)
    ground, text = given["ground"], given["text"]

    def write(session: Session, at: datetime) -> Done:
        offers.revoke(session, booking, lender=party.id, ground=ground, text=text, by=by, at=at)
        outbox.write(session, members.e_mails_of(session, found.party_id, on=today()), "booking_revoked", at=at,
                     told=tell([found])[0], ground=GROUNDS[ground], text=text)  # fmt: skip
        return Done(detail(asked_of(lender, booking)[0]))

    return Deed(by, write)


@resources.acts("/bookings/<booking>/consent", N("Accepter ce qui est proposé à la place"), gives=BookingShape)
def consent(_given: dict[str, Any], booking: str) -> Deed:
    """At the address of what is offered: it takes the place of what one had, whose minutes are given back."""
    return _answer(booking, offers.consent, "booking_moved")


@resources.acts("/bookings/<booking>/dismissal", N("Refuser ce qui est proposé à la place"), gives=BookingShape)
def dismiss(_given: dict[str, Any], booking: str) -> Deed:
    """At the address of what is offered: what one had stays as it was."""
    return _answer(booking, offers.dismiss, "booking_offer_dismissed")


def _answer(booking: str, act: Callable[..., Any], letter: str) -> Deed:
    found, scope = own_booking(booking)
    by = scope.acting(found.party_id)

    def write(session: Session, at: datetime) -> Done:
        act(session, booking, parties=scope.parties, by=by, at=at)
        write_to(session, found.lender_id, letter, found, at=at)
        return Done(as_mine(tell([own_booking(booking)[0]])[0]))

    return Deed(by, write)
