"""One request, one effect: a second request with the same key gets the first one's answer.

The key comes from a hidden field of the form, or from the API's ``Idempotency-Key``. It is claimed in the same
transaction as the work: a refused attempt frees it, and a second request waits for the first to end.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.errors import KeyReused


class Answer(NamedTuple):
    """What the first request got: status, address, body."""

    status: int
    location: str | None
    body: str | None


@dataclass(frozen=True)
class Claim:
    """A key taken for this request; ``answer`` is set when an earlier request did the work."""

    session: Session
    party: int
    key: str
    answer: Answer | None = None

    def keep(self, status: int, location: str | None = None, body: str | None = None, *, has_entry: bool) -> None:
        """Keep the answer: for good when an entry was written, 30 days elsewhere."""
        self.session.execute(
            text(
                "UPDATE kept_answers SET status = :status, location = :location, body = :body, has_entry = :has_entry"
                " WHERE party_id = :party AND key = :key"
            ),
            {"status": status, "location": location, "body": body, "has_entry": has_entry,
             "party": self.party, "key": self.key},
        )  # fmt: skip


def digest(route: str, values: dict[str, Any]) -> bytes:
    """The content of a request: its route and the values as they were understood, in canonical form."""
    canonical = json.dumps([route, values], sort_keys=True, ensure_ascii=True, default=_plain)
    return hashlib.sha256(canonical.encode()).digest()


def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


def claim(session: Session, *, party: int, key: str, content: bytes, at: datetime) -> Claim:
    """Take a key for the acting party.

    Raises KeyReused (facts: location of what it recorded) when the key came before with other content.
    """
    values = {"party": party, "key": key, "content": content, "at": at}
    taken = session.execute(
        text(
            "INSERT INTO kept_answers (party_id, key, content, kept_at) VALUES (:party, :key, :content, :at)"
            " ON CONFLICT (party_id, key) DO NOTHING RETURNING true"
        ),
        values,
    ).scalar()
    if taken:
        return Claim(session, party, key)
    first = session.execute(
        text("SELECT content, status, location, body FROM kept_answers WHERE party_id = :party AND key = :key"), values
    ).one()
    if bytes(first.content) != content:
        raise KeyReused(location=first.location)
    return Claim(session, party, key, Answer(first.status, first.location, first.body))
