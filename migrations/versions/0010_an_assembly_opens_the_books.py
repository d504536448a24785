"""An assembly decides that every member may take the whole books, or that they may not any more."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run("""
    CREATE TABLE ledger_openings (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        community_id bigint NOT NULL REFERENCES communities,
        to_members boolean NOT NULL,
        decided_on date NOT NULL,  -- the latest one of a community is in force
        decision text NOT NULL CHECK (length(decision) BETWEEN 1 AND 200),
        recorded_at timestamptz NOT NULL,
        by_sign_in bigint NOT NULL REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint NOT NULL REFERENCES mandates
    );
    CREATE INDEX ledger_openings_community_id_idx ON ledger_openings (community_id, decided_on, id);
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON ledger_openings
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
    """)
    grant("SELECT, INSERT", "ledger_openings")
    grant("USAGE", "SEQUENCE ledger_openings_id_seq")


def downgrade() -> None:
    run("DROP TABLE ledger_openings")
