"""What officers tick becomes opening hours, and back."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from exchange import hours
from exchange.calendars import no_school
from exchange.hours import DAYS, NotAnOpening, Opening, Special, Week

PARIS = "Europe/Paris"
MORNING, AFTERNOON = (time(8, 30), time(12)), (time(13, 30), time(17, 30))
WEEKDAYS = Opening(DAYS[:5], (MORNING, AFTERNOON))
SATURDAY = Opening(("Sa",), ((time(9), time(12)),))

SAID = [
    (Week(), ""),
    (Week((WEEKDAYS,)), "Mo-Fr 08:30-12:00,13:30-17:30"),
    (Week((WEEKDAYS, SATURDAY)), "Mo-Fr 08:30-12:00,13:30-17:30; Sa 09:00-12:00"),
    (Week((WEEKDAYS, SATURDAY), holidays_off=True), "Mo-Fr 08:30-12:00,13:30-17:30; Sa 09:00-12:00; PH off"),
    (Week((), holidays_off=True), "24/7; PH off"),
    (Week((Opening(("Mo", "Tu", "Th", "Fr", "Sa"), (MORNING,)),)), "Mo,Tu,Th-Sa 08:30-12:00"),
    (Week((Opening(("Su",), ((time(0), time(0)),)),)), "Su 00:00-24:00"),
    (Week((Opening(("Fr", "Sa"), ((time(20), time(2)),)),)), "Fr,Sa 20:00-02:00"),
]


@pytest.mark.parametrize(("week", "expression"), SAID)
def test_a_week_is_written_and_understood_again(week: Week, expression: str) -> None:
    assert hours.written(week) == expression
    assert hours.understood(expression) == week
    if expression:
        hours.parse(expression, PARIS)  # the library understands it too


@pytest.mark.parametrize(
    ("expression", "week"),
    [
        ("24/7", Week()),
        ("Mo-Tu 8:30-12:00", Week((Opening(("Mo", "Tu"), (MORNING,)),))),
        ("Mo-Fr 08:30-12:00, 13:30-17:30 ; PH off", Week((WEEKDAYS,), holidays_off=True)),
    ],
)
def test_other_ways_of_writing_the_same_are_understood(expression: str, week: Week) -> None:
    assert hours.understood(expression) == week


@pytest.mark.parametrize(
    "expression",
    [
        "Mo-Fr 08:30-12:00; PH off; Sa 09:00-12:00", "Mo 08:00-12:00; Tu 08:00-12:00; We 08:00-12:00", "PH off",
        "Mo-Fr 08:30-12:00; Fr 14:00-18:00", "Sa[1] 09:00-18:00", "Jul-Aug off", "Mo-Fr", "SH Mo 08:00-12:00",
        "Mo 25:00-26:00", "Mo 12:00-08:00", "Fr-Mo 08:00-12:00", "Xx 08:00-12:00", "Mo-Tu-We 08:00-12:00", ";", "lundi",
    ],
)  # fmt: skip
def test_what_cannot_be_ticked_is_left_as_it_is_written(expression: str) -> None:
    assert hours.understood(expression) is None


@pytest.mark.parametrize(
    ("days", "spans", "why"),
    [
        ([], [MORNING], "days-missing"),
        (["Mo"], [(None, None), (None, None)], "hours-missing"),
        (["Mo"], [(time(8), None)], "hours-missing"),
        (["Mo"], [(None, None), AFTERNOON], "hours-missing"),
        (["Mo"], [(time(18), time(8))], "closes-first"),
        (["Mo"], [(time(5), time(5))], "closes-first"),
        (["Mo"], [AFTERNOON, MORNING], "overlap"),
        (["Mo"], [(time(20), time(2)), (time(21), time(22))], "overlap"),
    ],
)
def test_what_makes_no_sense_says_why(
    days: list[str], spans: list[tuple[time | None, time | None]], why: str
) -> None:
    with pytest.raises(NotAnOpening) as refused:
        hours.opening(days, spans)
    assert refused.value.why == why


def test_a_day_with_its_own_hours_does_not_close_all_the_others() -> None:
    eve = Special(date(2026, 12, 24), (MORNING,))
    expression = hours.written(Week(specials=(eve,)))
    assert expression == "24/7; 2026 Dec 24 08:30-12:00"
    assert hours.understood(expression) == Week(specials=(eve,))
    noon = datetime(2026, 12, 23, 12, 0, tzinfo=ZoneInfo(PARIS))
    assert hours.open_throughout(expression, PARIS, noon, noon.replace(hour=20))
    assert not hours.open_throughout(expression, PARIS, noon.replace(day=24), noon.replace(day=24, hour=20))


def test_a_public_holiday_is_closed_when_that_is_ticked() -> None:
    """The eleventh of November 2026 is a Wednesday."""
    noon = datetime(2026, 11, 11, 10, tzinfo=ZoneInfo(PARIS))
    for closed in (False, True):
        said = hours.written(Week((WEEKDAYS,), holidays_off=closed))
        assert hours.open_throughout(said, PARIS, noon, noon.replace(hour=11)) is not closed


def test_the_holidays_of_schools_close_it_by_zone() -> None:
    """On Tuesday 22 December 2026 every school is on holiday; on 16 February 2027 those of zone A alone."""
    christmas, winter = (datetime(*day, 10, tzinfo=ZoneInfo(PARIS)) for day in ((2026, 12, 22), (2027, 2, 16)))
    said = {zone: hours.written(Week((WEEKDAYS,), schools_off=zone)) for zone in ("A", "B", "C")}
    assert said["B"] == 'Mo-Fr 08:30-12:00,13:30-17:30; SH off "zone B"'
    for zone, expression in said.items():
        assert hours.understood(expression) == Week((WEEKDAYS,), schools_off=zone)
        assert not hours.open_throughout(expression, PARIS, christmas, christmas.replace(hour=11))
        is_open = hours.open_throughout(expression, PARIS, winter, winter.replace(hour=11))
        assert is_open is not no_school(winter.date(), zone)
    assert len({no_school(winter.date(), zone) for zone in said}) == 2


def test_holidays_of_schools_without_a_zone_are_asked_for_one() -> None:
    with pytest.raises(hours.NotHours) as refused:
        hours.check("Mo 08:00-12:00; SH off", PARIS)
    assert (refused.value.why, refused.value.position) == ("schools", 17)
    hours.check('Mo 08:00-12:00 "SH"; SH off "zone A"', PARIS)


def test_the_hour_that_comes_twice_is_an_hour() -> None:
    """On 31 October 2027 the clocks of Paris go from three back to two."""
    once = datetime(2027, 10, 31, 2, tzinfo=ZoneInfo(PARIS))
    for said, is_open in (("Mo-Fr 08:00-22:00", False), ("Su 00:00-24:00", True)):
        assert hours.open_throughout(said, PARIS, once, once.replace(fold=1)) is is_open
        assert hours.open_throughout(said, PARIS, once.replace(minute=40), once.replace(minute=10, fold=1)) is is_open
