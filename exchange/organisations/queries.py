"""Reads about organisations."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from exchange.members.models import Party
from exchange.members.queries import PartyView, words
from exchange.organisations.models import Organisation


def class_of(session: Session, party: int) -> str:
    """The class of a party, which decides its tariffs: an organisation's own, else an inhabitant's."""
    found = session.scalar(select(Organisation.class_).where(Organisation.party_id == party))
    return found or "inhabitant"


class OrganisationView(NamedTuple):
    """An organisation as anybody may read it."""

    party: PartyView
    kind: str
    about: str
    contact: str


_ORGANISATION = select(
    Party.id, Party.token, Party.kind, Party.name, Party.sort_name,
    Organisation.kind, Organisation.about, Organisation.contact,
).join(Party, Party.id == Organisation.party_id)  # fmt: skip


def organisation(session: Session, token: str) -> OrganisationView | None:
    """The organisation of this random identifier."""
    row = session.execute(_ORGANISATION.where(Party.token == token)).one_or_none()
    return OrganisationView(PartyView(*row[:5]), *row[5:]) if row else None


def organisations(
    session: Session, *, searched: str = "", after: PartyView | None = None, size: int = 50
) -> tuple[list[OrganisationView], str | None]:
    """A page of the organisations of the territory by name, and the identifier after which the next one starts."""
    wanted = (
        _ORGANISATION.where(*(Party.sort_name.contains(func.sort_key(word)) for word in words(searched)))
        .order_by(Party.sort_name, Party.id)
        .limit(size + 1)
    )
    if after is not None:
        wanted = wanted.where(tuple_(Party.sort_name, Party.id) > (after.sort_name, after.id))
    found = [OrganisationView(PartyView(*row[:5]), *row[5:]) for row in session.execute(wanted)]
    return found[:size], found[size - 1].party.token if len(found) > size else None
