"""A story is told in order, on the calendar of the day when it is told."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from exchange.demo.story import Calendar, Story

SUNDAY = Calendar(date(2026, 11, 22), "Europe/Paris")


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("+0 14:00", "2026-11-22T14:00+01:00"),
        ("-9 10:00", "2026-11-13T10:00+01:00"),
        ("-30 09:05", "2026-10-23T09:05+02:00"),  # before the clocks went back
        ("mon+0 18:00", "2026-11-23T18:00+01:00"),
        ("sun+0 18:00", "2026-11-29T18:00+01:00"),  # never today
        ("tue+1 18:00", "2026-12-01T18:00+01:00"),
        ("tue-2-3 18:00", "2026-11-07T18:00+01:00"),
        ("+1 24:00", "2026-11-24T00:00+01:00"),
    ],
)
def test_a_moment_is_read(written: str, moment: str) -> None:
    assert SUNDAY.read(written) == datetime.fromisoformat(moment)


def test_what_is_planned_first_for_one_instant_comes_first() -> None:
    story, told = Story(), []

    def say(word: str, *, at: datetime) -> None:
        told.append(word)
        if word == "morning":
            story.plan(SUNDAY.moment(0, 9), say, "later in the morning")

    story.plan(SUNDAY.moment(0, 18), say, "evening")
    story.plan(SUNDAY.moment(0, 8), say, "morning")
    story.plan(SUNDAY.moment(0, 18), say, "evening too")
    story.plan(SUNDAY.moment(1, 8), say, "tomorrow")
    story.tell(until=SUNDAY.moment(0, 23))
    assert told == ["morning", "later in the morning", "evening", "evening too"]
