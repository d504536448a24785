"""Lending for programs: what is free, asking for it, and the lender's office."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from exchange import clock, outbox
from exchange.bookings import changes, operations, opinions, policy, queries
from exchange.bookings import wanted as wishes
from exchange.bookings.forms import GROUNDS
from exchange.bookings.geography import ON_MAPS
from exchange.bookings.queries import BookingView, ItemView
from exchange.bookings.schemas import (
    AvailabilityShape,
    BookingPage,
    BookingShape,
    CancellationReason,
    NewDecision,
    NewOpinion,
    QuoteShape,
    Remarks,
    RequestDetail,
    RequestPage,
    SpanQuery,
    WantedBooking,
    WantedChange,
    WantedQuote,
)
from exchange.bookings.telling import (
    Told,
    asked_of,
    community_of,
    own_booking,
    published,
    tell,
    write_changed,
    write_declined,
    write_no_show,
    write_to,
    write_turn,
)
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.circuits import queries as circuits
from exchange.closures import queries as closures
from exchange.db import db
from exchange.errors import NotBookable, PoolExhausted, RuleRefuses, WrongCursor, WrongFields
from exchange.formats import explain
from exchange.hours import open_throughout
from exchange.members import queries as members
from exchange.reciprocity.policy import Evaluation
from exchange.rest import shapes
from exchange.rest.paging import PageQuery, cut, sliced
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import office, own, territory, today
from exchange.sentences import N
from ledger.entries import Acting
from ledger.errors import FloorReached

resources = Resources("bookings", N("Réservations"))
FOLLOWED = timedelta(days=7)  # what an office prepares for
OF_THE_ACCOUNT = {"balance", "within-floor"}  # rules whose figures are the borrower's own


# -- what is lent


@resources.reads("/resources/<resource>", N("Une salle ou du matériel"), gives=shapes.ResourceShape)
def resource(resource: str) -> dict[str, Any]:
    """Published ones only."""
    found = published(resource)
    return as_lent(found, members.parties(db.session(), [found.lender_id])[found.lender_id])


def as_lent(found: ResourceView, lender: members.PartyView) -> dict[str, Any]:
    """A resource; where a person lives is told to who is lent it, and to nobody else."""
    told = shapes.resource(found, lender)
    return told if lender.kind in ON_MAPS else told | {"place": None}


@resources.reads(
    "/resources/<resource>/availability", N("Est-ce libre ?"), query=SpanQuery, gives=AvailabilityShape
)
def availability(query: dict[str, Any], resource: str) -> dict[str, Any]:
    """During a span, and what takes it, without a name."""
    found, session = published(resource), db.session()
    span = query["starts_at"], query["ends_at"]
    policy.check_span(*span, at=clock.now())
    is_open = open_throughout(found.opening_hours, territory().zone, *span)
    if found.kind == "pool":
        left = max(queries.left_in(session, [found.id], *span)[found.id], 0)
        return {"open": is_open, "free": is_open and left > 0, "left": left, "taken": []}
    units = catalogue.units_of(session, [found.id])[found.id]
    taken, shut = queries.taken(session, units, *span), closures.shut(session, units, *span)
    is_open = is_open and not shut
    spans = sorted({(each.starts_at, each.ends_at, each.pending) for each in taken})
    told = [{"starts_at": start, "ends_at": end, "pending": pending} for start, end, pending in spans]
    return {"open": is_open, "free": is_open and not taken, "left": None, "taken": told}


# -- asking


@resources.acts("/quotes", N("Savoir ce que coûterait une réservation"), takes=WantedQuote, gives=QuoteShape)
def quote(given: dict[str, Any]) -> Deed:
    """The price and what every rule says; nothing is taken."""
    by, wanted = asked_for(given)

    def estimate(session: Session, at: datetime) -> Done:
        zone = territory().zone
        with by_its_item(wanted):
            wishes.check_all(session, wanted, zone=zone, at=at)
        return Done(_quoted(wanted, wishes.quote(session, wanted, zone=zone, at=at)))

    return Deed(by, estimate)


def asked_for(given: dict[str, Any]) -> tuple[Acting, Request]:
    """Who asks what. Raises WrongFields for a party that one doesn't act for, NotBookable for what isn't lent."""
    by, party = party_of(given)
    return by, request_of(party.id, given)


def party_of(given: dict[str, Any]) -> tuple[Acting, members.PartyView]:
    """Who asks, and for whom. Raises WrongFields for a party that one doesn't act for."""
    scope = own("booking.ask")
    party = members.party_by_token(db.session(), given["party"])
    if party is None or party.id not in scope.parties:
        raise WrongFields(errors={"party": [_("Vous ne pouvez pas agir en ce nom.")]})
    return scope.acting(party.id), party


def request_of(party: int, given: dict[str, Any]) -> Request:
    """What a body asks for. Raises WrongFields, NotBookable for what isn't lent."""
    wanted = tuple(_wanted(number, item) for number, item in enumerate(given["items"]))
    if len({each.resource.id for each in wanted}) != len(wanted):
        raise WrongFields(errors={"items": [_("Demandez chaque chose une seule fois.")]})
    return Request(party, wanted, given["starts_at"], given["ends_at"], given.get("purpose", ""), given.get("people"))


def _wanted(number: int, item: dict[str, Any]) -> Wanted:
    found = catalogue.published_by_token(db.session(), item["resource"])
    if found is None:
        raise NotBookable
    if found.kind != "pool" and item["quantity"] != 1:
        raise WrongFields(errors={f"items.{number}.quantity": [_("Il n’y en a qu’un exemplaire.")]})
    return Wanted(found, item["quantity"])


@contextmanager
def by_its_item(wanted: Request) -> Iterator[None]:
    """Say which item asks for more than there are."""
    try:
        yield
    except PoolExhausted as error:
        number = [each.resource.id for each in wanted.wanted].index(error.facts["resource"])
        error.facts["field"] = f"items.{number}.quantity"
        raise


def _quoted(wanted: Request, evaluation: Evaluation) -> dict[str, Any]:
    community = community_of(evaluation)
    return {
        "allowed": evaluation.allowed,
        "minutes": evaluation.minutes,
        "community": community.token if community else None,
        "deposit_cents": evaluation.cents("deposit"),
        "fee_cents": evaluation.cents("fee"),
        "items": [
            _item(each.resource, each.quantity, evaluation.prices[each.resource.id]) for each in wanted.wanted
        ],
        "findings": [_finding(finding) for finding in evaluation.as_record()["findings"]],
    }


def _item(resource: ResourceView, quantity: int, minutes: int) -> dict[str, Any]:
    return {"resource": shapes.resource_name(resource), "quantity": quantity, "minutes": minutes}


def _finding(finding: dict[str, Any]) -> dict[str, Any]:
    said = explain(finding)
    return {"code": finding["code"], "holds": finding["holds"], "detail": said.what, "remedy": said.remedy}


@resources.acts("/bookings", N("Demander une réservation"), takes=WantedBooking, gives=BookingShape, status=201)
def create(given: dict[str, Any]) -> Deed:
    """All or nothing; the request holds its slot until it is decided."""
    by, wanted = asked_for(given)

    def ask(session: Session, at: datetime) -> Done:
        with by_its_item(wanted):
            booking = operations.ask(session, wanted, zone=territory().zone, by=by, at=at)
        parties = members.parties(session, [booking.lender_id, booking.party_id])
        outbox.write(
            session, members.e_mails_of(session, booking.lender_id, on=today()), "booking_asked", at=at,
            booking=booking, party=parties[booking.party_id], resource=wanted.wanted[0].resource,
            lender=parties[booking.lender_id],
        )  # fmt: skip
        found, _scope = own_booking(booking.token)
        return Done(as_mine(tell([found])[0]), url_for("api_bookings.show", booking=booking.token))

    return Deed(by, ask)


@resources.reads("/bookings", N("Mes réservations"), query=PageQuery, gives=BookingPage)
def mine(query: dict[str, Any]) -> dict[str, Any]:
    """Mine, and those of the parties that I act for; the last asked first."""
    session, parties, at = db.session(), own("booking.read").parties, clock.now()
    before = None
    if "cursor" in query:
        last = queries.within(session, query["cursor"], parties, at=at)
        if last is None:
            raise WrongCursor
        before = last.id
    page = cut(queries.of_parties(session, parties, at=at, before=before, size=query["limit"] + 1), query["limit"])
    items = [as_mine(told) for told in tell(page.rows)]
    return {"items": items, "next": page.last.token if page.last else None}


@resources.reads("/bookings/<booking>", N("Une de mes réservations"), gives=BookingShape)
def show(booking: str) -> dict[str, Any]:
    """With the rules as they were read when it was asked for."""
    found, _scope = own_booking(booking)
    return as_mine(tell([found])[0])


@resources.acts(
    "/bookings/<booking>/cancellation", N("Annuler une réservation"), takes=CancellationReason, gives=BookingShape
)
def cancel(given: dict[str, Any], booking: str) -> Deed:
    """The slot is free again; a day or more before the start, the minutes are given back."""
    found, scope = own_booking(booking)
    by = scope.acting(found.party_id)

    def renounce(session: Session, at: datetime) -> Done:
        in_time = operations.cancel(session, booking, parties=scope.parties, reason=given["reason"], by=by, at=at)
        write_to(session, found.lender_id, "booking_cancelled", found, at=at)
        return Done(as_mine(tell([own_booking(booking)[0]])[0]), has_entry=not in_time and found.minutes > 0)

    return Deed(by, renounce)


@resources.acts(
    "/bookings/<booking>/change", N("Changer une réservation"), takes=WantedChange, gives=BookingShape, status=201
)
def change(given: dict[str, Any], booking: str) -> Deed:
    """At once when nobody has to decide; else its lender is asked, and what was accepted stands until the answer."""
    found, scope = own_booking(booking)
    by, wanted = scope.acting(found.party_id), request_of(found.party_id, given)

    def ask(session: Session, at: datetime) -> Done:
        before = tell([found])[0]
        with by_its_item(wanted):
            made = changes.change(session, booking, wanted, parties=scope.parties, by=by, at=at)
        write_changed(session, made.id, before, at=at)
        return Done(as_mine(tell([own_booking(made.token)[0]])[0]), url_for("api_bookings.show", booking=made.token))

    return Deed(by, ask)


def as_mine(told: Told) -> dict[str, Any]:
    """A booking as BookingShape."""
    findings = [_finding(finding) for finding in told.booking.explanation["findings"]]
    return {**_loan(told), "findings": findings, "typed_by": told.typed_by}


def _loan(told: Told) -> dict[str, Any]:
    booking = told.booking
    decision, back = booking.decision, booking.back
    return {
        "id": booking.token,
        "state": booking.state,
        "lender": shapes.party(told.lender),
        "party": shapes.party(told.party),
        "items": [_loan_item(told.resources[item.resource_id], item) for item in booking.items],
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "wanted_until": booking.wanted_until,
        "purpose": booking.purpose,
        "people": booking.people,
        "people_came": booking.attendance.people if booking.attendance else None,
        "minutes": booking.minutes,
        "community": told.community.token if told.community else None,
        "deposit_cents": booking.euros["deposit"],
        "fee_cents": booking.euros["fee"],
        "changes": booking.changes,
        "replaces": booking.replaces,
        "word": booking.word,
        "asked_at": booking.asked_at,
        "answer_before": booking.answer_before,
        "decided_at": booking.answered,
        "ground": decision.ground if decision else None,
        "text": decision.text if decision else None,
        "cancelled_at": booking.cancellation.cancelled_at if booking.cancellation else None,
        "handed_over_at": booking.hand_over.handed_over_at if booking.hand_over else None,
        "returned_at": back.returned_at if back else None,
        "no_show_at": booking.no_show.noted_at if booking.no_show else None,
    }


def _loan_item(resource: ResourceView, item: ItemView) -> dict[str, Any]:
    counted = {"out": item.out, "back": item.back, "broken": item.broken, "lost": item.lost}
    return _item(resource, item.quantity, item.minutes) | counted


# -- the lender's office


@resources.reads(
    "/lenders/<lender>/requests", N("Les demandes à décider"), query=PageQuery, gives=RequestPage
)
def requests(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """The first asked first."""
    desk = office("booking.decide", lender)
    return _page(queries.to_decide(db.session(), desk.party.id, at=clock.now(), size=1000), query)


@resources.reads(
    "/lenders/<lender>/loans", N("Ce qui part et ce qui revient ces jours-ci"), query=PageQuery, gives=RequestPage
)
def loans(query: dict[str, Any], lender: str) -> dict[str, Any]:
    """Out, late, or starting within a week; the nearest end first."""
    desk, at = office("booking.decide", lender), clock.now()
    return _page(queries.to_follow(db.session(), desk.party.id, at=at, until=at + FOLLOWED, size=1000), query)


def _page(found: Sequence[BookingView], query: dict[str, Any]) -> dict[str, Any]:
    page = sliced(found, query, lambda booking: booking.token)
    items = [as_asked(told) for told in tell(page.rows)]
    return {"items": items, "next": page.last.token if page.last else None}


@resources.reads(
    "/lenders/<lender>/bookings/<booking>", N("Une demande faite à un prêteur"), gives=RequestDetail
)
def asked(lender: str, booking: str) -> dict[str, Any]:
    """Who, what for, and how to reach them."""
    found, _by, _party = asked_of(lender, booking)
    return detail(found)


def as_asked(told: Told) -> dict[str, Any]:
    """A booking as RequestShape."""
    checked = [
        {"code": finding["code"], "holds": finding["holds"]} for finding in told.booking.explanation["findings"]
    ]
    return {**_loan(told), "checked": checked}


def detail(found: BookingView) -> dict[str, Any]:
    """One request as RequestDetail, with how to reach who asked and where it is on its way."""
    reached = members.contact(db.session(), found.party_id, on=today())
    return {**as_asked(tell([found])[0]), "contact": reached._asdict(), "steps": _steps(found)}


def _steps(found: BookingView) -> list[dict[str, Any]]:
    session = db.session()
    said = circuits.said_of(session, found.id)
    silent = [each.step for each in said if each.given_at is None] if found.state == "pending" else []
    return [
        {"step": each.step, "favourable": each.favourable, "text": each.text, "given_at": each.given_at,
         "turn": each.step in silent[:1]}
        for each in said
    ]  # fmt: skip


@resources.acts(
    "/lenders/<lender>/bookings/<booking>/decision", N("Accepter ou refuser"), takes=NewDecision,
    gives=RequestDetail,
)  # fmt: skip
def decide(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """Accepted, the rules are run again and the minutes set aside; declined, the slot is free again."""
    found, by, party = asked_of(lender, booking)

    def answer(session: Session, at: datetime) -> Done:
        if given["verdict"] == "accepted":
            _accept(session, found, lender=party.id, by=by, at=at)
        else:
            _decline(session, found, given, lender=party.id, by=by, at=at)
        return Done(detail(asked_of(lender, booking)[0]))

    return Deed(by, answer)


def _accept(session: Session, found: BookingView, *, lender: int, by: Acting, at: datetime) -> None:
    """Accept; what stands against it on the borrower's account is told without its figures."""
    try:
        operations.accept(session, found.token, lender=lender, by=by, at=at)
    except FloorReached as error:
        raise RuleRefuses from error
    except RuleRefuses as error:
        raise RuleRefuses(findings=[f for f in error.facts["findings"] if f["code"] not in OF_THE_ACCOUNT]) from error
    write_to(session, found.party_id, "booking_accepted", found, at=at)


def _decline(
    session: Session, found: BookingView, given: dict[str, Any], *, lender: int, by: Acting, at: datetime
) -> None:
    ground, text = given["ground"], given["text"]
    operations.decline(session, found.token, lender=lender, ground=ground, text=text, by=by, at=at)
    write_declined(session, found, ground=GROUNDS[ground], text=text, at=at)


@resources.acts(
    "/lenders/<lender>/bookings/<booking>/opinion", N("Donner un avis sur une demande"), takes=NewOpinion,
    gives=RequestDetail,
)  # fmt: skip
def give_opinion(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """Of the step whose turn it is; the request goes on to the next, whose people are told."""
    found, by, party = asked_of(lender, booking)

    def say(session: Session, at: datetime) -> Done:
        opinions.give(session, booking, lender=party.id, **given, by=by, at=at)
        write_turn(session, [found], by=by, at=at)
        return Done(detail(asked_of(lender, booking)[0]))

    return Deed(by, say)


@resources.acts(
    "/lenders/<lender>/bookings/<booking>/no-show", N("Noter que personne n’est venu"), takes=Remarks,
    gives=RequestDetail,
)  # fmt: skip
def note_no_show(given: dict[str, Any], lender: str, booking: str) -> Deed:
    """Once the loan has begun and nobody came for the things: the minutes are given back, but those of a room."""
    found, by, party = asked_of(lender, booking)

    def close(session: Session, at: datetime) -> Done:
        operations.note_no_show(session, booking, lender=party.id, remarks=given["remarks"], by=by, at=at)
        write_no_show(session, found, at=at)
        return Done(detail(asked_of(lender, booking)[0]), has_entry=tell([found])[0].counted > 0)

    return Deed(by, close)
