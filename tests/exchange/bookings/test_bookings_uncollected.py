"""What nobody came for: closed once, its minutes given back, both sides told; never together with a hand-over."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from exchange import tasks
from exchange.bookings import queries
from exchange.bookings.operations import (
    Request,
    accept,
    ask,
    close_uncollected,
    hand_over,
    note_no_show,
    take_back,
)
from exchange.db import db, transaction
from exchange.errors import NotBegun, RoomAlone, WrongState, refusal_of
from exchange.reciprocity import operations as rules
from exchange.reciprocity.policy import Rule
from ledger.store import reading
from tests.cast import NOON, Cast, committed, sign_in
from tests.databases import Database
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent, lend

PARIS = "Europe/Paris"
ENDS = NEXT_WEEK + timedelta(hours=4)
DAY_AFTER = ENDS + timedelta(days=1)  # until then a hand-over that was forgotten can still be noted


@pytest.fixture
def priced(session: Session, cast: Cast, lent: Lent) -> Lent:
    """The drill and the chairs cost an hour each time, by a decision of the council."""
    voted_prices(session, cast, lent)
    return lent


def voted_prices(session: Session, cast: Cast, lent: Lent) -> None:
    for thing in (lent.drill, lent.chairs):
        price = Rule("", "tariff", "Usure", resource=thing.id, starts_on=date(2026, 1, 1),
                     community=cast.community.id, minutes=60, per="flat")  # fmt: skip
        rules.write_rule(session, price, lender=cast.town.id, decision_number="2026-11",
                         decision_date=date(2026, 11, 2), by=cast.olga.by, at=NOON)  # fmt: skip


def accepted(session: Session, cast: Cast, request: Request) -> str:
    """Alice asks, Olga accepts."""
    token = ask(session, request, zone=PARIS, by=cast.alice.by, at=NOON).token
    accept(session, token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    return token


def for_drill(session: Session, cast: Cast, lent: Lent) -> str:
    return accepted(session, cast, wanting(cast.alice.party.id, lent.drill))


def balance(session: Session, cast: Cast) -> tuple[int, int]:
    account = reading.account_of(session, cast.community.id, cast.alice.party.id)
    assert account is not None
    return account.balance, account.held


def occupied(session: Session) -> int:
    both = "SELECT (SELECT count(*) FROM occupancy) + (SELECT count(*) FROM pool_occupancy)"
    return int(session.execute(text(both)).scalar_one())


def letters(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(text("SELECT recipient, subject FROM outbox WHERE subject LIKE 'Non retiré%' ORDER BY id"))
    return [(row.recipient, row.subject) for row in rows]


def test_nobody_came_for_the_drill_and_its_minutes_are_given_back_once(
    session: Session, cast: Cast, priced: Lent
) -> None:
    token = for_drill(session, cast, priced)
    assert balance(session, cast) == (0, 60)
    session.commit()
    with freeze_time(DAY_AFTER - timedelta(minutes=1)):
        tasks.follow_bookings(0)
    assert balance(session, cast) == (0, 60)  # Olga may still note a hand-over that she forgot
    with freeze_time(DAY_AFTER):
        tasks.follow_bookings(1)
        tasks.follow_bookings(2)  # the next round finds nothing more to do
    assert balance(session, cast) == (0, 0)
    assert occupied(session) == 0
    seen = queries.of_lender(session, token, cast.town.id, at=DAY_AFTER)
    assert seen is not None
    assert seen.no_show is not None
    assert (seen.state, seen.no_show.noted_at, seen.no_show.by_party) == (
        "no-show", DAY_AFTER, cast.community.system_party_id,
    )  # fmt: skip
    subject = "Non retiré\u00a0: Perceuse"
    assert letters(session) == [("alice@example.org", subject), ("olga@example.org", subject)]


def test_what_was_handed_over_is_late_and_never_closed(session: Session, cast: Cast, priced: Lent) -> None:
    token = for_drill(session, cast, priced)
    hand_over(session, token, lender=cast.town.id, remarks="", by=cast.olga.by, at=ENDS)
    assert close_uncollected(session, systems={}, at=DAY_AFTER) == []
    assert balance(session, cast) == (0, 60)
    take_back(session, token, lender=cast.town.id, remarks="", by=cast.olga.by, at=DAY_AFTER)
    assert balance(session, cast) == (-60, 0)


def test_a_room_alone_is_used_from_its_start_and_never_closed(session: Session, cast: Cast, lent: Lent) -> None:
    token = accepted(session, cast, wanting(cast.alice.party.id, lent.hall))
    assert close_uncollected(session, systems={}, at=DAY_AFTER) == []
    for at in (NOON, NEXT_WEEK):
        with pytest.raises(RoomAlone):
            note_no_show(session, token, lender=cast.town.id, remarks="", by=cast.olga.by, at=at)


def test_the_room_is_counted_when_only_its_chairs_were_left_there(session: Session, cast: Cast, priced: Lent) -> None:
    rent = Rule("", "tariff", "Chauffage", resource=priced.hall.id, starts_on=date(2026, 1, 1),
                community=cast.community.id, minutes=30, per="flat")  # fmt: skip
    rules.write_rule(session, rent, lender=cast.town.id, decision_number="2026-12", decision_date=date(2026, 11, 2),
                     by=cast.olga.by, at=NOON)  # fmt: skip
    accepted(session, cast, wanting(cast.alice.party.id, priced.hall, (priced.chairs, 4)))
    assert balance(session, cast) == (0, 90)
    (closed,) = close_uncollected(session, systems={cast.community.id: cast.system}, at=DAY_AFTER)
    assert closed.minutes == 90
    assert balance(session, cast) == (-30, 0)


def test_in_a_territory_without_any_community_the_lender_is_said_to_have_noted_it(
    session: Session, cast: Cast, lent: Lent
) -> None:
    token = for_drill(session, cast, lent)
    close_uncollected(session, systems={}, at=DAY_AFTER)
    seen = queries.of_lender(session, token, cast.town.id, at=DAY_AFTER)
    assert seen is not None
    assert seen.no_show is not None
    assert seen.no_show.by_party == cast.town.id


def test_the_officer_notes_it_on_the_day_and_the_drill_is_free_again(
    session: Session, cast: Cast, priced: Lent
) -> None:
    token = for_drill(session, cast, priced)
    act: dict[str, Any] = {"lender": cast.town.id, "remarks": "", "by": cast.olga.by}
    with pytest.raises(NotBegun):
        note_no_show(session, token, **act, at=NEXT_WEEK - timedelta(minutes=1))
    note_no_show(session, token, **act, at=NEXT_WEEK + timedelta(hours=1))
    assert balance(session, cast) == (0, 0)
    again = wanting(cast.bruno.party.id, priced.drill, starts=NEXT_WEEK + timedelta(hours=2), hours=1)
    ask(session, again, zone=PARIS, by=cast.bruno.by, at=NEXT_WEEK + timedelta(hours=1))
    for late in (note_no_show, hand_over):
        with pytest.raises(WrongState):
            late(session, token, **act, at=NEXT_WEEK + timedelta(hours=1))


def test_both_sides_read_it_on_their_pages(client: FlaskClient, session: Session, cast: Cast, priced: Lent) -> None:
    token = for_drill(session, cast, priced)
    desk = f"/preteurs/{cast.town.token}"
    with freeze_time(NEXT_WEEK + timedelta(hours=1)):
        olga = sign_in(client, cast.olga)
        assert "Personne n’est venu" in olga.get(f"{desk}/reservations/{token}").text
        assert olga.post(f"{desk}/reservations/{token}/absence").status_code == 303
        assert olga.post(f"{desk}/reservations/{token}/absence").status_code == 409
        seen = olga.get(f"{desk}/reservations/{token}").text
        alice = sign_in(client.application.test_client(), cast.alice)
        mine = alice.get(f"/reservations/{token}").text
        for page in (seen, mine):
            assert "Non retiré" in page
            assert "noté par olga" in page.lower()
            assert "Les minutes mises de côté sont rendues\u00a0: 60\u00a0marrons (1\u00a0h)" in page
        assert "Perceuse" not in alice.get("/").text.partition("Mes réservations")[2]
    assert [recipient for recipient, _subject in letters(session)] == ["alice@example.org", "olga@example.org"]


@pytest.mark.parametrize("who", ["Olga", "the worker"])
def test_both_letters_lead_to_the_booking_whoever_noted_it(
    client: FlaskClient, session: Session, cast: Cast, priced: Lent, who: str
) -> None:
    token = for_drill(session, cast, priced)
    desk = f"/preteurs/{cast.town.token}/reservations/{token}"
    with freeze_time(DAY_AFTER):
        if who == "Olga":
            sign_in(client, cast.olga).post(f"{desk}/absence")
        else:
            session.commit()
            tasks.follow_bookings(0)
    bodies = session.scalars(text("SELECT body FROM outbox WHERE subject LIKE 'Non retiré%' ORDER BY id")).all()
    mine, theirs = (body.splitlines()[-1] for body in bodies)
    assert mine == f"Le détail\u00a0: https://localhost/reservations/{token}"
    assert theirs == f"Le détail\u00a0: https://localhost{desk}"


def test_before_the_day_the_page_offers_no_such_thing(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    token = for_drill(session, cast, lent)
    with freeze_time(NOON):
        page = sign_in(client, cast.olga).get(f"/preteurs/{cast.town.token}/reservations/{token}").text
    assert "Noter la remise" in page
    assert "Personne n’est venu" not in page


def test_what_cannot_be_noted_yet_or_ever_says_why(
    client: FlaskClient, session: Session, cast: Cast, lent: Lent
) -> None:
    room = accepted(session, cast, wanting(cast.alice.party.id, lent.hall))
    drill = for_drill(session, cast, lent)
    desk = f"/preteurs/{cast.town.token}/reservations"
    with freeze_time(NEXT_WEEK - timedelta(minutes=1)):
        olga = sign_in(client, cast.olga)
        for token in (room, drill):
            answer = olga.post(f"{desk}/{token}/absence", data={"remarks": "Personne à midi"})
            assert answer.status_code == 422
            assert "son état a changé" not in answer.text
            assert "Personne à midi" in answer.text
            assert "error-summary" in answer.text
        assert "Une salle est utilisée dès le début" in olga.post(f"{desk}/{room}/absence").text
        assert "le samedi 28 novembre 2026 à 12\u00a0h" in olga.post(f"{desk}/{drill}/absence").text
    with freeze_time(NEXT_WEEK):
        assert olga.post(f"{desk}/{drill}/absence").status_code == 303
        again = olga.post(f"{desk}/{drill}/absence")
        assert again.status_code == 409
        assert "son état a changé" in again.text


def test_the_desk_still_shows_things_that_nobody_came_for_until_that_is_noted(
    session: Session, cast: Cast, lent: Lent
) -> None:
    for_drill(session, cast, lent)
    later = ENDS + timedelta(hours=2)
    until = later + timedelta(days=7)
    assert [view.state for view in queries.to_follow(session, cast.town.id, at=later, until=until)] == ["past"]
    close_uncollected(session, systems={}, at=DAY_AFTER)
    assert queries.to_follow(session, cast.town.id, at=DAY_AFTER, until=until) == []


# At the same moment: really committed, on real connections

MANY = 12
BOTH = "SELECT count(*) FROM hand_overs JOIN no_shows USING (booking_id)"
ENDED = "SELECT (SELECT count(*) FROM hand_overs) + (SELECT count(*) FROM no_shows)"


def lent_out(database: Database) -> tuple[Flask, Cast, list[str]]:
    """Alice has the drill twelve times, one day after the other, each at a price; all of it is past."""
    app = database.app()
    cast = committed(app)
    with app.app_context():
        with transaction() as session:
            lent = lend(session, cast)
            voted_prices(session, cast, lent)
        with transaction() as session:
            days = [NEXT_WEEK + timedelta(days=n) for n in range(MANY)]
            wanted = [wanting(cast.alice.party.id, lent.drill, starts=day) for day in days]
            tokens = [accepted(session, cast, request) for request in wanted]
    return app, cast, tokens


def at_once(app: Flask, runs: list[Callable[[], object]]) -> Counter[str]:
    """Start every run at once, each on its own connection; count what became of them."""
    barrier, results = threading.Barrier(len(runs)), []

    def racer(run: Callable[[], object]) -> None:
        with app.app_context():
            db.session.execute(text("SELECT 1"))  # connected before the start
            db.session.rollback()
            barrier.wait()
            try:
                run()
                results.append("done")
            except WrongState as late:
                results.append(late.rule)
            except DBAPIError as error:
                refused = refusal_of(error)
                results.append(refused.rule if refused else f"error: {error.orig}")

    threads = [threading.Thread(target=racer, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(results)


def count(database: Database, question: str) -> int:
    with database.connected("superuser") as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.race
def test_a_hand_over_and_the_worker_at_the_same_moment_one_of_them_is_kept(database: Database) -> None:
    app, cast, tokens = lent_out(database)
    later = NEXT_WEEK + timedelta(days=MANY + 2)

    def given(token: str) -> Callable[[], object]:
        def hand() -> None:
            with transaction() as session:
                hand_over(session, token, lender=cast.town.id, remarks="", by=cast.olga.by, at=later)

        return hand

    with freeze_time(later):
        outcome = at_once(app, [*[given(token) for token in tokens], *[lambda: tasks.follow_bookings(0)] * 4])
        tasks_after = at_once(app, [lambda: tasks.follow_bookings(1)])
    handed = count(database, "SELECT count(*) FROM hand_overs")
    assert set(outcome) <= {"done", "wrong-state"}
    assert (outcome["done"], tasks_after["done"]) == (handed + 4, 1)
    assert (count(database, BOTH), count(database, ENDED)) == (0, MANY)
    released = "SELECT count(*) FROM books.hold_resolutions WHERE kind = 'released'"
    assert count(database, released) == MANY - handed
    told = "SELECT count(*) FROM outbox WHERE subject LIKE 'Non retiré%'"
    assert count(database, told) == 2 * (MANY - handed)


def both_written(cast: Cast, token: str) -> list[Callable[[], object]]:
    """A hand-over and a no-show of one booking, written by somebody who forgot to look first."""

    def write(table: str, moment: str) -> Callable[[], object]:
        def do() -> None:
            with transaction() as session:
                session.execute(
                    text(
                        f"INSERT INTO {table} (booking_id, by_party, {moment})"
                        " SELECT id, :party, :at FROM bookings WHERE token = :token"
                    ),
                    {"party": cast.town.id, "at": ENDS, "token": token},
                )
                session.execute(text("SELECT pg_sleep(0.1)"))

        return do

    return [write("hand_overs", "handed_over_at"), write("no_shows", "noted_at")]


@pytest.mark.race
def test_the_database_keeps_one_end_of_a_booking_whoever_writes(database: Database) -> None:
    app, cast, tokens = lent_out(database)
    for token in tokens[:3]:
        assert at_once(app, both_written(cast, token)) == {"done": 1, "wrong-state": 1}
    assert (count(database, BOTH), count(database, ENDED)) == (0, 3)


@pytest.mark.race
def test_without_its_trigger_a_booking_ends_in_two_ways(database: Database) -> None:
    app, cast, tokens = lent_out(database)
    with database.connected("superuser") as connection:
        for table in ("hand_overs", "no_shows"):
            connection.execute(f"DROP TRIGGER ends_once ON {table}")
    assert at_once(app, both_written(cast, tokens[0])) == {"done": 2}
    assert count(database, BOTH) == 1
