"""At the counter, the pages of somebody's account speak of them by their name: "you" would be who serves."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from exchange.adverts import operations as adverts
from exchange.declarations import operations
from tests.cast import NOON, SATURDAY, Cast, Person, sign_in
from tests.exchange.declarations.test_declarations_operations import said

YOU = re.compile(r"\b(?:vous|votre|vos|je|j’ai|mon|ma|mes)\b", re.IGNORECASE)


@pytest.fixture
def fanny(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.fanny)


def words(page: str) -> str:
    """What the page itself says, without its frame."""
    return " ".join(re.sub("<[^>]*>", " ", page.partition("<main")[2].partition("</main>")[0]).split())


def of(person: Person, end: str = "") -> str:
    assert person.account is not None
    return f"/comptes/{person.account.token}{end}"


def helped(session: Session, giver: Person, receiver: Person, by: Person) -> operations.Declaration:
    return operations.declare(session, said(giver, receiver, 90), answer_days=30, today=SATURDAY, by=by.by, at=NOON)


def test_a_statement_names_whose_it_is(fanny: FlaskClient, session: Session, cast: Cast) -> None:
    helped(session, cast.denise, cast.alice, by=cast.alice)
    helped(session, cast.alice, cast.bruno, by=cast.bruno)
    seen = words(fanny.get(of(cast.alice)).text)
    for sentence in ("Compte d’Alice", "Solde d’Alice", "Denise a aidé Alice", "Alice a aidé Bruno"):
        assert sentence in seen
    assert re.search("Alice peut encore recevoir .* avant la limite", seen)
    assert YOU.findall(seen) == []


def test_what_waits_at_the_counter_says_whose_answer_is_expected(
    fanny: FlaskClient, session: Session, cast: Cast
) -> None:
    waits = helped(session, cast.alice, cast.denise, by=cast.alice)
    assert "À Denise de répondre" in words(fanny.get(of(cast.denise)).text)
    assert "Réponse attendue" in words(fanny.get(of(cast.alice)).text)
    page = words(fanny.get(f"/declarations/{waits.token}").text)
    assert "Non, Denise ne reconnaît pas cet échange" in page


def test_an_empty_account_says_whose_exchanges_will_be_there(fanny: FlaskClient, cast: Cast) -> None:
    seen = words(fanny.get(of(cast.alice)).text)
    assert "Les échanges d’Alice seront écrits ici." in seen
    assert YOU.findall(seen) == []


def test_the_counter_is_not_offered_the_whole_statement_that_is_the_member_s_alone(
    fanny: FlaskClient, session: Session, cast: Cast
) -> None:
    helped(session, cast.alice, cast.fanny, by=cast.fanny)
    assert "releve.csv" not in fanny.get(of(cast.alice)).text
    assert "releve.csv" in fanny.get(of(cast.fanny)).text


def test_an_exchange_an_advert_and_a_profile_are_asked_about_by_name(
    fanny: FlaskClient, session: Session, cast: Cast
) -> None:
    adverts.add_category(session, community=cast.community.id, name="Jardin")
    asked = {
        of(cast.alice, "/echanges/nouveau"): ["Alice a aidé", "Alice a reçu de l’aide", "Compte d’Alice"],
        of(cast.alice, "/annonces/nouvelle"): ["Annonce d’Alice", "Alice propose", "Alice cherche"],
        f"/membres/{cast.denise.party.token}/modifier": ["Téléphone de Denise", "Denise choisit, ligne par ligne"],
    }
    for address, sentences in asked.items():
        seen = words(fanny.get(address).text)
        assert [sentence for sentence in sentences if sentence not in seen] == []
        assert YOU.findall(seen) == []


def test_an_advert_published_at_the_counter_is_said_to_be_of_who_is_served(
    fanny: FlaskClient, session: Session, cast: Cast
) -> None:
    adverts.add_category(session, community=cast.community.id, name="Jardin")
    advert = {"key": "k", "kind": "offer", "nature": "service", "category": "Jardin", "title": "Taille", "text": ""}
    done = fanny.post(of(cast.alice, "/annonces/nouvelle"), data=advert)
    assert "C’est publié au nom d’Alice." in words(fanny.get(done.location).text)
    assert "Annonce d’Alice" in words(fanny.get(done.location + "/modifier").text)


def test_one_s_own_account_still_says_you(fanny: FlaskClient, session: Session, cast: Cast) -> None:
    helped(session, cast.alice, cast.fanny, by=cast.fanny)
    seen = words(fanny.get(of(cast.fanny)).text)
    assert "Votre solde" in seen
    assert "Alice vous a aidé" in seen
    assert "J’ai aidé" in words(fanny.get(of(cast.fanny, "/echanges/nouveau")).text)
