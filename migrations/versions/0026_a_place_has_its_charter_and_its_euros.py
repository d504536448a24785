"""Charters: what a lender asks to be accepted before anything of a place is asked for, once for each version."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0026"
down_revision = "0025"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""


def upgrade() -> None:
    run(f"""
    CREATE TABLE charters (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        place_id bigint REFERENCES places,  -- nothing: every place of the lender that has none of its own
        CONSTRAINT charters_once UNIQUE NULLS NOT DISTINCT (lender_id, place_id)
    );
    CREATE TABLE charter_versions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        charter_id bigint NOT NULL REFERENCES charters,
        number integer NOT NULL CHECK (number > 0),
        title text NOT NULL CHECK (length(btrim(title)) BETWEEN 1 AND 200),
        text text NOT NULL CHECK (length(btrim(text)) BETWEEN 1 AND 20000),
        asked boolean NOT NULL,  -- false: it isn't asked for any more
        {BY},
        written_at timestamptz NOT NULL,
        CONSTRAINT charter_versions_once UNIQUE (charter_id, number)
    );
    CREATE TABLE charter_acceptances (
        version_id bigint REFERENCES charter_versions,
        party_id bigint REFERENCES parties,
        {BY},
        accepted_at timestamptz NOT NULL,
        PRIMARY KEY (version_id, party_id)
    );
    CREATE INDEX charter_acceptances_party_id_idx ON charter_acceptances (party_id);

    CREATE FUNCTION guard_charter() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.place_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM places WHERE id = NEW.place_id AND lender_id = NEW.lender_id) THEN
            RAISE check_violation USING CONSTRAINT = 'charters_of_their_lender', MESSAGE = 'another lender''s place';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER of_one_lender BEFORE INSERT ON charters FOR EACH ROW EXECUTE FUNCTION guard_charter();
    """)
    for table in ("charters", "charter_versions", "charter_acceptances"):
        run(f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()")  # fmt: skip
        grant("SELECT, INSERT", table)


def downgrade() -> None:
    run("""
    DROP TABLE charter_acceptances, charter_versions, charters;
    DROP FUNCTION guard_charter();
    """)
