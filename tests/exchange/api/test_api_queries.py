"""No answer costs more queries than a page may, and none costs more for more rows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from exchange.bookings.operations import ask
from exchange.bookings.wanted import Request, Wanted
from tests.cast import NOON, Cast
from tests.counting import counted
from tests.exchange.api.conftest import JSON, Program, account_of
from tests.lent import Lent

MOST = 12


def cost(program: Program, path: str) -> int:
    with counted() as made:
        program.read(path)
    return len(made)


def test_no_list_costs_more_for_more_rows(
    alice: Program, bruno: Program, olga: Program, cast: Cast, lent: Lent, gardening: JSON, session: Session
) -> None:
    community = alice.read("/me")["communities"][0]["id"]
    desk = f"/lenders/{cast.town.token}"
    mine = account_of(cast.alice)
    read = [
        (alice, "/me"), (alice, f"{mine}/statement"), (alice, f"{mine}/declarations"), (alice, "/bookings"),
        (alice, f"/communities/{community}/members"), (alice, f"/communities/{community}/adverts"), (alice, "/threads"),
        (alice, "/resources"), (olga, f"{desk}/requests"), (olga, f"{desk}/loans"), (olga, f"{desk}/resources"),
    ]  # fmt: skip

    def live(day: int) -> None:
        """One thing more of each kind."""
        alice.do(f"{mine}/declarations", gardening)
        bruno.do(f"{account_of(cast.bruno)}/declarations",
                 gardening | {"direction": "given", "other": cast.alice.party.token})  # fmt: skip
        advert = alice.do(f"{mine}/adverts", {"kind": "offer", "category": "Jardin", "title": "Taille de haies"})
        bruno.do(f"/adverts/{advert['id']}/messages", {"party": cast.bruno.party.token, "text": "Demain ?"})
        starts = NOON + timedelta(days=day)
        for resource in (lent.drill, lent.half):
            wanted = Request(cast.alice.party.id, (Wanted(resource),), starts, starts + timedelta(hours=2), "Fête")
            ask(session, wanted, zone="Europe/Paris", by=cast.alice.by, at=NOON)

    live(1)
    once = {path: cost(program, path) for program, path in read}
    for day in range(2, 6):
        live(day)
    again = {path: cost(program, path) for program, path in read}
    assert again == once
    assert max(once.values()) <= MOST, once
