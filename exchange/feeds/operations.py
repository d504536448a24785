"""The verbs of a calendar's address: open it, which also puts another in its place, and close it."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from exchange.db import table_of
from exchange.feeds import queries
from exchange.feeds.models import Feed
from exchange.feeds.queries import FeedView
from ledger.entries import Acting


def open_(session: Session, side: str, *, by: Acting, at: datetime) -> FeedView:
    """A new address for one side of the party that somebody acts for ("bookings" or "loans").

    The one before, if there was any, leads nowhere from now on.
    """
    made = insert(table_of(Feed)).values(
        token=secrets.token_urlsafe(16), secret=secrets.token_urlsafe(16), sign_in_id=by.sign_in, party_id=by.party,
        side=side, opened_at=at,
    )  # fmt: skip
    session.execute(made.on_conflict_do_update(
        index_elements=["sign_in_id", "party_id", "side"],
        set_={"secret": made.excluded.secret, "opened_at": made.excluded.opened_at},
    ))  # fmt: skip
    assert by.sign_in is not None
    mine = queries.of_sign_in(session, by.sign_in)
    return next(each for each in mine if (each.party_id, each.side) == (by.party, side))


def close(session: Session, side: str, *, by: Acting) -> None:
    """The address leads nowhere any more; closed twice, nothing happens."""
    session.execute(
        delete(Feed).where(Feed.sign_in_id == by.sign_in, Feed.party_id == by.party, Feed.side == side)
    )
