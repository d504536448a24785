"""The demonstration served, with a browser beside it, and each of its pages once."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from exchange import clock, demo, sealing
from tests import browser as chromium
from tests.databases import Postgres
from tests.live import Live, served
from tests.screens.walking import Page, walk

VISITOR = "visiteur"


@contextmanager
def village() -> Iterator[tuple[Live, Browser, list[Page]]]:
    """Saint-Marron today, on a database of its own. Raises NoBrowser when no Chromium is found."""
    path = chromium.find()
    if path is None:
        raise chromium.NoBrowser(chromium.REMEDY)
    postgres = Postgres(Path(tempfile.mkdtemp(prefix="marronnier-tests-")))
    try:
        database = postgres.copy()
        with served(database) as live, sync_playwright() as playwright:
            with live.app.app_context():
                demo.load(database.owner_url, print)
                sealing.seal_now(at=clock.now())
            browser = playwright.chromium.launch(**chromium.options(path))
            yield live, browser, list(found(live))
            browser.close()
    finally:
        postgres.forget()


def found(live: Live) -> Iterator[Page]:
    """Each page once, as the first role meets it that finds it; the first page as each role."""
    known: set[str] = set()
    for role, user_name in [(VISITOR, ""), *demo.VISITORS]:
        client = live.app.test_client()
        if user_name:
            token = token_of(client.get("/connexion").text)
            told = {"username": user_name, "password": demo.PASSWORD, "csrf_token": token}
            assert client.post("/connexion", data=told).status_code in {302, 303}
        for page in walk(live.app, client, role):
            if page.endpoint == "home" or page.endpoint not in known:
                known.add(page.endpoint)
                yield page


def token_of(text: str) -> str:
    """The token of a form."""
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', text)
    assert token is not None
    return token[1]


def enter(
    live: Live, browser: Browser, user_name: str | None, viewport: dict[str, int], theme: str
) -> BrowserContext:
    """The browser of somebody who signed in; of a visitor without a name."""
    context = browser.new_context(viewport=viewport, locale="fr-FR", color_scheme=theme,
                                  timezone_id="Europe/Paris")  # fmt: skip
    if user_name:
        view = context.new_page()
        view.goto(f"{live.url}/connexion")
        view.fill("[name=username]", user_name)
        view.fill("[name=password]", demo.PASSWORD)
        view.click("main button[type=submit]")
        view.wait_for_url(lambda url: urlsplit(url).path != "/connexion")
        view.close()
    return context
