"""Pictures of what is lent: drawn again from what was uploaded, so that nothing else of the file is kept."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0015"
down_revision = "0014"

ACTS = "'added', 'edited', 'published', 'withdrawn', 'retired', 'restored'"


def upgrade() -> None:
    run(f"""
    CREATE TABLE pictures (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        resource_id bigint NOT NULL REFERENCES resources,
        position integer NOT NULL CHECK (position BETWEEN 1 AND 6),  -- and so no more than six of them
        words text NOT NULL CHECK (length(btrim(words)) BETWEEN 1 AND 200),  -- what it shows, for who doesn't see it
        width integer NOT NULL CHECK (width BETWEEN 1 AND 1600),
        height integer NOT NULL CHECK (height BETWEEN 1 AND 1600),
        large bytea NOT NULL CHECK (octet_length(large) <= 600000),  -- both are JPEG
        small bytea NOT NULL CHECK (octet_length(small) <= 30000),
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates,
        added_at timestamptz NOT NULL,
        CONSTRAINT pictures_position UNIQUE (resource_id, position)
    );
    -- a JPEG is as small as it gets
    ALTER TABLE pictures ALTER large SET STORAGE EXTERNAL, ALTER small SET STORAGE EXTERNAL;
    ALTER TABLE resource_acts DROP CONSTRAINT resource_acts_act_check,
        ADD CONSTRAINT resource_acts_act_check CHECK (act IN ({ACTS}, 'pictured', 'unpictured'));
    """)
    grant("SELECT, INSERT, DELETE", "pictures")  # a picture that shows somebody goes for good when they ask


def downgrade() -> None:
    run(f"""
    DROP TABLE pictures;
    ALTER TABLE resource_acts DROP CONSTRAINT resource_acts_act_check;
    ALTER TABLE resource_acts DISABLE TRIGGER written_once;
    DELETE FROM resource_acts WHERE act IN ('pictured', 'unpictured');
    ALTER TABLE resource_acts ENABLE TRIGGER written_once,
        ADD CONSTRAINT resource_acts_act_check CHECK (act IN ({ACTS}));
    """)
