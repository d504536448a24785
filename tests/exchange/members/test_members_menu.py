"""The menu: what everybody comes for, the rest under a word that opens; and people called by their name."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from exchange.members import operations as members
from exchange.members import queries
from ledger.store import writing
from tests.cast import NOON, Cast, Person, sign_in


def menu(browser: FlaskClient, page: str = "/moi") -> list[str]:
    """The words of the menu, in order."""
    text = browser.get(page).text
    navigation = text.partition('<div class="menu"')[2].partition("</nav>")[0].partition('menu-account"')[0]
    return [unescape(found).strip() for found in re.findall(r"<(?:a|summary)\b[^>]*>\s*([^<]+)", navigation)]


def leads_to(browser: FlaskClient, label: str, page: str = "/moi") -> str:
    """Where a word of the menu leads."""
    found = re.search(rf'<a href="([^"]*)"[^>]*>\s*{label}\s*</a>', browser.get(page).text)
    assert found is not None, label
    return unescape(found[1])


def as_(app: Flask, person: Person) -> FlaskClient:
    return sign_in(app.test_client(), person)


EVERYBODY = ["Annonces", "Salles", "Plus", "Messages", "Mes réservations", "Mes documents", "Membres", "Structures"]


def test_a_member_finds_first_what_they_come_for(app: Flask, session: Session, cast: Cast) -> None:
    assert menu(as_(app, cast.alice)) == ["Accueil", "Mon compte", "Déclarer un échange", *EVERYBODY]


def test_the_account_is_one_press_away(app: Flask, session: Session, cast: Cast) -> None:
    assert cast.alice.account is not None
    alice, mine = as_(app, cast.alice), f"/comptes/{cast.alice.account.token}"
    assert leads_to(alice, "Mon compte") == mine
    assert leads_to(alice, "Déclarer un échange") == f"{mine}/echanges/nouveau"
    assert f'<a href="{mine}" aria-current="page">Mon compte</a>' in alice.get(mine).text


@pytest.mark.parametrize(
    ("name", "offices"),
    [
        ("fanny", ["Comptoir"]), ("tibo", ["Les comptes"]), ("aicha", ["Demandes d’adhésion", "Les comptes"]),
        ("olga", ["Demandes de réservation", "Ce que nous prêtons", "Bilans"]),
    ],
)  # fmt: skip
def test_what_an_office_does_is_under_one_word(
    app: Flask, session: Session, cast: Cast, name: str, offices: list[str]
) -> None:
    words = menu(as_(app, getattr(cast, name)))
    assert words[words.index("Gestion") :] == ["Gestion", *offices]


def test_who_has_no_account_is_not_sent_to_one(app: Flask, session: Session, cast: Cast) -> None:
    zoe = as_(app, cast.zoe)
    assert menu(zoe) == ["Accueil", *EVERYBODY]
    for page in ("/comptes", "/echanges/nouveau"):
        assert "Vous n’avez pas encore de compte" in zoe.get(page).text


def test_who_has_one_account_goes_straight_to_it(app: Flask, session: Session, cast: Cast) -> None:
    assert cast.alice.account is not None
    alice = as_(app, cast.alice)
    assert alice.get("/comptes").location == f"/comptes/{cast.alice.account.token}"
    assert alice.get("/echanges/nouveau").location == f"/comptes/{cast.alice.account.token}/echanges/nouveau"


def test_who_acts_for_an_association_too_chooses_the_account(app: Flask, session: Session, cast: Cast) -> None:
    bruno = as_(app, cast.bruno)
    assert menu(bruno)[:3] == ["Accueil", "Mes comptes", "Déclarer un échange"]
    for page in (leads_to(bruno, "Mes comptes"), leads_to(bruno, "Déclarer un échange")):
        shown = bruno.get(page).text
        assert shown.index(">Bruno<") < shown.index(">Club de gymnastique<")


def test_who_only_acts_for_a_town_has_its_account(app: Flask, session: Session, cast: Cast) -> None:
    assert cast.olga.sign_in is not None
    members.grant(session, sign_in=cast.olga.sign_in.id, party=cast.town.id, role="delegate", starts_on=NOON.date(),
                  granted_by=None, at=NOON)  # fmt: skip
    assert menu(as_(app, cast.olga))[1:3] == ["Notre compte", "Déclarer un échange"]


def test_a_closed_account_is_in_nobodys_menu(app: Flask, session: Session, cast: Cast) -> None:
    assert cast.alice.account is not None
    writing.close_account(session, cast.alice.account.id, community=cast.community.id, reason="Déménage",
                          by=cast.system, at=NOON)  # fmt: skip
    assert "Mon compte" not in menu(as_(app, cast.alice))


def test_a_visitor_has_four_doors(client: FlaskClient) -> None:
    assert menu(client, "/") == ["Accueil", "Salles", "Structures", "Rejoindre"]


def test_people_are_called_by_their_name(app: Flask, session: Session, cast: Cast) -> None:
    cast.alice.party.name = "Alice Le Goff"
    page = as_(app, cast.alice).get("/").text
    assert "Vous êtes</span> Alice Le Goff<" in page
    assert cast.olga.sign_in is not None
    assert cast.alice.sign_in is not None
    ids = [cast.alice.sign_in.id, cast.olga.sign_in.id, None]
    assert set(queries.sign_in_names(session, ids).values()) == {"Alice Le Goff", "Olga"}


def test_who_acts_for_no_person_is_called_by_their_user_name(app: Flask, session: Session, cast: Cast) -> None:
    office = members.add_sign_in(session, user_name="accueil.mairie", email=None, at=NOON)
    members.grant(session, sign_in=office.id, party=cast.town.id, role="officer", starts_on=NOON.date(),
                  granted_by=None, at=NOON)  # fmt: skip
    assert queries.signers(session, [office.id]) == {office.id: queries.Signer("accueil.mairie", "accueil.mairie")}


def test_a_mandate_that_ended_still_names_who_wrote(session: Session, cast: Cast) -> None:
    maud = members.add_party(session, kind="person", name="Maud", at=NOON)
    hers = members.add_sign_in(session, user_name="maud", email=None, at=NOON)
    members.grant(session, sign_in=hers.id, party=maud.id, role="member", starts_on=date(2026, 1, 1),
                     ends_on=date(2026, 2, 1), granted_by=None, at=NOON)  # fmt: skip
    assert queries.sign_in_names(session, [hers.id]) == {hers.id: "Maud"}


def test_a_language_that_is_not_offered_is_not_found(client: FlaskClient) -> None:
    assert client.get("/langue/tlh").status_code == 404
    assert client.get("/langue/br").status_code == 404
    assert client.get("/langue/en?retour=/salles").location == "/salles"
