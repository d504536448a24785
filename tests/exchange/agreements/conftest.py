"""A template of the town, and loans of Alice that it covers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.agreements import operations, queries, telling
from exchange.agreements.operations import Wording
from exchange.agreements.queries import AgreementView
from exchange.agreements.telling import Loan
from exchange.bookings import operations as bookings
from exchange.bookings import queries as booked
from exchange.catalogue.queries import ResourceView
from tests.cast import NOON, Cast
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent

TEXT = """# Convention {numero}

Entre {preteur} et {demandeur}, pour {objet} : {quoi},
du {du} au {au}.

## Conditions

- {assurance}
- Prix : {prix}
"""


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


Borrow = Callable[..., Loan]


@pytest.fixture
def borrow(session: Session, cast: Cast, lent: Lent) -> Borrow:
    """Alice borrows something of the town, and it is accepted."""

    def do(*what: ResourceView, days: int = 0, purpose: str = "Fête", at: datetime = NOON) -> Loan:
        wanted = wanting(cast.alice.party.id, *(what or (lent.hall,)), starts=NEXT_WEEK + timedelta(days=days))
        booking = bookings.ask(session, wanted._replace(purpose=purpose), zone="Europe/Paris", by=cast.alice.by, at=at)
        bookings.accept(session, booking.token, lender=cast.town.id, by=cast.olga.by, at=at)
        return loan_of(session, booking.id)

    return do


def loan_of(session: Session, booking: int) -> Loan:
    """A loan as it is now."""
    return telling.loans(session, [booked.view(session, booking, at=NOON)])[0]


@pytest.fixture
def template(session: Session, cast: Cast) -> str:
    """The town's, for all its loans; its identifier."""
    operations.write_template(session, Wording("Convention", TEXT), lender=cast.town.id, by=cast.olga.by, at=NOON)
    return queries.templates(session, cast.town.id)[0].token


def made(session: Session, cast: Cast, loan: Loan, *, again: bool = False) -> AgreementView:
    """The agreement of a loan, made by Olga; ``again``: another in its place."""
    before = queries.of_booking(session, loan.booking.id) if again else None
    telling.make(session, loan, replaces=before, by=cast.olga.by, at=NOON)
    found = queries.of_booking(session, loan.booking.id)
    assert found is not None
    return found


def accepted(session: Session, cast: Cast, agreement: AgreementView, side: str) -> AgreementView:
    """The same, once a side accepted it."""
    name, by = ("Olga", cast.olga.by) if side == "lender" else ("Alice", cast.alice.by)
    operations.accept(session, agreement, side, digest=agreement.digest, name=name, sentence=f"Moi, {name}.",
                      on=NOON.date(), by=by, at=NOON)  # fmt: skip
    found = queries.by_token(session, agreement.token)
    assert found is not None
    return found
