"""The tables of the books as this program reads them; it can write none of them (see ``writing``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.sql.operators import OperatorClass

# The names that PostgreSQL itself gives, so that the SQL of the migrations need not repeat them.
metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


class Domain(DOMAIN):
    """A type of the books that bounds its values, compared as those of its base."""

    operator_classes = OperatorClass.ANY


def _domain(name: str, base: Any) -> Domain:
    """One that the migrations make."""
    return Domain(name, base, schema="books", create_type=False)


AccountKind = _domain("account_kind", Text())
EntryKind = _domain("entry_kind", Text())
Key = _domain("key", Text())
Minutes = _domain("minutes", BigInteger())
Held = _domain("held", BigInteger())
Day = _domain("day", Date())
Instant = _domain("instant", DateTime(timezone=True))


def _by() -> tuple[Column[int | None], Column[int], Column[int | None]]:
    """Who wrote a row: the sign-in that typed (none for jobs), the party it acted for, the mandate it used."""
    return (
        Column("by_sign_in", BigInteger),
        Column("by_party", BigInteger, nullable=False),
        Column("by_mandate", BigInteger),
    )


accounts = Table(
    "accounts",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("community_id", BigInteger, nullable=False),
    Column("party_id", BigInteger, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("kind", AccountKind, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("held", Held, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("clock", Instant, nullable=False),
    Column("floor", BigInteger),
    Column("ceiling", BigInteger),
    Column("limits_until", DateTime(timezone=True)),
    Column("opened_at", Instant, nullable=False),
    Column("leaving_at", Instant),
    Column("closed_at", Instant),
    ForeignKeyConstraint(["community_id"], ["communities.id"]),
    ForeignKeyConstraint(["party_id"], ["parties.id"]),
    UniqueConstraint("community_id", "id"),
    schema="books",
)

account_events = Table(
    "account_events",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("community_id", BigInteger, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("note_digest", LargeBinary),
    Column("recorded_at", Instant, nullable=False),
    *_by(),
    UniqueConstraint("account_id", "kind"),
    ForeignKeyConstraint(["community_id", "account_id"], ["books.accounts.community_id", "books.accounts.id"]),
    schema="books",
)

entries = Table(
    "entries",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("community_id", BigInteger, nullable=False),
    Column("key", Key, nullable=False),
    Column("kind", EntryKind, nullable=False),
    Column("cause_kind", Text),
    Column("cause_id", BigInteger),
    Column("reverses_id", BigInteger),
    Column("happened_on", Day, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    *_by(),
    Column("note_digest", LargeBinary),
    ForeignKeyConstraint(["community_id", "reverses_id"], ["books.entries.community_id", "books.entries.id"]),
    UniqueConstraint("community_id", "by_party", "key"),
    UniqueConstraint("community_id", "id"),
    Index("entries_reversed_once", "reverses_id", unique=True, postgresql_where=text("reverses_id IS NOT NULL")),
    schema="books",
)

transfers = Table(
    "transfers",
    metadata,
    Column("entry_id", BigInteger, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("community_id", BigInteger, nullable=False),
    Column("from_account", BigInteger, nullable=False),
    Column("to_account", BigInteger, nullable=False),
    Column("minutes", Minutes, nullable=False),
    Column("from_seq", BigInteger, nullable=False),
    Column("from_balance", BigInteger, nullable=False),
    Column("to_seq", BigInteger, nullable=False),
    Column("to_balance", BigInteger, nullable=False),
    ForeignKeyConstraint(["community_id", "entry_id"], ["books.entries.community_id", "books.entries.id"]),
    ForeignKeyConstraint(["community_id", "from_account"], ["books.accounts.community_id", "books.accounts.id"]),
    ForeignKeyConstraint(["community_id", "to_account"], ["books.accounts.community_id", "books.accounts.id"]),
    UniqueConstraint("from_account", "from_seq"),
    UniqueConstraint("to_account", "to_seq"),
    schema="books",
)

notes = Table(
    "notes",
    metadata,
    Column("fact_id", BigInteger, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    schema="books",
)

holds = Table(
    "holds",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("community_id", BigInteger, nullable=False),
    Column("key", Key, nullable=False),
    Column("from_account", BigInteger, nullable=False),
    Column("to_account", BigInteger, nullable=False),
    Column("minutes", Minutes, nullable=False),
    Column("after_seq", BigInteger, nullable=False),
    Column("cause_kind", Text),
    Column("cause_id", BigInteger),
    Column("recorded_at", Instant, nullable=False),
    *_by(),
    ForeignKeyConstraint(["community_id", "from_account"], ["books.accounts.community_id", "books.accounts.id"]),
    ForeignKeyConstraint(["community_id", "to_account"], ["books.accounts.community_id", "books.accounts.id"]),
    UniqueConstraint("community_id", "by_party", "key"),
    UniqueConstraint("community_id", "id"),
    schema="books",
)

hold_resolutions = Table(
    "hold_resolutions",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("hold_id", BigInteger, nullable=False, unique=True),
    Column("community_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("entry_id", BigInteger, unique=True),
    Column("after_seq", BigInteger, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    *_by(),
    ForeignKeyConstraint(["community_id", "hold_id"], ["books.holds.community_id", "books.holds.id"]),
    ForeignKeyConstraint(["community_id", "entry_id"], ["books.entries.community_id", "books.entries.id"]),
    schema="books",
)

limits = Table(
    "limits",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("community_id", BigInteger, nullable=False),
    Column("account_kind", AccountKind),
    Column("account_id", BigInteger),
    Column("floor", BigInteger),
    Column("ceiling", BigInteger),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant),
    Column("note_digest", LargeBinary, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    *_by(),
    ForeignKeyConstraint(["community_id"], ["communities.id"]),
    ForeignKeyConstraint(["community_id", "account_id"], ["books.accounts.community_id", "books.accounts.id"]),
    schema="books",
)

mandates = Table(
    "mandates",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("mandate_id", BigInteger, nullable=False, unique=True),
    Column("sign_in_id", BigInteger, nullable=False),
    Column("party_id", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("starts_on", Day, nullable=False),
    Column("ends_on", Day),
    Column("recorded_at", Instant, nullable=False),
    schema="books",
)

months = Table(
    "months",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("community_id", BigInteger, nullable=False),
    Column("month", Day, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("minutes", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    *_by(),
    ForeignKeyConstraint(["community_id"], ["communities.id"]),
    UniqueConstraint("community_id", "month"),
    schema="books",
)

seal_keys = Table(
    "seal_keys",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("recorded_at", Instant, nullable=False),
    schema="books",
)

leaves = Table(
    "leaves",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("fact_id", BigInteger, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    schema="books",
)

tiles = Table(
    "tiles",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("place", BigInteger, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    schema="books",
)

heads = Table(
    "heads",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", Instant, nullable=False),
    schema="books",
)

cosignatures = Table(
    "cosignatures",
    metadata,
    Column("size", BigInteger, primary_key=True),
    Column("witness", Text, primary_key=True),
    Column("line", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    ForeignKeyConstraint(["size"], ["books.heads.size"]),
    schema="books",
)

sealing = Table(
    "sealing",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("below", BigInteger, nullable=False),
    schema="books",
)
