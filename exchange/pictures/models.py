"""Pictures, kept in the database beside what they show; see ``migrations/versions/0015`` and ``0016``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Picture(Base, Signed):
    """One picture of a resource, in two sizes and in miniature. ``words`` says what it shows to who doesn't see it."""

    __tablename__ = "pictures"
    __table_args__ = (UniqueConstraint("resource_id", "position", name="pictures_position"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    position: Mapped[int] = mapped_column(Integer)
    words: Mapped[str]
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    large: Mapped[bytes] = mapped_column(deferred=True)
    small: Mapped[bytes] = mapped_column(deferred=True)
    miniature: Mapped[bytes] = mapped_column(deferred=True)
    added_at: Mapped[datetime]
