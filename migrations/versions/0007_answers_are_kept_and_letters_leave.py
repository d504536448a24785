"""What the edge of the service keeps: answers to requests already made, letters to send, jobs, rates."""

from __future__ import annotations

from pathlib import Path

import procrastinate

from migrations.helpers import WEB, grant, run

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run("""
    -- A second request with the same key gets the first one's answer. Kept for good with an entry, 30 days elsewhere.
    CREATE TABLE kept_answers (
        party_id bigint NOT NULL REFERENCES parties,
        key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
        content bytea NOT NULL,
        status integer,
        location text,
        body text,
        has_entry boolean NOT NULL DEFAULT false,
        kept_at timestamptz NOT NULL,
        PRIMARY KEY (party_id, key)
    );
    CREATE INDEX kept_answers_to_forget_idx ON kept_answers (kept_at) WHERE NOT has_entry;

    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        recipient text NOT NULL,
        subject text NOT NULL,
        body text NOT NULL,
        written_at timestamptz NOT NULL,
        sent_at timestamptz,
        failure text
    );
    CREATE INDEX outbox_unsent_idx ON outbox (id) WHERE sent_at IS NULL;

    CREATE UNLOGGED TABLE rates (
        key text PRIMARY KEY,
        hits integer NOT NULL,
        expires_at timestamptz NOT NULL
    );
    """)
    grant("SELECT, INSERT, UPDATE, DELETE", "kept_answers", "outbox", "rates")
    run((Path(procrastinate.__file__).parent / "sql" / "schema.sql").read_text(encoding="utf-8"))
    run(f"""
    GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_periodic_defers, procrastinate_events,
        procrastinate_workers TO "{WEB}";
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{WEB}";
    GRANT SELECT ON alembic_version TO "{WEB}";
    """)


def downgrade() -> None:
    run("""
    DROP TABLE rates, outbox, kept_answers;
    DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers CASCADE;
    DO $$ DECLARE made record; BEGIN
        FOR made IN SELECT p.oid::regprocedure AS signature FROM pg_proc p
                     WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'procrastinate_%' LOOP
            EXECUTE 'DROP FUNCTION ' || made.signature || ' CASCADE';
        END LOOP;
        FOR made IN SELECT t.oid::regtype AS name FROM pg_type t
                     WHERE t.typnamespace = 'public'::regnamespace AND t.typname LIKE 'procrastinate_%'
                       AND (t.typtype = 'e' OR t.typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')) LOOP
            EXECUTE 'DROP TYPE ' || made.name || ' CASCADE';
        END LOOP;
    END $$;
    """)
