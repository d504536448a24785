"""What somebody has ahead of them, on their first page; and what an officer has to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.bookings.operations import accept, ask, cancel, hand_over
from tests.cast import NOON, Cast, Person, sign_in
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


def test_an_officer_reads_what_to_decide_in_the_order_in_which_it_came_and_what_the_day_brings(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    def asked(who: Person, what: object, *, hours: float, length: float = 2) -> str:
        request = wanting(who.party.id, what, starts=NOON + timedelta(hours=hours), hours=length)
        return ask(session, request, zone="Europe/Paris", by=who.by, at=NOON).token

    asked(cast.chloe, (lent.chairs, 2), hours=200)
    asked(cast.alice, lent.half, hours=30)
    today = ((cast.alice, lent.half, 3), (cast.bruno, lent.drill, 4), (cast.chloe, (lent.chairs, 1), 1))
    for who, what, hours in today:
        accept(session, asked(who, what, hours=hours), lender=cast.town.id, by=cast.olga.by, at=NOON)
    tomorrow = asked(cast.alice, lent.other_half, hours=24)
    accept(session, tomorrow, lender=cast.town.id, by=cast.olga.by, at=NOON)
    chairs = asked(cast.bruno, (lent.chairs, 1), hours=1, length=1)
    accept(session, chairs, lender=cast.town.id, by=cast.olga.by, at=NOON)
    hand_over(session, chairs, lender=cast.town.id, remarks="", by=cast.olga.by, at=NOON + timedelta(hours=1))
    with freeze_time(NOON + timedelta(hours=2, minutes=30)):
        page = sign_in(client, cast.olga).get("/").text
    to_decide, of_today = page.split("<h2>À décider</h2>")[1].split("<h2>Aujourd’hui</h2>")
    assert lines(to_decide) == [
        ("Chaises pliantes, pour Chloé", "À vous de décider"), ("Demi-salle sud, pour Alice", "À vous de décider"),
    ]  # fmt: skip
    assert lines(of_today.split("<h2>")[0]) == [
        ("Chaises pliantes, pour Chloé", "À remettre"), ("Chaises pliantes, pour Bruno", "En retard"),
        ("Demi-salle sud, pour Alice", "Salle à ouvrir"), ("Perceuse, pour Bruno", "À remettre"),
    ]  # fmt: skip
    assert "À décider" not in sign_in(client.application.test_client(), cast.alice).get("/").text


def lines(part: str) -> list[tuple[str, str]]:
    """Each task with its tag."""
    return re.findall(r'<a href="[^"]+">([^<]+)</a>.*?<strong class="tag[^>]*>([^<]+)<', part, re.S)


def test_a_visitor_reads_what_is_lent_and_how_to_join(client: FlaskClient, lent: Lent) -> None:
    page = client.get("/").text
    assert [name for name in (lent.hall.name, lent.chairs.name, lent.drill.name) if name not in page] == []
    assert "Voir les 6 salles et objets" not in page  # they are all there
    assert page.count('href="/rejoindre"') >= 2
