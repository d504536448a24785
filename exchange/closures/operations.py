"""The verbs of a closure: close, lift."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.orm import Session

from exchange.catalogue import queries as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import policy
from exchange.closures.models import ClosedThings, ClosedUnit, Closure, ClosureEnd
from exchange.db import signed
from exchange.errors import NotFound, WrongState
from ledger.entries import Acting


def close(
    session: Session, resource: ResourceView, *, kind: str, reason: str, starts_at: datetime, ends_at: datetime | None,
    quantity: int | None, by: Acting, at: datetime,
) -> Closure:  # fmt: skip
    """Lend a resource no more during a span, or until that is lifted; of a pool, so many of its things.

    What is booked then stays booked, and is for its lender to move. Nothing new is: who books at the same moment was
    either there before, or is refused. Raises EndsBeforeStart, InThePast, TooFar, Invalid.
    """
    policy.check(starts_at, ends_at, at=at)
    many = policy.check_quantity(resource.kind, quantity, resource.quantity)
    during = Range(starts_at, ends_at)
    closure = Closure(
        token=secrets.token_urlsafe(16), lender_id=resource.lender_id, resource_id=resource.id, kind=kind,
        reason=reason, quantity=many, during=during, closed_at=at, **signed(by),
    )  # fmt: skip
    session.add(closure)
    session.flush()
    if many is not None:
        session.add(ClosedThings(closure_id=closure.id, pool_id=resource.id, quantity=many, during=during))
        session.flush()
        return closure
    for unit in catalogue.units_of(session, [resource.id])[resource.id]:  # in the order in which bookings lock them
        session.add(ClosedUnit(closure_id=closure.id, unit_id=unit, during=during))
        session.flush()
    return closure


def lift(session: Session, token: str, *, lender: int, by: Acting, at: datetime) -> None:
    """Lend it again, before the end that was planned. Raises NotFound; WrongState when it was lifted already."""
    closure = session.scalar(select(Closure).where(Closure.token == token, Closure.lender_id == lender))
    if closure is None:
        raise NotFound
    written = session.execute(
        insert(ClosureEnd)
        .values(closure_id=closure.id, ended_at=at, **signed(by))
        .on_conflict_do_nothing()
        .returning(ClosureEnd.closure_id)
    ).scalar()
    if written is None:
        raise WrongState(state="lifted")
    session.execute(delete(ClosedUnit).where(ClosedUnit.closure_id == closure.id))
    session.execute(delete(ClosedThings).where(ClosedThings.closure_id == closure.id))
