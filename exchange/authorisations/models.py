"""Authorisations and their ends; see ``migrations/versions/0018``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from exchange.db import Base, Id, Signed


class Authorisation(Base, Signed):
    """A party may borrow a resource that is reserved, until a last day when there is one."""

    __tablename__ = "authorisations"
    id: Mapped[Id]
    token: Mapped[str] = mapped_column(unique=True)
    lender_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"))
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"))
    until: Mapped[date | None]
    given_at: Mapped[datetime]


class AuthorisationEnd(Base, Signed):
    """It is withdrawn."""

    __tablename__ = "authorisation_ends"
    authorisation_id: Mapped[int] = mapped_column(ForeignKey("authorisations.id"), primary_key=True)
    ended_at: Mapped[datetime]
