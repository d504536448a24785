"""Searching for programs: what is free, over several days, with things beside it, near a place, for so many minutes."""

from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from exchange import clock
from exchange.bookings import availability, policy
from exchange.bookings.api import as_lent, party_of
from exchange.bookings.api_loans import resources
from exchange.bookings.availability import Many
from exchange.bookings.narrowing import (
    MOST_DAYS,
    NO_SUCH_PLACE,
    Price,
    beside,
    metres_from,
    prices_of,
    public_origin,
)
from exchange.bookings.schemas import FoundPage, ResourcesQuery
from exchange.bookings.searching import INHABITANT
from exchange.bookings.telling import free_of
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import Lendable
from exchange.db import db
from exchange.errors import WrongFields
from exchange.members import queries as members
from exchange.organisations import queries as organisations
from exchange.rest import shapes
from exchange.rest.paging import sliced
from exchange.security import territory
from exchange.sentences import N

__all__ = ["resources"]  # with what ``api`` offers


class Wish(NamedTuple):
    """What a search wants: when, with what, for at most how many minutes, and the class of who would ask."""

    spans: list[policy.Span]
    things: list[policy.Thing]
    most: int | None
    class_: str


@resources.reads("/resources", N("Ce qui se prête, et ce qui est libre"), query=ResourcesQuery, gives=FoundPage)
def search(query: dict[str, Any]) -> dict[str, Any]:
    """With a span, only what is open and free during the whole of it, and what it costs."""
    wish = _wish(query)
    with_it = beside(wish.things, wish.spans) if wish.things else {}
    found = _free(_lendable(query, wish), wish.spans)
    if wish.things:
        found = [it for it in found if it.lender_id in with_it]
    prices: dict[int, Price] = {}
    if wish.most is not None:
        prices = prices_of(found, with_it, wish.spans, class_=wish.class_)
        found = [it for it in found if prices[it.id].minutes <= wish.most]
    away = _metres(query["near"], found) if "near" in query else {}
    if away:
        found = sorted(found, key=lambda it: away.get(it.id, inf))
    page = sliced(found, query, lambda row: row.token)
    if wish.most is None:
        prices = prices_of(page.rows, with_it, wish.spans, class_=wish.class_)
    items = _told(page.rows, with_it, prices, away)
    return {"items": items, "next": page.last.token if page.last else None}


def _wish(query: dict[str, Any]) -> Wish:
    spans = _spans(query)
    things = policy.things_typed(query.get("things", ""))
    if len(things) > policy.MOST_THINGS:
        raise _wrong("things", _("Cherchez au plus %(num)s choses à la fois.", num=policy.MOST_THINGS))
    if "most" in query and not spans:
        raise _wrong("starts_at", _("Indiquez le jour et les heures, pour savoir ce que cela coûte."))
    class_ = organisations.class_of(db.session(), party_of(query)[1].id) if "party" in query else INHABITANT
    return Wish(spans, things, query.get("most"), class_)


def _wrong(field: str, said: str) -> WrongFields:
    return WrongFields(errors={field: [said]})


def _spans(query: dict[str, Any]) -> list[policy.Span]:
    """The span that is looked for; with ``each_day_until``, the same hours on the clocks of each day until that one."""
    if "starts_at" not in query:
        if "each_day_until" in query:
            raise _wrong("starts_at", _("Donnez le début et la fin."))
        return []
    zone, at = territory().zone, clock.now()
    spans = [(query["starts_at"], query["ends_at"])]
    if "each_day_until" in query:
        spans = _each_day(query, zone)
    for span in spans:
        policy.check_span(*span, at=at)
    return spans


def _each_day(query: dict[str, Any], zone: str) -> list[policy.Span]:
    starts, ends = (query[name].astimezone(ZoneInfo(zone)) for name in ("starts_at", "ends_at"))
    many = (query["each_day_until"] - starts.date()).days + 1
    if many < 1:
        raise _wrong("each_day_until", _("Ce jour est avant le premier."))
    if many > MOST_DAYS:
        raise _wrong("each_day_until", _("Cherchez au plus %(num)s jours à la fois.", num=MOST_DAYS))
    if query["ends_at"] - query["starts_at"] > timedelta(days=1):
        raise _wrong("ends_at", _("Chaque jour, cela finit avant de recommencer."))

    def on(number: int, moment: Any) -> Any:
        return policy.instant(moment.date() + timedelta(days=number), moment.time(), zone)

    return [(on(number, starts), on(number, ends)) for number in range(many)]


def _lendable(query: dict[str, Any], wish: Wish) -> list[Lendable]:
    """What answers to the words: rooms, when it is only said what must come with one."""
    session, lender = db.session(), None
    if "lender" in query:
        lender = members.party_by_token(session, query["lender"])
        if lender is None:
            return []
    kind = query.get("kind") or ("room" if wish.things and "q" not in query else None)
    return catalogue.lendable(
        session, text=query.get("q"), category=query.get("category"), capacity=query.get("people"), kind=kind,
        accessible=query.get("accessible"), lender=lender.id if lender else None,
    )  # fmt: skip


def _free(found: list[Lendable], spans: list[policy.Span]) -> list[Lendable]:
    if len(spans) > 1:
        one_of_each = [(it, 1) for it in found]
        session, zone = db.session(), territory().zone
        return [it for it, _one in availability.free_throughout(session, one_of_each, spans, zone=zone, at=clock.now())]
    free = free_of(found, spans[0]) if spans else {it.id for it in found}
    return [it for it in found if it.id in free]


def _metres(near: str, found: list[Lendable]) -> dict[int, float]:
    """How far each is from the place that is named, where everybody may know it. Raises WrongFields for no place."""
    session, spots = db.session(), catalogue.spots(db.session(), near)
    views = catalogue.views(session, [it.id for it in found])
    lenders = members.parties(session, {*(it.lender_id for it in found), *(spot.lender_id for spot in spots)})
    origin = public_origin(spots, lenders)
    if origin is None:
        raise _wrong("near", str(NO_SUCH_PLACE))
    return metres_from(origin, views.values(), lenders)


def _told(
    rows: list[Lendable], with_it: dict[int, list[Many]], prices: dict[int, Price], away: dict[int, float]
) -> list[dict[str, Any]]:
    session = db.session()
    chosen = [each for row in rows for each in with_it.get(row.lender_id, ())]
    views = catalogue.views(session, [*(row.id for row in rows), *(it.id for it, _many in chosen)])
    lenders = members.parties(session, [row.lender_id for row in rows])
    paid = any(price.community for price in prices.values())
    communities = {each.id: each.token for each in members.communities(session)} if paid else {}

    def beside_it(row: Lendable) -> list[dict[str, Any]]:
        return [{"resource": shapes.resource_name(views[it.id]), "quantity": many}
                for it, many in with_it.get(row.lender_id, ())]  # fmt: skip

    def one(row: Lendable) -> dict[str, Any]:
        price, metres = prices.get(row.id), away.get(row.id)
        return {
            **as_lent(views[row.id], lenders[row.lender_id]), "beside": beside_it(row),
            "minutes": price.minutes if price else None,
            "community": communities.get(price.community or 0) if price else None,
            "metres": None if metres is None else round(metres),
        }  # fmt: skip

    return [one(row) for row in rows]
