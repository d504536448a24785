"""Reads about organisations."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from exchange.members import queries as members
from exchange.members.queries import PartyView
from exchange.organisations.models import Organisation


def class_of(session: Session, party: int) -> str:
    """The class of a party, which decides its tariffs: an organisation's own, else an inhabitant's."""
    found = session.scalar(select(Organisation.class_).where(Organisation.party_id == party))
    return found or "inhabitant"


def contact_of(session: Session, party: int) -> str:
    """How an organisation says to reach it; nothing for anybody else."""
    return session.scalar(select(Organisation.contact).where(Organisation.party_id == party)) or ""


def classes_of(session: Session, parties: Collection[int]) -> dict[int, str]:
    """The class of each of these parties, by id."""
    if not parties:
        return {}
    rows = session.execute(select(Organisation.party_id, Organisation.class_).where(Organisation.party_id.in_(parties)))
    return dict.fromkeys(parties, "inhabitant") | {row[0]: row[1] for row in rows}


def kinds_of(session: Session, parties: Collection[int]) -> dict[int, str]:
    """What these organisations are, by id: "association", "firm", "school", "authority" or "social-centre"."""
    if not parties:
        return {}
    rows = session.execute(
        select(Organisation.party_id, Organisation.kind).where(Organisation.party_id.in_(parties))
    )
    return {row[0]: row[1] for row in rows}


class OrganisationView(NamedTuple):
    """An organisation as anybody may read it."""

    party: PartyView
    kind: str
    about: str
    contact: str


def organisation(session: Session, token: str) -> OrganisationView | None:
    """The organisation of this random identifier."""
    party = members.party_by_token(session, token)
    kept = session.get(Organisation, party.id) if party else None
    return OrganisationView(party, kept.kind, kept.about, kept.contact) if party and kept else None


def organisations(
    session: Session, *, searched: str = "", after: PartyView | None = None, size: int = 50
) -> tuple[list[OrganisationView], str | None]:
    """A page of the organisations of the territory by name, and the identifier after which the next one starts."""
    parties, following = members.parties_by_name(session, "organisation", searched=searched, after=after, size=size)
    found = session.scalars(select(Organisation).where(Organisation.party_id.in_([party.id for party in parties])))
    kept = {organisation.party_id: organisation for organisation in found}
    return [
        OrganisationView(party, kept[party.id].kind, kept[party.id].about, kept[party.id].contact)
        for party in parties if party.id in kept
    ], following  # fmt: skip
