"""Adverts and the relay in JSON."""

from __future__ import annotations

from exchange.rest.fields import Choice, Flag, Inside, Instant, Several, Shape, Text, Token
from exchange.rest.paging import PageQuery, page_of
from exchange.rest.shapes import NATURES, PartyShape

KINDS = ("offer", "want")


class AdvertsQuery(PageQuery):
    """What is looked for among the open adverts of a community."""

    q = Text(most=100)
    kind = Choice(KINDS)
    nature = Choice(NATURES)
    category = Text(most=80)


class NewAdvert(Shape):
    """What somebody offers or looks for; ``category`` is one of those of the community, by its name."""

    kind = Choice(KINDS, required=True)
    nature = Choice(NATURES, load_default="service")
    category = Text(required=True, most=80)
    title = Text(required=True, least=3, most=120)
    text = Text(load_default="", least=0, most=4000)


class AdvertShape(Shape):
    """An offer or a want; its author is reached through the relay."""

    id = Token(required=True)
    community = Token(required=True)
    author = Inside(PartyShape, required=True)
    kind = Choice(KINDS, required=True)
    nature = Choice(NATURES, required=True)
    category = Text(required=True, most=80)
    title = Text(required=True, most=120)
    text = Text(required=True, least=0, most=4000)
    published_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)


class CategoriesShape(Shape):
    """The names that the adverts of a community are sorted by."""

    items = Several(Text(most=80), required=True)


class NewMessage(Shape):
    """What to write to the author, in the name of which party."""

    party = Token(required=True)
    text = Text(required=True, most=4000)


class NewAnswer(Shape):
    """What to answer."""

    text = Text(required=True, most=4000)


class ThreadShape(Shape):
    """Two parties write to each other about an advert, without seeing the other's address; ``me`` is the caller's."""

    id = Token(required=True)
    title = Text(required=True, most=120)
    me = Inside(PartyShape, required=True)
    other = Inside(PartyShape, required=True)


class TalkShape(ThreadShape):
    """A thread with its last message."""

    text = Text(required=True, most=4000)
    mine = Flag(required=True)
    sent_at = Instant(required=True)


class MessageShape(Shape):
    """One message of a thread."""

    mine = Flag(required=True)
    text = Text(required=True, most=4000)
    sent_at = Instant(required=True)


class ThreadDetail(ThreadShape):
    """A thread with its last hundred messages, the oldest first."""

    advert = Token(required=True)
    messages = Several(Inside(MessageShape), required=True)


AdvertPage = page_of(AdvertShape)
TalkPage = page_of(TalkShape)
