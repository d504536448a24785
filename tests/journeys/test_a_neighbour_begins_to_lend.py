"""Alice begins to lend her drill from her telephone, Bruno borrows it, she hands it over and takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.cast import Cast
from tests.journeys.conftest import Opened
from tests.journeys.hands import Keyboard, Pointer
from tests.journeys.test_a_hall_is_lent import enter, next_saturday, town
from tests.journeys.test_first_page import Check
from tests.lent import Lent
from tests.live import Live
from tests.photos import PHOTO

__all__ = ["town"]  # a fixture

STREET = "12 rue des Lilas"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photograph on the device."""
    file = tmp_path / "perceuse.jpg"
    file.write_bytes(PHOTO)
    return file


@pytest.mark.parametrize("moved_by", [Pointer, Keyboard])
def test_a_drill_is_lent_in_three_screens_borrowed_and_returned(
    moved_by: type[Pointer], live: Live, opened: Opened, check_page: Check, town: tuple[Cast, Lent], photo: Path
) -> None:
    cast, _lent = town
    phone, other = opened({"width": 320, "height": 640}), opened({"width": 320, "height": 640})
    alice, bruno = moved_by(phone, live.url), moved_by(other, live.url)

    alice.enter(cast.alice)
    alice.shown = 0
    alice.follow("Prêter quelque chose")
    alice.title("Prêter quelque chose")
    check_page(phone, "what")
    alice.write("Qu’est-ce que c’est", "Perceuse à percussion")
    phone.locator("input[type=file]").set_input_files(photo)
    alice.press("Continuer")
    alice.title("Comment vous le prêtez")
    check_page(phone, "how")
    alice.press("Publier")
    alice.sees("Dites où l’on vient le chercher.")
    check_page(phone, "how-refused")
    alice.write("Où vient-on le chercher", STREET)
    alice.write("Commune", "Saint-Marron")
    alice.press("Publier")
    alice.title("C’est publié")
    check_page(phone, "lent")
    assert alice.shown == 4, "three screens, and one that was refused"

    day = next_saturday()
    bruno.enter(cast.bruno)
    other.goto(f"{live.url}/salles?q=percussion&day={day:%Y-%m-%d}&starts=14:00&ends=18:00")
    bruno.sees("Perceuse à percussion")
    assert STREET not in other.content()
    bruno.follow("Perceuse à percussion")
    bruno.title("Perceuse à percussion")
    assert other.locator("main img").count() == 1
    bruno.follow("Demander à réserver")
    bruno.write("Pour quoi faire", "Fixer une étagère")
    bruno.press("Continuer")
    bruno.press("Confirmer")
    bruno.sees("En attente de décision")
    assert STREET not in other.content()

    alice.page.goto(live.url)
    alice.follow("Perceuse à percussion, pour Bruno")
    alice.title("Demande de Bruno")
    check_page(phone, "request")
    alice.press("Accepter")
    alice.title("On me demande")
    check_page(phone, "requests")
    other.reload()
    bruno.sees(f"Alice, {STREET}, Saint-Marron")

    alice.follow("Perceuse à percussion")
    alice.follow("Noter la remise")
    alice.title("Que remettez-vous")
    alice.press("Noter la remise")
    alice.sees("La remise est notée.")
    alice.follow("Noter le retour")
    alice.title("Qu’est-ce qui revient")
    check_page(phone, "taking-back")
    alice.press("Noter le retour")
    alice.sees("le prêt est terminé.")
    check_page(phone, "returned")
    other.reload()
    bruno.sees("Rendu")
    assert STREET not in other.content(), "what is over doesn't say it any more"


def test_it_works_without_a_script_and_her_menu_has_what_she_lends(
    live: Live, chrome: Browser, town: tuple[Cast, Lent]
) -> None:
    cast, _lent = town
    context = chrome.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640}, locale="fr-FR")
    phone = context.new_page()
    enter(phone, live, cast.chloe, "/salles")
    phone.get_by_role("link", name="Prêter quelque chose").click()
    phone.get_by_label("Qu’est-ce que c’est").fill("Tables de jardin")
    phone.get_by_label("Plusieurs pareils").check()
    phone.get_by_label("Combien, s’il y en a plusieurs").fill("4")
    phone.get_by_role("button", name="Continuer").click()
    phone.get_by_label("Certains jours, entre deux heures").check()
    phone.locator("summary", has_text="Quels jours").click()
    phone.get_by_label("samedi").check()
    phone.get_by_label("De", exact=True).fill("09:00")
    phone.get_by_label("À", exact=True).fill("19:00")
    phone.get_by_label("Où vient-on le chercher").fill("Sur le perron")
    phone.get_by_label("Commune").fill("Saint-Marron")
    phone.get_by_role("button", name="Publier").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("C’est publié")
    phone.goto(f"{live.url}/preteurs/{cast.chloe.party.token}/ressources")
    expect(phone.locator("main")).to_contain_text("lot de 4")
    assert "Ce que je prête" in phone.get_by_role("navigation", name="Navigation principale").text_content()
    context.close()
