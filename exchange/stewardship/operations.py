"""The verbs of who answers for the books: correct, set limits, open and close an account."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy.orm import Session

from exchange.members.queries import PartyView
from exchange.stewardship.policy import check_kind, check_nobody_gains
from exchange.stewardship.queries import gains
from ledger.entries import Acting, Entry
from ledger.limits import Limits
from ledger.store import writing
from ledger.store.browsing import Written


def correct(
    session: Session, entry: Written, *, community: int, community_party: int, acts_for: Collection[int], reason: str,
    key: str, today: date, by: Acting, at: datetime,
) -> int:  # fmt: skip
    """Write the mirror of an entry, once, and return its number. ``acts_for``: every party the sign-in acts for.

    Raises CorrectionGains, CorrectionOfCorrection, EntryCorrectedAlready, ReasonMissing or AccountClosed.
    """
    check_nobody_gains(gains(entry, community_party=community_party), acts_for=acts_for)
    written = writing.reverse(
        session, entry.id, community=community, key=f"correction:{key}", reason=reason, happened_on=today, by=by, at=at
    )
    assert written.id is not None
    return written.id


def levy(session: Session, entry: Entry, *, community: int, key: str, by: Acting, at: datetime) -> int:
    """Write dues or an opening credit for everybody at once, or for nobody; return the entry's number.

    Raises FloorReached or AccountClosed (facts: account) for the first account that refuses.
    """
    written = writing.post(session, entry, community=community, key=f"levy:{key}", by=by, at=at)
    assert written.id is not None
    return written.id


def set_default(
    session: Session, limits: Limits, *, community: int, kind: str, reason: str, by: Acting, at: datetime
) -> None:
    """Change the limits of every account of a kind, from now on, but those under an exception."""
    writing.set_limit(session, limits, community=community, kind=kind, starts_at=at, reason=reason, by=by, at=at)


def set_exception(
    session: Session, limits: Limits, *, community: int, account: int, ends_at: datetime, reason: str, by: Acting,
    at: datetime,
) -> None:  # fmt: skip
    """Give one account its own limits until an instant. Raises LimitEndsBefore, ReasonMissing or AccountUnknown."""
    writing.set_limit(
        session, limits, community=community, account=account, starts_at=at, ends_at=ends_at, reason=reason, by=by,
        at=at,
    )  # fmt: skip


def open_account(
    session: Session, party: PartyView, *, community: int, kind: str, by: Acting, at: datetime
) -> int:
    """Open a party's account at zero, and return its id. Raises AccountExists, or Invalid for a kind that isn't its."""
    check_kind(kind, party_kind=party.kind)
    return writing.open_account(
        session, community=community, party=party.id, kind=kind, holder=party.name, by=by, at=at
    )


def close_account(
    session: Session, account: int, *, community: int, reason: str, by: Acting, at: datetime
) -> None:
    """Close an account that stands at zero. Raises AccountNotSettled, AccountClosed or ReasonMissing."""
    writing.close_account(session, account, community=community, reason=reason, by=by, at=at)
