"""Everything is recomputed each night and when somebody asks, by the worker; what it found is kept."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run("""
    CREATE TABLE verifications (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        community_id bigint NOT NULL REFERENCES communities,
        asked_at timestamptz NOT NULL,
        by_sign_in bigint REFERENCES sign_ins,  -- NULL: the service itself
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates,
        recomputed_at timestamptz,
        findings jsonb,  -- of each check: its name, how many rows it read, what is wrong
        CHECK ((recomputed_at IS NULL) = (findings IS NULL))
    );
    CREATE INDEX verifications_community_id_idx ON verifications (community_id, id);
    -- two who ask at once wait for the same
    CREATE UNIQUE INDEX verifications_one_at_a_time ON verifications (community_id) WHERE recomputed_at IS NULL;
    """)
    grant("SELECT, INSERT, UPDATE (recomputed_at, findings)", "verifications")
    grant("USAGE", "SEQUENCE verifications_id_seq")


def downgrade() -> None:
    run("DROP TABLE verifications")
