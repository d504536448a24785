"""Sealing what was written, and who may take the whole books."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from exchange.db import signed
from exchange.errors import Invalid
from exchange.seals.models import LedgerDownload, LedgerOpening
from ledger.entries import Acting
from ledger.signatures import SigningKey
from ledger.store import sealing
from ledger.store.sealing import Head


def seal(session: Session, key: SigningKey, *, at: datetime, still: bool = False) -> Head | None:
    """Seal every fact that waits for it; the new head, or None when nothing waited.

    A key that the books don't name yet is named first: the seal that follows covers its own key.
    """
    if key.public not in sealing.keys(session):
        sealing.register(session, key.public, at=at)
    return sealing.seal(session, key, at=at, still=still)


def note_download(session: Session, head: Head, *, by: Acting, at: datetime) -> None:
    """Keep who took the books up to a head: they hold everybody's exchanges, without the names."""
    session.add(LedgerDownload(
        size=head.size, downloaded_at=at, **signed(by),
    ))  # fmt: skip
    session.flush()


def open_books(
    session: Session, *, community: int, to_members: bool, decided_on: date, decision: str, today: date, by: Acting,
    at: datetime,
) -> None:  # fmt: skip
    """Keep what an assembly decided: whether every member may take the whole books.

    Raises Invalid for a day to come.
    """
    if decided_on > today:
        raise Invalid(field="decided_on", why="to-come")
    session.add(LedgerOpening(
        community_id=community, to_members=to_members, decided_on=decided_on, decision=decision, recorded_at=at,
        **signed(by),
    ))  # fmt: skip
    session.flush()
