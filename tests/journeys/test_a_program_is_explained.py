"""Somebody who writes a program reads what it may ask, and why it was refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.live import Live

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_what_a_program_may_ask_and_why_it_was_refused(
    request: pytest.FixtureRequest, device: str, live: Live, check_page: Callable[..., None]
) -> None:
    page: Page = request.getfixturevalue(device)
    page.goto(f"{live.url}/api/v1/")
    expect(page.get_by_role("rowheader", name="Déclarer un échange")).to_be_visible()
    check_page(page, "what")
    page.get_by_role("link", name="Toutes les règles qui peuvent refuser").click()
    expect(page.locator("#floor-reached")).to_contain_text("sous sa limite")
    check_page(page, "why")
