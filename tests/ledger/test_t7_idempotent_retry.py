"""T7: one key, many requests: one entry, and everybody gets the first one's answer."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.config import LEDGER_ROLE, ROOT
from ledger.entries import Cause, Entry, Transfer
from ledger.errors import KeyReused
from ledger.store import auditing, writing
from ledger.store.writing import Written
from tests.cast import NOON, SATURDAY, Cast, Person, committed
from tests.databases import Database
from tests.ledger.racing import RACERS, Run, Track, counted, seeded
from tests.proofs import proving

pytestmark = pytest.mark.race
TURNS = 10


def posting(cast: Cast, key: str, minutes: int = 90, *, elsewhere: bool = False, lines: int = 1) -> Run:
    payer, payee = (cast.chloe, cast.denise) if elsewhere else (cast.bruno, cast.alice)
    assert payer.account is not None
    assert payee.account is not None
    transfer = Transfer(payer.account.id, payee.account.id, minutes)
    entry = Entry("exchange", (transfer,) * lines, SATURDAY, Cause("declaration", 1), "Taille de la haie")

    def post(session: Session) -> Written:
        return writing.post(session, entry, community=cast.community.id, key=key, by=cast.bruno.by, at=NOON)

    return post


def rows(database: Database) -> int:
    with database.connected() as web:
        found = web.execute("SELECT count(*) FROM books.entries").fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("lines", [1, 2])
def test_thirty_two_requests_with_one_key_write_one_entry(database: Database, lines: int) -> None:
    cast = committed(database.app())
    with Track(database) as track, proving("T7", "races of 32 with one key", goal=TURNS) as proof:
        for turn in range(TURNS):
            results = track.race([posting(cast, f"once:{turn}", lines=lines)] * RACERS)
            assert len({(result.id, result.recorded_at) for result in results}) == 1
            assert sum(not result.replayed for result in results) == 1
            assert rows(database) == turn + 1
            proof.reached += 1
        with track.make() as session:
            assert [found for found in auditing.run(session, auditing.CHECKS) if found.wrong] == []


def test_of_two_holds_on_other_accounts_under_one_key_the_second_is_told_which_came_first(database: Database) -> None:
    cast = committed(database.app())

    def holding(payer: Person, payee: Person, key: str) -> Run:
        assert payer.account is not None
        assert payee.account is not None
        accounts = {"from_account": payer.account.id, "to_account": payee.account.id}

        def hold(session: Session) -> Written:
            return writing.hold(session, community=cast.community.id, minutes=10, cause=("booking", 1), key=key,
                                by=cast.bruno.by, at=NOON, **accounts)  # fmt: skip

        return hold

    with Track(database) as track:
        for turn in range(TURNS):
            key = f"held:{turn}"
            results = track.race([holding(cast.bruno, cast.alice, key), holding(cast.chloe, cast.denise, key)])
            (first,) = [result for result in results if isinstance(result, Written)]
            (told,) = [result for result in results if not isinstance(result, Written)]
            assert isinstance(told, KeyReused)
            assert told.facts == {"hold": first.id}


def test_of_different_contents_under_one_key_one_is_written_and_the_others_are_told_which(database: Database) -> None:
    cast, chance = committed(database.app()), seeded()
    with Track(database) as track, proving("T7", "races of 32 with one key, other contents", goal=TURNS) as proof:
        for turn in range(TURNS):
            # other minutes between the same accounts; and other accounts, which don't even share the locks of the first
            contents = [posting(cast, f"{turn}", minutes) for minutes in (60, 61)]
            contents.append(posting(cast, f"{turn}", 60, elsewhere=True))
            results = track.race([chance.choice(contents) for _ in range(RACERS)])
            assert set(counted(results)) <= {"written", "key-reused"}
            [number] = {result.id for result in results if isinstance(result, Written)}
            assert {result.facts["entry"] for result in results if isinstance(result, KeyReused)} <= {number}
            assert rows(database) == turn + 1
            proof.reached += 1


def test_a_retry_after_a_restart_finds_the_first_answer(database: Database) -> None:
    cast = committed(database.app())
    with Track(database) as track:
        [first] = track.race([posting(cast, "once")])
    with Track(database) as again:
        [second] = again.race([posting(cast, "once")])
    assert (second.id, second.recorded_at, second.replayed) == (first.id, first.recorded_at, True)


def test_what_was_rolled_back_left_its_key_free(database: Database) -> None:
    cast = committed(database.app())
    with Track(database) as track, track.make() as session:
        posting(cast, "once")(session)
        session.rollback()
        assert not posting(cast, "once")(session).replayed
        session.commit()
    assert rows(database) == 1


def test_control_without_the_unique_key_the_race_writes_several(database: Database) -> None:
    cast = committed(database.app())
    source = (ROOT / "migrations" / "sql" / "books_post.v1.sql").read_text(encoding="utf-8")
    guard = "ON CONFLICT (community_id, by_party, key) DO NOTHING"
    assert guard in source
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        owner.execute("ALTER TABLE books.entries DROP CONSTRAINT entries_community_id_by_party_key_key")
        owner.execute(source.replace(guard, ""))
    with Track(database) as track:
        track.race([posting(cast, "once")] * RACERS)
        with track.make() as session:
            assert session.scalar(text("SELECT count(*) FROM books.entries WHERE key = 'once'")) > 1
