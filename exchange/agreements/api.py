"""The agreement of a loan for programs: its borrower reads it, and accepts the text that was read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from exchange import clock
from exchange.agreements import queries, telling
from exchange.agreements.schemas import AgreementShape, NewAcceptance
from exchange.agreements.telling import Reading
from exchange.agreements.views import digest_of
from exchange.bookings import queries as bookings
from exchange.db import db
from exchange.errors import NotFound
from exchange.rest import shapes
from exchange.rest.resources import Deed, Done, Resources
from exchange.security import own
from exchange.sentences import N

resources = Resources("agreements", N("Conventions"))


@resources.reads("/bookings/<booking>/agreement", N("La convention d’une de mes réservations"), gives=AgreementShape)
def show(booking: str) -> dict[str, Any]:
    """The one that stands, with who accepted it."""
    return _told(_mine(booking))


def _mine(booking: str) -> Reading:
    """The agreement of a booking of mine, read as its borrower. Raises NotFound."""
    session = db.session()
    found = bookings.within(session, booking, own("booking.read").parties, at=clock.now())
    agreement = queries.of_booking(session, found.id) if found else None
    if found is None or agreement is None:
        raise NotFound
    reading = telling.read_with(agreement, found)
    return reading._replace(sides={"borrower": reading.sides["borrower"]})


def _told(reading: Reading) -> dict[str, Any]:
    agreement = reading.agreement
    return {
        "id": agreement.token, "number": agreement.called, "state": reading.state, "turn": agreement.turn,
        "lender": shapes.party(reading.loan.lender), "party": shapes.party(reading.loan.party),
        "title": agreement.title, "text": agreement.text, "digest": agreement.digest.hex(),
        "made_at": agreement.made_at,
        "acceptances": [
            {"side": each.side, "how": each.how, "signed_on": each.signed_on, "recorded_at": each.signed_at,
             "name": each.name, "sentence": each.sentence}
            for each in agreement.signatures.values()
        ],
    }  # fmt: skip


@resources.acts(
    "/bookings/<booking>/agreement/acceptance", N("Accepter la convention"), takes=NewAcceptance, gives=AgreementShape
)
def accept(given: dict[str, Any], booking: str) -> Deed:
    """As its borrower, when it is one's turn; ``digest`` says which text was read."""
    reading = _mine(booking)

    def sign(session: Session, at: datetime) -> Done:
        telling.accept(session, reading, digest_of(given["digest"]), at=at)
        return Done(_told(_mine(booking)))

    return Deed(reading.sides["borrower"], sign)
