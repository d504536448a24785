"""A loan for programs: what leaves, what comes back, how many people came."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from exchange.bookings import extending, operations, queries
from exchange.bookings.api import as_mine, detail
from exchange.bookings.api_series import resources
from exchange.bookings.extending import Outcome
from exchange.bookings.policy import Back, Handed
from exchange.bookings.queries import BookingView
from exchange.bookings.schemas import (
    BookingShape,
    ExtensionDecision,
    ExtensionShape,
    NewAttendance,
    NewExtension,
    NewHandOver,
    NewReturn,
    RequestDetail,
)
from exchange.bookings.telling import (
    asked_of,
    own_booking,
    tell,
    write_extension_answered,
    write_extension_asked,
    write_part_back,
)
from exchange.catalogue import queries as catalogue
from exchange.db import db
from exchange.errors import MoreThanBooked, MoreThanOut, WrongFields
from exchange.rest.resources import Deed, Done
from exchange.sentences import N, sentence_of
from ledger.errors import Refused

__all__ = ["resources"]  # with these addresses beside those of ``api``


@resources.acts(
    "/lenders/<lender>/bookings/<booking>/hand-over", N("Noter une remise"), takes=NewHandOver, gives=RequestDetail
)
def hand_over(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """The things and the keys leave, as many as were booked or fewer; what stays is free at once."""
    found, by, party = asked_of(lender, booking)
    said = _by_resource(found, given["items"])
    items = {id_: Handed(item["quantity"], item["remarks"]) for id_, item in said.items()}

    def note(session: Session, at: datetime) -> Done:
        try:
            operations.hand_over(session, booking, lender=party.id, remarks=given["remarks"], items=items,
                                 keys=given["keys"], by=by, at=at)  # fmt: skip
        except MoreThanBooked as error:
            raise _beside(error, list(said), "quantity") from error
        return Done(detail(asked_of(lender, booking)[0]))

    return Deed(by, note)


def _by_resource(found: BookingView, items: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What is said of each item of a booking, by its resource. Raises WrongFields for what is not in it, or twice."""
    lent = catalogue.views(db.session(), [item.resource_id for item in found.items])
    known = {it.token: it.id for it in lent.values()}
    said: dict[int, dict[str, Any]] = {}
    for number, item in enumerate(items):
        id_ = known.get(item["resource"])
        if id_ is None or id_ in said:
            raise WrongFields(errors={f"items.{number}.resource": [sentence_of(MoreThanOut(left=0)).what]})
        said[id_] = item
    return said


def _beside(error: Refused, said: list[int], name: str) -> Refused:
    """The same refusal, which names the item that it is about."""
    if error.facts.get("resource") in said:
        error.facts["field"] = f"items.{said.index(error.facts['resource'])}.{name}"
    return error


@resources.acts(
    "/lenders/<lender>/bookings/<booking>/return", N("Noter un retour"), takes=NewReturn, gives=RequestDetail
)
def take_back(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """All of it is back, or a part; with the last, the loan is over and the minutes that were set aside are counted."""
    found, by, party = asked_of(lender, booking)
    part = "items" in given or "keys" in given
    said = _by_resource(found, given.get("items", []))
    items = {id_: Back(item["back"], item["broken"], item["lost"], item["remarks"]) for id_, item in said.items()}

    def note(session: Session, at: datetime) -> Done:
        try:
            operations.take_back(
                session, booking, lender=party.id, remarks=given["remarks"], items=items if part else None,
                keys=given.get("keys", [] if part else None), lost_keys=given["lost_keys"], by=by, at=at,
            )  # fmt: skip
        except MoreThanOut as error:
            raise _beside(error, list(said), "back") from error
        after = queries.view(session, found.id, at=at)
        write_part_back(session, after, at=at)
        return Done(detail(after), has_entry=after.back is not None and found.minutes > 0)

    return Deed(by, note)


@resources.acts(
    "/lenders/<lender>/bookings/<booking>/attendance", N("Noter combien de personnes sont venues"),
    takes=NewAttendance, gives=RequestDetail,
)  # fmt: skip
def count_people(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """Once the use has begun, and once."""
    found, by, _party = asked_of(lender, booking)

    def note(session: Session, at: datetime) -> Done:
        operations.count_people(session, found.id, given["people"], by=by, at=at)
        return Done(detail(asked_of(lender, booking)[0]))

    return Deed(by, note)


@resources.acts(
    "/bookings/<booking>/attendance", N("Dire combien de personnes sont venues"), takes=NewAttendance,
    gives=BookingShape,
)  # fmt: skip
def tell_people(given: dict[str, Any], booking: str) -> Deed:
    """Once the use has begun, and once; the lender's office may have said it before."""
    found, scope = own_booking(booking)
    by = scope.acting(found.party_id)

    def note(session: Session, at: datetime) -> Done:
        operations.count_people(session, found.id, given["people"], by=by, at=at)
        return Done(as_mine(tell([own_booking(booking)[0]])[0]))

    return Deed(by, note)


# -- more time


@resources.acts(
    "/bookings/<booking>/extension", N("Demander plus de temps"), takes=NewExtension, gives=ExtensionShape
)
def extend(given: dict[str, Any], booking: str) -> Deed:
    """While it is out: had at once when nobody follows and every rule lets it through; else its lender is asked."""
    found, scope = own_booking(booking)
    by = scope.acting(found.party_id)

    def ask(session: Session, at: datetime) -> Done:
        outcome = extending.ask(session, booking, given["until"], parties=scope.parties, reason=given["reason"], by=by,
                                at=at)  # fmt: skip
        write_extension_asked(session, outcome, reason=given["reason"], at=at)
        return Done(_extended(outcome))

    return Deed(by, ask)


def _extended(outcome: Outcome) -> dict[str, Any]:
    ends_at = outcome.until if outcome.granted else outcome.view.ends_at
    return {"booking": outcome.view.token, "granted": outcome.granted, "until": outcome.until, "ends_at": ends_at}


@resources.acts(
    "/lenders/<lender>/bookings/<booking>/extension", N("Prolonger un prêt"), takes=NewExtension, gives=ExtensionShape
)
def extend_for(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """For who asks at the desk; every rule is run again."""
    _found, by, party = asked_of(lender, booking)

    def write(session: Session, at: datetime) -> Done:
        outcome = extending.grant_at_once(session, booking, given["until"], lender=party.id, reason=given["reason"],
                                          by=by, at=at)  # fmt: skip
        write_extension_answered(session, outcome, text="", at=at)
        return Done(_extended(outcome))

    return Deed(by, write)


@resources.acts(
    "/lenders/<lender>/bookings/<booking>/extension/decision", N("Répondre à qui demande plus de temps"),
    takes=ExtensionDecision, gives=ExtensionShape,
)  # fmt: skip
def decide_extension(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """Granted, every rule is run again; declined, the loan ends when it did."""
    _found, by, party = asked_of(lender, booking)

    def answer(session: Session, at: datetime) -> Done:
        if given["verdict"] == "granted":
            outcome = extending.grant(session, booking, lender=party.id, by=by, at=at)
        else:
            outcome = extending.decline(session, booking, lender=party.id, text=given["text"], by=by, at=at)
        write_extension_answered(session, outcome, text=given["text"], at=at)
        return Done(_extended(outcome))

    return Deed(by, answer)
