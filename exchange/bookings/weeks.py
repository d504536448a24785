"""Seven days of a room hour by hour, and of all rooms day by day, as ``templates/macros/charts.html`` draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from exchange import clock, formats
from exchange.bookings import policy, queries
from exchange.bookings.availability import Timetable
from exchange.catalogue import policy as terms
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import queries as closures
from exchange.db import db
from exchange.hours import intervals
from exchange.security import own, territory, today

Row = dict[str, Any]
Cell = dict[str, str | None]
Week = tuple[list[Row], list[Row]]
"""The days, each with what a narrow screen lists of it, and the rows of the table that a wide one shows."""


def cells_in_words() -> Callable[..., Cell]:
    """A maker of cells, each with the word of its state: translated once, for a week has hundreds."""
    words = {
        "free": _("Libre"), "taken": _("Pris"), "closed": _("Fermé"), "mine": _("À vous"), "pending": _("En attente"),
        "shut": _("Indisponible"),
    }  # fmt: skip
    return lambda state, label=None, href=None: {"state": state, "label": label or words[state], "href": href}


def labels(days: list[date]) -> list[Row]:
    """How the days are named above their columns."""
    return [{"label": formats.day(day, "week"), "iso": day.isoformat(), "today": day == today()} for day in days]


def _runs(rows: list[Row], column: int, *, together: bool) -> list[Row]:
    """A day as a narrow screen lists it, without what is closed; ``together``, what goes on for hours is said once."""
    runs: list[Row] = []
    before: Row | None = None
    for row in rows:
        cell = row["cells"][column]
        if together and before and before["ends"] == row["label"] and _goes_on(before["cells"][column], cell):
            runs[-1]["ends"] = row["ends"]
        else:
            runs.append({**cell, "starts": row["label"], "ends": row.get("ends") if together else None})
        before = row
    return [run for run in runs if run["state"] != "closed"]


def _goes_on(before: Cell, cell: Cell) -> bool:
    """Whether an hour is as the one before it; what is free, or taken by others, leads to its first hour."""
    same = (before["state"], before["label"]) == (cell["state"], cell["label"])
    return same and (cell["state"] != "mine" or before["href"] == cell["href"])


def of_one(it: ResourceView, units: Sequence[int], first_day: date, *, many: int = 7) -> Week:
    """So many days of a room or a thing, which occupies ``units``, hour by hour.

    A public page names nobody, and leaves out hours that are always closed.
    """
    session, zone, at = db.session(), territory().zone, clock.now()
    days = [first_day + timedelta(days=n) for n in range(many)]
    spans = {day: policy.hours_of(day, zone, terms.slots_of(it.slots)) for day in days}
    first, last = spans[days[0]][0][0], spans[days[-1]][-1][1]
    taken, mine = queries.taken(session, units, first, last, at=at), set(own("booking.read").parties)
    hours = intervals(it.opening_hours, zone, first, last)
    closed = [(each.starts_at, each.ends_at) for each in hours if not each.open]
    shut = [(each.starts_at, each.ends_at or last) for each in closures.shut(session, units, first, last)]

    made, past, held = cells_in_words(), _("Passé"), _("Sous option")
    said, asking = it.terms, url_for("bookings.new", resource=it.token)
    awaiting = url_for("bookings.new_wish", resource=it.token)

    def cell(day: date, start: datetime, end: datetime) -> Cell:
        until = f"&a={end:%H:%M}" if it.slots else ""
        hours = f"?jour={day}&de={start:%H:%M}{until}"
        over = next((t for t in taken if t.starts_at < end and start < t.ends_at), None)
        if over is not None:
            if over.party_id in mine:
                return made("mine", href=url_for("bookings.show", booking=over.booking_token))
            if not_lent(said, start, end, at) or start < at:
                return made("pending" if over.pending else "taken")
            return made("pending" if over.pending else "taken", held if over.held_until else None, awaiting + hours)
        if start < at:
            return made("closed", past)
        if not_lent(said, start, end, at):
            return made("closed")
        if any(begun < end and start < ended for begun, ended in closed):
            return made("closed")
        if any(begun < end and start < ended for begun, ended in shut):
            return made("shut")
        return made("free", href=asking + hours)

    return _hourly(it, spans, cell)


def _hourly(
    it: ResourceView, spans: dict[date, list[policy.Span]], cell: Callable[[date, datetime, datetime], Cell]
) -> Week:
    """A row for each hour, or for each slot, but for those that are always closed."""
    rows = []
    for hour, (start, end) in enumerate(next(iter(spans.values()))):
        cells = [cell(day, *of_day[hour]) for day, of_day in spans.items()]
        if any(each["state"] != "closed" for each in cells):
            starts, ends = formats.hour(start), formats.hour(end, ends=True)
            rows.append({"label": f"{starts} – {ends}" if it.slots else starts, "ends": ends, "cells": cells})
    return _with_runs(list(spans), rows, together=not it.slots), rows


def _with_runs(days: list[date], rows: list[Row], *, together: bool) -> list[Row]:
    return [{**day, "runs": _runs(rows, column, together=together)} for column, day in enumerate(labels(days))]


def of_pool(it: ResourceView, first_day: date, *, many: int = 7) -> Week:
    """So many days of a pool hour by hour: how many things one could have during the whole of each hour."""
    session, zone, at = db.session(), territory().zone, clock.now()
    days = [first_day + timedelta(days=n) for n in range(many)]
    spans = {day: policy.hours_of(day, zone, terms.slots_of(it.slots)) for day in days}
    first, last = spans[days[0]][0][0], spans[days[-1]][-1][1]
    left = Timetable(session, [it], first, last, at=at).left_of(it, [span for each in spans.values() for span in each])
    opened = [(each.starts_at, each.ends_at) for each in intervals(it.opening_hours, zone, first, last) if each.open]
    made, past, asking = cells_in_words(), _("Passé"), url_for("bookings.new", resource=it.token)
    said = {many: ngettext("%(num)s libre", "%(num)s libres", many) for many in set(left.values()) if many > 0}

    def cell(day: date, start: datetime, end: datetime) -> Cell:
        if start < at:
            return made("closed", past)
        is_open = any(begins <= start and end <= ends for begins, ends in opened)
        if not is_open or not_lent(it.terms, start, end, at):
            return made("closed")
        if (many := left[start, end]) <= 0:
            return made("taken")
        return made("free", said[many], href=f"{asking}?jour={day}&de={start:%H:%M}")

    return _hourly(it, spans, cell)


def not_lent(said: terms.Terms, starts_at: datetime, ends_at: datetime, at: datetime) -> bool:
    """Whether these terms keep something from being asked for then, at this moment."""
    if said == terms.UNBOUND:
        return False
    days = formats.local(starts_at), formats.local(ends_at)
    return bool(terms.refusal_of_days(said, *days) or terms.refusal_of_moment(said, starts_at, at=at))


class Around(NamedTuple):
    """When something is open, taken and closed for a while, each in order."""

    opened: list[policy.Span]
    held: list[policy.Span]
    shut: list[policy.Span]

    def on(self, start: datetime, end: datetime) -> tuple[str, list[policy.Span]]:
        """How it is between two instants, and what is left of it: free, partly, taken, shut, or closed as usual."""
        hours = [(max(a, start), min(b, end)) for a, b in self.opened if a < end and start < b]
        lent = policy.left_of(hours, self.shut)
        left = policy.left_of(lent, self.held)
        if not left:
            return ("closed" if not hours else "taken" if lent else "shut"), []
        return ("free" if left == hours else "partly"), left


def around(rooms: Sequence[ResourceView], first: datetime, last: datetime) -> dict[int, Around]:
    """When each of these is open, taken and closed between two instants, by id."""
    session, zone, at = db.session(), territory().zone, clock.now()
    units = catalogue.units_of(session, [room.id for room in rooms])
    leaves = {unit for each in units.values() for unit in each}
    taken, shut = queries.taken(session, leaves, first, last, at=at), closures.shut(session, leaves, first, last)

    def of(room: ResourceView) -> Around:
        mine = units.get(room.id, ())
        hours = intervals(room.opening_hours, zone, first, last)
        held = (Timetable(session, [room], first, last, at=at).full(room.lendable) if room.kind == "pool" else
                [(each.starts_at, each.ends_at) for each in taken if each.unit_id in mine])  # fmt: skip
        return Around(
            [(each.starts_at, each.ends_at) for each in hours if each.open], sorted(held),
            sorted((each.starts_at, each.ends_at or last) for each in shut if each.unit_id in mine),
        )  # fmt: skip

    return {room.id: of(room) for room in rooms}


class Shown(NamedTuple):
    """How something is on a day, in the hours that pages show: past, or as in ``Around``; and what is left of it."""

    day: date
    state: str
    left: list[policy.Span]

    @property
    def hours(self) -> str:
        """What is left, in short: "8 h–14 h, 17 h–22 h"."""
        return ", ".join(f"{formats.hour(a)}–{formats.hour(b, ends=True)}" for a, b in self.left)


def shown(rooms: Sequence[ResourceView], days: Sequence[date]) -> dict[int, list[Shown]]:
    """How each of these is on each of these days, which are in order, by id."""
    zone, at = territory().zone, clock.now()
    bounds = {day: (policy.hours_of(day, zone)[0][0], policy.hours_of(day, zone)[-1][1]) for day in days}
    known = around(rooms, bounds[days[0]][0], bounds[days[-1]][1])

    def on(room: ResourceView, day: date) -> Shown:
        start, end = max(bounds[day][0], at), bounds[day][1]
        if end <= at:
            return Shown(day, "past", [])
        if not_lent(room.terms, start, end, at):
            return Shown(day, "closed", [])
        return Shown(day, *known[room.id].on(start, end))

    return {room.id: [on(room, day) for day in days] for room in rooms}


def of_rooms(rooms: list[ResourceView], days: list[date]) -> Week:
    """Each room day by day: free, what is left of it, taken or closed."""
    known, made, past = shown(rooms, days), cells_in_words(), _("Passé")

    def cell(page: str, each: Shown) -> Cell:
        href = f"{page}?jour={each.day}"
        match each.state:
            case "past":
                return made("closed", past)
            case "closed" | "shut":
                return made(each.state)
            case "partly":
                return made("free", each.hours, href)
        return made(each.state, href=href)

    rows = []
    for room in rooms:
        page = url_for("bookings.resource", resource=room.token)
        rows.append({"label": room.name, "cells": [cell(page, each) for each in known[room.id]]})
    return _with_runs(days, rows, together=False), rows
