"""The verbs of a key: add, edit, lose, find, retire; and, with a loan, give and take back."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from exchange.db import signed
from exchange.errors import KeyNotThere, KeyOut, NotFound
from exchange.keys import models
from exchange.keys.models import Key, KeyLoan, KeyResource, KeyReturn
from ledger.entries import Acting


def add(
    session: Session, *, lender: int, label: str, note: str, place: int | None, opens: Collection[int], by: Acting,
    at: datetime,
) -> Key:  # fmt: skip
    """Write down a key: the place that it opens, or its rooms (``opens``). Raises KeyLabelled, by the table's index."""
    key = Key(token=secrets.token_urlsafe(16), lender_id=lender, label=label, note=note, place_id=place, added_at=at,
              **signed(by))  # fmt: skip
    session.add(key)
    session.flush()
    _open(session, key, opens)
    return key


def edit(
    session: Session, token: str, *, lender: int, label: str, note: str, place: int | None, opens: Collection[int]
) -> None:
    """Say otherwise what a key is called and opens. Raises NotFound, KeyLabelled."""
    key = _mine(session, token, lender)
    key.label, key.note, key.place_id = label, note, place
    session.execute(delete(KeyResource).where(KeyResource.key_id == key.id))
    _open(session, key, opens)


def _open(session: Session, key: Key, opens: Collection[int]) -> None:
    session.add_all(KeyResource(key_id=key.id, resource_id=resource) for resource in sorted(set(opens)))
    session.flush()


def note_lost(session: Session, token: str, *, lender: int, at: datetime) -> None:
    """It is not in its drawer: it is given no more until it is found. Raises NotFound; KeyOut while a loan has it."""
    key = _mine(session, token, lender)
    _check_in(session, key)
    key.lost_at = key.lost_at or at


def note_found(session: Session, token: str, *, lender: int) -> None:
    """It is there again. Raises NotFound."""
    _mine(session, token, lender).lost_at = None


def retire(session: Session, token: str, *, lender: int, at: datetime) -> None:
    """The lock was changed: the key is in the register no more. Raises NotFound; KeyOut while a loan has it."""
    key = _mine(session, token, lender)
    _check_in(session, key)
    key.retired_at = at


def _mine(session: Session, token: str, lender: int) -> Key:
    """A key under its row's lock, so that it isn't given meanwhile."""
    key = session.scalar(
        select(Key).where(Key.token == token, Key.lender_id == lender, Key.retired_at.is_(None)).with_for_update()
    )
    if key is None:
        raise NotFound
    return key


def _check_in(session: Session, key: Key) -> None:
    if session.get(models.KeyOut, key.id) is not None:
        raise KeyOut


def give(
    session: Session, tokens: Collection[str], *, booking: int, lender: int, by: Acting, at: datetime
) -> None:
    """Give keys with a loan. Raises KeyNotThere for one that is lost or unknown; KeyOut, by the database."""
    keys = session.scalars(
        select(Key.id).where(Key.token.in_(tokens), Key.lender_id == lender).order_by(Key.id)
    ).all() if tokens else []  # fmt: skip
    if len(keys) != len(set(tokens)):
        raise KeyNotThere
    for key in keys:  # in their order, so that two officers never wait in a circle
        session.add(KeyLoan(key_id=key, booking_id=booking, given_at=at, **signed(by)))
        session.flush()


def out(session: Session, booking: int) -> int:
    """How many keys a loan has."""
    held = select(func.count()).select_from(models.KeyOut).where(models.KeyOut.booking_id == booking)
    return session.execute(held).scalar_one()


def take_back(
    session: Session, *, booking: int, back: Collection[str] | None, lost: Collection[str], by: Acting, at: datetime
) -> Sequence[int]:
    """Note keys of a loan that are back, all of them when ``back`` is None, and those that are lost; return those that
    are still out. Raises KeyNotThere for a key that this loan hasn't.
    """
    out = session.execute(
        select(Key, models.KeyOut.key_loan_id)
        .join(models.KeyOut, models.KeyOut.key_id == Key.id)
        .where(models.KeyOut.booking_id == booking)
        .order_by(Key.id)
        .with_for_update(of=Key)
    ).all()
    known = {key.token for key, _loan in out}
    came = known - set(lost) if back is None else set(back)
    if not {*came, *lost} <= known or came & set(lost):
        raise KeyNotThere
    left = []
    for key, loan in out:
        if key.token not in came and key.token not in lost:
            left.append(key.id)
            continue
        outcome = "lost" if key.token in lost else "back"
        session.add(KeyReturn(key_loan_id=loan, outcome=outcome, noted_at=at, **signed(by)))
        key.lost_at = at if outcome == "lost" else None
    session.flush()
    return left
