"""Hours, days and states of a booking, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from exchange.bookings import policy
from exchange.errors import EndsBeforeStart, HourMissing, InThePast, TooFar, TooLong

PARIS = "Europe/Paris"
NOW = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)


def test_the_hour_that_clocks_skip_is_refused_not_guessed() -> None:
    with pytest.raises(HourMissing) as refused:
        policy.instant(date(2027, 3, 28), time(2, 30), PARIS)
    assert refused.value.facts == {"day": "2027-03-28", "hour": "02:30"}


def test_the_hour_that_exists_twice_is_the_first() -> None:
    assert policy.instant(date(2026, 10, 25), time(2, 30), PARIS).astimezone(UTC) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_wall_time_is_kept_across_the_change() -> None:
    before = policy.instant(date(2027, 3, 27), time(14), PARIS)
    after = policy.instant(date(2027, 3, 29), time(14), PARIS)
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=47)


@pytest.mark.parametrize(
    ("starts", "ends", "error"),
    [
        (NOW + timedelta(hours=2), NOW + timedelta(hours=2), EndsBeforeStart),
        (NOW + timedelta(hours=2), NOW + timedelta(hours=1), EndsBeforeStart),
        (NOW - timedelta(minutes=1), NOW + timedelta(hours=1), InThePast),
        (NOW + timedelta(days=551), NOW + timedelta(days=552), TooFar),
        (NOW, NOW + timedelta(days=32), TooLong),
    ],
)
def test_a_span_out_of_bounds_is_refused_by_name(starts: datetime, ends: datetime, error: type[Exception]) -> None:
    with pytest.raises(error):
        policy.check_span(starts, ends, at=NOW)


def test_a_request_is_given_up_freely_and_a_booking_until_a_day_before() -> None:
    tomorrow = NOW + timedelta(hours=24)
    assert policy.cancelled_in_time(NOW + timedelta(hours=1), NOW, accepted=False)
    assert policy.cancelled_in_time(tomorrow, NOW, accepted=True)
    assert not policy.cancelled_in_time(tomorrow - timedelta(seconds=1), NOW, accepted=True)


def test_the_state_of_a_booking_is_read_from_its_records() -> None:
    def state(**records: object) -> str:
        known = {"verdict": None, "offered": False, "cancelled": False, "no_show": False, "handed_over": False,
                 "returned": False, "ends_at": NOW}  # fmt: skip
        return policy.state(**{**known, **records}, at=NOW)

    later = NOW + timedelta(hours=1)
    assert state() == "pending"
    assert state(offered=True) == "offered"
    assert state(offered=True, verdict="accepted") == "past"
    assert state(verdict="declined") == "declined"
    assert state(verdict="accepted", ends_at=later) == "accepted"
    assert state(verdict="accepted") == "past"
    assert state(verdict="accepted", no_show=True) == "no-show"
    assert state(verdict="accepted", handed_over=True, ends_at=later) == "out"
    assert state(verdict="accepted", handed_over=True, ends_at=NOW - timedelta(seconds=1)) == "late"
    assert state(verdict="accepted", handed_over=True, returned=True) == "returned"
    assert state(verdict="accepted", cancelled=True) == "cancelled"


def test_a_page_shows_seven_days_from_the_one_asked_for_and_never_the_past() -> None:
    today = date(2026, 11, 21)
    assert policy.first_day("2026-11-25", today=today) == date(2026, 11, 25)
    assert policy.first_day("2026-11-01", today=today) == today
    assert policy.first_day("9999-12-31", today=today) == today + policy.FARTHEST
    for nonsense in ("2026-W47", "x", "", None):
        assert policy.first_day(nonsense, today=today) == today
