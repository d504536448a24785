"""The agreement of a loan in JSON."""

from __future__ import annotations

from exchange.rest.fields import Choice, Day, Inside, Instant, Several, Shape, Text, Token
from exchange.rest.shapes import PartyShape

STATES = ("open", "signed", "superseded", "void", "erased")
SIDES = ("lender", "borrower")


class AcceptanceShape(Shape):
    """One side accepted; ``name`` and ``sentence`` are null once the person is erased."""

    side = Choice(SIDES, required=True)
    how = Choice(("online", "paper"), required=True)
    signed_on = Day(required=True)
    recorded_at = Instant(required=True)
    name = Text(required=True, allow_none=True)
    sentence = Text(required=True, allow_none=True, most=1000)


class AgreementShape(Shape):
    """What the two sides of a loan accept. ``text`` is null once the person is erased; ``digest`` is the SHA-256 of its
    UTF-8 bytes, in hexadecimal. ``turn`` is the side that accepts next.
    """

    id = Token(required=True)
    number = Text(required=True)
    state = Choice(STATES, required=True)
    turn = Choice(SIDES, required=True, allow_none=True)
    lender = Inside(PartyShape, required=True)
    party = Inside(PartyShape, required=True)
    title = Text(required=True)
    text = Text(required=True, allow_none=True, most=100_000)
    digest = Text(required=True)
    made_at = Instant(required=True)
    acceptances = Several(Inside(AcceptanceShape), required=True)


class NewAcceptance(Shape):
    """The digest of the text that was read."""

    digest = Text(required=True, most=64)
