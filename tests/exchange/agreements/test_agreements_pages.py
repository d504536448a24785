"""Olga writes the town's template, makes an agreement and accepts it; Alice reads it, accepts it, prints it."""

from __future__ import annotations

import html
import re
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import tasks
from exchange.agreements import operations, queries
from exchange.agreements.operations import Wording
from exchange.outbox import Letter
from tests.cast import NOON, Cast, sign_in
from tests.databases import as_owner
from tests.exchange.agreements.conftest import TEXT, Borrow, accepted, made
from tests.lent import Lent


@pytest.fixture
def olga(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    return sign_in(app.test_client(), cast.olga)


@pytest.fixture
def alice(app: Flask, session: Session, cast: Cast) -> FlaskClient:
    return sign_in(app.test_client(), cast.alice)


def words(page: str) -> str:
    return html.unescape(" ".join(re.sub("<[^>]*>", " ", page.partition("<main")[2].partition("</main>")[0]).split()))


def template_form(**changed: str) -> dict[str, str]:
    return {"key": "une-cle", "title": "Convention", "text": TEXT, "covers": "all", "first": "lender", **changed}


def test_from_the_template_to_both_signatures(
    olga: FlaskClient, alice: FlaskClient, session: Session, cast: Cast, borrow: Borrow
) -> None:
    loan, desk = borrow(), f"/preteurs/{cast.town.token}"
    assert "Pas de modèle pour ce prêt" in olga.get(f"{desk}/reservations/{loan.booking.token}/convention").text
    assert olga.post(f"{desk}/conventions/nouveau", data=template_form()).status_code == 303
    page = words(olga.get(f"{desk}/reservations/{loan.booking.token}/convention").text)
    assert "Entre Ville de Saint-Marron et Alice, pour Fête" in page
    answer = olga.post(f"{desk}/reservations/{loan.booking.token}/convention",
                       data={"key": "k", "insurance": "MAIF 12"})  # fmt: skip
    assert answer.status_code == 303
    shown = html.unescape(olga.get(answer.location).text)
    assert "Moi, Olga, pour «\u00a0Ville de Saint-Marron\u00a0», j’ai lu la convention C-2026-0001" in shown
    assert "MAIF 12" in shown
    digest = queries.of_lender(session, cast.town.id)[0].digest.hex()
    assert digest in shown
    assert "J’accepte cette convention" not in alice.get(answer.location).text
    for client in (olga, alice):
        refused = client.post(f"{answer.location}/acceptation", data={"digest": digest})
        assert refused.status_code == 422
        assert "Cochez la case quand vous avez lu la convention" in refused.text
        assert client.post(f"{answer.location}/acceptation", data={"digest": digest, "read": "y"}).status_code == 303
    page = words(alice.get(answer.location).text)
    assert "Acceptée par les deux" in page
    assert "Moi, Alice, j’ai lu la convention C-2026-0001 et je l’accepte." in page
    letters = [(each.recipient, each.subject) for each in session.query(Letter).order_by(Letter.id)
               if "onvention" in each.subject]  # fmt: skip
    assert letters == [
        ("olga@example.org", "Une convention à lire et à accepter\u00a0: C-2026-0001"),
        ("alice@example.org", "Une convention à lire et à accepter\u00a0: C-2026-0001"),
        ("olga@example.org", "Convention acceptée par les deux\u00a0: C-2026-0001"),
        ("alice@example.org", "Convention acceptée par les deux\u00a0: C-2026-0001"),
    ]


def test_the_pages_of_the_loan_lead_to_its_agreement(
    olga: FlaskClient, alice: FlaskClient, session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    loan = borrow()
    asked = f"/preteurs/{cast.town.token}/reservations/{loan.booking.token}"
    assert f"{asked}/convention" in olga.get(asked).text
    assert "Voir la convention" not in alice.get(f"/reservations/{loan.booking.token}").text
    agreement = accepted(session, cast, made(session, cast, loan), "lender")
    page = alice.get(f"/reservations/{loan.booking.token}").text
    assert "Une convention attend votre accord" in page
    assert f"/conventions/{agreement.token}" in page
    assert "Convention pas encore acceptée par les deux" in olga.get(asked).text


def test_out_of_turn_and_twice_are_said_in_words(
    olga: FlaskClient, alice: FlaskClient, session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    agreement = made(session, cast, borrow())
    says = {"digest": agreement.digest.hex(), "read": "y"}
    answer = alice.post(f"/conventions/{agreement.token}/acceptation", data=says)
    assert answer.status_code == 409
    assert "Le prêteur accepte d’abord." in html.unescape(answer.text)
    assert olga.post(f"/conventions/{agreement.token}/acceptation", data=says).status_code == 303
    again = olga.post(f"/conventions/{agreement.token}/acceptation", data=says)
    assert again.status_code == 409
    other = alice.post(f"/conventions/{agreement.token}/acceptation", data={**says, "digest": "zz"})
    assert other.status_code == 409
    assert "empreinte" in other.text


def test_nobody_else_reads_it(
    app: Flask, session: Session, cast: Cast, lent: Lent, borrow: Borrow, template: str
) -> None:
    agreement, loan = made(session, cast, borrow()), "/preteurs/{}/reservations/{}/convention"
    booking = session.execute(text("SELECT token FROM bookings")).scalar_one()
    for somebody in (cast.bruno, cast.chloe, cast.fanny, cast.tibo, cast.aicha, cast.zoe):
        client = sign_in(app.test_client(), somebody)
        for page in ("", "/papier"):
            assert client.get(f"/conventions/{agreement.token}{page}").status_code == 404
        assert client.post(f"/conventions/{agreement.token}/acceptation", data={"read": "y"}).status_code == 404
        assert client.get(loan.format(cast.town.token, booking)).status_code == 403
    assert app.test_client().get(f"/conventions/{agreement.token}").status_code == 303


def test_an_unknown_field_is_said_beside_the_text_which_is_kept(olga: FlaskClient, cast: Cast, lent: Lent) -> None:
    answer = olga.post(f"/preteurs/{cast.town.token}/conventions/nouveau",
                       data=template_form(text="Bonjour\n\nPour {demandeuse}"))  # fmt: skip
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    assert "Ligne 3\u00a0: «\u00a0{demandeuse}\u00a0» n’est pas un champ" in page
    assert "Pour {demandeuse}" in page
    assert "{representant}" in page


def test_a_preview_writes_nothing(
    olga: FlaskClient, session: Session, cast: Cast, lent: Lent, borrow: Borrow
) -> None:
    loan = borrow()
    at = f"/preteurs/{cast.town.token}/conventions/nouveau"
    named = olga.post(at, data=template_form(preview="1", booking=loan.booking.token))
    assert "Entre Ville de Saint-Marron et Alice, pour Fête" in words(named.text)
    unnamed = olga.post(at, data=template_form(preview="1", booking="nobody"))
    assert "Entre [le nom du prêteur]" in words(unnamed.text)
    assert queries.templates(session, cast.town.id) == []


def test_two_officers_who_write_at_once_lose_nothing(
    olga: FlaskClient, session: Session, cast: Cast, lent: Lent, template: str
) -> None:
    at = f"/preteurs/{cast.town.token}/conventions/{template}"
    assert olga.post(at, data=template_form(version="1", title="Une")).status_code == 303
    late = olga.post(at, data=template_form(version="1", title="Deux", key="autre"))
    assert late.status_code == 409
    assert 'value="Deux"' in late.text
    assert queries.templates(session, cast.town.id)[0].title == "Une"


def test_a_template_that_is_huge_is_refused(olga: FlaskClient, cast: Cast, lent: Lent) -> None:
    answer = olga.post(f"/preteurs/{cast.town.token}/conventions/nouveau", data=template_form(text="a " * 20_000))
    assert answer.status_code == 422
    assert "caractères au plus" in answer.text


def test_the_office_notes_a_signature_on_paper(
    olga: FlaskClient, session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    loan = borrow()
    agreement = accepted(session, cast, made(session, cast, loan), "lender")
    at = f"/preteurs/{cast.town.token}/reservations/{loan.booking.token}/convention"
    late = olga.post(f"{at}/papier", data={"name": "Alice", "signed_on": "2026-12-01"})
    assert late.status_code == 422
    assert "Ce jour n’est pas encore venu." in html.unescape(late.text)
    assert olga.post(f"{at}/papier", data={"name": "Alice", "signed_on": "2026-11-20"}).status_code == 303
    page = words(olga.get(f"/conventions/{agreement.token}").text)
    assert "sur papier le vendredi 20 novembre 2026, noté par Olga" in page


def test_the_worker_makes_what_is_automatic(session: Session, cast: Cast, borrow: Borrow) -> None:
    operations.write_template(session, Wording("Convention", TEXT, automatic=True), lender=cast.town.id,
                              by=cast.olga.by, at=NOON)  # fmt: skip
    loans = [borrow(days=day) for day in range(2)]
    tasks.make_agreements(0)
    assert [queries.of_booking(session, loan.booking.id) is not None for loan in loans] == [True, True]
    tasks.make_agreements(0)
    assert len(queries.of_lender(session, cast.town.id)) == 2


def printed(client: FlaskClient, token: str) -> str:
    answer = client.get(f"/conventions/{token}/papier")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    told = PdfReader(BytesIO(answer.data))
    return " ".join(" ".join(page.extract_text() for page in told.pages).split())


def test_the_paper_says_the_text_who_accepted_and_the_digest(
    alice: FlaskClient, session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    agreement = accepted(session, cast, accepted(session, cast, made(session, cast, borrow()), "lender"), "borrower")
    page = printed(alice, agreement.token)
    assert "Convention C-2026-0001" in page
    assert "Moi, Alice." in page
    assert agreement.digest.hex() in page.replace(" ", "")
    made(session, cast, borrow(days=1))


def test_the_paper_of_one_that_is_replaced_says_so(
    alice: FlaskClient, session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    loan = borrow()
    first = made(session, cast, loan)
    made(session, cast, loan, again=True)
    assert "elle ne vaut plus" in printed(alice, first.token)
    assert "Voir celle qui la remplace" in alice.get(f"/conventions/{first.token}").text


def test_what_is_erased_still_has_its_page_and_its_paper(
    alice: FlaskClient, session: Session, cast: Cast, borrow: Borrow, template: str
) -> None:
    agreement = accepted(session, cast, made(session, cast, borrow()), "lender")
    with as_owner(session):
        operations.erase(session, cast.alice.party.id)
    page = words(alice.get(f"/conventions/{agreement.token}").text)
    assert "Le texte de cette convention a été effacé" in page
    assert agreement.digest.hex() in page
    assert "a été effacé" in printed(alice, agreement.token)


@pytest.mark.parametrize("purpose", ['#panic("x") {numero}', "# Titre", "$x$ \\ <script>alert(1)</script>"])
def test_a_purpose_that_is_markup_is_only_words(
    alice: FlaskClient, session: Session, cast: Cast, borrow: Borrow, template: str, purpose: str
) -> None:
    agreement = made(session, cast, borrow(purpose=purpose))
    assert purpose.replace(" ", "") in printed(alice, agreement.token).replace(" ", "")
    page = alice.get(f"/conventions/{agreement.token}").text
    assert html.escape(purpose, quote=False) in page.replace("&#34;", '"')
    assert "<script>alert" not in page
