"""Books in which everything happened, and their export: what the verifier is tried on, and what forgers start from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.members import operations as members
from exchange.members.models import Mandate, Party
from ledger import exports, seals, signatures
from ledger.entries import Acting, Cause, Entry, Transfer
from ledger.limits import Limits
from ledger.signatures import Checkpoint, SigningKey, VerifierKey
from ledger.store import sealing, writing
from ledger.store.sealing import Head
from tests.cast import Person, committed
from tests.databases import Database, Postgres
from tests.ledger.conftest import Books

NAME = "livre.example.org"
KEY = SigningKey.generate(NAME)
NEXT = SigningKey.generate(NAME)  # takes over from KEY
STRANGER = SigningKey.generate(NAME)  # signs under the same name, and no book ever named it
NEIGHBOURS = 20
Fact = dict[str, Any]


def day(month: int, number: int) -> datetime:
    """A moment of the autumn of 2026."""
    return datetime(2026, month, number, 10, tzinfo=UTC)


def sealed(session: Session, *, at: datetime, key: SigningKey = KEY) -> Head:
    """Name the key if the books don't know it, seal, and commit; the head."""
    sealing.register(session, key.public, at=at)
    head = sealing.seal(session, key, at=at)
    assert head is not None
    session.commit()
    return head


def export(session: Session, head: Head) -> bytes:
    """The export of the tree of a head, as it is downloaded."""
    out = BytesIO()
    assert exports.write(out, sealing.lines(session, head), head.note) == head.size
    return out.getvalue()


def signed(lines: Sequence[bytes], key: SigningKey = NEXT) -> bytes:
    """An export of these lines as somebody writes it who holds the key: root, marks and signature fit."""
    out = BytesIO()
    exports.write(out, lines, note_of(lines, key))
    return out.getvalue()


def note_of(lines: Iterable[bytes], key: SigningKey) -> str:
    """The signed head of a tree of these lines."""
    tree = seals.Frontier()
    tree.extend(leaves_of(lines))
    text_ = Checkpoint(key.name, tree.size, tree.root()).text()
    return signatures.signed(text_, key.sign(text_))


def leaves_of(lines: Iterable[bytes]) -> list[bytes]:
    """The hashes of lines that end with their newline."""
    return [seals.leaf_hash(line.removesuffix(b"\n")) for line in lines]


def fact_of(line: bytes) -> Fact:
    """What a line says."""
    found: Fact = json.loads(line)
    return found


def line_of(fact: Fact) -> bytes:
    """The line that says so, as the books write it."""
    return json.dumps(fact, ensure_ascii=False).encode() + b"\n"


class Rich(NamedTuple):
    """An export, its facts line by line (each with its newline), and the two heads, of before and after a new key."""

    content: bytes
    lines: list[bytes]
    early: Head
    late: Head
    said: list[str]  # every name and word that was written

    @property
    def facts(self) -> list[Fact]:
        return [fact_of(line) for line in self.lines]

    @property
    def keys(self) -> list[VerifierKey]:
        return [KEY.public, NEXT.public]


@cache
def rich(postgres: Postgres) -> Rich:
    """The books of an autumn, written once for each run."""
    database = postgres.copy()
    try:
        return _written(database)
    finally:
        postgres.drop(database)


def _written(database: Database) -> Rich:
    cast = committed(database.app(), at=day(9, 1))
    engine = create_engine(database.web_url, poolclass=NullPool)
    with Session(engine, expire_on_commit=False) as session:
        autumn = Autumn(Books(session, cast))
        autumn.elsewhere(_another_community(database))
        autumn.september()
        early = sealed(session, at=day(9, 30), key=KEY)
        autumn.october()
        autumn.november()
        late = sealed(session, at=day(11, 20), key=NEXT)
        content = export(session, late)
        said = sorted({
            *session.scalars(text("SELECT note FROM books.notes")), *session.scalars(text("SELECT name FROM parties")),
            *session.scalars(text("SELECT user_name FROM sign_ins")),
        })  # fmt: skip
    return Rich(content, content.splitlines(keepends=True)[:-1], early, late, said)


def _another_community(database: Database) -> int:
    engine = create_engine(database.owner_url, poolclass=NullPool)
    with Session(engine) as owner:
        community = members.open_community(owner, name="SEL de la Vilaine", system_name="Marronnier", at=day(9, 1))
        owner.commit()
        return community.id


class Autumn:
    """What the cast and twenty neighbours do from September to November, and the words that they leave."""

    def __init__(self, books: Books) -> None:
        self.books, self.cast, self.session = books, books.cast, books.session
        self.words: Iterator[str] = (f"Coup de main n° {number}, chez Étienne" for number in range(1, 1000))
        self.neighbours = [self._neighbour(number) for number in range(1, NEIGHBOURS + 1)]
        self.common = self.books.account(self.cast.community.party_id).id

    def _neighbour(self, number: int) -> int:
        return self._open(f"Voisine n° {number}", self.books.community, day(9, 1))

    def _open(self, name: str, community: int, at: datetime) -> int:
        party = members.add_party(self.session, kind="person", name=name, at=at)
        return writing.open_account(
            self.session, community=community, party=party.id, kind="person", holder=name, at=at
        )

    def id(self, whose: Person | Party) -> int:
        return self.books.account(whose.id if isinstance(whose, Party) else whose).id

    def write(
        self, *moves: tuple[int, int, int], at: datetime, kind: str = "exchange", on: date | None = None,
        by: Acting | None = None,
    ) -> int:  # fmt: skip
        """An entry in which minutes move from the first account to the second."""
        transfers = tuple(Transfer(*move) for move in moves)
        entry = Entry(kind, transfers, on or at.date(), Cause("declaration", 7), next(self.words))
        number = self.books.post(entry, by=by, at=at).id
        assert number is not None
        return number

    def reverse(self, entry: int, *, at: datetime) -> None:
        writing.reverse(
            self.session, entry, community=self.books.community, key=f"mistake:{entry}", reason=next(self.words),
            happened_on=at.date(), by=self.cast.system, at=at,
        )  # fmt: skip

    def elsewhere(self, community: int) -> None:
        """Two people of another community, whose month is closed too."""
        system = self.session.scalar(text("SELECT system_party_id FROM communities WHERE id = :id"), {"id": community})
        by = Acting(None, int(system or 0))
        gwen, loic = (self._open(name, community, day(9, 2)) for name in ("Gwenaëlle", "Loïc"))
        for number, minutes in enumerate((45, 30), 3):
            entry = Entry("exchange", (Transfer(gwen, loic, minutes),), day(9, number).date(), None, next(self.words))
            writing.post(self.session, entry, community=community, key=f"there:{number}", by=by, at=day(9, number))
        writing.close_month(self.session, date(2026, 9, 1), community=community, by=by, at=day(10, 1))

    def september(self) -> None:
        alice, bruno, chloe, denise, fanny, tibo = self._everybody()
        self.write((bruno, alice, 90), at=day(9, 3), by=self.cast.bruno.by)
        wrong = self.write((chloe, alice, 60), at=day(9, 4))
        pupils = (bruno, chloe, denise, fanny, tibo)
        lesson = self.write(*((pupil, alice, 45) for pupil in pupils), at=day(9, 5))
        self.write(*((neighbour, self.common, 30) for neighbour in self.neighbours), at=day(9, 6), kind="dues")
        self.write((self.common, fanny, 120), at=day(9, 7), kind="opening")
        self.reverse(wrong, at=day(9, 8))
        self.reverse(lesson, at=day(9, 9))
        # Denise goes down to her floor, and not one minute further
        owed = self.books.balance(self.cast.denise) + 2000
        self.write((denise, alice, owed), at=day(9, 10))
        self._holds()

    def _holds(self) -> None:
        town = self.id(self.cast.town)
        part, whole, given_back, expired, _open = (
            writing.hold(
                self.session, community=self.books.community, from_account=self.id(who), to_account=town,
                minutes=120, cause=("booking", number), key=f"booking:{number}", by=who.by, at=day(9, 11),
            ).id
            for number, who in enumerate((self.cast.bruno, self.cast.chloe, self.cast.tibo, self.cast.bruno,
                                          self.cast.chloe))
        )  # fmt: skip
        self._resolve(part, 80)
        self._resolve(whole, 120)
        self._resolve(given_back, None)
        self._resolve(expired, None, expired=True)

    def _resolve(self, hold: int | None, minutes: int | None, *, expired: bool = False) -> None:
        assert hold is not None
        about: dict[str, Any] = {"community": self.books.community, "by": self.cast.system, "at": day(9, 12)}
        if minutes:
            writing.post_hold(self.session, hold, minutes=minutes, happened_on=day(9, 12).date(),
                              note=next(self.words), **about)  # fmt: skip
        else:
            writing.release_hold(self.session, hold, expired=expired, **about)

    def october(self) -> None:
        alice, bruno, chloe, _denise, fanny, _tibo = self._everybody()
        late = day(9, 28).date()
        self.write((bruno, alice, 20), at=day(10, 1), on=late)
        self.close_month(9, at=day(10, 2))
        self.write((bruno, chloe, 25), at=day(10, 3), on=late)  # it counts in October
        self.books.exception(self.cast.chloe, -3000, starts=day(10, 5), ends=day(10, 20), at=day(10, 4))
        owed = self.books.balance(self.cast.chloe) - self.books.account(self.cast.chloe).held + 2600
        self.write((chloe, alice, owed), at=day(10, 6))
        self.write((alice, chloe, 700), at=day(10, 21))  # and the exception is over
        self.default("organisation", -900, starts=day(10, 10), at=day(10, 7))
        self.write((self.id(self.cast.club), alice, 800), at=day(10, 11), by=self.cast.delegate)
        # Fanny leaves, and what she is owed is settled
        self.books.leave(self.cast.fanny, at=day(10, 12))
        self.write((fanny, self.common, self.books.balance(self.cast.fanny)), at=day(10, 13), kind="settlement")
        self.books.close(self.cast.fanny, at=day(10, 14))
        assert self.cast.tibo.sign_in is not None
        granted = self.grant(self.cast.tibo.sign_in.id, self.cast.club.id, ends=day(12, 31).date(), at=day(10, 15))
        acting = Acting(self.cast.tibo.sign_in.id, self.cast.club.id, granted.id)
        self.write((self.id(self.cast.club), bruno, 15), at=day(10, 16), by=acting)
        sealing.register(self.session, NEXT.public, at=day(10, 17))

    def november(self) -> None:
        alice, bruno, chloe, denise, _fanny, tibo = self._everybody()
        self.close_month(10, at=day(11, 1))
        for number, (payer, payee) in enumerate(((alice, bruno), (bruno, tibo), (tibo, chloe), (alice, denise)), 2):
            self.write((payer, payee, 10 * number), at=day(11, number))
        chain = ((alice, bruno, 300), (bruno, tibo, 200), (tibo, alice, 100))
        mistaken = self.write(*chain, at=day(11, 10), on=day(10, 30).date())
        self.reverse(mistaken, at=day(11, 11))

    def close_month(self, month: int, *, at: datetime) -> None:
        writing.close_month(
            self.session, date(2026, month, 1), community=self.books.community, by=self.cast.tibo.by, at=at
        )

    def default(self, kind: str, floor: int | None, *, starts: datetime, at: datetime) -> None:
        writing.set_limit(
            self.session, Limits(floor), community=self.books.community, kind=kind, starts_at=starts,
            ends_at=starts + timedelta(days=60), reason="Assemblée d’octobre", by=self.cast.system, at=at,
        )  # fmt: skip

    def grant(self, sign_in: int, party: int, *, ends: date, at: datetime) -> Mandate:
        return members.grant(
            self.session, sign_in=sign_in, party=party, role="delegate", starts_on=at.date(), ends_on=ends,
            granted_by=None, at=at,
        )  # fmt: skip

    def _everybody(self) -> tuple[int, ...]:
        cast = self.cast
        return tuple(map(self.id, (cast.alice, cast.bruno, cast.chloe, cast.denise, cast.fanny, cast.tibo)))
