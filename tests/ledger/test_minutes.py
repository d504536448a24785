"""A duration as people say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.minutes import MOST, Ambiguous, NotADuration, parse, spell


@pytest.mark.parametrize(
    "said",
    ["1h30", "1 h 30", "1:30", "1,5 h", "1.5h", "90", "90 min", "90min", "1H30", " 1 h 30 min ", "1\u00a0h\u00a030",
     "1\u202fh\u202f30", "1 heure 30", "1 heure 30 minutes", "90 minutes", "90 marrons", "1 h 30 mn", "01:30", "90 m",
     "une heure et demie", "1 heure et demie", "1h et demi", "1 h 1/2", "1h½", "une heure trente", "trois demi-heures",
     "an hour and a half", "six quarts d’heure"],
)  # fmt: skip
def test_an_hour_and_a_half_in_every_spelling(said: str) -> None:
    assert parse(said) == 90


@pytest.mark.parametrize(
    ("said", "minutes"),
    [("2h", 120), ("0h45", 45), ("45 min", 45), ("13", 13), ("1 h 05", 65), ("1 600 h", 96_000),
     ("1\u202f600\u00a0h\u00a030", 96_030), ("1 200 min", 1200), ("une heure", 60), ("deux heures", 120),
     ("trois quarts d'heure", 45), ("un quart d’heure", 15), ("1 heure et quart", 75), ("2 h moins le quart", 105),
     ("une demi-heure", 30), ("demi-heure", 30), ("½ h", 30), ("1/2 h", 30), ("3/4 h", 45), ("half an hour", 30),
     ("two hours", 120), ("a quarter of an hour", 15), ("quarante-cinq minutes", 45), ("two hours and a quarter", 135)],
)  # fmt: skip
def test_other_durations(said: str, minutes: int) -> None:
    assert parse(said) == minutes


@pytest.mark.parametrize(
    ("said", "hours", "minutes"),
    [("2", 120, 2), ("12", 720, 12), ("1", 60, 1), ("1,5", 90, None), ("0.5", 30, None), ("13,5", 810, None)],
)
def test_a_small_bare_number_is_asked_back(said: str, hours: int, minutes: int | None) -> None:
    with pytest.raises(Ambiguous) as asked:
        parse(said)
    assert (asked.value.as_hours, asked.value.as_minutes) == (hours, minutes)


@pytest.mark.parametrize(
    ("said", "reason"),
    [("", "empty"), ("   ", "empty"), ("une heure ou deux", "unreadable"), ("0 h moins le quart", "zero"),
     ("-90", "unreadable"), ("1h60", "sixty"),
     ("1:99", "sixty"), ("0", "zero"), ("0 min", "zero"), ("0h00", "zero"), ("1,01 h", "fraction"),
     ("100001 min", "too-long"), ("9" * 39, "too-long"), ("9" * 41, "unreadable"), ("٩٠", "unreadable"),
     ("1h30\x00", "unreadable"), ("\ud800", "unreadable"), ("1e3", "unreadable"), ("nan", "unreadable"),
     ("1 60 h", "unreadable"), ("1 600", "unreadable")],
)  # fmt: skip
def test_what_is_no_duration_says_why(said: str, reason: str) -> None:
    with pytest.raises(NotADuration) as refused:
        parse(said)
    assert refused.value.reason == reason


@given(st.integers(1, MOST))
def test_what_is_spelled_is_read_back(minutes: int) -> None:
    assert parse(spell(minutes)) == minutes
    assert parse(f"{minutes} min") == minutes
    assert parse(f"{minutes // 60}:{minutes % 60:02d}") == minutes


@given(st.text(max_size=60))
def test_no_text_gives_anything_else_than_minutes_or_a_reason(said: str) -> None:
    try:
        minutes = parse(said)
    except (NotADuration, Ambiguous):
        return
    assert 1 <= minutes <= MOST


@pytest.mark.parametrize(
    ("minutes", "said"), [(90, "1 h 30"), (-90, "−1 h 30"), (0, "0 min"), (60, "1 h"), (65, "1 h 05"), (45, "45 min"),
                         (144_000, "2\u202f400 h")]
)
def test_a_duration_is_read_as_it_is_said(minutes: int, said: str) -> None:
    assert spell(minutes).replace("\u00a0", " ") == said
