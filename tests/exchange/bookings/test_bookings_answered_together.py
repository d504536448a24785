"""Olga answers several requests on one page; what can't be accepted is said, and stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.bookings import operations as bookings
from exchange.bookings import queries, series
from exchange.bookings.models import Booking
from exchange.bookings.rhythm import Rhythm
from exchange.circuits import operations as circuits
from tests.cast import NOON, Cast, Person, sign_in
from tests.exchange.bookings.conftest import wanting
from tests.lent import Lent

ZONE = "Europe/Paris"


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def olga(client: FlaskClient, cast: Cast) -> FlaskClient:
    return sign_in(client, cast.olga)


def asked(session: Session, person: Person, lent: Lent, *, weeks: int) -> Booking:
    wish, later = wanting(person.party.id, lent.hall), timedelta(weeks=weeks)
    wish = wish._replace(starts_at=wish.starts_at + later, ends_at=wish.ends_at + later)
    return bookings.ask(session, wish, zone=ZONE, by=person.by, at=NOON)


def state(session: Session, of: Booking) -> str:
    return queries.view(session, of.id, at=NOON).state


def where(cast: Cast) -> str:
    return f"/preteurs/{cast.town.token}/demandes/ensemble"


def recipients(session: Session) -> list[str]:
    return [name.partition("@")[0] for name in session.scalars(text("SELECT recipient FROM outbox ORDER BY id"))]


def test_what_is_ticked_is_accepted_and_nothing_else(
    session: Session, cast: Cast, lent: Lent, olga: FlaskClient
) -> None:
    first, second, third = (asked(session, cast.alice, lent, weeks=n) for n in range(3))
    assert f'value="{third.token}"' in olga.get(where(cast)).text
    sent = {"chosen": [first.token, second.token, "nobody"], "verdict": "accepted"}
    shown = olga.post(where(cast), data=sent, follow_redirects=True).text
    assert "2 demandes acceptées." in shown
    assert [state(session, each) for each in (first, second, third)] == ["accepted", "accepted", "pending"]
    assert recipients(session) == ["alice", "alice"]


def test_what_cannot_be_accepted_is_said_and_stays(
    session: Session, cast: Cast, lent: Lent, olga: FlaskClient
) -> None:
    first, second = asked(session, cast.alice, lent, weeks=0), asked(session, cast.alice, lent, weeks=1)
    with freeze_time(first.starts_at + timedelta(hours=1)):
        shown = unescape(
            olga.post(where(cast), data={"chosen": [first.token, second.token], "verdict": "accepted"},
                      follow_redirects=True).text
        )  # fmt: skip
    assert "1 demande acceptée." in shown
    assert "pour Alice" in shown
    assert (state(session, first), state(session, second)) == ("pending", "accepted")


def test_a_refusal_names_one_ground_for_all(session: Session, cast: Cast, lent: Lent, olga: FlaskClient) -> None:
    *both, third = (asked(session, cast.alice, lent, weeks=n) for n in range(3))
    ticked = {"chosen": [each.token for each in both], "verdict": "declined"}
    bare = olga.post(where(cast), data=ticked)
    assert (bare.status_code, "Choisissez le motif." in bare.text) == (422, True)
    assert bare.text.count(" checked") == 2
    told = {"ground": "services", "text": "Le toit est ouvert."}
    assert "2 demandes refusées." in olga.post(where(cast), data=ticked | told, follow_redirects=True).text
    assert [state(session, each) for each in (*both, third)] == ["declined", "declined", "pending"]
    none = olga.post(where(cast), data={"verdict": "accepted"})
    assert (none.status_code, "Cochez au moins une demande." in none.text) == (422, True)


def test_a_series_is_answered_whole_with_one_letter(
    session: Session, cast: Cast, lent: Lent, olga: FlaskClient
) -> None:
    wish = wanting(cast.alice.party.id, lent.hall)
    days = [wish._replace(starts_at=wish.starts_at + timedelta(weeks=n), ends_at=wish.ends_at + timedelta(weeks=n))
            for n in range(3)]  # fmt: skip
    of = series.ask(session, days, Rhythm("week", days[0].starts_at.date(), days[2].starts_at.date()), zone=ZONE,
                    by=cast.alice.by, at=NOON)  # fmt: skip
    lead = queries.of_series(session, of.id, at=NOON)[0]
    olga.post(where(cast), data={"chosen": [lead.token], "verdict": "accepted"})
    assert [view.state for view in queries.of_series(session, of.id, at=NOON)] == ["accepted"] * 3
    assert recipients(session) == ["alice"]


def test_what_waits_at_another_step_is_not_offered(
    app: Flask, session: Session, cast: Cast, lent: Lent, olga: FlaskClient
) -> None:
    steps = [("Service technique", [cast.olga.by.sign_in or 0]), ("Élue", [])]
    made = circuits.write(session, lender=cast.town.id, name="Salles", steps=steps, by=cast.olga.by, at=NOON)
    circuits.decide_on(session, made.id, before=(), after=[lent.hall.id], by=cast.olga.by, at=NOON)
    booking = asked(session, cast.alice, lent, weeks=0)
    assert booking.token not in olga.get(where(cast)).text
    olga.post(where(cast), data={"chosen": [booking.token], "verdict": "accepted"})
    assert state(session, booking) == "pending"
    assert sign_in(app.test_client(), cast.bruno).get(where(cast)).status_code == 403
