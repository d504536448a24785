"""A day, a month, and the week of a lender's rooms: what everybody reads, and what the office does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import agenda, policy
from exchange.bookings.operations import ask
from exchange.bookings.sheets import month_of
from exchange.catalogue import operations as catalogue
from exchange.catalogue.queries import ResourceView
from exchange.closures import operations as closures
from ledger.entries import Acting
from tests.cast import NOON, SATURDAY, Cast, sign_in
from tests.counting import counted
from tests.databases import as_owner
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent
from tests.test_every_route import MOST_QUERIES

SECRETS = ("Bruno", "Fête", "Club de gymnastique", "Gala", "Chloé")


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


def book(session: Session, cast: Cast, it: ResourceView, *, days: float, hours: float = 3) -> None:
    """Bruno has something, so many days after Saturday noon."""
    request = wanting(cast.bruno.party.id, it, starts=NOON + timedelta(days=days), hours=hours)
    ask(session, request, zone="Europe/Paris", by=cast.bruno.by, at=NOON)


def gala(session: Session, cast: Cast, it: ResourceView) -> None:
    """The club has something on Monday afternoon."""
    request = wanting(cast.club.id, it, starts=NOON + timedelta(days=2, hours=2), hours=3)._replace(purpose="Gala")
    ask(session, request, zone="Europe/Paris", by=cast.delegate, at=NOON)


def said(page: str) -> str:
    """What the page says, on one line with ordinary spaces."""
    return spoken(page.partition("<main")[2].partition("</main>")[0].partition(">")[2])


def spoken(body: str) -> str:
    """The words of a piece of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\u00a0", " ").replace("\u202f", " ").split())


def states(page: str) -> dict[int, str]:
    """What the table of a month says of each day."""
    table = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return {
        int(day): word
        for day, word in re.findall(r'<time class="day-number"[^>]*>(\d+)</time> <span>([^<]*)</span>', table)
    }


def row(page: str, room: str) -> list[str]:
    """What the table of a week says of a room, day by day."""
    cells = re.search(rf'<th scope="row">{room}.*?</th>(.*?)</tr>', page, re.S)
    assert cells is not None, page
    return [spoken(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", cells[1], re.S)]


def test_a_month_tells_each_day_in_a_word(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    book(session, cast, lent.half, days=2)
    book(session, cast, lent.half, days=3.8, hours=16)  # from 7 h on Wednesday
    closures.close(session, lent.half, kind="works", reason="", starts_at=NOON + timedelta(days=4.5),
                   ends_at=NOON + timedelta(days=6.5), quantity=None, by=cast.olga.by, at=NOON)  # fmt: skip
    november = states(client.get(f"/salles/{lent.half.token}/mois").text)
    assert sorted(november) == list(range(1, 31))
    told = {day: november[day] for day in (20, 21, 22, 23, 25, 26, 27, 28, 30)}
    assert told == {20: "Passé", 21: "Libre", 22: "Libre", 23: "En partie", 25: "Occupé", 26: "Indisponible",
                    27: "Indisponible", 28: "Libre", 30: "Libre"}  # fmt: skip


def test_a_month_of_what_has_hours_says_when_it_is_closed(client: FlaskClient, lent: Lent) -> None:
    december = states(client.get(f"/salles/{lent.dojo.token}/mois?mois=2026-12").text)
    assert {day for day, word in december.items() if word == "Fermé"} == {6, 13, 20, 27}  # Sundays
    assert len(december) == 31


def test_a_month_of_a_pool_is_taken_when_none_is_left(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    for many, days in ((5, 2), (3, 3)):
        request = wanting(cast.alice.party.id, (lent.chairs, many), starts=NOON + timedelta(days=days, hours=-5),
                          hours=16)  # fmt: skip
        ask(session, request, zone="Europe/Paris", by=cast.alice.by, at=NOON)
    november = states(client.get(f"/salles/{lent.chairs.token}/mois").text)
    assert (november[23], november[24]) == ("Occupé", "Libre")


@pytest.mark.parametrize(("given", "first"), [
    (None, date(2026, 11, 1)), ("2026-12", date(2026, 12, 1)), ("2026-12-31", date(2026, 12, 1)),
    ("2026-10", date(2026, 11, 1)), ("2026-13", date(2026, 11, 1)), ("1-1", date(2026, 11, 1)),
    ("9999-12", date(2028, 5, 1)), ("2027-02", date(2027, 2, 1)), ("\u0662\u0660\u0662\u0667-01", date(2026, 11, 1)),
])  # fmt: skip
def test_a_wild_month_is_this_one(given: str | None, first: date) -> None:
    assert policy.first_of_month(given, today=SATURDAY) == first


def test_months_follow_each_other_from_this_one_on(client: FlaskClient, lent: Lent) -> None:
    page = client.get(f"/salles/{lent.hall.token}/mois").text
    assert "mois=2026-10" not in page
    assert "mois=2026-12-01" in page
    december = client.get(f"/salles/{lent.hall.token}/mois?mois=2026-12").text
    assert "mois=2026-11-01" in december
    assert "mois=2027-01-01" in december
    far = client.get(f"/salles/{lent.hall.token}/mois?mois=2028-05").text
    assert "mois=2028-06" not in far


@pytest.mark.parametrize("month", ["2027-03", "2027-10", "2028-02", "2026-12"])
def test_every_day_of_a_month_is_there_once(month: str, client: FlaskClient, lent: Lent) -> None:
    first = date.fromisoformat(f"{month}-01")
    lines = month_of(lent.hall, first)
    days = [cell.day for line in lines for cell in line.cells if cell]
    assert days == [first + timedelta(days=n) for n in range(len(days))]
    assert (days[-1] + timedelta(days=1)).day == 1
    assert all(len(line.cells) == 7 for line in lines)
    assert all(cell.day.weekday() == column for line in lines for column, cell in enumerate(line.cells) if cell)


def test_both_nights_when_clocks_change_are_free_days(client: FlaskClient, lent: Lent) -> None:
    march = states(client.get(f"/salles/{lent.hall.token}/mois?mois=2027-03").text)
    october = states(client.get(f"/salles/{lent.hall.token}/mois?mois=2027-10").text)
    assert (march[28], october[31]) == ("Libre", "Libre")


def test_a_day_tells_its_hours(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    book(session, cast, lent.half, days=2)
    page = client.get(f"/salles/{lent.half.token}/jour?jour=2026-11-23").text
    assert "8 h – 12 h Libre 12 h – 15 h En attente 15 h – 22 h Libre" in said(page)
    assert [name for name in SECRETS if name in page] == []
    assert '<th scope="row">' in page
    assert "Fermé ce jour-là" in client.get(f"/salles/{lent.dojo.token}/jour?jour=2026-11-22").text


def test_a_break_at_noon_is_not_told_as_free(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    with as_owner(session):
        session.execute(text("UPDATE resources SET opening_hours = 'Mo-Su 08:00-12:00,14:00-18:00' WHERE id = :id"),
                        {"id": lent.drill.id})  # fmt: skip
    page = said(client.get(f"/salles/{lent.drill.token}/jour?jour=2026-11-23").text)
    assert "8 h – 12 h Libre 14 h – 18 h Libre" in page


def test_a_day_and_a_month_are_gone_to_by_a_form(client: FlaskClient, lent: Lent) -> None:
    for view, title in (("jour", "mardi 15 décembre 2026"), ("mois", "Décembre 2026")):
        page = client.get(f"/salles/{lent.hall.token}/{view}", query_string={"jour": "15/12/2026"})
        assert (page.status_code, title in page.text) == (200, True), view
        wrong = client.get(f"/salles/{lent.hall.token}/{view}", query_string={"jour": "31/02/2026"})
        assert (wrong.status_code, "date qui existe" in wrong.text) == (422, True)


def test_the_sheet_tells_everybody_when_rooms_are_taken_and_never_by_whom(
    app: Flask, client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    book(session, cast, lent.half, days=2)
    gala(session, cast, lent.other_half)
    path = f"/preteurs/{cast.town.token}/semaine"
    for reader in (client, sign_in(app.test_client(), cast.chloe), sign_in(app.test_client(), cast.bruno)):
        page = reader.get(path).text
        assert row(page, "Demi-salle sud")[1:4] == ["Libre", "Libre : 8 h–12 h, 15 h–22 h", "Libre"]
        body = page.partition("<main")[2]
        assert [name for name in SECRETS if name in body] == []
        assert "/reservations/" not in body
    assert "Dojo" not in client.get(path).text  # the club's


def test_its_office_reads_who_has_what_and_prints_without_names(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    gala(session, cast, lent.half)
    olga, path = sign_in(app.test_client(), cast.olga), f"/preteurs/{cast.town.token}/semaine"
    page = olga.get(path).text
    assert row(page, "Demi-salle sud")[2] == "En partie 14 h–17 h Gala Club de gymnastique (à décider)"
    assert "Gala" in row(page, "Salle des fêtes")[2]  # made of the two halves
    assert "Gala" not in row(page, "Demi-salle nord")[2]
    assert "à ne pas afficher" in page
    pinned = olga.get(f"{path}?noms=non").text
    assert [name for name in SECRETS if name in pinned.partition("<main")[2]] == []
    day = olga.get(f"/salles/{lent.half.token}/jour?jour=2026-11-23").text
    assert "14 h–17 h, Gala Club de gymnastique" in said(day)


def test_an_officer_of_another_lender_is_everybody(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    book(session, cast, lent.dojo, days=2)
    page = sign_in(app.test_client(), cast.olga).get(f"/preteurs/{cast.club.token}/semaine").text
    assert "Dojo" in page
    assert "Bruno" not in page


def test_the_sheet_of_one_place(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    town = Acting(None, cast.town.id)
    for name in ("Mairie", "Halle"):
        place = catalogue.add_place(session, lender=cast.town.id, name=name, at=NOON)
        made = catalogue.add_resource(session, lender=cast.town.id, kind="room", name=f"Salle de la {name}", by=town,
                                      place_id=place.id, capacity=20, at=NOON)  # fmt: skip
        catalogue.publish(session, lender=cast.town.id, capacities={made.id: None}, by=town, at=NOON)
    path = f"/preteurs/{cast.town.token}/semaine"
    page = client.get(path, query_string={"lieu": place.token}).text
    assert re.findall(r'<th scope="row">(.*?) ?<', page) == ["Salle de la Halle"]
    assert "<h1>Halle</h1>" in page
    wrong = client.get(path, query_string={"lieu": "nowhere"})
    assert wrong.status_code == 422


def test_many_rooms_come_by_sheets(
    client: FlaskClient, cast: Cast, lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda, "ROOMS", 2)
    path = f"/preteurs/{cast.town.token}/semaine"
    first, second = (client.get(path, query_string={"page": page}).text for page in ("1", "2"))
    assert [page.count('<th scope="row">') for page in (first, second)] == [2, 1]
    assert client.get(path, query_string={"page": "99"}).text.count('<th scope="row">') == 1


def test_who_lends_no_room_has_no_sheet_and_isnt_named(
    app: Flask, client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    for token in (cast.alice.party.token, cast.chloe.party.token, "nobody"):
        assert client.get(f"/preteurs/{token}/semaine").status_code == 404
    with as_owner(session):
        session.execute(text("UPDATE resources SET published_at = NULL"))
    assert client.get(f"/preteurs/{cast.town.token}/semaine").status_code == 404
    empty = sign_in(app.test_client(), cast.olga).get(f"/preteurs/{cast.town.token}/semaine")
    assert (empty.status_code, "Aucune salle n’est encore publiée" in empty.text) == (200, True)


def test_tables_say_what_their_rows_and_columns_are(client: FlaskClient, cast: Cast, lent: Lent) -> None:
    for path in (f"/salles/{lent.hall.token}/mois", f"/preteurs/{cast.town.token}/semaine",
                 f"/salles/{lent.hall.token}/jour"):  # fmt: skip
        table = client.get(path).text.partition("<table")[2].partition("</table>")[0]
        assert "<caption" in table, path
        heads = re.findall(r"<th\b([^>]*)>", table)
        assert heads
        assert all('scope="col"' in head or 'scope="row"' in head for head in heads)


def test_calendars_take_few_questions(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    for days in range(1, 6):
        book(session, cast, lent.half, days=days)
    olga = sign_in(app.test_client(), cast.olga)
    for path in (f"/preteurs/{cast.town.token}/semaine", f"/salles/{lent.half.token}/jour?jour=2026-11-23",
                 f"/salles/{lent.half.token}/mois"):  # fmt: skip
        app.extensions.pop("kept", None)
        with counted() as asked:
            assert olga.get(path).status_code == 200
        assert len(asked) <= MOST_QUERIES, path


def test_a_booking_over_midnight_is_told_on_both_days(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    request = wanting(cast.club.id, lent.half, starts=datetime(2026, 11, 23, 20, tzinfo=UTC), hours=6)
    ask(session, request._replace(purpose="Gala"), zone="Europe/Paris", by=cast.delegate, at=NOON)
    page = sign_in(app.test_client(), cast.olga).get(f"/preteurs/{cast.town.token}/semaine").text
    monday, tuesday = row(page, "Demi-salle sud")[2:4]
    assert ("21 h–24 h Gala" in monday, "0 h–3 h Gala" in tuesday) == (True, True)
