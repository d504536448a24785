"""Alice verifies her line on her own computer; two administrators settle who leaves, and a month is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import clock, sealing
from exchange.declarations import operations
from exchange.members import operations as members
from ledger.__main__ import main
from ledger.store import sealing as sealed
from tests.cast import Cast, committed
from tests.exchange.declarations.test_declarations_operations import said
from tests.journeys.test_a_treasurer_audits import signs_in
from tests.live import Live

Check = Callable[..., None]


def lived(live: Live) -> tuple[Cast, str]:
    """Bruno was helped by Alice last month; Chloé is an administrator too. Everything is sealed."""
    cast, now = committed(live.app, at=clock.now() - timedelta(days=80)), clock.now()
    last_month = clock.local_date(now, "Europe/Paris").replace(day=1) - timedelta(days=5)
    with Session(create_engine(live.database.web_url, poolclass=NullPool)) as session:
        operations.declare(session, said(cast.alice, cast.bruno, 90, happened_on=last_month), answer_days=30,
                           today=last_month, by=cast.bruno.by, at=now)  # fmt: skip
        assert cast.chloe.sign_in is not None
        members.grant(session, sign_in=cast.chloe.sign_in.id, party=cast.community.party_id, role="administrator",
                      starts_on=date(2026, 1, 1), granted_by=None, at=now)  # fmt: skip
        session.commit()
    with live.app.app_context():
        sealing.seal_now(at=now)
    with Session(create_engine(live.database.web_url, poolclass=NullPool)) as session:
        [key] = sealed.keys(session)
    return cast, str(key)


def test_alice_downloads_the_proof_of_her_line_and_checks_it_herself(
    desktop: Page, phone: Page, live: Live, check_page: Check, tmp_path: Path
) -> None:
    _cast, key = lived(live)
    phone.goto(f"{live.url}/livre")
    expect(phone.get_by_role("heading", name="La dernière signature")).to_be_visible()
    check_page(phone, "seals")
    head = tmp_path / "tete.txt"
    head.write_text(phone.request.get(f"{live.url}/livre/tete").text(), encoding="utf-8")
    signs_in(desktop, live, "alice")
    desktop.get_by_role("link", name="Mon compte").first.click()
    check_page(desktop, "statement")
    with desktop.expect_download() as taken:
        desktop.get_by_role("link", name="Preuve de la ligne 1").click()
    assert main(["verify-entry", str(taken.value.path()), "--key", key, "--head", str(head)]) == 0


def test_an_administrator_takes_the_books_and_verifies_them(
    desktop: Page, live: Live, check_page: Check, tmp_path: Path
) -> None:
    _cast, key = lived(live)
    signs_in(desktop, live, "aicha")
    desktop.goto(f"{live.url}/livre")
    with desktop.expect_download() as taken:
        desktop.get_by_role("button", name="Télécharger le livre").click()
    assert main(["verify", str(taken.value.path()), "--key", key]) == 0
    desktop.reload()
    desktop.get_by_text("Qui l’a pris").click()
    expect(desktop.get_by_text("Aïcha, le")).to_be_visible()
    check_page(desktop, "taken")


def test_two_administrators_settle_who_leaves(phone: Page, desktop: Page, live: Live, check_page: Check) -> None:
    lived(live)
    signs_in(phone, live, "aicha")
    phone.get_by_role("button", name="Menu").click()
    phone.get_by_role("link", name="Les comptes").first.click()
    phone.get_by_role("link", name="Alice").click()
    phone.get_by_role("link", name="Noter un départ").click()
    check_page(phone, "leaves")
    phone.get_by_label("Pourquoi").fill("Part vivre à Nantes")
    phone.get_by_role("button", name="Noter ce départ").click()
    phone.get_by_role("link", name="Solder ce compte").click()
    phone.get_by_label("Pourquoi").fill("Elle le souhaite")
    phone.get_by_role("button", name="Proposer").click()
    expect(phone.get_by_text("Un autre administrateur que vous doit l’approuver.")).to_be_visible()
    check_page(phone, "proposed")
    signs_in(desktop, live, "chloe")
    desktop.goto(phone.url)
    check_page(desktop, "to approve")
    desktop.get_by_role("button", name="Approuver et solder").click()
    expect(desktop.get_by_text("Le compte est soldé.")).to_be_visible()
    check_page(desktop, "settled")
    desktop.get_by_role("link", name="Exceptions et corrections").click()
    check_page(desktop, "exceptions")


def test_a_treasurer_closes_last_month(phone: Page, live: Live, check_page: Check) -> None:
    lived(live)
    signs_in(phone, live, "tibo")
    phone.get_by_role("button", name="Menu").click()
    phone.get_by_role("link", name="Les comptes").first.click()
    phone.get_by_role("link", name="Les mois").click()
    check_page(phone, "months")
    phone.get_by_role("button", name="Clore").click()
    expect(phone.get_by_text("ses chiffres ne changeront plus")).to_be_visible()
    check_page(phone, "closed")
