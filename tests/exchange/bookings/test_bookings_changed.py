"""Alice wants what she booked otherwise: later, longer, with more chairs, in another room; and what becomes of both."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from exchange.bookings import queries, series
from exchange.bookings.changes import change
from exchange.bookings.models import Booking
from exchange.bookings.offers import offer, revoke
from exchange.bookings.operations import accept, ask, cancel, decline, expire, hand_over
from exchange.bookings.rhythm import Rhythm
from exchange.bookings.wanted import Wanted
from exchange.catalogue.queries import ResourceView
from exchange.errors import (
    AskedTooLate,
    ChangedTooLate,
    ChangeWaits,
    Closed,
    NotBookable,
    PoolExhausted,
    RuleRefuses,
    SlotTaken,
    WrongState,
)
from ledger.entries import Acting
from tests.cast import NOON, Cast, Person, sign_in
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.exchange.bookings.test_bookings import balance, occupied
from tests.exchange.bookings.test_bookings_offered import spend_all
from tests.lent import Lent

PARIS = "Europe/Paris"
HOUR = timedelta(hours=1)


def asked(session: Session, cast: Cast, *things: ResourceView | tuple[ResourceView, int], hours: float = 4) -> Booking:
    """Alice asks for it next Saturday from noon."""
    return ask(session, wanting(cast.alice.party.id, *things, hours=hours), zone=PARIS, by=cast.alice.by, at=NOON)


def office(cast: Cast, it: ResourceView) -> tuple[int, Acting]:
    return (cast.club.id, cast.delegate) if it.lender_id == cast.club.id else (cast.town.id, cast.olga.by)


def agreed(session: Session, cast: Cast, booking: Booking, it: ResourceView, *, at: datetime = NOON) -> None:
    lender, by = office(cast, it)
    accept(session, booking.token, lender=lender, by=by, at=at)


def accepted(session: Session, cast: Cast, it: ResourceView, hours: float = 4) -> Booking:
    booking = asked(session, cast, it, hours=hours)
    agreed(session, cast, booking, it)
    return booking


def changed(
    session: Session, cast: Cast, booking: Booking, *things: ResourceView | tuple[ResourceView, int],
    later: float = 0, hours: float = 4, at: datetime = NOON, people: int | None = None,
) -> Booking:  # fmt: skip
    wanted = wanting(cast.alice.party.id, *things, starts=NEXT_WEEK + later * HOUR, hours=hours, people=people)
    return change(session, booking.token, wanted, parties=[cast.alice.party.id], by=cast.alice.by, at=at)


def decided_by_nobody(session: Session, it: ResourceView) -> ResourceView:
    session.execute(text("UPDATE resources SET decided_by = 'nobody' WHERE id = :it"), {"it": it.id})
    return it._replace(decided_by="nobody")


def states(session: Session, *bookings: Booking, at: datetime = NOON) -> list[str]:
    return [queries.view(session, booking.id, at=at).state for booking in bookings]


# -- what nobody has decided, or nobody has to


def test_a_demand_that_waits_is_changed_at_once_and_waits(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half)
    after = changed(session, cast, before, lent.other_half, later=1, people=30)
    assert states(session, before, after) == ["cancelled", "pending"]
    assert occupied(session) == 1
    ask(session, wanting(cast.bruno.party.id, lent.half), zone=PARIS, by=cast.bruno.by, at=NOON)
    agreed(session, cast, after, lent.half)
    assert states(session, after) == ["accepted"]


def test_where_nobody_decides_it_is_changed_at_once_and_its_minutes_follow(
    session: Session, cast: Cast, lent: Lent
) -> None:
    dojo = decided_by_nobody(session, lent.dojo)
    before = asked(session, cast, dojo)
    assert balance(session, cast, cast.alice.party.id) == (0, 120)
    after = changed(session, cast, before, dojo, later=1, hours=2)
    assert states(session, before, after) == ["cancelled", "accepted"]
    assert balance(session, cast, cast.alice.party.id) == (0, 60)


def test_what_is_set_aside_already_pays_for_the_change(session: Session, cast: Cast, lent: Lent) -> None:
    dojo = decided_by_nobody(session, lent.dojo)
    before = asked(session, cast, dojo)
    spend_all(session, cast)
    with pytest.raises(RuleRefuses), session.begin_nested():
        changed(session, cast, before, dojo, hours=5)
    after = changed(session, cast, before, dojo, later=1)
    assert states(session, before, after) == ["cancelled", "accepted"]


def test_a_change_that_is_refused_leaves_everything_as_it_was(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, (lent.chairs, 3))
    ask(session, wanting(cast.bruno.party.id, lent.drill), zone=PARIS, by=cast.bruno.by, at=NOON)
    for things, refusal in (
        (((lent.chairs, 6),), PoolExhausted), (((lent.chairs, 3), lent.drill), SlotTaken), ((lent.dojo,), NotBookable)
    ):
        with pytest.raises(refusal), session.begin_nested():
            changed(session, cast, before, *things)
    with pytest.raises(NotBookable), session.begin_nested():  # in somebody else's name
        change(session, before.token, wanting(cast.bruno.party.id, lent.half), parties=[cast.alice.party.id],
               by=cast.alice.by, at=NOON)  # fmt: skip
    with pytest.raises(NotBookable), session.begin_nested():  # or somebody else's booking
        change(session, before.token, wanting(cast.alice.party.id, lent.half), parties=[cast.bruno.party.id],
               by=cast.bruno.by, at=NOON)  # fmt: skip
    assert states(session, before) == ["pending"]
    assert occupied(session) == 2


# -- what an officer accepted


def test_what_was_accepted_stands_until_the_change_is(session: Session, cast: Cast, lent: Lent) -> None:
    before = accepted(session, cast, lent.half)
    after = changed(session, cast, before, lent.half, lent.other_half, later=2)
    assert states(session, before, after) == ["accepted", "pending"]
    for it, later in ((lent.half, 0), (lent.half, 5), (lent.other_half, 3)):  # what she has, and what she asks for
        wanted = wanting(cast.bruno.party.id, it, starts=NEXT_WEEK + later * HOUR, hours=1)
        with pytest.raises(SlotTaken), session.begin_nested():
            ask(session, wanted, zone=PARIS, by=cast.bruno.by, at=NOON)
    agreed(session, cast, after, lent.half)
    assert states(session, before, after) == ["cancelled", "accepted"]
    hold = queries.held_by(session, after.id)
    assert {(each.starts_at, each.ends_at) for each in hold.values()} == {
        (NEXT_WEEK + 2 * HOUR, NEXT_WEEK + 6 * HOUR)
    }
    ask(session, wanting(cast.bruno.party.id, lent.half, hours=2), zone=PARIS, by=cast.bruno.by, at=NOON)


def test_more_chairs_hold_no_more_than_what_is_missing(session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, (lent.chairs, 3))
    agreed(session, cast, before, lent.chairs)
    after = changed(session, cast, before, (lent.chairs, 5))
    agreed(session, cast, after, lent.chairs)
    assert queries.held_by(session, after.id)[lent.chairs.id].quantity == 5
    assert occupied(session) == 1


def test_the_minutes_of_a_change_that_is_accepted(session: Session, cast: Cast, lent: Lent) -> None:
    before = accepted(session, cast, lent.dojo)
    after = changed(session, cast, before, lent.dojo, hours=6)
    assert balance(session, cast, cast.alice.party.id) == (0, 120), "until it is accepted"
    agreed(session, cast, after, lent.dojo)
    assert balance(session, cast, cast.alice.party.id) == (0, 180)
    cancel(session, after.token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON)
    assert balance(session, cast, cast.alice.party.id) == (0, 0)


def test_a_change_that_is_declined_given_up_or_left_without_answer_changes_nothing(
    session: Session, cast: Cast, lent: Lent
) -> None:
    before = accepted(session, cast, lent.half)
    mine: dict[str, Any] = {"parties": [cast.alice.party.id], "by": cast.alice.by}
    first = changed(session, cast, before, lent.other_half)
    decline(session, first.token, lender=cast.town.id, ground="services", text="Non", by=cast.olga.by, at=NOON)
    second = changed(session, cast, before, lent.other_half)
    cancel(session, second.token, reason="", at=NOON, **mine)
    third = changed(session, cast, before, lent.other_half, later=48)
    assert third.answer_before <= before.starts_at
    expire(session, by=cast.system, at=third.answer_before)
    assert states(session, before, first, second, third) == ["accepted", "declined", "cancelled", "expired"]
    assert occupied(session) == 1


def test_another_change_takes_the_place_of_the_first(session: Session, cast: Cast, lent: Lent) -> None:
    before = accepted(session, cast, lent.half)
    first = changed(session, cast, before, lent.other_half)
    with pytest.raises(ChangeWaits), session.begin_nested():
        changed(session, cast, first, lent.hall)  # it is the booking itself that is changed
    second = changed(session, cast, before, lent.hall)
    assert states(session, before, first, second) == ["accepted", "expired", "pending"]
    assert occupied(session) == 2


def test_a_change_ends_with_what_it_would_change(session: Session, cast: Cast, lent: Lent) -> None:
    town: dict[str, Any] = {"lender": cast.town.id, "by": cast.olga.by, "at": NOON}
    ends = (
        lambda token: cancel(session, token, parties=[cast.alice.party.id], reason="", by=cast.alice.by, at=NOON),
        lambda token: revoke(session, token, ground="services", text="Travaux", **town),
        lambda token: hand_over(session, token, remarks="", **town),
    )
    for end in ends:
        before = accepted(session, cast, lent.half)
        after = changed(session, cast, before, lent.other_half)
        end(before.token)
        assert states(session, after) == ["expired"]
        with pytest.raises(WrongState), session.begin_nested():
            agreed(session, cast, after, lent.half)


def test_its_lender_answers_a_change_before_offering_anything_else(session: Session, cast: Cast, lent: Lent) -> None:
    before = accepted(session, cast, lent.half)
    after = changed(session, cast, before, lent.other_half)
    for token in (before.token, after.token):
        with pytest.raises(ChangeWaits), session.begin_nested():
            offer(session, token, lender=cast.town.id, wanted=[Wanted(lent.hall)], starts_at=NEXT_WEEK,
                  ends_at=NEXT_WEEK + HOUR, word="Travaux", by=cast.olga.by, at=NOON)  # fmt: skip


def test_asking_for_a_change_says_no_to_what_is_offered(session: Session, cast: Cast, lent: Lent) -> None:
    before = accepted(session, cast, lent.half)
    offered = offer(session, before.token, lender=cast.town.id, wanted=[Wanted(lent.other_half)], starts_at=NEXT_WEEK,
                    ends_at=NEXT_WEEK + HOUR, word="Travaux", by=cast.olga.by, at=NOON)  # fmt: skip
    after = changed(session, cast, before, lent.other_half, later=1)
    assert states(session, before, offered, after) == ["accepted", "expired", "pending"]


# -- when


def test_a_change_is_no_way_around_a_late_cancellation(session: Session, cast: Cast, lent: Lent) -> None:
    before, free = accepted(session, cast, lent.dojo), accepted(session, cast, lent.half)
    eve = NEXT_WEEK - 23 * HOUR
    with pytest.raises(ChangedTooLate), session.begin_nested():
        changed(session, cast, before, lent.dojo, later=48, at=eve)
    assert states(session, changed(session, cast, free, lent.half, later=48, at=eve)) == ["pending"], "it costs nothing"


def test_what_has_begun_or_is_over_is_not_changed(session: Session, cast: Cast, lent: Lent) -> None:
    before = accepted(session, cast, lent.half)
    with pytest.raises(WrongState), session.begin_nested():
        changed(session, cast, before, lent.half, later=48, at=NEXT_WEEK)
    after = changed(session, cast, before, lent.half, later=48, at=NEXT_WEEK - HOUR)
    with pytest.raises(WrongState), session.begin_nested():
        agreed(session, cast, after, lent.half, at=NEXT_WEEK)
    hand_over(session, before.token, lender=cast.town.id, remarks="", by=cast.olga.by, at=NOON)
    with pytest.raises(WrongState), session.begin_nested():
        changed(session, cast, before, lent.half, later=48)


def test_the_lenders_terms_bind_the_change_but_not_what_stays_within_its_hours(
    session: Session, cast: Cast, lent: Lent
) -> None:
    half = lent.half._replace(notice_hours=72)
    before, late = accepted(session, cast, lent.half), NEXT_WEEK - 48 * HOUR
    with pytest.raises(AskedTooLate), session.begin_nested():
        changed(session, cast, before, half, later=1, at=late)
    after = changed(session, cast, before, half, hours=3, people=12, at=late)
    assert states(session, after) == ["pending"]
    dojo = accepted(session, cast, lent.dojo)
    with pytest.raises(Closed), session.begin_nested():
        changed(session, cast, dojo, lent.dojo, later=7)  # open until ten in the evening


def test_a_day_of_a_series_that_is_changed_stays_of_it(session: Session, cast: Cast, lent: Lent) -> None:
    rhythm = Rhythm("week", NEXT_WEEK.date(), NEXT_WEEK.date() + timedelta(days=14))
    days = [wanting(cast.alice.party.id, lent.half, starts=NEXT_WEEK + timedelta(days=7 * n)) for n in range(3)]
    of = series.ask(session, days, rhythm, zone=PARIS, by=cast.alice.by, at=NOON)
    first = queries.of_series(session, of.id, at=NOON)[0]
    made = change(session, first.token, days[0]._replace(ends_at=NEXT_WEEK + HOUR), parties=[cast.alice.party.id],
                  by=cast.alice.by, at=NOON)  # fmt: skip
    assert made.series_id == of.id
    assert series.accept(session, of, by=cast.olga.by, at=NOON).refused == []
    assert states(session, made) == ["accepted"]


def test_the_database_keeps_a_change_between_the_same_two(session: Session, cast: Cast, lent: Lent) -> None:
    mine = asked(session, cast, lent.half)
    other = ask(session, wanting(cast.bruno.party.id, lent.other_half), zone=PARIS, by=cast.bruno.by, at=NOON)
    for column in ("changes_id", "replaces_id"):
        with pytest.raises(IntegrityError, match="between two others"), session.begin_nested():
            session.execute(text(f"UPDATE bookings SET {column} = :other WHERE id = :mine"),
                            {"other": other.id, "mine": mine.id})  # fmt: skip


# -- the pages


@pytest.fixture
def saturday_noon() -> object:
    with freeze_time(NOON):
        yield


def as_(app: Flask, person: Person) -> FlaskClient:
    return sign_in(app.test_client(), person)


def form(cast: Cast, **more: str) -> dict[str, str]:
    return {
        "party": cast.alice.party.token, "day": "2026-11-28", "starts": "14:00", "ends": "19:00", "end_day": "",
        "people": "40", "purpose": "Fête et bal", "key": "a-change", **more,
    }  # fmt: skip


def letters(session: Session) -> list[str]:
    return [row[0].replace("\u00a0", " ") for row in session.execute(text("SELECT subject FROM outbox ORDER BY id"))]


@pytest.mark.usefixtures("saturday_noon")
def test_alice_asks_for_more_and_olga_accepts(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    before = asked(session, cast, lent.half, (lent.chairs, 2))
    agreed(session, cast, before, lent.half)
    alice, olga, here = as_(app, cast.alice), as_(app, cast.olga), f"/reservations/{before.token}"
    assert f"{here}/changement" in alice.get(here).text
    page = alice.get(f"{here}/changement").text
    assert 'value="12:00"' in page
    assert re.search(rf'<input[^>]* name="with_{lent.chairs.token}"[^>]* value="2"', page)
    more = form(cast, **{f"with_{lent.chairs.token}": "5"})
    checked = unescape(alice.post(f"{here}/changement", data=more).text)
    assert "Jusqu’ici : Demi-salle sud, 2 × Chaises pliantes".replace(" :", "\u00a0:") in checked
    assert "Demi-salle sud, 5 × Chaises pliantes" in checked
    assert "La réservation reste comme elle est jusqu’à sa réponse" in checked
    answer = alice.post(f"{here}/changements", data=more)
    assert answer.status_code == 303
    assert alice.post(f"{here}/changements", data=more).location == answer.location, "a second press"
    assert letters(session)[-1] == "Changement demandé par Alice : Demi-salle sud"
    assert "Un changement est demandé" in unescape(alice.get(here).text)
    assert "Elle reste comme elle est." in unescape(alice.get(answer.location).text)
    asked_of = f"/preteurs/{cast.town.token}/reservations/{answer.location.rpartition('/')[2]}"
    assert "C’est un changement." in unescape(olga.get(f"/preteurs/{cast.town.token}/demandes").text)
    assert "change une réservation que vous avez acceptée" in unescape(olga.get(asked_of).text)
    assert olga.post(f"{asked_of}/acceptation", data={}).status_code == 303
    assert "Changée, à votre demande." in unescape(alice.get(here).text)
    assert answer.location in alice.get(here).text
    assert "Changée, à la demande de qui avait réservé." in unescape(
        olga.get(f"/preteurs/{cast.town.token}/reservations/{before.token}").text
    )


@pytest.mark.usefixtures("saturday_noon")
def test_a_refused_change_says_that_what_was_booked_stands(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    before = accepted(session, cast, lent.half)
    alice, olga = as_(app, cast.alice), as_(app, cast.olga)
    made = alice.post(f"/reservations/{before.token}/changements", data=form(cast)).location.rpartition("/")[2]
    no = {"ground": "services", "text": "La salle est prise par les élections."}
    olga.post(f"/preteurs/{cast.town.token}/reservations/{made}/refus", data=no)
    body = session.execute(text("SELECT body FROM outbox ORDER BY id DESC LIMIT 1")).scalar_one()
    assert "La réservation que vous vouliez changer reste comme elle était." in body


@pytest.mark.usefixtures("saturday_noon")
def test_what_stands_in_the_way_is_said_beside_its_field(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    before = accepted(session, cast, lent.half)
    bruno = wanting(cast.bruno.party.id, lent.half, starts=NEXT_WEEK + 5 * HOUR)
    ask(session, bruno, zone=PARIS, by=cast.bruno.by, at=NOON)
    alice, here = as_(app, cast.alice), f"/reservations/{before.token}"
    for step in ("changement", "changements"):
        answer = alice.post(f"{here}/{step}", data=form(cast))
        assert answer.status_code == 422
        assert "est déjà pris à ce moment-là" in unescape(answer.text)
    assert states(session, before) == ["accepted"]
    assert as_(app, cast.bruno).get(f"{here}/changement").status_code == 404
    assert alice.post(f"{here}/changements", data=form(cast, party=cast.bruno.party.token)).status_code == 422


@pytest.mark.usefixtures("saturday_noon")
def test_the_same_is_asked_again_with_all_that_came_with_it(
    app: Flask, session: Session, cast: Cast, lent: Lent
) -> None:
    before = asked(session, cast, lent.half, (lent.chairs, 3), lent.drill)
    page = unescape(as_(app, cast.alice).get(f"/reservations/{before.token}").text)
    again = next(part for part in page.split('"') if "/reserver?" in part)
    assert f"with_{lent.chairs.token}=3" in again
    assert f"with_{lent.drill.token}=1" in again
