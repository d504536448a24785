"""On a telephone: the club asks for the hall, gives a photograph of its certificate, and the town looks and accepts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from tests.cast import Cast, committed
from tests.journeys.conftest import Opened
from tests.journeys.test_a_hall_is_lent import ask, enter, next_saturday
from tests.journeys.test_first_page import Check
from tests.lent import Lent, lend
from tests.live import Live
from tests.photos import taken_at_home


@pytest.fixture
def town(live: Live) -> tuple[Cast, Lent]:
    """The cast and what is lent, today."""
    at = datetime.now(UTC)
    cast = committed(live.app, at=at)
    with Session(create_engine(live.database.web_url, poolclass=NullPool), expire_on_commit=False) as session:
        lent = lend(session, cast, at=at)
        session.commit()
    return cast, lent


def test_the_club_gives_a_photograph_and_the_town_accepts(
    live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent], tmp_path: Path
) -> None:
    cast, lent = town
    day, photo = next_saturday(), tmp_path / "IMG_0001.jpg"
    photo.write_bytes(taken_at_home(orientation=6))
    bruno, olga = opened({"width": 320, "height": 640}), opened({"width": 320, "height": 640})

    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/documents")
    check_page(olga, "no documents yet")
    olga.get_by_role("button", name="Demander\u00a0: Attestation d’assurance").click()
    olga.get_by_role("link", name="Attestation d’assurance").click()
    olga.get_by_label("À vérifier par nous").check()
    check_page(olga, "kind")
    olga.get_by_role("button", name="Enregistrer").click()
    check_page(olga, "kinds")

    enter(bruno, live, cast.bruno)
    ask(bruno, live, lent.hall.token, day, "Gala de fin d’année")
    bruno.get_by_label("Au nom de qui").select_option(label="Club de gymnastique")
    bruno.get_by_label("Combien de personnes").fill("60")
    bruno.get_by_role("button", name="Continuer").click()
    assert "à donner ensuite" in bruno.locator("main").inner_text()
    bruno.get_by_role("button", name="Confirmer").click()
    check_page(bruno, "incomplete")
    bruno.get_by_role("link", name="Donner ce document").click()
    check_page(bruno, "giving")
    bruno.get_by_label("Le document").set_input_files(photo)
    bruno.get_by_label("Valable jusqu’au").fill(f"{day + timedelta(days=200):%Y-%m-%d}")
    bruno.get_by_role("button", name="Donner ce document").click()
    assert "doit encore vérifier" in bruno.locator("main").inner_text()
    check_page(bruno, "complete")

    olga.goto(f"{live.url}/preteurs/{cast.town.token}/demandes")
    check_page(olga, "requests")
    olga.get_by_role("link", name="Salle des fêtes").click()
    check_page(olga, "request")
    with olga.expect_download() as opened_file:
        olga.get_by_role("link", name="Ouvrir le document").click()
    assert opened_file.value.suggested_filename == "Attestation_dassurance.pdf"
    olga.get_by_role("button", name="C’est le bon").click()
    assert "Dossier complet depuis le" in olga.locator("main").inner_text()
    olga.get_by_role("button", name="Accepter").click()
    assert "C’est accepté" in olga.locator("main").inner_text()

    bruno.goto(f"{live.url}/mes-documents")
    assert "Donné" in bruno.locator("main").inner_text()
    check_page(bruno, "mine")
