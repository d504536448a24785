"""The verbs of an authorisation: give, withdraw."""

from __future__ import annotations

import secrets
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from exchange.authorisations.models import Authorisation, AuthorisationEnd
from exchange.catalogue.queries import ResourceView
from exchange.db import signed
from exchange.errors import InThePast, NotFound, WrongState
from ledger.entries import Acting


def give(
    session: Session, resource: ResourceView, party: int, *, until: date | None, today: date, by: Acting, at: datetime
) -> Authorisation:
    """Let a party borrow it, until a last day when there is one. Raises InThePast.

    One that is given again counts from then on with its own last day: the others that are in force are withdrawn.
    """
    if until is not None and until < today:
        raise InThePast(field="until")
    ended = select(AuthorisationEnd.authorisation_id)
    before = session.scalars(
        select(Authorisation.id)
        .where(Authorisation.resource_id == resource.id, Authorisation.party_id == party)
        .where(Authorisation.id.not_in(ended))
        .order_by(Authorisation.id)
    ).all()
    for id_ in before:
        _end(session, id_, by=by, at=at)
    given = Authorisation(
        token=secrets.token_urlsafe(16), lender_id=resource.lender_id, resource_id=resource.id, party_id=party,
        until=until, given_at=at, **signed(by),
    )  # fmt: skip
    session.add(given)
    session.flush()
    return given


def withdraw(session: Session, token: str, *, lender: int, by: Acting, at: datetime) -> Authorisation:
    """Let the party borrow it no more; what was accepted stays. Raises NotFound; WrongState when it was already."""
    found = session.scalar(
        select(Authorisation).where(Authorisation.token == token, Authorisation.lender_id == lender)
    )
    if found is None:
        raise NotFound
    if not _end(session, found.id, by=by, at=at):
        raise WrongState(state="withdrawn")
    return found


def _end(session: Session, id_: int, *, by: Acting, at: datetime) -> bool:
    written = session.execute(
        insert(AuthorisationEnd)
        .values(authorisation_id=id_, ended_at=at, **signed(by))
        .on_conflict_do_nothing()
        .returning(AuthorisationEnd.authorisation_id)
    )
    return written.scalar() is not None
