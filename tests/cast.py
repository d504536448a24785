"""The people of the tests, and how they came to be there.

Alice, Bruno and Chloé belong to the SEL; Denise has no internet and is served by Fanny at the counter; Tibo is the
treasurer, Aïcha the administrator, Olga an officer of the town, which lends the hall; Zoé is a stranger.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NamedTuple

from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange.members import operations as members
from exchange.members.models import Community, Mandate, Party, SignIn, Territory
from exchange.organisations.models import Organisation
from ledger.entries import Acting
from ledger.limits import Limits
from ledger.store import reading, writing

NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)  # a Saturday, twelve o'clock in Paris
SATURDAY = date(2026, 11, 21)
PASSWORD = "chataigne-grillee"


class Person(NamedTuple):
    """Somebody with a sign-in, or without."""

    party: Party
    sign_in: SignIn | None
    account: reading.AccountView | None
    by: Acting


class Cast(NamedTuple):
    """Everybody, ready to act."""

    community: Community
    alice: Person
    bruno: Person
    chloe: Person
    denise: Person
    fanny: Person
    tibo: Person
    aicha: Person
    zoe: Person
    town: Party
    olga: Person
    club: Party  # an association, whose delegate is Bruno too
    delegate: Acting
    system: Acting


def gather(session: Session, *, at: datetime = NOON) -> Cast:
    """Write the cast. Needs the owner's rights, since it opens a community."""
    if session.get(Territory, 1) is None:
        session.add(Territory(id=1, name="Saint-Marron-sur-Vilaine", zone="Europe/Paris", school_zone="B"))
    community = members.open_community(session, name="SEL de Saint-Marron", system_name="Marronnier", at=at)
    town = _organisation(session, "Ville de Saint-Marron", kind="authority", class_="town", at=at)
    club = _organisation(session, "Club de gymnastique", kind="association", class_="local-association", at=at)
    for party, kind in ((town, "authority"), (club, "organisation")):
        writing.open_account(session, community=community.id, party=party.id, kind=kind, holder=party.name,
                             at=at)  # fmt: skip
    system = Acting(None, community.system_party_id)
    writing.set_limit(session, Limits(-600, None), community=community.id, kind="organisation", starts_at=at,
                      reason="Assembly", by=system, at=at)  # fmt: skip

    def person(name: str, *roles: tuple[str, Party | None], member: bool = True, internet: bool = True) -> Person:
        return _person(session, community, name, roles, member=member, internet=internet, at=at)

    sel = session.get_one(Party, community.party_id)
    bruno = person("Bruno", ("delegate", club))
    assert bruno.sign_in is not None
    mandate = session.query(Mandate).filter_by(sign_in_id=bruno.sign_in.id, role="delegate").one()
    return Cast(
        community=community,
        alice=person("Alice"),
        bruno=bruno,
        chloe=person("Chloé"),
        denise=person("Denise", internet=False),
        fanny=person("Fanny", ("facilitator", sel)),
        tibo=person("Tibo", ("treasurer", sel)),
        aicha=person("Aïcha", ("administrator", sel)),
        zoe=person("Zoé", member=False),
        town=town,
        olga=person("Olga", ("officer", town), member=False),
        club=club,
        delegate=Acting(bruno.sign_in.id, club.id, mandate.id),
        system=system,
    )


def _organisation(session: Session, name: str, *, kind: str, class_: str, at: datetime) -> Party:
    party = members.add_party(session, kind="organisation", name=name, at=at)
    session.add(Organisation(party_id=party.id, kind=kind, class_=class_))
    session.flush()
    return party


_hash: str | None = None


def hashed() -> str:
    """The password of everybody, hashed once: hashing is slow on purpose. Needs an application context."""
    global _hash
    if _hash is None:
        _hash = hash_password(PASSWORD)
    return _hash


def committed(app: Flask, *, at: datetime = NOON) -> Cast:
    """The cast, committed to the database of an application, for races and journeys."""
    engine = create_engine(app.config["OWNER_URL"], poolclass=NullPool)
    with app.app_context(), Session(engine, expire_on_commit=False) as session:
        cast = gather(session, at=at)
        session.commit()
    return cast


def sign_in(client: FlaskClient, person: Person) -> FlaskClient:
    """The person's browser, once they gave their user name and password."""
    assert person.sign_in is not None
    answer = client.post("/connexion", data={"username": person.sign_in.user_name, "password": PASSWORD})
    assert answer.status_code in {302, 303}, answer.text
    return client


def _person(
    session: Session, community: Community, name: str, roles: tuple[tuple[str, Party | None], ...], *, member: bool,
    internet: bool, at: datetime,
) -> Person:  # fmt: skip
    party = members.add_party(session, kind="person", name=name, at=at)
    account = None
    if member:
        writing.open_account(session, community=community.id, party=party.id, kind="person", holder=name, at=at)
        account = reading.account_of(session, community.id, party.id)
    if not internet:
        return Person(party, None, account, Acting(None, party.id))
    user_name = members.free_user_name(session, name)
    sign_in = members.add_sign_in(session, user_name=user_name, email=f"{user_name}@example.org", at=at)
    sign_in.password = hashed()
    mandate = members.grant(session, sign_in=sign_in.id, party=party.id, role="member", starts_on=at.date(),
                            granted_by=None, at=at)  # fmt: skip
    for role, of in roles:
        assert of is not None
        members.grant(session, sign_in=sign_in.id, party=of.id, role=role, starts_on=at.date(), granted_by=None, at=at)
    return Person(party, sign_in, account, Acting(sign_in.id, party.id, mandate.id))
