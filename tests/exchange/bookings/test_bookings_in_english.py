"""Who reads English meets English figures, days and signs on the pages of lending."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.bookings.operations import ask, decline
from tests.cast import NOON, Cast, sign_in
from tests.exchange.bookings.conftest import wanting
from tests.exchange.bookings.test_bookings_uncollected import voted_prices
from tests.lent import Lent

ENGLISH = {"Accept-Language": "en"}
FRENCH_SPACING = re.compile(" [:;?!](?= |$)|[«»]")


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


def words(page: str) -> str:
    """What the page itself says, without its frame."""
    return " ".join(re.sub("<[^>]*>", " ", page.partition("<main")[2].partition("</main>")[0]).split())


def test_a_pool_says_how_many_and_what_the_council_decided_when(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    voted_prices(session, cast, lent)
    seen = words(client.get(f"/salles/{lent.chairs.token}", headers=ENGLISH).text)
    assert "5 in all" in seen
    assert "copies" not in seen
    assert "Usure: flat rate of 60 marrons (1 h), council decision 2026-11, 2 Nov 2026" in seen
    assert "Usure : forfait de" in words(client.get(f"/salles/{lent.chairs.token}").text)
    assert FRENCH_SPACING.findall(seen) == []


def test_a_refusal_and_its_rules_are_told_with_english_signs(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    voted_prices(session, cast, lent)
    request = wanting(cast.alice.party.id, lent.drill)
    token = ask(session, request, zone="Europe/Paris", by=cast.alice.by, at=NOON).token
    decline(session, token, lender=cast.town.id, ground="services", text="Taken", by=cast.olga.by, at=NOON)
    alice = sign_in(client, cast.alice)
    alice.get("/langue/en")
    seen = words(alice.get(f"/reservations/{token}").text)
    assert "2026-11, 2 Nov 2026." in seen
    assert ": Taken" in seen
    assert FRENCH_SPACING.findall(seen) == []
