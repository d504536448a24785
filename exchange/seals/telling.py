"""The head that leaves the server by mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from exchange import clock, outbox
from exchange.members import queries as members
from exchange.security import OFFICES
from ledger.store import sealing


def mail(session: Session, *, at: datetime) -> None:
    """Send the newest head to the auditors and administrators of each community; nothing before the first."""
    head = sealing.last_head(session)
    if head is None:
        return
    day, communities = clock.local_date(at, members.territory(session).zone), members.communities(session)
    roles = OFFICES["books.export"]
    recipients = {to for each in communities for to in members.in_office(session, each.party_id, roles, on=day)}
    outbox.write(session, sorted(recipients), "head", at=at, head=head, key=sealing.keys(session)[-1])
