"""The days of what comes back, and the holidays of schools."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.bookings.rhythm import EVERY, MOST, Rhythm, days, rank_in_month
from exchange.calendars import no_school, public_holiday, schools_set
from exchange.errors import SeriesEmpty, SeriesTooLong

TUESDAY = date(2026, 12, 8)  # the second of its month


def iso(found: list[date]) -> list[str]:
    return [day.isoformat() for day in found]


def test_the_choir_sings_every_tuesday() -> None:
    found = days(Rhythm("week", TUESDAY, date(2027, 1, 5)))
    assert iso(found) == ["2026-12-08", "2026-12-15", "2026-12-22", "2026-12-29", "2027-01-05"]


def test_gymnastics_on_mondays_and_thursdays_begins_with_the_first_that_comes() -> None:
    found = days(Rhythm("week", TUESDAY, date(2026, 12, 18), weekdays=(0, 3)))
    assert iso(found) == ["2026-12-10", "2026-12-14", "2026-12-17"]


def test_every_other_week_leaves_whole_weeks_out() -> None:
    found = days(Rhythm("fortnight", TUESDAY, date(2027, 1, 10), weekdays=(1, 4)))
    assert iso(found) == ["2026-12-08", "2026-12-11", "2026-12-22", "2026-12-25", "2027-01-05", "2027-01-08"]


def test_the_council_meets_on_the_second_tuesday_of_each_month() -> None:
    found = days(Rhythm("month", TUESDAY, date(2027, 4, 30), weekdays=(0,)))
    assert iso(found) == ["2026-12-08", "2027-01-12", "2027-02-09", "2027-03-09", "2027-04-13"]


def test_a_fifth_saturday_is_understood_as_the_last() -> None:
    found = days(Rhythm("month", date(2027, 1, 30), date(2027, 4, 30)))
    assert iso(found) == ["2027-01-30", "2027-02-27", "2027-03-27", "2027-04-24"]


def test_days_that_never_come_and_too_many_of_them_are_refused_by_name() -> None:
    with pytest.raises(SeriesEmpty):
        days(Rhythm("week", TUESDAY, TUESDAY - timedelta(days=1)))
    with pytest.raises(SeriesEmpty):
        days(Rhythm("week", TUESDAY, TUESDAY, weekdays=(3,)))
    with pytest.raises(SeriesTooLong) as refused:
        days(Rhythm("week", TUESDAY, date(2200, 1, 1), weekdays=tuple(range(7))))
    assert refused.value.facts == {"most": MOST}


@given(
    st.sampled_from(EVERY), st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400),
    st.sets(st.integers(0, 6), max_size=2),
)  # fmt: skip
def test_day_by_day_one_finds_the_same(every: str, first: date, length: int, weekdays: set[int]) -> None:
    until = first + timedelta(days=length)
    monday = first - timedelta(days=first.weekday())

    def comes(day: date) -> bool:
        if every == "month":
            same = day.weekday() == first.weekday()
            last = (day + timedelta(days=7)).month != day.month
            return same and (last if rank_in_month(first) == 5 else rank_in_month(day) == rank_in_month(first))
        weeks = (day - monday).days // 7
        return day.weekday() in (weekdays or {first.weekday()}) and (every == "week" or weeks % 2 == 0)

    wanted = [day for n in range(length + 1) if comes(day := first + timedelta(days=n))]
    rhythm = Rhythm(every, first, until, tuple(sorted(weekdays)))
    if 0 < len(wanted) <= MOST:
        assert days(rhythm) == wanted
        assert wanted[-1] <= until
    else:
        with pytest.raises((SeriesEmpty, SeriesTooLong)):
            days(rhythm)


def test_schools_of_the_zones_rest_at_their_own_times() -> None:
    christmas, february = date(2026, 12, 25), date(2027, 2, 15)
    assert all(no_school(christmas, zone) for zone in "ABC")
    assert {zone for zone in "ABC" if no_school(february, zone)} != set("ABC")
    assert not no_school(date(2026, 11, 24), "B")


def test_holidays_that_nobody_has_set_yet_are_days_of_school() -> None:
    far = date(2199, 12, 25)
    assert not schools_set(far)
    assert not no_school(far, "B")


def test_easter_monday_is_a_public_holiday_and_the_day_after_is_not() -> None:
    assert public_holiday(date(2027, 3, 29))
    assert not public_holiday(date(2027, 3, 30))
