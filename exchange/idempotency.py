"""One request, one effect: a second request with the same key gets the first one's answer.

The key comes from a hidden field of the form, or from the API's ``Idempotency-Key``. It is claimed in the same
transaction as the work: a refused attempt frees it, and a second request waits for the first to end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import clock
from exchange.db import transaction
from ledger.errors import KeyReused


class Answer(NamedTuple):
    """What the first request got: status, address, body."""

    status: int
    location: str | None
    body: str | None


class Done(NamedTuple):
    """What a request did: where it leads, and whether it wrote an entry of the books."""

    location: str | None
    has_entry: bool = False
    body: str | None = None
    status: int = 303


def once(do: Callable[[Session, datetime], Done], *, party: int, key: str | None, content: bytes) -> Answer:
    """Do what is asked, in one transaction, if nothing came before under this key; else answer what came then.

    Raises KeyReused (facts: location of what was recorded) when the key came with other content, and what ``do`` does.
    """
    at = clock.now()
    with transaction() as session:
        earlier = _claim(session, party=party, key=key or "", content=content, at=at)
        if earlier is not None:
            return earlier
        done = do(session, at)
        answer = Answer(done.status, done.location, done.body)
        session.execute(
            _KEEP, {**answer._asdict(), "has_entry": done.has_entry, "party": party, "key": key or ""}
        )
        return answer


def digest(route: str, values: dict[str, Any]) -> bytes:
    """The content of a request: its route and the values as they were understood, in canonical form."""
    canonical = json.dumps([route, values], sort_keys=True, ensure_ascii=True, default=_plain)
    return hashlib.sha256(canonical.encode()).digest()


def _plain(value: object) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


# Kept for good with an entry, 30 days elsewhere.
_KEEP = text(
    "UPDATE kept_answers SET status = :status, location = :location, body = :body, has_entry = :has_entry"
    " WHERE party_id = :party AND key = :key"
)
_TAKE = text(
    "INSERT INTO kept_answers (party_id, key, content, kept_at) VALUES (:party, :key, :content, :at)"
    " ON CONFLICT (party_id, key) DO NOTHING RETURNING true"
)
_KEPT = text("SELECT content, status, location, body FROM kept_answers WHERE party_id = :party AND key = :key")


def _claim(session: Session, *, party: int, key: str, content: bytes, at: datetime) -> Answer | None:
    """Take a key for the acting party, or return what its first request was answered."""
    values = {"party": party, "key": key, "content": content, "at": at}
    if session.execute(_TAKE, values).scalar():
        return None
    first = session.execute(_KEPT, values).one()
    if bytes(first.content) != content:
        raise KeyReused(location=first.location)
    return Answer(first.status, first.location, first.body)
