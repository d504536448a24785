"""A month of a room, week by week, and a week of a lender's rooms: what ``templates/macros/calendars.html`` draws."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from flask import url_for
from flask_babel import gettext as _

from exchange import clock, formats
from exchange.bookings import queries
from exchange.bookings.queries import TakenBy
from exchange.bookings.weeks import Shown, shown
from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.db import db
from exchange.members import queries as members
from exchange.members.queries import PartyView
from exchange.security import today


class Entry(NamedTuple):
    """A booking as its lender's office reads it in a calendar: when, what for, whose, and its page."""

    hours: str
    purpose: str
    name: str
    pending: bool
    href: str


class Cell(NamedTuple):
    """A day of something: its state, in a word too, what is left, its page when one can ask; for an office, who has it.
    """

    day: date
    state: str
    word: str
    hours: str
    href: str | None
    entries: list[Entry]

    @property
    def today(self) -> bool:
        """Whether it is today."""
        return self.day == today()


class Line(NamedTuple):
    """A week of a month, or a room of a week."""

    label: str
    note: str
    cells: list[Cell | None]


def words() -> dict[str, str]:
    """The word of each state: translated once, for a month has many days."""
    return {"free": _("Libre"), "partly": _("En partie"), "taken": _("Occupé"), "shut": _("Indisponible"),
            "closed": _("Fermé"), "past": _("Passé")}  # fmt: skip


def month_of(it: ResourceView, first: date) -> list[Line]:
    """The weeks of the month that begins on ``first``, from Monday to Sunday; a day of another month is None."""
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    days = [day for week in weeks for day in week if day.month == first.month]
    said = words()
    known = {each.day: _cell(it, each, said, url_for("bookings.day", resource=it.token, jour=each.day.isoformat()))
             for each in shown([it], days)[it.id]}  # fmt: skip
    return [Line(_("Semaine %(number)s", number=week[0].isocalendar().week), "", [known.get(day) for day in week])
            for week in weeks]  # fmt: skip


def week_of(rooms: Sequence[ResourceView], days: Sequence[date], *, lender: PartyView, named: bool) -> list[Line]:
    """Each of these rooms on each of these days; ``named``: with who has them, for the office of their lender."""
    said, known = words(), shown(rooms, days)
    who = _who(rooms, days, lender.token, lender.id) if named else {}
    return [
        Line(room.name, (room.place_name or "") if room.place_name != room.name else "", [
            _cell(room, each, said, url_for("bookings.day", resource=room.token, jour=each.day.isoformat()),
                  who.get((room.id, each.day), ()))
            for each in known[room.id]
        ])
        for room in rooms
    ]  # fmt: skip


def entries_of(it: ResourceView, day: date, lender: PartyView) -> list[Entry]:
    """Who has something on a day, for the office of its lender."""
    return _who([it], [day], lender.token, lender.id).get((it.id, day), [])


def _cell(
    it: ResourceView, each: Shown, said: dict[str, str], href: str, entries: Sequence[Entry] = ()
) -> Cell:
    asked = href if each.state in {"free", "partly", "taken"} else None
    return Cell(each.day, each.state, said[each.state], each.hours if each.state == "partly" else "", asked,
                list(entries))  # fmt: skip


Who = dict[tuple[int, date], list[Entry]]


def _who(rooms: Sequence[ResourceView], days: Sequence[date], token: str, lender: int) -> Who:
    """The bookings of each room and day, by the room's id."""
    session = db.session()
    units = catalogue.units_of(session, [room.id for room in rooms])
    first, last = formats.midnight(days[0]), formats.midnight(days[-1] + timedelta(days=1))
    taken = queries.taken_by(session, {unit for each in units.values() for unit in each}, lender, first, last,
                              at=clock.now())  # fmt: skip
    parties = members.parties(session, {each.party_id for each in taken}) if taken else {}
    found: Who = {}
    for room in rooms:
        mine = {each.token: each for each in taken if each.unit_id in units.get(room.id, ())}
        for each in mine.values():
            href = url_for("bookings.request_", lender=token, booking=each.token)
            for day in days:
                if (hours := _hours_on(each, day)) is not None:
                    entry = Entry(hours, each.purpose, parties[each.party_id].name, each.pending, href)
                    found.setdefault((room.id, day), []).append(entry)
    return found


def _hours_on(of: TakenBy, day: date) -> str | None:
    """The hours of a booking on a day; None on another day."""
    start, end = formats.midnight(day), formats.midnight(day + timedelta(days=1))
    if of.ends_at <= start or end <= of.starts_at:
        return None
    return f"{formats.hour(max(of.starts_at, start))}–{formats.hour(min(of.ends_at, end), ends=True)}"
