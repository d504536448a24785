"""The pages, sheets and papers of reports, as an officer, an association and a stranger meet them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from exchange.members import operations as members
from exchange.members.queries import parties
from exchange.reports import valuing
from tests.cast import NOON, Cast, sign_in
from tests.counting import counted
from tests.databases import as_owner
from tests.exchange.reports.conftest import ZONE, Had, on
from tests.exchange.reports.test_reports_loans import Vote
from tests.lent import Lent


@pytest.fixture(autouse=True)
def _december() -> Iterator[None]:
    with freeze_time(NOON + timedelta(days=30)):
        yield


@pytest.fixture
def olga(app: Flask, session: Session, cast: Cast, lent: Lent) -> FlaskClient:
    return sign_in(app.test_client(), cast.olga)


@pytest.fixture
def at(cast: Cast) -> str:
    return f"/preteurs/{cast.town.token}/bilan"


def rows(answer: TestResponse) -> list[list[str]]:
    """A sheet as another program reads it."""
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))


def words(answer: TestResponse) -> str:
    """What a paper says."""
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages).split())


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_the_page_says_what_the_year_is_worth(
    olga: FlaskClient, at: str, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1250, resource=lent.hall)
    token = had(cast.club.id, lent.hall, starts=on("2026-03-07"), people=60, came=48)
    had(cast.alice.party.id, lent.drill, starts=on("2026-03-09"), then="returned")
    page = plain(olga.get(at).text)
    assert "50,00 €" in page
    assert "12,50 € par heure" in page
    assert "sans valeur votée" in page
    assert "Alice" not in page
    assert f"/reservations/{token}" in page
    assert "Aucun prêt cette année-là" in olga.get(f"{at}?annee=2024").text
    assert "Prêts de l’année 2026" in olga.get(f"{at}?annee=tout").text


def test_the_sheet_read_by_another_program_says_the_same(
    olga: FlaskClient, at: str, session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    with as_owner(session):
        session.execute(text("UPDATE parties SET name = '=HYPERLINK(\"x\")' WHERE id = :id"), {"id": cast.club.id})
    voted(1250, "half-day")
    for number, then in enumerate(("returned", "no-show", "returned")):
        had(cast.club.id, lent.drill, starts=on(f"2026-03-{7 + 2 * number:02d}"), then=then, people=3)
    had(cast.club.id, (lent.chairs, 4), starts=on("2026-10-24", 22), hours=6, then="returned")
    head, *told = rows(olga.get(f"{at}.csv?annee=2026"))
    read = [dict(zip(head, row, strict=True)) for row in told]
    town = parties(session, [cast.town.id])[cast.town.id]
    year = valuing.of_lender(session, town, 2026, zone=ZONE, at=NOON + timedelta(days=30))
    assert sum(round(100 * float(each["Valeur en euros"].replace(",", ".") or 0)) for each in read) == year.total.cents
    assert sum(int(each["Minutes de prêt"]) for each in read if each["Quoi"]) == year.total.minutes
    assert [each["Remarque"] for each in read] == ["", "personne n’est venu", "", ""]
    assert read[-1]["Début"] == "2026-10-24T22:00+02:00"
    assert read[-1]["Fin"] == "2026-10-25T03:00+01:00"
    assert {each["Emprunteur"] for each in read} == {"'=HYPERLINK(\"x\")"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in told for cell in row)


def test_the_paper_has_every_figure_of_the_page(
    olga: FlaskClient, at: str, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1250)
    had(cast.club.id, lent.hall, (lent.chairs, 8), starts=on("2026-03-07"), then="returned", people=60)
    had(cast.town.id, lent.hall, starts=on("2026-03-09"))
    answer = olga.get(f"{at}.pdf?annee=2026")
    said = plain(words(answer))
    for each in (cast.town.name, cast.club.name, "Prêts de l’année 2026", "450,00 €", "8 × Chaises pliantes",
                 "12,50 € par heure", "2026-12, 12 déc. 2025", "Pour soi-même"):  # fmt: skip
        assert each in said
    root = PdfReader(BytesIO(answer.data)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "fr"


def test_an_association_reads_its_own_year_and_nobody_elses(
    app: Flask, session: Session, cast: Cast, lent: Lent, had: Had, voted: Vote
) -> None:
    voted(1000)
    had(cast.club.id, lent.hall, starts=on("2026-03-07"))
    had(cast.alice.party.id, lent.half, starts=on("2026-03-08"))
    bruno, alice = sign_in(app.test_client(), cast.bruno), sign_in(app.test_client(), cast.alice)
    its = f"/emprunteurs/{cast.club.token}/bilan"
    assert its in bruno.get(f"/structures/{cast.club.token}").text
    page = plain(bruno.get(its).text)
    assert "40,00 €" in page
    assert "Salle des fêtes" in page
    assert "40,00 €" in plain(words(bruno.get(f"{its}.pdf")))
    assert its not in alice.get(f"/structures/{cast.club.token}").text
    for kind in ("", ".pdf"):
        assert alice.get(its + kind).status_code == 404
        assert alice.get(f"/emprunteurs/{cast.alice.party.token}/bilan{kind}").status_code == 200


def test_the_officer_of_another_lender_is_told_who_can(
    app: Flask, session: Session, cast: Cast, lent: Lent, at: str
) -> None:
    assert cast.chloe.sign_in is not None
    members.grant(session, sign_in=cast.chloe.sign_in.id, party=cast.club.id, role="officer", starts_on=NOON.date(),
                  granted_by=None, at=NOON)  # fmt: skip
    chloe = sign_in(app.test_client(), cast.chloe)
    for page in ("", ".csv", ".pdf", "/usage", "/usage.csv", "/refus", "/refus.csv", "/taux"):
        assert chloe.get(at + page).status_code == 403, page
    assert chloe.get(f"/preteurs/{cast.club.token}/bilan").status_code == 200


def test_a_rate_is_written_once_and_the_next_one_replaces_it(olga: FlaskClient, at: str, session: Session) -> None:
    said = {"key": "une-cle", "on": "category:Salle", "cents": "12,5", "per": "half-day", "starts_on": "2026-01-01",
            "decision": "2025-88", "decided_on": "2025-12-11"}  # fmt: skip
    for _twice in range(2):
        assert olga.post(f"{at}/taux", data=said).status_code == 303
    page = plain(olga.get(f"{at}/taux").text)
    assert page.count("12,50 € par demi-journée") == 1
    assert "2025-88, 11 déc. 2025" in page
    olga.post(f"{at}/taux", data=said | {"key": "autre", "cents": "15", "starts_on": "2026-09-01"})
    page = plain(olga.get(f"{at}/taux").text)
    assert page.count("Remplacé") == 1
    assert page.count("En vigueur") == 1


@pytest.mark.parametrize(
    ("field", "typed"),
    [("cents", "douze"), ("cents", ""), ("decision", ""), ("decided_on", ""), ("starts_on", "31/02/2026"),
     ("per", "year"), ("on", "resource:unknown"), ("on", "category:Mine")],
)  # fmt: skip
def test_a_rate_without_its_decision_or_its_sum_is_refused_beside_its_field(
    field: str, typed: str, olga: FlaskClient, at: str
) -> None:
    said = {"key": "une-cle", "on": "", "cents": "12", "per": "day", "starts_on": "2026-01-01", "decision": "7",
            "decided_on": "2025-12-11"} | {field: typed}  # fmt: skip
    answer = olga.post(f"{at}/taux", data=said)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "Aucun taux" in olga.get(at).text or "Aucun prêt" in olga.get(at).text


@pytest.mark.parametrize(
    "asked",
    ["du=2026-03-02&au=2026-03-01", "du=hier&au=2026-03-01", "du=2026-03-01", "du=2010-01-01&au=2026-01-01",
     "du=1900-01-01&au=1900-01-02"],
)  # fmt: skip
@pytest.mark.parametrize("page", ["/usage", "/usage.csv", "/refus", "/refus.csv"])
def test_a_period_that_is_none_is_said_beside_its_field(page: str, asked: str, olga: FlaskClient, at: str) -> None:
    answer = olga.get(f"{at}{page}?{asked}")
    assert answer.status_code == 422
    assert "Il y a un problème" in answer.text


def test_the_sheet_of_use_says_what_the_page_says(
    olga: FlaskClient, at: str, cast: Cast, lent: Lent, had: Had
) -> None:
    had(cast.club.id, lent.half, starts=on("2026-03-07"), people=50, came=41)
    asked = "du=2026-03-01&au=2026-03-31"
    head, *told = rows(olga.get(f"{at}/usage.csv?{asked}"))
    read = {row[0] or row[2]: dict(zip(head, row, strict=True)) for row in told}
    assert read["Demi-salle sud"] | {"Catégorie": ""} == {
        "Ressource": "Demi-salle sud", "Catégorie": "", "Qui": "", "Minutes prêtées": "240",
        "Minutes ouvertes": str(31 * 1440 - 60), "Minutes ouvertes prises": "240", "Réservations": "1",
        "Personnes attendues": "50", "Personnes venues": "41", "Réservations comptées": "1",
    }  # fmt: skip
    assert read["Les associations d’ici"]["Personnes venues"] == "41"
    page = plain(olga.get(f"{at}/usage?{asked}").text)
    assert "Demi-salle sud" in page
    assert "0,5 %" in page  # 4 hours of 743


@pytest.mark.parametrize("page", ["/usage", "/usage.csv", "/refus", "/refus.csv"])
def test_without_a_period_it_is_this_year(
    page: str, olga: FlaskClient, at: str, cast: Cast, lent: Lent, had: Had
) -> None:
    had(cast.club.id, lent.half, starts=on("2026-03-07"), then="declined")
    had(cast.club.id, lent.half, starts=on("2026-03-09"))
    answer = olga.get(at + page)
    assert answer.status_code == 200
    assert "Demi-salle sud" in answer.text


# -- a thousand loans

MANY = """
    WITH made AS (
        INSERT INTO bookings (token, lender_id, party_id, purpose, people, starts_at, ends_at, zone, minutes,
                              explanation, asked_at, answer_before, by_party)
        SELECT 'many-' || n, :town, CASE WHEN n % 3 = 0 THEN :alice ELSE :club END, 'Fête', 30,
               timestamptz '2026-01-02 09:00+01' + n * interval '7 hours',
               timestamptz '2026-01-02 09:00+01' + n * interval '7 hours' + interval '2 hours',
               'Europe/Paris', 0, '{}', timestamptz '2025-12-20 09:00+01', timestamptz '2025-12-30 09:00+01', :club
          FROM generate_series(0, 999) n RETURNING id, token),
    items AS (
        INSERT INTO booking_items (booking_id, resource_id, quantity, minutes, buffer_minutes)
        SELECT id, :hall, 1, 0, 0 FROM made)
    INSERT INTO booking_decisions (booking_id, verdict, ground, text, decided_at, by_party)
    SELECT id, CASE WHEN id % 5 = 0 THEN 'declined' ELSE 'accepted' END, CASE WHEN id % 5 = 0 THEN 'rule' END, 'Non',
           timestamptz '2025-12-21 09:00+01', :town FROM made
"""


def test_a_thousand_loans_take_no_more_than_twelve_questions(
    olga: FlaskClient, at: str, app: Flask, session: Session, cast: Cast, lent: Lent, voted: Vote
) -> None:
    with as_owner(session):
        session.execute(text(MANY), {"town": cast.town.id, "alice": cast.alice.party.id, "club": cast.club.id,
                                     "hall": lent.hall.id})  # fmt: skip
    voted(1000)
    bruno = sign_in(app.test_client(), cast.bruno)
    period = f"?du={date(2025, 12, 1)}&au={date(2026, 12, 31)}"
    for client, page, said in (
        (olga, at, "16 000,00 €"), (olga, f"{at}.csv", "20,00"), (olga, f"{at}/usage{period}", "1 600 h"),
        (olga, f"{at}/refus{period}", "Une règle votée"), (olga, f"{at}/taux", "10,00 €"),
        (bruno, f"/emprunteurs/{cast.club.token}/bilan", "€"),
    ):  # fmt: skip
        app.extensions.pop("kept", None)
        with counted() as asked:
            answer = client.get(page)
        assert answer.status_code == 200
        assert said in plain(answer.text), page
        assert len(asked) <= 12, "\n".join(asked)
