"""People in JSON: who asks, and what neighbours chose to show."""

from __future__ import annotations

from exchange.rest.fields import Choice, Inside, Several, Shape, Text
from exchange.rest.paging import PageQuery, page_of
from exchange.rest.shapes import AccountShape, CommunityShape, PartyShape

ROLES = ("member", "delegate", "officer", "facilitator", "treasurer", "auditor", "administrator")


class MandateShape(Shape):
    """What the caller may do, and for which party."""

    role = Choice(ROLES, required=True)
    party = Inside(PartyShape, required=True)


class MeShape(Shape):
    """Who asks: the parties that they act for, their mandates, and the open accounts of those parties."""

    user_name = Text(required=True)
    language = Text(required=True)
    parties = Several(Inside(PartyShape), required=True)
    mandates = Several(Inside(MandateShape), required=True)
    communities = Several(Inside(CommunityShape), required=True)
    accounts = Several(Inside(AccountShape), required=True)


class NeighbourShape(Shape):
    """A member or an organisation of a community, with the area that they chose to show."""

    party = Inside(PartyShape, required=True)
    area = Text(required=True, least=0)


class ProfileShape(Shape):
    """What a member chose to show to the others; what they keep for themselves is empty."""

    party = Inside(PartyShape, required=True)
    about = Text(required=True, least=0, most=4000)
    area = Text(required=True, least=0)
    phone = Text(required=True, least=0)
    email = Text(required=True, least=0, most=254)


class NeighboursQuery(PageQuery):
    """Words of a name."""

    q = Text(most=100)


NeighbourPage = page_of(NeighbourShape)
