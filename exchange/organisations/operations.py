"""The verbs about organisations: add one, change what it says of itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from exchange.members import operations as members
from exchange.members.queries import PartyView, parties
from exchange.organisations.models import Organisation


def add(
    session: Session, *, name: str, kind: str, class_: str, about: str = "", contact: str = "", at: datetime
) -> PartyView:
    """A new organisation: ``kind`` is what it is ("association", "firm", "school", "authority", "social-centre"),
    ``class_`` what its tariffs depend on ("town", "local-association", "firm", "outside")."""
    party = members.add_party(session, kind="organisation", name=name, at=at)
    session.add(Organisation(party_id=party.id, kind=kind, class_=class_, about=about, contact=contact))
    session.flush()
    return parties(session, [party.id])[party.id]


def edit(session: Session, party: int, *, about: str, contact: str) -> None:
    """Change what an organisation says of itself to everybody."""
    kept = session.get_one(Organisation, party)
    kept.about, kept.contact = about, contact
    session.flush()
