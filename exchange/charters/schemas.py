"""A charter in JSON."""

from __future__ import annotations

from exchange.rest.fields import Flag, Inside, Instant, Shape, Text, Token
from exchange.rest.shapes import PartyShape


class CharterShape(Shape):
    """What a lender asks to be accepted before a request; ``asked`` says whether it still is."""

    id = Token(required=True)
    lender = Inside(PartyShape, required=True)
    title = Text(required=True)
    text = Text(required=True, most=20_000)
    asked = Flag(required=True)
    written_at = Instant(required=True)


class CharterAccepted(Shape):
    """A party that accepts it."""

    party = Token(required=True)
