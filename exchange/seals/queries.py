"""What everybody may know of the books: their heads, how many accounts, and a sum of zero."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from exchange.db import table_of
from exchange.seals.models import LedgerDownload, LedgerOpening
from ledger.store.reading import AccountView

_downloads, _openings = table_of(LedgerDownload), table_of(LedgerOpening)


class Sum(NamedTuple):
    """The open accounts of one community, and what all sum to: zero, or the books are broken."""

    community: int
    accounts: int
    total: int


class Download(NamedTuple):
    """Who took the whole books, and when."""

    size: int
    downloaded_at: datetime
    by_sign_in: int | None


class Opening(NamedTuple):
    """What the assembly of a community decided one day: whether its members may take the whole books."""

    community: int
    to_members: bool
    decided_on: date
    decision: str


_SUMS = text(
    "SELECT community_id, count(*) FILTER (WHERE closed_at IS NULL), sum(balance)::bigint"
    "  FROM books.accounts GROUP BY community_id ORDER BY community_id"
)
_ENTRY = text(
    "SELECT entry_id FROM books.transfers WHERE from_account = :account AND from_seq = :seq"
    " UNION ALL SELECT entry_id FROM books.transfers WHERE to_account = :account AND to_seq = :seq"
)


def sums(session: Session) -> list[Sum]:
    """The sum of each community."""
    return [Sum(*row) for row in session.execute(_SUMS)]


def downloads(session: Session, *, size: int = 25) -> list[Download]:
    """Who took the whole books, newest first."""
    wanted = select(_downloads.c.size, _downloads.c.downloaded_at, _downloads.c.by_sign_in)
    return [Download(*row) for row in session.execute(wanted.order_by(_downloads.c.id.desc()).limit(size))]


def entry_of(session: Session, account: AccountView, seq: int) -> int | None:
    """The entry behind a line of an account."""
    return session.scalar(_ENTRY, {"account": account.id, "seq": seq})


_DECISIONS = select(
    _openings.c.community_id, _openings.c.to_members, _openings.c.decided_on, _openings.c.decision
).order_by(_openings.c.community_id, _openings.c.decided_on.desc(), _openings.c.id.desc())


def openings(session: Session) -> dict[int, Opening]:
    """What is in force in each community whose assembly decided something: the decision of the latest day, and of those
    of one day the one that was noted last.
    """
    wanted = _DECISIONS.ext(distinct_on(_openings.c.community_id))
    return {row.community_id: Opening(*row) for row in session.execute(wanted)}


def decisions(session: Session, community: int, *, size: int = 25) -> list[Opening]:
    """What the assemblies of a community decided, the latest first."""
    wanted = _DECISIONS.where(_openings.c.community_id == community)
    return [Opening(*row) for row in session.execute(wanted.limit(size))]


_KEPT_FROM = text(
    """
    SELECT EXISTS (
        SELECT FROM communities c
         WHERE c.id IN (SELECT community_id FROM books.accounts)
           AND c.party_id <> ALL (:offices)
           AND NOT (c.id = ANY (:opened) AND EXISTS (
               SELECT FROM books.accounts a
                WHERE a.community_id = c.id AND a.party_id = ANY (:own) AND a.closed_at IS NULL)))
    """
)


def may_take(session: Session, *, offices: Collection[int], own: Collection[int]) -> bool:
    """Whether the whole books are for somebody: in every community that they hold, by the office of its party, or by
    an open account of theirs where the assembly opened the books to its members.
    """
    opened = [each.community for each in openings(session).values() if each.to_members]
    if not offices and not opened:
        return False
    return not session.scalar(_KEPT_FROM, {"offices": list(offices), "opened": opened, "own": list(own)})
