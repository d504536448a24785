"""Pages of lending: what is free, one resource and its week, a request, and the lender's decisions."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from exchange import clock, formats, idempotency, outbox
from exchange.bookings import operations, policy, queries
from exchange.bookings.forms import GROUNDS, AskForm, DeclineForm, RemarksForm, SearchForm, ask_form
from exchange.bookings.operations import Request, Wanted
from exchange.bookings.queries import BookingView
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db, transaction
from exchange.errors import NotFound, RuleRefuses, SlotTaken, status_of
from exchange.hours import intervals, open_throughout
from exchange.members import queries as members
from exchange.reciprocity import queries as rules
from exchange.reciprocity.policy import Evaluation, Rule
from exchange.security import Scope, auth_required, office, own, territory, today
from ledger.entries import Acting
from ledger.errors import Refused

bookings = Blueprint("bookings", __name__)

THINGS_BESIDE = 8  # pools offered beside a room in one request


@bookings.get("/salles")
def search() -> str | tuple[str, int]:
    """What is free on that day at those hours, for so many people; without a day, everything that is lent.

    Who says how many people looks for a room: things have no capacity.
    """
    form, session = SearchForm(request.args), db.session()
    span = _searched_span(form) if request.args and form.validate() else None
    found = [] if form.errors else catalogue.published(
        session, text=form.q.data or None, capacity=form.people.data, accessible=form.accessible.data,
        kind="room" if form.people.data else None,
    )  # fmt: skip
    free, taken = _split(found, span) if span else (found, [])
    lenders = members.parties(session, [each.lender_id for each in free])
    in_force = rules.rules_of(session, lenders, on=today())
    page = render_template(
        "bookings/search.html", form=form, free=free, taken=taken, span=span, url=_ask_url(form), lenders=lenders,
        priced={each.id for each in free if _has_a_price(each, in_force[each.lender_id])},
    )  # fmt: skip
    return (page, 422) if form.errors else page


def _has_a_price(it: ResourceView, in_force: list[Rule]) -> bool:
    """Whether somebody pays minutes for it: its page says who, and how many."""
    return any(rule.minutes and rule.shape == "tariff" and _binds(rule, it) for rule in in_force)


def _searched_span(form: SearchForm) -> tuple[datetime, datetime] | None:
    if form.day.data is None:
        if form.starts.data or form.ends.data:
            form.day.errors = [_("Indiquez aussi le jour.")]
        return None
    zone = territory().zone
    try:
        starts = policy.instant(form.day.data, form.starts.data or time(8), zone)
        ends = policy.instant(form.day.data, form.ends.data or time(22), zone)
        policy.check_span(starts, ends, at=clock.now())
    except Refused as error:
        form.refuse(error)
        return None
    return starts, ends


def _split(
    found: list[ResourceView], span: tuple[datetime, datetime]
) -> tuple[list[ResourceView], list[ResourceView]]:
    """Those that are open and free during the whole span, and the others."""
    session, zone = db.session(), territory().zone
    units = catalogue.units_of(session, [r.id for r in found if r.kind != "pool"])
    busy = queries.busy_units(session, [unit for leaves in units.values() for unit in leaves], *span)
    left = queries.left_in(session, [r.id for r in found if r.kind == "pool"], *span)

    def is_free(resource: ResourceView) -> bool:
        if resource.kind == "pool":
            return left[resource.id] > 0
        return not busy.intersection(units[resource.id])

    free = [r for r in found if is_free(r) and open_throughout(r.opening_hours, zone, *span)]
    ids = {resource.id for resource in free}
    return free, [resource for resource in found if resource.id not in ids]


def _ask_url(form: SearchForm) -> Any:
    """A maker of links to the request, with what was searched already filled in."""
    known: dict[str, Any] = {
        "jour": form.day.data.isoformat() if form.day.data else None,
        "de": f"{form.starts.data:%H:%M}" if form.starts.data else None,
        "a": f"{form.ends.data:%H:%M}" if form.ends.data else None,
        "personnes": form.people.data,
    }
    return lambda resource: url_for("bookings.resource", resource=resource.token, **known)


def _resource(token: str) -> ResourceView:
    found = catalogue.published_by_token(db.session(), token)
    if found is None:
        raise NotFound
    return found


@bookings.get("/salles/<resource>")
def resource(resource: str) -> str:
    """One room or thing: what it is, what it costs, and its week."""
    session, it = db.session(), _resource(resource)
    first = policy.first_day(request.args.get("semaine") or request.args.get("jour"), today=today())
    known = {name: value for name in ("jour", "de", "a", "personnes") if (value := request.args.get(name))}
    days, rows = _week(it, first) if it.kind != "pool" else ([], [])
    return render_template(
        "bookings/resource.html", resource=it, lender=members.parties(session, [it.lender_id])[it.lender_id],
        rules=[rule for rule in rules.rules_of(session, [it.lender_id], on=today())[it.lender_id] if _binds(rule, it)],
        first=first, today=today(), days=days, week_rows=rows, known=known, week=timedelta(days=7),
        communities={c.id: c for c in members.communities(session)},
    )  # fmt: skip


def _binds(rule: Rule, it: ResourceView) -> bool:
    return rule.resource in (None, it.id) and rule.category in (None, it.category)


def _week(it: ResourceView, first_day: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Seven days of a room or a thing, hour by hour; a public page names nobody, and leaves out hours always closed."""
    session, zone, at = db.session(), territory().zone, clock.now()
    days = [first_day + timedelta(days=n) for n in range(7)]
    spans = {day: policy.hours_of(day, zone) for day in days}
    first, last = spans[days[0]][0][0], spans[days[-1]][-1][1]
    units = catalogue.units_of(session, [it.id])[it.id]
    taken, mine = queries.taken(session, units, first, last), set(own("booking.read").parties)
    closed = [interval for interval in intervals(it.opening_hours, zone, first, last) if not interval.open]

    def cell(day: date, start: datetime, end: datetime) -> dict[str, Any]:
        over = next((t for t in taken if t.starts_at < end and start < t.ends_at), None)
        if over is not None:
            if over.party_id in mine:
                return {"state": "mine", "label": None, "href": url_for("bookings.show", booking=over.booking_token)}
            return {"state": "pending" if over.pending else "taken", "label": None, "href": None}
        if start < at:
            return {"state": "closed", "label": _("Passé"), "href": None}
        if any(c.starts_at < end and start < c.ends_at for c in closed):
            return {"state": "closed", "label": None, "href": None}
        href = url_for("bookings.new", resource=it.token, jour=day.isoformat(), de=f"{start:%H:%M}")
        return {"state": "free", "label": None, "href": href}

    labels = [{"label": formats.day(day, "week"), "iso": day.isoformat(), "today": day == today()} for day in days]
    rows = []
    for hour, (start, _end) in enumerate(spans[first_day]):
        cells = [cell(day, *spans[day][hour]) for day in days]
        if any(each["state"] != "closed" for each in cells):
            rows.append({"label": formats.hour(start), "cells": cells})
    return labels, rows


class Asking(NamedTuple):
    """What a request is about, before it is made: the resource, what may come with it, and for whom one may ask."""

    resource: ResourceView
    pools: list[ResourceView]
    scope: Scope
    parties: list[members.PartyView]

    def chosen(self, token: str | None) -> members.PartyView | None:
        """The party that the form names, among those that the person acts for."""
        return next((party for party in self.parties if party.token == token), None)


def _asking(token: str) -> Asking:
    it, scope, session = _resource(token), own("booking.ask"), db.session()
    pools = [] if it.kind == "pool" else catalogue.published(session, kind="pool", lender=it.lender_id)
    parties = sorted(members.parties(session, scope.parties).values(), key=lambda p: (p.kind != "person", p.sort_name))
    return Asking(it, [pool for pool in pools if pool.id != it.id][:THINGS_BESIDE], scope, parties)


@bookings.get("/salles/<resource>/reserver")
@auth_required()
def new(resource: str) -> str:
    """The request's form, filled with what was searched."""
    asking = _asking(resource)
    return _ask_page(asking, ask_form(asking.resource, asking.pools)(formdata=None, **_prefilled(asking)))


def _prefilled(asking: Asking) -> dict[str, Any]:
    given = SearchForm(meta={"csrf": False}, formdata=None)
    for name, field in (("jour", given.day), ("de", given.starts), ("a", given.ends), ("personnes", given.people)):
        try:
            field.process_formdata([request.args.get(name, "")] if request.args.get(name) else [])
        except ValueError:
            field.data = None
    ends = given.ends.data
    if given.starts.data and not ends and given.starts.data.hour < 22:
        ends = given.starts.data.replace(hour=given.starts.data.hour + 2)
    return {
        "day": given.day.data, "starts": given.starts.data, "ends": ends, "people": given.people.data,
        "party": asking.parties[0].token if asking.parties else None,
    }  # fmt: skip


@bookings.post("/salles/<resource>/verification")
@auth_required()
def check(resource: str) -> str | tuple[str, int]:
    """Say what it costs and which rules let it through, or what stands in the way. Writes nothing."""
    asking = _asking(resource)
    form = ask_form(asking.resource, asking.pools)()
    wanted = _understood(asking, form)
    if "correct" in request.form:
        return _ask_page(asking, form, quiet=True)
    if wanted is None:
        return _ask_page(asking, form), 422
    session, zone = db.session(), territory().zone
    try:
        policy.check_span(wanted.starts_at, wanted.ends_at, at=clock.now())
        operations.check_fitness(wanted, zone=zone)
        _still_free(wanted)
    except Refused as error:
        form.refuse(error)
        return _ask_page(asking, form), 422
    evaluation = operations.quote(session, wanted, zone=zone, at=clock.now())
    return render_template("bookings/check.html", asking=asking, form=form, wanted=wanted, evaluation=evaluation,
                           party=asking.chosen(form.party.data), community=_community(evaluation))  # fmt: skip


def _still_free(wanted: Request) -> None:
    """A courtesy before the last screen: what decides is the request itself."""
    session = db.session()
    for each in wanted.wanted:
        if each.resource.kind == "pool":
            continue
        units = catalogue.units_of(session, [each.resource.id])[each.resource.id]
        if queries.busy_units(session, units, wanted.starts_at, wanted.ends_at):
            raise SlotTaken(name=each.resource.name)


def _community(evaluation: Evaluation) -> members.CommunityView | None:
    return members.community(db.session(), evaluation.community) if evaluation.community else None


@bookings.post("/salles/<resource>/reservations")
@auth_required()
def create(resource: str) -> Response | tuple[str, int]:
    """Ask, once for one key; the slot is held from now on."""
    asking = _asking(resource)
    form = ask_form(asking.resource, asking.pools)()
    wanted = _understood(asking, form)
    if wanted is None:
        return _ask_page(asking, form), 422
    by = asking.scope.acting(wanted.party)
    try:
        return redirect(_ask_once(asking, form, wanted, by), 303)
    except Refused as error:
        if error.rule == "key-reused":
            raise
        form.refuse(error)
        return _ask_page(asking, form), status_of(error) if isinstance(error, RuleRefuses) else 422


def _ask_once(asking: Asking, form: AskForm, wanted: Request, by: Acting) -> str:
    at = clock.now()
    values = {"party": wanted.party, "starts": wanted.starts_at, "ends": wanted.ends_at, "purpose": wanted.purpose,
              "people": wanted.people, "items": [[w.resource.id, w.quantity] for w in wanted.wanted]}  # fmt: skip
    with transaction() as session:
        claim = idempotency.claim(
            session, party=by.party, key=form.key.data, content=idempotency.digest(request.path, values), at=at
        )
        if claim.answer is not None:
            return claim.answer.location or "/"
        booking = operations.ask(session, wanted, zone=territory().zone, by=by, at=at)
        location = url_for("bookings.show", booking=booking.token)
        outbox.write(
            session, members.e_mails_of(session, booking.lender_id, on=today()), "booking_asked", at=at,
            booking=booking, party=asking.chosen(form.party.data), resource=asking.resource,
            lender=members.parties(session, [booking.lender_id])[booking.lender_id],
        )  # fmt: skip
        claim.keep(303, location, has_entry=False)
    return location


def _understood(asking: Asking, form: AskForm) -> Request | None:
    """What the form asks for, or None with the reasons beside its fields."""
    valid = form.validate()
    party = asking.chosen(form.party.data)
    if party is None:
        form.party.errors = [_("Choisissez au nom de qui vous réservez.")]
        return None
    if not valid:
        return None
    zone = territory().zone
    assert form.starts.data is not None
    assert form.ends.data is not None
    try:
        starts = policy.instant(form.day.data, form.starts.data, zone)
        ends = policy.instant(form.end_day.data or form.day.data, form.ends.data, zone)
    except Refused as error:
        form.refuse(error)
        return None
    quantity = form["quantity"].data if "quantity" in form else 1
    beside = [Wanted(pool, asked) for pool in asking.pools if (asked := form[f"with_{pool.id}"].data)]
    return Request(party.id, (Wanted(asking.resource, quantity), *beside), starts, ends, form.purpose.data,
                   form.people.data)  # fmt: skip


def _ask_page(asking: Asking, form: AskForm, *, quiet: bool = False) -> str:
    form.party.choices = [(party.token, party.name) for party in asking.parties]
    if quiet:
        for field in form:
            field.errors = ()
    things = [form[f"with_{pool.id}"] for pool in asking.pools]
    return render_template("bookings/new.html", asking=asking, form=form, things=things)


class Told(NamedTuple):
    """A booking with the names that its page tells."""

    booking: BookingView
    lender: members.PartyView
    party: members.PartyView
    resources: dict[int, ResourceView]
    community: members.CommunityView | None
    typed_by: str | None

    @property
    def title(self) -> str:
        """What is booked: the first resource, which the request started from."""
        return self.resources[self.booking.items[0].resource_id].name


def _told(found: list[BookingView]) -> list[Told]:
    """Bookings with their names, in four queries however many they are."""
    session = db.session()
    parties = members.parties(session, [id_ for b in found for id_ in (b.lender_id, b.party_id)])
    resources = catalogue.views(session, [item.resource_id for b in found for item in b.items])
    communities = {c.id: c for c in members.communities(session)} if any(b.community_id for b in found) else {}
    typed = members.sign_in_names(session, [b.by_sign_in for b in found])
    return [
        Told(b, parties[b.lender_id], parties[b.party_id], resources, communities.get(b.community_id or 0),
             typed.get(b.by_sign_in or 0))
        for b in found
    ]  # fmt: skip


def _cursor() -> int | None:
    given = request.args.get("avant", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


@bookings.get("/reservations")
@auth_required()
def mine() -> str:
    """What I, and those I act for, asked for."""
    found = queries.of_parties(db.session(), own("booking.read").parties, at=clock.now(), before=_cursor(), size=26)
    older = found[24].id if len(found) > 25 else None
    return render_template("bookings/mine.html", told=_told(found[:25]), older=older)


def _mine(token: str) -> tuple[BookingView, Scope]:
    scope = own("booking.read")
    found = queries.within(db.session(), token, scope.parties, at=clock.now())
    if found is None:
        raise NotFound
    return found, scope


@bookings.get("/reservations/<booking>")
@auth_required()
def show(booking: str) -> str:
    """One booking as who asked for it reads it."""
    found, _scope = _mine(booking)
    return _show_page(found, RemarksForm(formdata=None))


def _show_page(found: BookingView, form: RemarksForm) -> str:
    told = _told([found])[0]
    at = clock.now()
    can_cancel = found.state in {"pending", "accepted"} and found.starts_at > at
    in_time = policy.cancelled_in_time(found.starts_at, at, accepted=found.state == "accepted")
    return render_template("bookings/show.html", told=told, booking=found, form=form, can_cancel=can_cancel,
                           in_time=in_time, grounds=GROUNDS)  # fmt: skip


@bookings.post("/reservations/<booking>/annulation")
@auth_required()
def cancel(booking: str) -> Response | tuple[str, int]:
    """I don't need it any more."""
    found, scope = _mine(booking)
    form = RemarksForm()
    if not form.validate():
        return _show_page(found, form), 422
    with transaction() as session:
        at = clock.now()
        in_time = operations.cancel(session, booking, parties=scope.parties, reason=form.remarks.data or "",
                                    by=scope.acting(found.party_id), at=at)  # fmt: skip
        _write_to(session, found.lender_id, "booking_cancelled", found, at=at)
    if in_time:
        flash(_("C’est annulé. Le créneau est libre de nouveau."), "success")
    else:
        flash(_("C’est annulé, trop tard pour rendre les minutes réservées : elles sont comptées."), "warning")
    return redirect(url_for("bookings.show", booking=booking), 303)


def _write_to(session: Any, party: int, template: str, found: BookingView, *, at: datetime) -> None:
    outbox.write(session, members.e_mails_of(session, party, on=today()), template, at=at, told=_told([found])[0])


@bookings.get("/preteurs/<lender>/demandes")
@auth_required()
def requests(lender: str) -> str:
    """What waits for this lender's decision, and what it hands over and takes back these days."""
    desk, at, session = office("booking.decide", lender), clock.now(), db.session()
    waiting = queries.to_decide(session, desk.party.id, at=at)
    following = queries.to_follow(session, desk.party.id, at=at, until=at + timedelta(days=7))
    before = _cursor()
    done = queries.decided(session, desk.party.id, at=at, before=before, size=26)
    shown = {each.id for each in following}
    told = {t.booking.id: t for t in _told([*waiting, *following, *done])}
    return render_template(
        "bookings/requests.html", lender=desk.party, waiting=[told[b.id] for b in waiting],
        following=[told[b.id] for b in following], done=[told[b.id] for b in done[:25] if b.id not in shown],
        older=done[24].id if len(done) > 25 else None, newer=before is not None,
    )  # fmt: skip


def _asked_of(lender: str, token: str) -> tuple[BookingView, Acting, members.PartyView]:
    desk = office("booking.decide", lender)
    found = queries.of_lender(db.session(), token, desk.party.id, at=clock.now())
    if found is None:
        raise NotFound
    return found, desk.by, desk.party


@bookings.get("/preteurs/<lender>/reservations/<booking>")
@auth_required()
def request_(lender: str, booking: str) -> str:
    """One request as the lender's officer reads it: who, what for, condition met or not, never a balance."""
    found, _by, party = _asked_of(lender, booking)
    return _request_page(found, party, DeclineForm(formdata=None), RemarksForm(formdata=None))


def _request_page(found: BookingView, lender: members.PartyView, decline: DeclineForm, remarks: RemarksForm) -> str:
    session = db.session()
    return render_template(
        "bookings/request.html", told=_told([found])[0], booking=found, lender=lender, decline=decline, form=decline,
        remarks=remarks, profile=members.profile(session, found.party_id), grounds=GROUNDS,
        e_mails=[to.e_mail for to in members.e_mails_of(session, found.party_id, on=today())],
    )  # fmt: skip


@bookings.post("/preteurs/<lender>/reservations/<booking>/acceptation")
@auth_required()
def accept(lender: str, booking: str) -> Response | tuple[str, int]:
    """The officer accepts: the rules are run again, and the minutes set aside."""
    found, by, party = _asked_of(lender, booking)
    try:
        with transaction() as session:
            at = clock.now()
            operations.accept(session, booking, lender=party.id, by=by, at=at)
            _write_to(session, found.party_id, "booking_accepted", found, at=at)
    except Refused as error:
        form = DeclineForm(formdata=None)
        form.refuse(error)
        found, _by, party = _asked_of(lender, booking)
        return _request_page(found, party, form, RemarksForm(formdata=None)), status_of(error)
    flash(_("C’est accepté. Le demandeur en est averti."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/refus")
@auth_required()
def decline(lender: str, booking: str) -> Response | tuple[str, int]:
    """The officer refuses, on a ground that the letter names with the remedy and its delay."""
    found, by, party = _asked_of(lender, booking)
    form = DeclineForm()
    if not form.validate():
        return _request_page(found, party, form, RemarksForm(formdata=None)), 422
    with transaction() as session:
        at = clock.now()
        ground, text = form.ground.data, form.text.data
        operations.decline(session, booking, lender=party.id, ground=ground, text=text, by=by, at=at)
        outbox.write(session, members.e_mails_of(session, found.party_id, on=today()), "booking_declined", at=at,
                     told=_told([found])[0], ground=GROUNDS[ground], text=text)  # fmt: skip
    flash(_("C’est refusé. Le demandeur reçoit le motif et les voies de recours."), "success")
    return redirect(url_for("bookings.requests", lender=lender), 303)


@bookings.post("/preteurs/<lender>/reservations/<booking>/remise")
@auth_required()
def hand_over(lender: str, booking: str) -> Response | tuple[str, int]:
    """The keys or the things leave."""
    return _record(lender, booking, operations.hand_over, _("La remise est notée."))


@bookings.post("/preteurs/<lender>/reservations/<booking>/retour")
@auth_required()
def take_back(lender: str, booking: str) -> Response | tuple[str, int]:
    """The keys or the things are back."""
    return _record(lender, booking, operations.take_back, _("Le retour est noté."))


def _record(lender: str, booking: str, act: Any, done: str) -> Response | tuple[str, int]:
    found, by, party = _asked_of(lender, booking)
    form = RemarksForm()
    if not form.validate():
        return _request_page(found, party, DeclineForm(formdata=None), form), 422
    with transaction() as session:
        act(session, booking, lender=party.id, remarks=form.remarks.data or "", by=by, at=clock.now())
    flash(done, "success")
    return redirect(url_for("bookings.request_", lender=lender, booking=booking), 303)


