"""Files given, what became of their lines, and how their columns were understood; see ``migrations/versions/0006``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from exchange.db import Base, Id, Signed


class Import(Base, Signed):
    """One file of one lender, from its upload to its report; ``done`` counts the lines written, of ``total``."""

    __tablename__ = "imports"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    file_name: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    data: Mapped[bytes] = deferred(mapped_column(LargeBinary, nullable=False))
    mapping: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    choices: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    uploaded_at: Mapped[datetime]
    total: Mapped[int | None] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    failure: Mapped[str | None]


class ImportLine(Base):
    """What became of one line: created, changed, unchanged, left out or refused, and why."""

    __tablename__ = "import_lines"
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str]
    status: Mapped[str]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    resource_id: Mapped[int | None] = mapped_column(ForeignKey("resources.id"))


class ImportOrigin(Base):
    """What a file said last of a resource and of its place."""

    __tablename__ = "import_origins"
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), primary_key=True)
    said: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ImportMapping(Base):
    """Which column holds what, as a lender said it once for files with these titles."""

    __tablename__ = "import_mappings"
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
