"""The officer writes what the council voted, reads the year, annexes it to the accounts; the club finds its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.bookings import operations as bookings
from exchange.bookings.wanted import Request, Wanted
from tests.cast import Cast, committed
from tests.journeys.conftest import Opened
from tests.journeys.test_a_hall_is_lent import enter
from tests.journeys.test_first_page import Check
from tests.lent import lend
from tests.live import Live

LENT = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture
def town(live: Live) -> Cast:
    """The club had the hall yesterday, for two hours; another day was refused to it."""
    asked = LENT - timedelta(days=9)
    cast = committed(live.app, at=asked)
    with Session(create_engine(live.database.web_url, poolclass=NullPool), expire_on_commit=False) as session:
        lent = lend(session, cast, at=asked)
        for starts in (LENT, LENT - timedelta(days=2)):
            wish = Request(cast.club.id, (Wanted(lent.hall),), starts, starts + timedelta(hours=2), "Gala", 60)
            token = bookings.ask(session, wish, zone="Europe/Paris", by=cast.delegate, at=asked).token
            if starts == LENT:
                bookings.accept(session, token, lender=cast.town.id, by=cast.olga.by, at=asked)
            else:
                bookings.decline(session, token, lender=cast.town.id, ground="order", text="Deux fêtes ce soir-là.",
                                 by=cast.olga.by, at=asked + timedelta(hours=5))  # fmt: skip
        session.commit()
    return cast


@pytest.mark.parametrize("width", [320, 1280])
def test_an_officer_accounts_for_the_year_and_the_club_reads_its_part(
    width: int, live: Live, opened: Opened, check_page: Check, town: Cast
) -> None:
    olga, bruno = (opened({"width": width, "height": 700}) for _each in range(2))
    enter(olga, live, town.olga, f"/preteurs/{town.town.token}/demandes")
    olga.get_by_role("link", name="Bilans").last.click()
    olga.goto(f"{olga.url}?annee={LENT.year}")
    assert "sans valeur votée" in olga.locator("main").inner_text()
    olga.get_by_role("link", name="Écrire ce que le conseil a voté").click()
    check_page(olga, "rates, none yet")
    olga.get_by_label("Sur quoi").select_option(label="Catégorie Salle")
    olga.get_by_label("Combien d’euros").fill("12,50")
    olga.get_by_label("par heure").check()
    olga.get_by_label("Pour les prêts à partir du").fill(f"{LENT.year}-01-01")
    olga.get_by_label("Numéro de la délibération").fill("2025-88")
    olga.get_by_role("button", name="Écrire ce taux").click()
    check_page(olga, "rates, refused")
    assert "Indiquez la date de la délibération." in olga.locator(".error-summary").inner_text()
    assert olga.get_by_label("Combien d’euros").input_value() == "12,50"
    olga.get_by_label("Date de la délibération").fill("2025-12-11")
    olga.get_by_role("button", name="Écrire ce taux").click()
    check_page(olga, "rates")
    assert "12,50 € par heure" in olga.locator("main").inner_text().replace("\u00a0", " ")

    olga.get_by_role("link", name="Prêts de l’année").click()
    olga.goto(f"{olga.url.partition('?')[0]}?annee={LENT.year}")
    olga.get_by_text("Voir le prêt").click()
    check_page(olga, "loans")
    assert "25,00 €" in olga.locator("main").inner_text().replace("\u00a0", " ")
    paper = olga.request.get(live.url + str(olga.get_by_role("link", name="PDF").get_attribute("href")))
    said = " ".join(page.extract_text() for page in PdfReader(BytesIO(paper.body())).pages).replace("\u00a0", " ")
    assert "Club de gymnastique" in said
    assert "25,00 €" in said

    since, until = LENT - timedelta(days=30), LENT + timedelta(days=1)
    period = f"?du={since:%Y-%m-%d}&au={until:%Y-%m-%d}"
    olga.goto(f"{live.url}/preteurs/{town.town.token}/bilan/usage{period}")
    check_page(olga, "use")
    assert "Salle des fêtes" in olga.locator("main").inner_text()
    olga.goto(f"{live.url}/preteurs/{town.town.token}/bilan/refus{period}")
    check_page(olga, "refusals")
    assert "Deux fêtes ce soir-là." in olga.locator("main").inner_text()

    enter(bruno, live, town.bruno, f"/structures/{town.club.token}")
    bruno.get_by_role("link", name="Prêts reçus").click()
    bruno.goto(f"{bruno.url}?annee={LENT.year}")
    check_page(bruno, "statement")
    assert "25,00 €" in bruno.locator("main").inner_text().replace("\u00a0", " ")
