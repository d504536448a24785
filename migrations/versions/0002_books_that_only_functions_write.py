"""The books: accounts, entries of transfers, holds, limits.

Their tables belong to the ledger's role. The web role reads them and executes the functions of ``migrations/sql``,
which decide; it can't insert, update or delete a row. What was written stays written: triggers refuse the rest.
"""

from __future__ import annotations

from migrations.helpers import LEDGER, WEB, install, run

revision = "0002"
down_revision = "0001"

WRITTEN_ONCE = ("account_events", "entries", "transfers", "holds", "hold_resolutions", "limits")
INSIDE = ("books_refuse", "books_refuse_ended", "books_limits_at", "books_refresh_limits", "books_same_entry",
          "books_write_entry", "books_closed_at_zero")  # fmt: skip
FUNCTIONS = ("books_open_account", "books_leave_account", "books_close_account", "books_set_limit", "books_post", "books_post_several",
             "books_reverse", "books_hold", "books_resolve_hold")  # fmt: skip


def upgrade() -> None:
    run(f"""
    GRANT REFERENCES ON parties, communities TO "{LEDGER}";
    GRANT SELECT ON communities TO "{LEDGER}";
    CREATE SCHEMA books AUTHORIZATION "{LEDGER}";
    SET ROLE "{LEDGER}";
    ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

    -- Bounds of single values are domains: a table's CHECK is parsed again by every statement that writes a row, a domain
    -- only costs where its column is written.
    CREATE DOMAIN books.account_kind AS text
        CHECK (VALUE IN ('person', 'organisation', 'authority', 'community', 'transit'));
    CREATE DOMAIN books.entry_kind AS text
        CHECK (VALUE IN ('exchange', 'loan', 'dues', 'opening', 'correction', 'settlement'));
    CREATE DOMAIN books.key AS text CHECK (length(VALUE) BETWEEN 1 AND 200);
    CREATE DOMAIN books.minutes AS bigint CHECK (VALUE BETWEEN 1 AND 1000000000);  -- no sum of balances can overflow
    CREATE DOMAIN books.held AS bigint CHECK (VALUE >= 0);
    CREATE DOMAIN books.day AS date CHECK (VALUE BETWEEN '1900-01-01' AND '2200-01-01');
    CREATE DOMAIN books.instant AS timestamptz CHECK (VALUE BETWEEN '2000-01-01 00:00+00' AND '2200-01-01 00:00+00');

    -- One sequence numbers every fact of the books. A fact takes its number while it holds the accounts that it touches, so
    -- that the numbers tell in which order things happened to an account.
    CREATE SEQUENCE books.fact_ids;

    CREATE TABLE books.accounts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        community_id bigint NOT NULL REFERENCES public.communities,
        party_id bigint NOT NULL REFERENCES public.parties,
        token text NOT NULL UNIQUE,
        kind books.account_kind NOT NULL,
        balance bigint NOT NULL DEFAULT 0,  -- minutes
        held books.held NOT NULL DEFAULT 0,  -- minutes set aside by holds without resolution
        seq bigint NOT NULL DEFAULT 0,  -- the last account_seq given, without a gap
        clock books.instant NOT NULL,  -- never before recorded_at of what was written here; never back
        floor bigint,  -- the limits in force until limits_until, copied from books.limits
        ceiling bigint,
        limits_until timestamptz,
        opened_at books.instant NOT NULL,
        leaving_at books.instant,  -- since then it only moves toward zero
        closed_at books.instant,
        UNIQUE (community_id, id)
    ) WITH (fillfactor = 50);  -- updated in place at every transfer
    CREATE UNIQUE INDEX accounts_one_for_each_party ON books.accounts (community_id, party_id) WHERE kind <> 'transit';
    CREATE INDEX accounts_party_id_idx ON books.accounts (party_id);

    CREATE TABLE books.account_events (
        id bigint PRIMARY KEY DEFAULT nextval('books.fact_ids'),
        community_id bigint NOT NULL,
        account_id bigint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('opened', 'leaving', 'closed')),
        note_digest bytea,  -- of the holder's name when it was opened, else of the reason
        recorded_at books.instant NOT NULL,
        by_sign_in bigint,
        by_party bigint NOT NULL,
        by_mandate bigint,
        UNIQUE (account_id, kind),
        FOREIGN KEY (community_id, account_id) REFERENCES books.accounts (community_id, id)
    );

    CREATE TABLE books.entries (
        id bigint PRIMARY KEY DEFAULT nextval('books.fact_ids'),
        community_id bigint NOT NULL,
        key books.key NOT NULL,
        kind books.entry_kind NOT NULL,
        cause_kind text,
        cause_id bigint,
        reverses_id bigint,
        happened_on books.day NOT NULL,
        recorded_at books.instant NOT NULL,
        by_sign_in bigint,
        by_party bigint NOT NULL,
        by_mandate bigint,
        note_digest bytea,
        UNIQUE (community_id, by_party, key),
        UNIQUE (community_id, id),
        FOREIGN KEY (community_id, reverses_id) REFERENCES books.entries (community_id, id),
        CHECK ((kind = 'correction') = (reverses_id IS NOT NULL) AND (cause_kind IS NULL) = (cause_id IS NULL))
    );
    CREATE UNIQUE INDEX entries_reversed_once ON books.entries (reverses_id) WHERE reverses_id IS NOT NULL;
    CREATE INDEX entries_cause_idx ON books.entries (cause_kind, cause_id) WHERE cause_kind IS NOT NULL;
    CREATE INDEX entries_recorded_at_idx ON books.entries USING brin (recorded_at);

    CREATE TABLE books.transfers (
        entry_id bigint NOT NULL,
        line integer NOT NULL,
        community_id bigint NOT NULL,
        from_account bigint NOT NULL,  -- who was helped
        to_account bigint NOT NULL,  -- who helped
        minutes books.minutes NOT NULL,
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

    -- The words beside a fact can be erased; the digest that stays in the fact proves nothing to who lacks the salt.
    CREATE TABLE books.notes (
        fact_id bigint PRIMARY KEY,
        salt bytea NOT NULL,
        note text NOT NULL CHECK (length(note) BETWEEN 1 AND 2000)
    );

    CREATE TABLE books.holds (
        id bigint PRIMARY KEY DEFAULT nextval('books.fact_ids'),
        community_id bigint NOT NULL,
        key books.key NOT NULL,
        from_account bigint NOT NULL,
        to_account bigint NOT NULL,
        minutes books.minutes NOT NULL,
        after_seq bigint NOT NULL,  -- the last account_seq that the payer's account had given
        cause_kind text,
        cause_id bigint,
        recorded_at books.instant NOT NULL,
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
    CREATE INDEX holds_to_account_idx ON books.holds (to_account);
    CREATE TABLE books.hold_resolutions (
        id bigint PRIMARY KEY DEFAULT nextval('books.fact_ids'),
        hold_id bigint NOT NULL UNIQUE,  -- its one resolution
        community_id bigint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('posted', 'released', 'expired')),
        entry_id bigint UNIQUE,
        after_seq bigint NOT NULL,
        recorded_at books.instant NOT NULL,
        by_sign_in bigint,
        by_party bigint NOT NULL,
        by_mandate bigint,
        FOREIGN KEY (community_id, hold_id) REFERENCES books.holds (community_id, id),
        FOREIGN KEY (community_id, entry_id) REFERENCES books.entries (community_id, id),
        CHECK ((kind = 'posted') = (entry_id IS NOT NULL))
    );

    -- A row for a kind of account is the default; a row for one account is an exception, with its reason and its end.
    CREATE TABLE books.limits (
        id bigint PRIMARY KEY DEFAULT nextval('books.fact_ids'),
        community_id bigint NOT NULL REFERENCES public.communities,
        account_kind books.account_kind,
        account_id bigint,
        floor bigint CHECK (floor <= 0),
        ceiling bigint CHECK (ceiling >= 0),
        starts_at books.instant NOT NULL,
        ends_at books.instant CHECK (ends_at > starts_at),
        note_digest bytea NOT NULL,  -- of the reason
        recorded_at books.instant NOT NULL,
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
    run("""
    -- The functions move the figures of an account; the account stays.
    CREATE TRIGGER accounts_stay BEFORE DELETE ON books.accounts
        FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
    CREATE TRIGGER accounts_never_emptied BEFORE TRUNCATE ON books.accounts
        FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
    """)
    for name in (*INSIDE, *FUNCTIONS):
        install(name, 1)
    run("""
    CREATE CONSTRAINT TRIGGER closed_at_zero AFTER UPDATE OF closed_at ON books.accounts
        FOR EACH ROW EXECUTE FUNCTION books.closed_at_zero();
    """)
    run(f"""
    GRANT USAGE ON SCHEMA books TO "{WEB}";
    GRANT SELECT ON ALL TABLES IN SCHEMA books TO "{WEB}";
    """)
    for name in FUNCTIONS:
        run(f'GRANT EXECUTE ON FUNCTION {name.replace("_", ".", 1)} TO "{WEB}"')
    run("RESET ROLE")
    run("GRANT REFERENCES ON ALL TABLES IN SCHEMA books TO CURRENT_USER; GRANT USAGE ON SCHEMA books TO CURRENT_USER")


def downgrade() -> None:
    run(f"""
    DROP SCHEMA books CASCADE;
    REVOKE SELECT, REFERENCES ON communities FROM "{LEDGER}";
    REVOKE REFERENCES ON parties FROM "{LEDGER}";
    SET ROLE "{LEDGER}";
    ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
    RESET ROLE;
    """)
