"""A real browser on a real server: what the journeys share.

- ``live``        a server on a database of its own; ``live.url``, ``live.app``, ``live.database``
- ``phone``       a page 320 pixels wide; ``desktop`` one of 1280; both speak French and may be used in one test
- ``check_page``  call it on every page that a journey crosses: ``check_page(phone)``
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from exchange.config import ROOT
from tests import browser as chromium
from tests.databases import Database
from tests.live import Live, served

SCREENSHOTS = ROOT / "var" / "screenshots"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "best-practice"]
ASKED = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 800}
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.fixture
def live(database: Database) -> Iterator[Live]:
    """The application served for real, forms protected, on a database that is dropped afterwards."""
    with served(database) as found:
        yield found


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    """The browser of this worker, started once."""
    path = chromium.find()
    if path is None:
        pytest.fail(f"No Chromium was found. {chromium.REMEDY}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**chromium.options(path))
        yield started
        started.close()


def _its_own_refusal(message: ConsoleMessage) -> bool:
    """A refused form is a page with status 422, and Chromium reports every status above 400 as an error."""
    if message.page is None or not re.search(r"Failed to load resource: .* status of 4\d\d", message.text):
        return False
    return message.location["url"].partition("#")[0] == message.page.url.partition("#")[0]


@dataclass
class Complaints:
    """What the browser complained of while a page was used."""

    said: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Keep errors of the console (what the content policy refuses included) and of scripts."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"script: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or (message.type == "error" and not _its_own_refusal(message)):
            self.said.append(f"console: {message.text} ({message.location['url']})")


Opened = Callable[[dict[str, int]], Page]


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Everything that the browser complains of during a test; a test that ends with one fails."""
    heard = Complaints()
    yield heard
    assert heard.said == []


@pytest.fixture
def opened(chrome: Browser, live: Live, complaints: Complaints) -> Iterator[Opened]:
    """Opens pages of a given size, each with cookies of its own: another person, on another device.

    They are closed before the server is: what a page still fetches when a test ends is no complaint.
    """
    contexts = []

    def open_page(viewport: dict[str, int]) -> Page:
        context = chrome.new_context(viewport=viewport, locale="fr-FR", timezone_id="Europe/Paris")
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        complaints.listen(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def phone(opened: Opened) -> Page:
    """A small telephone."""
    return opened(PHONE)


@pytest.fixture
def desktop(opened: Opened) -> Page:
    """A computer."""
    return opened(DESKTOP)


def violations(page: Page) -> list[str]:
    """What axe finds, one line for each element at fault."""
    found = Axe().run(page, options=ASKED)
    return [
        f"{rule['id']}: {rule['help']} ({node['html'][:200]})"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


def shape(page: Page) -> list[str]:
    """What is wrong with the page as a whole."""
    wrong = []
    if page.evaluate("document.scrollingElement.scrollWidth > window.innerWidth"):
        wide = page.evaluate(
            "[...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > window.innerWidth)"
            ".slice(-3).map(e => e.outerHTML.slice(0, 120))"
        )
        wrong.append(f"scrolls sideways at {page.viewport_size}: {wide}")
    if not page.evaluate("document.documentElement.lang"):
        wrong.append("says no language")
    if (titles := page.locator("h1").count()) != 1:
        wrong.append(f"has {titles} <h1>")
    return wrong


@pytest.fixture
def check_page(request: pytest.FixtureRequest, complaints: Complaints) -> Callable[..., None]:
    """Check the page as it stands: ``check_page(page)``, ``check_page(page, "a step")``; a faulty one is pictured."""

    def check(page: Page, step: str = "") -> None:
        page.wait_for_load_state()
        wrong = [*shape(page), *violations(page), *complaints.said]
        if wrong:
            assert page.viewport_size is not None
            name = "-".join(filter(None, [request.node.name, step, str(page.viewport_size["width"])]))
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SCREENSHOTS / (re.sub(r"[^\w-]+", "-", name) + ".png"), full_page=True)
        assert wrong == [], page.url

    return check
