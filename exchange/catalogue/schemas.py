"""A lender's own catalogue in JSON."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from marshmallow import ValidationError, validates

from exchange import hours
from exchange.catalogue import policy
from exchange.catalogue.forms import WRONG_SLOTS, wrong_hours
from exchange.rest.fields import Choice, Count, Day, Figure, Flag, Inside, Shape, Text, Token
from exchange.rest.paging import PageQuery, page_of
from exchange.rest.shapes import RESOURCE_KINDS, PlaceShape, ResourceShape
from exchange.security import territory

STATUSES = ("incomplete", "ready", "published", "retired")
ACCESS = ("accessible", "works-needed", "unknown")
MOST_LENT = 31 * 1440  # minutes
MOST_CENTS = 1_000_000_000


class KeptPlaceShape(PlaceShape):
    """A building or a site as its lender keeps it."""

    id = Token(required=True)


class KeptShape(ResourceShape):
    """A resource as its lender keeps it: published or not, and why not; its value is in euro cents."""

    status = Choice(STATUSES, required=True)
    value_cents = Figure(required=True, allow_none=True)
    photo_address = Text(required=True, least=0, most=500)
    inventory_number = Text(required=True, least=0, most=60)
    buffer_minutes = Figure(required=True)
    place = Inside(KeptPlaceShape, required=True, allow_none=True)


class KeptQuery(PageQuery):
    """Words, and where it stands; retired ones only when they are asked for."""

    q = Text(most=100)
    status = Choice(STATUSES)
    kind = Choice(RESOURCE_KINDS)
    category = Text(most=80)


class Publication(Shape):
    """How many people a room takes, unless it is known already."""

    capacity = Count()


class Facts(Shape):
    """What is known of a resource; what isn't named stays as it is. ``place`` is one of the lender's own.

    ``capacity`` is of a room, ``quantity`` of a pool, ``inventory_number`` of a thing, ``value_cents`` of things and
    pools. ``slots`` are written "08:00-12:00,13:30-18:00", ``opening_hours`` in the syntax of OpenStreetMap.
    """

    category = Text(least=0, most=80)
    description = Text(least=0, most=4000)
    conditions = Text(least=0, most=4000)
    capacity = Count(allow_none=True)
    quantity = Count()
    opening_hours = Text(least=0, most=policy.MOST_WRITTEN)
    buffer_minutes = Count(least=0, most=1440)
    notice_hours = Count(least=0, most=8784)
    ahead_days = Count(most=550, allow_none=True)
    least_minutes = Count(most=MOST_LENT, allow_none=True)
    most_minutes = Count(most=MOST_LENT, allow_none=True)
    lent_from = Day(allow_none=True)
    lent_until = Day(allow_none=True)
    slots = Text(least=0)
    decided_by = Choice(("officer", "nobody"))
    reserved = Flag()
    option_days = Count(most=90, allow_none=True)
    option_call_days = Count(most=30)
    turn_hours = Count(most=336)
    value_cents = Count(least=0, most=MOST_CENTS, allow_none=True)
    photo_address = Text(least=0, most=500)
    inventory_number = Text(least=0, most=60)
    place = Token(allow_none=True)

    @validates("opening_hours")
    def readable(self, value: str, **_more: Any) -> None:
        """Hours that can be read."""
        if not value:
            return
        try:
            hours.check(value, territory().zone)
        except hours.NotHours as wrong:
            raise ValidationError(wrong_hours(wrong)) from wrong

    @validates("slots")
    def in_order(self, value: str, **_more: Any) -> None:
        """Slots that follow each other."""
        if not value:
            return
        try:
            policy.slots_typed(value)
        except policy.NotSlots as wrong:
            raise ValidationError(str(WRONG_SLOTS[wrong.why])) from wrong

    @validates("photo_address")
    def whole(self, value: str, **_more: Any) -> None:
        """A whole address."""
        if value and not policy.HTTPS.fullmatch(value):
            raise ValidationError(_("Écrivez une adresse entière, qui commence par https://."))


class NewResource(Facts):
    """A room, a thing or a pool of like things, and what is known of it. Nobody sees it before it is published."""

    kind = Choice(RESOURCE_KINDS, required=True)
    name = Text(required=True)


class Edition(Facts):
    """What becomes known of a resource."""

    name = Text()


class NewPlace(Shape):
    """A building or a site; its safety category bounds the people in all of it."""

    name = Text(required=True)
    address = Text(load_default="", least=0, most=300)
    postcode = Text(load_default="", least=0, most=10)
    town = Text(load_default="", least=0, most=100)
    erp_category = Choice(("", "I", "II", "III", "IV", "V"), load_default="")
    access = Choice(ACCESS, load_default="unknown")
    access_note = Text(load_default="", least=0, most=300)


KeptPage = page_of(KeptShape)
KeptPlacePage = page_of(KeptPlaceShape)
