"""A file that somebody uploads is drawn again: what is kept is an image and nothing else.

Neither the place and the hour that a telephone writes into its photographs survive, nor a program hidden behind one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageCms, ImageOps

from exchange.errors import PictureTooLarge, PictureUnreadable

READ: Final = ("JPEG", "PNG", "WEBP")
MOST_POINTS: Final = 60_000_000
"""Points of a JPEG, which is read at a fraction of its size; others are held whole in memory."""
MOST_POINTS_WHOLE: Final = 20_000_000
LARGE: Final = 1600
"""Points, the longer side of a picture that is looked at for itself."""
SMALL: Final = 480
"""Points, the longer side of a picture on a page."""
SMALL_BYTES: Final = 18_000
"""What a page can spend on a picture, for a telephone far from its mast."""
MINIATURE: Final = (160, 120)
"""Points of a picture in a list, of which as much is shown as fits."""
MINIATURE_BYTES: Final = 4_000
QUALITIES: Final = (75, 65, 55, 45, 35, 25)
"""Of a JPEG or a WebP, the best first."""


Image.MAX_IMAGE_PIXELS = None  # what is opened is measured against our own bounds, which are lower, and then read


class Drawn(NamedTuple):
    """A picture as JPEG, in two sizes, and in miniature as WebP; ``width`` and ``height`` (points) are of the large."""

    large: bytes
    small: bytes
    miniature: bytes
    width: int
    height: int


def drawn(data: bytes) -> Drawn:
    """The picture that a file holds, upright, in colours that every screen shows.

    Raises PictureUnreadable for what is no JPEG, PNG or WebP or is damaged, and PictureTooLarge (facts: megapixels).
    """
    with _whatever_it_holds():
        image = _opened(data)
        large = _fitted(image, LARGE)
        small = _fitted(large, SMALL)
        miniature = ImageOps.fit(large, MINIATURE, Image.Resampling.LANCZOS)
        return Drawn(
            _written(large, "JPEG", QUALITIES[0]), _within(small, "JPEG", SMALL_BYTES),
            _within(miniature, "WEBP", MINIATURE_BYTES), *large.size,
        )  # fmt: skip


@contextmanager
def _whatever_it_holds() -> Iterator[None]:
    """Decoders meet hostile files with errors of every kind: each of them means that this one is no picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a damaged detail, which is not kept
            yield
    except PictureTooLarge:
        raise
    except Exception as broken:
        raise PictureUnreadable from broken


def _opened(data: bytes) -> Image.Image:
    image: Image.Image = Image.open(BytesIO(data), formats=READ)
    points = image.width * image.height
    if points > (MOST_POINTS if image.format == "JPEG" else MOST_POINTS_WHOLE):
        raise PictureTooLarge(megapixels=points // 1_000_000)
    image.draft("RGB", (LARGE, LARGE))  # of a JPEG: as few points as are needed
    return _plain(ImageOps.exif_transpose(image))


def _plain(image: Image.Image) -> Image.Image:
    """Colours of every screen, on white where it is transparent."""
    profile = image.info.get("icc_profile")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    elif profile and image.mode in ("RGB", "CMYK", "L"):
        image = _in_common_colours(image, profile)
    return image.convert("RGB")


def _in_common_colours(image: Image.Image, profile: bytes) -> Image.Image:
    """Telephones photograph in wider colours than a page is shown in."""
    try:
        theirs, ours = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        found = ImageCms.profileToProfile(image, theirs, ours, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image  # a profile that says nothing
    return found or image


def _fitted(image: Image.Image, most: int) -> Image.Image:
    small = image.copy()
    small.thumbnail((most, most), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return small


def _written(image: Image.Image, kind: str, quality: int) -> bytes:
    out = BytesIO()
    # given here, so that nothing that was read is written: no place, no hour, no remark
    image.info.clear()
    image.save(out, kind, quality=quality, optimize=True, progressive=True, method=6)  # each takes what it knows
    return out.getvalue()


def _within(image: Image.Image, kind: str, most: int) -> bytes:
    """The best that holds in so many bytes, or else the lightest."""
    found = b""
    for quality in QUALITIES:
        found = _written(image, kind, quality)
        if len(found) <= most:
            break
    return found
