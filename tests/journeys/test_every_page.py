"""Every page as each person meets it, in a real browser, under axe: light or dark, narrow or wide, its text at twice
its size, with our scripts or without. Each page once, its mode drawn so that every pair of modes occurs; with
MARRONNIER_FULL=1 each page in every mode.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.cast import PASSWORD
from tests.databases import Postgres
from tests.journeys.conftest import DESKTOP, PHONE, Complaints, shape, violations
from tests.live import Live, served
from tests.proofs import figure, seeded
from tests.test_every_route import EVERYBODY, MAY, PAGES, PEOPLE, SIGNED_IN, Place

pytestmark = [pytest.mark.campaign]
VISITOR = "visitor"
ROLES = [VISITOR, *(name for name in PEOPLE if name != "chloe")]  # she has no other role than Alice
NO_PAGES = ("files.", "languages.", "healthz", "readyz", "security.logout")
TWICE = "document.documentElement.style.fontSize = '200%'"


class Mode(NamedTuple):
    """How a page is looked at."""

    theme: str
    viewport: str
    text: str
    scripts: str


MODES = [Mode(*each) for each in product(("light", "dark"), ("narrow", "wide"), ("usual", "twice"), ("ours", "none"))]


class Ground(NamedTuple):
    """One of everything, served."""

    place: Place
    live: Live


@pytest.fixture(scope="module")
def ground(postgres: Postgres) -> Iterator[Ground]:
    database = postgres.copy()
    place = Place(database)
    with served(database) as live:
        yield Ground(place, live)
    postgres.drop(database)


def pages_of(who: str) -> list[str]:
    """The endpoints that somebody may read."""
    may = [endpoint for endpoint in PAGES if not endpoint.startswith(NO_PAGES) and not endpoint.startswith("api")]
    return [
        endpoint for endpoint in may
        if MAY[endpoint] == EVERYBODY or (who != VISITOR and (MAY[endpoint] == SIGNED_IN or who in MAY[endpoint]))
    ]  # fmt: skip


def tours(who: str, chance: random.Random) -> list[tuple[str, Mode]]:
    """Each page of somebody with its mode, or with each."""
    found = pages_of(who)
    chance.shuffle(found)
    modes = chance.sample(MODES, len(MODES))
    turns = [(page, modes[number % len(modes)]) for number, page in enumerate(found)]
    return turns if figure(1, 2) == 1 else list(product(found, MODES))


Entered = Callable[[str, Mode], BrowserContext]


@pytest.fixture
def entered(chrome: Browser, ground: Ground, complaints: Complaints) -> Iterator[Entered]:
    """The browser of somebody who signed in, in a mode; opened once for each."""
    kept: dict[Mode, BrowserContext] = {}
    cookies: dict[str, object] = {}

    def enter(who: str, mode: Mode) -> BrowserContext:
        if mode not in kept:
            if who not in cookies:
                cookies[who] = _signed_in(chrome, ground, who)
            kept[mode] = chrome.new_context(
                viewport=PHONE if mode.viewport == "narrow" else DESKTOP, color_scheme=mode.theme, locale="fr-FR",  # type: ignore[arg-type]
                timezone_id="Europe/Paris", storage_state=cookies[who],  # type: ignore[arg-type]
            )  # fmt: skip
            if mode.scripts == "none":
                kept[mode].route("**/app.js*", lambda route: route.fulfill(status=200, content_type="text/javascript"))
        return kept[mode]

    yield enter
    for context in kept.values():
        context.close()


def _signed_in(chrome: Browser, ground: Ground, who: str) -> object:
    context = chrome.new_context()
    if who != VISITOR:
        page = context.new_page()
        page.goto(f"{ground.live.url}/connexion")
        page.fill("[name=username]", ground.place.keys[who][0])
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(lambda url: urlsplit(url).path != "/connexion")
    state = context.storage_state()
    context.close()
    return state


@pytest.mark.parametrize("who", ROLES)
def test_each_page_of_somebody_is_sound_in_its_mode(
    who: str, ground: Ground, entered: Entered, complaints: Complaints
) -> None:
    looked_at = 0
    wrong: list[str] = []
    for endpoint, mode in tours(who, seeded()):
        context, address = entered(who, mode), ground.live.url + ground.place.address(endpoint)
        answer = context.request.get(address)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        page = context.new_page()
        complaints.listen(page)
        page.goto(address)
        looked_at += 1
        wrong += [f"{endpoint}, {' '.join(mode)}: {each}" for each in _faults(page, mode)]
        page.close()
    assert wrong == []
    assert looked_at >= 15


def _faults(page: Page, mode: Mode) -> list[str]:
    if mode.text == "twice":
        page.evaluate(TWICE)
    return [*shape(page), *violations(page)]


@pytest.mark.parametrize("who", ["alice", "olga"])
def test_every_pair_of_modes_occurs_and_no_page_of_theirs_is_missing(who: str) -> None:
    turns = tours(who, random.Random(1))
    assert {page for page, _mode in turns} == set(pages_of(who))
    wanted = {(a, b) for mode in MODES for a, b in combinations(mode, 2)}
    assert {(a, b) for _page, mode in turns for a, b in combinations(mode, 2)} == wanted


def test_no_page_is_left_out() -> None:
    everything = {endpoint for endpoint in PAGES if not endpoint.startswith((*NO_PAGES, "api"))}
    assert {page for who in ROLES for page in pages_of(who)} == everything


def test_control_a_picture_without_words_and_grey_on_grey_are_noticed(
    ground: Ground, entered: Entered, complaints: Complaints
) -> None:
    page = entered(VISITOR, MODES[0]).new_page()
    page.goto(ground.live.url)
    assert _faults(page, MODES[0]) == []
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    page.evaluate("document.querySelector('h1').style.color = '#ddd'")
    found = " ".join(_faults(page, MODES[0]))
    assert "image-alt" in found
    assert "color-contrast" in found
