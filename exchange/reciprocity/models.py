"""Rules as they were written; see ``migrations/versions/0005``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class RuleRow(Base, Signed):
    """One dated rule of a lender: a tariff in minutes, a gate; a deposit or a tariff in euros."""

    __tablename__ = "rules"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    shape: Mapped[str]
    title: Mapped[str]
    resource_id: Mapped[int | None] = mapped_column(ForeignKey("resources.id"))
    category: Mapped[str | None]
    class_: Mapped[str | None] = mapped_column("class")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    minutes: Mapped[int | None]
    per: Mapped[str | None]
    decision_number: Mapped[str | None]
    decision_date: Mapped[date | None]
    gate: Mapped[str | None]
    least_balance: Mapped[int | None]
    cents: Mapped[int | None]  # of a deposit, of a tariff in euros
    first: Mapped[bool] = mapped_column(default=False)  # received before the loan is handed over
    written_at: Mapped[datetime]
