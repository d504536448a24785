"""Whatever the functions of the books accept, the verifier accepts: their rules are the same, written twice.

People do what they like at moments that don't follow each other; what is refused is undone. Then everything is sealed
and read again. A rule of the database that is taken away is found by the verifier.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from exchange.config import LEDGER_ROLE, ROOT, WEB_ROLE
from exchange.members import operations as members
from ledger import verify
from ledger.entries import KINDS, Cause, Entry, Transfer
from ledger.errors import Refused
from ledger.limits import Limits
from ledger.store import sealing, writing
from tests.cast import Cast
from tests.ledger.conftest import Books
from tests.ledger.exported import KEY, export
from tests.ledger.racing import seeded

BOOKS, STEPS = (150, 120) if os.environ.get("MARRONNIER_FULL") else (12, 60)
FIRST = datetime(2026, 11, 21, 11, tzinfo=UTC)
pytestmark = pytest.mark.campaign


class Life:
    """What some people do, by chance."""

    def __init__(self, books: Books, chance: Random) -> None:
        self.books, self.session, self.chance = books, books.session, chance
        cast = books.cast
        people = (cast.alice, cast.bruno, cast.chloe, cast.denise)
        self.accounts = [books.account(person).id for person in people]
        self.accounts += [books.account(party.id).id for party in (cast.club, cast.town)]
        self.accounts.append(books.account(cast.community.party_id).id)
        self.entries: list[int] = []
        self.holds: list[int] = []
        self.months = 0
        self.at = FIRST
        self.done: Counter[str] = Counter()

    def live(self, steps: int) -> None:
        verbs: tuple[Callable[[], object], ...] = (
            self.give, self.give, self.give, self.teach, self.teach, self.set_aside, self.set_aside, self.post,
            self.post, self.give_back, self.correct, self.excuse, self.decide, self.leave, self.close, self.open,
            self.close_month,
        )  # fmt: skip
        for _ in range(steps):
            self.at += timedelta(hours=self.chance.randrange(0, 60))
            verb = self.chance.choice(verbs)
            try:
                with self.books.undone():
                    verb()
                self.done[verb.__name__] += 1
            except Refused as refused:
                self.done[refused.rule] += 1

    @property
    def moment(self) -> datetime:
        """Now, or so the clock says: it may have gone back."""
        return self.at - timedelta(hours=self.chance.choice((0, 0, 0, 1, 200)))

    def about(self) -> dict[str, Any]:
        by = self.chance.choice((self.books.cast.system, self.books.cast.bruno.by, self.books.cast.delegate))
        return {"community": self.books.community, "by": by, "at": self.moment}

    def minutes(self) -> int:
        return self.chance.choice((1, 30, 60, 400, 1500))

    def day(self) -> date:
        """Today, or weeks ago."""
        return (self.at - timedelta(days=self.chance.choice((0, 0, 1, 20, 45)))).date() - timedelta(days=9)

    def write(self, moves: int) -> None:
        transfers = tuple(
            Transfer(*self.chance.sample(self.accounts, 2), self.minutes()) for _ in range(moves)
        )  # fmt: skip
        kind = self.chance.choice([kind for kind in KINDS if kind != "correction"])
        entry = Entry(kind, transfers, self.day(), self.chance.choice((None, Cause("declaration", 1))),
                      self.chance.choice(("", "Jardinage")))  # fmt: skip
        number = writing.post(self.session, entry, key=self.books.key(), **self.about()).id
        assert number is not None
        self.entries.append(number)

    def give(self) -> None:
        self.write(1)

    def teach(self) -> None:
        self.write(self.chance.randrange(2, 6))

    def set_aside(self) -> None:
        payer, payee = self.chance.sample(self.accounts, 2)
        held = writing.hold(self.session, from_account=payer, to_account=payee, minutes=self.minutes(),
                            cause=("booking", 1), key=self.books.key(), **self.about())  # fmt: skip
        assert held.id is not None
        self.holds.append(held.id)

    def post(self) -> None:
        if self.holds:
            written = writing.post_hold(self.session, self.chance.choice(self.holds), minutes=self.minutes(),
                                        happened_on=self.day(), note="", **self.about())  # fmt: skip
            assert written.id is not None
            self.entries.append(written.id)

    def give_back(self) -> None:
        if self.holds:
            writing.release_hold(self.session, self.chance.choice(self.holds), expired=self.chance.random() < 0.5,
                                 **self.about())  # fmt: skip

    def correct(self) -> None:
        if self.entries:
            writing.reverse(self.session, self.chance.choice(self.entries), key=self.books.key(), reason="Erreur",
                            happened_on=self.day(), **self.about())  # fmt: skip

    def limits(self) -> dict[str, Any]:
        starts = self.at + timedelta(hours=self.chance.choice((-300, 0, 1, 50)))
        return {
            "limits": Limits(self.chance.choice((None, 0, -600, -2000, -5000))), "starts_at": starts,
            "ends_at": starts + timedelta(hours=self.chance.choice((1, 100, 1000))), "reason": "Décidé",
        }  # fmt: skip

    def excuse(self) -> None:
        writing.set_limit(self.session, account=self.chance.choice(self.accounts), **self.limits(), **self.about())

    def decide(self) -> None:
        told = self.limits() | self.chance.choice(({}, {"ends_at": None}))
        writing.set_limit(self.session, kind=self.chance.choice(("person", "organisation")), **told, **self.about())

    def leave(self) -> None:
        if self.chance.random() < 0.3:
            writing.leave_account(self.session, self.chance.choice(self.accounts), reason="Déménage", **self.about())

    def close(self) -> None:
        writing.close_account(self.session, self.chance.choice(self.accounts), reason="Déménage", **self.about())

    def open(self) -> None:
        party = members.add_party(self.session, kind="person", name="Inès", at=self.at)
        self.accounts.append(writing.open_account(
            self.session, community=self.books.community, party=party.id, kind="person", holder="Inès", at=self.moment
        ))  # fmt: skip

    def close_month(self) -> None:
        year, month = divmod(9 + self.months, 12)  # October 2026 first
        writing.close_month(self.session, date(2026 + year, month + 1, 1), **self.about())
        self.months += 1


def lived(books: Books, chance: Random, folder: Path, steps: int = STEPS) -> tuple[verify.Report, Counter[str]]:
    """The report on books that were lived, sealed in the middle and in the end; and what was done."""
    life = Life(books, chance)
    sealing.register(books.session, KEY.public, at=FIRST)
    life.live(steps // 2)
    early = sealing.seal(books.session, KEY, at=FIRST)
    assert early is not None
    life.live(steps - steps // 2)
    sealing.seal(books.session, KEY, at=FIRST, still=chance.random() < 0.5)
    late = sealing.last_head(books.session)
    assert late is not None
    path = folder / "export"
    path.write_bytes(export(books.session, late))
    return verify.verify(path, earlier=early.note, keys=[KEY.public]), life.done


def test_whatever_the_books_accept_the_verifier_accepts(books: Books, cast: Cast, tmp_path: Path) -> None:
    chance, done = seeded(), Counter[str]()
    for _ in range(BOOKS):
        whole = books.session.begin_nested()
        report, did = lived(books, chance, tmp_path)
        assert report.finding is None
        done += did
        whole.rollback()
        books.session.expire_all()
    print(done)
    verbs = {"give", "teach", "set_aside", "post", "give_back", "correct", "excuse", "decide", "leave", "open"}
    assert verbs <= set(done)
    assert {"floor-reached", "account-leaving", "account-not-settled", "hold-exceeded"} <= set(done)
    assert done["close_month"] > 0


GUARDS = {
    "floor": ("books_post", "v_payer.balance - v_payer.held < v_floor", "false"),
    "leaving": ("books_post", "v_first.ending IS NOT NULL OR v_second.ending IS NOT NULL", "false"),
    "hold-entry": ("books_resolve_hold", "coalesce(p_minutes, 0) NOT BETWEEN 1 AND v_hold.minutes", "false"),
    "month": ("books_close_month", "= p_month;", "IS NOT NULL;"),
    "clock": ("books_post", "clock = greatest(a.clock, p_at)", "clock = p_at"),
}


@pytest.mark.parametrize("rule", GUARDS)
def test_control_a_rule_that_the_database_forgets_is_found_in_its_books(
    books: Books, cast: Cast, tmp_path: Path, rule: str
) -> None:
    name, guard, without = GUARDS[rule]
    source = (ROOT / "migrations" / "sql" / f"{name}.v1.sql").read_text(encoding="utf-8")
    assert source.count(guard) == 1
    connection = books.session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute(f"SET LOCAL ROLE {LEDGER_ROLE}")
    connection.execute(source.replace(guard, without))
    connection.execute(f"SET LOCAL ROLE {WEB_ROLE}")
    found, chance = set(), seeded()
    for _ in range(30):
        whole = books.session.begin_nested()
        report, _did = lived(books, chance, tmp_path)
        whole.rollback()
        books.session.expire_all()
        if report.finding is not None:
            found.add(report.finding.rule)
        if rule in found:
            return
    pytest.fail(f"{found} alone were found")
