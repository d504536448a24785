"""A week of all rooms: what is left of each day, and nobody's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from exchange.bookings import views
from exchange.bookings.operations import ask
from exchange.bookings.policy import left_of
from tests.cast import NOON, Cast
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent

MIDNIGHT = datetime(2026, 11, 21)
spans = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 40)), max_size=5)


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


def cells(page: str, room: str) -> list[str]:
    """What the wide table says of a room, day by day."""
    row = page.partition(f'<th scope="row">{room}</th>')[2].partition("</tr>")[0]
    found = re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
    return [re.sub(r'<span class="hidden">.*?</span>|<[^>]+>', "", cell).strip() for cell in found]


def test_a_visitor_reads_what_is_left_of_each_day(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    for room, starts, hours in ((lent.half, 24 + 2, 3), (lent.hall, 48 - 4, 14), (lent.dojo, 72, 2)):
        request = wanting(cast.bruno.party.id, room, starts=NOON + timedelta(hours=starts), hours=hours)
        ask(session, request, zone="Europe/Paris", by=cast.bruno.by, at=NOON)
    page = client.get("/salles/semaine").text.replace("\u00a0", " ")
    assert cells(page, "Salle des fêtes")[:4] == ["Libre", "8 h–14 h, 17 h–22 h", "Pris", "Libre"]
    assert cells(page, "Demi-salle nord")[1:3] == ["Libre", "Pris"]
    assert cells(page, "Dojo")[1] == "Fermé"  # on Sundays
    assert "Bruno" not in page
    assert "Chaises" not in page


def test_on_a_narrow_screen_what_goes_on_for_hours_is_said_once(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    request = wanting(cast.bruno.party.id, lent.half, starts=NOON + timedelta(hours=26), hours=3)  # Sunday at 14 h
    ask(session, request, zone="Europe/Paris", by=cast.bruno.by, at=NOON)
    page = client.get(f"/salles/{lent.half.token}").text.replace("\u00a0", " ")
    days = page.partition('class="week-narrow"')[2].split("<details")
    lines = re.findall(r'<li class="slot (\w+)"><span class="slot-hour">(.*?)</span>', days[2])
    assert lines == [("free", "8 h – 14 h"), ("pending", "14 h – 17 h"), ("free", "17 h – 22 h")]
    assert re.findall(r"de=(\d\d)", days[2]) == ["08", "14", "17"], "who comes too late may wait for it"


def test_many_rooms_come_by_pages(
    client: FlaskClient, lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "ROOMS", 2)

    def rooms(page: str) -> list[str]:
        table = client.get("/salles/semaine", query_string={"page": page}).text.partition("<tbody>")[2]
        return re.findall(r'<th scope="row">(.*?)</th>', table.partition("</tbody>")[0])

    assert [len(rooms("1")), len(rooms("2"))] == [2, 2]
    assert len({*rooms("1"), *rooms("2")}) == 4
    assert rooms("99") == rooms("2")


def test_a_wild_week_is_this_week(client: FlaskClient, lent: Lent) -> None:
    for week in ("hier", "1999-01-01", "9999-99-99", "\u00b2"):
        page = client.get("/salles/semaine", query_string={"semaine": week})
        assert (page.status_code, "samedi 21 novembre 2026" in page.text) == (200, True)


def test_before_anything_is_lent_the_page_says_so(client: FlaskClient, cast: Cast) -> None:
    assert "Aucune salle n’est encore proposée" in client.get("/salles/semaine").text


@given(spans, spans)
def test_what_is_left_is_open_and_not_taken_minute_by_minute(
    opened: list[tuple[int, int]], held: list[tuple[int, int]]
) -> None:
    def at(some: list[tuple[int, int]]) -> list[tuple[datetime, datetime]]:
        return [(MIDNIGHT + timedelta(minutes=a), MIDNIGHT + timedelta(minutes=a + n)) for a, n in sorted(some)]

    def minutes(some: list[tuple[datetime, datetime]]) -> set[int]:
        return {n for n in range(150) for a, b in some if a <= MIDNIGHT + timedelta(minutes=n) < b}

    left = left_of(at(opened), at(held))
    assert minutes(left) == minutes(at(opened)) - minutes(at(held))
    assert all(a < b for a, b in left)


def test_the_week_of_a_pool_says_how_many_are_left_each_hour(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    starts = NOON + timedelta(days=2, hours=3)  # Monday, three to five in the afternoon in Paris
    for many, hours in ((3, 2), (2, 1)):
        request = wanting(cast.alice.party.id, (lent.chairs, many), starts=starts, hours=hours)
        ask(session, request, zone="Europe/Paris", by=cast.alice.by, at=NOON)
    page = client.get(f"/salles/{lent.chairs.token}").text
    monday = [cells(page, f"{hour}\u00a0h")[2] for hour in (14, 15, 16, 17)]
    assert monday == ["5 libres", "Pris", "2 libres", "5 libres"]
    assert cells(page, "11\u00a0h")[0] == "Passé"
