"""Somebody opens the address that they were given; and the check of pages is shown to find what it looks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.databases import TERRITORY
from tests.journeys.conftest import Complaints, shape, violations
from tests.live import Live

Check = Callable[..., None]


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_the_first_page_is_readable_by_everybody(
    device: str, live: Live, check_page: Check, request: pytest.FixtureRequest
) -> None:
    page: Page = request.getfixturevalue(device)
    page.goto(live.url)
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.get_by_text(TERRITORY).count() >= 1
    check_page(page)


def test_a_page_that_does_not_exist_says_so_in_words(phone: Page, live: Live, check_page: Check) -> None:
    answer = phone.goto(f"{live.url}/nulle-part")
    assert answer is not None
    assert answer.status == 404
    check_page(phone)


def test_the_check_sees_an_image_without_words(phone: Page, live: Live) -> None:
    phone.goto(live.url)
    phone.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert [fault for fault in violations(phone) if fault.startswith("image-alt")]


def test_the_check_sees_a_page_that_scrolls_sideways(phone: Page, live: Live) -> None:
    phone.goto(live.url)
    assert shape(phone) == []
    phone.evaluate("document.querySelector('main').style.width = '600px'")
    assert [fault for fault in shape(phone) if fault.startswith("scrolls sideways")]


def test_the_check_sees_a_second_title_and_a_page_without_language(phone: Page, live: Live) -> None:
    phone.goto(live.url)
    phone.evaluate("document.querySelector('main').append(document.createElement('h1'))")
    phone.evaluate("document.documentElement.lang = ''")
    assert shape(phone) == ["says no language", "has 2 <h1>"]


def test_the_check_hears_what_the_content_policy_refuses(phone: Page, live: Live, complaints: Complaints) -> None:
    phone.goto(live.url)
    with phone.expect_console_message():
        phone.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">Non</p>')")
    assert len(complaints.said) == 1
    assert "Content Security Policy" in complaints.said.pop()


def test_the_check_hears_a_script_that_fails(phone: Page, live: Live, complaints: Complaints) -> None:
    phone.goto(live.url)
    with phone.expect_event("pageerror"):
        phone.evaluate("setTimeout(() => { throw new Error('oh') })")
    assert complaints.said == ["script: oh"]
    complaints.said.clear()
