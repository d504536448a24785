"""What somebody gives as a document becomes a PDF of ours: a PDF is written again, photographs become its pages.

A file says itself what it is, by its first bytes; the name that its sender gave it is never read.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

import pikepdf

from exchange.documents.policy import MOST_PAGES, MOST_PHOTOS
from exchange.errors import (
    DocumentLocked,
    DocumentsMixed,
    DocumentTooLong,
    DocumentUnreadable,
    PictureTooLarge,
    PictureUnreadable,
)
from exchange.pictures.operations import Drawn, drawn

WRITER: Final = str(Path(__file__).with_name("rewriting.py"))
PATIENCE: Final = 30
"""Seconds; a certificate takes half of one."""
MOST_BYTES: Final = 12 * 1024 * 1024
"""Bytes of what is kept: what was given may be packed less well again."""
SHEET: Final = (595, 842)
"""Points of a page of paper, the size at which a photograph of it is shown and printed."""


class Clean(NamedTuple):
    """A PDF without anything that acts, and how many pages it has."""

    data: bytes
    pages: int


def cleaned(files: Sequence[bytes]) -> Clean:
    """One PDF, or the photographs of a paper, as a PDF of ours.

    Raises DocumentUnreadable, DocumentLocked, DocumentTooLong (facts: most), DocumentsMixed for several PDFs or too
    many photographs (facts: most), PictureTooLarge.
    """
    if (len(files) > 1 and any(map(_is_pdf, files))) or len(files) > MOST_PHOTOS:
        raise DocumentsMixed(most=MOST_PHOTOS)
    if not files:
        raise DocumentUnreadable
    made = _rewritten(files[0]) if _is_pdf(files[0]) else _of_photos(files)
    if len(made) > MOST_BYTES:
        raise DocumentUnreadable
    with pikepdf.open(BytesIO(made)) as ours:
        return Clean(made, len(ours.pages))


def _is_pdf(data: bytes) -> bool:
    return data.startswith(b"%PDF-")


def _rewritten(data: bytes) -> bytes:
    """By a process that may take neither much memory nor much time."""
    command = [sys.executable, "-P", WRITER, str(MOST_PAGES)]
    try:
        said = subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE, check=False).stdout
    except subprocess.TimeoutExpired as slow:
        raise DocumentUnreadable from slow
    word, _line, made = said.partition(b"\n")
    if word == b"done":
        return made
    raise {b"locked": DocumentLocked(), b"long": DocumentTooLong(most=MOST_PAGES)}.get(word, DocumentUnreadable())


def _of_photos(files: Sequence[bytes]) -> bytes:
    """Each drawn again, upright, without the place where it was taken, on a page of its own."""
    made = pikepdf.new()
    for data in files:
        try:
            _add_page(made, drawn(data))
        except PictureUnreadable as wrong:
            raise DocumentUnreadable from wrong
        except PictureTooLarge as large:
            large.facts["field"] = "files"
            raise
    out = BytesIO()
    made.save(out, deterministic_id=True)
    return out.getvalue()


def _add_page(made: pikepdf.Pdf, photo: Drawn) -> None:
    wide = photo.width > photo.height
    width, height = (SHEET[1], SHEET[0]) if wide else SHEET
    scale = min(width / photo.width, height / photo.height)
    size = (photo.width * scale, photo.height * scale)
    page = made.add_blank_page(page_size=size)
    picture = pikepdf.Stream(
        made, photo.large, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=photo.width,
        Height=photo.height, ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
    )  # fmt: skip
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Photo=picture))
    page.Contents = pikepdf.Stream(made, f"q {size[0]:.2f} 0 0 {size[1]:.2f} 0 0 cm /Photo Do Q".encode())
