"""The verbs of a charter: write it, accept it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from exchange.charters import queries
from exchange.charters.models import Charter, CharterAcceptance, CharterVersion
from exchange.charters.queries import CharterView
from exchange.db import signed
from exchange.errors import CharterExists, TemplateChanged
from ledger.entries import Acting


def write(
    session: Session, *, lender: int, title: str, text: str, place: int | None = None, asked: bool = True,
    after: CharterView | None = None, by: Acting, at: datetime,
) -> CharterVersion:  # fmt: skip
    """Write a charter for a place, or for all; or another version ``after`` the one that was read.

    What was accepted before doesn't count for another version; what was asked for before it keeps the one that it met.
    Raises CharterExists for a place that has one, TemplateChanged when somebody else wrote a version meanwhile.
    """
    known = queries.of_lender(session, lender)
    if after is None and any(each.place_id == place for each in known):
        raise CharterExists
    if after and after.number != max(each.number for each in known if each.charter_id == after.charter_id):
        raise TemplateChanged
    made = CharterVersion(
        token=secrets.token_urlsafe(16), charter_id=after.charter_id if after else _new(session, lender, place),
        number=after.number + 1 if after else 1, title=title, text=text, asked=asked, written_at=at, **signed(by),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def _new(session: Session, lender: int, place: int | None) -> int:
    made = Charter(token=secrets.token_urlsafe(16), lender_id=lender, place_id=place)
    session.add(made)
    session.flush()
    return made.id


def accept(session: Session, party: int, versions: Collection[CharterView], *, by: Acting, at: datetime) -> None:
    """A party accepts versions of charters; what it accepted already stays as it was."""
    for each in sorted(versions, key=lambda charter: charter.id):
        session.execute(
            insert(CharterAcceptance)
            .values(version_id=each.id, party_id=party, accepted_at=at, **signed(by))
            .on_conflict_do_nothing()
        )
