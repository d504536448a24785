"""Somebody looks for a room, sees where rooms are, and comes to the page of one: with keys, with a finger, and without
any script.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from tests.cast import committed
from tests.exchange.bookings.test_bookings_map import BOURG, HALAGE, OUTLINE, put
from tests.journeys.conftest import DESKTOP, PHONE, Complaints
from tests.journeys.hands import Keyboard, Pointer
from tests.journeys.test_first_page import Check
from tests.lent import Lent, lend
from tests.live import Live

PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


@pytest.fixture
def lent(live: Live) -> Lent:
    """The dojo by the river; three places of the village, so close that a finger covers them."""
    at = datetime.now(UTC)
    cast = committed(live.app, at=at)
    with live.database.connected("owner") as owner:
        owner.execute("UPDATE territory SET outline = %s::jsonb", [OUTLINE])
    engine = create_engine(live.database.web_url, poolclass=NullPool)
    with Session(engine, expire_on_commit=False) as session:
        found = lend(session, cast, at=at)
        put(session, "Dojo du halage", HALAGE, found.dojo)
        put(session, "Maison du bourg", BOURG, found.hall, found.half)
        put(session, "École du bourg", (BOURG[0] + 0.001, BOURG[1] - 0.001), found.other_half)
        put(session, "Ateliers", (BOURG[0] - 0.001, BOURG[1] - 0.002), found.drill, found.chairs)
        session.commit()
    return found


@pytest.fixture(params=["pointer", "keyboard", "no script"])
def hand(request: pytest.FixtureRequest, chrome: Browser, live: Live, complaints: Complaints) -> Iterator[Pointer]:
    """Somebody in front of a screen."""
    way = request.param
    context = chrome.new_context(
        viewport=DESKTOP if way == "keyboard" else PHONE, locale="fr-FR", timezone_id="Europe/Paris",
        java_script_enabled=way != "no script", has_touch=way != "keyboard", is_mobile=way != "keyboard",
    )  # fmt: skip
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints.listen(page)
    yield (Keyboard if way == "keyboard" else Pointer)(page, live.url)
    context.close()


def test_a_room_is_looked_for_found_on_the_map_and_opened(
    hand: Pointer, lent: Lent, request: pytest.FixtureRequest, check_page: Check
) -> None:
    scripts = "no script" not in request.node.name
    page = hand.page
    page.goto(hand.url)
    hand.menu("Salles")
    hand.follow("Voir sur la carte")
    hand.title("sur la carte")
    expect(page.locator(".leaflet-container")).to_have_count(1 if scripts else 0)
    hand.follow("Dojo du halage, 1 résultat")
    place = page.locator("li:target")
    expect(place.get_by_role("heading")).to_contain_text("Dojo du halage")
    expect(place.get_by_role("link", name="Dojo", exact=True)).to_be_in_viewport()
    if scripts:
        check_page(page)
    hand.use(place.get_by_role("link", name="Dojo", exact=True))
    hand.title("Dojo")
    hand.sees("40\u00a0personnes")


@pytest.mark.parametrize("hand", ["pointer", "keyboard"], indirect=True)
def test_what_a_finger_covers_is_told_apart_nearer(hand: Pointer, lent: Lent, check_page: Check) -> None:
    page = hand.page
    page.goto(f"{hand.url}/salles/carte#carte")
    pins = page.locator(".map-pin")
    expect(pins).to_have_count(2)
    hand.follow("3 lieux")
    expect(pins.filter(has_text="lieux")).to_have_count(0)
    if isinstance(hand, Keyboard):
        expect(page.locator(".map-pin:focus")).to_have_count(1)
    check_page(page, "nearer")
    hand.follow("Maison du bourg")
    expect(page.locator("li:target").get_by_role("link", name="Salle des fêtes")).to_be_in_viewport()
    page.goto(f"{hand.url}/salles/carte#carte")
    hand.press("Agrandir")
    hand.press("Revoir toute la carte")
    expect(pins).to_have_count(2)


def test_the_wheel_scrolls_the_page_until_somebody_is_in_the_map(desktop: Page, live: Live, lent: Lent) -> None:
    desktop.set_viewport_size({"width": 1280, "height": 500})
    desktop.goto(f"{live.url}/salles/carte")
    expect(desktop.locator(".leaflet-container")).to_have_count(1)
    frame = desktop.locator(".map-frame").bounding_box()
    assert frame is not None
    desktop.mouse.move(frame["x"] + 20, frame["y"] + 20)
    desktop.mouse.wheel(0, 300)
    desktop.wait_for_timeout(500)
    assert desktop.evaluate("scrollY") > 200
    expect(desktop.locator(".map-pin")).to_have_count(2)
    desktop.locator(".map-frame").click(position={"x": 20, "y": 40})
    before = desktop.evaluate("scrollY")
    for _turn in range(4):
        desktop.mouse.wheel(0, -200)
        desktop.wait_for_timeout(200)
    expect(desktop.locator(".map-pin")).to_have_count(4)
    assert desktop.evaluate("scrollY") == before


def test_without_scripts_what_a_finger_covers_leads_to_the_first_of_them(
    chrome: Browser, live: Live, lent: Lent
) -> None:
    context = chrome.new_context(viewport=PHONE, locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live.url}/salles/carte")
    page.get_by_role("link", name="3 lieux, du numéro").click()
    expect(page.locator("li:target")).to_be_in_viewport()
    assert page.locator("li:target").get_attribute("data-number") in {"1", "2"}
    context.close()


def test_leaflet_is_fetched_when_the_map_comes_into_view_and_by_nobody_who_saves(
    phone: Page, desktop: Page, live: Live, lent: Lent
) -> None:
    def fetched(page: Page) -> int:
        seen = "performance.getEntriesByType('resource').filter(each => each.name.includes('leaflet')).length"
        return int(page.evaluate(seen))

    phone.goto(f"{live.url}/salles")
    phone.goto(f"{live.url}/salles/carte")
    phone.wait_for_timeout(300)
    assert fetched(phone) == 0, "the list stands before the map"
    phone.get_by_role("link", name="Aller à la carte").click()
    expect(phone.locator(".leaflet-container")).to_have_count(1)
    assert fetched(phone) == 2
    desktop.add_init_script("Object.defineProperty(navigator, 'connection', {value: {saveData: true}})")
    desktop.goto(f"{live.url}/salles/carte")
    desktop.wait_for_timeout(300)
    assert fetched(desktop) == 0
    expect(desktop.locator(".map-picture")).to_be_visible()


def test_a_background_is_asked_of_the_operators_server_and_of_no_other(
    desktop: Page, live: Live, lent: Lent, check_page: Check
) -> None:
    live.app.config |= {"TILES_URL": "https://tiles.example.org/{z}/{x}/{y}.png", "TILES_CREDIT": "© Cartographes"}
    asked: list[str] = []

    def draw(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, content_type="image/png", body=PIXEL)

    desktop.route(lambda url: not url.startswith(live.url), draw)
    desktop.goto(f"{live.url}/salles/carte#carte")
    expect(desktop.locator(".leaflet-tile-loaded").first).to_be_visible()
    for _time in range(3):
        desktop.get_by_role("button", name="Agrandir").click()
    check_page(desktop)
    assert asked
    assert all(re.fullmatch(r"https://tiles\.example\.org/\d+/\d+/\d+\.png", url) for url in asked)
    expect(desktop.get_by_text("© Cartographes")).to_be_visible()


def test_control_a_database_without_positions_has_no_picture(desktop: Page, live: Live, lent: Lent) -> None:
    with live.database.connected("owner") as owner:
        owner.execute("UPDATE places SET latitude = NULL, longitude = NULL")
    desktop.goto(f"{live.url}/salles/carte")
    expect(desktop.locator(".map")).to_have_count(0)
    expect(desktop.get_by_role("link", name="Dojo", exact=True)).to_be_visible()
