"""The audit sees what is wrong: each kind of tampering turns its own check red."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.audit import queries
from exchange.audit.commands import audit
from exchange.audit.wording import CHECKED
from exchange.declarations import operations
from exchange.seals import operations as seals
from ledger.signatures import SigningKey
from ledger.store import writing
from tests.cast import NOON, SATURDAY, Cast, committed
from tests.databases import Database, Postgres
from tests.exchange.declarations.test_declarations_operations import said

LATER = NOON + timedelta(hours=1)  # after the limits, which begin at noon


@pytest.fixture(scope="module")
def lived(postgres: Postgres) -> Iterator[Database]:
    """Books with a little of everything; each tampering is undone."""
    made = postgres.copy()
    cast = committed(made.app())
    with made.connected("superuser") as superuser:  # entries 1001 to 1004 and 1008, holds 1005, 1006 and 1009
        superuser.execute("ALTER SEQUENCE books.fact_ids RESTART WITH 1001")
    with Session(create_engine(made.web_url, poolclass=NullPool)) as session:
        _live(session, cast)
        session.commit()
    yield made
    postgres.drop(made)


def _live(session: Session, cast: Cast) -> None:
    for giver, receiver in ((cast.alice, cast.bruno), (cast.chloe, cast.alice), (cast.bruno, cast.chloe)):
        operations.declare(session, said(giver, receiver, 60), answer_days=30, today=SATURDAY, by=receiver.by, at=LATER)
    community = cast.community.id
    assert cast.bruno.account is not None
    assert cast.alice.account is not None
    writing.reverse(session, 1001, community=community, key="fix", reason="Deux fois", happened_on=SATURDAY,
                    by=cast.system, at=LATER)  # fmt: skip
    for place, end in enumerate((None, "posted", "released")):
        held = writing.hold(
            session, community=community, from_account=cast.bruno.account.id, to_account=cast.alice.account.id,
            minutes=30, cause=("test", place), key=f"h{place}", by=cast.bruno.by, at=LATER,
        ).id  # fmt: skip
        assert held is not None
        if end == "posted":
            writing.post_hold(session, held, community=community, minutes=20, happened_on=SATURDAY, by=cast.bruno.by,
                              at=LATER, note="Perceuse")  # fmt: skip
        elif end:
            writing.release_hold(session, held, community=community, by=cast.bruno.by, at=LATER)
    seals.seal(session, SigningKey.generate("localhost/livre"), at=LATER, still=True)


def wrong(session: Session) -> dict[str, list[str]]:
    return {finding.name: finding.wrong for finding in queries.checks(session, at=LATER) if finding.wrong}


def test_books_that_nobody_touched_agree(lived: Database) -> None:
    with Session(create_engine(lived.web_url, poolclass=NullPool)) as session:
        findings = list(queries.checks(session, at=LATER))
        assert {finding.name: finding.wrong for finding in findings if finding.wrong} == {}
        assert {finding.name for finding in findings} == set(CHECKED)
        counted = {finding.name: finding.counted for finding in findings}
    assert (counted["entries"], counted["lines"], counted["corrections"], counted["holds"]) == (5, 10, 1, 3)
    assert (counted["declarations"], counted["exchanges"]) == (3, 3)


CLOSED = """
    WITH closed AS (UPDATE books.accounts SET closed_at = opened_at WHERE {} RETURNING *)
    INSERT INTO books.account_events (community_id, account_id, kind, recorded_at, by_party)
    SELECT community_id, id, 'closed', closed_at, party_id FROM closed
"""
TAMPERINGS: list[tuple[str, str, str]] = [
    ("sum-zero", "UPDATE books.accounts SET balance = balance + 60 WHERE id = 2", "sum to 60"),
    ("balances", "UPDATE books.accounts SET balance = balance + 60 WHERE id = 2", "account 2"),
    ("balances", "UPDATE books.accounts SET seq = seq + 1 WHERE id = 4", "account 4"),
    ("lines", "UPDATE books.transfers SET to_seq = 90 WHERE entry_id = 1002", "not the number that follows"),
    ("lines", "UPDATE books.transfers SET to_balance = 61 WHERE entry_id = 1001", "not the balance that follows"),
    ("lines", "UPDATE books.entries SET recorded_at = recorded_at + interval '1 year' WHERE id = 1001", "before the"),
    ("entries", "DELETE FROM books.transfers WHERE entry_id = 1003", "entry 1003: without a movement"),
    ("entries", "UPDATE books.entries SET happened_on = '2199-01-01' WHERE id = 1002", "entry 1002: of a day to come"),
    ("entries", "UPDATE books.notes SET note = 'Autre chose'", "other words"),
    ("corrections", "UPDATE books.transfers SET minutes = 59 WHERE entry_id = 1004", "not the mirror of entry 1001"),
    ("holds", "UPDATE books.holds SET minutes = 10 WHERE id = 1006", "hold 1006"),
    ("holds", "UPDATE books.hold_resolutions SET recorded_at = '2001-01-01' WHERE hold_id = 1009", "hold 1009"),
    ("held", "UPDATE books.accounts SET held = 31 WHERE held = 30", "31 minutes are kept as held, 30"),
    ("held", "DELETE FROM books.hold_resolutions WHERE hold_id = 1009", "60 are in its open holds"),
    ("floors", "UPDATE books.limits SET floor = -10 WHERE account_kind = 'person'", "below its floor of -10"),
    ("limits", "UPDATE books.accounts SET floor = -9000 WHERE id = 5", "a floor of -9000 is kept, -2000"),
    ("accounts", "DELETE FROM books.account_events WHERE account_id = 5", "account 5"),
    ("accounts", CLOSED.format("balance <> 0"), "closed, but not at zero"),
    ("accounts", CLOSED.format("balance = 0 AND seq > 0"), "moved after it was closed"),
    ("declarations", "UPDATE declarations SET minutes = 61 WHERE id = 1", "declaration 1"),
    ("declarations", "UPDATE books.entries SET cause_id = 3 WHERE id = 1002", "declaration 2"),
    ("exchanges", "DELETE FROM declaration_answers WHERE entry_id = 1002", "entry 1002: an exchange that"),
    ("leaves", "UPDATE books.transfers SET minutes = 61 WHERE entry_id = 1002", "fact 1002 is not what was sealed"),
    ("leaves", "UPDATE books.limits SET floor = -3000 WHERE account_kind = 'person'", "is not what was sealed"),
    ("sealed", "DELETE FROM books.leaves WHERE fact_id = 1003", "fact 1003 was never sealed"),
    ("heads", "DELETE FROM books.leaves WHERE place = (SELECT max(place) FROM books.leaves)", "lines: there are"),
    ("heads", "UPDATE books.leaves SET hash = sha256('x') WHERE place = 0", "not the tree of its lines"),
    ("heads", "UPDATE books.heads SET note = replace(note, E'\n\n', E'0\n\n')", "signed by none of the keys"),
    ("mandates", "UPDATE books.entries SET by_party = 1 WHERE id = 1001", "without their mandate"),
    ("mandates", "UPDATE books.entries SET by_mandate = NULL WHERE id = 1001", "without their mandate"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "tampering", "named"), TAMPERINGS, ids=lambda value: str(value)[:50])
def test_each_tampering_is_seen_and_its_rows_named(lived: Database, check: str, tampering: str, named: str) -> None:
    """By somebody who holds the server itself, and may stop triggers and constraints."""
    with Session(create_engine(lived.superuser_url, poolclass=NullPool)) as session:
        session.connection().exec_driver_sql("SET session_replication_role = replica")
        session.connection().exec_driver_sql("SET client_min_messages = error")
        session.connection().exec_driver_sql(tampering)
        found = wrong(session)
        assert check in found
        assert any(named in said for said in found[check]), found[check]
        session.rollback()


def test_a_loan_that_was_not_held_as_agreed_is_seen(lived: Database) -> None:
    """The rows of lending, written here as they are."""
    insert = """
        INSERT INTO bookings (token, lender_id, party_id, community_id, account_id, lender_account_id, purpose,
                              starts_at, ends_at, zone, minutes, explanation, by_party, asked_at, answer_before)
        SELECT 'b', 1, 1, 1, 1, 2, 'Fête', now(), now() + interval '1 hour', 'Europe/Paris', 60, '{}', 1, now(), now()
    """
    with Session(create_engine(lived.superuser_url, poolclass=NullPool)) as session:
        connection = session.connection()
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql(insert)
        connection.exec_driver_sql(
            "INSERT INTO booking_decisions (booking_id, verdict, by_party, decided_at)"
            " SELECT id, 'accepted', 1, now() FROM bookings"
        )
        assert "its 60 minutes are not held as agreed" in wrong(session)["loans"][0]
        session.rollback()


def test_minutes_that_stay_held_after_a_loan_nobody_followed_are_seen(lived: Database) -> None:
    """Three days leave the worker the time to do it; what is out and late is waited for."""
    insert = """
        INSERT INTO bookings (token, lender_id, party_id, community_id, account_id, lender_account_id, purpose,
                              starts_at, ends_at, zone, minutes, explanation, by_party, asked_at, answer_before)
        SELECT 'b', 1, 1, h.community_id, h.from_account, h.to_account, 'Haie',
               %(end)s::timestamptz - interval '1 hour', %(end)s, 'Europe/Paris', h.minutes, '{}', 1, %(end)s, %(end)s
          FROM books.holds h WHERE h.id = 1005
    """
    decide = (
        "INSERT INTO booking_decisions (booking_id, verdict, hold_id, by_party, decided_at)"
        " SELECT id, 'accepted', 1005, 1, now() FROM bookings"
    )
    hand = "INSERT INTO hand_overs (booking_id, by_party, handed_over_at) SELECT id, 1, now() FROM bookings"
    with Session(create_engine(lived.superuser_url, poolclass=NullPool)) as session:
        connection = session.connection()
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql("UPDATE books.holds SET cause_kind = 'booking', cause_id = 1 WHERE id = 1005")
        connection.exec_driver_sql(insert, {"end": LATER - timedelta(days=2)})
        connection.exec_driver_sql(decide)
        assert "followed" not in wrong(session)
        connection.exec_driver_sql(
            "UPDATE bookings SET starts_at = asked_at - interval '3 days', ends_at = asked_at - interval '2 days'"
        )
        (said_,) = wrong(session)["followed"]
        assert said_.endswith("ended on 2026-11-17, its 30 minutes are still held")
        connection.exec_driver_sql(hand)
        assert "followed" not in wrong(session)
        session.rollback()


@pytest.fixture
def command(lived: Database) -> Callable[[], tuple[int, str]]:
    app = lived.app()

    def run() -> tuple[int, str]:
        with app.app_context():
            done = CliRunner().invoke(audit)
        return done.exit_code, done.output

    return run


def test_the_command_says_what_it_checked_and_leaves_with_zero(command: Callable[[], tuple[int, str]]) -> None:
    code, said_ = command()
    assert code == 0
    assert said_.count("juste") == len(CHECKED)
    assert "Tout concorde." in said_


def test_the_command_names_what_is_wrong_and_leaves_with_one(
    lived: Database, command: Callable[[], tuple[int, str]]
) -> None:
    with lived.connected("superuser") as superuser:
        superuser.execute("UPDATE books.accounts SET balance = balance + 60 WHERE id = 2")
        code, said_ = command()
        superuser.execute("UPDATE books.accounts SET balance = balance - 60 WHERE id = 2")
    assert code == 1
    assert "ERREUR" in said_
    assert "account 2" in said_
    assert "2 anomalie" in said_
