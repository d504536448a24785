"""The guide and the site map: what they say to each person, and nothing that leads nowhere."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from exchange import guide
from tests.cast import Cast, sign_in


def first_steps(browser: FlaskClient) -> list[str]:
    """The titles of the steps that are shown open."""
    found = re.findall(r"<h2>([^<]+)</h2>", browser.get("/aide").text)
    return [unescape(title) for title in found if title != "Les autres rôles"]


def test_who_only_looks_is_told_how_to_join(client: FlaskClient, session: Session, cast: Cast) -> None:
    assert first_steps(client) == ["Vous découvrez"]


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("alice", ["Vous êtes membre"]),
        ("bruno", ["Vous êtes membre", "Vous êtes délégué d’une structure"]),
        ("fanny", ["Vous êtes membre", "Vous tenez le comptoir"]),
        ("olga", ["Vous êtes membre", "Vous gérez des salles et du matériel"]),
        ("tibo", ["Vous êtes membre", "Vous tenez ou vérifiez les comptes"]),
        ("aicha", ["Vous êtes membre", "Vous administrez le groupe"]),
    ],
)  # fmt: skip
def test_everybody_reads_first_the_steps_of_their_own_roles(
    name: str, titles: list[str], app: Flask, session: Session, cast: Cast
) -> None:
    assert first_steps(sign_in(app.test_client(), getattr(cast, name))) == titles


def test_help_is_written_for_screens_that_exist(app: Flask) -> None:
    assert {*guide.OF_SCREENS, *guide.AS_ON} - set(app.view_functions) == set()
    assert set(guide.AS_ON.values()) <= set(guide.OF_SCREENS)


def test_a_form_that_was_refused_keeps_its_help(app: Flask, session: Session, cast: Cast) -> None:
    assert cast.alice.account is not None
    alice, at = sign_in(app.test_client(), cast.alice), f"/comptes/{cast.alice.account.token}/echanges"
    for page in (alice.get(f"{at}/nouveau"), alice.post(f"{at}/verification", data={})):
        assert "Une heure vaut une heure" in page.text


@pytest.mark.parametrize("name", [None, "alice", "aicha", "olga"])
def test_every_line_of_the_site_map_opens(name: str | None, app: Flask, session: Session, cast: Cast) -> None:
    browser = sign_in(app.test_client(), getattr(cast, name)) if name else app.test_client()
    listed = re.findall(r'<a href="([^"]+)"', browser.get("/plan").text.partition("<main")[2].partition("</main>")[0])
    assert len(listed) >= 6
    met = {address: browser.get(unescape(address), follow_redirects=True).status_code for address in listed}
    assert {address: status for address, status in met.items() if status != 200} == {}
