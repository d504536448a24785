"""The books: accounts, entries of transfers, holds, limits.

Their tables belong to the ledger's role. The web role reads them and executes the functions of ``migrations/sql``,
which decide; it can't insert, update or delete a row. What was written stays written: triggers refuse the rest.
"""

from __future__ import annotations

from migrations.helpers import LEDGER, WEB, install, run

revision = "0002"
down_revision = "0001"

WRITTEN_ONCE = ("entries", "transfers", "holds", "hold_resolutions", "limits")
INSIDE = ("books_refuse", "books_limits_at", "books_write_entry")
FUNCTIONS = ("books_open_account", "books_close_account", "books_set_limit", "books_post", "books_reverse",
             "books_hold", "books_resolve_hold")  # fmt: skip


def upgrade() -> None:
    run(f"""
    GRANT REFERENCES ON parties, communities TO "{LEDGER}";
    CREATE SCHEMA books AUTHORIZATION "{LEDGER}";
    SET ROLE "{LEDGER}";

    CREATE TABLE books.accounts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        community_id bigint NOT NULL REFERENCES public.communities,
        party_id bigint NOT NULL REFERENCES public.parties,
        token text NOT NULL UNIQUE,
        kind text NOT NULL CHECK (kind IN ('person', 'organisation', 'authority', 'community', 'transit')),
        balance bigint NOT NULL DEFAULT 0,  -- minutes
        held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),  -- minutes set aside by holds without resolution
        seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),  -- the last account_seq given, without a gap
        clock timestamptz NOT NULL,  -- recorded_at of what was last written here: it never goes back
        floor bigint,  -- the limits in force until limits_until, copied from books.limits
        ceiling bigint,
        limits_until timestamptz,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        UNIQUE (community_id, id),
        CHECK (closed_at IS NULL OR (balance = 0 AND held = 0))
    ) WITH (fillfactor = 50);  -- updated in place at every transfer
    CREATE UNIQUE INDEX accounts_one_for_each_party ON books.accounts (community_id, party_id) WHERE kind <> 'transit';
    CREATE INDEX accounts_party_id_idx ON books.accounts (party_id);

    CREATE TABLE books.entries (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        community_id bigint NOT NULL,
        key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
        content bytea NOT NULL,  -- digest of what was asked, to tell a retry from another entry under the same key
        kind text NOT NULL CHECK (kind IN ('exchange', 'loan', 'dues', 'opening', 'correction', 'settlement')),
        cause_kind text,
        cause_id bigint,
        reverses_id bigint UNIQUE,  -- at most once
        happened_on date NOT NULL,
        recorded_at timestamptz NOT NULL,
        by_sign_in bigint,
        by_party bigint NOT NULL,
        by_mandate bigint,
        note_digest bytea,
        UNIQUE (community_id, by_party, key),
        UNIQUE (community_id, id),
        FOREIGN KEY (community_id, reverses_id) REFERENCES books.entries (community_id, id),
        CHECK ((kind = 'correction') = (reverses_id IS NOT NULL)),
        CHECK ((cause_kind IS NULL) = (cause_id IS NULL))
    );
    CREATE INDEX entries_cause_idx ON books.entries (cause_kind, cause_id);

    CREATE TABLE books.transfers (
        entry_id bigint NOT NULL,
        line integer NOT NULL CHECK (line >= 1),
        community_id bigint NOT NULL,
        from_account bigint NOT NULL,  -- who was helped
        to_account bigint NOT NULL,  -- who helped
        minutes bigint NOT NULL CHECK (minutes > 0),
        from_seq bigint NOT NULL,
        from_balance bigint NOT NULL,
        to_seq bigint NOT NULL,
        to_balance bigint NOT NULL,
        PRIMARY KEY (entry_id, line),
        UNIQUE (from_account, from_seq),
        UNIQUE (to_account, to_seq),
        FOREIGN KEY (community_id, entry_id) REFERENCES books.entries (community_id, id),
        FOREIGN KEY (community_id, from_account) REFERENCES books.accounts (community_id, id),
        FOREIGN KEY (community_id, to_account) REFERENCES books.accounts (community_id, id),
        CHECK (from_account <> to_account)
    );

    -- The words beside an entry can be erased; the digest that stays in the entry proves nothing to who lacks the salt.
    CREATE TABLE books.notes (
        entry_id bigint PRIMARY KEY REFERENCES books.entries,
        salt bytea NOT NULL,
        note text NOT NULL CHECK (length(note) BETWEEN 1 AND 2000)
    );

    CREATE TABLE books.holds (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        community_id bigint NOT NULL,
        key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
        content bytea NOT NULL,
        from_account bigint NOT NULL,
        to_account bigint NOT NULL,
        minutes bigint NOT NULL CHECK (minutes > 0),
        cause_kind text,
        cause_id bigint,
        recorded_at timestamptz NOT NULL,
        by_sign_in bigint,
        by_party bigint NOT NULL,
        by_mandate bigint,
        UNIQUE (community_id, by_party, key),
        UNIQUE (community_id, id),
        FOREIGN KEY (community_id, from_account) REFERENCES books.accounts (community_id, id),
        FOREIGN KEY (community_id, to_account) REFERENCES books.accounts (community_id, id),
        CHECK (from_account <> to_account),
        CHECK ((cause_kind IS NULL) = (cause_id IS NULL))
    );
    CREATE INDEX holds_from_account_idx ON books.holds (from_account);
    CREATE TABLE books.hold_resolutions (
        hold_id bigint PRIMARY KEY,  -- its one resolution
        community_id bigint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('posted', 'released', 'expired')),
        entry_id bigint UNIQUE,
        recorded_at timestamptz NOT NULL,
        by_sign_in bigint,
        by_party bigint NOT NULL,
        by_mandate bigint,
        FOREIGN KEY (community_id, hold_id) REFERENCES books.holds (community_id, id),
        FOREIGN KEY (community_id, entry_id) REFERENCES books.entries (community_id, id),
        CHECK ((kind = 'posted') = (entry_id IS NOT NULL))
    );

    -- A row for a kind of account is the default; a row for one account is an exception, with its reason and its end.
    CREATE TABLE books.limits (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        community_id bigint NOT NULL REFERENCES public.communities,
        account_kind text CHECK (account_kind IN ('person', 'organisation', 'authority', 'community', 'transit')),
        account_id bigint,
        floor bigint CHECK (floor <= 0),
        ceiling bigint CHECK (ceiling >= 0),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz CHECK (ends_at > starts_at),
        reason text NOT NULL CHECK (length(btrim(reason)) BETWEEN 1 AND 2000),
        recorded_at timestamptz NOT NULL,
        by_sign_in bigint,
        by_party bigint NOT NULL,
        by_mandate bigint,
        FOREIGN KEY (community_id, account_id) REFERENCES books.accounts (community_id, id),
        CHECK ((account_kind IS NULL) <> (account_id IS NULL)),
        CHECK (account_id IS NULL OR ends_at IS NOT NULL)
    );
    CREATE INDEX limits_account_id_idx ON books.limits (account_id) WHERE account_id IS NOT NULL;
    CREATE INDEX limits_kind_idx ON books.limits (community_id, account_kind) WHERE account_kind IS NOT NULL;
    """)
    for table in WRITTEN_ONCE:
        run(f"""
        CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON books.{table}
            FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
        CREATE TRIGGER never_emptied BEFORE TRUNCATE ON books.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
        """)
    for name in (*INSIDE, *FUNCTIONS):
        install(name, 1)
    run(f"""
    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA books FROM PUBLIC;
    GRANT USAGE ON SCHEMA books TO "{WEB}";
    GRANT SELECT ON ALL TABLES IN SCHEMA books TO "{WEB}";
    """)
    for name in FUNCTIONS:
        run(f'GRANT EXECUTE ON FUNCTION {name.replace("_", ".", 1)} TO "{WEB}"')
    run("RESET ROLE")
    run(f"GRANT REFERENCES ON ALL TABLES IN SCHEMA books TO CURRENT_USER; GRANT USAGE ON SCHEMA books TO CURRENT_USER")


def downgrade() -> None:
    run("DROP SCHEMA books CASCADE")
