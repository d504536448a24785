"""Beginning to lend, in JSON."""

from __future__ import annotations

from exchange.rest.fields import Count, Shape, Text


class NewThing(Shape):
    """What somebody lends; with a ``quantity``, so many like things. Its conditions are said by editing it."""

    name = Text(required=True)
    description = Text(load_default="", least=0, most=4000)
    quantity = Count()
