"""Olga prints labels, and sticks them on what the town lends."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from exchange import paper
from exchange.labels.policy import MOST, SHEETS, Label, Sheet, repeated
from tests.cast import Cast, sign_in
from tests.lent import Lent

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'
USUAL = {"what": "materiel", "sheet": "21", "copies": 1, "first": 1}


@pytest.fixture
def olga(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.olga)


@pytest.fixture
def at(cast: Cast, lent: Lent) -> str:
    return f"/preteurs/{cast.town.token}/etiquettes"


def printed(client: FlaskClient, at: str, **said: object) -> PdfReader:
    answer = client.get(f"{at}/planche", query_string={**USUAL, **said})
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), answer.text
    return PdfReader(BytesIO(answer.data))


def words(told: PdfReader, page: int = 0) -> str:
    return " ".join(told.pages[page].extract_text().split())


def test_each_thing_has_its_label(olga: FlaskClient, at: str, cast: Cast) -> None:
    page = words(printed(olga, at))
    assert "Perceuse" in page
    assert "Chaises pliantes" in page
    assert "Salle des fêtes" not in page
    assert page.count(cast.town.name) == 2
    assert "À scanner pour réserver" in page


def test_the_document_is_read_by_screen_readers_too(olga: FlaskClient, at: str) -> None:
    told = printed(olga, at)
    root = told.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "fr"
    assert told.metadata is not None
    assert told.metadata.title == "Étiquettes\u00a0: Ville de Saint-Marron"


def test_rooms_only_everything_or_the_one_label_that_came_off(olga: FlaskClient, at: str, lent: Lent) -> None:
    def names(what: str) -> set[str]:
        text = words(printed(olga, at, what=what))
        return {name for name in ("Perceuse", "Chaises pliantes", "Salle des fêtes", "Demi-salle sud") if name in text}

    assert names("salles") == {"Salle des fêtes", "Demi-salle sud"}
    assert names("tout") == {"Perceuse", "Chaises pliantes", "Salle des fêtes", "Demi-salle sud"}
    assert names(lent.drill.token) == {"Perceuse"}


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_sheet_holds_its_labels_and_the_next_one_the_rest(olga: FlaskClient, at: str, sheet: str, lent: Lent) -> None:
    full = SHEETS[sheet].labels
    whole, more = (printed(olga, at, what=lent.drill.token, sheet=sheet, copies=n) for n in (full, full + 1))
    assert (len(whole.pages), len(more.pages)) == (1, 2)
    assert more.pages[1].extract_text().count("Perceuse") == 1
    begun = printed(olga, at, what=lent.drill.token, sheet=sheet, copies=full, first=2)
    assert [page.extract_text().count("Perceuse") for page in begun.pages] == [full - 1, 1]


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_the_labels_are_within_the_paper(sheet: Sheet) -> None:
    assert sheet.left + sheet.columns * sheet.width + (sheet.columns - 1) * sheet.between <= 210
    assert sheet.top + sheet.rows * sheet.height <= 297


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"first": 22}, "Cette planche a 21 étiquettes."),
        ({"first": 0}, "Cette planche a 21 étiquettes."),
        ({"first": "x"}, "nombre"),
        ({"copies": 0}, "entre 1 et 100"),
        ({"copies": 101}, "entre 1 et 100"),
        ({"sheet": "999"}, "Choi"),
        ({"what": "nothing-of-ours"}, "Choi"),
        ({"what": ""}, "Choi"),
    ],
)
def test_what_cannot_be_printed_is_said(olga: FlaskClient, at: str, said: dict[str, object], sentence: str) -> None:
    answer = olga.get(f"{at}/planche", query_string={**USUAL, **said})
    assert answer.status_code == 422
    assert sentence in answer.text


def test_another_s_office_prints_nothing_and_another_s_things_are_not_there(
    app: Flask, olga: FlaskClient, at: str, cast: Cast, lent: Lent
) -> None:
    assert olga.get(f"{at}/planche", query_string={**USUAL, "what": lent.dojo.token}).status_code == 422
    for somebody in (cast.alice, cast.aicha):
        client = sign_in(app.test_client(), somebody)
        assert client.get(at).status_code == 403
        assert client.get(f"{at}/planche").status_code == 403


def test_the_page_of_a_thing_leads_to_its_label(olga: FlaskClient, at: str, cast: Cast, lent: Lent) -> None:
    page = olga.get(at, query_string={"quoi": lent.drill.token}).text
    assert f'<option selected value="{lent.drill.token}">Perceuse</option>' in page


@settings(max_examples=20)
@given(st.text(max_size=120), st.text(max_size=60))
def test_whatever_it_is_called_a_label_is_printed(name: str, number: str) -> None:
    label = {"name": name, "number": number, "lender": "#let x = 1", "hint": "*", "alt": "a", "qr": SQUARE}
    made = paper.pdf("labels/sheet", {"title": name or "x", "lang": "fr", "skip": 0, "labels": [label],
                                      "sheet": SHEETS["21"]._asdict()})  # fmt: skip
    assert len(PdfReader(BytesIO(made)).pages) == 1


def test_a_document_ends_somewhere() -> None:
    label = Label("Chaise", "", "Ville", "https://localhost/salles/x")
    assert len(repeated([label] * 10, 100)) == MOST
