"""A lender's own catalogue in JSON."""

from __future__ import annotations

from exchange.rest.fields import Choice, Count, Figure, Shape, Text
from exchange.rest.paging import PageQuery, page_of
from exchange.rest.shapes import RESOURCE_KINDS, ResourceShape

STATUSES = ("incomplete", "ready", "published", "retired")


class KeptShape(ResourceShape):
    """A resource as its lender keeps it: published or not, and why not; its value is in euro cents."""

    status = Choice(STATUSES, required=True)
    value_cents = Figure(required=True, allow_none=True)
    photo_address = Text(required=True, least=0, most=500)


class KeptQuery(PageQuery):
    """Words, and where it stands; retired ones only when they are asked for."""

    q = Text(most=100)
    status = Choice(STATUSES)
    kind = Choice(RESOURCE_KINDS)
    category = Text(most=80)


class Publication(Shape):
    """How many people a room takes, unless it is known already."""

    capacity = Count()


KeptPage = page_of(KeptShape)
