"""Alice lends her saw: everybody finds it, and only who is lent it learns where she lives."""

from __future__ import annotations

from html import unescape

import pytest
from flask import Flask
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.bookings.operations import accept, ask
from exchange.catalogue import operations as catalogue
from exchange.catalogue import queries
from exchange.catalogue.queries import ResourceView
from tests.cast import NOON, Cast, sign_in
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent

STREET = "12 rue des Lilas"


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


@pytest.fixture
def saw(session: Session, cast: Cast, lent: Lent) -> ResourceView:
    alice = cast.alice.party.id
    home = catalogue.add_place(session, lender=alice, name="Chez Alice", address=STREET, town="Saint-Marron",
                               latitude=47.8, longitude=-1.9, at=NOON)  # fmt: skip
    saw = catalogue.add_resource(session, lender=alice, kind="thing", name="Scie sauteuse", place_id=home.id,
                                 by=cast.alice.by, at=NOON)  # fmt: skip
    catalogue.publish(session, lender=alice, capacities={saw.id: None}, by=cast.alice.by, at=NOON)
    return queries.views(session, [saw.id])[saw.id]


def test_it_is_found_without_her_street(app: Flask, saw: ResourceView) -> None:
    visitor = app.test_client()
    for address in ("/salles?q=scie", f"/salles/{saw.token}", "/salles/carte?q=scie"):
        page = unescape(visitor.get(address).text)
        assert "Scie sauteuse" in page, address
        for told in (STREET, "Chez Alice", "47.8"):
            assert told not in page, address
    assert "Saint-Marron" in visitor.get(f"/salles/{saw.token}").text


def test_nobody_finds_it_by_her_street(app: Flask, session: Session, saw: ResourceView) -> None:
    for words in ("lilas", "Chez Alice", "scie lilas"):
        assert "Scie" not in app.test_client().get("/salles", query_string={"q": words}).text.partition("resultats")[2]
        assert saw.id not in [it.id for found in queries.named(session, [words]) for it in found]
    assert "Scie" in app.test_client().get("/salles?q=scie+marron").text.partition("resultats")[2], "the town is told"


def test_who_is_lent_it_learns_where_to_go(app: Flask, session: Session, cast: Cast, saw: ResourceView) -> None:
    booking = ask(session, wanting(cast.bruno.party.id, saw), zone="Europe/Paris", by=cast.bruno.by, at=NOON)
    bruno, here = sign_in(app.test_client(), cast.bruno), f"/reservations/{booking.token}"
    assert STREET not in bruno.get(here).text
    accept(session, booking.token, lender=cast.alice.party.id, by=cast.alice.by, at=NOON)
    assert f"Chez Alice, {STREET}, Saint-Marron" in unescape(bruno.get(here).text)
