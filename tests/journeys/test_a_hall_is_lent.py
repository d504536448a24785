"""A delegate asks for the town's hall with chairs, an officer decides, a neighbour pays for a private room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from tests.cast import PASSWORD, Cast, Person, committed
from tests.journeys.conftest import Opened
from tests.journeys.test_first_page import Check
from tests.lent import Lent, lend
from tests.live import Live

NBSP = "\u00a0"


@pytest.fixture
def town(live: Live) -> tuple[Cast, Lent]:
    """The cast and what is lent, today."""
    at = datetime.now(UTC)
    cast = committed(live.app, at=at)
    with Session(create_engine(live.database.web_url, poolclass=NullPool), expire_on_commit=False) as session:
        lent = lend(session, cast, at=at, chairs=60)
        session.commit()
    return cast, lent


def enter(page: Page, live: Live, person: Person, path: str = "/") -> None:
    """Sign in, and open a page."""
    assert person.sign_in is not None
    page.goto(f"{live.url}/connexion")
    page.get_by_label("Identifiant").fill(person.sign_in.user_name)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Se connecter").click()
    page.goto(live.url + path)


def next_saturday() -> datetime:
    """Next Saturday or the one after, at two o'clock in Paris: always more than a day away."""
    now = datetime.now(ZoneInfo("Europe/Paris"))
    days = (5 - now.weekday()) % 7
    day = now + timedelta(days=days if days > 1 else days + 7)
    return day.replace(hour=14, minute=0, second=0, microsecond=0)


def ask(page: Page, live: Live, lent_token: str, day: datetime, purpose: str) -> None:
    """From the room's page to the form, filled."""
    page.goto(f"{live.url}/salles/{lent_token}?jour={day:%Y-%m-%d}&de=14:00&a=18:00")
    page.get_by_role("link", name="Demander à réserver").click()
    page.get_by_label("Pour quoi faire").fill(purpose)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_club_has_the_hall_and_its_chairs_in_three_screens(
    width: int, live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent]
) -> None:
    cast, lent = town
    day = next_saturday()
    bruno, olga = opened({"width": width, "height": 700}), opened({"width": width, "height": 700})

    enter(bruno, live, cast.bruno, f"/salles?day={day:%Y-%m-%d}&starts=14:00&ends=18:00&people=60")
    check_page(bruno, "search")
    bruno.get_by_role("link", name="Salle des fêtes").click()
    check_page(bruno, "hall")
    ask(bruno, live, lent.hall.token, day, "Assemblée générale")
    bruno.get_by_label("Au nom de qui").select_option(label="Club de gymnastique")
    bruno.get_by_label("Combien de personnes").fill("60")
    bruno.get_by_label("Chaises pliantes").fill("40")
    check_page(bruno, "form")
    bruno.get_by_role("button", name="Continuer").click()
    assert bruno.get_by_role("heading", level=1).inner_text() == f"Est-ce bien cela{chr(0x202F)}?"
    assert "40 × Chaises pliantes" in bruno.locator("main").inner_text()
    check_page(bruno, "check")
    bruno.get_by_role("button", name="Confirmer").click()
    assert "En attente de décision" in bruno.locator("main").inner_text()
    check_page(bruno, "asked")

    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/demandes")
    check_page(olga, "requests")
    olga.get_by_role("link", name="Salle des fêtes").click()
    check_page(olga, "request")
    olga.get_by_role("button", name="Accepter").click()
    assert "C’est accepté" in olga.locator("main").inner_text()

    bruno.reload()
    assert "Accepté" in bruno.locator("main").inner_text()
    bruno.get_by_role("link", name="Changer l’heure").click()
    check_page(bruno, "change")
    bruno.get_by_label("Chaises pliantes").fill("60")
    bruno.get_by_role("button", name="Continuer").click()
    assert "40 × Chaises pliantes" in bruno.locator("main").inner_text(), "what it was until now"
    check_page(bruno, "check-change")
    bruno.get_by_role("button", name="Confirmer").click()
    assert "Elle reste comme elle est." in bruno.locator("main").inner_text()

    olga.goto(f"{live.url}/preteurs/{cast.town.token}/demandes")
    assert "C’est un changement." in olga.locator("main").inner_text()
    olga.get_by_role("link", name="60 × Chaises pliantes").click()
    check_page(olga, "request-change")
    olga.get_by_role("button", name="Accepter").click()
    bruno.reload()
    assert "Accepté" in bruno.locator("main").inner_text()
    assert "60 × Chaises pliantes" in bruno.locator("main").inner_text()
    bruno.goto(f"{live.url}/salles?day={day:%Y-%m-%d}&starts=14:00&ends=18:00&people=60")
    assert bruno.locator("main .cards").get_by_text("Salle des fêtes").count() == 0
    assert bruno.locator("main details").get_by_text("Salle des fêtes").count() > 0


def test_a_private_room_costs_minutes_and_cancelling_in_time_gives_them_back(
    live: Live, phone: Page, opened: Opened, check_page: Check, town: tuple[Cast, Lent]
) -> None:
    cast, lent = town
    day = next_saturday()
    enter(phone, live, cast.alice)
    ask(phone, live, lent.dojo.token, day, "Cours de yoga")
    phone.get_by_role("button", name="Continuer").click()
    assert f"120{NBSP}marrons (2{NBSP}h)" in phone.locator("main").inner_text()
    check_page(phone, "price")
    phone.get_by_role("button", name="Confirmer").click()
    mine = phone.url

    bruno = opened({"width": 1280, "height": 800})
    enter(bruno, live, cast.bruno, f"/preteurs/{cast.club.token}/demandes")
    assert "réservée" in bruno.locator("main").inner_text()  # a delegate is no officer: the page says who can
    phone.goto(mine)
    phone.locator("summary", has_text="Je n’en ai plus besoin").click()
    phone.get_by_role("button", name="Annuler la réservation").click()
    assert "C’est annulé" in phone.locator("main").inner_text()
    check_page(phone, "cancelled")


def test_a_refusal_names_its_ground_and_what_to_do(
    live: Live, phone: Page, desktop: Page, check_page: Check, town: tuple[Cast, Lent]
) -> None:
    cast, lent = town
    enter(phone, live, cast.alice)
    ask(phone, live, lent.hall.token, next_saturday(), "Anniversaire")
    phone.get_by_role("button", name="Continuer").click()
    phone.get_by_role("button", name="Confirmer").click()
    mine = phone.url
    enter(desktop, live, cast.olga, f"/preteurs/{cast.town.token}/demandes")
    desktop.get_by_role("link", name="Salle des fêtes").click()
    desktop.locator("summary", has_text="Refuser").click()
    desktop.get_by_role("button", name="Refuser la demande").click()
    assert desktop.get_by_role("alert").count() == 1
    check_page(desktop, "lacking")
    desktop.get_by_label("Fonctionnement des services").check()
    desktop.get_by_label("Explication pour le demandeur").fill("La salle sert à la vaccination ce jour-là.")
    desktop.get_by_role("button", name="Refuser la demande").click()
    phone.goto(mine)
    assert "La salle sert à la vaccination" in phone.locator("main").inner_text()
    check_page(phone, "declined")
