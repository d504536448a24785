"""Somebody holds the web role's password, and wants minutes that nobody gave."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from exchange.config import LEDGER_ROLE
from tests.cast import Cast, committed
from tests.databases import Database, Postgres

TABLES = ("accounts", "account_events", "entries", "transfers", "notes", "holds", "hold_resolutions", "limits")
POST = """SELECT * FROM books.post(%(community)s, %(key)s, %(kind)s, NULL, NULL, %(on)s, %(at)s, NULL, %(by)s, NULL,
                                   %(from)s, %(to)s, %(minutes)s, %(note)s)"""
SEVERAL = """SELECT * FROM books.post_several(
    %(community)s, %(key)s, %(kind)s, NULL, NULL, %(on)s, %(at)s, NULL, %(by)s, NULL,
    %(from)s::bigint[], %(to)s::bigint[], %(minutes)s::bigint[], %(note)s)"""


@pytest.fixture(scope="module")
def attacked(postgres: Postgres) -> Iterator[Database]:
    """One database for all attacks: each leaves it as it was, or fails."""
    made = postgres.copy()
    yield made
    postgres.drop(made)


@pytest.fixture(scope="module")
def cast(attacked: Database) -> Cast:
    return committed(attacked.app())


@pytest.fixture
def database(attacked: Database) -> Database:
    return attacked


def an_exchange(cast: Cast, **other: object) -> dict[str, object]:
    assert cast.alice.account is not None
    assert cast.bruno.account is not None
    usual = {
        "community": cast.community.id, "key": "k", "kind": "exchange", "on": "2026-11-21", "at": "2026-11-21 12:00+00",
        "by": cast.bruno.party.id, "from": cast.bruno.account.id, "to": cast.alice.account.id, "minutes": 60,
        "note": "",
    }  # fmt: skip
    return {**usual, **other}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "attack",
    [
        "INSERT INTO books.{} DEFAULT VALUES", "UPDATE books.{} SET community_id = 1", "DELETE FROM books.{}",
        "TRUNCATE books.{} CASCADE", "ALTER TABLE books.{} DISABLE TRIGGER ALL", "ALTER TABLE books.{} ADD x int",
        "DROP TABLE books.{} CASCADE", "BEGIN; LOCK TABLE books.{} IN EXCLUSIVE MODE",
        "SELECT * FROM books.{} FOR UPDATE",
        "CREATE TRIGGER t AFTER INSERT ON books.{} EXECUTE FUNCTION public.refuse_change()",
        "CREATE RULE r AS ON INSERT TO books.{} DO INSTEAD NOTHING",
        "COPY books.{} FROM PROGRAM 'id'", "COPY books.{} FROM STDIN",
    ],
)  # fmt: skip
def test_the_web_role_writes_no_table_of_the_books(database: Database, table: str, attack: str) -> None:
    if table == "notes":
        attack = attack.replace("community_id", "fact_id")
    with database.connected("web") as web, pytest.raises(errors.InsufficientPrivilege):
        web.execute(attack.format(table))


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT books.write_entry(1, 'k', 'exchange', NULL, NULL, NULL, '2026-11-21', now(), NULL, 1, NULL, '{1}',"
        " '{2}', '{60}', '', false)",
        "SELECT books.same_entry(1, 'exchange', NULL, NULL, NULL, '2026-11-21', '{1}', '{2}', '{60}', '')",
        "SELECT books.refuse_ended(1, 0, 0)", "SELECT nextval('books.fact_ids')",
        "SELECT books.refresh_limits('{1}', now())", "SELECT books.limits_at(1, 'person', 1, now())",
        "SELECT books.refuse('x')", f"SET ROLE {LEDGER_ROLE}", "SET session_replication_role = replica",
        "CREATE SCHEMA mine", "CREATE FUNCTION books.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION books.post() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION books.refuse(text, jsonb) RESET ALL", "DROP FUNCTION books.refuse(text, jsonb)",
        "CREATE TABLE public.accounts (id bigint)", "ALTER DOMAIN books.minutes DROP CONSTRAINT minutes_check",
        "CREATE OPERATOR public.+ (FUNCTION = int8pl, LEFTARG = bigint, RIGHTARG = bigint)",
    ],
)  # fmt: skip
def test_the_web_role_calls_nothing_inside_and_makes_nothing_of_its_own(database: Database, attack: str) -> None:
    with database.connected("web") as web, pytest.raises(errors.InsufficientPrivilege):
        web.execute(attack)


def test_temporary_tables_and_functions_deceive_no_function_of_the_books(database: Database, cast: Cast) -> None:
    """A function that runs with the ledger's rights looks in its own schema first, whatever the caller hides there."""
    with database.connected("web") as web:
        web.execute("CREATE TEMP TABLE accounts AS SELECT * FROM books.accounts")
        web.execute("UPDATE accounts SET floor = NULL")
        web.execute("CREATE TEMP TABLE limits (LIKE books.limits)")
        web.execute("CREATE FUNCTION pg_temp.refuse(text, jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS 'SELECT'")
        web.execute(
            "CREATE FUNCTION pg_temp.int8mi(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1000000::bigint'"
        )
        web.execute("SET search_path = pg_temp, public")
        with pytest.raises(psycopg.Error) as refused:
            web.execute(POST, an_exchange(cast, minutes=2001))
        assert (refused.value.sqlstate, refused.value.diag.message_primary) == ("MR001", "floor-reached")
        before = counted(web, "transfers")
        web.execute(POST, an_exchange(cast, key="deceit"))
        assert counted(web, "transfers") == before + 1
        assert web.execute("SELECT count(*) FROM accounts WHERE seq > 0").fetchone() == (0,)


def counted(web: psycopg.Connection, table: str) -> int:
    found = web.execute(f"SELECT count(*) FROM books.{table}").fetchone()
    assert found is not None
    return int(found[0])


def figures(web: psycopg.Connection) -> list[tuple[object, ...]]:
    return web.execute("SELECT id, balance, held, seq, clock FROM books.accounts ORDER BY id").fetchall()


HUGE = 2**63 - 1


ABSURD: list[dict[str, object]] = [
    {"minutes": -60}, {"minutes": 0}, {"minutes": HUGE}, {"minutes": 1_000_000_001}, {"minutes": None},
    {"from": None}, {"from": HUGE}, {"to": -1}, {"to": None}, {"kind": None}, {"kind": "correction"}, {"kind": "gift"},
    {"key": None}, {"key": ""}, {"key": "k" * 201}, {"community": None}, {"community": HUGE}, {"community": -1},
    {"by": None}, {"on": None}, {"on": "infinity"}, {"on": "-infinity"}, {"on": "1066-10-14"}, {"on": "2027-01-01"},
    {"on": "5874897-12-31"}, {"at": None}, {"at": "infinity"}, {"at": "-infinity"}, {"at": "1999-01-01"},
    {"at": "294276-01-01", "on": "2026-11-21"}, {"note": "n" * 2001},
]  # fmt: skip
LISTS = ("from", "to", "minutes")
ABSURD_LISTS: list[dict[str, object]] = [
    {"minutes": []}, {"minutes": None}, {"minutes": [60, 60]}, {"from": None}, {"to": []}, {"minutes": [None]},
]  # fmt: skip


def nothing_is_written(database: Database, statement: str, values: dict[str, object]) -> None:
    with database.connected("web") as web:
        before = (counted(web, "entries"), counted(web, "notes"), figures(web))
        with pytest.raises(psycopg.Error) as refused:
            web.execute(statement, values)
        assert refused.value.sqlstate == "MR001" or isinstance(
            refused.value, errors.CheckViolation | errors.NotNullViolation | psycopg.DataError
        )
        assert (counted(web, "entries"), counted(web, "notes"), figures(web)) == before


def in_lists(values: dict[str, object]) -> dict[str, object]:
    return values | {name: [values[name]] for name in LISTS}


@pytest.mark.parametrize("other", ABSURD, ids=str)
def test_absurd_arguments_write_nothing(database: Database, cast: Cast, other: dict[str, object]) -> None:
    nothing_is_written(database, POST, an_exchange(cast, **other))


@pytest.mark.parametrize("other", ABSURD, ids=str)
def test_absurd_arguments_of_several_transfers_write_nothing(
    database: Database, cast: Cast, other: dict[str, object]
) -> None:
    nothing_is_written(database, SEVERAL, in_lists(an_exchange(cast, **other)))


@pytest.mark.parametrize("other", ABSURD_LISTS, ids=str)
def test_lists_that_do_not_fit_write_nothing(database: Database, cast: Cast, other: dict[str, object]) -> None:
    nothing_is_written(database, SEVERAL, in_lists(an_exchange(cast)) | other)


def test_an_account_to_itself_writes_nothing(database: Database, cast: Cast) -> None:
    assert cast.bruno.account is not None
    itself = an_exchange(cast, to=cast.bruno.account.id)
    nothing_is_written(database, POST, itself)
    nothing_is_written(database, SEVERAL, in_lists(itself))


@pytest.mark.parametrize("table", [table for table in TABLES if table not in ("accounts", "notes")])
def test_even_the_servers_superuser_changes_nothing_that_is_written(database: Database, cast: Cast, table: str) -> None:
    with database.connected("web") as web:
        web.execute(POST, an_exchange(cast, note="Jardinage", key=f"owner {table}"))
        held = web.execute(
            "SELECT hold_id FROM books.hold(%s, %s, NULL, NULL, '2026-11-21 12:00+00', NULL, %s, NULL, %s, %s, 30)",
            [cast.community.id, table, cast.bruno.party.id, cast.bruno.account.id, cast.alice.account.id],
        ).fetchone()
        assert held is not None
        web.execute(
            "SELECT books.resolve_hold(%s, %s, 'released', NULL, NULL, NULL, '2026-11-21 12:00+00', NULL, %s, NULL,"
            " NULL)",
            [cast.community.id, held[0], cast.bruno.party.id],
        )
    column = "minutes" if table == "transfers" else "recorded_at"
    with database.connected("superuser") as superuser:
        for attack in (f"UPDATE books.{table} SET {column} = {column}", f"DELETE FROM books.{table}",
                       f"TRUNCATE books.{table} CASCADE"):  # fmt: skip
            with pytest.raises(psycopg.Error) as refused:
                superuser.execute(attack)
            assert refused.value.diag.message_primary == "written-once", attack


def test_an_account_is_never_removed(database: Database, cast: Cast) -> None:
    with database.connected("superuser") as superuser:
        for attack in ("DELETE FROM books.accounts", "TRUNCATE books.accounts CASCADE"):
            with pytest.raises(psycopg.Error) as refused:
                superuser.execute(attack)
            assert refused.value.diag.message_primary == "written-once"


def test_the_words_beside_an_entry_can_be_erased_and_the_entry_stays(database: Database, cast: Cast) -> None:
    with database.connected("web") as web:
        web.execute(POST, an_exchange(cast, note="Jardinage", key="erased"))
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        erased = owner.execute("DELETE FROM books.notes RETURNING fact_id").fetchall()
        kept = owner.execute(
            "SELECT id FROM books.entries WHERE note_digest IS NOT NULL UNION SELECT id FROM books.limits"
            " UNION SELECT id FROM books.account_events"
        ).fetchall()
        assert sorted(erased) == sorted(kept) != []


def test_an_account_with_minutes_is_never_marked_closed(database: Database, cast: Cast) -> None:
    with database.connected("web") as web:
        web.execute(POST, an_exchange(cast, key="owing"))
    with database.connected("owner") as owner:
        owner.execute(f"SET ROLE {LEDGER_ROLE}")
        with pytest.raises(errors.CheckViolation) as refused:
            owner.execute("UPDATE books.accounts SET closed_at = clock WHERE balance <> 0")
    assert refused.value.diag.constraint_name == "accounts_closed_at_zero"
