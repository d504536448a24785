"""A free loan is aid in kind: its value in euros is the rate that the council voted, in force on the day of the loan."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run("""
    CREATE TABLE council_rates (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        lender_id bigint NOT NULL REFERENCES parties,
        resource_id bigint REFERENCES resources,  -- nothing: everything that the lender lends
        category text CHECK (length(category) BETWEEN 1 AND 80),  -- or what is of one category
        cents bigint NOT NULL CHECK (cents BETWEEN 0 AND 1000000000),  -- of euros, for one thing
        per text NOT NULL CHECK (per IN ('hour', 'half-day', 'day')),
        starts_on date NOT NULL,  -- until the next one of the same
        decision_number text NOT NULL CHECK (length(btrim(decision_number)) BETWEEN 1 AND 80),
        decision_date date NOT NULL,
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates,
        written_at timestamptz NOT NULL,
        CHECK (resource_id IS NULL OR category IS NULL)
    );
    CREATE INDEX council_rates_lender_id_idx ON council_rates (lender_id, id);
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON council_rates
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
    """)
    grant("SELECT, INSERT", "council_rates")


def downgrade() -> None:
    run("DROP TABLE council_rates")
