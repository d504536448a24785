"""Templates, agreements and who accepted them; see ``migrations/versions/0023``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Template(Base):
    """What a lender writes its agreements from; its words are those of its last version."""

    __tablename__ = "agreement_templates"
    __table_args__ = (UniqueConstraint("id", "lender_id"), Index("agreement_templates_lender_id_idx", "lender_id"))
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))


class Version(Base, Signed):
    """A template as it was written one day, with the loans that it covers: all, some resources, or none any more."""

    __tablename__ = "agreement_versions"
    __table_args__ = (UniqueConstraint("template_id", "number", name="agreement_versions_once"),)
    id: Mapped[Id]
    template_id: Mapped[int] = mapped_column(ForeignKey("agreement_templates.id"))
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str]
    text: Mapped[str]
    covers: Mapped[str]
    first: Mapped[str]
    automatic: Mapped[bool]
    written_at: Mapped[datetime]


class VersionResource(Base):
    """One of the resources whose loans need an agreement from this version."""

    __tablename__ = "agreement_version_resources"
    version_id: Mapped[int] = mapped_column(ForeignKey("agreement_versions.id"), primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), primary_key=True)


class Agreement(Base, Signed):
    """What two sides accept for one loan, numbered by lender and year; ``digest`` is the SHA-256 of its text."""

    __tablename__ = "agreements"
    __table_args__ = (
        UniqueConstraint("lender_id", "year", "number", name="agreements_numbered_once"),
        UniqueConstraint("replaces_id", name="agreements_replaced_once"),
        UniqueConstraint("id", "booking_id"),
        ForeignKeyConstraint(["replaces_id", "booking_id"], ["agreements.id", "agreements.booking_id"],
                             name="agreements_replace_one_of_the_same_loan"),
        Index("agreements_first_of_a_loan", "booking_id", unique=True, postgresql_where=text("replaces_id IS NULL")),
    )  # fmt: skip
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("agreement_versions.id"))
    replaces_id: Mapped[int | None]
    year: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes]
    made_at: Mapped[datetime]


class AgreementText(Base):
    """Its words, until the person whom they name is erased."""

    __tablename__ = "agreement_texts"
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreements.id"), primary_key=True)
    text: Mapped[str]


class Signature(Base, Signed):
    """One side accepted, on line or on paper."""

    __tablename__ = "agreement_signatures"
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreements.id"), primary_key=True)
    side: Mapped[str] = mapped_column(primary_key=True)
    how: Mapped[str]
    signed_on: Mapped[date]
    signed_at: Mapped[datetime]


class SignatureName(Base):
    """Who signed, and the sentence that they accepted, until the person is erased."""

    __tablename__ = "agreement_names"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agreement_id", "side"], ["agreement_signatures.agreement_id", "agreement_signatures.side"]
        ),
    )
    agreement_id: Mapped[int] = mapped_column(primary_key=True)
    side: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    sentence: Mapped[str]
