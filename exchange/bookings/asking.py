"""What the forms of a request share: for whom one may ask, what may come with it, and what was typed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from flask import request, url_for
from flask_babel import gettext as _

from exchange.bookings import policy
from exchange.bookings.forms import BESIDE, AskForm, SearchForm, beside
from exchange.bookings.telling import Told, own_booking, published, tell
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import queries as catalogue
from exchange.catalogue.policy import slots_around, slots_of
from exchange.catalogue.queries import ResourceView
from exchange.charters import queries as charters
from exchange.charters.queries import CharterView
from exchange.db import db
from exchange.errors import NotFound, PoolExhausted, SlotTaken
from exchange.formats import local
from exchange.forms import DAYS
from exchange.members import queries as members
from exchange.security import Scope, own, territory
from ledger.errors import Refused

PURPOSE = 400  # characters
MOST_BESIDE = 19  # of what is named beside a resource in one request


class Asking(NamedTuple):
    """What a request is about, before it is made: the resource, what may come with it, and for whom one may ask."""

    resource: ResourceView
    beside: list[ResourceView]
    scope: Scope
    parties: list[members.PartyView]
    changed: Told | None = None  # what is asked for otherwise

    @property
    def first(self) -> members.PartyView | None:
        """Oneself, before those that one acts for."""
        return self.parties[0] if self.parties else None

    def page(self, step: str) -> str:
        """The address of a step: of "new", "check" or "create", or of what changes a booking."""
        if self.changed is None:
            return url_for(f"bookings.{step}", resource=self.resource.token)
        steps = {"new": "change", "check": "check_change", "create": "ask_change"}
        return url_for(f"bookings.{steps[step]}", booking=self.changed.booking.token)

    def chosen(self, token: str | None) -> members.PartyView | None:
        """The party that the form names, among those that the person acts for."""
        return next((party for party in self.parties if party.token == token), None)


def asking_of(token: str) -> Asking:
    """What this person may ask of a published resource. Raises NotFound."""
    it, scope = published(token), own("booking.ask")
    found = members.parties(db.session(), scope.parties).values()
    return Asking(it, _beside(it), scope, sorted(found, key=lambda p: (p.kind != "person", p.sort_name)))


def changing_of(token: str) -> Asking:
    """What this person may ask for otherwise, of a booking of theirs. Raises NotFound for what is lent no more."""
    found, scope = own_booking(token)
    told = tell([found])[0]
    if told.first.status != "published":
        raise NotFound
    others = [told.resources[item.resource_id].token for item in found.items[1:]]
    return Asking(told.first, _beside(told.first, others), scope, [told.party], told)


def _beside(it: ResourceView, others: Sequence[str] = ()) -> list[ResourceView]:
    """What the form offers beside it: these, what the address or the form names, and some more."""
    said = [name.removeprefix(BESIDE) for name in (*request.args, *request.form) if name.startswith(BESIDE)]
    named = [token for token in (*others, *said) if token.isprintable()]
    return catalogue.beside(db.session(), it, named=named[:MOST_BESIDE])


def prefilled(asking: Asking) -> dict[str, Any]:
    """What was searched, or asked for another time, as the address says it."""
    given = SearchForm(meta={"csrf": False}, formdata=None)
    for name, field in (("jour", given.day), ("de", given.starts), ("a", given.ends), ("personnes", given.people),
                        ("jusqu", given.end_day)):  # fmt: skip
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
        "day": given.day.data, "starts": starts, "ends": ends, "people": given.people.data, **_until(given),
        "party": first.token if (first := asking.chosen(request.args.get("qui")) or asking.first) else None,
        "purpose": request.args.get("pour", "")[:PURPOSE] or None,
        **{beside(it): many for it in asking.beside if (many := _many(request.args.get(beside(it), "")))},
    }  # fmt: skip


def as_it_is(asking: Asking) -> dict[str, Any]:
    """What a booking is now, for the form that changes it."""
    assert asking.changed is not None
    of = asking.changed.booking
    starts, ends = local(of.starts_at), local(of.ends_at)
    many = {item.resource_id: item.quantity for item in of.items}
    last = (ends - timedelta(microseconds=1)).date()  # midnight is that of the evening
    return {
        "day": starts.date(), "starts": starts.time(), "ends": ends.time(), "people": of.people, "purpose": of.purpose,
        "end_day": last if last != starts.date() else None, "party": asking.changed.party.token,
        "quantity": many[asking.resource.id], **{beside(it): many.get(it.id) for it in asking.beside},
    }  # fmt: skip


def _many(said: str) -> int:
    """How many things an address asks for; anything odd is left aside."""
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 6 else 0


def _until(given: SearchForm) -> dict[str, Any]:
    """The last day, of a request and of what comes back; with it the days of the week that are between."""
    first, last = given.day.data, given.end_day.data
    if first is None or last is None or last <= first:
        return {}
    between = (first + timedelta(days=n) for n in range(min(7, (last - first).days + 1)))
    return {"end_day": last, "until": last, "weekdays": [list(DAYS)[day.weekday()] for day in between]}


def _slots_around(it: ResourceView, starts: time, ends: time) -> tuple[time | None, time | None]:
    """The hours of the slots that hold those hours, if some do."""
    day = date(2000, 1, 1)
    last = day + timedelta(days=ends == time(0))
    span = slots_around(slots_of(it.slots), datetime.combine(day, starts), datetime.combine(last, ends))
    return (span[0].time(), span[1].time()) if span else (None, None)


def refuse(asking: Asking, form: AskForm, error: Refused) -> None:
    """Say what is refused; what is taken, or too few of, is said beside the field that asks for it."""
    names = {it.id: beside(it) for it in asking.beside}
    if asking.resource.kind == "pool":
        names[asking.resource.id] = "quantity"
    if isinstance(error, PoolExhausted | SlotTaken) and error.facts.get("resource") in names:
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
    others = [Wanted(it, int(asked)) for it in asking.beside if (asked := form[beside(it)].data)]
    accepts = _ticked(asking, form, party.id, [asking.resource, *(each.resource for each in others)])
    if accepts is None:
        return None
    assert form.starts.data is not None
    assert form.ends.data is not None
    try:
        starts = policy.instant(form.day.data, form.starts.data, zone)
        ends = policy.instant(last_day(form), form.ends.data, zone)
    except Refused as error:
        form.refuse(error)
        return None
    quantity = form["quantity"].data if "quantity" in form else 1
    return Request(party.id, (Wanted(asking.resource, quantity), *others), starts, ends, form.purpose.data,
                   form.people.data, accepts)  # fmt: skip


def _ticked(asking: Asking, form: AskForm, party: int, wanted: Sequence[ResourceView]) -> frozenset[str] | None:
    """The charters that the party accepts with its request; None, with the reason beside the boxes, when it must."""
    needed = _not_accepted(asking, wanted, [party])
    ticked = frozenset(each.token for each in needed) & set(form.charters.data or ())
    if len(ticked) < len(needed):
        form.charters.errors = [_("Lisez la charte, puis cochez la case pour l’accepter.")]
        return None
    return ticked


def _not_accepted(
    asking: Asking, wanted: Sequence[ResourceView], parties: Collection[int]
) -> list[CharterView]:
    """The charters of what is wanted that one of these parties hasn't accepted; a lender is not held by its own."""
    session, lender = db.session(), asking.resource.lender_id
    bound = {party for party in parties if party != lender}
    asked = charters.binding_all(charters.of_lender(session, lender), wanted) if bound else []
    known = charters.accepted(session, bound, asked)
    return [each for each in asked if any((party, each.id) not in known for party in bound)]


def charters_to_tick(asking: Asking, form: AskForm) -> list[CharterView]:
    """The charters that the form asks to accept: of what it asks for, for any party that it may be asked for."""
    named = [it for it in asking.beside if form[beside(it)].data]
    found = _not_accepted(asking, [asking.resource, *named], [party.id for party in asking.parties])
    form.charters.choices = [(each.token, _("J’ai lu et j’accepte : %(title)s", title=each.title)) for each in found]
    return found


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
