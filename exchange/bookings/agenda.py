"""Pages of calendars: a day and a month of something, and the week of a lender's rooms, to print for a door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from flask import render_template, request, url_for
from flask_babel import gettext as _
from wtforms.fields import SelectChoice

from exchange.bookings import policy, sheets, weeks
from exchange.bookings.forms import JumpForm, SheetForm
from exchange.bookings.geography import ON_MAPS
from exchange.bookings.telling import published
from exchange.bookings.wishing import bookings
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.errors import NotFound
from exchange.members import queries as members
from exchange.members.queries import PartyView
from exchange.paging import page_number
from exchange.security import in_office, today

__all__ = ["bookings"]  # with these pages beside those of ``views``

ROOMS = 15  # on one sheet
WEEK = timedelta(days=7)


class Steps(NamedTuple):
    """The addresses around a page of a calendar; None where there is nothing to see."""

    before: str | None
    now: str | None
    after: str | None


def _around(endpoint: str, name: str, before: date, first: date, after: date, now: date, **of: str | None) -> Steps:
    """What comes before and after ``first``; the past isn't shown, nor what is too far to ask for."""

    def to(day: date) -> str:
        values: dict[str, Any] = of | {name: day.isoformat()}
        return url_for(endpoint, **values)

    far = after > today() + policy.FARTHEST
    return Steps(to(before) if first > now else None, to(now) if first != now else None, None if far else to(after))


@bookings.get("/salles/<resource>/jour")
def day(resource: str) -> str | tuple[str, int]:
    """One day of a room or a thing, hour by hour; to its lender's office, who has it."""
    session, it, form = db.session(), published(resource), JumpForm(request.args)
    valid = form.validate()
    on = policy.first_day(form.day_typed(), today=today())
    units = catalogue.units_of(session, [it.id])[it.id]
    days, _rows = (weeks.of_pool(it, on, many=1) if it.kind == "pool" else weeks.of_one(it, units, on, many=1))
    lender = members.parties(session, [it.lender_id])[it.lender_id]
    here = in_office("booking.decide", it.lender_id) and it.kind != "pool"
    page = render_template(
        "bookings/day.html", resource=it, lender=lender, day=on, runs=days[0]["runs"], form=form, here=here,
        entries=sheets.entries_of(it, on, lender) if here else [],
        steps=_around("bookings.day", "jour", on - timedelta(days=1), on, on + timedelta(days=1), today(),
                      resource=it.token),
    )  # fmt: skip
    return page if valid else (page, 422)


@bookings.get("/salles/<resource>/mois")
def month(resource: str) -> str | tuple[str, int]:
    """One month of a room or a thing, week by week: which days are free, in part, or not."""
    it, form = published(resource), JumpForm(request.args)
    valid = form.validate()
    first = policy.first_of_month(request.args.get("mois") or form.day_typed(), today=today())
    this = today().replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    page = render_template(
        "bookings/month.html", resource=it, first=first, lines=sheets.month_of(it, first), form=form,
        today=today(),
        steps=_around("bookings.month", "mois", (first - timedelta(days=1)).replace(day=1), first, after, this,
                      resource=it.token),
    )  # fmt: skip
    return page if valid else (page, 422)


@bookings.get("/preteurs/<lender>/semaine")
def lender_week(lender: str) -> str | tuple[str, int]:
    """Seven days of a lender's rooms, or of those of one place. Its office reads who has them; everybody else, when
    they are taken. Raises NotFound for who lends no room.
    """
    form, party = SheetForm(request.args), members.party_by_token(db.session(), lender)
    rooms = _rooms(party) if party else []
    here = party is not None and in_office("booking.decide", party.id)
    if party is None or not (rooms or here):
        raise NotFound
    form.lieu.choices = [SelectChoice("", _("Tous les lieux")), *_places(party, rooms)]
    valid = form.validate()
    place = form.lieu.data if valid and form.lieu.data else None
    chosen = [room for room in rooms if place in (None, room.place_token)]
    first = policy.first_day(form.day_typed(), today=today())
    days, named = [first + timedelta(days=n) for n in range(7)], here and request.args.get("noms") != "non"
    last = max(1, -(-len(chosen) // ROOMS))
    number = min(last, page_number(request.args.get("page", "")))
    of: dict[str, Any] = {"lender": party.token, "lieu": place, "noms": None if named or not here else "non"}
    page = render_template(
        "bookings/lender_week.html", lender=party, form=form, days=weeks.labels(days), first=first, here=here,
        named=named, place=next((room.place_name for room in chosen if place), None), page=number, last=last,
        lines=sheets.week_of(chosen[ROOMS * (number - 1) : ROOMS * number], days, lender=party, named=named)
        if chosen else [],
        address=lambda **more: url_for("bookings.lender_week", **(of | {"jour": first.isoformat()} | more)),
        steps=_around("bookings.lender_week", "jour", first - WEEK, first, first + WEEK, today(), **of),
    )  # fmt: skip
    return page if valid else (page, 422)


def _rooms(party: PartyView) -> list[ResourceView]:
    """The published rooms of a lender, by place then name; where a person lives is told to nobody."""
    found = catalogue.published(db.session(), kind="room", lender=party.id)
    told = found if party.kind in ON_MAPS else [room.without_home() for room in found]
    return sorted(told, key=lambda room: (room.place_name or "", room.sort_name, room.id))


def _places(party: PartyView, rooms: Sequence[ResourceView]) -> list[SelectChoice]:
    if party.kind not in ON_MAPS:
        return []
    found = {room.place_token: room.place_name for room in rooms if room.place_token}
    return [SelectChoice(token, name) for token, name in found.items()]
