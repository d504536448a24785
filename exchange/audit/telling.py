"""The letter that says that the books disagree."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from exchange import clock, outbox
from exchange.audit.models import Verification
from exchange.audit.wording import CHECKED
from exchange.members import queries as members
from exchange.security import OFFICES


def write_mismatch(session: Session, done: Verification, *, at: datetime) -> None:
    """Tell everybody who may read the books of a community that they don't agree with their entries."""
    community = next(each for each in members.communities(session) if each.id == done.community_id)
    day = clock.local_date(at, members.territory(session).zone)
    readers = members.in_office(session, community.party_id, OFFICES["books.read"], on=day)
    wrong = [finding for finding in done.findings or [] if finding["wrong"]]
    outbox.write(session, readers, "mismatch", at=at, community=community, done=done, wrong=wrong, checked=CHECKED)
