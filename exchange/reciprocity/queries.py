"""Reads of rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from exchange.reciprocity.models import RuleRow
from exchange.reciprocity.policy import Rule


def rules_of(session: Session, lenders: Collection[int], *, on: date | None = None) -> dict[int, list[Rule]]:
    """The rules of these lenders, those in force on a day when one is given: lender id -> rules."""
    query = select(RuleRow).where(RuleRow.lender_id.in_(lenders)).order_by(RuleRow.id)
    if on is not None:
        query = query.where(RuleRow.starts_on <= on, or_(RuleRow.ends_on.is_(None), RuleRow.ends_on >= on))
    found: dict[int, list[Rule]] = {lender: [] for lender in lenders}
    for row in session.scalars(query):
        found[row.lender_id].append(as_rule(row))
    return found


def rows_of(session: Session, lender: int) -> Sequence[RuleRow]:
    """Every rule that a lender wrote, those in force first."""
    query = select(RuleRow).where(RuleRow.lender_id == lender)
    return session.scalars(query.order_by(RuleRow.ends_on.is_not(None), RuleRow.id.desc())).all()


def row_of(session: Session, lender: int, token: str) -> RuleRow | None:
    """One rule of a lender."""
    return session.scalar(select(RuleRow).where(RuleRow.lender_id == lender, RuleRow.token == token))


def as_rule(row: RuleRow) -> Rule:
    """The rule of a row, as the policy reads it."""
    return Rule(
        token=row.token,
        shape=row.shape,
        title=row.title,
        resource=row.resource_id,
        category=row.category,
        class_=row.class_,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        community=row.community_id,
        minutes=row.minutes or 0,
        per=row.per or "flat",
        decision=row.decision_number,
        decided_on=row.decision_date,
        gate=row.gate,
        least_balance=row.least_balance or 0,
        cents=row.cents or 0,
        first=row.first,
    )
