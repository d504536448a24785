"""The verbs of a declared exchange: declare, withdraw, confirm, refuse, expire."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.db import signed, table_of
from exchange.declarations.models import Declaration, DeclarationAnswer
from exchange.declarations.policy import check_day, posts_at_once
from exchange.errors import AlreadyAnswered, NotAllowed, WithOneself
from ledger.entries import Acting, Cause, exchange
from ledger.store import writing
from ledger.store.reading import AccountView


class Exchange(NamedTuple):
    """What somebody says was exchanged: ``giver`` gave ``receiver`` this many minutes on that day."""

    giver: AccountView
    receiver: AccountView
    minutes: int
    happened_on: date
    nature: str
    description: str
    slip: str | None = None

    def content(self) -> dict[str, Any]:
        """What tells this exchange from another, in plain values: the content of an idempotent request."""
        return {**self._asdict(), "giver": self.giver.id, "receiver": self.receiver.id}


def declare(
    session: Session, said: Exchange, *, answer_days: int, today: date, by: Acting, at: datetime
) -> Declaration:
    """Declare an exchange. By who was helped it posts at once; by who helped it waits ``answer_days`` for the other.

    Raises HappensLater, TooOld, WithOneself, SlipKeyedTwice, and what the books refuse (FloorReached...).
    """
    check_day(said.happened_on, today=today)
    if said.giver.id == said.receiver.id:
        raise WithOneself
    declaration = Declaration(
        token=secrets.token_urlsafe(16),
        community_id=said.giver.community_id,
        giver_account=said.giver.id,
        receiver_account=said.receiver.id,
        minutes=said.minutes,
        happened_on=said.happened_on,
        nature=said.nature,
        description=said.description,
        slip=said.slip,
        **signed(by),
        declared_at=at,
        answer_before=at + timedelta(days=answer_days),
    )
    session.add(declaration)
    session.flush()
    if posts_at_once(declared_for=by.party, receiver=said.receiver.party_id):
        _post(session, declaration, by=by, at=at)
    return declaration


def confirm(session: Session, declaration: Declaration, *, payer_party: int, by: Acting, at: datetime) -> int:
    """Who was helped agrees: the minutes move, and the entry's id is returned.

    Raises NotAllowed for anybody but the payer, AlreadyAnswered, and what the books refuse.
    """
    _only(payer_party, by)
    _still_waiting(session, declaration)
    return _post(session, declaration, by=by, at=at)


def refuse(
    session: Session, declaration: Declaration, *, payer_party: int, reason: str, by: Acting, at: datetime
) -> None:
    """Who was helped doesn't agree: nothing moves. Raises NotAllowed or AlreadyAnswered."""
    _only(payer_party, by)
    _still_waiting(session, declaration)
    _answer(session, declaration, "refused", by=by, at=at, reason=reason)


def withdraw(session: Session, declaration: Declaration, *, giver_party: int, by: Acting, at: datetime) -> None:
    """Who said that they helped takes it back before anybody answers. Raises NotAllowed or AlreadyAnswered."""
    _only(giver_party, by)
    _still_waiting(session, declaration)
    _answer(session, declaration, "withdrawn", by=by, at=at)


def expire(session: Session, *, by: Acting, community: int, at: datetime) -> int:
    """Close the declarations of a community that nobody answered in time; return how many."""
    answered = select(DeclarationAnswer.declaration_id)
    late = session.scalars(
        select(Declaration)
        .where(Declaration.community_id == community, Declaration.answer_before <= at)
        .where(Declaration.id.not_in(answered))
        .order_by(Declaration.id)
        .with_for_update(skip_locked=True)
    ).all()
    # answered between the reading of a row and its lock
    meanwhile = set(session.scalars(answered.where(DeclarationAnswer.declaration_id.in_([row.id for row in late]))))
    expired = [declaration for declaration in late if declaration.id not in meanwhile]
    for declaration in expired:
        _answer(session, declaration, "expired", by=by, at=at)
    return len(expired)


def _only(party: int, by: Acting) -> None:
    if by.party != party:
        raise NotAllowed


def _still_waiting(session: Session, declaration: Declaration) -> None:
    """The row's lock makes two answers come one after the other: the second finds the first."""
    session.execute(select(Declaration.id).where(Declaration.id == declaration.id).with_for_update())
    given = session.scalar(
        select(DeclarationAnswer.answer).where(DeclarationAnswer.declaration_id == declaration.id)
    )
    if given is not None:
        raise AlreadyAnswered(answer=given)


def _post(session: Session, declaration: Declaration, *, by: Acting, at: datetime) -> int:
    entry = exchange(
        giver=declaration.giver_account,
        receiver=declaration.receiver_account,
        minutes=declaration.minutes,
        happened_on=declaration.happened_on,
        cause=Cause("declaration", declaration.id),
    )
    key = f"declaration:{declaration.id}"
    written = writing.post(session, entry, community=declaration.community_id, key=key, by=by, at=at)
    assert written.id is not None
    _answer(session, declaration, "confirmed", by=by, at=at, entry=written.id)
    return written.id


_WRITE_ANSWER = table_of(DeclarationAnswer).insert()  # a row that nobody reads back needs no object


def _answer(
    session: Session, declaration: Declaration, answer: str, *, by: Acting, at: datetime, entry: int | None = None,
    reason: str = "",
) -> None:  # fmt: skip
    session.execute(
        _WRITE_ANSWER,
        {
            "declaration_id": declaration.id,
            "community_id": declaration.community_id,
            "answer": answer,
            "reason": reason,
            "entry_id": entry,
            "by_sign_in": by.sign_in,
            "by_party": by.party,
            "by_mandate": by.mandate,
            "answered_at": at,
        },
    )
