"""The territory's outline: what maps draw around its places. GeoJSON, WGS 84; the installer imports it."""

from __future__ import annotations

from migrations.helpers import run

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run("""
    ALTER TABLE territory ADD outline jsonb
        CONSTRAINT territory_outline_object CHECK (jsonb_typeof(outline) = 'object');
    """)


def downgrade() -> None:
    run("ALTER TABLE territory DROP COLUMN outline;")
