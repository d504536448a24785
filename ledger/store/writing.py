"""The only way to write the books: the functions of the database, called on the session's own connection.

The driver's cursor is used directly, and values are handed to it as texts: posting is the hottest path, where compiling
a statement costs as much as to run it, and finding how to send each value a fifth of the whole.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ledger.entries import Acting, Entry, Transfer
from ledger.errors import BY_RULE, AccountUnknown, EntryMalformed, Refused
from ledger.limits import Limits


def _function(name: str, arguments: int) -> str:
    """The statement that calls a function of the books. What it answers is read as one text: rows cost more."""
    return f"SELECT books.{name}({', '.join(f'${number}' for number in range(1, arguments + 1))})::text"


_POST = _function("post", 14)
_POST_SEVERAL = _function("post_several", 14)
_REVERSE = _function("reverse", 9)
_HOLD = _function("hold", 11)
_RESOLVE = _function("resolve_hold", 11)
_OPEN = _function("open_account", 9)
_LEAVE = _function("leave_account", 7)
_CLOSE = _function("close_account", 7)
_CLOSE_MONTH = _function("close_month", 6)
_LIMIT = _function("set_limit", 12)

# a value that no row can hold: out of the bounds of its domain, missing, too large, not a text
_MALFORMED = (psycopg.errors.CheckViolation, psycopg.errors.NotNullViolation, psycopg.DataError)


class Written(NamedTuple):
    """What a function of the books answered. ``replayed``: the same key had written it already."""

    id: int | None
    recorded_at: datetime
    replayed: bool


def _call(session: Session, statement: str, values: Sequence[Any]) -> str:
    """What one function of the books answers; what it refuses is raised as the domain error of its name."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    try:
        said = [None if value is None else str(value) for value in values]
        with psycopg.RawCursor(connection) as cursor:
            answer: tuple[str] | None = cursor.execute(statement, said, prepare=True).fetchone()
    except UnicodeEncodeError as raised:  # half a character, that no database keeps
        raise EntryMalformed from raised
    except psycopg.Error as raised:
        if (refused := _refusal(raised)) is not None:
            raise refused from raised
        # a connection lost, a lock waited for too long: under the same name as from any other statement
        raise DBAPIError.instance(statement, None, raised, psycopg.Error) from raised
    assert answer is not None
    return answer[0]


def _written(row: str) -> Written:
    """Read ``(17,"2026-11-22 10:00:00+00",f)``: no field can hold a comma."""
    number, recorded_at, replayed = row[1:-1].split(",")
    return Written(int(number) if number else None, datetime.fromisoformat(recorded_at.strip('"')), replayed == "t")


def _refusal(raised: psycopg.Error) -> Refused | None:
    if raised.sqlstate == "MR001":
        kind = BY_RULE[raised.diag.message_primary or ""]
        detail = raised.diag.message_detail or ""
        return kind(**json.loads(detail)) if detail.startswith("{") else kind(detail=detail)
    if isinstance(raised, psycopg.errors.ForeignKeyViolation):
        return AccountUnknown()
    if isinstance(raised, _MALFORMED):
        return EntryMalformed(constraint=raised.diag.constraint_name)
    return None


def post(session: Session, entry: Entry, *, community: int, key: str, by: Acting, at: datetime) -> Written:
    """Post an entry under the limits of every account that it takes from.

    The same ``key`` of the same acting party answers what it wrote first. Raises FloorReached, AccountUnknown,
    AccountClosed, EntryMalformed or KeyReused; the caller's transaction is then good only for a rollback.
    """
    cause_kind, cause_id = entry.cause or (None, None)
    about = (community, key, entry.kind, cause_kind, cause_id, entry.happened_on, at, by.sign_in, by.party, by.mandate)
    if len(entry.transfers) == 1:
        move = entry.transfers[0]
        row = _call(session, _POST, (*about, move.from_account, move.to_account, move.minutes, entry.note))
    else:
        row = _call(session, _POST_SEVERAL, (*about, *_columns(entry.transfers), entry.note))
    return _written(row)


def _columns(moves: Sequence[Transfer]) -> Iterator[str]:
    """The transfers as three lists of numbers, written as PostgreSQL writes them: much faster than the driver's own."""
    for field in ("from_account", "to_account", "minutes"):
        yield "{" + ",".join(str(getattr(move, field)) for move in moves) + "}"


def reverse(
    session: Session, entry: int, *, community: int, key: str, reason: str, happened_on: date, by: Acting, at: datetime
) -> Written:
    """Correct a whole entry by its mirror, at most once.

    Raises EntryUnknown, ReasonMissing, CorrectionOfCorrection, EntryCorrectedAlready or CorrectionGains.
    """
    values = (community, entry, key, at, happened_on, by.sign_in, by.party, by.mandate, reason)
    return _written(_call(session, _REVERSE, values))


def hold(
    session: Session,
    *,
    community: int,
    from_account: int,
    to_account: int,
    minutes: int,
    cause: tuple[str, int],
    key: str,
    by: Acting,
    at: datetime,
) -> Written:
    """Set ``minutes`` aside on the payer's account. Raises FloorReached, AccountUnknown, AccountClosed or KeyReused."""
    values = (community, key, *cause, at, by.sign_in, by.party, by.mandate, from_account, to_account, minutes)
    return _written(_call(session, _HOLD, values))


def post_hold(
    session: Session, hold: int, *, community: int, minutes: int, happened_on: date, by: Acting, at: datetime, note: str
) -> Written:
    """Post ``minutes`` of a hold as a loan's entry, and release the rest. Raises HoldResolved or HoldExceeded."""
    values = (community, hold, "posted", minutes, "loan", happened_on, at, by.sign_in, by.party, by.mandate, note)
    return _written(_call(session, _RESOLVE, values))


def release_hold(
    session: Session, hold: int, *, community: int, by: Acting, at: datetime, expired: bool = False
) -> Written:
    """Give back what a hold set aside. Raises HoldResolved when it was posted."""
    kind = "expired" if expired else "released"
    values = (community, hold, kind, None, None, None, at, by.sign_in, by.party, by.mandate, None)
    return _written(_call(session, _RESOLVE, values))


def open_account(
    session: Session, *, community: int, party: int, kind: str, holder: str, at: datetime, by: Acting | None = None
) -> int:
    """Open the account of a party at zero, and return its id; by nobody named, the community's system opens it.

    ``holder`` is the party's name: the books keep a commitment to it, and the name beside, where it can be erased.
    Raises AccountExists.
    """
    values = (community, party, kind, secrets.token_urlsafe(16), holder, at, *(by or (None, None, None)))
    return int(_call(session, _OPEN, values))


def leave_account(
    session: Session, account: int, *, community: int, reason: str, by: Acting, at: datetime
) -> None:
    """Note that the holder leaves: the account only moves toward zero from now on.

    Raises ReasonMissing, AccountUnknown, AccountClosed, or AccountLeaving when that is noted already.
    """
    _call(session, _LEAVE, (community, account, at, reason, by.sign_in, by.party, by.mandate))


def close_account(
    session: Session, account: int, *, community: int, reason: str, by: Acting, at: datetime
) -> None:
    """Close an account that stands at zero with nothing held on it or for it. Raises AccountNotSettled."""
    _call(session, _CLOSE, (community, account, at, reason, by.sign_in, by.party, by.mandate))


def close_month(session: Session, month: date, *, community: int, by: Acting, at: datetime) -> None:
    """Close a month, named by its first day: its figures stay as they are, and what comes later counts in the next.

    Raises MonthNotOver, MonthClosed or MonthSkipped.
    """
    _call(session, _CLOSE_MONTH, (community, month, at, by.sign_in, by.party, by.mandate))


def set_limit(
    session: Session,
    limits: Limits,
    *,
    community: int,
    kind: str | None = None,
    account: int | None = None,
    starts_at: datetime,
    ends_at: datetime | None = None,
    reason: str,
    by: Acting,
    at: datetime,
) -> int:
    """Write the default limits of a kind of account, or a dated exception for one account; return the row's id."""
    values = (
        community, kind, account, limits.floor, limits.ceiling, starts_at, ends_at, reason, at,
        by.sign_in, by.party, by.mandate,
    )  # fmt: skip
    return int(_call(session, _LIMIT, values))
