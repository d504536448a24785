"""Pages of who looks for something: what is free, one resource and its week, a request and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from exchange import clock, formats, idempotency
from exchange.bookings import (
    changes,
    damages,
    filing,
    inventories,
    operations,
    options,
    policy,
    queries,
    waiting,
    weeks,
)
from exchange.bookings.asking import Asking, asking_of, charters_to_tick, prefilled, refuse, understood
from exchange.bookings.counting import PeopleForm
from exchange.bookings.forms import (
    BESIDE,
    CLOSING,
    AskForm,
    ContestForm,
    JumpForm,
    RemarksForm,
    SearchForm,
    ask_form,
    beside,
)
from exchange.bookings.queries import BookingView
from exchange.bookings.searching import NOTHING, Found, may_ask_for, nearest, same_search
from exchange.bookings.searching import search as search_
from exchange.bookings.telling import (
    Told,
    community_of,
    for_all,
    own_booking,
    published,
    tell,
    waited,
    write_asked,
    write_to,
)
from exchange.bookings.wanted import Request, at_once, check_all, quote, request_of
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import queries as closures
from exchange.db import db, transaction
from exchange.errors import OutOfService, PoolExhausted, RuleRefuses, SlotTaken, status_of
from exchange.idempotency import Done
from exchange.members import queries as members
from exchange.paging import older_than, page_number
from exchange.pictures import queries as pictures
from exchange.reciprocity import queries as rules
from exchange.reciprocity.policy import Evaluation, Rule
from exchange.security import acts_for, auth_required, in_office, own, territory, today, tomorrow
from exchange.sentences import GROUNDS
from ledger.entries import Acting
from ledger.errors import Refused

ROOMS = 15  # on one page of the week
SAID = ("jour", "de", "a", "personnes", "jusqu", "chaque", "qui")  # what an address says of a request
bookings = Blueprint("bookings", __name__)

@bookings.get("/salles")
def search() -> str | tuple[str, int]:
    """What is free on that day at those hours, for so many people; without hours, what is left of that day; without a
    day, everything that is lent.
    """
    form, session = SearchForm(request.args), db.session()
    form.qui.choices = [(party.token, party.name) for party in may_ask_for()]
    found = search_(form) if not request.args or form.validate() else NOTHING
    in_force = {} if found.prices else rules.rules_of(session, found.lenders, on=today())
    page = render_template(
        "bookings/search.html", form=form, found=found, near=nearest(form, found), url=ask_url(form, found),
        awaiting=ask_url(form, found, "bookings.new_wish"),
        at=lambda other: url_for(
            "bookings.new", resource=other.resource.token, jour=formats.local(other.starts_at).date().isoformat(),
            de=f"{formats.local(other.starts_at):%H:%M}", a=f"{formats.local(other.ends_at):%H:%M}",
            personnes=form.people.data,
        ),
        pictures=pictures.firsts(session, [each.id for each in found.free]),
        on_map=same_search("bookings.on_map") + "#carte",
        priced={each.id for each in found.free if _has_a_price(each, in_force.get(each.lender_id, []))},
    )  # fmt: skip
    return (page, 422) if form.errors else page


def _has_a_price(it: ResourceView, in_force: list[Rule]) -> bool:
    """Whether somebody pays minutes for it: its page says who, and how many."""
    return any(rule.minutes and rule.shape == "tariff" and _binds(rule, it) for rule in in_force)


def ask_url(form: SearchForm, found: Found, endpoint: str = "bookings.resource") -> Any:
    """A maker of links to the request, or to another page of it, with what was searched already filled in."""
    known: dict[str, Any] = {
        "jour": form.day.data.isoformat() if form.day.data else None,
        "de": f"{form.starts.data:%H:%M}" if form.starts.data else None,
        "a": f"{form.ends.data:%H:%M}" if form.ends.data else None,
        "personnes": form.people.data,
        "jusqu": form.end_day.data.isoformat() if form.end_day.data else None,
        "chaque": 1 if len(found.spans) > 1 else None,
        "qui": form.qui.data or None,
    }

    def url(it: ResourceView) -> str:
        with_it: dict[str, Any] = {beside(other): many for other, many in found.beside.get(it.lender_id, ())}
        return url_for(endpoint, resource=it.token, **known, **with_it)

    return url


@bookings.get("/salles/<resource>")
def resource(resource: str) -> str:
    """One room or thing: what it is, what it costs, and its week."""
    session, it, jump = db.session(), published(resource), JumpForm(request.args)
    first = policy.first_day(request.args.get("semaine") or jump.day_typed(), today=today())
    known = {name: value for name, value in request.args.items() if value and (name in SAID or name.startswith(BESIDE))}
    units = catalogue.units_of(session, [it.id])[it.id]
    lender = members.parties(session, [it.lender_id])[it.lender_id]
    here, at = in_office("booking.decide", it.lender_id), clock.now()
    awaited = waiting.over(session, [it.id], at, at + policy.FARTHEST, at=at) if here else []
    due = queries.at_hand(session, units, it.lender_id, at=at, until=tomorrow()) if here else []
    days, rows = weeks.of_pool(it, first) if it.kind == "pool" else weeks.of_one(it, units, first)
    return render_template(
        "bookings/resource.html", resource=for_all(it, lender), lender=lender, here=here, due=due,
        borrowers=members.parties(session, {each.party_id for each in due}) if due else {},
        rules=[rule for rule in rules.rules_of(session, [it.lender_id], on=today())[it.lender_id] if _binds(rule, it)],
        first=first, jump=jump, today=today(), days=days, week_rows=rows, known=known, many_days="chaque" in known,
        week=timedelta(days=7),
        communities={c.id: c for c in members.communities(session)}, closing=CLOSING,
        pictures=pictures.of_resource(session, it.id),
        closures=closures.of_units(session, [*units, it.id], at=at), awaited=waited(awaited) if awaited else [],
    )  # fmt: skip


def _binds(rule: Rule, it: ResourceView) -> bool:
    return rule.resource in (None, it.id) and rule.category in (None, it.category)


@bookings.get("/salles/semaine")
def week() -> str:
    """Seven days of every room, one line each; a public page names nobody."""
    session, first = db.session(), policy.first_day(request.args.get("semaine"), today=today())
    rooms = catalogue.published(session, kind="room")
    last = max(1, -(-len(rooms) // ROOMS))
    page = min(last, page_number(request.args.get("page", "")))
    week_days = [first + timedelta(days=n) for n in range(7)]
    days, rows = weeks.of_rooms(rooms[ROOMS * (page - 1) : ROOMS * page], week_days)
    return render_template(
        "bookings/week.html", first=first, today=today(), week=timedelta(days=7), rows=rows, days=days,
        page=page, last=last,
    )  # fmt: skip


@bookings.get("/salles/<resource>/reserver")
@auth_required()
def new(resource: str) -> str:
    """The request's form, filled with what was searched."""
    asking = asking_of(resource)
    return ask_page(asking, form_of(asking, formdata=None, **prefilled(asking)))


def form_of(asking: Asking, **given: Any) -> AskForm:
    """The form of a request, or of what changes one."""
    return ask_form(asking.resource, asking.beside, AskForm)(**given)


@bookings.post("/salles/<resource>/verification")
@auth_required()
def check(resource: str) -> str | tuple[str, int]:
    """Say what it costs and which rules let it through, or what stands in the way. Writes nothing."""
    asking = asking_of(resource)
    zone, at, session = territory().zone, clock.now(), db.session()

    def look(wanted: Request) -> Evaluation:
        check_all(session, wanted, zone=zone, at=at)
        return quote(session, wanted, zone=zone, at=at)

    return checked(asking, look)


def checked(asking: Asking, look: Callable[[Request], Evaluation]) -> str | tuple[str, int]:
    """What was typed, checked: its page, or the form with what stands in the way."""
    form = form_of(asking)
    wanted = understood(asking, form)
    if "correct" in request.form:
        return ask_page(asking, form, quiet=True)
    if wanted is None:
        return ask_page(asking, form), 422
    try:
        evaluation = look(wanted)
    except Refused as error:
        refuse(asking, form, error)
        return ask_page(asking, form, may_wait=awaitable(asking, error)), 422
    party = asking.chosen(form.party.data)
    assert party is not None
    return render_template("bookings/check.html", asking=asking, form=form, wanted=wanted, evaluation=evaluation,
                           party=party, own=party.kind == "person" and acts_for(party.id),
                           at_once=at_once(wanted), community=community_of(evaluation),
                           option=None if asking.changed else options.offered(wanted, at=clock.now()),
                           papers=filing.asked_for(party.id, [each.resource for each in wanted.wanted],
                                                   until=formats.last_day(wanted.ends_at)))  # fmt: skip


@bookings.post("/salles/<resource>/reservations")
@auth_required()
def create(resource: str) -> Response | tuple[str, int]:
    """Ask, once for one key; the slot is held from now on."""
    asking = asking_of(resource)

    def ask(session: Session, wanted: Request, by: Acting, at: datetime) -> str:
        booking = operations.ask(session, wanted, zone=territory().zone, by=by, at=at)
        write_asked(session, booking, at=at)
        return url_for("bookings.show", booking=booking.token)

    return written(asking, ask)


Write = Callable[[Session, Request, Acting, datetime], str]
"""Write what was asked for, and say where that leads."""


def written(asking: Asking, write: Write, page: Callable[..., str] | None = None) -> Response | tuple[str, int]:
    """What was typed, written once for one key, and where that leads; or the form (or another ``page``) with what
    stands in the way.
    """
    form, page = form_of(asking), page or ask_page
    wanted = understood(asking, form)
    if wanted is None:
        return page(asking, form), 422
    try:
        return redirect(_once(asking, form, wanted, write), 303)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        refuse(asking, form, error)
        told = page(asking, form, may_wait=awaitable(asking, error))
        return told, status_of(error) if isinstance(error, RuleRefuses) else 422


def awaitable(asking: Asking, error: Refused) -> bool:
    """Whether what is refused is only taken: it may free."""
    return asking.changed is None and isinstance(error, SlotTaken | PoolExhausted | OutOfService)


def _once(asking: Asking, form: AskForm, wanted: Request, write: Write) -> str:
    by = asking.scope.acting(wanted.party)

    def ask(session: Session, at: datetime) -> Done:
        return Done(write(session, wanted, by, at))

    values = {"party": wanted.party, "starts": wanted.starts_at, "ends": wanted.ends_at, "purpose": wanted.purpose,
              "people": wanted.people, "accepts": sorted(wanted.accepts),
              "items": [[w.resource.id, w.quantity] for w in wanted.wanted]}  # fmt: skip
    content = idempotency.digest(request.path, values)
    return idempotency.once(ask, party=by.party, key=form.key.data, content=content).location or "/"


def ask_page(asking: Asking, form: AskForm, *, quiet: bool = False, may_wait: bool = False) -> str:
    """The form; ``quiet`` about what is wrong when somebody comes back to it by themselves. Where what is asked for is
    taken, one may wait for it.
    """
    form.party.choices = [(party.token, party.name) for party in asking.parties]
    if quiet:
        for field in form:
            field.errors = ()
    return render_template("bookings/new.html", asking=asking, form=form, may_wait=may_wait,
                           charters=charters_to_tick(asking, form))  # fmt: skip


@bookings.get("/reservations")
@auth_required()
def mine() -> str:
    """What I, and those I act for, asked for."""
    session, parties, at = db.session(), own("booking.read").parties, clock.now()
    found = queries.of_parties(session, parties, at=at, before=older_than(), size=26)
    older = found[24].id if len(found) > 25 else None
    places = [wish for wish in waiting.of_parties(session, parties, at=at) if wish.outcome is None]
    return render_template("bookings/mine.html", told=tell(found[:25]), older=older, places=len(places))


@bookings.get("/reservations/<booking>")
@auth_required()
def show(booking: str) -> str:
    """One booking as who asked for it reads it."""
    found, _scope = own_booking(booking)
    return show_page(found, RemarksForm(formdata=None))


def show_page(found: BookingView, form: RemarksForm) -> str:
    """The page of a booking for who asked for it."""
    session, at = db.session(), clock.now()
    around = queries.around(session, found, at=at)
    told, *others = tell([found, *([around.before] if around.before else [])])
    can_cancel = found.state in {"pending", "accepted"} and found.starts_at > at
    in_time = policy.cancelled_in_time(found.starts_at, at, accepted=found.state == "accepted")
    can_change = can_cancel and told.first.status == "published" and changes.changeable(found, around, at=at)
    return render_template("bookings/show.html", told=told, booking=found, form=form, can_cancel=can_cancel,
                           in_time=in_time, grounds=GROUNDS, before=others[0] if others else None, again=_again(told),
                           can_change=can_change, change=around.change, offer=around.offer,
                           inventory=inventories.of(session, found) if found.hand_over else inventories.NOTHING,
                           damages=damages.of_booking(session, found.id) if found.hand_over else [],
                           contest=ContestForm(formdata=None), communities=_communities(found),
                           people=PeopleForm(formdata=None), can_count=operations.can_count(found, at=at),
                           at_once=at_once(request_of(found, told.resources)))  # fmt: skip


def _communities(found: BookingView) -> dict[int, members.CommunityView]:
    """Those that may count what a loan damaged."""
    return {each.id: each for each in members.communities(db.session())} if found.hand_over else {}


def _again(told: Told) -> str | None:
    """Where the same is asked for on another day; None for what is not lent any more."""
    of, first = told.booking, told.first
    if first.status != "published":
        return None
    others: dict[str, Any] = {beside(told.resources[item.resource_id]): item.quantity for item in of.items[1:]}
    return url_for(
        "bookings.new", resource=first.token, de=f"{formats.local(of.starts_at):%H:%M}",
        a=f"{formats.local(of.ends_at):%H:%M}", personnes=of.people, pour=of.purpose, qui=told.party.token, **others,
    )


@bookings.post("/reservations/<booking>/annulation")
@auth_required()
def cancel(booking: str) -> Response | tuple[str, int]:
    """I don't need it any more."""
    found, scope = own_booking(booking)
    form = RemarksForm()
    if not form.validate():
        return show_page(found, form), 422
    with transaction() as session:
        at = clock.now()
        in_time = operations.cancel(session, booking, parties=scope.parties, reason=form.remarks.data or "",
                                    by=scope.acting(found.party_id), at=at)  # fmt: skip
        write_to(session, found.lender_id, "booking_cancelled", found, at=at)
    if in_time:
        flash(_("C’est annulé. Le créneau est libre de nouveau."), "success")
    else:
        flash(_("C’est annulé, trop tard pour rendre les minutes réservées : elles sont comptées."), "warning")
    return redirect(url_for("bookings.show", booking=booking), 303)
