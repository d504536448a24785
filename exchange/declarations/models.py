"""Declarations and their one answer; see ``migrations/versions/0003``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Declaration(Base, Signed):
    """"Giver gave receiver ``minutes`` of something on a day"; the receiver, who was helped, pays."""

    __tablename__ = "declarations"
    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "slip"),
        ForeignKeyConstraint(["community_id", "giver_account"], ["books.accounts.community_id", "books.accounts.id"]),
        ForeignKeyConstraint(
            ["community_id", "receiver_account"], ["books.accounts.community_id", "books.accounts.id"]
        ),
    )
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    giver_account: Mapped[int]
    receiver_account: Mapped[int]
    minutes: Mapped[int]
    happened_on: Mapped[date]
    nature: Mapped[str]
    description: Mapped[str]
    slip: Mapped[str | None]
    declared_at: Mapped[datetime]
    answer_before: Mapped[datetime]


class DeclarationAnswer(Base, Signed):
    """The one answer to a declaration: confirmed (with its entry), refused, expired or withdrawn."""

    __tablename__ = "declaration_answers"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "declaration_id"], ["declarations.community_id", "declarations.id"]),
        ForeignKeyConstraint(["community_id", "entry_id"], ["books.entries.community_id", "books.entries.id"]),
    )
    declaration_id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int]
    answer: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    entry_id: Mapped[int | None] = mapped_column(unique=True)
    answered_at: Mapped[datetime]
