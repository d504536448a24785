"""Calendars that telephones follow (T22): what they say, to whom, and for how long; read back by another library."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from icalendar import Calendar
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import extending
from exchange.bookings import operations as bookings
from exchange.bookings.queries import between
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue.queries import ResourceView, views
from exchange.closures import operations as closures
from exchange.feeds import operations, policy, queries
from exchange.feeds.telling import address_of
from exchange.feeds.writing import Event, calendar
from exchange.members import operations as members
from ledger.entries import Acting
from tests.cast import NOON, Cast, Person, sign_in
from tests.counting import counted
from tests.databases import as_owner
from tests.lent import Lent
from tests.test_every_route import MOST_QUERIES

SOON = NOON + timedelta(days=7)
INJECTIONS = [
    "Bal\r\nATTENDEE:mailto:pirate@example.org", "Bal\nEND:VEVENT\nBEGIN:VALARM", "Bal\rX-EVIL:1", "Bal\u2028X-EVIL:1",
    "Bal\u2029X-EVIL:1", "Bal\x85X-EVIL:1", "Bal\x0bX-EVIL:1", "Bal\x0cX-EVIL:1", "Bal\x1cX-EVIL:1", "Bal\x1eX-EVIL:1",
    "Bal;X-EVIL=1:oui, non\\", '"Bal":X-EVIL', "é" * 100 + "\r\nX-EVIL:1", "\ufeffBal\x00\x07",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


def ask(
    session: Session, cast: Cast, it: ResourceView, *, who: Person | None = None, starts: datetime = SOON,
    at: datetime = NOON, purpose: str = "Fête des voisins", hours: float = 4,
) -> str:  # fmt: skip
    """Alice, unless it is somebody else, asks for something next Saturday at noon."""
    person = who or cast.alice
    wanted = Request(person.party.id, (Wanted(it),), starts, starts + timedelta(hours=hours), purpose, 12)
    return bookings.ask(session, wanted, zone="Europe/Paris", by=person.by, at=at).token


def follow(session: Session, by: Acting, side: str = "bookings") -> str:
    """The path of a new address."""
    return path_of(operations.open_(session, side, by=by, at=NOON).secret)


def path_of(secret: str) -> str:
    return "/agendas" + address_of(secret).rpartition("/agendas")[2]


def read(client: FlaskClient, path: str) -> list[Any]:
    """The events of a calendar, as another library than ours reads them; both must agree."""
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar"), answer.text
    return events_of(answer.data)


def events_of(data: bytes) -> list[Any]:
    whole = vobject.readOne(data.decode())
    found = list(whole.contents.get("vevent", []))
    ours = Calendar.from_ical(data).events
    assert [str(each.summary.value) for each in found] == [str(each["summary"]) for each in ours]
    assert [each.dtstart.value for each in found] == [each["dtstart"].dt for each in ours]
    return found


def properties(data: bytes) -> list[set[str]]:
    """The names of the properties of each event, unfolded by a reader that ends lines wherever some reader does."""
    unfolded = data.decode().replace("\r\n ", "")
    inside: list[set[str]] = []
    for line in unfolded.splitlines():
        if line == "BEGIN:VEVENT":
            inside.append(set())
        elif inside:
            inside[-1].add(line.partition(":")[0].partition(";")[0])
    return inside


def olga(cast: Cast) -> Acting:
    assert cast.olga.sign_in is not None
    return Acting(cast.olga.sign_in.id, cast.town.id)


def test_who_booked_reads_what_when_and_where(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    token = ask(session, cast, lent.hall)
    [waiting] = read(client, follow(session, cast.alice.by))
    assert (waiting.summary.value, waiting.status.value) == ("En attente\u00a0: Salle des fêtes", "TENTATIVE")
    bookings.accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON + timedelta(hours=1))
    [held] = read(client, follow(session, cast.alice.by))
    assert (held.summary.value, held.status.value) == ("Salle des fêtes", "CONFIRMED")
    assert (held.dtstart.value, held.dtend.value) == (SOON, SOON + timedelta(hours=4))
    assert held.description.value == "Salle des fêtes\nFête des voisins\nPrêté par Ville de Saint-Marron"
    assert held.url.value.endswith(f"/reservations/{token}")
    assert held.uid.value == waiting.uid.value
    assert int(held.sequence.value) > int(waiting.sequence.value)
    assert held.last_modified.value == NOON + timedelta(hours=1)


def test_what_is_cancelled_is_said_to_be(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    token, path = ask(session, cast, lent.hall), follow(session, cast.alice.by)
    bookings.cancel(session, token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    [gone] = read(client, path)
    assert (gone.summary.value, gone.status.value) == ("Annulé\u00a0: Salle des fêtes", "CANCELLED")
    assert gone.transp.value == "TRANSPARENT"


def test_an_office_reads_who_has_what(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    token = ask(session, cast, lent.hall)
    ask(session, cast, lent.dojo, who=cast.bruno, starts=SOON + timedelta(days=2))  # the club's, and not the town's
    [asked] = read(client, follow(session, olga(cast), "loans"))
    assert asked.summary.value == "En attente\u00a0: Salle des fêtes, pour Alice"
    assert "Fête des voisins" in asked.description.value
    assert asked.url.value.endswith(f"/preteurs/{cast.town.token}/reservations/{token}")


def test_a_delegate_follows_the_club_apart_from_oneself(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    club = Request(cast.club.id, (Wanted(lent.hall),), SOON, SOON + timedelta(hours=4), "Gala", 80)
    bookings.ask(session, club, zone="Europe/Paris", by=cast.delegate, at=NOON)
    ask(session, cast, lent.drill, who=cast.bruno, purpose="Étagères")
    [gala] = read(client, follow(session, cast.delegate))
    [shelves] = read(client, follow(session, cast.bruno.by))
    assert ("Gala" in gala.description.value, "Étagères" in shelves.description.value) == (True, True)


def test_a_neighbour_who_lends_has_both_in_one_calendar(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    assert cast.alice.sign_in is not None
    members.grant(session, sign_in=cast.alice.sign_in.id, party=cast.alice.party.id, role="officer",
                  starts_on=NOON.date(), granted_by=None, at=NOON)  # fmt: skip
    ladder = catalogue.add_resource(session, lender=cast.alice.party.id, kind="thing", name="Échelle",
                                    by=cast.alice.by, at=NOON)  # fmt: skip
    catalogue.publish(session, lender=cast.alice.party.id, capacities={ladder.id: None}, by=cast.alice.by, at=NOON)
    ask(session, cast, views(session, [ladder.id])[ladder.id], who=cast.bruno)
    ask(session, cast, lent.hall, starts=SOON + timedelta(days=1))
    found = read(client, follow(session, cast.alice.by))
    assert {each.summary.value for each in found} == {
        "En attente\u00a0: Échelle, pour Bruno", "En attente\u00a0: Salle des fêtes",
    }  # fmt: skip


def test_more_time_moves_the_end_and_counts_as_a_change(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token, path = ask(session, cast, lent.drill), follow(session, cast.alice.by)
    bookings.accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    bookings.hand_over(session, token, lender=cast.town.id, remarks="", by=cast.olga.by, at=SOON)
    later = SOON + timedelta(hours=1)
    with freeze_time(later):
        [before] = read(client, path)
        extending.ask(session, token, SOON + timedelta(hours=6), parties=[cast.alice.party.id], reason="",
                      by=cast.alice.by, at=later)  # fmt: skip
        [after] = read(client, path)
    assert after.dtend.value == SOON + timedelta(hours=6)
    assert int(after.sequence.value) > int(before.sequence.value)
    assert after.uid.value == before.uid.value


def test_everybody_reads_when_a_room_is_taken_and_nothing_else(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token = ask(session, cast, lent.hall, who=cast.bruno, purpose="Réunion secrète")
    bookings.accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    closures.close(session, lent.half, kind="works", reason="Une fuite chez Chloé", starts_at=SOON + timedelta(days=1),
                   ends_at=None, quantity=None, by=cast.olga.by, at=NOON)  # fmt: skip
    path = path_of(lent.half.token)
    taken, closed = sorted(read(client, path), key=lambda each: each.dtstart.value)
    assert (taken.summary.value, taken.dtstart.value, taken.dtend.value) == ("Occupé", SOON, SOON + timedelta(hours=4))
    assert (closed.summary.value, closed.dtstart.value) == ("Fermé", SOON + timedelta(days=1))
    page = client.get(path).text
    assert [word for word in ("Bruno", "secrète", "Chloé", "fuite", token, "URL", "DESCRIPTION") if word in page] == []


def test_of_a_pool_everybody_reads_when_none_is_left(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    for many, hours in ((3, 4), (2, 2)):
        wanted = Request(cast.bruno.party.id, (Wanted(lent.chairs, many),), SOON, SOON + timedelta(hours=hours), "Bal")
        bookings.ask(session, wanted, zone="Europe/Paris", by=cast.bruno.by, at=NOON)
    [full] = read(client, path_of(lent.chairs.token))
    assert (full.summary.value, full.dtend.value) == ("Tout est pris", SOON + timedelta(hours=2))


def test_a_public_name_is_the_same_each_time_and_tells_no_booking(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token, path = ask(session, cast, lent.hall), path_of(lent.hall.token)
    [before] = read(client, path)
    bookings.accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    [after] = read(client, path)
    assert before.uid.value == after.uid.value
    assert (before.status.value, after.status.value) == ("TENTATIVE", "CONFIRMED")
    assert int(after.sequence.value) > int(before.sequence.value)


@pytest.mark.parametrize("name", INJECTIONS)
def test_nothing_that_is_written_adds_a_line(
    name: str, client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    ask(session, cast, lent.hall)
    path = follow(session, olga(cast), "loans")
    usual = properties(client.get(path).data)
    typed = name.replace("\x00", "")  # which the database itself refuses
    with as_owner(session):
        session.execute(text("ALTER TABLE bookings DISABLE TRIGGER USER"))
        session.execute(text("UPDATE bookings SET purpose = :words"), {"words": typed})
        session.execute(text("ALTER TABLE bookings ENABLE TRIGGER USER"))
        for table in ("resources", "parties"):
            session.execute(text(f"UPDATE {table} SET name = :words"), {"words": typed})
    answer = client.get(path)
    assert properties(answer.data) == usual
    assert len(events_of(answer.data)) == 1
    assert properties(client.get(path_of(lent.hall.token)).data) == [usual[0] - {"DESCRIPTION", "LOCATION", "URL"}]


@pytest.mark.parametrize("words", INJECTIONS)
def test_nothing_gets_through_the_writer(words: str) -> None:
    event = Event("1@x", NOON, NOON, NOON, 0, "CONFIRMED", words, words, words)
    data = calendar(words, [event])
    assert properties(data) == [{
        "UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "DTEND", "STATUS", "TRANSP", "SUMMARY", "DESCRIPTION",
        "LOCATION", "END",
    }]  # fmt: skip
    [read_back] = events_of(data)
    assert read_back.description.value == policy.plain(words)


@pytest.mark.parametrize(("day", "night"), [
    (datetime(2027, 3, 27, 23, tzinfo=UTC), "the hour that is skipped"),
    (datetime(2027, 10, 30, 22, tzinfo=UTC), "the hour that comes twice"),
])  # fmt: skip
def test_both_nights_when_clocks_change_are_told_to_the_instant(
    day: datetime, night: str, client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    with freeze_time(day - timedelta(days=20)):
        ask(session, cast, lent.hall, starts=day, hours=6, at=day - timedelta(days=20))
        sign = follow(session, cast.alice.by)
        [event] = read(client, sign)
    assert (event.dtstart.value, event.dtend.value) == (day, day + timedelta(hours=6)), night


def test_an_address_is_of_its_owner_alone_and_changes_when_they_want(
    app: Flask, client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    ask(session, cast, lent.hall)
    assert cast.alice.sign_in is not None
    alice = sign_in(app.test_client(), cast.alice)
    page = f"/moi/agenda/{cast.alice.party.token}/reservations"
    assert alice.post(page).status_code == 303
    [first] = queries.of_sign_in(session, cast.alice.sign_in.id)
    path = path_of(first.secret)
    assert path in alice.get("/moi/agenda").text
    assert f"webcal://localhost{path}" in alice.get("/moi/agenda").text
    assert len(read(client, path)) == 1
    alice.post(page)
    assert client.get(path).status_code == 404
    [second] = queries.of_sign_in(session, cast.alice.sign_in.id)
    assert len(read(client, path_of(second.secret))) == 1
    alice.post(f"{page}/fermeture")
    assert client.get(path_of(second.secret)).status_code == 404
    assert "webcal" not in alice.get("/moi/agenda").text
    for other in (cast.bruno.party.token, cast.town.token, "nobody"):
        assert alice.post(f"/moi/agenda/{other}/reservations").status_code == 404
    assert alice.post(f"/moi/agenda/{cast.alice.party.token}/prets").status_code == 404


def test_what_is_guessed_leads_where_any_unknown_address_does(
    app: Flask, client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    feed = operations.open_(session, "bookings", by=cast.alice.by, at=NOON)
    address = policy.address_of(feed.secret, app.config["SECRET_KEY"])
    unknown = client.get("/agendas/personne.ics")
    other = "A" if address[-1] != "A" else "B"
    for guess in (
        feed.secret, feed.token, address[:-1], address[:-1] + other, other + address[1:], address[1:], address + "A",
        lent.hall.token, policy.address_of(feed.secret, "another key"), policy.address_of("", app.config["SECRET_KEY"]),
        policy.address_of(cast.alice.party.token, app.config["SECRET_KEY"]), "x" * 32, "-",
    ):  # fmt: skip
        answer = client.get(f"/agendas/{guess}.ics")
        assert answer.status_code == 404, guess
        assert answer.text.replace(f"{guess}.ics", "personne.ics") == unknown.text
    assert client.get(f"/agendas/{address}.ics").status_code == 200


def test_the_database_alone_opens_no_calendar(session: Session, cast: Cast) -> None:
    """Whoever reads the table has half of the address."""
    feed = operations.open_(session, "bookings", by=cast.alice.by, at=NOON)
    kept = session.execute(text("SELECT row_to_json(f)::text FROM feeds f")).scalar_one()
    assert feed.secret in kept
    assert address_of(feed.secret).rpartition("/")[2].removesuffix(".ics")[-32:] not in kept


def test_who_may_no_longer_sign_in_or_act_is_told_nothing(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    mine, clubs = follow(session, cast.bruno.by), follow(session, cast.delegate)
    office = follow(session, olga(cast), "loans")
    assert [client.get(path).status_code for path in (mine, clubs, office)] == [200, 200, 200]
    with as_owner(session):
        session.execute(text("ALTER TABLE mandates DISABLE TRIGGER USER"))
        session.execute(text("UPDATE mandates SET ends_on = starts_on WHERE role IN ('delegate', 'officer')"))
    with freeze_time(NOON + timedelta(days=2)):
        assert [client.get(path).status_code for path in (mine, clubs, office)] == [200, 404, 404]
    with as_owner(session):
        session.execute(text("UPDATE sign_ins SET active = false WHERE user_name = 'bruno'"))
    assert client.get(mine).status_code == 404


def test_what_is_not_lent_any_more_has_no_calendar(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    path = path_of(lent.drill.token)
    assert client.get(path).status_code == 200
    with as_owner(session):
        session.execute(text("UPDATE resources SET published_at = NULL WHERE id = :id"), {"id": lent.drill.id})
    assert client.get(path).status_code == 404


def test_a_calendar_has_bounds(client: FlaskClient, session: Session, cast: Cast, lent: Lent) -> None:
    path = follow(session, cast.alice.by)
    for months in (1, 4):
        then = NOON - timedelta(days=30 * months)
        ask(session, cast, lent.hall, starts=then, at=then - timedelta(days=2), purpose=f"Il y a {months} mois")
    [recent] = read(client, path)
    assert "Il y a 1 mois" in recent.description.value


def test_who_has_it_already_is_told_that_nothing_changed(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token, path = ask(session, cast, lent.hall), follow(session, cast.alice.by)
    first = client.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = {"If-None-Match": first.headers["ETag"]}
    with freeze_time(NOON + timedelta(hours=2)):
        assert client.get(path, headers=again).status_code == 304
    bookings.accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    assert client.get(path, headers=again).status_code == 200


def test_a_calendar_speaks_the_language_of_its_owner(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    ask(session, cast, lent.hall)
    path = follow(session, cast.alice.by)
    assert cast.alice.sign_in is not None
    cast.alice.sign_in.language = "en"
    session.flush()
    [event] = read(client, path)
    assert event.summary.value == "Waiting: Salle des fêtes"


def test_one_booking_is_put_in_a_calendar_by_who_has_it(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    token = ask(session, cast, lent.hall)
    alice = sign_in(app.test_client(), cast.alice)
    path = f"/reservations/{token}/agenda.ics"
    assert path in alice.get(f"/reservations/{token}").text
    [event] = read(alice, path)
    assert event.dtstart.value == SOON
    assert sign_in(app.test_client(), cast.bruno).get(path).status_code == 404


def test_a_full_calendar_takes_few_questions(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    for week in range(1, 9):
        ask(session, cast, (lent.hall, lent.drill)[week % 2], starts=NOON + timedelta(weeks=week))
    path = follow(session, olga(cast), "loans")
    with counted() as asked:
        assert len(read(client, path)) == 8
    assert len(asked) <= MOST_QUERIES, "\n".join(asked)


def test_what_is_ahead_is_there_when_there_is_too_much(session: Session, cast: Cast, lent: Lent) -> None:
    for days in (-9, -2, 3, 20):
        starts = NOON + timedelta(days=days)
        ask(session, cast, lent.hall, starts=starts, at=min(NOON, starts - timedelta(days=1)))
    found = between(session, NOON - timedelta(days=30), NOON + timedelta(days=30), at=NOON,
                    lenders=[cast.town.id], size=3)  # fmt: skip
    assert [(each.starts_at - NOON).days for each in found] == [3, 20, -2]
