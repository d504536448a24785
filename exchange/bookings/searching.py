"""What a search finds: what is free, what is left of a day, and where to look when nothing is."""

from __future__ import annotations

from datetime import time
from typing import NamedTuple
from urllib.parse import urlencode

from flask import request, url_for
from flask_babel import gettext as _

from exchange import clock
from exchange.bookings import availability, moving, policy
from exchange.bookings.forms import SearchForm
from exchange.bookings.telling import free_of
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.security import territory
from ledger.errors import Refused

SHOWN = 60  # results of each list, unless more are asked for
LOOKED_AT = 12  # of what is taken, for other hours
ELSEWHERE = 5


class Nearest(NamedTuple):
    """What to look at when nothing is free: what was looked for, at other hours; something else, at these."""

    hours: list[moving.Alternative]
    elsewhere: list[ResourceView]


class Found(NamedTuple):
    """What answers to a search, as far as it is shown, and how much there is.

    With hours, ``free`` is so during the whole of ``span``; on a day alone, ``left`` says what is free of each.
    """

    span: policy.Span | None
    free: list[ResourceView]
    taken: list[ResourceView]
    free_in_all: int
    taken_in_all: int
    left: dict[int, list[policy.Span]]
    near: Nearest


NOTHING = Found(None, [], [], 0, 0, {}, Nearest([], []))


def same_search(endpoint: str) -> str:
    """Another page about what is searched on this one, whatever that is made of."""
    asked = urlencode(list(request.args.items(multi=True)))
    return url_for(endpoint) + (f"?{asked}" if asked else "")


def search(form: SearchForm, *, shown: int = SHOWN) -> Found:
    """What answers to a form that is valid; what makes no sense together is said beside its fields.

    Who says how many people looks for a room: things have no capacity.
    """
    span = _span(form)
    if form.errors:
        return NOTHING
    session = db.session()
    found = catalogue.lendable(
        session, text=form.q.data or None, capacity=form.people.data, accessible=form.accessible.data,
        kind="room" if form.people.data else None,
    )  # fmt: skip
    left: dict[int, list[policy.Span]] = {}
    if span is None:
        free = [it.id for it in found]
    elif form.starts.data is None and form.ends.data is None:
        left = availability.left_on(session, found, *span, zone=territory().zone, at=clock.now())
        free = [it.id for it in found if it.id in left]
    else:
        at_hand = free_of(found, span)
        free = [it.id for it in found if it.id in at_hand]
    seen = set(free)
    taken = [it.id for it in found if it.id not in seen]
    views = catalogue.views(session, [*free[:shown], *taken[:SHOWN]])
    not_free = [views[id_] for id_ in taken[:SHOWN]]
    near = _nearest(form, span, not_free) if span and not free else NOTHING.near
    return Found(span, [views[id_] for id_ in free[:shown]], not_free, len(free), len(taken), left, near)


def _span(form: SearchForm) -> policy.Span | None:
    """What is looked for: some hours of a day, or all of it."""
    if form.day.data is None:
        if form.starts.data or form.ends.data:
            form.day.errors = [_("Indiquez aussi le jour.")]
        return None
    zone, at = territory().zone, clock.now()
    try:
        starts = policy.instant(form.day.data, form.starts.data or time(policy.FIRST_HOUR), zone)
        ends = policy.instant(form.day.data, form.ends.data or time(policy.LAST_HOUR), zone)
        policy.check_span(starts if form.starts.data else max(starts, at), ends, at=at)
    except Refused as error:
        form.refuse(error)
        return None
    return starts, ends


def _nearest(form: SearchForm, span: policy.Span, taken: list[ResourceView]) -> Nearest:
    session, zone, at = db.session(), territory().zone, clock.now()
    rooms = [it for it in taken if it.kind != "pool"][:LOOKED_AT]
    hours = moving.other_hours(session, rooms, *span, zone=zone, at=at)
    if not form.q.data:
        return Nearest(hours, [])
    others = catalogue.lendable(session, capacity=form.people.data, accessible=form.accessible.data, kind="room")
    free = free_of(others, span)
    ids = [it.id for it in others if it.id in free][:ELSEWHERE]
    views = catalogue.views(session, ids)
    return Nearest(hours, [views[id_] for id_ in ids])
