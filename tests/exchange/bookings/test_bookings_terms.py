"""How long before something is asked for, for how long it is lent, and between which days."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from flask import Flask
from freezegun import freeze_time
from sqlalchemy.orm import Session

from exchange.bookings.offers import offer
from exchange.bookings.operations import ask
from exchange.bookings.policy import instant
from exchange.bookings.wanted import Wanted
from exchange.catalogue import operations as catalogue
from exchange.catalogue import policy, queries
from exchange.catalogue.queries import ResourceView
from exchange.errors import (
    AskedTooEarly,
    AskedTooLate,
    LongerThanLent,
    NotLentThen,
    NumberedAlready,
    ShorterThanLent,
)
from ledger.errors import Refused
from tests.cast import NOON, Cast, sign_in
from tests.exchange.bookings.conftest import NEXT_WEEK, wanting
from tests.lent import Lent

PARIS = "Europe/Paris"
HOUR = timedelta(hours=1)


def given(session: Session, cast: Cast, it: ResourceView, **terms: Any) -> ResourceView:
    """Olga writes these terms."""
    row = queries.row_of(session, it.lender_id, it.token)
    assert row is not None
    catalogue.edit(session, row, terms, by=cast.olga.by, at=NOON)
    return queries.views(session, [it.id])[it.id]


@pytest.mark.parametrize(
    ("terms", "hours", "refused"),
    [
        ({"notice_hours": 7 * 24}, 4, None),
        ({"notice_hours": 7 * 24 + 1}, 4, AskedTooLate),
        ({"ahead_days": 7}, 4, None),
        ({"ahead_days": 6}, 4, AskedTooEarly),
        ({"least_minutes": 240}, 4, None),
        ({"least_minutes": 241}, 4, ShorterThanLent),
        ({"most_minutes": 240}, 4, None),
        ({"most_minutes": 239}, 4, LongerThanLent),
        ({"lent_from": date(2026, 11, 28), "lent_until": date(2026, 11, 28)}, 12, None),  # to midnight, in Paris
        ({"lent_from": date(2026, 11, 29)}, 4, NotLentThen),
        ({"lent_until": date(2026, 11, 27)}, 4, NotLentThen),
        ({"lent_until": date(2026, 11, 28)}, 12.5, NotLentThen),
    ],
)
def test_a_resource_has_its_terms(
    session: Session, cast: Cast, lent: Lent, terms: dict[str, Any], hours: float, refused: type[Refused] | None
) -> None:
    drill = given(session, cast, lent.drill, **terms)

    def asks() -> None:
        ask(session, wanting(cast.alice.party.id, drill, hours=hours), zone=PARIS, by=cast.alice.by, at=NOON)

    if refused is None:
        asks()
        return
    with pytest.raises(refused) as error:
        asks()
    assert error.value.facts["name"] == "Perceuse"


def test_a_lender_is_held_by_its_dates_and_not_by_its_delays(session: Session, cast: Cast, lent: Lent) -> None:
    drill = given(session, cast, lent.drill, notice_hours=1000, most_minutes=30)
    ask(session, wanting(cast.town.id, drill), zone=PARIS, by=cast.olga.by, at=NOON)
    over = given(session, cast, lent.drill, lent_until=date(2026, 11, 1))
    with pytest.raises(NotLentThen):
        ask(session, wanting(cast.town.id, over, starts=NEXT_WEEK + 5 * HOUR), zone=PARIS, by=cast.olga.by, at=NOON)


def test_what_a_lender_offers_is_not_late(session: Session, cast: Cast, lent: Lent) -> None:
    booking = ask(session, wanting(cast.alice.party.id, lent.half), zone=PARIS, by=cast.alice.by, at=NOON)
    other = given(session, cast, lent.other_half, notice_hours=1000)
    offer(session, booking.token, lender=cast.town.id, wanted=[Wanted(other)], starts_at=NEXT_WEEK,
          ends_at=NEXT_WEEK + HOUR, word="", by=cast.olga.by, at=NOON)  # fmt: skip


def test_an_inventory_number_is_on_one_thing_of_a_lender(session: Session, cast: Cast, lent: Lent) -> None:
    given(session, cast, lent.drill, inventory_number="A-12")
    facts = {"kind": "thing", "name": "Scie", "inventory_number": "A-12", "by": cast.olga.by, "at": NOON}
    with pytest.raises(NumberedAlready), session.begin_nested():
        catalogue.add_resource(session, lender=cast.town.id, **facts)
    catalogue.add_resource(session, lender=cast.club.id, **facts)


def test_the_night_of_the_change_of_hour_lasts_nine_hours_from_ten_to_eight() -> None:
    starts, ends = instant(date(2027, 3, 27), time(22), PARIS), instant(date(2027, 3, 28), time(8), PARIS)
    assert policy.refusal_of_length(policy.Terms(most_minutes=540), starts, ends) is None
    assert policy.refusal_of_length(policy.Terms(most_minutes=539), starts, ends) is not None


def test_the_page_and_the_search_say_so(app: Flask, session: Session, cast: Cast, lent: Lent) -> None:
    given(session, cast, lent.drill, notice_hours=24 * 30, most_minutes=2880, lent_from=date(2026, 11, 1))
    with freeze_time(NOON):
        page = app.test_client().get(f"/salles/{lent.drill.token}").text
        assert "À demander au moins 30 jours à l’avance, 2 jours au plus" in page
        assert "à partir du dimanche 1er novembre 2026" in page
        found = app.test_client().get("/salles?day=2026-11-28&starts=14:00&ends=18:00").text
        assert "Perceuse" not in found.partition("pris ou fermé")[0]
        alice = sign_in(app.test_client(), cast.alice)
        said = {"party": cast.alice.party.token, "day": "2026-11-28", "starts": "14:00", "ends": "18:00",
                "purpose": "Étagère", "key": "one"}  # fmt: skip
        answer = alice.post(f"/salles/{lent.drill.token}/verification", data=said)
    assert answer.status_code == 422
    assert "se demande au moins 30 jours à l’avance" in answer.text
