"""What somebody has ahead of them, on their first page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.bookings.operations import accept, ask, cancel
from tests.cast import NOON, Cast, sign_in
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


def test_the_first_page_says_what_is_next(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    alice = cast.alice
    hall = ask(session, wanting(alice.party.id, lent.hall), zone="Europe/Paris", by=alice.by, at=NOON)
    drill = ask(session, wanting(alice.party.id, lent.drill), zone="Europe/Paris", by=alice.by, at=NOON)
    accept(session, hall.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    sign_in(client, alice)
    page = client.get("/").text
    assert "Salle des fêtes" in page
    assert "Accepté" in page
    assert "Perceuse" in page
    cancel(session, drill.token, parties=[alice.party.id], reason="", by=alice.by, at=NOON)
    assert "Perceuse" not in client.get("/").text


def test_what_is_over_is_no_longer_ahead(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    ask(session, wanting(cast.alice.party.id, lent.hall), zone="Europe/Paris", by=cast.alice.by, at=NOON)
    with freeze_time(NEXT_WEEK.replace(hour=23)):
        sign_in(client, cast.alice)
        assert "Salle des fêtes" not in client.get("/").text
