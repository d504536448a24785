"""The choir sings every Tuesday: many days are asked for at once, chosen one by one, decided and cancelled together."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import date, time, timedelta
from html import unescape
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import offers, operations, queries, series
from exchange.bookings.models import Series
from exchange.bookings.rhythm import MOST, Rhythm
from exchange.bookings.series import Hours
from exchange.bookings.wanted import Request, Wanted
from exchange.catalogue.queries import ResourceView
from exchange.errors import PoolExhausted, SeriesEmpty, SeriesTooLong, SlotTaken
from exchange.members import operations as members
from tests.cast import NOON, Cast, Person, sign_in
from tests.counting import counted
from tests.databases import Database
from tests.exchange.bookings.conftest import wanting
from tests.exchange.bookings.test_t9_double_booking import OVERLAPS, count, furnished, race
from tests.lent import Lent
from tests.proofs import record

PARIS = "Europe/Paris"
TUESDAY = date(2026, 12, 8)
FOUR = [TUESDAY + timedelta(weeks=n) for n in range(4)]
EVENING = Hours(time(20), time(22))
WEEKLY = Rhythm("week", TUESDAY, FOUR[-1])


@pytest.fixture(autouse=True)
def _saturday_noon() -> object:
    with freeze_time(NOON):
        yield


def evenings(
    cast: Cast, *wanted: ResourceView | tuple[ResourceView, int], days: list[date] = FOUR, who: Person | None = None
) -> list[Request]:
    """The choir's evenings, for Alice unless it is somebody else."""
    request = wanting((who or cast.alice).party.id, *wanted)
    return [series.on(request, day, EVENING, zone=PARIS) for day in days]


def asked(session: Session, cast: Cast, *wanted: ResourceView | tuple[ResourceView, int], **more: Any) -> Series:
    return series.ask(session, evenings(cast, *wanted, **more), WEEKLY, zone=PARIS, by=cast.alice.by, at=NOON)


def states(session: Session, of: Series) -> list[str]:
    return [view.state for view in queries.of_series(session, of.id, at=NOON)]


def number(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_each_evening_of_the_choir_is_held_from_its_demand_on(session: Session, cast: Cast, lent: Lent) -> None:
    made = asked(session, cast, lent.half, (lent.chairs, 3))
    assert states(session, made) == ["pending"] * 4
    assert made.rhythm == {"every": "week", "first": "2026-12-08", "until": "2026-12-29", "weekdays": []}
    (again,) = evenings(cast, lent.half, days=FOUR[2:3], who=cast.bruno)
    with pytest.raises(SlotTaken):
        operations.ask(session, again, zone=PARIS, by=cast.bruno.by, at=NOON)


def test_one_evening_that_is_taken_means_that_none_is_asked_for(session: Session, cast: Cast, lent: Lent) -> None:
    (one,) = evenings(cast, lent.half, days=FOUR[1:2], who=cast.bruno)
    operations.ask(session, one, zone=PARIS, by=cast.bruno.by, at=NOON)
    with pytest.raises(SlotTaken) as refused, session.begin_nested():
        asked(session, cast, lent.half)
    assert refused.value.facts["starts_at"].startswith("2026-12-15T20:00")
    assert (number(session, "bookings"), number(session, "booking_series")) == (1, 0)


def test_too_few_chairs_on_one_evening_name_that_evening(session: Session, cast: Cast, lent: Lent) -> None:
    (one,) = evenings(cast, (lent.chairs, 4), days=FOUR[3:], who=cast.bruno)
    operations.ask(session, one, zone=PARIS, by=cast.bruno.by, at=NOON)
    with pytest.raises(PoolExhausted) as refused, session.begin_nested():
        asked(session, cast, lent.half, (lent.chairs, 2))
    assert refused.value.facts["starts_at"].startswith("2026-12-29T20:00")
    assert number(session, "bookings") == 1


def test_a_series_without_a_day_or_of_ten_thousand_is_refused_by_its_name(
    session: Session, cast: Cast, lent: Lent
) -> None:
    with pytest.raises(SeriesEmpty):
        asked(session, cast, lent.half, days=[])
    many = [TUESDAY + timedelta(days=n) for n in range(MOST + 1)]
    with pytest.raises(SeriesTooLong):
        asked(session, cast, lent.half, days=many)
    assert number(session, "booking_series") == 0


def test_what_nobody_decides_is_had_at_once_with_its_minutes_set_aside(
    session: Session, cast: Cast, lent: Lent
) -> None:
    session.execute(text("UPDATE resources SET decided_by = 'nobody' WHERE id = :id"), {"id": lent.dojo.id})
    dojo = lent.dojo._replace(decided_by="nobody")
    made = asked(session, cast, dojo)
    assert states(session, made) == ["accepted"] * 4
    held = "SELECT sum(minutes) FROM books.holds"
    assert session.scalar(text(held)) == 4 * 60


def test_a_look_tells_each_evening_apart_and_writes_nothing(session: Session, cast: Cast, lent: Lent) -> None:
    (one,) = evenings(cast, lent.half, days=FOUR[1:2], who=cast.bruno)
    operations.ask(session, one, zone=PARIS, by=cast.bruno.by, at=NOON)
    sunday, skipped = date(2026, 12, 13), date(2027, 3, 28)
    found = series.look(session, wanting(cast.alice.party.id, lent.half), FOUR, EVENING, zone=PARIS, at=NOON)
    assert [each.refused.rule if each.refused else None for each in found] == [None, "slot-taken", None, None]
    closed = series.look(session, wanting(cast.alice.party.id, lent.dojo), [sunday, TUESDAY], EVENING, zone=PARIS,
                         at=NOON)
    assert [each.refused.rule if each.refused else None for each in closed] == ["closed", None]
    (night,) = series.look(session, wanting(cast.alice.party.id, lent.half), [skipped], Hours(time(2, 30), time(4)),
                           zone=PARIS, at=NOON)
    assert night.refused is not None
    assert night.refused.rule == "hour-missing"
    assert number(session, "bookings") == 1


def test_hours_that_go_back_are_of_the_night(cast: Cast, lent: Lent) -> None:
    night = series.on(wanting(cast.alice.party.id, lent.half), TUESDAY, Hours(time(22), time(1)), zone=PARIS)
    assert night.ends_at - night.starts_at == timedelta(hours=3)


def test_a_day_that_was_decided_alone_stays_as_it_was_decided(session: Session, cast: Cast, lent: Lent) -> None:
    made = asked(session, cast, lent.half)
    second = queries.of_series(session, made.id, at=NOON)[1]
    operations.decline(session, second.token, lender=cast.town.id, ground="order", text="", by=cast.olga.by, at=NOON)
    series.accept(session, made, by=cast.olga.by, at=NOON)
    assert states(session, made) == ["accepted", "declined", "accepted", "accepted"]
    done = series.cancel(session, made, reason="", by=cast.alice.by, at=NOON)
    assert len(done) == 3
    assert states(session, made) == ["cancelled", "declined", "cancelled", "cancelled"]
    assert number(session, "occupancy") == 0


def test_the_officer_refuses_what_waits_on_one_ground(session: Session, cast: Cast, lent: Lent) -> None:
    made = asked(session, cast, lent.half)
    first = queries.of_series(session, made.id, at=NOON)[0]
    operations.accept(session, first.token, lender=cast.town.id, by=cast.olga.by, at=NOON)
    series.decline(session, made, ground="services", text="La salle est prise", by=cast.olga.by, at=NOON)
    assert states(session, made) == ["accepted", "declined", "declined", "declined"]


# -- the pages


def as_(app: Flask, person: Person) -> FlaskClient:
    return sign_in(app.test_client(), person)


def form(cast: Cast, **more: Any) -> dict[str, Any]:
    return {"party": cast.alice.party.token, "day": "2026-12-08", "starts": "20:00", "ends": "22:00", "every": "week",
            "until": "2027-01-12", "purpose": "Chorale", "key": "one", **more}  # fmt: skip


def ticked(page: str) -> list[str]:
    return re.findall(r'name="days" value="([\d-]+)" checked', page)


def test_alice_sees_each_tuesday_and_asks_for_those_that_are_free(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    (one,) = evenings(cast, lent.half, days=FOUR[1:2], who=cast.bruno)
    operations.ask(session, one, zone=PARIS, by=cast.bruno.by, at=NOON)
    alice, at = as_(app, cast.alice), f"/salles/{lent.half.token}"
    assert "Chaque semaine" in alice.get(f"{at}/serie?jour=2026-12-08").text
    page = alice.post(f"{at}/serie/dates", data=form(cast, without_school_holidays="y")).text
    assert ticked(page) == ["2026-12-08", "2027-01-05", "2027-01-12"], "the 15th is taken, at Christmas schools rest"
    assert "2 jours de congé sont laissés de côté" in page
    assert "est déjà pris" in unescape(page)
    sent = form(cast, without_school_holidays="y", days=ticked(page)[:2])
    answer = alice.post(f"{at}/series", data=sent)
    assert answer.status_code == 303
    assert alice.post(f"{at}/series", data=sent).location == answer.location, "a second click finds the first"
    told = alice.get(answer.location).text
    assert "mardi 8 décembre 2026" in told
    assert "mardi 5 janvier 2027" in told
    assert number(session, "bookings") == 3
    mine = alice.get("/reservations").text
    assert mine.count("Demi-salle sud") == 1, "a series is one line of what she asked for"
    assert answer.location in mine
    subjects = session.scalars(text("SELECT subject FROM outbox ORDER BY id")).all()
    assert subjects == ["Demande d’Alice\u00a0: Demi-salle sud"]


def test_days_that_were_left_out_stay_so_when_the_rest_is_corrected(app: Flask, cast: Cast, lent: Lent) -> None:
    alice, at = as_(app, cast.alice), f"/salles/{lent.half.token}"
    shown = ["2026-12-08", "2026-12-15"]
    again = form(cast, until="2026-12-22", shown=shown, days=shown[:1], correct="1")
    page = alice.post(f"{at}/serie/dates", data=again).text
    carried = {"shown": re.findall(r'name="shown" value="([^"]+)"', page),
               "days": re.findall(r'name="days" value="([^"]+)"', page)}  # fmt: skip
    assert carried == {"shown": shown, "days": shown[:1]}
    page = alice.post(f"{at}/serie/dates", data=form(cast, until="2026-12-22", **carried)).text
    assert ticked(page) == ["2026-12-08", "2026-12-22"], "the 15th was left out, the 22nd is new"


def test_what_is_taken_meanwhile_is_said_and_nothing_is_written(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    alice, at = as_(app, cast.alice), f"/salles/{lent.half.token}"
    chosen = ["2026-12-08", "2026-12-15"]
    (one,) = evenings(cast, lent.half, days=FOUR[1:2], who=cast.bruno)
    operations.ask(session, one, zone=PARIS, by=cast.bruno.by, at=NOON)
    answer = alice.post(f"{at}/series", data=form(cast, days=chosen))
    assert answer.status_code == 422
    assert "Rien n’a été demandé" in unescape(answer.text)
    assert ticked(answer.text) == ["2026-12-08"]
    assert number(session, "booking_series") == 0
    nothing = alice.post(f"{at}/series", data=form(cast, days=[]))
    assert (nothing.status_code, "Cochez au moins un jour" in nothing.text) == (422, True)
    elsewhere = alice.post(f"{at}/series", data=form(cast, days=["2026-12-09", "x", "\x00"]))
    assert elsewhere.status_code == 422, "a day that isn't of the rhythm is none"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"until": "2026-12-01"}, "Aucun jour ne revient avant cette date"),
        ({"until": "2199-12-01"}, "Une série a 120 jours au plus"),
        ({"until": ""}, "Indiquez le jour"),
        ({"every": "hour"}, ""),
        ({"weekdays": ["Xx"], "until": "demain"}, "Écrivez une date qui existe"),
        ({"day": ""}, "Indiquez le jour"),
        ({"until": "2026-12-26", "day": "2026-12-22", "without_school_holidays": "y"}, "Aucun jour ne revient"),
    ],
)
def test_bad_input_gets_a_sentence_and_is_kept(
    app: Flask, session: Session, cast: Cast, lent: Lent, wrong: dict[str, Any], said: str
) -> None:
    alice, at = as_(app, cast.alice), f"/salles/{lent.half.token}"
    for path in ("serie/dates", "series"):
        answer = alice.post(f"{at}/{path}", data=form(cast, **wrong))
        assert answer.status_code == 422, path
        assert said in unescape(answer.text)
        assert 'value="Chorale"' in answer.text
    assert number(session, "booking_series") == 0


def test_olga_reads_a_series_as_one_demand_and_accepts_it(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    made, olga = asked(session, cast, lent.half), as_(app, cast.olga)
    desk = f"/preteurs/{cast.town.token}"
    waiting = olga.get(f"{desk}/demandes").text
    assert waiting.count("Demi-salle sud") == 1
    assert "4 jours, à partir du mardi 8 décembre 2026" in waiting
    page = olga.get(f"{desk}/series/{made.token}").text
    assert "Accepter les 4 jours qui attendent" in page
    answer = olga.post(f"{desk}/series/{made.token}/acceptation", follow_redirects=True)
    assert "4 jours sont acceptés" in answer.text
    assert states(session, made) == ["accepted"] * 4
    subjects = session.scalars(text("SELECT subject FROM outbox ORDER BY id")).all()
    assert subjects == ["Accepté\u00a0: Demi-salle sud"]
    again = olga.post(f"{desk}/series/{made.token}/acceptation", follow_redirects=True)
    assert again.status_code == 200
    assert number(session, "outbox") == 1, "nothing waits any more: nobody is told twice"


def test_one_day_of_a_series_asks_the_database_no_more_than_twelve_times(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    assert cast.olga.sign_in is not None
    members.grant(session, sign_in=cast.olga.sign_in.id, party=cast.club.id, role="officer", starts_on=NOON.date(),
                  granted_by=None, at=NOON)  # fmt: skip
    made = asked(session, cast, lent.dojo)
    day = queries.of_series(session, made.id, at=NOON)[1]
    later = day.starts_at + timedelta(hours=22)
    offered = offers.offer(session, day.token, lender=cast.club.id, wanted=[Wanted(lent.dojo)], starts_at=later,
                           ends_at=later + timedelta(hours=1), word="Tatamis", by=cast.olga.by, at=NOON)  # fmt: skip
    alice, olga = as_(app, cast.alice), as_(app, cast.olga)
    alice.get("/")  # what is kept for a minute is read
    for browser, page in product((alice, olga), (day.token, offered.token)):
        here = "/reservations/" if browser is alice else f"/preteurs/{cast.club.token}/reservations/"
        with counted() as said:
            assert browser.get(here + page).status_code == 200
        assert len(said) <= 12, (here, said)


def test_olga_refuses_a_series_on_a_ground_and_alice_cancels_another(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    made, other = asked(session, cast, lent.half), asked(session, cast, lent.other_half)
    olga, alice = as_(app, cast.olga), as_(app, cast.alice)
    desk = f"/preteurs/{cast.town.token}/series/{made.token}"
    assert olga.post(f"{desk}/refus", data={"ground": "", "text": ""}).status_code == 422
    olga.post(f"{desk}/refus", data={"ground": "services", "text": "Le chauffage est coupé"})
    assert states(session, made) == ["declined"] * 4
    body = session.scalars(text("SELECT body FROM outbox ORDER BY id")).all()[-1]
    assert "Le chauffage est coupé" in body
    assert body.count("décembre 2026") >= 4
    told = alice.post(f"/reservations/series/{other.token}/annulation", data={"remarks": ""}, follow_redirects=True)
    assert "4 jours sont annulés" in told.text
    assert states(session, other) == ["cancelled"] * 4


def test_a_series_is_out_of_sight_of_all_others(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    made = asked(session, cast, lent.half)
    chloe, bruno = as_(app, cast.chloe), as_(app, cast.bruno)
    assert chloe.get(f"/reservations/series/{made.token}").status_code == 404
    assert chloe.post(f"/reservations/series/{made.token}/annulation", data={}).status_code == 404
    for desk in (cast.town, cast.club):  # he decides for neither
        assert bruno.get(f"/preteurs/{desk.token}/series/{made.token}").status_code == 403
    assert states(session, made) == ["pending"] * 4


def test_the_database_keeps_the_days_of_a_series_with_one_borrower(
    session: Session, cast: Cast, lent: Lent
) -> None:
    made = asked(session, cast, lent.half)
    with pytest.raises(Exception, match="bookings_of_their_series"), session.begin_nested():
        session.execute(text("UPDATE bookings SET party_id = :other WHERE series_id = :id"),
                        {"other": cast.bruno.party.id, "id": made.id})  # fmt: skip


# -- races


@pytest.mark.race
@pytest.mark.parametrize("seed", [1, 2])
def test_series_and_single_demands_cross_without_waiting_in_a_circle(database: Database, seed: int) -> None:
    cast, lent = furnished(database)
    chance = random.Random(seed)
    print("seed", seed)

    def wants() -> Callable[[Session], object]:
        rooms = chance.choice([(lent.hall,), (lent.half,), (lent.other_half,)])
        days = sorted(chance.sample(FOUR, chance.randint(1, 4)))
        requests = evenings(cast, *rooms, (lent.chairs, chance.randint(1, 5)), days=days)
        if len(requests) == 1:
            return lambda session: operations.ask(session, requests[0], zone=PARIS, by=cast.alice.by, at=NOON)
        return lambda session: series.ask(session, requests, WEEKLY, zone=PARIS, by=cast.alice.by, at=NOON)

    outcome = race(database, [wants() for _ in range(30)])
    assert set(outcome) <= {"won", "slot-taken", "pool-exhausted"}, outcome
    assert outcome["won"] >= 1
    assert count(database, OVERLAPS) == 0
    record("T9", "races of 30 series and single demands", goal=1, reached=1, seed=seed)
