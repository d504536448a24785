"""The cast, and the books in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.entries import Acting, Entry, Transfer
from ledger.limits import Limits
from ledger.store import reading, writing
from ledger.store.reading import AccountView
from ledger.store.writing import Written
from tests.cast import NOON, SATURDAY, Cast, Person, gather
from tests.databases import as_owner

LATER = NOON + timedelta(hours=1)


@dataclass
class Books:
    """Writes as the system of the community unless told otherwise, each time under a new key."""

    session: Session
    cast: Cast
    keys: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**9)))

    @property
    def community(self) -> int:
        return self.cast.community.id

    def key(self) -> str:
        return f"test:{next(self.keys)}"

    def account(self, whose: Person | int) -> AccountView:
        party = whose if isinstance(whose, int) else whose.party.id
        found = reading.account_of(self.session, self.community, party)
        assert found is not None
        return found

    def balance(self, whose: Person | int) -> int:
        return self.account(whose).balance

    def move(self, *moves: tuple[Person, Person, int], kind: str = "exchange", on: date = SATURDAY) -> Entry:
        """An entry in which the first helps the second, for so many minutes."""
        transfers = (
            Transfer(self.account(receiver).id, self.account(giver).id, minutes) for giver, receiver, minutes in moves
        )
        return Entry(kind, tuple(transfers), on)

    def post(
        self, entry: Entry, *, key: str | None = None, by: Acting | None = None, at: datetime = LATER
    ) -> Written:
        return writing.post(
            self.session, entry, community=self.community, key=key or self.key(), by=by or self.cast.system, at=at
        )

    def give(self, giver: Person, receiver: Person, minutes: int, *, at: datetime = LATER) -> int:
        """One exchange; its number."""
        number = self.post(self.move((giver, receiver, minutes)), at=at).id
        assert number is not None
        return number

    def reverse(self, entry: int, *, by: Acting | None = None, key: str | None = None, at: datetime = LATER) -> Written:
        return writing.reverse(
            self.session, entry, community=self.community, key=key or self.key(), reason="Saisi deux fois",
            happened_on=SATURDAY, by=by or self.cast.system, at=at,
        )  # fmt: skip

    def hold(self, payer: Person, payee: Person, minutes: int, *, key: str | None = None, at: datetime = LATER) -> int:
        held = writing.hold(
            self.session, community=self.community, from_account=self.account(payer).id,
            to_account=self.account(payee).id, minutes=minutes, cause=("booking", 1), key=key or self.key(),
            by=self.cast.system, at=at,
        )  # fmt: skip
        assert held.id is not None
        return held.id

    def post_hold(self, hold: int, minutes: int, *, at: datetime = LATER) -> Written:
        return writing.post_hold(
            self.session, hold, community=self.community, minutes=minutes, happened_on=SATURDAY, by=self.cast.system,
            at=at, note="",
        )  # fmt: skip

    def release(self, hold: int, *, expired: bool = False) -> Written:
        return writing.release_hold(
            self.session, hold, community=self.community, by=self.cast.system, at=LATER, expired=expired
        )

    def exception(
        self, whose: Person, floor: int | None, *, starts: datetime = LATER, ends: datetime | None = None,
        at: datetime = LATER,
    ) -> int:  # fmt: skip
        return writing.set_limit(
            self.session, Limits(floor), community=self.community, account=self.account(whose).id, starts_at=starts,
            ends_at=ends or starts + timedelta(days=30), reason="Convalescence", by=self.cast.system, at=at,
        )  # fmt: skip

    def leave(self, whose: Person, *, at: datetime = LATER) -> None:
        writing.leave_account(
            self.session, self.account(whose).id, community=self.community, reason="Déménage", by=self.cast.system,
            at=at,
        )  # fmt: skip

    def close(self, whose: Person, *, at: datetime = LATER) -> None:
        writing.close_account(
            self.session, self.account(whose).id, community=self.community, reason="Déménage", by=self.cast.system,
            at=at,
        )  # fmt: skip

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What is refused inside leaves the test's transaction usable."""
        with self.session.begin_nested():
            yield

    def total(self) -> int:
        found: int = self.session.scalar(text("SELECT sum(balance) FROM books.accounts")) or 0
        return int(found)


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        return gather(session)


@pytest.fixture
def books(session: Session, cast: Cast) -> Books:
    return Books(session, cast)

