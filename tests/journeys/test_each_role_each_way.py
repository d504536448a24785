"""What each role comes for, with a pointer on a telephone, with the keyboard alone, and without any script.

The most frequent acts are counted in screens: see ``interface.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.bookings import operations as bookings
from exchange.declarations import operations as declarations
from exchange.members import operations as members
from tests.cast import Cast, committed
from tests.exchange.bookings.conftest import wanting
from tests.exchange.declarations.test_declarations_operations import said
from tests.journeys.conftest import DESKTOP, PHONE, Complaints
from tests.journeys.hands import Keyboard, Pointer
from tests.lent import Lent, lend
from tests.live import Live

WAYS = ["pointer", "keyboard", "no script"]


class Village:
    """The cast, what is lent, and one thing that waits for each role."""

    def __init__(self, live: Live) -> None:
        at = datetime.now(UTC)
        self.cast: Cast = committed(live.app, at=at)
        today = at.astimezone(ZoneInfo("Europe/Paris"))
        self.saturday = (today + timedelta(days=(5 - today.weekday()) % 7 or 7)).replace(hour=14, minute=0)
        cast, engine = self.cast, create_engine(live.database.web_url, poolclass=NullPool)
        with Session(engine, expire_on_commit=False) as session:
            self.lent: Lent = lend(session, cast, at=at, chairs=60)
            bookings.ask(
                session, wanting(cast.alice.party.id, self.lent.drill, starts=at + timedelta(days=3), hours=2),
                zone="Europe/Paris", by=cast.alice.by, at=at,
            )  # fmt: skip
            declarations.declare(session, said(cast.alice, cast.bruno, 90, happened_on=today.date()), answer_days=30,
                                 today=today.date(), by=cast.alice.by, at=at)  # fmt: skip
            members.apply(session, community=cast.community.id, name="Yves Le Goff", email="yves@example.org",
                          phone="", message="Bonjour", at=at)  # fmt: skip
            session.commit()


@pytest.fixture
def village(live: Live) -> Village:
    return Village(live)


@pytest.fixture(params=WAYS)
def hand(request: pytest.FixtureRequest, chrome: Browser, live: Live, complaints: Complaints) -> Iterator[Pointer]:
    """Somebody in front of a screen."""
    way = request.param
    context = chrome.new_context(
        viewport=DESKTOP if way == "keyboard" else PHONE, locale="fr-FR", timezone_id="Europe/Paris",
        java_script_enabled=way != "no script",
    )  # fmt: skip
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints.listen(page)
    yield (Keyboard if way == "keyboard" else Pointer)(page, live.url)
    context.close()


def test_a_member_declares_in_three_screens_and_answers(hand: Pointer, village: Village) -> None:
    hand.enter(village.cast.alice)
    hand.shown = 0
    hand.follow("Déclarer un échange")
    hand.tick("J’ai aidé")
    hand.choose("Avec qui", "Chloé")
    hand.write("Combien de temps", "1h30")
    hand.write("En quelques mots", "Taille de la haie")
    hand.press("Continuer")
    hand.title("Est-ce bien cela")
    hand.press("Confirmer")
    hand.sees("90\u00a0marrons (1\u00a0h\u00a030)")
    assert hand.shown == 3
    hand.leave()

    hand.enter(village.cast.bruno)
    hand.follow("Alice")
    hand.press("Oui, c’est bien cela")
    hand.sees("C’est confirmé")


def test_a_delegate_finds_a_room_in_two_screens_and_books_it_in_three(hand: Pointer, village: Village) -> None:
    hand.enter(village.cast.bruno)
    hand.shown = 0
    hand.menu("Salles")
    hand.write_day("Quel jour", village.saturday.date())
    hand.write_hour("De", time(14))
    hand.write_hour("À", time(18))
    hand.press("Chercher")
    hand.sees("libres")
    assert hand.shown == 2
    hand.follow("Salle des fêtes")
    hand.title("Salle des fêtes")
    hand.shown = 0
    hand.follow("Demander à réserver")
    hand.choose("Au nom de qui", "Club de gymnastique")
    hand.write("Pour quoi faire", "Assemblée générale")
    hand.write("Combien de personnes", "60")
    hand.press("Continuer")
    hand.title("Est-ce bien cela")
    hand.press("Confirmer")
    hand.sees("En attente de décision")
    assert hand.shown == 3


def test_an_officer_decides_from_the_first_page(hand: Pointer, village: Village) -> None:
    hand.enter(village.cast.olga)
    hand.shown = 0
    hand.follow("Perceuse, pour Alice")
    hand.press("Accepter")
    hand.sees("C’est accepté")
    assert hand.shown == 2


def test_a_facilitator_declares_for_who_has_no_internet(hand: Pointer, village: Village) -> None:
    hand.enter(village.cast.fanny)
    hand.menu("Comptoir")
    hand.follow("Denise")
    hand.follow("Déclarer un échange")
    hand.tick("Denise a reçu de l’aide")
    hand.choose("Avec qui", "Bruno")
    hand.write("Combien de temps", "45 min")
    hand.write("En quelques mots", "Courses")
    hand.press("Continuer")
    hand.sees("Denise")
    hand.press("Confirmer")
    hand.sees("45\u00a0marrons")


def test_a_treasurer_has_everything_recomputed(hand: Pointer, village: Village, live: Live) -> None:
    hand.enter(village.cast.tibo)
    hand.menu("Les comptes")
    hand.sees("La somme de tous les soldes est zéro")
    hand.follow("Tout recalculer")
    hand.press("Tout recalculer maintenant")
    hand.sees("Recalcul en cours")
    live.database.do_jobs(live.app)
    hand.follow("Arrêter la mise à jour")
    hand.sees("Tout concorde")


def test_an_administrator_welcomes_somebody(hand: Pointer, village: Village) -> None:
    hand.enter(village.cast.aicha)
    hand.shown = 0
    hand.follow("1 personne demande à rejoindre")
    hand.follow("Yves Le Goff")
    hand.press("Accepter")
    hand.sees("Son identifiant est yves.le.goff")
    assert hand.shown == 3


def test_a_visitor_asks_to_join_and_is_told_what_is_missing(hand: Pointer, village: Village) -> None:
    hand.page.goto(hand.url)
    hand.follow("Demander à rejoindre")
    hand.press("Envoyer ma demande")
    hand.sees("Écrivez votre nom.")
    hand.write("Votre nom", "Léna Le Goff")
    hand.write("Votre courriel", "lena@example.org")
    hand.press("Envoyer ma demande")
    hand.title("Merci")


@pytest.mark.parametrize("hand", ["keyboard"], indirect=True)
def test_control_what_keys_cannot_reach_and_a_focus_that_does_not_show_are_noticed(
    hand: Pointer, village: Village
) -> None:
    hand.page.goto(hand.url)
    hand.main.evaluate("main => main.querySelectorAll('a').forEach(each => each.style.outline = 'none')")
    with pytest.raises(AssertionError, match="no visible focus"):
        hand.follow("Demander à rejoindre")
    hand.main.evaluate("main => main.querySelectorAll('a').forEach(each => each.tabIndex = -1)")
    hand.main.evaluate("() => document.activeElement.blur()")
    with pytest.raises(AssertionError, match="out of reach"):
        hand.follow("Demander à rejoindre")
