"""The verbs about people: open a community, ask to join, accept, grant and end a mandate, edit a profile."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from exchange.db import signed
from exchange.errors import AlreadyAnswered
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
)
from exchange.members.policy import check_contact
from exchange.members.queries import Held, digest_of
from ledger.entries import Acting
from ledger.limits import PERSON_CEILING, PERSON_FLOOR, Limits
from ledger.store import writing

SESSION_LIVES = timedelta(days=31)  # as long as "stay signed in on this device" lasts


def token() -> str:
    """A random identifier of 128 bits, for addresses and QR codes."""
    return secrets.token_urlsafe(16)


def add_party(session: Session, *, kind: str, name: str, at: datetime) -> Party:
    """A new party: person, organisation, community or system."""
    party = Party(token=token(), kind=kind, name=name.strip(), created_at=at)
    session.add(party)
    session.flush()
    if kind == "person":
        session.add(Profile(party_id=party.id))
    return party


def open_community(
    session: Session, *, name: str, system_name: str, unit: tuple[str, str] = ("marron", "marrons"), welcome: str = "",
    answer_days: int = 30, at: datetime,
) -> Community:  # fmt: skip
    """Open a community with its own account and the default limits of persons. The installer's act.

    Needs the owner's connection: the web role may not make a community.
    """
    party = add_party(session, kind="community", name=name, at=at)
    system = add_party(session, kind="system", name=system_name, at=at)
    community = Community(
        party_id=party.id, system_party_id=system.id, unit_one=unit[0], unit_many=unit[1], welcome=welcome,
        answer_days=answer_days, opened_at=at,
    )  # fmt: skip
    session.add(community)
    session.flush()
    by = Acting(None, system.id)
    writing.set_limit(
        session, Limits(PERSON_FLOOR, PERSON_CEILING), community=community.id, kind="person", starts_at=at,
        reason="Ouverture de la communauté", by=by, at=at,
    )  # fmt: skip
    writing.open_account(session, community=community.id, party=party.id, kind="community", holder=party.name,
                         at=at)  # fmt: skip
    return community


def add_sign_in(session: Session, *, user_name: str, email: str | None, at: datetime, language: str = "fr") -> SignIn:
    """A new sign-in without a password: its holder chooses one through a link. Raises UserNameTaken."""
    sign_in = SignIn(
        user_name=user_name, email=email or None, password=None, active=True, fs_uniquifier=secrets.token_hex(32),
        language=language, created_at=at,
    )  # fmt: skip
    session.add(sign_in)
    session.flush()
    return sign_in


def free_user_name(session: Session, name: str) -> str:
    """A user name from a person's name, "lena.le.goff", with a number after it when somebody has it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", ".", plain).strip(".")[:30] or "membre"
    stem = stem if len(stem) > 1 else f"{stem}.membre"
    # two people of one name, accepted at the same moment: the second looks once the first has its user name
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("user name"), 0)))
    taken = set(session.scalars(select(SignIn.user_name).where(SignIn.user_name.startswith(stem, autoescape=True))))
    if stem not in taken:
        return stem
    return next(name for number in range(2, len(taken) + 3) if (name := f"{stem}{number}") not in taken)


def grant(
    session: Session, *, sign_in: int, party: int, role: str, starts_on: date, ends_on: date | None = None,
    granted_by: int | None, at: datetime,
) -> Mandate:  # fmt: skip
    """Let a sign-in act for a party in a role, from a day and perhaps until one."""
    mandate = Mandate(
        sign_in_id=sign_in, party_id=party, role=role, starts_on=starts_on, ends_on=ends_on, granted_at=at,
        granted_by=granted_by,
    )  # fmt: skip
    session.add(mandate)
    session.flush()
    return mandate


def lend_in_own_name(session: Session, through: Held, *, today: date, at: datetime) -> Acting:
    """Who holds a mandate of a party becomes the officer of what that party lends, for as long as that mandate lasts.

    Whether they may is for the caller to say.
    """
    last = session.get_one(Mandate, through.id).ends_on
    office = grant(session, sign_in=through.sign_in_id, party=through.party_id, role="officer", starts_on=today,
                   ends_on=last, granted_by=through.sign_in_id, at=at)  # fmt: skip
    return Acting(through.sign_in_id, through.party_id, office.id)


def apply(
    session: Session, *, community: int, name: str, email: str, phone: str, message: str, at: datetime
) -> Application:
    """Ask to join a community; an administrator answers. Raises ContactMissing."""
    check_contact(email=email, phone=phone)
    application = Application(
        token=token(), community_id=community, name=name, email=email, phone=phone, message=message, asked_at=at
    )
    session.add(application)
    session.flush()
    return application


def accept(
    session: Session, application: Application, *, today: date, by: Acting, at: datetime
) -> tuple[Party, SignIn | None]:
    """Accept an application: a party, its account at zero, and a sign-in when the person has an e-mail.

    Raises AlreadyAnswered.
    """
    _still_unanswered(session, application)
    party = add_party(session, kind="person", name=application.name, at=at)
    _profile(session, party.id).phone = application.phone
    writing.open_account(
        session, community=application.community_id, party=party.id, kind="person", holder=party.name, by=by, at=at
    )
    sign_in = None
    if application.email:
        _profile(session, party.id).email = application.email
        sign_in = add_sign_in(
            session, user_name=free_user_name(session, application.name), email=application.email, at=at
        )
        grant(session, sign_in=sign_in.id, party=party.id, role="member", starts_on=today, granted_by=by.sign_in, at=at)
    _decide(session, application, "accepted", party=party.id, by=by, at=at)
    return party, sign_in


def decline(session: Session, application: Application, *, reason: str, by: Acting, at: datetime) -> None:
    """Decline an application, with a reason. Raises AlreadyAnswered."""
    _still_unanswered(session, application)
    _decide(session, application, "declined", reason=reason, by=by, at=at)


def edit_profile(
    session: Session, party: int, *, about: str, area: str, phone: str, email: str, shown: Collection[str], by: Acting,
    at: datetime,
) -> None:  # fmt: skip
    """Change what a person says of themselves, and which fields the other members see; who did is kept."""
    profile = _profile(session, party)
    profile.about, profile.area, profile.phone, profile.email = about, area, phone, email
    profile.shown = sorted(shown)
    session.add(ProfileEdit(
        party_id=party, **signed(by), edited_at=at
    ))  # fmt: skip
    session.flush()


def open_session(session: Session, sign_in: int, *, at: datetime) -> str:
    """Sign somebody in on one browser for SESSION_LIVES; return the secret that its cookie holds."""
    secret = secrets.token_urlsafe(32)
    session.execute(delete(OpenSession).where(OpenSession.sign_in_id == sign_in, OpenSession.expires_at <= at))
    session.add(
        OpenSession(digest=digest_of(secret), sign_in_id=sign_in, opened_at=at, expires_at=at + SESSION_LIVES)
    )
    session.flush()
    return secret


def end_session(session: Session, secret: str) -> None:
    """Sign out of one browser: whoever copied its cookie is out too."""
    session.execute(delete(OpenSession).where(OpenSession.digest == digest_of(secret)))


def end_sessions(session: Session, sign_in: int, *, but: str = "") -> None:
    """Sign out of every browser, but the one of this secret."""
    session.execute(
        delete(OpenSession).where(OpenSession.sign_in_id == sign_in, OpenSession.digest != digest_of(but))
    )


def choose_password(session: Session, sign_in: SignIn, *, hashed: str) -> None:
    """Take a new password, already hashed: every session and every link of this sign-in ends."""
    sign_in.password = hashed
    sign_in.fs_uniquifier = secrets.token_hex(32)
    session.flush()
    end_sessions(session, sign_in.id)


def choose_language(session: Session, sign_in: SignIn, language: str) -> None:
    """The language of the pages and letters of this sign-in."""
    sign_in.language = language
    session.flush()


def create_access_token(
    session: Session, *, sign_in: int, name: str, days: int, at: datetime
) -> tuple[AccessToken, str]:
    """A key for a program that acts for this sign-in, alive for so many days; the secret is not kept, only shown."""
    secret = f"mrr_{secrets.token_urlsafe(32)}"
    made = AccessToken(
        sign_in_id=sign_in, name=name, digest=digest_of(secret), created_at=at, expires_at=at + timedelta(days=days)
    )
    session.add(made)
    session.flush()
    return made, secret


def revoke_access_token(session: Session, token: AccessToken, *, at: datetime) -> None:
    """A key that opens nothing any more; revoked twice, it keeps its first date."""
    token.revoked_at = token.revoked_at or at
    session.flush()


def _profile(session: Session, party: int) -> Profile:
    session.flush()
    return session.get_one(Profile, party)


def _still_unanswered(session: Session, application: Application) -> None:
    """Two administrators at once: the second waits on the lock, then finds the first's answer."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("application"), application.id)))
    if session.get(ApplicationDecision, application.id) is not None:
        raise AlreadyAnswered


def _decide(
    session: Session, application: Application, verdict: str, *, by: Acting, at: datetime, reason: str = "",
    party: int | None = None,
) -> None:  # fmt: skip
    session.add(ApplicationDecision(
        application_id=application.id, verdict=verdict, reason=reason, party_id=party, **signed(by), decided_at=at,
    ))  # fmt: skip
    session.flush()
