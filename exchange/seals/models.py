"""Who downloaded the whole books, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id


class LedgerDownload(Base):
    """Somebody took an export that ends at the head of this size."""

    __tablename__ = "ledger_downloads"
    id: Mapped[Id]
    size: Mapped[int]
    downloaded_at: Mapped[datetime]
    by_sign_in: Mapped[int | None] = mapped_column(ForeignKey("sign_ins.id"))
    by_party: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    by_mandate: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
