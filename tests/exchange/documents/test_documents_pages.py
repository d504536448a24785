"""On a telephone: Bruno gives the club's certificate, Olga opens it, refuses or accepts it; nobody else reads it."""

from __future__ import annotations

import html
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from exchange.bookings import filing
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from exchange.bookings.models import Booking
from exchange.catalogue.models import Resource
from exchange.documents import operations, queries
from exchange.documents.commands import erase
from exchange.documents.queries import KindView
from exchange.members.operations import create_access_token
from exchange.outbox import Letter
from tests.cast import NOON, SATURDAY, Cast, committed, sign_in
from tests.databases import Database, as_owner
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.ledger.racing import Track
from tests.lent import Lent
from tests.papers import CERTIFICATE, SVG, locked
from tests.photos import taken_at_home

NAME = "../../etc/\u202egpj.attestation.pdf"


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def kind(session: Session, cast: Cast, lent: Lent) -> KindView:
    """Olga wants to look at the certificates."""
    operations.write(session, operations.Wording("Attestation d’assurance", verified=True), lender=cast.town.id,
                     by=cast.olga.by, at=NOON)  # fmt: skip
    return queries.kinds_of(session, cast.town.id)[0]


@pytest.fixture
def asked(session: Session, cast: Cast, lent: Lent, kind: KindView) -> Booking:
    return bookings.ask(session, wanting(cast.club.id, lent.half), zone="Europe/Paris", by=cast.delegate, at=NOON)


@pytest.fixture
def bruno(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    return sign_in(app.test_client(), cast.bruno)


@pytest.fixture
def olga(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    return sign_in(app.test_client(), cast.olga)


def words(page: str) -> str:
    said = html.unescape(" ".join(re.sub("<[^>]*>", " ", page.partition("<main")[2].partition("</main>")[0]).split()))
    return said.replace("\u00a0", " ").replace("\u202f", " ")


def form(cast: Cast, kind: KindView, *files: bytes, of: Booking | None = None, **changed: str) -> dict[str, object]:
    return {"key": "k", "valid_until": "2027-06-30", "booking": of.token if of else "",
            "files": [(BytesIO(data), NAME) for data in files], **changed}  # fmt: skip


def at(cast: Cast, kind: KindView) -> str:
    return f"/mes-documents/{cast.club.token}/{kind.token}"


def desk(cast: Cast, asked: Booking, kind: KindView) -> str:
    return f"/preteurs/{cast.town.token}/reservations/{asked.token}/documents/{kind.token}"


def given(session: Session, cast: Cast) -> queries.DocumentView:
    return queries.of_parties(session, [cast.club.id])[0]


def test_a_photograph_is_given_opened_and_accepted(
    bruno: FlaskClient, olga: FlaskClient, session: Session, cast: Cast, kind: KindView, asked: Booking
) -> None:
    page = words(bruno.get(f"/reservations/{asked.token}").text)
    assert "Valable au moins jusqu’au samedi 28 novembre 2026" in page
    assert "décide dans l’ordre où les dossiers sont complets" in page
    assert "Il manque : Attestation d’assurance" in words(olga.get(f"/preteurs/{cast.town.token}/demandes").text)
    done = bruno.post(at(cast, kind), data=form(cast, kind, taken_at_home(), of=asked))
    assert (done.status_code, done.location) == (303, f"/reservations/{asked.token}")
    assert bruno.post(at(cast, kind), data=form(cast, kind, taken_at_home(), of=asked)).location == done.location
    assert len(queries.of_parties(session, [cast.club.id])) == 1  # the second sending found the first
    assert "Ville de Saint-Marron doit encore vérifier" in words(bruno.get(f"/reservations/{asked.token}").text)
    assert "Vérifiez d’abord" in words(olga.get(f"/preteurs/{cast.town.token}/reservations/{asked.token}").text)
    assert "À vérifier" in words(olga.get(f"/preteurs/{cast.town.token}/documents").text)
    for reader in (bruno, olga):
        file = reader.get(f"/documents/{given(session, cast).token}")
        assert file.data.startswith(b"%PDF-")
        assert file.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert file.headers["Cache-Control"] == "private, no-store"
        assert file.headers["Content-Disposition"] == "attachment; filename=Attestation_dassurance.pdf"
        assert b"GPS" not in file.data
    done = olga.post(f"{desk(cast, asked, kind)}/verification", data={"document": given(session, cast).token})
    assert done.status_code == 303
    page = words(olga.get(f"/preteurs/{cast.town.token}/demandes").text)
    assert "Dossier complet depuis le samedi 21 novembre" in page
    olga.post(f"/preteurs/{cast.town.token}/reservations/{asked.token}/acceptation")
    assert booked.view(session, asked.id, at=NOON).state == "accepted"


def test_an_acceptance_that_comes_too_early_says_what_lacks(
    olga: FlaskClient, cast: Cast, kind: KindView, asked: Booking
) -> None:
    refused = olga.post(f"/preteurs/{cast.town.token}/reservations/{asked.token}/acceptation")
    assert refused.status_code == 409
    assert "Il manque : Attestation d’assurance." in words(refused.text)


def test_a_refusal_says_why_and_another_may_be_given(
    bruno: FlaskClient, olga: FlaskClient, session: Session, cast: Cast, kind: KindView, asked: Booking
) -> None:
    bruno.post(at(cast, kind), data=form(cast, kind, CERTIFICATE))
    token = given(session, cast).token
    silent = olga.post(f"{desk(cast, asked, kind)}/refus", data={"document": token, "reason": " "})
    assert (silent.status_code, "Dites pourquoi" in words(silent.text)) == (422, True)
    assert token in silent.text
    olga.post(f"{desk(cast, asked, kind)}/refus", data={"document": token, "reason": "On ne lit pas la date"})
    letter = session.query(Letter).filter_by(recipient="bruno@example.org").one()
    assert "On ne lit pas la date" in letter.body
    assert asked.token in letter.body
    for page in ("/mes-documents", f"/reservations/{asked.token}", f"{at(cast, kind)}?pour={asked.token}"):
        assert "On ne lit pas la date" in words(bruno.get(page).text), page
    late = olga.post(f"{desk(cast, asked, kind)}/verification", data={"document": token})
    assert late.status_code == 409
    bruno.post(at(cast, kind), data=form(cast, kind, CERTIFICATE, key="k2"))
    assert "Le prêteur doit le vérifier" in words(bruno.get("/mes-documents").text)


def test_what_was_read_is_what_is_verified(
    bruno: FlaskClient, olga: FlaskClient, session: Session, cast: Cast, kind: KindView, asked: Booking
) -> None:
    bruno.post(at(cast, kind), data=form(cast, kind, CERTIFICATE))
    read = given(session, cast).token
    bruno.post(at(cast, kind), data=form(cast, kind, CERTIFICATE, key="k2"))
    assert olga.post(f"{desk(cast, asked, kind)}/verification", data={"document": read}).status_code == 409


def test_paper_is_noted_with_its_date(
    olga: FlaskClient, session: Session, cast: Cast, kind: KindView, asked: Booking
) -> None:
    undated = olga.post(f"{desk(cast, asked, kind)}/papier", data={"key": "k"})
    assert (undated.status_code, "jusqu’à quand" in words(undated.text)) == (422, True)
    olga.post(f"{desk(cast, asked, kind)}/papier", data={"key": "k", "valid_until": "2026-11-28"})
    assert "Vu sur papier" in words(olga.get(desk(cast, asked, kind)).text)
    assert queries.ready(session, asked.id)


@pytest.mark.parametrize(
    ("files", "until", "said"),
    [
        ((), "2027-06-30", "prenez une photo du document"),
        ((SVG,), "2027-06-30", "n’est pas un document que l’on sache lire"),
        ((locked(),), "2027-06-30", "protégé par un mot de passe"),
        ((CERTIFICATE, CERTIFICATE), "2027-06-30", "Donnez un seul PDF"),
        ((CERTIFICATE,), "", "jusqu’à quand ce document est valable"),
        ((CERTIFICATE,), "2026-11-20", "Cette date est passée"),
        ((CERTIFICATE,), "bientôt", "Écrivez une date qui existe"),
    ],
)
def test_what_can_t_be_taken_is_said_and_the_date_stays(
    bruno: FlaskClient, session: Session, cast: Cast, kind: KindView, files: tuple[bytes, ...], until: str, said: str
) -> None:
    refused = bruno.post(at(cast, kind), data=form(cast, kind, *files, valid_until=until))
    assert refused.status_code == 422
    assert said in words(refused.text)
    if until.startswith("20"):
        assert f'value="{until}"' in refused.text
    assert queries.of_parties(session, [cast.club.id]) == []


def test_a_file_that_is_too_heavy_is_said_beside_its_field(
    bruno: FlaskClient, cast: Cast, kind: KindView
) -> None:
    file = FileStorage(BytesIO(CERTIFICATE + b"0" * (10 << 20)), filename="a.pdf")
    boundary, body = encode_multipart({"key": "k", "valid_until": "2027-06-30", "files": file})
    refused = bruno.post(at(cast, kind), data=body, content_type=f"multipart/form-data; boundary={boundary}")
    assert (refused.status_code, "trop lourd" in words(refused.text)) == (422, True)


def test_nobody_else_reads_it_nor_gives_in_another_s_name(
    app: Flask, bruno: FlaskClient, olga: FlaskClient, session: Session, cast: Cast, kind: KindView
) -> None:
    bruno.post(at(cast, kind), data=form(cast, kind, CERTIFICATE))
    file = f"/documents/{given(session, cast).token}"
    assert olga.get(file).status_code == 404  # nothing asks for it yet
    for somebody in (cast.alice, cast.fanny, cast.tibo, cast.aicha, cast.zoe):
        client = sign_in(app.test_client(), somebody)
        assert client.get(file).status_code == 404
        assert client.get(at(cast, kind)).status_code == 404
        assert client.post(at(cast, kind), data=form(cast, kind, CERTIFICATE)).status_code == 404
    assert app.test_client().get(file).status_code == 303


def test_a_lender_of_something_else_doesn_t_read_what_another_asks_for(
    bruno: FlaskClient, app: Flask, session: Session, cast: Cast, kind: KindView, asked: Booking
) -> None:
    alice = sign_in(app.test_client(), cast.alice)
    bruno.post(at(cast, kind), data=form(cast, kind, CERTIFICATE))
    assert alice.get(desk(cast, asked, kind)).status_code == 403
    other = f"/preteurs/{cast.town.token}/reservations/{asked.token}/documents/nobody"
    assert sign_in(app.test_client(), cast.olga).get(other).status_code == 404


def test_an_empty_page_suggests_and_one_click_asks(olga: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    page = f"/preteurs/{cast.town.token}/documents"
    assert "Demander : Attestation d’assurance" in words(olga.get(page).text)
    for _twice in range(2):
        olga.post(f"{page}/suggestions", data={"which": "insurance"})
    olga.post(f"{page}/suggestions", data={"which": "nonsense"})
    [kind] = queries.kinds_of(session, cast.town.id)
    assert (kind.name, kind.expires, kind.classes) == ("Attestation d’assurance", True, [])
    said = {"key": "k", "name": "Statuts", "classes": ["local-association", "nobody"], "categories": ["Salle"],
            "resources": [lent.drill.token, "nothing"], "asked": "y"}  # fmt: skip
    assert olga.post(f"{page}/nouveau", data=said).status_code == 303
    kept = queries.kinds_of(session, cast.town.id)[1]
    assert (kept.classes, kept.categories, kept.resources) == (["local-association"], ["Salle"], {lent.drill.id})
    stale = olga.post(f"{page}/{kept.token}", data=said | {"key": "k2", "version": "7"})
    assert stale.status_code == 409


def test_what_nobody_decides_is_had_with_the_last_document(
    bruno: FlaskClient, session: Session, cast: Cast, lent: Lent, kind: KindView
) -> None:
    operations.write(session, operations.Wording("Attestation d’assurance"), lender=cast.town.id, after=kind,
                     by=cast.olga.by, at=NOON)  # fmt: skip
    with as_owner(session):
        session.get_one(Resource, lent.half.id).decided_by = "nobody"
        session.flush()
    wanted = {"key": "k", "party": cast.club.token, "day": "2026-11-28", "starts": "14:00", "ends": "18:00",
              "purpose": "Gala"}  # fmt: skip
    check = words(bruno.post(f"/salles/{lent.half.token}/verification", data=wanted).text)
    assert "Attestation d’assurance : à donner ensuite" in check
    assert "C’est réservé dès que les documents sont donnés." in check
    asked = bruno.post(f"/salles/{lent.half.token}/reservations", data=wanted).location
    assert asked is not None
    assert "Dès que tout est donné, c’est réservé." in words(bruno.get(asked).text)
    token = asked.rpartition("/")[2]
    bruno.post(at(cast, kind), data=form(cast, kind, CERTIFICATE, booking=token, key="k2"))
    assert booked.within(session, token, [cast.club.id], at=NOON).state == "accepted"  # type: ignore[union-attr]
    assert "accepte votre demande" in session.query(Letter).filter_by(recipient="bruno@example.org").one().body
    again = words(bruno.post(f"/salles/{lent.half.token}/verification", data=wanted | {"day": "2026-12-05"}).text)
    assert "déjà donné, valable jusqu’au mercredi 30 juin 2027" in again


def test_the_worker_writes_what_lacks_and_what_ends(
    app: Flask, session: Session, cast: Cast, kind: KindView, asked: Booking
) -> None:
    soon = NEXT_WEEK - timedelta(days=1)
    with app.test_request_context(), freeze_time(soon):
        assert filing.remind_incomplete(session, at=soon) == 1
        assert filing.remind_incomplete(session, at=soon) == 0
        operations.give(session, kind, operations.cleaned([CERTIFICATE]), party=cast.club.id,
                        valid_until=date(2026, 12, 15), today=SATURDAY, by=cast.delegate, at=soon)  # fmt: skip
        assert filing.remind_expiring(session, at=soon) == 1
        assert filing.remind_expiring(session, at=soon) == 0
    lacking, ending = session.query(Letter).order_by(Letter.id)
    assert "- Attestation d’assurance" in lacking.body
    assert "mardi 15 décembre 2026" in ending.body
    assert kind.token in ending.body


def test_a_program_gives_and_reads_back_a_pdf(
    app: Flask, session: Session, cast: Cast, kind: KindView, asked: Booking
) -> None:
    assert cast.bruno.sign_in is not None
    _made, secret = create_access_token(session, sign_in=cast.bruno.sign_in.id, name="x", days=1, at=NOON)
    client, headers = app.test_client(), {"Authorization": f"Bearer {secret}", "Idempotency-Key": "d1"}
    body = {"party": cast.club.token, "kind": kind.token, "valid_until": "2027-06-30"}
    for files, rule in ((["*"], "wrong-fields"), ([b64encode(SVG).decode()], "document-unreadable")):
        refused = client.post("/api/v1/documents", json=body | {"files": files}, headers=headers)
        assert (refused.status_code, refused.json["type"]) == (422, f"/api/v1/problems#{rule}")
    large = ["A" * (10 << 20)]
    assert client.post("/api/v1/documents", json=body | {"files": large}, headers=headers).status_code == 413
    made = client.post("/api/v1/documents", json=body | {"files": [b64encode(CERTIFICATE).decode()]}, headers=headers)
    assert made.status_code == 201
    read = client.get(made.location, headers=headers).json
    assert b64decode(read["file"]).startswith(b"%PDF-")
    file = client.get(f"/api/v1/bookings/{asked.token}/documents", headers=headers).json
    assert [(each["state"], each["needed_until"]) for each in file["items"]] == [("unverified", "2026-11-28")]


def test_files_are_erased_with_the_person(database: Database) -> None:
    app = database.app()
    cast = committed(app, at=NOON)
    with app.app_context(), Track(database) as track:
        with track.make() as session:
            operations.write(session, operations.Wording("Attestation"), lender=cast.town.id, by=cast.olga.by, at=NOON)
            [kind] = queries.kinds_of(session, cast.town.id)
            operations.give(session, kind, operations.cleaned([CERTIFICATE]), party=cast.alice.party.id,
                            valid_until=date(2027, 6, 30), today=SATURDAY, by=cast.alice.by, at=NOON)  # fmt: skip
            session.commit()
        for name, gone in (("Chloé", 0), ("Alice", 1), ("alice", 0)):
            done = CliRunner().invoke(erase, [name])
            assert (done.exit_code, done.output) == (0, f"{gone} documents effacés.\n")
