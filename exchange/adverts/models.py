"""Adverts, their categories, and the relay; see ``migrations/versions/0003``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Computed, ForeignKey, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Category(Base):
    """What a community sorts its adverts by."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("community_id", "name"), UniqueConstraint("community_id", "id"))
    id: Mapped[Id]
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str]


class Advert(Base, Signed):
    """An offer or a want of a party, in one community."""

    __tablename__ = "adverts"
    __table_args__ = (
        ForeignKeyConstraint(["community_id", "account_id"], ["books.accounts.community_id", "books.accounts.id"]),
        ForeignKeyConstraint(["community_id", "category_id"], ["categories.community_id", "categories.id"]),
    )
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    account_id: Mapped[int]
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    kind: Mapped[str]
    nature: Mapped[str]
    category_id: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    searched: Mapped[str] = mapped_column(Text, Computed("sort_key(title || ' ' || text)", persisted=True))
    published_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class AdvertChange(Base, Signed):
    """An advert was edited or closed, and by whom: its author, or the counter for them."""

    __tablename__ = "advert_changes"
    id: Mapped[Id]
    advert_id: Mapped[int] = mapped_column(ForeignKey("adverts.id"))
    kind: Mapped[str]
    changed_at: Mapped[datetime]


class Thread(Base):
    """Two parties write to each other about one advert."""

    __tablename__ = "threads"
    __table_args__ = (UniqueConstraint("advert_id", "asking_party"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    advert_id: Mapped[int] = mapped_column(ForeignKey("adverts.id"))
    author_party: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    asking_party: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    opened_at: Mapped[datetime]


class Message(Base, Signed):
    """One message of a thread, by the party ``by_party``."""

    __tablename__ = "messages"
    id: Mapped[Id]
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    text: Mapped[str]
    sent_at: Mapped[datetime]
