"""Olga shows what the town lends; everybody sees it once it is published."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.errors import NotFound, PicturesFull
from exchange.pictures import operations, queries
from exchange.pictures.models import Picture
from tests.cast import NOON, Cast, sign_in
from tests.lent import Lent
from tests.photos import PHOTO, photo, taken_at_home

SCENE = "La scène, rideau ouvert"


@pytest.fixture
def olga(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.olga)


@pytest.fixture
def at(cast: Cast, lent: Lent) -> str:
    return f"/preteurs/{cast.town.token}/ressources/{lent.hall.token}/photos"


def picture(session: Session, cast: Cast, lent: Lent, data: bytes = PHOTO, words: str = SCENE) -> Picture:
    return operations.add(
        session, lent.hall.id, lender=cast.town.id, data=data, words=words, by=cast.olga.by, at=NOON
    )


def sent(data: bytes = PHOTO, words: str = SCENE, key: str = "a-key", name: str = "salle.jpg") -> dict[str, object]:
    return {"file": (BytesIO(data), name), "words": words, "key": key}


def test_olga_adds_a_picture_and_a_visitor_sees_it_with_its_words(
    app: Flask, olga: FlaskClient, at: str, lent: Lent, session: Session
) -> None:
    answer = olga.post(at, data=sent(taken_at_home()), follow_redirects=True)
    assert "La photo est ajoutée." in answer.text
    (kept,) = queries.of_resource(session, lent.hall.id)
    visitor = app.test_client()
    page = visitor.get(f"/salles/{lent.hall.token}").text
    assert f'src="/photos/{kept.token}/petite" alt="{SCENE}" width="64" height="48"' in page
    for scale in ("petite", "grande"):
        image = visitor.get(f"/photos/{kept.token}/{scale}")
        assert (image.status_code, image.mimetype) == (200, "image/jpeg")
        assert Image.open(BytesIO(image.data)).size == (64, 48)
        assert image.headers["Cache-Control"] == "public, max-age=86400, immutable"
        assert image.headers["X-Content-Type-Options"] == "nosniff"


def test_lists_show_the_first_picture_of_what_has_one(
    app: Flask, cast: Cast, lent: Lent, session: Session
) -> None:
    first, _second = picture(session, cast, lent), picture(session, cast, lent)
    visitor = app.test_client()
    for path in ("/", "/salles"):
        page = visitor.get(path).text
        assert re.findall(r"/photos/([^/]+)/vignette", page) == [first.token], path
    image = visitor.get(f"/photos/{first.token}/vignette")
    assert (image.status_code, image.mimetype) == (200, "image/webp")
    assert Image.open(BytesIO(image.data)).format == "WEBP"
    assert visitor.get(f"/photos/{first.token}/enorme").status_code == 404


def test_a_file_beyond_ten_megabytes_is_refused_beside_its_field_and_the_words_are_kept(
    olga: FlaskClient, at: str, session: Session, lent: Lent
) -> None:
    def post(size: int) -> TestResponse:
        file = FileStorage(BytesIO(PHOTO + b"0" * size), filename="salle.jpg")
        boundary, body = encode_multipart(sent() | {"file": file})
        return olga.post(at, data=body, content_type=f"multipart/form-data; boundary={boundary}")

    for size in (10 * 1024 * 1024 + 1, 20 * 1024 * 1024):
        answer = post(size)
        assert answer.status_code == 422
        assert "10\u00a0Mo au plus. Réduisez-la" in answer.text
        assert f'value="{SCENE}"' in answer.text
    assert queries.of_resource(session, lent.hall.id) == []
    assert post(41 * 1024 * 1024).status_code == 413


def test_what_is_not_published_is_shown_to_its_office_alone(
    app: Flask, olga: FlaskClient, cast: Cast, lent: Lent, session: Session
) -> None:
    kept = picture(session, cast, lent)
    row = resources.row_of(session, cast.town.id, lent.hall.token)
    assert row is not None
    catalogue.withdraw(session, row, by=cast.olga.by, at=NOON)
    mine = olga.get(f"/photos/{kept.token}/petite")
    assert (mine.status_code, mine.headers["Cache-Control"]) == (200, "private, no-store")
    assert sign_in(app.test_client(), cast.alice).get(f"/photos/{kept.token}/petite").status_code == 404
    assert app.test_client().get(f"/photos/{kept.token}/petite").status_code == 404


def test_no_other_scale_and_no_other_picture(client: FlaskClient, cast: Cast, lent: Lent, session: Session) -> None:
    kept = picture(session, cast, lent)
    assert client.get(f"/photos/{kept.token}/originale").status_code == 404
    assert client.get("/photos/nobody-has-this-one/petite").status_code == 404


@pytest.mark.parametrize(
    ("data", "words", "sentence"),
    [
        (b"<svg/>", SCENE, "Ce fichier n’est pas une photo que l’on sache lire."),
        (PHOTO[:90], SCENE, "Donnez une photo au format JPEG, PNG ou WebP."),
        (PHOTO, "  ", "Dites en quelques mots ce qu’on y voit."),
        (PHOTO, "x" * 201, "200"),
    ],
)
def test_a_picture_that_cannot_be_taken_is_said_beside_its_field(
    olga: FlaskClient, at: str, lent: Lent, session: Session, data: bytes, words: str, sentence: str
) -> None:
    answer = olga.post(at, data=sent(data, words))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert words.strip()[:200] in answer.text
    assert queries.of_resource(session, lent.hall.id) == []


def test_no_file_is_said_too(olga: FlaskClient, at: str) -> None:
    for form in ({"words": SCENE, "key": "k"}, {"words": SCENE, "key": "k", "file": "salle.jpg"}):
        answer = olga.post(at, data=form)
        assert answer.status_code == 422
        assert "Choisissez une photo sur votre appareil." in answer.text


def test_two_clicks_add_one_picture(olga: FlaskClient, at: str, lent: Lent, session: Session) -> None:
    for _click in range(2):
        assert olga.post(at, data=sent()).status_code == 303
    assert len(queries.of_resource(session, lent.hall.id)) == 1


def test_six_are_the_most_and_the_place_of_one_that_went_is_taken_again(
    olga: FlaskClient, at: str, cast: Cast, lent: Lent, session: Session
) -> None:
    kept = [picture(session, cast, lent, words=f"vue {n}") for n in range(6)]
    with pytest.raises(PicturesFull):
        picture(session, cast, lent)
    assert "Il y en a six" in olga.get(at).text
    assert olga.post(at, data=sent()).status_code == 422
    assert olga.post(f"{at}/{kept[2].token}/retrait").status_code == 303
    picture(session, cast, lent, words="vue 7")
    assert [each.words for each in queries.of_resource(session, lent.hall.id)] == [
        "vue 0", "vue 1", "vue 7", "vue 3", "vue 4", "vue 5",
    ]  # fmt: skip


def test_a_picture_that_is_removed_is_gone_and_it_is_written_who_did_it(
    olga: FlaskClient, at: str, cast: Cast, lent: Lent, session: Session
) -> None:
    token = picture(session, cast, lent).token
    assert "La photo est supprimée." in olga.post(f"{at}/{token}/retrait", follow_redirects=True).text
    assert olga.get(f"/photos/{token}/petite").status_code == 404
    assert olga.post(f"{at}/{token}/retrait").status_code == 404
    told = re.findall(r"Photo (?:ajoutée|supprimée)", olga.get(at.removesuffix("/photos")).text)
    assert told == ["Photo supprimée", "Photo ajoutée"]


def test_nobody_shows_what_another_lends(app: Flask, at: str, cast: Cast, lent: Lent, session: Session) -> None:
    kept = picture(session, cast, lent)
    for somebody in (cast.alice, cast.bruno, cast.aicha):
        client = sign_in(app.test_client(), somebody)
        assert client.get(at).status_code == 403
        assert client.post(at, data=sent()).status_code == 403
        assert client.post(f"{at}/{kept.token}/retrait").status_code == 403
    for lender in (cast.club.id, 0):
        with pytest.raises(NotFound):
            operations.add(session, lent.hall.id, lender=lender, data=PHOTO, words="x", by=cast.bruno.by, at=NOON)
        with pytest.raises(NotFound):
            operations.remove(session, kept.token, lent.hall.id, lender=lender, by=cast.bruno.by, at=NOON)


def test_a_picture_of_one_resource_is_not_removed_through_another(
    olga: FlaskClient, at: str, cast: Cast, lent: Lent, session: Session
) -> None:
    kept = picture(session, cast, lent, data=photo(kind="PNG"))
    other = at.replace(lent.hall.token, lent.half.token)
    assert olga.post(f"{other}/{kept.token}/retrait").status_code == 404
    assert len(queries.of_resource(session, lent.hall.id)) == 1
