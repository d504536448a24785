"""Calendars in the format that telephones read (RFC 5545); what they say is escaped by the library that writes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from icalendar import Calendar, vDuration, vText
from icalendar import Event as Written

from exchange.feeds.policy import on_one_line, plain

AGAIN = timedelta(hours=1)  # how often we ask telephones to come back


class Event(NamedTuple):
    """Something in a calendar; its name (``uid``) never changes, its ``sequence`` grows with each change.

    ``status`` is CONFIRMED, TENTATIVE or CANCELLED; ``address`` is that of its page.
    """

    uid: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    sequence: int
    status: str
    title: str
    words: str = ""
    where: str = ""
    address: str = ""


def calendar(name: str, events: Iterable[Event]) -> bytes:
    """The calendar of this name; instants are told in UTC, so that no night when clocks change can be misread."""
    made = Calendar()
    made.add("prodid", "-//Marronnier//Marronnier//FR")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("name", on_one_line(name))
    made.add("x-wr-calname", vText(on_one_line(name)))
    made.add("refresh-interval", AGAIN, parameters={"value": "DURATION"})
    made.add("x-published-ttl", vDuration(AGAIN))
    for event in events:
        made.add_component(_written(event))
    return bytes(made.to_ical())


def _written(event: Event) -> Written:
    made = Written()
    made.add("uid", event.uid)
    made.add("dtstamp", event.changed_at.astimezone(UTC))
    made.add("last-modified", event.changed_at.astimezone(UTC))
    made.add("sequence", event.sequence)
    made.add("dtstart", event.starts_at.astimezone(UTC))
    made.add("dtend", event.ends_at.astimezone(UTC))
    made.add("status", event.status)
    made.add("transp", "TRANSPARENT" if event.status == "CANCELLED" else "OPAQUE")
    made.add("summary", on_one_line(event.title))
    for property_, text in (("description", plain(event.words)), ("location", on_one_line(event.where))):
        if text:
            made.add(property_, text)
    if event.address:
        made.add("url", event.address)
    return made
