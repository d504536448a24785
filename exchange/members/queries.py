"""Reads about people and parties."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from exchange.members.models import Application, ApplicationDecision, Community, Mandate, Party, Profile, SignIn, Territory


class PartyView(NamedTuple):
    """A party as pages name it."""

    id: int
    token: str
    kind: str
    name: str
    sort_name: str


class Held(NamedTuple):
    """A mandate in force: what a sign-in may do, for whom; ``community_id`` when that party is a community."""

    id: int
    sign_in_id: int
    role: str
    party_id: int
    party_token: str
    party_kind: str
    party_name: str
    community_id: int | None


class CommunityView(NamedTuple):
    """A community with the words of its unit."""

    id: int
    party_id: int
    system_party_id: int
    token: str
    name: str
    unit_one: str
    unit_many: str
    welcome: str
    answer_days: int


_PARTY = (Party.id, Party.token, Party.kind, Party.name, Party.sort_name)


def territory(session: Session) -> Territory:
    """What this install serves."""
    return session.get_one(Territory, 1)


def party_by_token(session: Session, token: str) -> PartyView | None:
    """The party of this random identifier."""
    row = session.execute(
        select(*_PARTY).where(Party.token == token)
    ).one_or_none()
    return PartyView(*row) if row else None


def parties(session: Session, ids: Iterable[int]) -> dict[int, PartyView]:
    """These parties by id, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = session.execute(select(*_PARTY).where(Party.id.in_(wanted)))
    return {row.id: PartyView(*row) for row in rows}


def mandates_of(session: Session, sign_in: int, *, on: date) -> Sequence[Held]:
    """What a sign-in may do on a day, its own parties first."""
    rows = session.execute(
        select(
            Mandate.id, Mandate.sign_in_id, Mandate.role,
            Party.id, Party.token, Party.kind, Party.name, Community.id,
        )
        .join(Party, Party.id == Mandate.party_id)
        .outerjoin(Community, Community.party_id == Party.id)
        .where(Mandate.sign_in_id == sign_in, Mandate.starts_on <= on)
        .where(or_(Mandate.ends_on.is_(None), Mandate.ends_on >= on))
        .order_by(Mandate.id)
    )  # fmt: skip
    return [Held(*row) for row in rows]


_COMMUNITY = (
    select(
        Community.id, Community.party_id, Community.system_party_id, Party.token, Party.name,
        Community.unit_one, Community.unit_many, Community.welcome, Community.answer_days,
    )
    .join(Party, Party.id == Community.party_id)
    .order_by(Community.id)
)  # fmt: skip


def communities(session: Session) -> list[CommunityView]:
    """Every community of the territory, the first opened first."""
    return [CommunityView(*row) for row in session.execute(_COMMUNITY)]


def community(session: Session, id_: int) -> CommunityView:
    """One community by id; it exists, since accounts refer to it."""
    return CommunityView(*session.execute(_COMMUNITY.where(Community.id == id_)).one())


def community_by_token(session: Session, token: str) -> CommunityView | None:
    """The community whose party has this random identifier."""
    row = session.execute(_COMMUNITY.where(Party.token == token)).one_or_none()
    return CommunityView(*row) if row else None


def e_mails_of(session: Session, party: int, *, on: date) -> list[str]:
    """The addresses to which a letter to this party goes: those of its sign-ins that have one."""
    rows = session.scalars(
        select(SignIn.email)
        .join(Mandate, Mandate.sign_in_id == SignIn.id)
        .where(Mandate.party_id == party, Mandate.role.in_(("member", "delegate", "officer", "administrator")))
        .where(Mandate.starts_on <= on, or_(Mandate.ends_on.is_(None), Mandate.ends_on >= on))
        .where(SignIn.active, SignIn.email.is_not(None))
        .distinct()
    )
    return [row for row in rows if row]


def sign_in_names(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """User names by id, in one query."""
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    return {row.id: row.user_name for row in session.execute(
        select(SignIn.id, SignIn.user_name).where(SignIn.id.in_(wanted)))}  # fmt: skip


def profile(session: Session, party: int) -> Profile | None:
    """What a person says of themselves, shown or not: for their own eyes."""
    return session.get(Profile, party)


def applications_waiting(session: Session, community: int) -> Sequence[Application]:
    """Those who asked to join and wait for an answer, the first who asked first."""
    answered = select(ApplicationDecision.application_id)
    return session.scalars(
        select(Application)
        .where(Application.community_id == community, Application.id.not_in(answered))
        .order_by(Application.asked_at, Application.id)
    ).all()


def application(session: Session, community: int, token: str) -> Application | None:
    """One application to this community."""
    return session.scalar(
        select(Application).where(Application.community_id == community, Application.token == token)
    )
