"""Somebody joins, is accepted, chooses a password, offers, finds, writes, and declares an exchange in three screens."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from exchange import clock
from exchange.adverts import operations as adverts
from exchange.adverts.models import Category
from exchange.db import db, transaction
from exchange.outbox import Letter
from tests.cast import PASSWORD, Cast, Person, committed
from tests.journeys.conftest import DESKTOP, PHONE, Opened
from tests.live import Live

Check = Callable[..., None]


@pytest.fixture
def cast(live: Live) -> Cast:
    cast = committed(live.app)
    with live.app.app_context(), transaction() as session:
        session.add_all([Category(community_id=cast.community.id, name=name) for name in ("Couture", "Jardin")])
        session.flush()
        garden = session.scalars(select(Category.id).where(Category.name == "Jardin")).one()
        assert cast.bruno.account is not None
        wanted = adverts.Content("want", "service", garden, "Qui m'aide au jardin ?", "Deux heures, un samedi.")
        adverts.publish(session, wanted, account=cast.bruno.account, by=cast.bruno.by, at=clock.now())
    return cast


def sign_in(page: Page, live: Live, person: Person) -> None:
    assert person.sign_in is not None
    page.goto(f"{live.url}/connexion")
    page.get_by_label("Identifiant").fill(person.sign_in.user_name)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    press(page, "Se connecter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bonjour")


def press(page: Page, button: str) -> None:
    page.locator("main").get_by_role("button", name=button, exact=True).click()


def follow(page: Page, link: str) -> None:
    page.locator("main").get_by_role("link", name=link).first.click()


def menu(page: Page, link: str) -> None:
    if page.get_by_role("button", name="Menu", exact=True).is_visible():
        page.get_by_role("button", name="Menu", exact=True).click()
    navigation = page.get_by_role("navigation", name="Navigation principale")
    under = navigation.locator("details:not([open])", has_text=link)
    if under.count():
        under.locator("summary").click()
    navigation.get_by_role("link", name=link).click()


def title(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


def last_letter(live: Live, to: str) -> str:
    with live.app.app_context():
        body = db.session.scalars(
            select(Letter.body).where(Letter.recipient == to).order_by(Letter.id.desc()).limit(1)
        ).one()
    return str(body)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_somebody_joins_and_exchanges(
    size: dict[str, int], live: Live, cast: Cast, opened: Opened, check_page: Check
) -> None:
    lena, aicha, bruno = opened(size), opened(DESKTOP), opened(size)

    lena.goto(live.url)
    check_page(lena, "visitor")
    follow(lena, "Demander à rejoindre")
    press(lena, "Envoyer ma demande")
    title(lena, "Rejoindre")
    expect(lena.get_by_role("alert")).to_contain_text("Écrivez votre nom.")
    check_page(lena, "join refused")
    lena.get_by_label("Votre nom").fill("Léna Le Goff")
    lena.get_by_label("Votre courriel").fill("lena@example.org")
    lena.get_by_label("Un mot pour vous présenter").fill("Je couds, et j'ai un jardin.")
    press(lena, "Envoyer ma demande")
    title(lena, "Merci")
    check_page(lena, "thanked")

    sign_in(aicha, live, cast.aicha)
    check_page(aicha, "home of an administrator")
    follow(aicha, "1 personne demande à rejoindre")
    check_page(aicha, "applications")
    follow(aicha, "Léna Le Goff")
    check_page(aicha, "application")
    press(aicha, "Accepter")
    expect(aicha.get_by_text("Son identifiant est lena.le.goff")).to_be_visible()
    check_page(aicha, "accepted")

    link = re.search(r"http\S+/mot-de-passe/oublie/\S+", last_letter(live, "lena@example.org"))
    assert link is not None
    lena.goto(link[0])
    title(lena, "Choisir votre mot de passe")
    check_page(lena, "password")
    lena.get_by_label("Nouveau mot de passe").fill("trois sabots au grenier")
    press(lena, "Enregistrer")
    title(lena, "Bonjour")
    check_page(lena, "home of a member")

    menu(lena, "Annonces")
    check_page(lena, "adverts")
    follow(lena, "Publier une annonce")
    lena.get_by_text("Je propose", exact=True).click()
    lena.get_by_label("Titre").fill("Ourlets et retouches")
    lena.get_by_label("Catégorie").select_option("Couture")
    check_page(lena, "advert begun")
    press(lena, "Publier")
    title(lena, "Ourlets et retouches")
    check_page(lena, "advert published")

    menu(lena, "Annonces")
    lena.get_by_label("Que cherchez-vous").fill("jardinage")
    press(lena, "Chercher")
    check_page(lena, "found")
    follow(lena, "Qui m'aide au jardin")
    check_page(lena, "want")
    lena.get_by_label("Votre message").fill("Samedi matin, avec plaisir.")
    press(lena, "Envoyer")
    title(lena, "Conversation avec Bruno")
    check_page(lena, "conversation")

    sign_in(bruno, live, cast.bruno)
    check_page(bruno, "home with a message")
    follow(bruno, "Léna Le Goff – Qui m'aide au jardin")
    expect(bruno.get_by_text("Samedi matin, avec plaisir.")).to_be_visible()
    assert "lena@example.org" not in bruno.content()
    bruno.get_by_label("Votre réponse").fill("À samedi !")
    press(bruno, "Répondre")
    check_page(bruno, "answered")

    lena.goto(live.url)
    follow(lena, "Déclarer un échange")
    check_page(lena, "declare")
    lena.get_by_text("J’ai aidé", exact=True).click()
    lena.get_by_label("Avec qui").select_option(label="Bruno")
    lena.get_by_label("Combien de temps").fill("2h")
    lena.get_by_label("En quelques mots").fill("Désherbage")
    press(lena, "Continuer")
    check_page(lena, "check")
    press(lena, "Confirmer")
    expect(lena.get_by_role("status").first).to_contain_text("120 marrons")
    check_page(lena, "declared")


def test_what_no_address_shows_is_readable_too(live: Live, cast: Cast, phone: Page, check_page: Check) -> None:
    """Pages after a refusal or an act; test_every_page.py has those that an address shows."""
    phone.goto(f"{live.url}/connexion")
    phone.get_by_label("Identifiant").fill("alice")
    phone.get_by_label("Mot de passe").fill("pas le bon")
    press(phone, "Se connecter")
    expect(phone.get_by_role("alert")).to_be_visible()
    check_page(phone, "wrong password")
    sign_in(phone, live, cast.alice)
    phone.goto(f"{live.url}/moi/cles")
    phone.get_by_label("À quoi servira").fill("tableur")
    press(phone, "Créer la clé")
    expect(phone.get_by_role("status").first).to_be_visible()
    check_page(phone, "key made")
    phone.goto(f"{live.url}/administration/{cast.town.token}/demandes")
    check_page(phone, "not hers")


def test_a_facilitator_finds_somebody_at_the_counter(live: Live, cast: Cast, phone: Page, check_page: Check) -> None:
    sign_in(phone, live, cast.fanny)
    menu(phone, "Comptoir")
    follow(phone, "Denise")
    check_page(phone, "counter, Denise")
    follow(phone, "Déclarer un échange")
    expect(phone.get_by_text("Compte de Denise")).to_be_visible()


def test_the_menu_leads_to_another_password_and_another_language(live: Live, cast: Cast, phone: Page) -> None:
    sign_in(phone, live, cast.olga)
    menu(phone, "Mon profil")
    follow(phone, "Changer de mot de passe")
    title(phone, "Changer de mot de passe")
    menu(phone, "English")
    expect(phone.locator("html")).to_have_attribute("lang", "en")
