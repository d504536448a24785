"""Pictures in JSON."""

from __future__ import annotations

from exchange.rest.fields import Figure, Inside, Several, Shape, Text


class PictureShape(Shape):
    """A picture: what it shows in words, where each of its sizes is, and the points of the large one."""

    words = Text(required=True, most=200)
    large = Text(required=True)
    small = Text(required=True)
    miniature = Text(required=True)
    width = Figure(required=True)
    height = Figure(required=True)


class Pictures(Shape):
    """All of one resource's, in order."""

    items = Several(Inside(PictureShape), required=True)
