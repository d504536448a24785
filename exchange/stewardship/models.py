"""What two people decide: the settlement of an account that is left."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id


class Settlement(Base):
    """An administrator proposes to bring an account to zero, with the common account. ``minutes``: its balance then."""

    __tablename__ = "settlements"
    __table_args__ = (
        UniqueConstraint("id", "by_sign_in"),
        ForeignKeyConstraint(["community_id", "account_id"], ["books.accounts.community_id", "books.accounts.id"]),
    )
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[int]
    account_id: Mapped[int] = mapped_column(index=True)
    minutes: Mapped[int]
    reason: Mapped[str]
    proposed_at: Mapped[datetime]
    by_sign_in: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"))
    by_party: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    by_mandate: Mapped[int] = mapped_column(ForeignKey("mandates.id"))


class SettlementApproval(Base):
    """Another administrator agrees, and the entry is written."""

    __tablename__ = "settlement_approvals"
    __table_args__ = (
        ForeignKeyConstraint(["settlement_id", "proposed_by"], ["settlements.id", "settlements.by_sign_in"]),
        CheckConstraint("by_sign_in <> proposed_by", name="settlement_approvals_by_another"),
    )
    settlement_id: Mapped[int] = mapped_column(primary_key=True)
    proposed_by: Mapped[int]
    entry_id: Mapped[int] = mapped_column(ForeignKey("books.entries.id"), unique=True)
    approved_at: Mapped[datetime]
    by_sign_in: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"))
    by_party: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    by_mandate: Mapped[int] = mapped_column(ForeignKey("mandates.id"))
