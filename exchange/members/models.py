"""Territory, parties, communities, sign-ins and mandates; see ``migrations/versions/0001``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_security import UserMixin
from sqlalchemy import ARRAY, Computed, Date, ForeignKey, Integer, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Territory(Base):
    """What this install serves."""

    __tablename__ = "territory"
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1)
    name: Mapped[str]
    zone: Mapped[str]
    school_zone: Mapped[str | None]  # A, B or C
    outline: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)  # for maps alone


class Party(Base):
    """A person, an organisation, a community, or a community's own system: who things belong to."""

    __tablename__ = "parties"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    name: Mapped[str]
    sort_name: Mapped[str] = mapped_column(Text, Computed("sort_key(name)", persisted=True))
    created_at: Mapped[datetime]


class Profile(Base):
    """What a person says of themselves, and which of it the other members see."""

    __tablename__ = "profiles"
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), primary_key=True)
    about: Mapped[str] = mapped_column(default="")
    area: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    shown: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)


class ProfileEdit(Base, Signed):
    """Who changed a profile, and when: the facilitator of the counter does it for people without internet."""

    __tablename__ = "profile_edits"
    id: Mapped[Id]
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    edited_at: Mapped[datetime]


class Community(Base):
    """The group whose accounts sum to zero."""

    __tablename__ = "communities"
    id: Mapped[Id]
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), unique=True)
    system_party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), unique=True)
    unit_one: Mapped[str]
    unit_many: Mapped[str]
    welcome: Mapped[str]
    answer_days: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[datetime]


class SignIn(Base, UserMixin):
    """Who types: a user name, a password, perhaps an e-mail that two people may share."""

    __tablename__ = "sign_ins"
    id: Mapped[Id]
    user_name: Mapped[str] = mapped_column(CITEXT, unique=True)
    email: Mapped[str | None]
    password: Mapped[str | None]
    active: Mapped[bool]
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str]
    created_at: Mapped[datetime]
    roles: list[object] = []  # mandates are the rights, never these
    session_token = ""  # of the browser that this request comes from

    def get_id(self) -> str:
        """What the cookie holds: the secret of one session, which can end without the others."""
        return self.session_token


class Mandate(Base):
    """What a sign-in may do for a party, between two days."""

    __tablename__ = "mandates"
    id: Mapped[Id]
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"))
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    role: Mapped[str]
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    granted_at: Mapped[datetime]
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("sign_ins.id"))


class Application(Base):
    """Somebody asks to join a community."""

    __tablename__ = "applications"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str]
    message: Mapped[str]
    asked_at: Mapped[datetime]


class ApplicationDecision(Base, Signed):
    """The one answer to an application; accepted, it made a party."""

    __tablename__ = "application_decisions"
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), primary_key=True)
    verdict: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    party_id: Mapped[int | None] = mapped_column(ForeignKey("parties.id"), unique=True)
    decided_at: Mapped[datetime]


class OpenSession(Base):
    """Somebody is signed in on one browser; ended when the row goes. Only the digest of its secret is kept."""

    __tablename__ = "open_sessions"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"), index=True)
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AccessToken(Base):
    """A key that a program presents instead of a password; only its digest is kept."""

    __tablename__ = "access_tokens"
    id: Mapped[Id]
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id"))
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
