"""Reads of the addresses of calendars: one's own, and who is behind one that is presented."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.feeds.models import Feed


class FeedView(NamedTuple):
    """An address that is open: whose, for which side of which party."""

    token: str
    secret: str
    sign_in_id: int
    party_id: int
    side: str
    opened_at: datetime


_FEEDS = select(Feed.token, Feed.secret, Feed.sign_in_id, Feed.party_id, Feed.side, Feed.opened_at)


def of_sign_in(session: Session, sign_in: int) -> list[FeedView]:
    """The addresses that somebody has open, the first opened first."""
    rows = session.execute(_FEEDS.where(Feed.sign_in_id == sign_in).order_by(Feed.opened_at, Feed.id))
    return [FeedView(*row) for row in rows]


def by_secret(session: Session, secret: str) -> FeedView | None:
    """The address that is made of this secret, whoever's it is."""
    row = session.execute(_FEEDS.where(Feed.secret == secret)).one_or_none()
    return FeedView(*row) if row else None

