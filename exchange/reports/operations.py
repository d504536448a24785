"""Writing what a council voted: written once; the next rate of the same takes its place on its own day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from exchange.db import signed
from exchange.reports.models import CouncilRate
from exchange.reports.policy import Rate
from ledger.entries import Acting


def write_rate(session: Session, rate: Rate, *, by: Acting, at: datetime) -> CouncilRate:
    """Write a rate of a lender (its id is given by the database). It is never derived from minutes, nor edited."""
    row = CouncilRate(
        lender_id=rate.lender, resource_id=rate.resource, category=rate.category, cents=rate.cents, per=rate.per,
        starts_on=rate.starts_on, decision_number=rate.decision, decision_date=rate.decided_on, written_at=at,
        **signed(by),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row
