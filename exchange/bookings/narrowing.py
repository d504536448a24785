"""What narrows a search: the days and hours, what must come with a room, where it is near, what it may cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from exchange import clock
from exchange.bookings import availability, policy
from exchange.bookings.availability import Many
from exchange.bookings.forms import SearchForm
from exchange.bookings.geography import ON_MAPS, Position, metres
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import Lendable, ResourceView
from exchange.db import db
from exchange.members import queries as members
from exchange.reciprocity import queries as rules
from exchange.reciprocity.policy import Facts, Item, Span, evaluate
from exchange.security import territory
from ledger.errors import Refused

MOST_DAYS = 14  # looked at one by one

# -- when


def spans_of(form: SearchForm) -> list[policy.Span]:
    """What is looked for: some hours of a day or all of it, the same hours each day, or many days without a stop."""
    if form.day.data is None:
        if form.starts.data or form.ends.data or form.end_day.data:
            form.day.errors = [_("Indiquez aussi le jour.")]
        return []
    days = _days(form, form.day.data)
    try:
        return [] if form.errors else [_span(form, *each) for each in days]
    except Refused as error:
        form.refuse(error)
        return []


def _days(form: SearchForm, first: date) -> list[tuple[date, date]]:
    """The first and the last day of each span."""
    last = form.end_day.data or first
    if last < first:
        form.end_day.errors = [_("Ce jour est avant le premier.")]
    if not form.each_day.data:
        return [(first, last)]
    if not (form.starts.data and form.ends.data):
        form.starts.errors = [_("Indiquez les heures.")]
    if last - first >= timedelta(days=MOST_DAYS):
        form.end_day.errors = [_("Cherchez au plus %(num)s jours à la fois.", num=MOST_DAYS)]
        return []
    return [(day, day) for day in (first + timedelta(days=n) for n in range((last - first).days + 1))]


def _span(form: SearchForm, first: date, last: date) -> policy.Span:
    """From the hours of a day to those of another. Raises what such a span can't be."""
    zone, at = territory().zone, clock.now()
    starts = policy.instant(first, form.starts.data or time(policy.FIRST_HOUR), zone)
    ends = policy.instant(last, form.ends.data or time(policy.LAST_HOUR), zone)
    policy.check_span(starts if form.starts.data else max(starts, at), ends, at=at)
    return starts, ends


# -- with what


def things_of(form: SearchForm) -> list[policy.Thing]:
    """What must come with it."""
    things = policy.things_typed(form.things.data or "")
    if len(things) > policy.MOST_THINGS:
        form.things.errors = [_("Cherchez au plus %(num)s choses à la fois.", num=policy.MOST_THINGS)]
    return things


def beside(things: list[policy.Thing], spans: list[policy.Span]) -> dict[int, list[Many]]:
    """By lender, what it has of all these things that is free during all of it; of lenders that have them all."""
    meant = catalogue.named(db.session(), [each.words for each in things])
    wanted = [(it, each.quantity) for each, found in zip(things, meant, strict=True) for it in found]
    free = set(_at_hand(wanted, spans))
    by_lender: dict[int, list[Many]] = {}
    for number, (each, found) in enumerate(zip(things, meant, strict=True)):
        for it in found:
            chosen = by_lender.setdefault(it.lender_id, [])
            if (it.id, each.quantity) in free and len(chosen) == number and it not in [had for had, _many in chosen]:
                chosen.append((it, each.quantity))
    return {lender: chosen for lender, chosen in by_lender.items() if len(chosen) == len(things)}


def _at_hand(wanted: Iterable[Many], spans: list[policy.Span]) -> Iterable[tuple[int, int]]:
    """Those that can come with something: what comes beside keeps the hours of what it comes with, not its slots."""
    unslotted = [(it._replace(terms=it.terms._replace(slots="")), many) for it, many in wanted]
    if not spans:
        return ((it.id, many) for it, many in unslotted if many <= (it.quantity or 1))
    zone, at = territory().zone, clock.now()
    free = availability.free_throughout(db.session(), unslotted, spans, zone=zone, at=at)
    return ((it.id, many) for it, many in free)


# -- where


class Origin(NamedTuple):
    """A place that is looked for, under its name."""

    name: str
    position: Position


NO_SUCH_PLACE = lazy_gettext("Aucun lieu d’ici ne porte ce nom. Essayez le nom d’une salle ou d’une rue.")


def origin_of(
    form: SearchForm, spots: Iterable[catalogue.Spot], lenders: dict[int, members.PartyView]
) -> Origin | None:
    """The likeliest of these places; that there is none is said beside the field."""
    found = public_origin(spots, lenders)
    if form.near.data and found is None:
        form.near.errors = [str(NO_SUCH_PLACE)]
    return found


def public_origin(spots: Iterable[catalogue.Spot], lenders: dict[int, members.PartyView]) -> Origin | None:
    """The likeliest of these places whose position everybody may know: not where a person lives."""
    for spot in spots:
        if spot.latitude is not None and spot.longitude is not None and lenders[spot.lender_id].kind in ON_MAPS:
            return Origin(spot.name, Position(spot.latitude, spot.longitude))
    return None


def metres_from(
    origin: Origin, found: Iterable[ResourceView], lenders: dict[int, members.PartyView]
) -> dict[int, float]:
    """How far each is whose position everybody may know."""
    return {
        it.id: metres(origin.position, Position(it.latitude, it.longitude)) for it in found
        if it.latitude is not None and it.longitude is not None and lenders[it.lender_id].kind in ON_MAPS
    }  # fmt: skip


# -- for how much


class Price(NamedTuple):
    """What something costs, with what comes with it: minutes, and the id of the community that counts them."""

    minutes: int
    community: int | None


def prices_of(
    found: list[Lendable], with_it: dict[int, list[Many]], spans: list[policy.Span], *, class_: str
) -> dict[int, Price]:
    """What each would cost a party of this class, by id. Whether they may have it, the request will say."""
    in_force = rules.rules_of(db.session(), {it.lender_id for it in found}) if spans else {}
    facts, on_clocks = Facts(class_, {}, frozenset()), [Span(*span) for span in spans]

    def price(it: Lendable) -> Price:
        items = [Item(each.id, each.category, many) for each, many in ((it, 1), *with_it.get(it.lender_id, ()))]
        evaluations = [evaluate(in_force[it.lender_id], items, span, facts) for span in on_clocks]
        return Price(sum(each.minutes for each in evaluations), evaluations[0].community)

    return {it.id: price(it) for it in found} if spans else {}
