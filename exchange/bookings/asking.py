"""What the forms of a request share: for whom one may ask, what may come with it, and what was typed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from flask import request
from flask_babel import gettext as _

from exchange.bookings import policy
from exchange.bookings.forms import AskForm, SearchForm, beside
from exchange.bookings.telling import published
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import queries as catalogue
from exchange.catalogue.policy import slots_around, slots_of
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.errors import PoolExhausted
from exchange.members import queries as members
from exchange.security import Scope, own, territory
from ledger.errors import Refused

PURPOSE = 400  # characters
THINGS_BESIDE = 8  # pools offered beside a room in one request


class Asking(NamedTuple):
    """What a request is about, before it is made: the resource, what may come with it, and for whom one may ask."""

    resource: ResourceView
    pools: list[ResourceView]
    scope: Scope
    parties: list[members.PartyView]

    @property
    def first(self) -> members.PartyView | None:
        """Oneself, before those that one acts for."""
        return self.parties[0] if self.parties else None

    def chosen(self, token: str | None) -> members.PartyView | None:
        """The party that the form names, among those that the person acts for."""
        return next((party for party in self.parties if party.token == token), None)


def asking_of(token: str) -> Asking:
    """What this person may ask of a published resource. Raises NotFound."""
    it, scope, session = published(token), own("booking.ask"), db.session()
    pools = [] if it.kind == "pool" else catalogue.published(session, kind="pool", lender=it.lender_id)
    parties = sorted(members.parties(session, scope.parties).values(), key=lambda p: (p.kind != "person", p.sort_name))
    return Asking(it, [pool for pool in pools if pool.id != it.id][:THINGS_BESIDE], scope, parties)


def prefilled(asking: Asking) -> dict[str, Any]:
    """What was searched, or asked for another time, as the address says it."""
    given = SearchForm(meta={"csrf": False}, formdata=None)
    for name, field in (("jour", given.day), ("de", given.starts), ("a", given.ends), ("personnes", given.people)):
        try:
            field.process_formdata([request.args.get(name, "")] if request.args.get(name) else [])
        except ValueError:
            field.data = None
    starts, ends = given.starts.data, given.ends.data
    if starts and not ends and starts.hour < 22:
        ends = starts.replace(hour=starts.hour + 2)
    if asking.resource.slots and starts and ends:
        starts, ends = _slots_around(asking.resource, starts, ends)
    return {
        "day": given.day.data, "starts": starts, "ends": ends, "people": given.people.data,
        "party": first.token if (first := asking.chosen(request.args.get("qui")) or asking.first) else None,
        "purpose": request.args.get("pour", "")[:PURPOSE] or None,
    }  # fmt: skip


def _slots_around(it: ResourceView, starts: time, ends: time) -> tuple[time | None, time | None]:
    """The hours of the slots that hold those hours, if some do."""
    day = date(2000, 1, 1)
    last = day + timedelta(days=ends == time(0))
    span = slots_around(slots_of(it.slots), datetime.combine(day, starts), datetime.combine(last, ends))
    return (span[0].time(), span[1].time()) if span else (None, None)


def refuse(asking: Asking, form: AskForm, error: Refused) -> None:
    """Say what is refused, and that there are too few of a pool beside how many are asked of it."""
    if isinstance(error, PoolExhausted):
        names = {pool.id: beside(pool) for pool in asking.pools} | {asking.resource.id: "quantity"}
        error.facts["field"] = names[error.facts["resource"]]
    form.refuse(error)


def understood(asking: Asking, form: AskForm) -> Request | None:
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
        ends = policy.instant(last_day(form), form.ends.data, zone)
    except Refused as error:
        form.refuse(error)
        return None
    quantity = form["quantity"].data if "quantity" in form else 1
    things = [Wanted(pool, asked) for pool in asking.pools if (asked := form[beside(pool)].data)]
    return Request(party.id, (Wanted(asking.resource, quantity), *things), starts, ends, form.purpose.data,
                   form.people.data)  # fmt: skip


def last_day(form: AskForm) -> date:
    """The day on which a request ends: midnight is that of the evening.

    Of a series, whose days are one by one, any hours that go back are of the night.
    """
    assert form.day.data is not None
    assert form.starts.data is not None
    assert form.ends.data is not None
    if "end_day" not in form:
        return form.day.data + timedelta(days=form.ends.data <= form.starts.data)
    return (form.end_day.data or form.day.data) + timedelta(days=form.ends.data == time(0))
