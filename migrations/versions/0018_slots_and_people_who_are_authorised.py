"""Some things are lent in slots: half-days, whole days. Some are lent only to whoever has learnt to use them."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0018"
down_revision = "0017"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""


def upgrade() -> None:
    run(f"""
    ALTER TABLE resources
        ADD slots text NOT NULL DEFAULT ''  -- "08:00-12:00,13:30-18:00"; '' is at any hour
            CHECK (slots ~ '^(\\d\\d:\\d\\d-\\d\\d:\\d\\d(,\\d\\d:\\d\\d-\\d\\d:\\d\\d){{0,11}})?$'),
        ADD reserved boolean NOT NULL DEFAULT false;  -- to parties that are authorised

    CREATE TABLE authorisations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        resource_id bigint NOT NULL REFERENCES resources,
        party_id bigint NOT NULL REFERENCES parties,
        until date,  -- the last day, when there is one
        {BY},
        given_at timestamptz NOT NULL
    );
    CREATE INDEX authorisations_resource_id_idx ON authorisations (resource_id, party_id, id);
    CREATE INDEX authorisations_party_id_idx ON authorisations (party_id, id);
    CREATE TABLE authorisation_ends (  -- withdrawn before its last day, or without any
        authorisation_id bigint PRIMARY KEY REFERENCES authorisations,
        {BY},
        ended_at timestamptz NOT NULL
    );
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON authorisations
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON authorisation_ends
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
    """)
    grant("SELECT, INSERT", "authorisations", "authorisation_ends")


def downgrade() -> None:
    run("""
    DROP TABLE authorisation_ends, authorisations;
    ALTER TABLE resources DROP COLUMN slots, DROP COLUMN reserved;
    """)
