"""Reads about people and parties."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from exchange.members.models import (
    AccessToken,
    Application,
    ApplicationDecision,
    Community,
    Mandate,
    Party,
    Profile,
    ProfileEdit,
    SignIn,
    Territory,
)
from exchange.members.policy import shown_fields
from ledger.store.tables import accounts, entries, transfers


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
    party_sort_name: str
    community_id: int | None

    @property
    def party(self) -> PartyView:
        """The party that it is for."""
        return PartyView(self.party_id, self.party_token, self.party_kind, self.party_name, self.party_sort_name)


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
            *_PARTY, Community.id,
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


class Addressee(NamedTuple):
    """Where a letter goes, and the language that it is written in."""

    e_mail: str
    language: str


def e_mails_of(session: Session, party: int, *, on: date) -> list[Addressee]:
    """Where a letter to this party goes: the addresses of its sign-ins that have one."""
    rows = session.execute(
        select(SignIn.email, SignIn.language)
        .join(Mandate, Mandate.sign_in_id == SignIn.id)
        .where(Mandate.party_id == party, Mandate.role.in_(("member", "delegate", "officer", "administrator")))
        .where(Mandate.starts_on <= on, or_(Mandate.ends_on.is_(None), Mandate.ends_on >= on))
        .where(SignIn.active, SignIn.email.is_not(None))
        .distinct()
    )
    return [Addressee(row.email, row.language) for row in rows if row.email]


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
    """Those who asked to join and wait for an answer, the first who asked first; fifty at most."""
    answered = select(ApplicationDecision.application_id)
    return session.scalars(
        select(Application)
        .where(Application.community_id == community, Application.id.not_in(answered))
        .order_by(Application.asked_at, Application.id)
        .limit(50)
    ).all()


def application(session: Session, community: int, token: str) -> Application | None:
    """One application to this community."""
    return session.scalar(
        select(Application).where(Application.community_id == community, Application.token == token)
    )


def decision(session: Session, application: int) -> ApplicationDecision | None:
    """The answer given to an application, if any."""
    return session.get(ApplicationDecision, application)


def newest_decisions(
    session: Session, community: int, *, limit: int = 10
) -> Sequence[Row[Application, ApplicationDecision]]:
    """The last applications that were answered, the newest answer first."""
    return session.execute(
        select(Application, ApplicationDecision)
        .join(ApplicationDecision, ApplicationDecision.application_id == Application.id)
        .where(Application.community_id == community)
        .order_by(ApplicationDecision.decided_at.desc(), Application.id.desc())
        .limit(limit)
    ).all()


def waiting_number(session: Session, communities: Collection[int]) -> int:
    """How many applications wait for an answer in these communities."""
    answered = exists().where(ApplicationDecision.application_id == Application.id)
    return session.scalar(
        select(func.count()).select_from(Application).where(Application.community_id.in_(communities), ~answered)
    ) or 0


# -- who signs in


def sign_in_named(session: Session, user_name: str) -> SignIn | None:
    """The sign-in of this user name, in capitals or not."""
    return session.scalar(select(SignIn).where(SignIn.user_name == user_name))


def sign_ins_of(session: Session, name: str) -> Sequence[SignIn]:
    """Those to whom a letter about this user name or e-mail can go; several people may share an e-mail."""
    return session.scalars(
        select(SignIn)
        .where(SignIn.active, SignIn.email.is_not(None))
        .where(or_(SignIn.user_name == name, func.lower(SignIn.email) == name.lower()))
        .order_by(SignIn.id)
        .limit(5)
    ).all()


def sign_in_of_party(session: Session, party: int) -> SignIn | None:
    """The first sign-in that acts for a member in their own name, if they have one."""
    return session.scalar(
        select(SignIn)
        .join(Mandate, Mandate.sign_in_id == SignIn.id)
        .where(Mandate.party_id == party, Mandate.role == "member")
        .order_by(Mandate.id)
        .limit(1)
    )


def reads_letters(session: Session, party: int, *, on: date) -> bool:
    """Whether somebody signs in for this party on a day; else the counter serves them."""
    return bool(session.scalar(
        select(exists().where(
            Mandate.party_id == party, Mandate.role.in_(("member", "delegate")), Mandate.starts_on <= on,
            or_(Mandate.ends_on.is_(None), Mandate.ends_on >= on),
            SignIn.id == Mandate.sign_in_id, SignIn.active,
        ))
    ))  # fmt: skip


def digest_of(secret: str) -> bytes:
    """What is kept of an access token: enough to recognise it, too little to present it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def sign_in_of_token(session: Session, token: str, at: datetime) -> SignIn | None:
    """Who presents this access token, if it is neither revoked nor out of date, and its holder may still sign in."""
    return session.scalar(
        select(SignIn)
        .join(AccessToken, AccessToken.sign_in_id == SignIn.id)
        .where(AccessToken.digest == digest_of(token), AccessToken.revoked_at.is_(None), AccessToken.expires_at > at)
        .where(SignIn.active)
    )


def access_tokens(session: Session, sign_in: int) -> Sequence[AccessToken]:
    """The access tokens of a sign-in that are not revoked, the newest first."""
    return session.scalars(
        select(AccessToken)
        .where(AccessToken.sign_in_id == sign_in, AccessToken.revoked_at.is_(None))
        .order_by(AccessToken.id.desc())
    ).all()


def access_token(session: Session, sign_in: int, digest: str) -> AccessToken | None:
    """One access token of a sign-in, by its digest in hexadecimal."""
    try:
        wanted = bytes.fromhex(digest)
    except ValueError:
        return None
    return session.scalar(select(AccessToken).where(AccessToken.sign_in_id == sign_in, AccessToken.digest == wanted))


# -- members of a community


class Neighbour(NamedTuple):
    """A member or an organisation as the list of a community names it, with the account that an exchange needs."""

    party: PartyView
    account_token: str
    area: str


class Seen(NamedTuple):
    """A profile as somebody else sees it: only what was chosen."""

    party: PartyView
    about: str
    area: str
    phone: str
    email: str


def communities_of(session: Session, parties: Collection[int]) -> list[CommunityView]:
    """The communities in which one of these parties has an open account, or which are one of them."""
    if not parties:
        return []
    holds = exists().where(
        accounts.c.community_id == Community.id, accounts.c.party_id.in_(parties), accounts.c.closed_at.is_(None)
    )
    found = session.execute(_COMMUNITY.where(or_(Community.party_id.in_(parties), holds)))
    return [CommunityView(*row) for row in found]


def belongs(session: Session, party: int, communities: Collection[int]) -> bool:
    """Whether a party has an open account in one of these communities."""
    return bool(session.scalar(
        select(exists().where(
            accounts.c.party_id == party, accounts.c.community_id.in_(communities), accounts.c.closed_at.is_(None)
        ))
    ))  # fmt: skip


def seen(session: Session, party: PartyView) -> Seen:
    """What the other members of their communities see of a person."""
    kept = session.get(Profile, party.id)
    said = {} if kept is None else shown_fields(
        kept.shown, about=kept.about, area=kept.area, phone=kept.phone, email=kept.email
    )  # fmt: skip
    return Seen(party, said.get("about", ""), said.get("area", ""), said.get("phone", ""), said.get("email", ""))


def last_edit(session: Session, party: int) -> ProfileEdit | None:
    """Who changed a profile last, and when."""
    return session.scalar(
        select(ProfileEdit).where(ProfileEdit.party_id == party).order_by(ProfileEdit.id.desc()).limit(1)
    )


def words(text: str, *, most: int = 8) -> list[str]:
    """The words of a search: letters and figures, the short ones ("de", "l'") left out when there are others."""
    said = re.findall(r"[^\W_]+", text)
    return ([word for word in said if len(word) > 2 or word.isdigit()] or said)[:most]


def directory(
    session: Session, community: int, *, searched: str = "", after: PartyView | None = None, size: int = 50
) -> tuple[list[Neighbour], str | None]:
    """A page of the members of a community by name, and the random identifier after which the next one starts."""
    wanted = (
        select(*_PARTY, accounts.c.token, literal("area") == func.any(Profile.shown), Profile.area)
        .join(accounts, accounts.c.party_id == Party.id)
        .outerjoin(Profile, Profile.party_id == Party.id)
        .where(accounts.c.community_id == community, accounts.c.closed_at.is_(None))
        .where(Party.kind.in_(("person", "organisation")))
        .where(*_named(searched))
        .order_by(Party.sort_name, Party.id)
        .limit(size + 1)
    )
    if after is not None:
        wanted = wanted.where(tuple_(Party.sort_name, Party.id) > (after.sort_name, after.id))
    rows = session.execute(wanted).all()
    people = [Neighbour(PartyView(*row[:5]), row[5], row[7] if row[6] else "") for row in rows[:size]]
    return people, people[-1].party.token if len(rows) > size else None


def parties_by_name(
    session: Session, kind: str, *, searched: str = "", after: PartyView | None = None, size: int = 50
) -> tuple[list[PartyView], str | None]:
    """A page of the parties of a kind by name, and the random identifier after which the next one starts."""
    wanted = (
        select(*_PARTY)
        .where(Party.kind == kind, *_named(searched))
        .order_by(Party.sort_name, Party.id)
        .limit(size + 1)
    )
    if after is not None:
        wanted = wanted.where(tuple_(Party.sort_name, Party.id) > (after.sort_name, after.id))
    found = [PartyView(*row) for row in session.execute(wanted)]
    return found[:size], found[size - 1].token if len(found) > size else None


def _named(searched: str) -> list[ColumnElement[bool]]:
    """A name holds every word that is searched, accents and capitals apart."""
    return [Party.sort_name.contains(func.sort_key(word)) for word in words(searched)]


# -- figures


class Figures(NamedTuple):
    """What the first page says of the territory: people with an open account, minutes exchanged."""

    members: int
    minutes: int


def figures(session: Session, *, since: date) -> Figures:
    """People with an open account, and the minutes exchanged since a day, corrections taken away."""
    people = select(func.count(accounts.c.party_id.distinct())).where(
        accounts.c.kind == "person", accounts.c.closed_at.is_(None)
    )
    correction = entries.alias()
    exchanged = (
        select(func.coalesce(func.sum(transfers.c.minutes), 0))
        .join(entries, entries.c.id == transfers.c.entry_id)
        .where(entries.c.kind == "exchange", entries.c.happened_on >= since)
        .where(~exists().where(correction.c.reverses_id == entries.c.id))
    )
    row = session.execute(select(people.scalar_subquery(), exchanged.scalar_subquery())).one()
    return Figures(row[0], int(row[1]))
