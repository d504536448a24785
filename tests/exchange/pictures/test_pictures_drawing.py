"""Whatever is uploaded (T21): a picture comes out, and nothing of the file but the picture; or a named refusal."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from exchange.errors import PictureTooLarge, PictureUnreadable
from exchange.pictures.drawing import LARGE, MINIATURE, MINIATURE_BYTES, SMALL, SMALL_BYTES, drawn
from tests.photos import BLUE, PHOTO, RED, photo, taken_at_home

SAID_OF_NOBODY = {  # what JPEG and WebP say of themselves
    "jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression", "loop", "background",
    "timestamp", "duration",
}  # fmt: skip


def seen(data: bytes) -> Image.Image:
    found = Image.open(BytesIO(data))
    assert found.format == "JPEG"
    return found.convert("RGB")


def is_near(seen: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(seen, tuple)
    return all(abs(a - b) < 40 for a, b in zip(seen, wanted, strict=True))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"),
     ("PNG", "LA"), ("PNG", "I;16"), ("WEBP", "RGB"), ("WEBP", "RGBA")],
)  # fmt: skip
def test_a_picture_of_each_kind_is_drawn_again(kind: str, mode: str) -> None:
    picture = drawn(photo(kind=kind, mode=mode))
    assert (picture.width, picture.height) == (64, 48)
    assert seen(picture.large).size == seen(picture.small).size == (64, 48)


def test_what_it_shows_stays_what_it_shows() -> None:
    large = seen(drawn(photo(kind="PNG")).large)
    assert is_near(large.getpixel((30, 5)), RED)
    assert is_near(large.getpixel((30, 43)), BLUE)


def test_transparent_is_white() -> None:
    out = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    assert is_near(seen(drawn(out.getvalue()).large).getpixel((10, 10)), (255, 255, 255))


def test_a_telephone_held_sideways_is_put_upright() -> None:
    picture = drawn(taken_at_home(orientation=6))
    assert (picture.width, picture.height) == (48, 64)
    assert is_near(seen(picture.large).getpixel((43, 30)), RED)


def test_where_and_when_it_was_taken_is_kept_nowhere() -> None:
    before = taken_at_home()
    assert b"Marque du telephone" in before
    assert b"chez Denise" in before
    picture = drawn(before)
    for data in (picture.large, picture.small, picture.miniature):
        found = Image.open(BytesIO(data))
        assert not found.getexif()
        assert set(found.info) <= SAID_OF_NOBODY
        assert b"Marque" not in data
        assert b"Denise" not in data


@pytest.mark.parametrize(
    "hidden", [b"<script>alert(1)</script>", b"PK\x03\x04 salle.zip", b"%PDF-1.7", b"<?php system(1); ?>"]
)
def test_what_hides_behind_or_inside_a_picture_is_left_behind(hidden: bytes) -> None:
    for file in (PHOTO + hidden, photo(comment=hidden), photo(kind="PNG") + hidden):
        assert hidden in file
        picture = drawn(file)
        assert hidden not in picture.large + picture.small + picture.miniature


@pytest.mark.parametrize(
    "file",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"%PDF-1.7", PHOTO[:200], PHOTO[40:],
     b"RIFF\x10\x00\x00\x00WEBPVP8 ", b"\x00\x00\x00\x18ftypheic", photo(kind="GIF"), photo(kind="BMP"),
     photo(kind="TIFF")],
)  # fmt: skip
def test_what_is_no_picture_of_ours_is_refused_by_its_name(file: bytes) -> None:
    with pytest.raises(PictureUnreadable):
        drawn(file)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says that it has so many points."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\x00" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(5_000, 5_000), (30_000, 3_000), (1, 30_000_000)])
def test_a_bomb_is_not_opened(width: int, height: int) -> None:
    with pytest.raises(PictureTooLarge) as refused:
        drawn(bomb(width, height))
    assert refused.value.facts == {"megapixels": width * height // 1_000_000}


def test_beyond_what_a_camera_makes_it_is_too_large_as_well() -> None:
    with pytest.raises(PictureTooLarge) as refused:
        drawn(bomb(60_000, 60_000))
    assert refused.value.facts == {"megapixels": 3600}


def test_a_large_photograph_is_made_as_small_as_a_page_wants_it() -> None:
    chance = random.Random(1)
    noise = Image.frombytes("RGB", (1000, 750), chance.randbytes(1000 * 750 * 3)).resize((4000, 3000))
    out = BytesIO()
    noise.save(out, "JPEG", quality=90)
    picture = drawn(out.getvalue())
    assert (picture.width, picture.height) == (LARGE, 1200)
    assert seen(picture.small).size == (SMALL, 360)
    assert len(picture.small) < 30_000
    plain = drawn(photo(3000, 2000))
    assert len(plain.small) <= SMALL_BYTES


@pytest.mark.parametrize("size", [(3000, 2000), (48, 64), (6000, 2), (1, 1)])
def test_a_miniature_has_the_size_of_all_others_and_weighs_little(size: tuple[int, int]) -> None:
    made = drawn(photo(*size)).miniature
    found = Image.open(BytesIO(made))
    assert (found.format, found.size) == ("WEBP", MINIATURE)
    assert len(made) <= MINIATURE_BYTES


def test_even_noise_is_small_in_miniature() -> None:
    noise = Image.frombytes("RGB", (800, 600), random.Random(1).randbytes(800 * 600 * 3))
    out = BytesIO()
    noise.save(out, "PNG")
    assert len(drawn(out.getvalue()).miniature) <= 6_000, "what the database takes"


def test_a_strip_stays_a_picture() -> None:
    assert seen(drawn(photo(6000, 2)).small).size == (SMALL, 1)


@given(st.integers(0, len(PHOTO) - 1), st.binary(min_size=1, max_size=6), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_a_damaged_file_is_drawn_or_refused_by_its_name(place: int, by: bytes, kind: str) -> None:
    whole = photo(kind=kind)
    at = place % len(whole)
    try:
        picture = drawn(whole[:at] + by + whole[at + len(by) :])
    except (PictureUnreadable, PictureTooLarge):
        return
    assert seen(picture.small).size <= (SMALL, SMALL)
