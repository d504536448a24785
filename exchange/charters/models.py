"""Charters, their versions and who accepted them; see ``migrations/versions/0024``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Charter(Base):
    """What a lender asks to be accepted, for one of its places, or for all that have none of their own."""

    __tablename__ = "charters"
    __table_args__ = (
        UniqueConstraint("lender_id", "place_id", name="charters_once", postgresql_nulls_not_distinct=True),
    )
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))


class CharterVersion(Base, Signed):
    """A charter as it was written one day; the last version is the one that is asked, unless it says that none is."""

    __tablename__ = "charter_versions"
    __table_args__ = (UniqueConstraint("charter_id", "number", name="charter_versions_once"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    charter_id: Mapped[int] = mapped_column(ForeignKey("charters.id"))
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str]
    text: Mapped[str]
    asked: Mapped[bool]
    written_at: Mapped[datetime]


class CharterAcceptance(Base, Signed):
    """A party accepted a version, once for all that it asks for."""

    __tablename__ = "charter_acceptances"
    __table_args__ = (Index("charter_acceptances_party_id_idx", "party_id"),)
    version_id: Mapped[int] = mapped_column(ForeignKey("charter_versions.id"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
    accepted_at: Mapped[datetime]
