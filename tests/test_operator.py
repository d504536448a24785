"""Who runs the service, and what is kept about people: said on every page's foot, true of the code."""

from __future__ import annotations

from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.databases import TERRITORY

SAID = {
    "OPERATOR": "Le SEL des Écluses", "OPERATOR_ADDRESS": "1 quai Haut, 35600 Redon", "PUBLISHER": "Aïcha Le Bris",
    "HOSTING": "Hébergeur de l’Ouest, Rennes", "CONTACT": "bonjour@sel.example",
}  # fmt: skip


@pytest.mark.parametrize("page", ["/", "/salles", "/connexion", "/nulle-part", "/confidentialite"])
def test_every_foot_leads_to_both_pages(client: FlaskClient, page: str) -> None:
    foot = client.get(page).text.partition("<footer")[2]
    assert 'href="/mentions-legales"' in foot
    assert 'href="/confidentialite"' in foot


def test_the_legal_notice_says_what_the_installer_set(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SAID.items():
        monkeypatch.setitem(app.config, name, value)
    page = unescape(client.get("/mentions-legales").text)
    assert [value for value in SAID.values() if value not in page] == []
    assert "pas encore indiqué" not in page
    for other in ("/confidentialite", "/accessibilite"):
        assert SAID["OPERATOR"] in unescape(client.get(other).text)
        assert "mailto:bonjour@sel.example" in client.get(other).text


def test_what_the_installer_left_out_is_said_too(client: FlaskClient) -> None:
    page = unescape(client.get("/mentions-legales").text)
    assert f"L’organisme qui exploite ce service à {TERRITORY}" in page
    assert page.count("pas encore indiqué par l’exploitant") == 3
    assert "marronnier@example.org" in page


# table -> the words under which /confidentialite speaks of it; who adds a table about people adds its words
SPOKEN_OF = {
    "sign_ins": "Votre identifiant", "open_sessions": "Vos connexions", "access_tokens": "Les clés d’accès",
    "profiles": "Votre profil", "profile_edits": "Votre profil", "parties": "Votre nom",
    "applications": "Votre demande d’adhésion", "application_decisions": "Votre demande d’adhésion",
    "adverts": "Vos annonces et vos messages", "advert_changes": "Vos annonces et vos messages",
    "threads": "Vos annonces et vos messages", "messages": "Vos annonces et vos messages",
    "declarations": "Vos échanges et vos comptes", "declaration_answers": "Vos échanges et vos comptes",
    "bookings": "Vos réservations", "outbox": "Les lettres", "imports": "Les fichiers déposés",
    "import_lines": "Les fichiers déposés", "rates": "Les essais aux portes", "mandates": "Qui a fait quoi",
    "kept_answers": "Qui a fait quoi", "circuit_speakers": "Qui a fait quoi", "feeds": "Vos agendas à suivre",
}  # fmt: skip
CITES_PEOPLE = """
    SELECT DISTINCT table_name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name IN ('sign_in_id', 'email', 'recipient', 'phone', 'password')
"""


def test_every_table_about_people_is_spoken_of(client: FlaskClient, session: Session) -> None:
    page = unescape(client.get("/confidentialite").text)
    assert [table for table, words in SPOKEN_OF.items() if words not in page] == []
    assert set(session.scalars(text(CITES_PEOPLE))) - SPOKEN_OF.keys() == set()
