"""Writing rules: they are dated and never changed; one is ended, and another begins."""

from __future__ import annotations

import secrets
from datetime import date, datetime

from sqlalchemy.orm import Session

from exchange.db import signed
from exchange.reciprocity.models import RuleRow
from exchange.reciprocity.policy import IN_EUROS, Rule
from ledger.entries import Acting


def write_rule(
    session: Session, rule: Rule, *, lender: int, decision_number: str | None = None,
    decision_date: date | None = None, by: Acting, at: datetime,
) -> RuleRow:  # fmt: skip
    """Write a rule of a lender. Raises CouncilDecisionMissing for a public lender's price without its decision."""
    tariff = rule.shape == "tariff"
    row = RuleRow(
        token=secrets.token_urlsafe(16),
        lender_id=lender,
        shape=rule.shape,
        title=rule.title,
        resource_id=rule.resource,
        category=rule.category,
        class_=rule.class_,
        starts_on=rule.starts_on,
        ends_on=rule.ends_on,
        community_id=rule.community,
        minutes=rule.minutes if tariff else None,
        per=rule.per if tariff or rule.shape == "euro-tariff" else None,
        decision_number=decision_number,
        decision_date=decision_date,
        gate=rule.gate,
        least_balance=rule.least_balance if rule.gate == "balance" else None,
        cents=rule.cents if rule.shape in IN_EUROS else None,
        first=rule.first,
        **signed(by),
        written_at=at,
    )
    session.add(row)
    session.flush()
    return row


def end_rule(session: Session, row: RuleRow, *, on: date) -> None:
    """Let a rule end with a day; what was asked for before keeps the rule as it was read then."""
    row.ends_on = max(on, row.starts_on)
    session.flush()
