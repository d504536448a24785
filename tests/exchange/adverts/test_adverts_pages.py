"""Publishing, editing, closing; who reads, and who doesn't."""

from __future__ import annotations

from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.adverts import operations, queries
from exchange.adverts.models import Advert, Category
from exchange.errors import AdvertClosed, CategoryExists
from ledger.store import reading
from tests.cast import NOON, Cast, sign_in
from tests.counting import counted
from tests.exchange.adverts.conftest import Say

HAIES = {"kind": "offer", "nature": "service", "category": "Jardin", "title": "Taille de haies", "text": "Le samedi.",
         "key": "a-key"}  # fmt: skip


def new(cast: Cast, who: str = "alice") -> str:
    account = getattr(cast, who).account
    return f"/comptes/{account.token}/annonces/nouvelle"


def adverts(session: Session) -> list[Advert]:
    return list(session.scalars(select(Advert).order_by(Advert.id)))


def test_alice_publishes_an_offer_that_bruno_reads(
    client: FlaskClient, app: Flask, session: Session, cast: Cast, garden: Category, sel: str
) -> None:
    answer = sign_in(client, cast.alice).post(new(cast), data=HAIES)
    assert answer.status_code == 303
    bruno = sign_in(app.test_client(), cast.bruno)
    assert "Taille de haies" in bruno.get(f"/communautes/{sel}/annonces?q=haie").text
    assert "Alice propose" in bruno.get(answer.location).text
    assert bruno.get("/annonces").location == f"/communautes/{sel}/annonces"


def test_a_double_click_publishes_once(client: FlaskClient, session: Session, cast: Cast, garden: Category) -> None:
    sign_in(client, cast.alice)
    first, second = (client.post(new(cast), data=HAIES).location for _ in range(2))
    assert first == second
    assert len(adverts(session)) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"title": ""}, {"title": "ab"}, {"title": "x" * 121}, {"title": " a "}, {"text": "x" * 4001}, {"category": ""},
     {"category": "Ailleurs"}, {"kind": "gift"}, {"kind": ""}, {"nature": "money"}, {"key": ""}],
)  # fmt: skip
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    client: FlaskClient, session: Session, cast: Cast, garden: Category, wrong: dict[str, str]
) -> None:
    page = sign_in(client, cast.alice).post(new(cast), data=HAIES | wrong)
    assert page.status_code == 422
    assert "Il y a un problème" in page.text
    assert "Le samedi." in page.text or "text" in wrong
    assert adverts(session) == []


def test_strangers_find_nothing_and_visitors_sign_in_first(
    client: FlaskClient, app: Flask, cast: Cast, say: Say, sel: str
) -> None:
    advert = say(cast.alice, "Taille de haies")
    for address in (f"/annonces/{advert.token}", f"/communautes/{sel}/annonces"):
        assert client.get(address).location.startswith("/connexion?next=")
        assert sign_in(app.test_client(), cast.zoe).get(address).status_code == 404
        assert sign_in(app.test_client(), cast.olga).get(address).status_code == 404


def test_nobody_publishes_edits_or_closes_for_another(
    app: Flask, session: Session, cast: Cast, say: Say, sel: str
) -> None:
    advert = say(cast.alice, "Taille de haies")
    for person in (cast.bruno, cast.aicha, cast.tibo, cast.zoe):
        browser = sign_in(app.test_client(), person)
        assert browser.post(new(cast), data=HAIES).status_code == 404
        assert browser.post(f"/annonces/{advert.token}/modifier", data=HAIES).status_code == 404
        assert browser.post(f"/annonces/{advert.token}/cloture").status_code == 404
    session.refresh(advert)
    assert (advert.title, advert.text, advert.closed_at) == ("Taille de haies", "", None)


def test_the_author_edits_and_closes(client: FlaskClient, session: Session, cast: Cast, say: Say, sel: str) -> None:
    advert = say(cast.alice, "Taille de haies")
    sign_in(client, cast.alice)
    assert client.post(f"/annonces/{advert.token}/modifier", data=HAIES | {"kind": "want"}).status_code == 303
    session.refresh(advert)
    assert (advert.kind, advert.text) == ("want", "Le samedi.")
    for _ in range(2):
        assert client.post(f"/annonces/{advert.token}/cloture").location == f"/communautes/{sel}/annonces"
    assert "Taille de haies" not in client.get(f"/communautes/{sel}/annonces?q=haies").text.partition("Rien")[2]
    assert "plus d’actualité" in unescape(client.get(f"/annonces/{advert.token}").text)
    with pytest.raises(AdvertClosed):
        operations.edit(session, advert, operations.Content("offer", "service", advert.category_id, "Encore"),
                        by=cast.alice.by, at=NOON)  # fmt: skip


def test_the_counter_publishes_for_denise_and_it_is_said(
    client: FlaskClient, app: Flask, session: Session, cast: Cast, garden: Category
) -> None:
    assert cast.fanny.sign_in is not None
    location = sign_in(client, cast.fanny).post(new(cast, "denise"), data=HAIES).location
    (advert,) = adverts(session)
    assert (advert.by_sign_in, advert.by_party) == (cast.fanny.sign_in.id, cast.denise.party.id)
    page = unescape(sign_in(app.test_client(), cast.bruno).get(location).text)
    assert "Saisie au comptoir par Fanny" in page
    assert "Denise n’utilise pas internet" in page
    assert "/messages" not in page.partition("<main")[2]
    client.post(f"/annonces/{advert.token}/cloture")
    change = queries.last_change(session, advert.id)
    assert change is not None
    assert (change.kind, change.by_sign_in) == ("closed", cast.fanny.sign_in.id)


def test_the_delegate_publishes_for_the_club(
    client: FlaskClient, session: Session, cast: Cast, garden: Category
) -> None:
    account = reading.account_of(session, cast.community.id, cast.club.id)
    assert account is not None
    sign_in(client, cast.bruno).post(f"/comptes/{account.token}/annonces/nouvelle", data=HAIES)
    assert [advert.party_id for advert in adverts(session)] == [cast.club.id]


def test_an_administrator_adds_categories_and_nobody_else(
    app: Flask, session: Session, cast: Cast, garden: Category, sel: str
) -> None:
    address = f"/administration/{sel}/categories"
    aicha = sign_in(app.test_client(), cast.aicha)
    assert aicha.post(address, data={"name": "Bricolage", "key": "1"}).status_code == 303
    assert aicha.post(address, data={"name": "bricolagé", "key": "2"}).status_code == 422
    for person in (cast.alice, cast.fanny, cast.tibo):
        assert sign_in(app.test_client(), person).post(address, data={"name": "Autre", "key": "3"}).status_code == 403
    assert [one.name for one in queries.categories(session, cast.community.id)] == ["Bricolage", "Jardin"]
    with pytest.raises(CategoryExists):
        operations.add_category(session, community=cast.community.id, name="JARDIN")


def test_without_a_category_the_page_says_who_adds_one(client: FlaskClient, cast: Cast) -> None:
    page = sign_in(client, cast.alice).get(new(cast))
    assert "Un administrateur doit d’abord créer" in unescape(page.text)


def test_no_page_asks_the_database_more_with_more_rows(
    client: FlaskClient, session: Session, cast: Cast, say: Say, sel: str
) -> None:
    sign_in(client, cast.bruno)

    def cost(address: str) -> int:
        with counted() as made:
            assert client.get(address).status_code == 200
        return len(made)

    advert = say(cast.alice, "Aide au jardin")
    thread = operations.write_about(session, advert, "Bonjour", by=cast.bruno.by, at=NOON)
    pages = ["/", "/messages", f"/messages/{thread.token}", f"/annonces/{advert.token}", f"/communautes/{sel}/annonces",
             f"/communautes/{sel}/annonces?q=jardins+fleuris", f"/communautes/{sel}/membres", "/structures", "/moi",
             f"/membres/{cast.alice.party.token}", f"/structures/{cast.club.token}"]  # fmt: skip
    few = {page: cost(page) for page in pages}
    for number in range(30):
        more = say(cast.chloe if number % 2 else cast.alice, f"Aide {number} au jardin")
        operations.write_about(session, more, "Bonjour", by=cast.bruno.by, at=NOON)
    many = {page: cost(page) for page in pages}
    assert {page: (few[page], many[page]) for page in pages if many[page] > few[page] or many[page] > 12} == {}
