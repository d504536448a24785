"""What comes back every week, asked for, decided and cancelled by programs."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.cast import Cast
from tests.exchange.api.conftest import JSON, Program, refusal
from tests.lent import Lent

TUESDAYS = ["2026-12-01", "2026-12-08", "2026-12-15"]


@pytest.fixture
def weekly(cast: Cast, lent: Lent) -> JSON:
    """Every Tuesday evening of December until the holidays."""
    return {
        "party": cast.alice.party.token, "items": [{"resource": lent.half.token}, {"resource": lent.chairs.token,
        "quantity": 4}], "every": "week", "first": "2026-12-01", "until": "2026-12-20", "starts": "18:00",
        "ends": "20:00",
    }  # fmt: skip


def asked(weekly: JSON, **more: object) -> JSON:
    return weekly | {"purpose": "Chorale"} | more


def starts(series: JSON) -> list[str]:
    return [booking["starts_at"] for booking in series["bookings"]]


def test_each_day_is_told_free_or_why_not(bruno: Program, alice: Program, cast: Cast, weekly: JSON, lent: Lent) -> None:
    bruno.do("/bookings", {"party": cast.bruno.party.token, "items": [{"resource": lent.half.token}], "purpose": "Bal",
                           "starts_at": "2026-12-08T18:00:00Z", "ends_at": "2026-12-08T20:00:00Z"})  # fmt: skip
    days = alice.do("/series/quotes", weekly)["days"]
    assert [(day["day"], day["free"], day["minutes"], day["code"]) for day in days] == [
        ("2026-12-01", True, 0, None), ("2026-12-08", False, None, "slot-taken"), ("2026-12-15", True, 0, None)
    ]  # fmt: skip
    assert "Demi-salle sud" in days[1]["detail"]
    assert refusal(alice.post("/series", asked(weekly))) == (409, "slot-taken"), "all or nothing"
    assert alice.read("/bookings")["items"] == []
    made = alice.do("/series", asked(weekly, leave_out=["2026-12-08"]))
    assert starts(made) == ["2026-12-01T17:00:00Z", "2026-12-15T17:00:00Z"]


def test_it_is_decided_and_cancelled_together(
    alice: Program, olga: Program, session: Session, cast: Cast, weekly: JSON
) -> None:
    made = alice.do("/series", asked(weekly), key="once")
    assert alice.do("/series", asked(weekly), key="once") == made, "a second sending"
    here = f"/lenders/{cast.town.token}/series/{made['id']}"
    assert [each["state"] for each in olga.read(here)["bookings"]] == ["pending"] * 3
    assert "checked" in olga.read(here)["bookings"][0]
    assert refusal(olga.post(f"{here}/decision", {"verdict": "declined"})) == (422, "wrong-fields")
    assert {each["state"] for each in olga.do(f"{here}/decision", {"verdict": "accepted"})["bookings"]} == {"accepted"}
    gone = alice.do(f"/series/{made['id']}/cancellation", {"reason": "Plus de chef"})
    assert {each["state"] for each in gone["bookings"]} == {"cancelled"}
    subjects = session.execute(text("SELECT count(*) FROM outbox")).scalar_one()
    assert subjects == 3, "asked, accepted, cancelled"


def test_it_is_declined_with_its_ground(alice: Program, olga: Program, cast: Cast, weekly: JSON) -> None:
    made = alice.do("/series", asked(weekly))
    no = {"verdict": "declined", "ground": "services", "text": "Travaux"}
    told = olga.do(f"/lenders/{cast.town.token}/series/{made['id']}/decision", no)
    assert {each["ground"] for each in told["bookings"]} == {"services"}


def test_somebody_elses_series_is_not_there(
    alice: Program, bruno: Program, olga: Program, cast: Cast, weekly: JSON
) -> None:
    made = alice.do("/series", asked(weekly))["id"]
    assert bruno.get(f"/series/{made}").status_code == 404
    assert bruno.post(f"/series/{made}/cancellation", {}).status_code == 404
    assert bruno.get(f"/lenders/{cast.town.token}/series/{made}").status_code == 403
    assert bruno.get(f"/lenders/{cast.club.token}/series/{made}").status_code in {403, 404}
    assert refusal(bruno.post("/series", asked(weekly))) == (422, "wrong-fields"), "in her name"
    assert olga.get(f"/series/{made}").status_code == 404


def test_holidays_and_days_of_the_week_are_understood(alice: Program, weekly: JSON) -> None:
    more = weekly | {"until": "2027-01-10", "weekdays": [2, 5], "without_school_holidays": True,
                     "without_public_holidays": True}  # fmt: skip
    days = [day["day"] for day in alice.do("/series/quotes", more)["days"]]
    assert days == ["2026-12-01", "2026-12-04", "2026-12-08", "2026-12-11", "2026-12-15", "2026-12-18", "2027-01-05",
                    "2027-01-08"]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), [
    ({"until": "2026-11-30"}, (422, "series-empty")),
    ({"until": "2036-11-30"}, (422, "series-too-long")),
    ({"leave_out": TUESDAYS}, (422, "series-empty")),
    ({"starts": "25:00"}, (422, "wrong-fields")),
    ({"starts": "18h"}, (422, "wrong-fields")),
    ({"weekdays": [0]}, (422, "wrong-fields")),
    ({"weekdays": [8]}, (422, "wrong-fields")),
    ({"every": "day"}, (422, "wrong-fields")),
    ({"first": "2026-02-30"}, (422, "wrong-fields")),
    ({"items": []}, (422, "wrong-fields")),
    ({"purpose": ""}, (422, "wrong-fields")),
])  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_rule(
    alice: Program, weekly: JSON, change: JSON, expected: tuple[int, str]
) -> None:
    assert refusal(alice.post("/series", asked(weekly, **change))) == expected
    assert alice.read("/bookings")["items"] == []
