"""Photographs, drawn here, as telephones and hostile people send them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

RED, BLUE = (200, 30, 30), (30, 30, 200)


def photo(width: int = 64, height: int = 48, kind: str = "JPEG", mode: str = "RGB", **saved: Any) -> bytes:
    """A picture whose upper half is red and lower half blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (0, height // 2, width, height))
    out = BytesIO()
    image.convert(mode).save(out, kind, **saved)
    return out.getvalue()


def taken_at_home(orientation: int = 1) -> bytes:
    """As a telephone writes it: where, when, with what, and which side is up."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Marque du telephone"
    exif[0x0132] = "2026:11:21 10:00:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 6.0, 41.0), 3: "W", 4: (1.0, 40.0, 50.0)})
    return photo(exif=exif, comment=b"chez Denise")


PHOTO = photo()
