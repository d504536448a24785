"""When everything was recomputed, and what was found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Verification(Base, Signed):
    """One recomputing of the books of a community: asked, then done by the worker. ``findings`` are as ``Finding``."""

    __tablename__ = "verifications"
    __table_args__ = (
        Index("verifications_community_id_idx", "community_id", "id"),
        Index("verifications_one_at_a_time", "community_id", unique=True,
              postgresql_where=text("recomputed_at IS NULL")),
    )  # fmt: skip
    id: Mapped[Id]
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    asked_at: Mapped[datetime]
    recomputed_at: Mapped[datetime | None]
    findings: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
