"""What a search finds: what is free, what is left of a day, and where to look when nothing is."""

from __future__ import annotations

from math import inf
from typing import NamedTuple
from urllib.parse import urlencode

from flask import request, url_for
from flask_babel import gettext as _

from exchange import clock
from exchange.bookings import availability, moving, policy
from exchange.bookings.availability import Many, Some
from exchange.bookings.forms import SearchForm
from exchange.bookings.narrowing import Origin, Price, beside, metres_from, origin_of, prices_of, spans_of, things_of
from exchange.bookings.telling import for_all, free_of
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import Lendable, ResourceView
from exchange.db import db
from exchange.members import queries as members
from exchange.security import own, territory

INHABITANT = "inhabitant"  # the class of a person
SHOWN = 60  # results of each list, unless more are asked for
LOOKED_AT = 12  # of what is taken, for other hours
ELSEWHERE = 5


class Nearest(NamedTuple):
    """What to look at when nothing is free: what was looked for, at other hours; something else, at these."""

    hours: list[moving.Alternative]
    elsewhere: list[ResourceView]


class Found(NamedTuple):
    """What answers to a search, as far as it is shown, and how much there is.

    With hours, ``free`` is so during the whole of each of ``spans``; on a day alone, ``left`` says what is free of
    each. ``beside`` is what each lender has of what must come with it, ``metres`` how far each is from ``origin``.
    """

    spans: list[policy.Span]
    free: list[ResourceView]
    taken: list[ResourceView]
    free_in_all: int
    taken_in_all: int
    left: dict[int, list[policy.Span]]
    lenders: dict[int, members.PartyView]
    beside: dict[int, list[Some]]
    prices: dict[int, Price]
    communities: dict[int, members.CommunityView]
    origin: Origin | None
    metres: dict[int, float]

    @property
    def span(self) -> policy.Span | None:
        """From the first instant that is looked for to the last."""
        return (self.spans[0][0], self.spans[-1][1]) if self.spans else None


NOTHING = Found([], [], [], 0, 0, {}, {}, {}, {}, {}, None, {})
NOWHERE = Nearest([], [])


def same_search(endpoint: str) -> str:
    """Another page about what is searched on this one, whatever that is made of."""
    asked = urlencode(list(request.args.items(multi=True)))
    return url_for(endpoint) + (f"?{asked}" if asked else "")


def search(form: SearchForm, *, shown: int = SHOWN) -> Found:
    """What answers to a form that is valid; what makes no sense together is said beside its fields.

    Who says how many people, or only what must come with it, looks for a room: things have no capacity.
    """
    spans, things = spans_of(form), things_of(form)
    if form.most.data and not form.timed() and not form.errors:
        form.starts.errors = [_("Indiquez le jour et les heures, pour savoir ce que cela coûte.")]
    if form.errors:
        return NOTHING
    found = catalogue.lendable(
        db.session(), text=form.q.data or None, capacity=form.people.data, accessible=form.accessible.data,
        kind="room" if form.people.data or (things and not form.q.data) else None,
    )  # fmt: skip
    with_it = beside(things, spans) if things else {}
    if things:
        found = [it for it in found if it.lender_id in with_it]
    free, left = _free(form, found, spans)
    priced = free if form.most.data or form.near.data else free[:shown]
    prices = prices_of(priced, with_it, spans if form.timed() else [], class_=_class_of(form))
    if form.most.data:
        dear = {it.id for it in free if prices[it.id].minutes > form.most.data}
        found, free = ([it for it in these if it.id not in dear] for these in (found, free))
    return _told(form, found, free, with_it, shown)._replace(
        spans=spans, left=left, prices=prices, communities=_communities(prices)
    )


def may_ask_for() -> list[members.PartyView]:
    """For whom who searches may ask, themself first; nobody for a visitor."""
    scope = own("booking.ask")
    held = {each.party_id: each.party for each in scope.mandates if each.party_id in scope.parties}
    return sorted(held.values(), key=lambda party: (party.kind != "person", party.sort_name))


def _class_of(form: SearchForm) -> str:
    """The class of who it is for: who was chosen, else who searches, else an inhabitant."""
    parties = [party.token for party in may_ask_for()]
    chosen = form.qui.data if form.qui.data in parties else next(iter(parties), None)
    return next((each.class_ for each in own("booking.ask").mandates if each.party_token == chosen), INHABITANT)


def _told(
    form: SearchForm, found: list[Lendable], free: list[Lendable], with_it: dict[int, list[Many]], shown: int
) -> Found:
    """What was found with its names, the nearest first where somebody said near what."""
    session, at_hand = db.session(), {it.id for it in free}
    taken = [it.id for it in found if it.id not in at_hand][:SHOWN]
    named = [it.id for chosen in with_it.values() for it, _many in chosen]
    spots = catalogue.spots(session, form.near.data) if form.near.data else []
    views = catalogue.views(session, [*(it.id for it in (free if spots else free[:shown])), *taken, *named])
    lenders = members.parties(session, {it.lender_id for it in views.values()} | {spot.lender_id for spot in spots})
    views = {id_: for_all(it, lenders[it.lender_id]) for id_, it in views.items()}
    origin = origin_of(form, spots, lenders)
    away = metres_from(origin, views.values(), lenders) if origin else {}
    sized = bool(form.people.data)  # what takes them surely comes before what may
    nearest = sorted(free, key=lambda it: (sized and it.capacity is None, away.get(it.id, inf))) if origin else free
    return NOTHING._replace(
        free=[views[it.id] for it in nearest[:shown]], taken=[views[id_] for id_ in taken],
        free_in_all=len(free), taken_in_all=len(found) - len(free), lenders=lenders,
        beside={lender: [(views[it.id], many) for it, many in chosen] for lender, chosen in with_it.items()},
        origin=origin, metres=away,
    )  # fmt: skip


def _communities(prices: dict[int, Price]) -> dict[int, members.CommunityView]:
    """Those that count what something costs."""
    paid = any(price.minutes for price in prices.values())
    return {each.id: each for each in members.communities(db.session())} if paid else {}


def _free(
    form: SearchForm, found: list[Lendable], spans: list[policy.Span]
) -> tuple[list[Lendable], dict[int, list[policy.Span]]]:
    """Those of what was found that are free, and of a day alone what is left of each."""
    session, zone, at = db.session(), territory().zone, clock.now()
    if not spans:
        return found, {}
    if not form.timed():
        left = availability.left_on(session, found, *spans[0], zone=zone, at=at)
        return [it for it in found if it.id in left], left
    if len(spans) > 1:
        one_of_each = [(it, 1) for it in found]
        return [it for it, _one in availability.free_throughout(session, one_of_each, spans, zone=zone, at=at)], {}
    free = free_of(found, spans[0])
    return [it for it in found if it.id in free], {}


def nearest(form: SearchForm, found: Found) -> Nearest:
    """Where to look when nothing of what was found is free."""
    if len(found.spans) != 1 or found.free:
        return NOWHERE
    session, zone, at, span = db.session(), territory().zone, clock.now(), found.spans[0]
    rooms = [it for it in found.taken if it.kind != "pool"][:LOOKED_AT]
    hours = moving.other_hours(session, rooms, *span, zone=zone, at=at)
    if not form.q.data:
        return Nearest(hours, [])
    others = catalogue.lendable(session, capacity=form.people.data, accessible=form.accessible.data, kind="room")
    free = free_of(others, span)
    ids = [it.id for it in others if it.id in free][:ELSEWHERE]
    views = catalogue.views(session, ids)
    lenders = members.parties(session, {it.lender_id for it in views.values()})
    return Nearest(hours, [for_all(views[id_], lenders[views[id_].lender_id]) for id_ in ids])
