"""Rates that councils voted; see ``migrations/versions/0027``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class CouncilRate(Base, Signed):
    """What a loan is worth in euros from a day on, for one thing, by a decision of the council; never edited."""

    __tablename__ = "council_rates"
    id: Mapped[Id]
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    resource_id: Mapped[int | None] = mapped_column(ForeignKey("resources.id"))
    category: Mapped[str | None]
    cents: Mapped[int]
    per: Mapped[str]
    starts_on: Mapped[date]
    decision_number: Mapped[str]
    decision_date: Mapped[date]
    written_at: Mapped[datetime]
