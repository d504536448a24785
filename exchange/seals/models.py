"""Who may take the whole books beside the auditors, and who took them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class LedgerDownload(Base, Signed):
    """Somebody took an export that ends at the head of this size."""

    __tablename__ = "ledger_downloads"
    id: Mapped[Id]
    size: Mapped[int]
    downloaded_at: Mapped[datetime]


class LedgerOpening(Base):
    """An assembly decided that the members may take the whole books, or no more; its latest decision is in force."""

    __tablename__ = "ledger_openings"
    __table_args__ = (Index("ledger_openings_community_id_idx", "community_id", "decided_on", "id"),)
    id: Mapped[Id]
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    to_members: Mapped[bool]
    decided_on: Mapped[date]
    decision: Mapped[str]
    recorded_at: Mapped[datetime]
    by_sign_in: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"))
    by_party: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    by_mandate: Mapped[int] = mapped_column(ForeignKey("mandates.id"))
