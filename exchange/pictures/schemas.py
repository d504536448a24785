"""Pictures in JSON."""

from __future__ import annotations

from exchange.rest.fields import Figure, Inside, Several, Shape, Text


class PictureShape(Shape):
    """A picture: what it shows in words, where both of its sizes are, and the points of the large one."""

    words = Text(required=True, most=200)
    large = Text(required=True)
    small = Text(required=True)
    width = Figure(required=True)
    height = Figure(required=True)


class Pictures(Shape):
    """All of one resource's, in order."""

    items = Several(Inside(PictureShape), required=True)
