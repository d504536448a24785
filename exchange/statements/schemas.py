"""A statement in JSON."""

from __future__ import annotations

from exchange.rest.fields import Choice, Day, Figure, Flag, Inside, Instant, Shape, Text, Token
from exchange.rest.paging import page_of
from exchange.rest.shapes import PartyShape
from ledger.entries import KINDS


class LineShape(Shape):
    """One movement as the account sees it: minutes are positive when they come in, and ``balance`` is what it made."""

    number = Figure(required=True)
    kind = Choice(KINDS, required=True)
    happened_on = Day(required=True)
    recorded_at = Instant(required=True)
    minutes = Figure(required=True)
    balance = Figure(required=True)
    other = Inside(PartyShape, required=True)
    declaration = Token(required=True, allow_none=True)
    description = Text(required=True, allow_none=True, most=400)
    corrects = Flag(required=True)
    corrected = Flag(required=True)
    typed_by = Text(required=True, allow_none=True)


LinePage = page_of(LineShape)
