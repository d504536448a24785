"""Tibo opens the books on a Saturday: everything sums to zero, one slip was keyed twice, and he puts it right."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import clock
from exchange.declarations import operations
from tests.cast import PASSWORD, Cast, committed
from tests.exchange.declarations.test_declarations_operations import said
from tests.live import Live

Check = Callable[..., None]


def lived(live: Live) -> Cast:
    """Bruno said twice that Alice helped him."""
    cast = committed(live.app, at=clock.now())
    today = clock.local_date(clock.now(), "Europe/Paris")
    with Session(create_engine(live.database.web_url, poolclass=NullPool)) as session:
        for _time in range(2):
            operations.declare(session, said(cast.alice, cast.bruno, 90, happened_on=today), answer_days=30,
                               today=today, by=cast.bruno.by, at=clock.now())  # fmt: skip
        session.commit()
    return cast


def signs_in(page: Page, live: Live, user_name: str) -> None:
    page.goto(f"{live.url}/connexion")
    page.locator("main input[name=username]").fill(user_name)
    page.locator("main input[type=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()


def test_a_treasurer_reads_everything_and_corrects_with_a_reason(desktop: Page, live: Live, check_page: Check) -> None:
    lived(live)
    signs_in(desktop, live, "tibo")
    desktop.get_by_role("link", name="Les comptes").first.click()
    expect(desktop.get_by_text("La somme de tous les soldes est zéro")).to_be_visible()
    check_page(desktop, "balance")
    desktop.get_by_role("link", name="Bruno").click()
    check_page(desktop, "account")
    desktop.get_by_role("link", name="Échange n°").first.click()
    check_page(desktop, "entry")
    desktop.get_by_role("link", name="Corriger cette écriture").click()
    check_page(desktop, "confirm")
    desktop.get_by_role("button", name="Écrire la correction").click()
    expect(desktop.get_by_role("alert")).to_contain_text("Dites pourquoi")
    check_page(desktop, "refused")
    desktop.get_by_label("Pourquoi").fill("Saisi deux fois")
    desktop.get_by_role("button", name="Écrire la correction").click()
    expect(desktop.get_by_text("La correction est écrite")).to_be_visible()
    expect(desktop.get_by_text("Saisi deux fois")).to_be_visible()
    check_page(desktop, "corrected")
    desktop.get_by_role("link", name="Tout recalculer").click()
    expect(desktop.get_by_text("Rien n’a encore été recalculé")).to_be_visible()
    check_page(desktop, "never-verified")
    desktop.get_by_role("button", name="Tout recalculer maintenant").click()
    expect(desktop.get_by_text("Recalcul en cours")).to_be_visible()
    check_page(desktop, "verifying")
    live.database.do_jobs(live.app)
    expect(desktop.get_by_text("Tout concorde")).to_be_visible(timeout=10_000)  # the page came again by itself
    check_page(desktop, "verified")


def test_an_administrator_looks_after_the_accounts_from_a_telephone(phone: Page, live: Live, check_page: Check) -> None:
    lived(live)
    signs_in(phone, live, "aicha")
    phone.get_by_role("button", name="Menu").click()
    phone.get_by_role("link", name="Les comptes").first.click()
    check_page(phone, "balance")
    phone.get_by_role("link", name="Toutes les écritures").click()
    check_page(phone, "entries")
    phone.get_by_role("link", name="Limites des comptes").click()
    check_page(phone, "limits")
    phone.go_back()
    phone.get_by_role("link", name="Lettres envoyées").click()
    check_page(phone, "letters")
    phone.get_by_role("link", name="Tous les soldes").click()
    phone.get_by_role("link", name="Denise").click()
    phone.get_by_role("link", name="Clore ce compte").click()
    phone.get_by_label("Pourquoi").fill("Déménage à Nantes")
    check_page(phone, "close")
    phone.get_by_role("button", name="Clore ce compte").click()
    expect(phone.get_by_text("Le compte est clos.")).to_be_visible()
    check_page(phone, "closed")
