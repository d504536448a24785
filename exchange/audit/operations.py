"""Asking for everything to be recomputed, and doing it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from exchange import jobs
from exchange.audit import queries
from exchange.audit.models import Verification
from exchange.db import signed, table_of
from ledger.entries import Acting

_verifications = table_of(Verification)


def ask(session: Session, *, community: int, by: Acting, at: datetime) -> None:
    """Queue a recomputing of the books of a community; while one waits, who asks again waits for the same."""
    number = begin(session, community=community, by=by, at=at)
    if number is not None:
        jobs.defer(session, "recompute", verification=number)


def begin(session: Session, *, community: int, by: Acting, at: datetime) -> int | None:
    """Note that a recomputing is asked; its number, or None while another one waits."""
    asked = (
        insert(_verifications)
        .values(community_id=community, asked_at=at, **signed(by))
        .on_conflict_do_nothing(
            index_elements=["community_id"], index_where=_verifications.c.recomputed_at.is_(None)
        )
        .returning(_verifications.c.id)
    )  # fmt: skip
    return session.scalar(asked)


def recompute(session: Session, verification: int, *, at: datetime) -> Verification | None:
    """Recompute everything as of ``at`` and keep what is found; None when it was done already.

    Two workers given the same one take turns. All that is read may take minutes.
    """
    kept = session.get(Verification, verification, with_for_update=True)
    if kept is None or kept.recomputed_at is not None:
        return None
    kept.findings = [finding._asdict() for finding in queries.checks(session, kept.community_id, at=at)]
    kept.recomputed_at = at
    return kept
