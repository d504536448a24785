"""From the hours of a day to the sheet on the door, then to the calendar of a telephone: all on a small screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from exchange import clock
from exchange.bookings import operations as bookings
from exchange.bookings.wanted import Request, Wanted
from exchange.db import transaction
from tests.cast import Cast, committed
from tests.journeys.hands import Pointer
from tests.lent import lend
from tests.live import Live

CheckPage = Callable[..., None]


@pytest.fixture
def cast(live: Live) -> Cast:
    """Bruno has the hall in two days, for a feast that is nobody else's business."""
    at = clock.now()
    found = committed(live.app, at=at)
    with live.app.app_context(), transaction() as session:
        lent = lend(session, found, at=at)
        starts = (at + timedelta(days=2)).replace(hour=13, minute=0, second=0, microsecond=0)
        ends = starts + timedelta(hours=3)
        wanted = Request(found.bruno.party.id, (Wanted(lent.hall),), starts, ends, "Noces d’or", 40)
        token = bookings.ask(session, wanted, zone="Europe/Paris", by=found.bruno.by, at=at).token
        bookings.accept(session, token, lender=found.town.id, by=found.olga.by, at=at)
    return found


def test_a_neighbour_reads_a_day_a_month_and_the_sheet_then_follows_from_the_telephone(
    cast: Cast, live: Live, phone: Page, check_page: CheckPage
) -> None:
    hand, day = Pointer(phone, live.url), clock.now().date() + timedelta(days=2)
    hand.enter(cast.bruno)
    phone.goto(f"{live.url}/salles")
    hand.follow("Salle des fêtes")
    hand.follow("Jour")
    check_page(phone, "today")
    hand.write_day("Aller au jour", day)
    hand.press("Voir ce jour")
    hand.sees("À vous")
    check_page(phone, "day")
    hand.follow("Semaine")
    check_page(phone, "week")
    hand.follow("Mois")
    expect(phone.locator(".week-narrow .partly").first).to_be_visible()
    check_page(phone, "month")
    hand.follow("Semaine")
    hand.follow("La semaine de toutes les salles de ce prêteur")
    hand.title("Ville de Saint-Marron")
    expect(hand.main).not_to_contain_text("Noces")
    check_page(phone, "sheet")
    phone.goto(f"{live.url}/reservations")
    hand.follow("Les voir dans l’agenda de mon téléphone")
    hand.press("Créer l’adresse : Bruno")
    check_page(phone, "agenda")
    opened = phone.get_by_role("link", name="Ouvrir dans mon agenda").first.get_attribute("href")
    copied = phone.get_by_label("Adresse à copier dans votre agenda\u00a0: Bruno").input_value()
    assert opened is not None
    assert urlsplit(opened)._replace(scheme="http") == urlsplit(copied)
    answer = phone.context.request.get(copied)
    assert answer.headers["content-type"].startswith("text/calendar")
    [event] = Calendar.from_ical(answer.body()).events
    assert str(event["summary"]) == "Salle des fêtes"


def test_an_officer_prints_a_sheet_for_the_door_without_names(
    cast: Cast, live: Live, desktop: Page, check_page: CheckPage, tmp_path: Any
) -> None:
    hand = Pointer(desktop, live.url)
    hand.enter(cast.olga)
    hand.menu("Demandes de réservation")
    hand.follow("La semaine de nos salles")
    hand.sees("Noces d’or")
    hand.sees("Bruno")
    check_page(desktop, "named")
    hand.follow("La même sans les noms, à imprimer pour la porte")
    expect(hand.main).not_to_contain_text("Noces")
    check_page(desktop, "for the door")
    desktop.pdf(path=tmp_path / "porte.pdf", prefer_css_page_size=True)
    [sheet] = PdfReader(tmp_path / "porte.pdf").pages
    said = sheet.extract_text()
    assert sheet.mediabox.width > sheet.mediabox.height
    assert "Salle des fêtes" in said
    beside = ("Noces", "Bruno", "Semaine d’après", "Afficher", "Marronnier", "Menu")
    assert [word for word in beside if word in said] == []
