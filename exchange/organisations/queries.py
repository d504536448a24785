"""Reads about organisations."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.organisations.models import Organisation


def class_of(session: Session, party: int) -> str:
    """The class of a party, which decides its tariffs: an organisation's own, else an inhabitant's."""
    found = session.scalar(select(Organisation.class_).where(Organisation.party_id == party))
    return found or "inhabitant"
