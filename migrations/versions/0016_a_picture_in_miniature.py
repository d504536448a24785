"""Pictures in miniature, for lists: those that are there already are drawn from their page's size."""

from __future__ import annotations

from io import BytesIO

from alembic import op
from PIL import Image, ImageOps
from sqlalchemy import text

from migrations.helpers import run

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run("ALTER TABLE pictures ADD miniature bytea CHECK (octet_length(miniature) <= 6000)")  # a WebP
    here = op.get_bind()
    for (id_,) in here.execute(text("SELECT id FROM pictures")).all():
        small = here.scalar(text("SELECT small FROM pictures WHERE id = :id"), {"id": id_})
        values = {"miniature": _miniature(bytes(small)), "id": id_}
        here.execute(text("UPDATE pictures SET miniature = :miniature WHERE id = :id"), values)
    run("ALTER TABLE pictures ALTER miniature SET NOT NULL, ALTER miniature SET STORAGE EXTERNAL")


def _miniature(small: bytes) -> bytes:
    """As ``exchange.pictures.drawing`` drew them when this was written."""
    fitted = ImageOps.fit(Image.open(BytesIO(small)).convert("RGB"), (160, 120), Image.Resampling.LANCZOS)
    for quality in (50, 30, 10, 1):
        out = BytesIO()
        fitted.save(out, "WEBP", quality=quality, method=6)
        if out.tell() <= 4000:
            break
    return out.getvalue()


def downgrade() -> None:
    run("ALTER TABLE pictures DROP miniature")
