"""What several capabilities tell in the same words: a party, a community, an account, a resource by its name."""

from __future__ import annotations

from typing import Any

from exchange.catalogue.queries import ResourceView
from exchange.members.queries import CommunityView, PartyView
from exchange.rest.fields import Choice, Day, Figure, Flag, Inside, Instant, Number, Shape, Text, Token
from ledger.accounts import KINDS
from ledger.store.reading import AccountView

NATURES = ("service", "knowledge", "goods")
RESOURCE_KINDS = ("room", "thing", "pool")


class PartyShape(Shape):
    """A member, an organisation or a community, by its random identifier."""

    id = Token(required=True)
    kind = Choice(("person", "organisation", "community", "system"), required=True)
    name = Text(required=True)


class CommunityShape(Shape):
    """A community, with the words of its unit."""

    id = Token(required=True)
    name = Text(required=True)
    unit_one = Text(required=True)
    unit_many = Text(required=True)


class AccountShape(Shape):
    """An account, in minutes. ``available`` is what may still leave it; null where no floor is set."""

    id = Token(required=True)
    kind = Choice(KINDS, required=True)
    party = Inside(PartyShape, required=True)
    community = Inside(CommunityShape, required=True)
    balance = Figure(required=True)
    held = Figure(required=True)
    available = Figure(required=True, allow_none=True)
    floor = Figure(required=True, allow_none=True)
    ceiling = Figure(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)


class ResourceName(Shape):
    """A room, a thing or a pool of like things, by its random identifier."""

    id = Token(required=True)
    kind = Choice(RESOURCE_KINDS, required=True)
    name = Text(required=True)


class PlaceShape(Shape):
    """A building or a site; ``legal_max`` bounds the people in all of it."""

    name = Text(required=True)
    address = Text(required=True, least=0, most=500)
    postcode = Text(required=True, least=0)
    town = Text(required=True, least=0)
    latitude = Number(required=True, allow_none=True)
    longitude = Number(required=True, allow_none=True)
    access = Choice(("accessible", "works-needed", "unknown"), required=True)
    access_note = Text(required=True, least=0, most=500)
    erp_type = Text(required=True, least=0)
    erp_category = Text(required=True, least=0)
    legal_min = Figure(required=True, allow_none=True)
    legal_max = Figure(required=True, allow_none=True)


class ResourceShape(ResourceName):
    """What can be booked, by whom it is lent and where. ``opening_hours`` are in the syntax of OpenStreetMap.

    ``slots`` are those in which it is lent, whole, as in "08:00-12:00,13:30-18:00"; empty is at any hour.
    """

    lender = Inside(PartyShape, required=True)
    category = Text(required=True, least=0)
    description = Text(required=True, least=0, most=4000)
    conditions = Text(required=True, least=0, most=4000)
    capacity = Figure(required=True, allow_none=True)
    quantity = Figure(required=True, allow_none=True)
    opening_hours = Text(required=True, least=0, most=1000)
    decided_by = Choice(("officer", "nobody"), required=True)
    reserved = Flag(required=True)
    option_days = Figure(required=True, allow_none=True)
    option_call_days = Figure(required=True)
    turn_hours = Figure(required=True)
    notice_hours = Figure(required=True)
    ahead_days = Figure(required=True, allow_none=True)
    least_minutes = Figure(required=True, allow_none=True)
    most_minutes = Figure(required=True, allow_none=True)
    lent_from = Day(required=True, allow_none=True)
    lent_until = Day(required=True, allow_none=True)
    slots = Text(required=True, least=0)
    place = Inside(PlaceShape, required=True, allow_none=True)


class Nothing(Shape):
    """An empty object: everything is in the address."""


def party(seen: PartyView) -> dict[str, Any]:
    """A party as PartyShape."""
    return {"id": seen.token, "kind": seen.kind, "name": seen.name}


def community(seen: CommunityView) -> dict[str, Any]:
    """A community as CommunityShape."""
    return {"id": seen.token, "name": seen.name, "unit_one": seen.unit_one, "unit_many": seen.unit_many}


def account(seen: AccountView, holder: PartyView, of: CommunityView) -> dict[str, Any]:
    """An account as AccountShape; only for who may read its balance."""
    return {
        "id": seen.token, "kind": seen.kind, "party": party(holder), "community": community(of),
        "balance": seen.balance, "held": seen.held, "available": seen.core().available, "floor": seen.floor,
        "ceiling": seen.ceiling, "closed_at": seen.closed_at,
    }  # fmt: skip


def resource_name(seen: ResourceView) -> dict[str, Any]:
    """A resource as ResourceName."""
    return {"id": seen.token, "kind": seen.kind, "name": seen.name}


def resource(seen: ResourceView, lender: PartyView) -> dict[str, Any]:
    """A resource as ResourceShape."""
    told = ("category", "description", "conditions", "capacity", "quantity", "opening_hours", "decided_by", "reserved",
            "option_days", "option_call_days", "turn_hours", *seen.terms._fields)  # fmt: skip
    return {
        **resource_name(seen), **{name: getattr(seen, name) for name in told}, "lender": party(lender),
        "place": place(seen) if seen.place_id is not None else None,
    }  # fmt: skip


def place(seen: ResourceView) -> dict[str, Any]:
    """The place of a resource as PlaceShape."""
    told = PlaceShape().fields.keys() - {"name"}
    return {"name": seen.place_name, **{name: getattr(seen, name) for name in told}}
