"""What everybody may know of the books: their heads, how many accounts, and a sum of zero."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from exchange.db import table_of
from exchange.seals.models import LedgerDownload
from ledger.store.reading import AccountView

_downloads = table_of(LedgerDownload)


class Sum(NamedTuple):
    """The accounts of one community, and what they sum to: zero, or the books are broken."""

    community: int
    accounts: int
    total: int


class Download(NamedTuple):
    """Who took the whole books, and when."""

    size: int
    downloaded_at: datetime
    by_sign_in: int | None


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


def communities_of(session: Session, parties: Collection[int]) -> bool:
    """Whether these parties are those of every community whose accounts the books hold."""
    found = session.scalar(
        text(
            "SELECT bool_and(c.party_id = ANY (:parties)) FROM communities c"
            " WHERE c.id IN (SELECT community_id FROM books.accounts)"
        ),
        {"parties": list(parties)},
    )
    return bool(found)
