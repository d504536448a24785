"""Addresses of calendars in JSON."""

from __future__ import annotations

from exchange.feeds.policy import SIDES
from exchange.rest.fields import Choice, Inside, Instant, Shape, Text, Token
from exchange.rest.paging import page_of
from exchange.rest.shapes import PartyShape


class NewFeed(Shape):
    """What a calendar follows: what a party books, or what it lends."""

    party = Token(required=True)
    of = Choice(SIDES, required=True)


class FeedName(Shape):
    """A calendar that is or was open, without its address: what is kept of an answer opens nothing."""

    id = Token(required=True)
    party = Inside(PartyShape, required=True)
    of = Choice(SIDES, required=True)
    opened_at = Instant(required=True)


class FeedShape(FeedName):
    """A calendar that is open. Whoever has its ``address`` reads it (iCalendar, RFC 5545), without any token."""

    address = Text(required=True, most=2000)


class ResourceFeed(Shape):
    """The address of a public calendar: when something is taken or closed, and by nobody in particular."""

    address = Text(required=True, most=2000)


FeedPage = page_of(FeedShape)
