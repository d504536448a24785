"""The menu on a telephone and on a computer, with a pointer and with a keyboard, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cast import PASSWORD, Cast, Person, committed
from tests.journeys.conftest import DESKTOP, PHONE, Opened
from tests.live import Live

Check = Callable[..., None]


@pytest.fixture
def cast(live: Live) -> Cast:
    return committed(live.app)


def signs_in(page: Page, live: Live, person: Person) -> None:
    assert person.sign_in is not None
    page.goto(f"{live.url}/connexion")
    page.get_by_label("Identifiant").fill(person.sign_in.user_name)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bonjour")


def word(page: Page, label: str) -> None:
    """Press one of the words that open."""
    page.locator(".menu-more > summary", has_text=label).click()


@pytest.mark.parametrize("name", ["alice", "bruno", "fanny", "tibo", "aicha", "olga"])
def test_the_menu_is_one_line_on_a_computer(name: str, live: Live, cast: Cast, opened: Opened) -> None:
    page = opened(DESKTOP)
    signs_in(page, live, getattr(cast, name))
    for language in ("fr", "en"):
        page.goto(f"{live.url}/langue/{language}")
        words = page.locator(".menu > .menu-list > li")
        tops = words.evaluate_all("all => all.map(each => each.getBoundingClientRect().top)")
        assert len(tops) > 4
        assert len(set(tops)) == 1, language


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_of_the_menu_is_reached(
    size: dict[str, int], live: Live, cast: Cast, opened: Opened, check_page: Check
) -> None:
    page = opened(size)
    signs_in(page, live, cast.aicha)
    for opens in ("Plus", "Gestion", "Aïcha"):
        if size == PHONE:
            page.get_by_role("button", name="Menu", exact=True).click()
        word(page, opens)
        check_page(page, opens)
        page.goto(live.url)
    if size == PHONE:
        page.get_by_role("button", name="Menu", exact=True).click()
    word(page, "Plus")
    page.get_by_role("link", name="Mes réservations").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mes réservations")


def test_the_keyboard_opens_and_closes_it(live: Live, cast: Cast, opened: Opened) -> None:
    page = opened(DESKTOP)
    signs_in(page, live, cast.alice)
    page.locator(".menu-more > summary", has_text="Plus").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Messages")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Messages")).not_to_be_visible()
    expect(page.locator(".menu-more > summary", has_text="Plus")).to_be_focused()


def test_it_opens_without_a_script(live: Live, cast: Cast, chrome: Browser) -> None:
    context = chrome.new_context(viewport=PHONE, locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    signs_in(page, live, cast.alice)
    page.get_by_role("button", name="Menu", exact=True).click()
    word(page, "Alice")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("link", name="Se connecter").first).to_be_attached()
    context.close()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_delegate_chooses_the_account(
    size: dict[str, int], live: Live, cast: Cast, opened: Opened, check_page: Check
) -> None:
    page = opened(size)
    signs_in(page, live, cast.bruno)
    for address in ("comptes", "echanges/nouveau"):
        page.goto(f"{live.url}/{address}")
        check_page(page, address)
    page.locator("main").get_by_role("link", name="Club de gymnastique").click()
    expect(page.get_by_text("Compte de Club de gymnastique")).to_be_visible()
