"""Olga has a spreadsheet of the town's buildings; when she is done, its halls can be booked."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from threading import Thread

import pytest
from playwright.sync_api import Page, expect

from exchange import jobs
from tests.cast import Cast, committed
from tests.exchange.imports.conftest import town_path
from tests.journeys.conftest import Opened
from tests.journeys.test_a_hall_is_lent import enter
from tests.journeys.test_first_page import Check
from tests.live import Live

CHOSEN = ("Maison pour tous", "Equipement sportifs", "Multi - affectation")
NARROW = "\u202f"


@pytest.fixture
def cast(live: Live) -> Cast:
    return committed(live.app, at=datetime.now(UTC))


def work(live: Live) -> None:
    """The worker does what is queued; in a thread of its own, as a browser is being driven in this one."""
    faults: list[BaseException] = []

    def run() -> None:
        try:
            jobs.work(live.app, wait=False, install_signal_handlers=False)
        except BaseException as fault:
            faults.append(fault)

    worker = Thread(target=run)
    worker.start()
    worker.join()
    assert faults == []


def figure(page: Page, label: str) -> int:
    return int(page.locator(".stat", has_text=label).locator(".stat-value").inner_text())


def upload(page: Page, path: object) -> None:
    page.get_by_label("Fichier CSV").set_input_files(str(path))
    page.get_by_role("button", name="Déposer").click()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_town_s_own_file_becomes_rooms_that_are_published(
    width: int, live: Live, opened: Opened, check_page: Check, cast: Cast
) -> None:
    olga = opened({"width": width, "height": 800})
    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/ressources")
    check_page(olga, "nothing yet")

    olga.get_by_role("link", name="Importer un tableur").first.click()
    check_page(olga, "give a file")
    upload(olga, town_path())
    assert [figure(olga, label) for label in ("Lignes lues", "À importer", "En erreur")] == [211, 160, 0]
    check_page(olga, "check")
    for category in CHOSEN:
        olga.get_by_label(re.compile(rf"^{re.escape(category)} \(")).check()
    olga.get_by_role("button", name="Enregistrer ces choix").click()
    assert figure(olga, "À importer") == 42

    olga.get_by_role("button", name="Importer 42 lignes").click()
    expect(olga.get_by_role("heading", level=1)).to_have_text("Import en cours")
    check_page(olga, "progress")
    olga.goto(f"{live.url}/preteurs/{cast.town.token}/imports")  # left, and found again
    check_page(olga, "files given")
    work(live)
    olga.get_by_role("link", name="montpellier-erp-2014.csv").click()
    expect(olga.get_by_role("heading", level=1)).to_have_text("L’import est terminé")
    assert [figure(olga, label) for label in ("Créées", "Laissées de côté", "Refusées")] == [42, 169, 0]
    check_page(olga, "report")

    olga.get_by_role("link", name="Donner les capacités et publier").click()
    boulodrome, gymnase = "Boulodrome Bernard Gasset", "Gymnase Alain Colas"
    for room, people in ((boulodrome, "9000"), (gymnase, "200")):
        olga.get_by_role("checkbox", name=room).check()
        olga.get_by_label(f"Capacité de {room}").fill(people)
    olga.get_by_role("button", name="Publier les lignes cochées").click()
    summary = olga.locator(".error-summary")
    assert f"La limite légale de ce bâtiment est de 1{NARROW}500 personnes" in summary.inner_text()
    check_page(olga, "refused")
    summary.get_by_role("link").click()
    expect(olga.get_by_label(f"Capacité de {boulodrome}")).to_be_focused()
    olga.get_by_label(f"Capacité de {boulodrome}").fill("150")
    olga.get_by_role("button", name="Publier les lignes cochées").click()
    expect(olga.get_by_text("2 ressources sont publiées.")).to_be_visible()
    check_page(olga, "published")

    anybody = opened({"width": width, "height": 800})
    anybody.goto(f"{live.url}/salles")
    assert gymnase in anybody.locator("main").inner_text()
    assert boulodrome in anybody.locator("main").inner_text()


def unscripted(page: Page) -> None:
    """From now on, none of our scripts comes."""
    page.route("**/app.js*", lambda route: route.fulfill(status=200, content_type="text/javascript"))


@pytest.mark.parametrize("width", [320, 1280])
def test_all_the_rooms_of_a_filter_are_changed_at_once(
    width: int, live: Live, opened: Opened, check_page: Check, cast: Cast
) -> None:
    olga = opened({"width": width, "height": 800})
    if width == 320:
        unscripted(olga)
    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/imports")
    upload(olga, town_path())
    olga.get_by_role("button", name="Importer 160 lignes").click()
    work(live)
    olga.goto(f"{live.url}/preteurs/{cast.town.token}/ressources")
    expect(olga.get_by_role("link", name="Modifier d’un coup les 160 de cette liste")).to_be_visible()
    olga.get_by_text("Filtrer la liste").click()
    olga.get_by_label("Catégorie").select_option("Equipement sportifs")
    olga.get_by_role("button", name="Filtrer").click()
    olga.get_by_role("link", name="Modifier d’un coup les 15 de cette liste").click()
    check_page(olga, "what to change")

    who, notice, shortest = (olga.get_by_label(words) for words in (
        "Qui répond aux demandes", "Combien de temps avant il faut demander", "La durée la plus courte",
    ))  # fmt: skip
    answer = olga.get_by_label("Une demande possible est acceptée aussitôt")
    expect(answer).to_be_hidden()  # what isn't to be changed has nothing to be filled
    who.first.check()
    answer.check()
    notice.check()
    olga.get_by_label("À demander au moins").select_option("2 jours avant")
    shortest.check()
    olga.get_by_label("Se prête au moins").fill("2")
    olga.get_by_text("Les 15 ressources choisies").click()
    olga.get_by_role("checkbox", name="Gymnase Jean Bouin").uncheck()
    check_page(olga, "chosen")
    olga.get_by_role("button", name="Continuer").click()
    olga.locator(".error-summary").get_by_role("link").click()
    expect(olga.get_by_label("Se prête au moins")).to_be_focused()
    check_page(olga, "refused")
    olga.get_by_label("Se prête au moins").fill("2 h")
    olga.get_by_role("button", name="Continuer").click()
    expect(olga.get_by_role("heading", level=1)).to_contain_text("Est-ce bien cela")
    check_page(olga, "check")
    olga.get_by_role("button", name="Modifier 14 ressources").click()
    expect(olga.get_by_text("14 ressources sont modifiées")).to_be_visible()
    check_page(olga, "changed")

    olga.get_by_role("checkbox", name="Gymnase Jean Bouin").check()
    olga.get_by_role("button", name="Modifier les lignes cochées").click()
    expect(olga.get_by_role("heading", level=1)).to_have_text("Modifier 1 ressource")
    olga.get_by_label("Ce qui est publié, ce qui est prêté").check()
    olga.get_by_label("Plus prêtées").check()
    olga.get_by_role("button", name="Continuer").click()
    olga.get_by_role("button", name="Modifier 1 ressource").click()
    expect(olga.get_by_text("1 ressource est modifiée")).to_be_visible()
    expect(olga.get_by_role("checkbox", name="Gymnase Jean Bouin")).to_be_visible()  # where it stands now


@pytest.mark.parametrize("width", [320, 1280])
def test_by_hand_a_room_a_pool_and_what_was_typed_wrongly(
    width: int, live: Live, opened: Opened, check_page: Check, cast: Cast
) -> None:
    olga = opened({"width": width, "height": 800})
    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/ressources")
    olga.get_by_role("link", name="Ajouter une salle").click()
    olga.get_by_label("Nom", exact=True).fill("Salle du conseil")
    olga.get_by_label("Capacité, en personnes").fill("beaucoup")
    olga.get_by_role("button", name="Ajouter").click()
    check_page(olga, "refused")
    assert olga.get_by_label("Nom", exact=True).input_value() == "Salle du conseil"
    olga.get_by_label("Capacité, en personnes").fill("40")
    olga.get_by_label("Où est-ce").select_option("nouveau")
    olga.get_by_text("Décrire un nouveau lieu").click()
    olga.get_by_label("Nom du bâtiment ou du lieu").fill("Mairie")
    olga.get_by_label("Conforme").check()
    olga.get_by_role("button", name="Ajouter").click()
    check_page(olga, "added")
    olga.get_by_role("button", name="Publier", exact=True).click()
    expect(olga.get_by_text(re.compile("Salle du conseil.* est publié"))).to_be_visible()
    said, change = olga.locator(".summary-list > div", has_text="Modifier le lieu").locator("dd").all()
    assert said.bounding_box()["y"] == change.bounding_box()["y"]  # what can be done stands beside what it is about
    olga.get_by_role("link", name="Modifier le lieu").click()
    check_page(olga, "place")
    olga.get_by_role("button", name="Enregistrer").click()
    olga.get_by_role("link", name="Ajouter un lot").click()
    check_page(olga, "pool")
    olga.get_by_label("Nom", exact=True).fill("Chaises")
    olga.get_by_label("Combien y en a-t-il").fill("40")
    olga.get_by_role("button", name="Ajouter").click()
    expect(olga.get_by_role("heading", level=1)).to_have_text("Chaises")


@pytest.mark.parametrize("width", [320, 1280])
def test_a_file_of_another_shape_is_mapped_and_a_workbook_is_refused(
    width: int, live: Live, opened: Opened, check_page: Check, cast: Cast, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("files")
    (folder / "stock.xlsx").write_bytes(b"PK\x03\x04" + b"." * 60 + b"xl/workbook.xml")
    (folder / "stock.csv").write_text("Objet;Combien;Rangé où\nChaise;40;Hangar\nTable;12;Cave\n", encoding="cp1252")
    olga = opened({"width": width, "height": 800})
    enter(olga, live, cast.olga, f"/preteurs/{cast.town.token}/imports")
    upload(olga, folder / "stock.xlsx")
    assert "C’est un classeur Excel" in olga.locator(".error-summary").inner_text()
    check_page(olga, "refused")
    upload(olga, folder / "stock.csv")
    check_page(olga, "columns")
    olga.get_by_label("Combien", exact=False).select_option("Quantité")
    olga.get_by_label("Rangé où").select_option("Lieu")
    olga.get_by_role("button", name="Continuer").click()
    olga.get_by_role("button", name="Importer 2 lignes").click()
    work(live)
    olga.goto(olga.url)
    assert figure(olga, "Créées") == 2
