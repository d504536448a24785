"""What people give, as a PDF of ours: of hostile files, what their pages show, or a clear refusal (T21)."""

from __future__ import annotations

import subprocess
import time
from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader

from exchange.documents import policy
from exchange.documents.cleaning import cleaned
from exchange.errors import DocumentLocked, DocumentsMixed, DocumentTooLong, DocumentUnreadable, PictureTooLarge
from exchange.sentences import sentence_of
from ledger.errors import Refused
from tests.papers import (
    CERTIFICATE,
    SVG,
    bomb,
    certificate,
    filled_form,
    locked,
    opened,
    polyglot,
    structural_bomb,
    with_everything_that_acts,
    written,
)
from tests.photos import PHOTO, photo, taken_at_home


def test_a_certificate_still_says_what_it_says() -> None:
    made = cleaned([CERTIFICATE])
    assert made.pages == 1
    assert "Attestation" in PdfReader(BytesIO(made.data)).pages[0].extract_text()


def test_nothing_that_acts_is_kept_nor_a_file_within_nor_a_word_about_its_maker() -> None:
    given = with_everything_that_acts()
    assert b"JavaScript" in given  # what the test is about is there before
    made = cleaned([given])
    with opened(made.data) as ours:
        for word in (b"T21", b"/JavaScript", b"/JS", b"/OpenAction", b"/AA", b"/Launch", b"/EmbeddedFile", b"/XFA",
                     b"/AcroForm", b"/Annots", b"/PieceInfo", b"/Metadata", b"/Author"):  # fmt: skip
            assert word not in written(ours, compress_streams=False, qdf=True), word
        assert ours.Root.keys() == {"/Type", "/Pages"}
        assert not ours.attachments
        assert ours.docinfo == {}
    assert "Attestation" in PdfReader(BytesIO(made.data)).pages[0].extract_text()


def test_what_was_typed_in_a_form_stays_on_its_page() -> None:
    made = cleaned([filled_form()])
    with opened(made.data) as ours:
        assert "/Annots" not in ours.pages[0]
        assert "/XObject" in ours.pages[0].Resources


def test_of_a_polyglot_the_page_alone_is_kept() -> None:
    made = cleaned([polyglot()]).data
    assert made.startswith(b"%PDF-")
    assert b"script" not in made
    assert b"html" not in made


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ([SVG], DocumentUnreadable),
        ([b"<html>%PDF-1.7"], DocumentUnreadable),
        ([b"GIF89a;%PDF-"], DocumentUnreadable),
        ([b"%PDF-1.7\nnothing more"], DocumentUnreadable),
        ([CERTIFICATE[: len(CERTIFICATE) // 3]], DocumentUnreadable),
        ([b"PK\x03\x04 a spreadsheet"], DocumentUnreadable),
        ([b""], DocumentUnreadable),
        ([], DocumentUnreadable),
        ([locked()], DocumentLocked),
        ([written(certificate(pages=31))], DocumentTooLong),
        ([CERTIFICATE, CERTIFICATE], DocumentsMixed),
        ([CERTIFICATE, PHOTO], DocumentsMixed),
        ([PHOTO] * (policy.MOST_PHOTOS + 1), DocumentsMixed),
    ],
)
def test_anything_else_is_refused_in_a_sentence(given: list[bytes], refused: type[Refused]) -> None:
    with pytest.raises(refused) as error:
        cleaned(given)
    assert error.value.facts.get("most") or not error.value.facts


@pytest.mark.parametrize("made", [bomb, structural_bomb])
def test_a_bomb_is_refused_before_it_takes_the_memory(made: object) -> None:
    given = made()  # type: ignore[operator]
    assert len(given) < 5_000_000
    began = time.monotonic()
    with pytest.raises(DocumentUnreadable):
        cleaned([given])
    assert time.monotonic() - began < 25


def test_a_writer_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def stuck(*_args: object, **_how: object) -> None:
        raise subprocess.TimeoutExpired("writer", 30)

    monkeypatch.setattr(subprocess, "run", stuck)
    with pytest.raises(DocumentUnreadable):
        cleaned([CERTIFICATE])


def test_many_pages_in_few_bytes_are_counted_no_further_than_needed() -> None:
    made = certificate()
    for _page in range(2000):
        made.pages.append(made.pages[0])
    with pytest.raises(DocumentTooLong):
        cleaned([written(made)])


def test_photographs_of_a_paper_become_its_pages_upright_and_without_where_they_were_taken() -> None:
    made = cleaned([taken_at_home(orientation=6), photo(800, 600, "PNG")])
    assert made.pages == 2
    for said in (b"Exif", b"GPS", b"Denise", b"telephone"):
        assert said not in made.data
    pages = PdfReader(BytesIO(made.data)).pages
    first = pages[0].images[0].image
    assert first is not None
    assert first.height > first.width  # it was lying on its side
    assert pages[0].mediabox.height > pages[0].mediabox.width
    assert pages[1].mediabox.width > pages[1].mediabox.height


def test_a_picture_of_too_many_points_is_refused_beside_the_file() -> None:
    out = BytesIO()
    Image.new("1", (12_000, 12_000)).save(out, "PNG")
    with pytest.raises(PictureTooLarge) as error:
        cleaned([out.getvalue()])
    assert error.value.facts["field"] == "files"


def test_each_refusal_says_what_to_do(app: object) -> None:
    with app.test_request_context():  # type: ignore[attr-defined]
        for error in (DocumentUnreadable(), DocumentLocked(), DocumentTooLong(most=30), DocumentsMixed(most=8)):
            assert sentence_of(error).what
