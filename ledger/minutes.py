"""Durations as people say them, in whole minutes."""

from __future__ import annotations

import re
from fractions import Fraction

MOST = 100_000  # a slip of a thousand hours is a slip of the pen
THOUSANDS = "\u202f"  # between the thousands and the hundreds of hours that are spelled

_PARTED = re.compile(r"(?<!\d)\d{1,3}(?: \d{3})+(?= ?[hm])")  # "1 600 h"
_HOURS_AND_MINUTES = re.compile(r"(\d+) ?(?:h|heures?|hours?|:) ?(\d{1,2}) ?(?:mn|min|minutes?)?")
_HOURS = re.compile(r"(\d+(?:[.,]\d+)?) ?(?:h|heures?|hours?)")
_MINUTES = re.compile(r"(\d+) ?(?:m|mn|min|minutes?|marrons?)")
# As they are said, once their numbers are figures: "trois quarts d'heure", "1 heure et demie", "half an hour".
_HALVES = re.compile(r"(?:(\d+) )?(?:demie?[- ]heures?|half 1 hour)")
_QUARTERS = re.compile(r"(?:(\d+) )?(?:quarts? d'heure|quarters? of 1 hour)")
_PART = re.compile(r"(1/2|1/4|3/4) ?(?:h|heure|d'heure|hour)")
_AND_A_PART = re.compile(
    r"(\d+) ?(?:h|heures?|hours?) ?"
    r"(?:(et demie?|and 1 half|1/2)|(et (?:1 )?quart|and 1 quarter|1/4)|(moins (?:le|1) quart))"
)
_NUMBERS = {
    word: number
    for number, words in {
        1: "un une one a an", 2: "deux two", 3: "trois three", 4: "quatre four", 5: "cinq five", 6: "six",
        7: "sept seven", 8: "huit eight", 9: "neuf nine", 10: "dix ten", 11: "onze eleven", 12: "douze twelve",
        15: "quinze fifteen", 20: "vingt twenty", 25: "vingt-cinq twenty-five", 30: "trente thirty",
        35: "trente-cinq thirty-five", 40: "quarante forty", 45: "quarante-cinq forty-five", 50: "cinquante fifty",
        55: "cinquante-cinq fifty-five",
    }.items()
    for word in words.split()
}  # fmt: skip
_WORD = re.compile(r"[a-z]+(?:-(?:cinq|five))?")
_SIGNS = str.maketrans({"’": "'", "½": "1/2", "¼": "1/4", "¾": "3/4"})
_BARE = re.compile(r"\d+(?:[.,]\d+)?")


class NotADuration(ValueError):
    """The text is not a duration; ``reason`` is one of: empty, unreadable, fraction, sixty, zero, too-long."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Ambiguous(ValueError):
    """A bare number that could be hours or minutes: ask "2 heures ou 2 minutes ?".

    ``as_hours`` and ``as_minutes`` are both readings in minutes; a reading that makes no whole minute is None.
    """

    def __init__(self, as_hours: int | None, as_minutes: int | None) -> None:
        super().__init__(as_hours, as_minutes)
        self.as_hours = as_hours
        self.as_minutes = as_minutes


def parse(text: str) -> int:
    """Read a duration: "1h30", "1 h 30", "1:30", "1,5 h", "90", "90 min" and "une heure et demie" are all 90.

    Raises NotADuration, or Ambiguous for a bare number up to 12 or with a decimal.
    """
    said = " ".join(text.lower().translate(_SIGNS).split())  # on any blank, the thin and the unbreakable included
    if not said:
        raise NotADuration("empty")
    if len(said) > 40 or not said.isascii():
        raise NotADuration("unreadable")
    said = _WORD.sub(lambda word: str(_NUMBERS.get(word[0], word[0])), said)
    said = _PARTED.sub(lambda number: number[0].replace(" ", ""), said, count=1)
    if match := _HOURS_AND_MINUTES.fullmatch(said):
        return _bounded(_clock(int(match[1]), int(match[2])))
    if match := _HOURS.fullmatch(said):
        return _bounded(_whole(_number(match[1]) * 60))
    if match := _MINUTES.fullmatch(said):
        return _bounded(int(match[1]))
    if _BARE.fullmatch(said):
        return _bare(said)
    if (in_parts := _in_parts(said)) is not None:
        return _bounded(in_parts)
    raise NotADuration("unreadable")


def _in_parts(said: str) -> int | None:
    """Halves and quarters of an hour, in minutes; None for anything else."""
    if match := _HALVES.fullmatch(said):
        return 30 * int(match[1] or 1)
    if match := _QUARTERS.fullmatch(said):
        return 15 * int(match[1] or 1)
    if match := _PART.fullmatch(said):
        return int(Fraction(match[1]) * 60)
    if match := _AND_A_PART.fullmatch(said):
        return int(match[1]) * 60 + (30 if match[2] else 15 if match[3] else -15)
    return None


def _bare(said: str) -> int:
    number = _number(said)
    if number > 12 and number.denominator == 1 and "," not in said and "." not in said:
        return _bounded(int(number))
    if number == 0:
        raise NotADuration("zero")
    hours = number * 60
    raise Ambiguous(
        as_hours=int(hours) if hours.denominator == 1 and hours <= MOST else None,
        as_minutes=int(number) if number.denominator == 1 and number <= MOST else None,
    )


def _number(said: str) -> Fraction:
    return Fraction(said.replace(",", "."))


def _clock(hours: int, minutes: int) -> int:
    if minutes > 59:
        raise NotADuration("sixty")
    return hours * 60 + minutes


def _whole(minutes: Fraction) -> int:
    if minutes.denominator != 1:
        raise NotADuration("fraction")
    return int(minutes)


def _bounded(minutes: int) -> int:
    if minutes < 1:
        raise NotADuration("zero")
    if minutes > MOST:
        raise NotADuration("too-long")
    return minutes


def spell(minutes: int) -> str:
    """The duration as it is read: "1 h 30", "45 min", "2 400 h", with a minus sign for a negative balance."""
    sign = "\u2212" if minutes < 0 else ""
    hours, rest = divmod(abs(minutes), 60)
    if not hours:
        return f"{sign}{rest}\u00a0min"
    return f"{sign}{hours:,}\u00a0h".replace(",", THOUSANDS) + (f"\u00a0{rest:02d}" if rest else "")
