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
from playwright.sync_api import Browser, Page

from tests.cast import PASSWORD
from tests.databases import Postgres
from tests.journeys.conftest import DESKTOP, PHONE, Complaints, shape, violations
from tests.live import Live, served
from tests.proofs import figure, seeded
from tests.test_every_route import EVERYBODY, MAY, PAGES, PEOPLE, SIGNED_IN, Place

pytestmark = [pytest.mark.campaign]
VISITOR = "visitor"
ROLES = [VISITOR, *(name for name in PEOPLE if name != "chloe")]  # she has no other role than Alice
FILES = ("files.", "seals.head", "seals.proof", "audit.entries_sheet", "audit.trial_balance_sheet", "imports.export",
         "statements.export", "pictures.show", "bookings.picture", "labels.sheet", "agreements.printed",
         "agreements.receipt", "reports.loans_sheet", "reports.loans_paper", "reports.statement_paper",
         "reports.use_sheet", "reports.refusals_sheet", "feeds.follow", "feeds.event",
         "bookings.document")  # fmt: skip
NO_PAGES = (*FILES, "api", "languages.", "healthz", "readyz", "security.logout")
TWICE = "document.documentElement.style.fontSize = '200%'"
SEEN = """[matchMedia("(prefers-color-scheme: dark)").matches, innerWidth, document.documentElement.style.fontSize,
    performance.getEntriesByType("resource").find(each => each.name.includes("app.js")).decodedBodySize > 0].join()"""


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
    may = [endpoint for endpoint in PAGES if not endpoint.startswith(NO_PAGES)]
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


Entered = Callable[[str], Page]


@pytest.fixture
def entered(chrome: Browser, ground: Ground, complaints: Complaints) -> Iterator[Entered]:
    """The browser of somebody who signed in. One page serves for every mode: a new one each time doubles the time."""
    contexts = []

    def enter(who: str) -> Page:
        context = chrome.new_context(locale="fr-FR", timezone_id="Europe/Paris")
        contexts.append(context)
        page = context.new_page()
        if who != VISITOR:
            page.goto(f"{ground.live.url}/connexion")
            page.fill("[name=username]", ground.place.keys[who][0])
            page.fill("[name=password]", PASSWORD)
            page.click("main button[type=submit]")
            page.wait_for_url(lambda url: urlsplit(url).path != "/connexion")
        complaints.listen(page)
        return page

    yield enter
    for context in contexts:
        context.close()


def _faults(page: Page, address: str, mode: Mode) -> list[str]:
    """What is wrong with a page in a mode."""
    page.emulate_media(color_scheme=mode.theme)
    page.set_viewport_size(PHONE if mode.viewport == "narrow" else DESKTOP)
    page.unroute_all()
    if mode.scripts == "none":
        page.route("**/app.js*", lambda route: route.fulfill(status=200, content_type="text/javascript"))
    answer = page.goto(address)
    assert answer is not None
    assert answer.headers["content-type"].startswith("text/html"), address
    if mode.text == "twice":
        page.evaluate(TWICE)
    return [*shape(page), *violations(page)]


@pytest.mark.parametrize("who", ROLES)
def test_each_page_of_somebody_is_sound_in_its_mode(who: str, ground: Ground, entered: Entered) -> None:
    page = entered(who)
    wrong = [
        f"{endpoint}, {' '.join(mode)}: {each}"
        for endpoint, mode in tours(who, seeded())
        for each in _faults(page, ground.live.url + ground.place.address(endpoint), mode)
    ]
    assert wrong == []


@pytest.mark.parametrize("who", ["alice", "olga"])
def test_every_pair_of_modes_occurs_and_no_page_of_theirs_is_missing(who: str) -> None:
    turns = tours(who, random.Random(1))
    assert {page for page, _mode in turns} == set(pages_of(who))
    wanted = {(a, b) for mode in MODES for a, b in combinations(mode, 2)}
    assert {(a, b) for _page, mode in turns for a, b in combinations(mode, 2)} == wanted


def test_no_page_is_left_out() -> None:
    everything = {endpoint for endpoint in PAGES if not endpoint.startswith(NO_PAGES)}
    assert {page for who in ROLES for page in pages_of(who)} == everything


def test_control_a_picture_without_words_and_grey_on_grey_are_noticed(ground: Ground, entered: Entered) -> None:
    page = entered(VISITOR)
    assert _faults(page, ground.live.url, MODES[0]) == []
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    page.evaluate("document.querySelector('h1').style.color = '#ddd'")
    found = " ".join(violations(page))
    assert "image-alt" in found
    assert "color-contrast" in found


def test_control_the_modes_are_what_the_browser_shows(ground: Ground, entered: Entered) -> None:
    page = entered(VISITOR)
    seen = set()
    for mode in MODES:
        assert _faults(page, ground.live.url, mode) == []
        seen.add(page.evaluate(SEEN))
    assert len(seen) == len(MODES)
