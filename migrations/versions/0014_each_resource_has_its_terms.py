"""How long before a resource is asked for, for how long it is lent, and between which days it is lent at all.

An inventory number is one thing's of its lender.
"""

from __future__ import annotations

from migrations.helpers import run

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run("""
    ALTER TABLE resources
        ADD inventory_number text NOT NULL DEFAULT '' CHECK (length(inventory_number) <= 60),
        ADD notice_hours integer NOT NULL DEFAULT 0 CHECK (notice_hours BETWEEN 0 AND 8784),  -- before the start, at least
        ADD ahead_days integer CHECK (ahead_days BETWEEN 1 AND 550),  -- before the start, at most; as long as for all
        ADD least_minutes integer CHECK (least_minutes BETWEEN 1 AND 44640),
        ADD most_minutes integer CHECK (most_minutes BETWEEN 1 AND 44640),
        ADD lent_from date,  -- an experiment begins and ends; days of the territory, both included
        ADD lent_until date,
        ADD CONSTRAINT resources_lengths CHECK (least_minutes <= most_minutes),
        ADD CONSTRAINT resources_lent_days CHECK (lent_from <= lent_until);
    CREATE UNIQUE INDEX resources_numbered_once ON resources (lender_id, inventory_number) WHERE inventory_number <> '';
    """)


def downgrade() -> None:
    run("""
    DROP INDEX resources_numbered_once;
    ALTER TABLE resources DROP CONSTRAINT resources_lent_days, DROP CONSTRAINT resources_lengths,
        DROP COLUMN lent_until, DROP COLUMN lent_from, DROP COLUMN most_minutes, DROP COLUMN least_minutes,
        DROP COLUMN ahead_days, DROP COLUMN notice_hours, DROP COLUMN inventory_number;
    """)
