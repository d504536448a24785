"""The addresses at which calendars follow bookings; see ``migrations/versions/0028``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id


class Feed(Base):
    """Somebody follows one side of a party: what it books, or what it lends. Renewed, it has another secret."""

    __tablename__ = "feeds"
    __table_args__ = (UniqueConstraint("sign_in_id", "party_id", "side"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    secret: Mapped[str] = mapped_column(unique=True)
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"))
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    side: Mapped[str]
    opened_at: Mapped[datetime]
