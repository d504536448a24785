"""No answer costs more queries than a page may, and none costs more for more rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from exchange.bookings.operations import Request, Wanted, ask
from tests.cast import NOON, Cast
from tests.exchange.api.conftest import JSON, Program, account_of
from tests.lent import Lent

MOST = 12


@contextmanager
def counted() -> Iterator[list[str]]:
    """The queries that are made meanwhile."""
    made: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            made.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield made
    event.remove(Engine, "before_cursor_execute", note)


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
