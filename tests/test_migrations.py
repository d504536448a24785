"""The database that the migrations make: its tables, and the wall around the books."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from PIL import Image
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.config import LEDGER_ROLE, OWNER_ROLE, ROOT, WEB_ROLE
from exchange.db import Base
from exchange.pages import newest_migration
from exchange.upgrading import downgrade, upgrade
from tests.databases import Database, Postgres
from tests.photos import PHOTO

# called by the other functions of the books, or by a trigger
INSIDE = {
    "write_entry", "same_entry", "refuse", "refuse_ended", "limits_at", "refresh_limits", "closed_at_zero",
    "mandate_written", "period_of", "tile",
}  # fmt: skip
ASKED_IN_SQL = {"kept_answers", "rates"}  # tables of the edge, read and written without a model
NEVER = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
WRITTEN_ONCE = {
    "books.account_events", "books.entries", "books.transfers", "books.holds", "books.hold_resolutions", "books.limits",
    "books.mandates", "books.months", "books.seal_keys", "books.leaves", "books.tiles", "books.heads",
    "books.cosignatures", "mandates", "ledger_downloads", "ledger_openings",
    "application_decisions", "declaration_answers",
    "booking_decisions", "booking_cancellations", "hand_overs", "returns", "handed_items", "return_parts",
    "return_items", "key_loans", "key_returns", "attendances", "extensions", "extension_decisions", "damages",
    "damage_answers", "damage_outcomes", "damage_payments",
    "agreement_versions", "agreements", "agreement_signatures", "charter_versions", "charter_acceptances",
    "booking_dues", "euro_receipts", "euro_receipt_ends",
    "document_versions", "document_version_resources", "booking_documents", "documents", "document_checks",
}  # fmt: skip


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[Database]:
    """A database without a table."""
    made = postgres.empty()
    yield made
    postgres.drop(made)


def shape(connection: psycopg.Connection) -> set[tuple[str, ...]]:
    """Every column, constraint, index, trigger and function of ours, and who may do what with the tables."""
    of_ours = "n.nspname IN ('public', 'books')"
    not_of_an_extension = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {} AND d.deptype = 'e')"
    questions = (
        f"""SELECT 'column', c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod),
                   a.attnotnull::text, coalesce(pg_get_expr(d.adbin, d.adrelid), '')
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE {of_ours} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped""",
        f"""SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(k.oid)
              FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE {of_ours}""",
        f"SELECT 'index', indexdef FROM pg_indexes i JOIN pg_namespace n ON n.nspname = i.schemaname WHERE {of_ours}",
        "SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        f"""SELECT 'function', pg_get_functiondef(p.oid), coalesce(p.proacl::text, '')
              FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE {of_ours} AND p.prokind = 'f' AND {not_of_an_extension.format("p.oid")}""",
        f"""SELECT 'rights', c.oid::regclass::text, coalesce(c.relacl::text, '')
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {of_ours} AND c.relkind = 'r'""",
        f"""SELECT 'type', t.oid::regtype::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
             WHERE {of_ours} AND {not_of_an_extension.format("t.oid")}""",
    )
    return {row for question in questions for row in connection.execute(question)}


def test_migrations_go_up_down_and_up_again(empty: Database) -> None:
    with empty.connected("owner") as owner:
        nothing = shape(owner)
        upgrade(empty.owner_url)
        first = shape(owner)
        downgrade(empty.owner_url)
        left = {row for row in shape(owner) - nothing if "alembic_version" not in "".join(row)}
        assert left == set()
        upgrade(empty.owner_url)
        assert shape(owner) == first
    assert len(first) > 300


def test_a_picture_of_before_is_drawn_in_miniature(empty: Database) -> None:
    upgrade(empty.owner_url, "0015")
    with empty.connected("superuser") as superuser:
        superuser.execute("SET session_replication_role = replica")  # a picture alone, of nothing and by nobody
        superuser.execute(
            "INSERT INTO pictures (token, resource_id, position, words, width, height, large, small, by_party,"
            " added_at) VALUES ('one', 1, 1, 'La scène', 64, 48, %(photo)s, %(photo)s, 1, now())", {"photo": PHOTO}
        )  # fmt: skip
        upgrade(empty.owner_url)
        (miniature,) = superuser.execute("SELECT miniature FROM pictures").fetchone() or (b"",)
    drawn = Image.open(BytesIO(miniature))
    assert (drawn.format, drawn.size) == ("WEBP", (160, 120))


def test_readiness_expects_the_newest_migration(session: Session) -> None:
    assert session.scalar(text("SELECT version_num FROM alembic_version")) == newest_migration()


def said(difference: Any) -> str:
    """One difference, short enough to be read: "remove_table adverts", "modify_type communities answer_days"."""
    if isinstance(difference, list):  # what differs in one column
        return "; ".join(said(one) for one in difference)
    kind, *about = difference
    words = [getattr(word, "name", word) for word in about if word is not None and not isinstance(word, dict)]
    return " ".join(map(str, [kind, *words[:2]]))


def _as_alembic_sees(database: Database) -> list[str]:
    """What autogenerate would write for every model, with the same filters as ``migrations/env.py``."""
    for models in (ROOT / "exchange").glob("*/models.py"):
        import_module(f"exchange.{models.parent.name}.models")
    env: dict[str, object] = {}
    source = (ROOT / "migrations" / "env.py").read_text(encoding="utf-8")
    exec(source.rpartition("\nmigrate()")[0], env)  # its functions, without what it does when Alembic runs it
    import_module("exchange.factory")  # and with it every model
    engine = create_engine(database.owner_url, poolclass=NullPool)
    options = {"include_schemas": True, "include_name": env["ours"], "include_object": env["described"]}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={**options, "compare_type": True})
        seen = [said(difference) for difference in compare_metadata(context, Base.metadata)]
    return [line for line in seen if line not in {f"remove_table {table}" for table in ASKED_IN_SQL}]


def test_the_models_describe_the_tables_that_the_migrations_make(shared_database: Database) -> None:
    assert _as_alembic_sees(shared_database) == []


def test_a_column_that_no_model_describes_is_seen(database: Database) -> None:
    with database.connected("owner") as owner:
        owner.execute("ALTER TABLE territory ADD COLUMN surprise text")
    assert "surprise" in str(_as_alembic_sees(database))


# The books


def newest_files() -> dict[str, str]:
    """The body of each function of the books in the newest version of its file."""
    versions: dict[str, tuple[int, Path]] = {}
    for file in (ROOT / "migrations" / "sql").glob("books_*.v*.sql"):
        name, _, version = file.stem.rpartition(".v")
        versions[name] = max(versions.get(name, (0, file)), (int(version), file))
    return {
        name.removeprefix("books_"): body(file.read_text(encoding="utf-8")) for name, (_, file) in versions.items()
    }


def body(source: str) -> str:
    """What stands between the dollars of a function's source."""
    found = re.search(r"AS \$\$(.*)\$\$", source, re.DOTALL)
    assert found
    return found[1]


def test_the_lines_that_are_sealed_are_made_as_the_newest_file_says(database: Database) -> None:
    versions = (ROOT / "migrations" / "sql").glob("view_facts.v*.sql")
    newest = max(versions, key=lambda file: int(file.stem.rpartition(".v")[2]))
    with database.connected("superuser") as superuser:
        question = "SELECT pg_get_viewdef('books.facts'::regclass)"
        installed = superuser.execute(question).fetchone()
        superuser.execute(newest.read_text(encoding="utf-8"))
        assert superuser.execute(question).fetchone() == installed


def test_each_function_of_the_books_is_the_newest_of_its_files(session: Session) -> None:
    installed = session.execute(
        text("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'books'::regnamespace")
    ).all()
    assert {name: source for name, source in installed} == newest_files()  # noqa: C416 - rows are not pairs to dict()
    assert len(installed) == len(newest_files())  # no second one under the same name


def test_each_row_that_is_written_once_is_guarded_by_its_trigger(session: Session) -> None:
    guarded = session.scalars(
        text(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'written_once' AND tgenabled = 'O'"
            " AND tgfoid = 'refuse_change'::regproc AND tgtype & 27 = 27"  # for each row, before, update and delete
        )
    )
    assert set(guarded) >= WRITTEN_ONCE
    emptied = session.scalars(text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'never_emptied'"))
    assert set(emptied) == {table for table in WRITTEN_ONCE if table.startswith("books.")}


def may(connection: psycopg.Connection, role: str) -> set[tuple[str, str]]:
    """What a role may do to the tables of the books besides reading them, whole rows or single columns."""
    return set(
        connection.execute(
            """
            SELECT c.oid::regclass::text, k.kind FROM pg_class c, unnest(%s::text[]) AS k(kind)
             WHERE c.relnamespace = 'books'::regnamespace AND c.relkind = 'r'
               AND (has_table_privilege(%s, c.oid, k.kind) OR k.kind IN ('INSERT', 'UPDATE')
                    AND has_any_column_privilege(%s, c.oid, k.kind))""",
            [list(NEVER), role, role],
        ).fetchall()
    )


def test_the_web_role_reads_the_books_and_writes_none_of_their_tables(database: Database) -> None:
    with database.connected("web") as web:
        assert may(web, WEB_ROLE) == set()
        assert web.execute("SELECT count(*) FROM books.entries").fetchone() == (0,)


def test_a_right_given_by_mistake_is_seen(database: Database) -> None:
    with database.connected("superuser") as superuser:
        superuser.execute(f"GRANT UPDATE (balance) ON books.accounts TO {WEB_ROLE}")
        assert may(superuser, WEB_ROLE) == {("books.accounts", "UPDATE")}


def test_the_web_role_calls_the_functions_that_decide_and_none_of_those_inside(session: Session) -> None:
    called = session.execute(
        text(
            "SELECT proname, has_function_privilege(:web, oid, 'EXECUTE') FROM pg_proc"
            " WHERE pronamespace = 'books'::regnamespace"
        ),
        {"web": WEB_ROLE},
    ).all()
    assert {name for name, may_call in called if not may_call} == INSIDE
    assert {name for name, may_call in called if may_call} == set(newest_files()) - INSIDE


def test_the_functions_that_decide_run_as_the_ledger_and_look_nowhere_else(session: Session) -> None:
    """A function with another's rights that searched the caller's schemas could be made to call the caller's code."""
    loose = session.scalars(
        text(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'books'::regnamespace"
            " AND NOT (proowner = CAST(:ledger AS regrole) AND 'search_path=books, pg_temp' = ANY (proconfig))"
        ),
        {"ledger": LEDGER_ROLE},
    )
    assert loose.all() == []


def test_the_web_role_owns_nothing_and_is_a_member_of_no_other_role(database: Database) -> None:
    with database.connected("web") as web:
        owned = web.execute("SELECT relname FROM pg_class WHERE relowner = %s::regrole", [WEB_ROLE]).fetchall()
        roles = web.execute("SELECT roleid FROM pg_auth_members WHERE member = %s::regrole", [WEB_ROLE]).fetchall()
        powers = web.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = %s", [WEB_ROLE]
        ).fetchone()
    assert (owned, roles, powers) == ([], [], (False, False, False, False))


def test_the_web_role_can_make_no_table_of_its_own(database: Database) -> None:
    with database.connected("web") as web, pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("CREATE TABLE mine (id int)")


def test_nobody_signs_in_as_the_ledger(database: Database) -> None:
    with database.connected("superuser") as superuser:
        can = superuser.execute("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = %s", [LEDGER_ROLE])
        assert can.fetchone() == (False, False)
        tables = superuser.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class"
            " WHERE relnamespace = 'books'::regnamespace AND relkind = 'r'"
        ).fetchall()
        assert tables == [(LEDGER_ROLE,)]
        others = superuser.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        assert others == [(OWNER_ROLE,)]
