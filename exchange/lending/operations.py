"""The verbs of who begins to lend: say what it is, then on which conditions, and publish it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries as resources
from exchange.errors import NotAllowed, NotFound
from exchange.lending import queries
from exchange.members import operations as members
from exchange.members.queries import Held, PartyView, mandates_of
from exchange.pictures import operations as pictures
from ledger.entries import Acting


class Thing(NamedTuple):
    """What somebody lends: one thing, or ``quantity`` like things; ``words`` say what its photograph shows."""

    name: str
    description: str = ""
    quantity: int | None = None
    photo: bytes | None = None
    words: str = ""


class Terms(NamedTuple):
    """How it is lent: ``facts`` are those of the catalogue. Where it is picked up is one place of the lender's."""

    address: str
    town: str
    facts: dict[str, Any]


def as_lender(session: Session, through: Held, *, today: date, at: datetime) -> Acting:
    """Who lends for the party of this mandate: its officer, which beginning to lend makes of a member or a delegate.

    Raises NotAllowed for who lends for nobody by it (see ``queries.lenders``), or does no more: somebody else became
    the officer of their association a moment ago.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("lender"), through.party_id)))
    mandates = mandates_of(session, through.sign_in_id, on=today)
    now = next((each for each in queries.lenders(session, mandates, on=today) if each.party_id == through.party_id),
               None)  # fmt: skip
    if now is None:
        raise NotAllowed(roles=["officer"], party=through.party_name)
    if now.role == "officer":
        return Acting(now.sign_in_id, now.party_id, now.id)
    return members.lend_in_own_name(session, now, today=today, at=at)


def begin(session: Session, through: Held, it: Thing, *, today: date, at: datetime) -> str:
    """Keep what somebody would lend, which nobody sees yet; return its random identifier.

    Raises NotAllowed, QuantityMissing, and for its photograph PictureUnreadable or PictureTooLarge.
    """
    by = as_lender(session, through, today=today, at=at)
    kind = "thing" if it.quantity is None else "pool"
    kept = catalogue.add_resource(session, lender=through.party_id, kind=kind, name=it.name, quantity=it.quantity,
                                  description=it.description, by=by, at=at)  # fmt: skip
    if it.photo is not None:
        pictures.add(session, kept.id, lender=through.party_id, data=it.photo, words=it.words or it.name, by=by, at=at)
    return kept.token


def publish(session: Session, lender: PartyView, resource: str, terms: Terms, *, by: Acting, at: datetime) -> None:
    """Lend it on these conditions, from now on: everybody sees it. Raises NotFound for another's."""
    row = resources.row_of(session, lender.id, resource)
    if row is None:
        raise NotFound
    place = _place(session, lender, terms, at=at)
    catalogue.edit(session, row, {**terms.facts, "place_id": place}, by=by, at=at)
    catalogue.publish(session, lender=lender.id, capacities={row.id: None}, by=by, at=at)


def _place(session: Session, lender: PartyView, terms: Terms, *, at: datetime) -> int:
    """Where it is picked up: a place that the lender has already, or a new one."""
    for known in resources.places_of(session, lender.id):
        if (known.address, known.town) == (terms.address, terms.town):
            return known.id
    return catalogue.add_place(session, lender=lender.id, name=lender.name, address=terms.address, town=terms.town,
                               at=at).id  # fmt: skip
