"""Series: what is asked for on many days at once. Each of its days is a booking like any other.

The territory says in which zone its schools are, so that a series can leave their holidays out.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run("""
    ALTER TABLE territory ADD school_zone text CHECK (school_zone IN ('A', 'B', 'C'));
    CREATE TABLE booking_series (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        party_id bigint NOT NULL REFERENCES parties,
        rhythm jsonb NOT NULL,  -- as it was asked for; its days are the bookings
        asked_at timestamptz NOT NULL,
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates,
        UNIQUE (id, lender_id, party_id)
    );
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON booking_series
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
    -- a day of a series is asked of the same lender by the same party
    ALTER TABLE bookings ADD series_id bigint,
        ADD CONSTRAINT bookings_of_their_series FOREIGN KEY (series_id, lender_id, party_id)
            REFERENCES booking_series (id, lender_id, party_id);
    CREATE INDEX bookings_by_series ON bookings (series_id, id) WHERE series_id IS NOT NULL;
    """)
    grant("SELECT, INSERT", "booking_series")


def downgrade() -> None:
    run("""
    ALTER TABLE bookings DROP COLUMN series_id;
    DROP TABLE booking_series;
    ALTER TABLE territory DROP COLUMN school_zone;
    """)
