"""People for programs: who asks, and the members of their communities."""

from __future__ import annotations

from typing import Any

from flask_login import current_user

from exchange.db import db
from exchange.errors import NotFound, WrongCursor
from exchange.members import queries
from exchange.members.schemas import MeShape, NeighbourPage, NeighboursQuery, ProfileShape
from exchange.rest import shapes
from exchange.rest.resources import Resources
from exchange.security import communities, community_of, held, own
from exchange.sentences import N
from ledger.store import reading

resources = Resources("members", N("Personnes"))


@resources.reads("/me", N("Qui je suis, pour qui je peux agir, et nos comptes"), gives=MeShape)
def me() -> dict[str, Any]:
    """Where a program starts."""
    session, mandates, scope = db.session(), held(), own("account.read")
    accounts = reading.accounts_of(session, scope.parties)
    known = {found.id: found for found in queries.communities(session)}
    parties = queries.parties(session, {*scope.parties, *(mandate.party_id for mandate in mandates)})
    return {
        "user_name": current_user.user_name,
        "language": current_user.language,
        "parties": [shapes.party(parties[id_]) for id_ in dict.fromkeys(scope.parties)],
        "mandates": [{"role": m.role, "party": shapes.party(parties[m.party_id])} for m in mandates],
        "communities": [shapes.community(found) for found in communities("member.read")],
        "accounts": [shapes.account(a, parties[a.party_id], known[a.community_id]) for a in accounts],
    }


@resources.reads(
    "/communities/<community>/members", N("Les membres d’une communauté"), query=NeighboursQuery,
    gives=NeighbourPage,
)  # fmt: skip
def neighbours(query: dict[str, Any], community: str) -> dict[str, Any]:
    """By name."""
    session, found = db.session(), community_of("member.read", community)
    after = _party_of(query["cursor"], found.id) if "cursor" in query else None
    people, following = queries.directory(
        session, found.id, searched=query.get("q", ""), after=after, size=query["limit"]
    )
    items = [{"party": shapes.party(one.party), "area": one.area} for one in people]
    return {"items": items, "next": following}


def _party_of(cursor: str, community: int) -> queries.PartyView:
    party = queries.party_by_token(db.session(), cursor)
    if party is None or not queries.belongs(db.session(), party.id, [community]):
        raise WrongCursor
    return party


@resources.reads(
    "/communities/<community>/members/<party>", N("Ce qu’un membre a choisi de montrer"), gives=ProfileShape
)
def profile(community: str, party: str) -> dict[str, Any]:
    """Empty where they chose to keep it for themselves."""
    session, found = db.session(), community_of("member.read", community)
    person = queries.party_by_token(session, party)
    if person is None or not queries.belongs(session, person.id, [found.id]):
        raise NotFound
    seen = queries.seen(session, person)
    return {
        "party": shapes.party(person), "about": seen.about, "area": seen.area, "phone": seen.phone, "email": seen.email
    }  # fmt: skip
