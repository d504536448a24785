"""Drawings that stand for the photographs of what is lent: the demonstration has no camera."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

WIDTH, HEIGHT, SCALE = 160, 120, 8


def drawing(shapes: list[list[Any]]) -> bytes:
    """A PNG of these shapes, in order; their colours and points are in ``pictures.toml``."""
    sheet = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), "white")
    pen = ImageDraw.Draw(sheet)
    for kind, colour, points, *width in shapes:
        places = [SCALE * point for point in points]
        if kind == "line":
            pen.line(places, fill=colour, width=round(SCALE * width[0]), joint="curve")
        else:
            getattr(pen, kind)(places, fill=colour)
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
