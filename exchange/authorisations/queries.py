"""Reads of authorisations: for an office, those of one resource; for a request, those of who asks."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from exchange.authorisations.models import Authorisation, AuthorisationEnd


class AuthorisationView(NamedTuple):
    """Who may borrow a resource, until when, and who said so."""

    token: str
    party_id: int
    until: date | None
    by_sign_in: int | None
    given_at: datetime


_NOT_ENDED = Authorisation.id.not_in(select(AuthorisationEnd.authorisation_id))


def of_resource(session: Session, resource: int, *, on: date) -> list[AuthorisationView]:
    """Those in force on a day, the last given first."""
    rows = session.execute(
        select(Authorisation.token, Authorisation.party_id, Authorisation.until, Authorisation.by_sign_in,
               Authorisation.given_at)
        .where(Authorisation.resource_id == resource, _NOT_ENDED)
        .where(or_(Authorisation.until.is_(None), Authorisation.until >= on))
        .order_by(Authorisation.id.desc())
    )  # fmt: skip
    return [AuthorisationView(*row) for row in rows]


def of_party(session: Session, party: int, *, lender: int) -> dict[int, date | None]:
    """What a party may borrow of all that a lender reserves, each with its last day when there is one."""
    rows = session.execute(
        select(Authorisation.resource_id, Authorisation.until)
        .where(Authorisation.party_id == party, Authorisation.lender_id == lender, _NOT_ENDED)
        .order_by(Authorisation.id)
    )
    return {row[0]: row[1] for row in rows}
