"""Alice's program reads the agreement of her loan, and accepts the text that it read."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy.orm import Session

from exchange.agreements import operations, queries, telling
from exchange.agreements.operations import Wording
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from tests.cast import NOON, Cast
from tests.exchange.api.conftest import Held, Program, refusal
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent


@pytest.fixture
def loan(session: Session, cast: Cast, lent: Lent) -> str:
    """Accepted, with an agreement that waits for the town."""
    operations.write_template(session, Wording("Convention", "# {numero}\n\n{demandeur} : {quoi}"), lender=cast.town.id,
                              by=cast.olga.by, at=NOON)  # fmt: skip
    asked = bookings.ask(session, wanting(cast.alice.party.id, lent.hall), zone="Europe/Paris", by=cast.alice.by,
                         at=NOON)  # fmt: skip
    bookings.accept(session, asked.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    found = telling.loans(session, [booked.view(session, asked.id, at=NOON)])
    telling.make(session, found[0], by=cast.olga.by, at=NOON)
    return str(asked.token)


def by_the_town(session: Session, cast: Cast) -> None:
    agreement = queries.of_lender(session, cast.town.id)[0]
    operations.accept(session, agreement, "lender", digest=agreement.digest, name="Olga", sentence="Oui",
                      on=NOON.date(), by=cast.olga.by, at=NOON)  # fmt: skip


def test_a_program_reads_and_accepts_in_turn(alice: Program, session: Session, cast: Cast, loan: str) -> None:
    told = alice.read(f"/bookings/{loan}/agreement")
    assert (told["number"], told["state"], told["turn"]) == ("C-2026-0001", "open", "lender")
    assert hashlib.sha256(told["text"].encode()).hexdigest() == told["digest"]
    accepting = f"/bookings/{loan}/agreement/acceptance"
    assert refusal(alice.post(accepting, {"digest": told["digest"]})) == (409, "not-your-turn")
    by_the_town(session, cast)
    assert refusal(alice.post(accepting, {"digest": "0" * 64})) == (409, "another-text")
    assert refusal(alice.post(accepting, {"digest": "zz"})) == (409, "another-text")
    done = alice.do(accepting, {"digest": told["digest"]}, key="once")
    assert (done["state"], done["turn"]) == ("signed", None)
    assert [each["name"] for each in done["acceptances"]] == ["Olga", "Alice"]
    assert alice.do(accepting, {"digest": told["digest"]}, key="once") == done
    assert refusal(alice.post(accepting, {"digest": told["digest"]})) == (409, "already-answered")


def test_it_is_nobody_else_s(bruno: Program, olga: Program, held_by: Held, cast: Cast, loan: str) -> None:
    for program in (bruno, olga, held_by(cast.fanny)):
        assert refusal(program.get(f"/bookings/{loan}/agreement")) == (404, "not-found")
        answer = program.post(f"/bookings/{loan}/agreement/acceptance", {"digest": "0" * 64})
        assert refusal(answer) == (404, "not-found")


def test_a_booking_without_an_agreement_has_none(alice: Program, session: Session, cast: Cast, lent: Lent) -> None:
    asked = bookings.ask(session, wanting(cast.alice.party.id, lent.drill), zone="Europe/Paris", by=cast.alice.by,
                         at=NOON)  # fmt: skip
    assert refusal(alice.get(f"/bookings/{asked.token}/agreement")) == (404, "not-found")
