"""The verbs of who answers for the books: correct, set limits, open and close an account."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime

from sqlalchemy.orm import Session

from exchange.db import signed
from exchange.errors import AlreadyAnswered, NothingToSettle, SettlementChanged, SettlesAlone
from exchange.members.queries import PartyView
from exchange.stewardship import queries
from exchange.stewardship.models import Settlement, SettlementApproval
from exchange.stewardship.policy import check_kind, check_nobody_gains
from exchange.stewardship.queries import gains
from ledger.entries import Acting, Cause, Entry, Transfer
from ledger.errors import AccountNotSettled
from ledger.limits import Limits
from ledger.store import reading, writing
from ledger.store.browsing import Written
from ledger.store.reading import AccountView


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


def leave(session: Session, account: int, *, community: int, reason: str, by: Acting, at: datetime) -> None:
    """Note that the holder leaves: the balance only goes toward zero. Raises AccountLeaving, AccountClosed."""
    writing.leave_account(session, account, community=community, reason=reason, by=by, at=at)


def propose_settlement(session: Session, account: AccountView, *, reason: str, by: Acting, at: datetime) -> Settlement:
    """Propose that what remains on the account of who leaves goes to the common account, or comes from it.

    Another administrator decides. Raises NothingToSettle for an account that nobody leaves, or that stands at zero.
    """
    if account.leaving_at is None or account.closed_at is not None or account.balance == 0:
        raise NothingToSettle
    proposed = Settlement(
        token=secrets.token_urlsafe(16), community_id=account.community_id, account_id=account.id,
        minutes=account.balance, reason=reason, proposed_at=at, **signed(by),
    )  # fmt: skip
    session.add(proposed)
    session.flush()
    return proposed


def settle(session: Session, proposed: Settlement, *, common: int, today: date, by: Acting, at: datetime) -> int:
    """Write the settlement that somebody else proposed, close the account if nothing is set aside on it any more, and
    return the entry's number. ``common`` is the account of the community.

    Raises SettlesAlone, SettlementChanged when the balance moved since, or AlreadyAnswered. A balance that moves at
    this very moment is refused by the books: who leaves only goes toward zero.
    """
    if by.sign_in == proposed.by_sign_in:
        raise SettlesAlone
    if queries.approved(session, proposed.id):
        raise AlreadyAnswered
    account = reading.account(session, proposed.community_id, proposed.account_id)
    assert account is not None
    if account.balance != proposed.minutes:
        raise SettlementChanged(balance=account.balance)
    sides = (account.id, common) if account.balance > 0 else (common, account.id)
    entry = Entry("settlement", (Transfer(*sides, abs(account.balance)),), today, Cause("settlement", proposed.id),
                  proposed.reason)  # fmt: skip
    written = writing.post(
        session, entry, community=proposed.community_id, key=f"settlement:{proposed.id}", by=by, at=at
    )
    session.add(SettlementApproval(
        settlement_id=proposed.id, proposed_by=proposed.by_sign_in, entry_id=written.id, approved_at=at,
        **signed(by),
    ))  # fmt: skip
    session.flush()
    with suppress(AccountNotSettled), session.begin_nested():  # minutes are still set aside for a loan
        close_account(session, account.id, community=proposed.community_id, reason=proposed.reason, by=by, at=at)
    assert written.id is not None
    return written.id


def close_month(session: Session, month: date, *, community: int, by: Acting, at: datetime) -> None:
    """Close a month, named by its first day. Raises MonthNotOver, MonthClosed or MonthSkipped."""
    writing.close_month(session, month, community=community, by=by, at=at)


def close_account(
    session: Session, account: int, *, community: int, reason: str, by: Acting, at: datetime
) -> None:
    """Close an account that stands at zero. Raises AccountNotSettled, AccountClosed or ReasonMissing."""
    writing.close_account(session, account, community=community, reason=reason, by=by, at=at)
