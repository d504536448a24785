"""Reads about people and parties."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from exchange.db import table_of
from exchange.errors import NotInstalled
from exchange.members.models import (
    AccessToken,
    Application,
    ApplicationDecision,
    Community,
    Mandate,
    OpenSession,
    Party,
    Profile,
    ProfileEdit,
    SignIn,
    Territory,
)
from exchange.members.policy import shown_fields
from ledger.store.reading import ACCOUNT, AccountView
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
    accounts: list[str]  # the random identifiers of that party's open accounts
    class_: str  # that its tariffs depend on

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


class TerritoryView(NamedTuple):
    """What this install serves, and the time that its clocks show."""

    name: str
    zone: str
    school_zone: str | None


class Standing(NamedTuple):
    """An account with its holder and its community."""

    account: AccountView
    holder: PartyView
    community: CommunityView


_PARTY = (Party.id, Party.token, Party.kind, Party.name, Party.sort_name)

# Asked by nearly every request. Building a statement costs more than running it: these are built once, and on the
# tables themselves, since no object of the ORM comes out of them.
_parties, _communities, _mandates, _sign_ins = map(table_of, (Party, Community, Mandate, SignIn))
_community_parties = _parties.alias("community_parties")
_PARTY_COLUMNS = tuple(_parties.c[field] for field in PartyView._fields)
_COMMUNITY_COLUMNS = tuple(
    (_community_parties.c if field in {"token", "name"} else _communities.c)[field] for field in CommunityView._fields
)
_TERRITORY = select(table_of(Territory).c.name, table_of(Territory).c.zone, table_of(Territory).c.school_zone)
_OUTLINE = select(table_of(Territory).c.outline)
_BY_TOKEN = select(*_PARTY_COLUMNS).where(_parties.c.token == bindparam("token"))
_BY_IDS = select(*_PARTY_COLUMNS).where(_parties.c.id.in_(bindparam("ids", expanding=True)))
_IN_FORCE = (_mandates.c.starts_on <= bindparam("on")) & (
    _mandates.c.ends_on.is_(None) | (_mandates.c.ends_on >= bindparam("on"))
)
_OPEN_ACCOUNTS = func.array(
    select(accounts.c.token)
    .where(accounts.c.party_id == _parties.c.id, accounts.c.closed_at.is_(None), accounts.c.kind != "transit")
    .order_by(accounts.c.id)
    .scalar_subquery()
)
# an organisation's own is kept beside it, in a table that isn't ours: asking for it apart would be a question more
_CLASS = literal_column(
    "coalesce((SELECT o.class FROM organisations o WHERE o.party_id = parties.id), 'inhabitant')", Text
)
_MANDATES_OF: Select[Any] = (
    select(_mandates.c.id, _mandates.c.sign_in_id, _mandates.c.role, *_PARTY_COLUMNS, _communities.c.id, _OPEN_ACCOUNTS,
           _CLASS)
    .join_from(_mandates, _parties, _parties.c.id == _mandates.c.party_id)
    .outerjoin(_communities, _communities.c.party_id == _parties.c.id)
    .where(_mandates.c.sign_in_id == bindparam("sign_in"), _IN_FORCE)
    .order_by(_mandates.c.id)
)
_COMMUNITY = (
    select(*_COMMUNITY_COLUMNS)
    .join_from(_communities, _community_parties, _community_parties.c.id == _communities.c.party_id)
    .order_by(_communities.c.id)
)
_COMMUNITY_BY_ID = _COMMUNITY.where(_communities.c.id == bindparam("id"))
_STANDING = (
    select(*ACCOUNT, *_PARTY_COLUMNS, *_COMMUNITY_COLUMNS)
    .join_from(accounts, _parties, _parties.c.id == accounts.c.party_id)
    .join(_communities, _communities.c.id == accounts.c.community_id)
    .join(_community_parties, _community_parties.c.id == _communities.c.party_id)
    .where(accounts.c.token == bindparam("token"))
    .where(
        accounts.c.party_id.in_(bindparam("parties", expanding=True))
        | accounts.c.community_id.in_(bindparam("communities", expanding=True))
    )
)
_ACCOUNT_OF = (
    select(*ACCOUNT)
    .join_from(accounts, _parties, _parties.c.id == accounts.c.party_id)
    .where(_parties.c.token == bindparam("token"), accounts.c.community_id == bindparam("community"))
    .where(accounts.c.kind != "transit")
)
_HOLDERS = (
    select(accounts.c.id, *(_parties.c[field] for field in PartyView._fields))
    .join_from(accounts, _parties, _parties.c.id == accounts.c.party_id)
    .where(accounts.c.id.in_(bindparam("accounts", expanding=True)))
)
_E_MAILS_OF = (
    select(_sign_ins.c.email, _sign_ins.c.language)
    .join_from(_sign_ins, _mandates, _mandates.c.sign_in_id == _sign_ins.c.id)
    .where(_mandates.c.party_id == bindparam("party"), _IN_FORCE)
    .where(_mandates.c.role.in_(bindparam("roles", expanding=True)))
    .where(_sign_ins.c.active, _sign_ins.c.email.is_not(None))
    .distinct()
)


ANSWERING = ("member", "delegate", "officer", "administrator")  # whom a letter to a party is sent to


def territory(session: Session) -> TerritoryView:
    """What this install serves. Raises NotInstalled before somebody has named it."""
    row = session.execute(_TERRITORY).one_or_none()
    if row is None:
        raise NotInstalled
    return TerritoryView(*row)


def outline(session: Session) -> dict[str, Any] | None:
    """The territory's outline, a MultiPolygon of GeoJSON; None when the installer imported none."""
    found: dict[str, Any] | None = session.scalar(_OUTLINE)
    return found


def party_by_token(session: Session, token: str) -> PartyView | None:
    """The party of this random identifier."""
    row = session.execute(_BY_TOKEN, {"token": token}).one_or_none()
    return PartyView(*row) if row else None


def standing(
    session: Session, token: str, *, parties: Collection[int], communities: Collection[int] = ()
) -> Standing | None:
    """The account of this random identifier, open or closed, if it is of one of these parties or communities."""
    within = {"token": token, "parties": list(parties), "communities": list(communities)}
    row = session.execute(_STANDING, within).one_or_none()
    if row is None:
        return None
    first, second = len(ACCOUNT), len(ACCOUNT) + len(PartyView._fields)
    return Standing(AccountView(*row[:first]), PartyView(*row[first:second]), CommunityView(*row[second:]))


def account_of(session: Session, community: int, token: str) -> AccountView | None:
    """The account in a community of the party of this random identifier, open or closed."""
    row = session.execute(_ACCOUNT_OF, {"community": community, "token": token}).one_or_none()
    return AccountView(*row) if row else None


def parties(session: Session, ids: Iterable[int]) -> dict[int, PartyView]:
    """These parties by id, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = session.execute(_BY_IDS, {"ids": list(wanted)})
    return {row.id: PartyView(*row) for row in rows}


def mandates_of(session: Session, sign_in: int, *, on: date) -> Sequence[Held]:
    """What a sign-in may do on a day, its own parties first."""
    return [Held(*row) for row in session.execute(_MANDATES_OF, {"sign_in": sign_in, "on": on})]


def with_officers(session: Session, parties: Collection[int], *, on: date) -> set[int]:
    """Those of these parties of which somebody is an officer on a day."""
    if not parties:
        return set()
    held = select(Mandate.party_id).where(Mandate.party_id.in_(parties), Mandate.role == "officer")
    in_force = held.where(Mandate.starts_on <= on, or_(Mandate.ends_on.is_(None), Mandate.ends_on >= on))
    return set(session.scalars(in_force))


def communities(session: Session) -> list[CommunityView]:
    """Every community of the territory, the first opened first."""
    return [CommunityView(*row) for row in session.execute(_COMMUNITY)]


def community(session: Session, id_: int) -> CommunityView:
    """One community by id; it exists, since accounts refer to it."""
    return CommunityView(*session.execute(_COMMUNITY_BY_ID, {"id": id_}).one())


def community_by_token(session: Session, token: str) -> CommunityView | None:
    """The community whose party has this random identifier."""
    row = session.execute(_COMMUNITY.where(_community_parties.c.token == token)).one_or_none()
    return CommunityView(*row) if row else None


class Addressee(NamedTuple):
    """Where a letter goes, and the language that it is written in."""

    e_mail: str
    language: str


def holders(session: Session, account_ids: Iterable[int]) -> dict[int, PartyView]:
    """Who holds each of these accounts, in one query: account id -> its party."""
    wanted = {"accounts": list(set(account_ids))}
    return {row[0]: PartyView(*row[1:]) for row in session.execute(_HOLDERS, wanted)}


def e_mails_of(session: Session, party: int, *, on: date) -> list[Addressee]:
    """Where a letter to this party goes: the addresses of its sign-ins that have one."""
    return _addressees(session, party, ANSWERING, on=on)


def in_office(session: Session, party: int, roles: Collection[str], *, on: date) -> list[Addressee]:
    """Where a letter to who holds one of these offices of a party goes."""
    return _addressees(session, party, roles, on=on)


def of_sign_ins(session: Session, sign_ins: Collection[int]) -> list[Addressee]:
    """Where a letter to these people goes."""
    rows = session.execute(
        select(_sign_ins.c.email, _sign_ins.c.language)
        .where(_sign_ins.c.id.in_(sign_ins), _sign_ins.c.active, _sign_ins.c.email.is_not(None))
        .order_by(_sign_ins.c.id)
    )
    return [Addressee(row.email, row.language) for row in rows if row.email]


def officers(session: Session, party: int, *, on: date) -> dict[int, str]:
    """The officers of a party on a day, by name: sign-in id -> name."""
    found = session.scalars(
        select(Mandate.sign_in_id)
        .where(Mandate.party_id == party, Mandate.role == "officer", Mandate.starts_on <= on)
        .where(or_(Mandate.ends_on.is_(None), Mandate.ends_on >= on))
    )
    return dict(sorted(sign_in_names(session, found).items(), key=lambda each: (each[1].casefold(), each[0])))


def _addressees(session: Session, party: int, roles: Collection[str], *, on: date) -> list[Addressee]:
    rows = session.execute(_E_MAILS_OF, {"party": party, "on": on, "roles": list(roles)})
    return [Addressee(row.email, row.language) for row in rows if row.email]


class Contact(NamedTuple):
    """How a lender reaches who asks for something: the addresses of its sign-ins, and its telephone."""

    e_mails: list[str]
    phone: str


_PHONE = select(Profile.phone).where(Profile.party_id == bindparam("party")).scalar_subquery()
_CONTACT = select(func.array(_E_MAILS_OF.with_only_columns(_sign_ins.c.email).scalar_subquery()), _PHONE)


def contact(session: Session, party: int, *, on: date) -> Contact:
    """How to reach a party, in one query."""
    e_mails, phone = session.execute(_CONTACT, {"party": party, "on": on, "roles": list(ANSWERING)}).one()
    return Contact(list(map(str, e_mails)), phone or "")


class Signer(NamedTuple):
    """Who types: their own name (the user name while they act for no person), and the user name of their sign-in."""

    name: str
    user_name: str


_OWN_NAME = (
    select(_parties.c.name)
    .join_from(_mandates, _parties, _parties.c.id == _mandates.c.party_id)
    .where(_mandates.c.sign_in_id == _sign_ins.c.id, _mandates.c.role == "member", _parties.c.kind == "person")
    .order_by(_mandates.c.id)
    .limit(1)
    .scalar_subquery()
)
_SIGNERS = select(
    _sign_ins.c.id, func.coalesce(_OWN_NAME, cast(_sign_ins.c.user_name, Text)), _sign_ins.c.user_name
).where(_sign_ins.c.id.in_(bindparam("ids", expanding=True)))


def signers(session: Session, ids: Iterable[int | None]) -> dict[int, Signer]:
    """Who types under these sign-ins, in one query."""
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    return {row[0]: Signer(row[1], row[2]) for row in session.execute(_SIGNERS, {"ids": list(wanted)})}


def sign_in_names(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """The names of the people behind these sign-ins, in one query."""
    return {id_: signer.name for id_, signer in signers(session, ids).items()}


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
    return bool(signing_in(session, [party], on=on))


def signing_in(session: Session, parties: Collection[int], *, on: date) -> set[int]:
    """Those of these parties for whom somebody signs in on a day, in one query; the counter serves the others."""
    return set(session.scalars(
        select(Mandate.party_id)
        .join(SignIn, SignIn.id == Mandate.sign_in_id)
        .where(Mandate.party_id.in_(parties), Mandate.role.in_(("member", "delegate")), Mandate.starts_on <= on)
        .where(or_(Mandate.ends_on.is_(None), Mandate.ends_on >= on), SignIn.active)
    ))  # fmt: skip


def digest_of(secret: str) -> bytes:
    """What is kept of an access token: enough to recognise it, too little to present it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


_BY_SESSION = (
    select(SignIn)
    .join(OpenSession, OpenSession.sign_in_id == SignIn.id)
    .where(OpenSession.digest == bindparam("digest"), OpenSession.expires_at > bindparam("at"), SignIn.active)
)


def sign_in_of_session(session: Session, secret: str, at: datetime) -> SignIn | None:
    """Who is signed in on the browser that holds this secret, if the session goes on."""
    return session.scalar(_BY_SESSION, {"digest": digest_of(secret), "at": at})


def language_of(session: Session, sign_in: int) -> str | None:
    """The language of somebody who may sign in; None when they may no longer."""
    return session.scalar(select(SignIn.language).where(SignIn.id == sign_in, SignIn.active))


def other_sessions(session: Session, sign_in: int, secret: str, at: datetime) -> int:
    """On how many other browsers this sign-in is open."""
    return session.scalar(
        select(func.count())
        .select_from(OpenSession)
        .where(OpenSession.sign_in_id == sign_in, OpenSession.expires_at > at)
        .where(OpenSession.digest != digest_of(secret))
    ) or 0


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


def parties_called(session: Session, name: str, *, size: int = 3) -> list[PartyView]:
    """The person who signs in under this user name in their own name; else those who are called so, all of it."""
    mine = select(Mandate.party_id).join(SignIn, SignIn.id == Mandate.sign_in_id)
    signed_in = mine.where(SignIn.user_name == name, Mandate.role == "member")
    for wanted in (Party.id.in_(signed_in), Party.sort_name == func.sort_key(name)):
        query = select(*_PARTY).where(wanted, Party.kind.in_(("person", "organisation"))).order_by(Party.id)
        if rows := session.execute(query.limit(size)).all():
            return [PartyView(*row) for row in rows]
    return []


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
