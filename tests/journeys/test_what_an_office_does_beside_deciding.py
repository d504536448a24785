"""What comes back every week, works that displace it, photographs, labels, slots: each walked once, on both widths."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.cast import Cast
from tests.journeys.conftest import Opened
from tests.journeys.test_a_hall_is_lent import ask, enter, next_saturday, town
from tests.journeys.test_first_page import Check
from tests.lent import Lent
from tests.live import Live
from tests.photos import PHOTO

__all__ = ["town"]  # a fixture

BOTH = pytest.mark.parametrize("width", [320, 1280])


def press(page: Page, button: str) -> None:
    """Press a button of the page."""
    page.locator("main").get_by_role("button", name=button, exact=True).click()


def says(page: Page, words: str) -> None:
    """Wait for these words in the page."""
    expect(page.locator("main")).to_contain_text(words)


@BOTH
def test_a_series_is_asked_for_without_the_days_that_are_taken_and_decided_together(
    width: int, live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent]
) -> None:
    cast, lent = town
    first = next_saturday()
    alice, bruno, olga = (opened({"width": width, "height": 700}) for _person in range(3))
    enter(bruno, live, cast.bruno)
    ask(bruno, live, lent.half.token, first + timedelta(days=7), "Loto")
    bruno.get_by_label("Au nom de qui").select_option(label="Bruno")
    press(bruno, "Continuer")
    press(bruno, "Confirmer")

    enter(alice, live, cast.alice, f"/salles/{lent.half.token}/reserver")
    alice.get_by_role("link", name=re.compile("plusieurs fois")).click()
    alice.locator("#day").fill(first.date().isoformat())
    alice.get_by_label("À partir de").fill("14:00")
    alice.get_by_label("Jusqu’à", exact=True).fill("18:00")
    alice.get_by_label("Jusqu’à quel jour").fill((first + timedelta(days=21)).date().isoformat())
    alice.get_by_label("Pour quoi faire").fill("Chorale")
    check_page(alice, "series")
    press(alice, "Voir les jours")
    says(alice, "3 jours libres")
    says(alice, "Voir la semaine")  # of the day that Bruno has
    assert alice.locator("input[name=days]:disabled").count() == 1
    check_page(alice, "days")
    alice.locator("input[name=days]:checked").last.uncheck()
    press(alice, "Demander les jours cochés")
    expect(alice.get_by_role("heading", level=1)).to_contain_text("2 jours")
    check_page(alice, "asked")

    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/demandes")
    olga.get_by_role("link", name=re.compile("Demi-salle sud")).filter(has_not_text="Loto").last.click()
    if olga.get_by_role("link", name=re.compile("Un jour parmi")).count():
        olga.get_by_role("link", name=re.compile("Un jour parmi")).click()
    check_page(olga, "series")
    press(olga, "Accepter les 2 jours qui attendent")
    alice.reload()
    expect(alice.locator("main").get_by_text("Accepté", exact=True)).to_have_count(2)
    alice.locator("summary", has_text="Je n’en ai plus besoin").click()
    press(alice, "Annuler tous les jours à venir")
    expect(alice.locator("main").get_by_text("Accepté", exact=True)).to_have_count(0)
    check_page(alice, "cancelled")


@BOTH
def test_works_displace_a_booking_and_its_borrower_accepts_the_other_room(
    width: int, live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent]
) -> None:
    cast, lent = town
    day = next_saturday()
    alice, olga = (opened({"width": width, "height": 700}) for _person in range(2))
    enter(alice, live, cast.alice)
    ask(alice, live, lent.half.token, day, "Bal")
    press(alice, "Continuer")
    press(alice, "Confirmer")

    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/ressources/{lent.half.token}")
    olga.get_by_role("link", name="Fermer pour un temps").click()
    olga.get_by_label("Travaux").check()
    olga.get_by_label("À partir de quel jour").fill(day.date().isoformat())
    olga.get_by_label("Jusqu’à quel jour").fill((day + timedelta(days=2)).date().isoformat())
    olga.get_by_label("Ce que tout le monde lira").fill("Réfection du parquet")
    check_page(olga, "closing")
    press(olga, "Continuer")
    says(olga, "1 réservation à déplacer")
    check_page(olga, "check")
    press(olga, "Fermer pour ce temps")
    says(olga, "1 réservation à déplacer")
    check_page(olga, "closure")
    olga.locator("main").get_by_role("link", name=re.compile("Alice|Demi-salle sud")).first.click()
    olga.locator("summary", has_text="Cela ne peut pas avoir lieu comme prévu").click()
    olga.get_by_role("link", name="Proposer autre chose").click()
    check_page(olga, "offering")
    olga.locator("main .tasks").get_by_role("link", name="Demi-salle nord").first.click()
    olga.get_by_label("Un mot pour l’expliquer").fill("Le parquet est refait.")
    press(olga, "Proposer")
    says(olga, "C’est proposé")
    check_page(olga, "offered")

    alice.goto(f"{live.url}/reservations")
    check_page(alice, "mine")
    alice.locator("main").get_by_role("link", name="Demi-salle nord").click()
    says(alice, "Le parquet est refait.")
    check_page(alice, "offer")
    press(alice, "Oui, cela me convient")
    says(alice, "C’est d’accord")
    olga.goto(f"{live.url}/preteurs/{cast.town.token}/fermetures")
    olga.locator("main").get_by_role("link", name="Demi-salle sud").first.click()
    says(olga, "Aucune réservation n’est à déplacer.")
    press(olga, "Rouvrir maintenant")
    says(olga, "C’est de nouveau prêté.")
    check_page(olga, "open")


@BOTH
def test_photographs_are_added_and_everybody_sees_them(
    width: int, live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent], tmp_path: Path
) -> None:
    cast, lent = town
    olga, visitor = (opened({"width": width, "height": 700}) for _person in range(2))
    photo = tmp_path / "salle.jpg"
    photo.write_bytes(PHOTO)
    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/ressources/{lent.hall.token}")
    olga.get_by_role("link", name="Photos", exact=True).click()
    press(olga, "Ajouter")
    says(olga, "Choisissez une photo sur votre appareil.")
    olga.locator("input[type=file]").set_input_files(photo)
    olga.get_by_label("Ce qu’on y voit").fill("La scène, rideau ouvert")
    press(olga, "Ajouter")
    says(olga, "La photo est ajoutée.")
    check_page(olga, "pictures")
    visitor.goto(f"{live.url}/salles/{lent.hall.token}")
    shown = visitor.get_by_role("img", name="La scène, rideau ouvert")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.complete && image.naturalWidth > 0"), "it is fetched, and is an image"
    check_page(visitor, "seen")
    press(olga, "Supprimer la photo 1")
    says(olga, "La photo est supprimée.")
    visitor.reload()
    expect(visitor.locator("main img")).to_have_count(0)


@BOTH
def test_labels_are_downloaded_as_a_sheet_to_print(
    width: int, live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent]
) -> None:
    cast, lent = town
    olga = opened({"width": width, "height": 700})
    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/ressources/{lent.drill.token}")
    olga.get_by_role("link", name="Étiquette à coller").click()
    expect(olga.get_by_label("Pour quoi").locator("option:checked")).to_have_text("Perceuse")
    olga.get_by_label("À partir de quelle étiquette").fill("99")
    press(olga, "Préparer la planche")
    says(olga, "Cette planche a 21 étiquettes.")
    check_page(olga, "labels")
    olga.get_by_label("À partir de quelle étiquette").fill("4")
    with olga.expect_download() as coming:
        press(olga, "Préparer la planche")
    assert coming.value.suggested_filename == "etiquettes.pdf"
    sheet = Path(coming.value.path()).read_bytes()
    assert sheet.startswith(b"%PDF-")
    assert sheet.rstrip().endswith(b"%%EOF")


@BOTH
def test_a_slot_is_chosen_whole(
    width: int, live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent]
) -> None:
    cast, lent = town
    with create_engine(live.database.web_url, poolclass=NullPool).begin() as connection:
        slots = {"slots": "08:00-13:00,13:00-18:00", "id": lent.half.id}
        connection.execute(text("UPDATE resources SET slots = :slots WHERE id = :id"), slots)
    day = next_saturday()
    alice = opened({"width": width, "height": 700})
    enter(alice, live, cast.alice, f"/salles/{lent.half.token}?jour={day:%Y-%m-%d}&de=14:00&a=16:00")
    says(alice, "8\u00a0h à 13\u00a0h")
    alice.get_by_role("link", name="Demander à réserver").click()
    starts, ends = alice.get_by_label("À partir de"), alice.get_by_label("Jusqu’à", exact=True)
    assert (starts.input_value(), ends.input_value()) == ("13:00", "18:00"), "the slot around what was looked for"
    check_page(alice, "slots")
    ends.select_option("13:00")
    alice.get_by_label("Pour quoi faire").fill("Goûter")
    press(alice, "Continuer")
    assert alice.locator(".error-summary").count() == 1, "it ends where it starts"
    check_page(alice, "refused")
    starts.select_option("08:00")
    press(alice, "Continuer")
    press(alice, "Confirmer")
    says(alice, "de 8\u00a0h à 13\u00a0h")
    alice.goto(f"{live.url}/salles/{lent.half.token}?jour={day:%Y-%m-%d}")
    check_page(alice, "week")
