"""T8: thirty-two people are paid at the same moment from an account that can pay only some of them.

Real threads, real connections, committed transactions. The guard is then taken away, and the same race must go wrong:
otherwise it proved nothing.
"""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from exchange.config import LEDGER_ROLE, ROOT
from ledger.entries import Entry, Transfer
from ledger.errors import Refused
from ledger.store import auditing, reading, writing
from tests.cast import NOON, SATURDAY, Cast, committed
from tests.databases import Database
from tests.ledger.racing import RACERS, ROUNDS, Run, Track, counted, seeded
from tests.proofs import proving

pytestmark = pytest.mark.race
FLOOR = 2000  # minutes that Bruno can receive ahead


def receivers(cast: Cast) -> list[int]:
    people = (cast.alice, cast.chloe, cast.denise, cast.fanny, cast.tibo)
    return [person.account.id for person in people if person.account]


def paying(cast: Cast, receiver: int, minutes: int, key: str, *, lines: int = 1) -> Run:
    """Bruno pays, in an entry of one transfer or of several: each has its function in the database."""
    assert cast.bruno.account is not None
    parts = [1] * (lines - 1) + [minutes - lines + 1]
    entry = Entry("exchange", tuple(Transfer(cast.bruno.account.id, receiver, part) for part in parts), SATURDAY)

    def pay(session: Session) -> object:
        return writing.post(session, entry, community=cast.community.id, key=key, by=cast.bruno.by, at=NOON)

    return pay


def give_back(session: Session, cast: Cast, key: str) -> None:
    """Everybody back to zero, so that the next round starts as the first."""
    assert cast.bruno.account is not None
    owing = [account for account in reading.open_accounts(session, cast.community.id) if account.balance > 0]
    transfers = tuple(Transfer(account.id, cast.bruno.account.id, account.balance) for account in owing)
    writing.post(session, Entry("exchange", transfers, SATURDAY), community=cast.community.id, key=key, by=cast.system,
                 at=NOON)  # fmt: skip
    session.commit()


def test_of_thirty_two_payments_exactly_those_that_are_affordable_pass(database: Database) -> None:
    cast, chance = committed(database.app()), seeded()
    assert cast.bruno.account is not None
    with Track(database) as track, proving("T8", "rounds of 32 who pay at once", goal=ROUNDS) as proof:
        for turn in range(ROUNDS):
            minutes = chance.randrange(FLOOR // (RACERS - 1) + 1, FLOOR + 1)
            runs = [
                paying(cast, chance.choice(receivers(cast)), minutes, f"{turn}:{n}", lines=chance.choice((1, 2)))
                for n in range(RACERS)
            ]
            affordable = FLOOR // minutes
            assert counted(track.race(runs)) == {"written": affordable, "floor-reached": RACERS - affordable}
            with track.make() as session:
                bruno = reading.account(session, cast.community.id, cast.bruno.account.id)
                assert bruno is not None
                assert bruno.balance == -affordable * minutes
                give_back(session, cast, f"{turn}:back")
            proof.reached += 1
        with track.make() as session:
            assert [found for found in auditing.run(session, auditing.CHECKS) if found.wrong] == []


def test_payments_that_cross_each_other_never_lock_each_other_out(database: Database) -> None:
    """Everybody pays everybody, in entries of several transfers: no deadlock ever reaches somebody."""
    cast, chance = committed(database.app()), seeded()
    assert cast.bruno.account is not None
    everybody = [cast.bruno.account.id, *receivers(cast)]

    def crossing(key: str) -> Run:
        pairs = [chance.sample(everybody, 2) for _ in range(chance.randrange(1, 5))]
        transfers = tuple(Transfer(payer, payee, chance.randrange(1, 20)) for payer, payee in pairs)
        entry = Entry("exchange", transfers, SATURDAY)
        return lambda session: writing.post(
            session, entry, community=cast.community.id, key=key, by=cast.system, at=NOON
        )

    with Track(database) as track, proving("T8", "rounds of 32 payments that cross", goal=ROUNDS // 2) as proof:
        for turn in range(ROUNDS // 2):
            results = counted(track.race([crossing(f"{turn}:{n}") for n in range(RACERS)]))
            assert set(results) <= {"written", "floor-reached"}
            proof.reached += 1
        with track.make() as session:
            assert [found for found in auditing.run(session, auditing.CHECKS) if found.wrong] == []


NAIVE = f"""
    SET ROLE {LEDGER_ROLE};
    CREATE TABLE books.naive (minutes bigint NOT NULL);
    CREATE FUNCTION books.naive_post(p_minutes bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        IF (SELECT coalesce(sum(minutes), 0) FROM books.naive) + p_minutes > {FLOOR} THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'floor-reached', DETAIL = '{{}}';
        END IF;
        INSERT INTO books.naive VALUES (p_minutes);
    END $$;
    GRANT EXECUTE ON FUNCTION books.naive_post(bigint) TO PUBLIC;
"""


def test_control_reading_a_balance_and_then_writing_spends_it_twice(database: Database) -> None:
    committed(database.app())
    with database.connected("owner") as owner:
        owner.execute(NAIVE)

    def pay(session: Session) -> object:
        writing._call(session, "SELECT books.naive_post($1)", (1000,))
        return True

    spent = []
    with Track(database) as track:
        for _turn in range(20):
            spent.append(counted(track.race([pay] * RACERS))["written"])
            with database.connected("superuser") as superuser:
                superuser.execute("DELETE FROM books.naive")
    assert max(spent) > 2


def test_control_without_its_locks_our_own_function_fails_and_the_race_shows_it(database: Database) -> None:
    """The numbers of lines are unique: even so nothing is spent twice, but faults reach people."""
    cast = committed(database.app())
    source = (ROOT / "migrations" / "sql" / "books_write_entry.v1.sql").read_text(encoding="utf-8")
    assert "FOR NO KEY UPDATE" in source
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        owner.execute(source.replace("FOR NO KEY UPDATE", ""))
    met: set[str] = set()
    with Track(database) as track:
        for turn in range(20):
            runs = [paying(cast, account, 50, f"{turn}:{n}", lines=2) for n, account in enumerate(receivers(cast) * 6)]
            met |= {result for result in counted(track.race(runs)) if result.startswith("fault")}
    assert met


def test_the_rules_are_the_only_refusals(database: Database) -> None:
    """What the race counts as refused is a domain error with its figures, never a text of the database."""
    cast = committed(database.app())
    with Track(database) as track:
        [result] = track.race([paying(cast, receivers(cast)[0], FLOOR + 1, "too much")])
    assert isinstance(result, Refused)
    assert result.facts["minutes"] == FLOOR + 1
