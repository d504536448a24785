"""Seals: every fact of the books becomes a leaf of one tree, whose heads are signed and leave the server.

The line of a fact is made here, once, for the sealer, the export and the audit. The web role can seal what was written
and keep a head; it can neither choose a leaf nor take one away.
"""

from __future__ import annotations

from migrations.helpers import LEDGER, WEB, grant, install, run

revision = "0008"
down_revision = "0007"

SEALED = ("mandates", "months", "seal_keys", "leaves", "tiles", "heads", "cosignatures")
INSIDE = ("books_mandate_written", "books_period_of", "books_tile")
FUNCTIONS = ("books_close_month", "books_register_key", "books_seal", "books_keep_head", "books_keep_cosignature")


def upgrade() -> None:
    run(f"""
    GRANT SELECT ON mandates TO "{LEDGER}";
    SET ROLE "{LEDGER}";

    -- What a mandate was when it was granted, as the books saw it.
    CREATE TABLE books.mandates (
        id bigint PRIMARY KEY DEFAULT nextval('books.fact_ids'),
        mandate_id bigint NOT NULL UNIQUE,
        sign_in_id bigint NOT NULL,
        party_id bigint NOT NULL,
        role text NOT NULL,
        starts_on books.day NOT NULL,
        ends_on books.day,
        recorded_at books.instant NOT NULL
    );

    -- A month that is closed keeps the figures that were published; what is recorded of it later counts in the first month
    -- still open, as late.
    CREATE TABLE books.months (
        id bigint PRIMARY KEY DEFAULT nextval('books.fact_ids'),
        community_id bigint NOT NULL REFERENCES public.communities,
        month books.day NOT NULL CHECK (extract(day FROM month) = 1),
        entries bigint NOT NULL,
        minutes bigint NOT NULL,
        late bigint NOT NULL,  -- of these entries, those that happened in a month closed before
        recorded_at books.instant NOT NULL,
        by_sign_in bigint,
        by_party bigint NOT NULL,
        by_mandate bigint,
        UNIQUE (community_id, month)
    );

    -- The keys that sign the heads, in the form of C2SP signed-note; the last one is in use. Its secret is in a file.
    CREATE TABLE books.seal_keys (
        id bigint PRIMARY KEY DEFAULT nextval('books.fact_ids'),
        key text NOT NULL UNIQUE CHECK (length(key) BETWEEN 10 AND 500),
        recorded_at books.instant NOT NULL
    );

    CREATE TABLE books.leaves (
        place bigint PRIMARY KEY CHECK (place >= 0),
        fact_id bigint NOT NULL UNIQUE,
        hash bytea NOT NULL CHECK (length(hash) = 32)
    );
    CREATE TABLE books.tiles (  -- the roots over 256 leaves, over 65,536...: a proof reads a few of them
        level integer NOT NULL,
        place bigint NOT NULL,
        hash bytea NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (level, place)
    );
    CREATE TABLE books.heads (
        size bigint PRIMARY KEY CHECK (size > 0),
        root bytea NOT NULL CHECK (length(root) = 32),
        note text NOT NULL CHECK (length(note) <= 10000),
        signed_at books.instant NOT NULL
    );
    CREATE TABLE books.cosignatures (
        size bigint NOT NULL REFERENCES books.heads,
        witness text NOT NULL CHECK (length(witness) BETWEEN 1 AND 500),
        line text NOT NULL CHECK (length(line) BETWEEN 1 AND 1000),
        received_at books.instant NOT NULL,
        PRIMARY KEY (size, witness)
    );
    -- Every fact up to this number has its leaf, or never was; see books.seal. One row.
    CREATE TABLE books.sealing (one boolean PRIMARY KEY DEFAULT true CHECK (one), below bigint NOT NULL);
    INSERT INTO books.sealing (below) VALUES (0);
    """)
    install("view_facts", 1)
    for name in (*INSIDE, *FUNCTIONS):
        install(name, 1)
    for table in SEALED:
        run(f"""
        CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON books.{table}
            FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
        CREATE TRIGGER never_emptied BEFORE TRUNCATE ON books.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
        """)
        run(f'GRANT SELECT ON books.{table} TO "{WEB}"')
    run(f'GRANT SELECT ON books.facts, books.sealing, books.fact_ids TO "{WEB}"')
    for name in FUNCTIONS:
        run(f'GRANT EXECUTE ON FUNCTION {name.replace("_", ".", 1)} TO "{WEB}"')
    run("RESET ROLE")
    run(f"""
    INSERT INTO books.mandates (mandate_id, sign_in_id, party_id, role, starts_on, ends_on, recorded_at)
    SELECT id, sign_in_id, party_id, role, starts_on, ends_on, granted_at FROM mandates ORDER BY id;
    GRANT EXECUTE ON FUNCTION books.mandate_written TO CURRENT_USER;
    CREATE TRIGGER enters_the_books AFTER INSERT ON mandates
        FOR EACH ROW EXECUTE FUNCTION books.mandate_written();
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON mandates
        FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
    REVOKE UPDATE ON mandates FROM "{WEB}";

    -- Who took the whole books: they hold everybody's exchanges, without the names.
    CREATE TABLE ledger_downloads (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        size bigint NOT NULL,
        downloaded_at timestamptz NOT NULL,
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates
    );
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON ledger_downloads
        FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
    GRANT USAGE ON SEQUENCE ledger_downloads_id_seq TO "{WEB}";
    """)
    grant("SELECT, INSERT", "ledger_downloads")


def downgrade() -> None:
    run(f"""
    DROP TABLE ledger_downloads;
    DROP TRIGGER written_once ON mandates;
    DROP TRIGGER enters_the_books ON mandates;
    GRANT UPDATE ON mandates TO "{WEB}";
    """)
    run(f"""
    SET ROLE "{LEDGER}";
    DROP FUNCTION {", ".join(name.replace("_", ".", 1) for name in (*FUNCTIONS, *INSIDE))};
    DROP VIEW books.facts;
    DROP TABLE {", ".join("books." + table for table in (*reversed(SEALED), "sealing"))};
    REVOKE SELECT ON books.fact_ids FROM "{WEB}";
    RESET ROLE;
    REVOKE SELECT ON mandates FROM "{LEDGER}";
    """)
