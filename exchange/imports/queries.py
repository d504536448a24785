"""Reads of imports, always those of one lender."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from exchange.imports.models import Import, ImportLine

STATUSES = ("created", "changed", "unchanged", "left-out", "refused")


class Report(NamedTuple):
    """A page of what became of the lines, and how many stand where."""

    rows: Sequence[ImportLine]
    total: int
    page: int
    pages: int


def of_lender(session: Session, lender: int, *, limit: int = 50) -> Sequence[Import]:
    """The imports of a lender, the latest first, without their files."""
    return session.scalars(
        select(Import).where(Import.lender_id == lender).order_by(Import.id.desc()).limit(limit)
    ).all()


def within(session: Session, lender: int, token: str) -> Import | None:
    """One import of a lender."""
    return session.scalar(select(Import).where(Import.lender_id == lender, Import.token == token))


def interrupted(session: Session, *, before: datetime) -> Sequence[int]:
    """Imports that started before an instant and have not ended, the oldest first."""
    return session.scalars(
        select(Import.id).where(Import.started_at < before, Import.finished_at.is_(None)).order_by(Import.id)
    ).all()


def counts(session: Session, job: int) -> dict[str, int]:
    """How many lines became what."""
    rows = session.execute(
        select(ImportLine.status, func.count()).where(ImportLine.import_id == job).group_by(ImportLine.status)
    )
    found = {row[0]: row[1] for row in rows}
    return {status: found.get(status, 0) for status in STATUSES}


def report(session: Session, job: int, *, status: str | None = None, page: int = 1, size: int = 100) -> Report:
    """A page of the report, in the order of the file."""
    wanted = [ImportLine.import_id == job, *([ImportLine.status == status] if status else [])]
    total = session.scalar(select(func.count()).select_from(ImportLine).where(*wanted)) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    rows = session.scalars(
        select(ImportLine).where(*wanted).order_by(ImportLine.line).limit(size).offset((page - 1) * size)
    ).all()
    return Report(rows, total, page, pages)


def lines(session: Session, job: int) -> Sequence[ImportLine]:
    """The whole report, in the order of the file."""
    return session.scalars(select(ImportLine).where(ImportLine.import_id == job).order_by(ImportLine.line)).all()
