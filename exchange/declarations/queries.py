"""Reads of declarations, always within the accounts of who asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from exchange.declarations.models import Declaration, DeclarationAnswer


def waiting(session: Session, accounts: Collection[int], *, limit: int = 50) -> Sequence[Declaration]:
    """Declarations of these accounts that nobody answered yet, those to answer first."""
    answered = select(DeclarationAnswer.declaration_id)
    return session.scalars(
        select(Declaration)
        .where(or_(Declaration.giver_account.in_(accounts), Declaration.receiver_account.in_(accounts)))
        .where(Declaration.id.not_in(answered))
        .order_by(Declaration.receiver_account.in_(accounts).desc(), Declaration.id)
        .limit(limit)
    ).all()


def within(session: Session, token: str, accounts: Collection[int]) -> Declaration | None:
    """The declaration of this random identifier, if one of its two accounts is among these."""
    return session.scalar(
        select(Declaration).where(
            and_(
                Declaration.token == token,
                or_(Declaration.giver_account.in_(accounts), Declaration.receiver_account.in_(accounts)),
            )
        )
    )


def answer(session: Session, declaration: int) -> DeclarationAnswer | None:
    """The answer given to a declaration, if any."""
    return session.get(DeclarationAnswer, declaration)


def recent(session: Session, account: int, *, size: int = 6) -> Sequence[int]:
    """The accounts that this one exchanged with last, the latest first."""
    other = case((Declaration.giver_account == account, Declaration.receiver_account), else_=Declaration.giver_account)
    return session.scalars(
        select(other)
        .where(or_(Declaration.giver_account == account, Declaration.receiver_account == account))
        .group_by(other)
        .order_by(func.max(Declaration.id).desc())
        .limit(size)
    ).all()


class Habit(NamedTuple):
    """An exchange that may happen again: with whose account, in which direction, of what."""

    token: str
    other: int
    given: bool
    minutes: int
    description: str


def habits(session: Session, account: int, *, size: int = 3, among: int = 30) -> list[Habit]:
    """What this account exchanged lately and was not refused, each once, what came back most often first."""
    refused = exists().where(
        DeclarationAnswer.declaration_id == Declaration.id, DeclarationAnswer.answer != "confirmed"
    )
    rows = session.scalars(
        select(Declaration)
        .where(or_(Declaration.giver_account == account, Declaration.receiver_account == account), ~refused)
        .order_by(Declaration.id.desc())
        .limit(among)
    )
    found: dict[Habit, list[str]] = {}
    for row in rows:
        given = row.giver_account == account
        other = row.receiver_account if given else row.giver_account
        found.setdefault(Habit("", other, given, row.minutes, row.description), []).append(row.token)
    often = sorted(found.items(), key=lambda each: -len(each[1]))
    return [habit._replace(token=tokens[0]) for habit, tokens in often[:size]]


class Said(NamedTuple):
    """What a statement's line was about."""

    token: str
    description: str


def descriptions(session: Session, ids: Iterable[int]) -> dict[int, Said]:
    """What these declarations said, by id, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    query = select(Declaration.id, Declaration.token, Declaration.description).where(Declaration.id.in_(wanted))
    return {row.id: Said(row.token, row.description) for row in session.execute(query)}
