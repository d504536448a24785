"""A declared exchange in JSON."""

from __future__ import annotations

from exchange.rest.fields import Choice, Day, Inside, Instant, Minutes, Shape, Text, Token
from exchange.rest.paging import page_of
from exchange.rest.shapes import NATURES, PartyShape


class NewDeclaration(Shape):
    """What was exchanged, from the side of the account in the address: who helped (``given``) or was (``received``)."""

    direction = Choice(("given", "received"), required=True)
    other = Token(required=True)
    minutes = Minutes(required=True)
    happened_on = Day(required=True)
    nature = Choice(NATURES, load_default="service")
    description = Text(required=True, most=400)
    slip = Text(most=40)


class Reason(Shape):
    """Why an exchange isn't recognised."""

    reason = Text(required=True, most=400)


class DeclarationShape(Shape):
    """``giver`` gave ``receiver``, who pays, so many minutes; it waits for the receiver's word, or has its answer."""

    id = Token(required=True)
    state = Choice(("waiting", "confirmed", "refused", "expired", "withdrawn"), required=True)
    community = Token(required=True)
    giver = Inside(PartyShape, required=True)
    receiver = Inside(PartyShape, required=True)
    minutes = Minutes(required=True)
    happened_on = Day(required=True)
    nature = Choice(NATURES, required=True)
    description = Text(required=True, most=400)
    slip = Text(required=True, allow_none=True, most=40)
    declared_at = Instant(required=True)
    answer_before = Instant(required=True)
    answered_at = Instant(required=True, allow_none=True)
    reason = Text(required=True, allow_none=True, most=400)


DeclarationPage = page_of(DeclarationShape)
