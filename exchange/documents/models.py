"""Kinds of documents, what was given, and what the office said of it; see ``migrations/versions/0029``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class DocumentKind(Base):
    """What a lender asks for by one name, however it is worded later."""

    __tablename__ = "document_kinds"
    __table_args__ = (Index("document_kinds_lender_id_idx", "lender_id"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))


class DocumentVersion(Base, Signed):
    """A kind as it was written one day: the last one binds, unless it says that it isn't asked for any more."""

    __tablename__ = "document_versions"
    __table_args__ = (
        UniqueConstraint("kind_id", "number", name="document_versions_once"),
        UniqueConstraint("kind_id", "id"),
    )
    id: Mapped[Id]
    kind_id: Mapped[int] = mapped_column(ForeignKey("document_kinds.id"))
    number: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    help: Mapped[str] = mapped_column(default="")
    expires: Mapped[bool]
    verified: Mapped[bool]
    classes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    asked: Mapped[bool]
    written_at: Mapped[datetime]


class DocumentVersionResource(Base):
    """A resource for which a kind is asked."""

    __tablename__ = "document_version_resources"
    version_id: Mapped[int] = mapped_column(ForeignKey("document_versions.id"), primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), primary_key=True)


class BookingDocument(Base):
    """A kind that a request asks for, as it was when it was asked."""

    __tablename__ = "booking_documents"
    __table_args__ = (
        ForeignKeyConstraint(["kind_id", "version_id"], ["document_versions.kind_id", "document_versions.id"]),
        Index("booking_documents_kind_id_idx", "kind_id"),
    )
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    kind_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version_id: Mapped[int]


class Document(Base, Signed):
    """A document of a party: given as a file, or seen on paper by the lender's office."""

    __tablename__ = "documents"
    __table_args__ = (Index("documents_of_a_party", "party_id", "kind_id"),)
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    kind_id: Mapped[int] = mapped_column(ForeignKey("document_kinds.id"))
    source: Mapped[str]
    valid_until: Mapped[date | None]
    given_at: Mapped[datetime]


class DocumentFile(Base):
    """Its pages as a PDF that we wrote, until it is deleted."""

    __tablename__ = "document_files"
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    data: Mapped[bytes]
    pages: Mapped[int] = mapped_column(Integer)


class DocumentCheck(Base, Signed):
    """The lender's office looked at it: verified, or refused."""

    __tablename__ = "document_checks"
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    verdict: Mapped[str] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]


class DocumentReason(Base):
    """Why it was refused, until its file is deleted."""

    __tablename__ = "document_reasons"
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    reason: Mapped[str]


class FileReminder(Base):
    """A letter was written about what a request lacks, so many days before."""

    __tablename__ = "file_reminders"
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    days: Mapped[int] = mapped_column(Integer, primary_key=True)
    written_at: Mapped[datetime]


class DocumentReminder(Base):
    """A letter was written about a document that expires soon."""

    __tablename__ = "document_reminders"
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    written_at: Mapped[datetime]
