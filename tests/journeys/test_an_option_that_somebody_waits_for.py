"""Alice hesitates about the hall, Bruno would have it too: she lets it go, and it is his turn."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import tasks
from tests.cast import Cast, committed
from tests.exchange.bookings.holding import with_options
from tests.journeys.conftest import Opened
from tests.journeys.test_a_hall_is_lent import ask, enter, next_saturday
from tests.journeys.test_first_page import Check
from tests.lent import Lent, lend
from tests.live import Live


@pytest.fixture
def town(live: Live) -> tuple[Cast, Lent]:
    """The cast and what is lent, today, with options of ten days."""
    at = datetime.now(UTC)
    cast = committed(live.app, at=at)
    with Session(create_engine(live.database.web_url, poolclass=NullPool), expire_on_commit=False) as session:
        lent = with_options(session, lend(session, cast, at=at), days=10)
        session.commit()
    return cast, lent


@pytest.mark.parametrize("width", [320, 1280])
def test_alices_option_that_bruno_wants(
    width: int, live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent]
) -> None:
    cast, lent = town
    day = next_saturday()
    alice, bruno, olga = (opened({"width": width, "height": 700}) for _each in range(3))

    enter(alice, live, cast.alice)
    ask(alice, live, lent.hall.token, day, "Mariage, peut-être")
    alice.get_by_role("button", name="Continuer").click()
    check_page(alice, "hesitating")
    alice.get_by_role("button", name="Prendre une option").click()
    assert "Option jusqu’au" in alice.locator("main").inner_text()
    check_page(alice, "option")
    option = alice.url

    enter(bruno, live, cast.bruno)
    ask(bruno, live, lent.hall.token, day, "Loto")
    bruno.get_by_role("button", name="Continuer").click()
    assert "est sous option jusqu’au" in bruno.locator("main").inner_text()
    check_page(bruno, "under-option")
    bruno.get_by_role("button", name="Me prévenir si ça se libère").click()
    assert "En tête de la liste" in bruno.locator("main").inner_text()
    check_page(bruno, "waiting")

    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/liste-d-attente")
    assert "Bruno" in olga.locator("main").inner_text()
    check_page(olga, "list")

    alice.goto(option)
    assert "Quelqu’un d’autre attend ce créneau." in alice.locator("main").inner_text()
    check_page(alice, "called")
    alice.get_by_role("button", name="Renoncer").click()
    with live.app.app_context():
        tasks.follow_waiting(0)

    bruno.goto(live.url)
    assert "À confirmer avant le" in bruno.locator("main").inner_text()
    check_page(bruno, "turn-at-home")
    bruno.get_by_role("link", name="Salle des fêtes").click()
    check_page(bruno, "turn")
    bruno.get_by_role("button", name="Je prends").click()
    assert "En attente de décision" in bruno.locator("main").inner_text()

    olga.goto(f"{live.url}/preteurs/{cast.town.token}/demandes")
    olga.get_by_role("link", name="Salle des fêtes").click()
    olga.get_by_role("button", name="Accepter").click()
    assert "C’est accepté" in olga.locator("main").inner_text()
