"""Authorisations in JSON: who may borrow what is reserved."""

from __future__ import annotations

from exchange.rest.fields import Day, Inside, Instant, Shape, Text, Token
from exchange.rest.paging import page_of
from exchange.rest.shapes import PartyShape


class NewAuthorisation(Shape):
    """Who may borrow it, until a last day when there is one."""

    party = Token(required=True)
    until = Day()


class AuthorisationShape(Shape):
    """Who may borrow something that is reserved, until when, and who said so."""

    id = Token(required=True)
    party = Inside(PartyShape, required=True)
    until = Day(required=True, allow_none=True)
    given_at = Instant(required=True)
    given_by = Text(required=True, allow_none=True)


AuthorisationPage = page_of(AuthorisationShape)
