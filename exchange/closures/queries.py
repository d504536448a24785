"""Reads of closures: for an office, its own; for everybody, when something is closed and why."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from exchange.closures.models import ClosedThings, ClosedUnit, Closure, ClosureEnd


class ClosureView(NamedTuple):
    """A closure; without an end it lasts until it is lifted."""

    id: int
    token: str
    lender_id: int
    resource_id: int
    kind: str
    reason: str
    quantity: int | None
    starts_at: datetime
    ends_at: datetime | None
    by_sign_in: int | None
    closed_at: datetime
    lifted_at: datetime | None

    def over(self, at: datetime) -> bool:
        """Whether it is lent again."""
        return self.lifted_at is not None or (self.ends_at is not None and self.ends_at <= at)


_CLOSURES: Select[*tuple[Any, ...]] = select(
    Closure.id, Closure.token, Closure.lender_id, Closure.resource_id, Closure.kind, Closure.reason, Closure.quantity,
    func.lower(Closure.during), func.upper(Closure.during), Closure.by_sign_in, Closure.closed_at, ClosureEnd.ended_at,
).outerjoin(ClosureEnd, ClosureEnd.closure_id == Closure.id)  # fmt: skip


def of_lender(session: Session, lender: int, *, at: datetime, size: int = 200) -> list[ClosureView]:
    """What a lender closes now or later, the first to begin first."""
    query = _CLOSURES.where(Closure.lender_id == lender).where(*_coming(at))
    rows = session.execute(query.order_by(func.lower(Closure.during), Closure.id).limit(size))
    return [ClosureView(*row) for row in rows]


def over(session: Session, lender: int, *, at: datetime, size: int = 20) -> list[ClosureView]:
    """What a lender has closed and lends again, the latest first."""
    ended = or_(ClosureEnd.closure_id.is_not(None), func.upper(Closure.during) <= at)
    rows = session.execute(_CLOSURES.where(Closure.lender_id == lender, ended).order_by(Closure.id.desc()).limit(size))
    return [ClosureView(*row) for row in rows]


def during(session: Session, lender: int, starts_at: datetime, ends_at: datetime) -> list[ClosureView]:
    """What a lender closed between two instants, whether it is lent again or not."""
    query = _CLOSURES.where(Closure.lender_id == lender, Closure.during.overlaps(Range(starts_at, ends_at)))
    return [ClosureView(*row) for row in session.execute(query.order_by(Closure.id))]


def mine(session: Session, token: str, lender: int) -> ClosureView | None:
    """The closure of this random identifier, if it is this lender's."""
    row = session.execute(_CLOSURES.where(Closure.token == token, Closure.lender_id == lender)).one_or_none()
    return ClosureView(*row) if row else None


def of_units(session: Session, units: Collection[int], *, at: datetime) -> list[ClosureView]:
    """What closes these units now or later: a half is closed with its hall."""
    closing = select(ClosedUnit.closure_id).where(ClosedUnit.unit_id.in_(units))
    things = select(ClosedThings.closure_id).where(ClosedThings.pool_id.in_(units))
    query = _CLOSURES.where(or_(Closure.id.in_(closing), Closure.id.in_(things))).where(*_coming(at))
    return [ClosureView(*row) for row in session.execute(query.order_by(func.lower(Closure.during), Closure.id))]


def _coming(at: datetime) -> tuple[Any, ...]:
    later = or_(func.upper(Closure.during).is_(None), func.upper(Closure.during) > at)
    return (ClosureEnd.closure_id.is_(None), later)


class Things(NamedTuple):
    """So many of a pool's things, closed for a span; without an end, until further notice."""

    pool_id: int
    quantity: int
    starts_at: datetime
    ends_at: datetime | None


def closed_things(
    session: Session, pools: Collection[int], starts_at: datetime, ends_at: datetime | None
) -> list[Things]:
    """How many things of these pools are closed, and when, around a span."""
    rows = session.execute(
        select(ClosedThings.pool_id, ClosedThings.quantity, func.lower(ClosedThings.during),
               func.upper(ClosedThings.during))
        .where(ClosedThings.pool_id.in_(pools), ClosedThings.during.overlaps(Range(starts_at, ends_at)))
    )  # fmt: skip
    return [Things(*row) for row in rows]


class Shut(NamedTuple):
    """A unit that is closed for a span; without an end, until further notice."""

    unit_id: int
    kind: str
    starts_at: datetime
    ends_at: datetime | None


def shut(session: Session, units: Collection[int], starts_at: datetime, ends_at: datetime) -> list[Shut]:
    """What closes these units between two instants, the last to end first."""
    rows = session.execute(
        select(ClosedUnit.unit_id, Closure.kind, func.lower(ClosedUnit.during), func.upper(ClosedUnit.during))
        .join(Closure, Closure.id == ClosedUnit.closure_id)
        .where(ClosedUnit.unit_id.in_(units), ClosedUnit.during.overlaps(Range(starts_at, ends_at)))
        .order_by(func.upper(ClosedUnit.during).desc(), ClosedUnit.unit_id)
    )
    return [Shut(*row) for row in rows]
