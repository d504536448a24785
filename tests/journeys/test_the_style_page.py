"""Each part that pages are made of is shown with its code to who develops, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from exchange import style
from exchange.config import ROOT
from tests.databases import Database
from tests.journeys.conftest import DESKTOP, PHONE, Opened
from tests.live import Live, served


@pytest.fixture
def live(database: Database) -> Iterator[Live]:
    """The application as it is developed."""
    with served(database, STYLE_PAGE=True) as found:
        yield found


def test_every_part_is_shown_with_its_code(live: Live, opened: Opened, check_page: Callable[..., None]) -> None:
    for viewport in (PHONE, DESKTOP):
        page = opened(viewport)
        page.goto(f"{live.url}/style")
        check_page(page)
    with live.app.test_request_context():
        written = " ".join(part.code for part in style.parts())
    macros = {
        f"{file.stem}.{name}"
        for file in (ROOT / "templates" / "macros").glob("*.html")
        for name in re.findall(r"{% macro ([a-z]\w*)\(", file.read_text(encoding="utf-8"))
    }
    assert len(macros) > 25
    assert {macro for macro in macros if f"{macro}(" not in written} == set()


def test_in_production_the_page_is_not_there(client: FlaskClient) -> None:
    assert client.get("/style").status_code == 404
