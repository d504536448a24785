"""A calendar outside follows bookings, at an address that nobody guesses and that its owner can change."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    run("""
    CREATE TABLE feeds (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        secret text NOT NULL UNIQUE,  -- half of the address; the other is signed with the key of the application
        sign_in_id bigint NOT NULL REFERENCES sign_ins,
        party_id bigint NOT NULL REFERENCES parties,
        side text NOT NULL CHECK (side IN ('bookings', 'loans')),  -- what the party books, or what it lends
        opened_at timestamptz NOT NULL,
        UNIQUE (sign_in_id, party_id, side)
    );
    """)
    grant("SELECT, INSERT, DELETE, UPDATE (secret, opened_at)", "feeds")


def downgrade() -> None:
    run("DROP TABLE feeds;")
