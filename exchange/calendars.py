"""Days that come back, public holidays and those of schools, as the libraries that know them say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from functools import cache

from dateutil.rrule import MO, MONTHLY, WEEKLY, rrule, weekday
from holidays import country_holidays
from vacances_scolaires_france import SchoolHolidayDates


def every_week(first: date, until: date, weekdays: Collection[int], *, apart: int = 1) -> Iterator[date]:
    """These days of the week (0 is Monday) from ``first`` to ``until``, both included, every ``apart`` weeks."""
    for each in rrule(WEEKLY, interval=apart, byweekday=weekdays, wkst=MO, dtstart=first, until=until):
        yield each.date()


def every_month(first: date, until: date, *, rank: int) -> Iterator[date]:
    """The same day of the week as ``first``, by its rank in the month; -1 is the last."""
    for each in rrule(MONTHLY, byweekday=weekday(first.weekday(), rank), dtstart=first, until=until):
        yield each.date()


def public_holiday(day: date) -> bool:
    """Whether it is a public holiday in France."""
    return day in country_holidays("FR", years=day.year)


@cache
def _schools() -> SchoolHolidayDates:
    return SchoolHolidayDates()


def no_school(day: date, zone: str) -> bool:
    """Whether the schools of a zone (A, B, C) are on holiday; what isn't set yet is taken as days of school."""
    return schools_set(day) and bool(_schools().is_holiday_for_zone(day, zone))


def schools_set(day: date) -> bool:
    """Whether the ministry has said when the holidays of that year are."""
    return bool(_schools().min_year <= day.year <= _schools().max_year)


@cache
def school_holidays(zone: str) -> tuple[tuple[date, date], ...]:
    """The holidays of the schools of a zone as far as they are set, in order: first and last day of each."""
    schools = _schools()
    off = sorted(day for day, said in schools.data.items() if said[schools.zone_key(zone)])
    spans: list[tuple[date, date]] = []
    for day in off:
        if spans and day - spans[-1][1] <= timedelta(days=1):
            spans[-1] = spans[-1][0], day
        else:
            spans.append((day, day))
    return tuple(spans)
