"""What people type in a cell, as values: nothing, whole numbers, euros, positions, days, links.

A reader returns None when the text is no such value and raises `AmbiguousError` when it could be two:
the choice between them is the person's.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final

NOTHING: Final = frozenset({"", "NULL", "null"})
_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_WHOLE = re.compile(r"[0-9]+(?:[.,]0{1,2})?")
_PLAIN = re.compile(r"[+-]?[0-9]{1,12}(?:[.,][0-9]{1,15})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*(?:(?!\1)[.,][0-9]{1,4})?")
_TWO_READINGS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_EMAIL = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;.]+")
_LINK = re.compile(r"https?://[^\s<>\"'\\/?#]+[^\s<>\"'\\]*", re.IGNORECASE)


class AmbiguousError(ValueError):
    """A text with two honest readings, such as "1.500": one and a half, or fifteen hundred."""


def is_nothing(text: str) -> bool:
    """True of a blank cell and of the word NULL, which databases write for nothing."""
    return text.strip() in NOTHING


def whole(text: str) -> int | None:
    """A count: "12", "1 200", "3,0". Raises `AmbiguousError` for "1.200"."""
    bare = _without_spaces(text)
    if _TWO_READINGS.fullmatch(bare):
        raise AmbiguousError(text)
    if len(bare) > 12 or not _WHOLE.fullmatch(bare):
        return None
    return int(re.split("[.,]", bare)[0])


def euros(text: str) -> Decimal | None:
    """An amount in euros: "1 234,50 €", "1.234,50", "1234.5". Raises `AmbiguousError` for "1.234"."""
    bare = re.sub(r"(?:€|EUR|euros?)$", "", _without_spaces(text), flags=re.IGNORECASE)
    if _TWO_READINGS.fullmatch(bare):
        raise AmbiguousError(text)
    if _PLAIN.fullmatch(bare):
        return Decimal(bare.replace(",", "."))
    grouped = _GROUPED.fullmatch(bare)
    if grouped is None or len(bare) > 24:
        return None
    return Decimal(bare.replace(grouped[1], "").replace(",", "."))


def degrees(text: str) -> float | None:
    """A latitude or longitude in decimal degrees, with a comma or a point."""
    bare = text.strip()
    return float(bare.replace(",", ".")) if _PLAIN.fullmatch(bare) else None


def day(text: str) -> date | None:
    """A day written d/m/y with a four-digit year, as in France, or as ISO 8601."""
    french, iso = _DAY.fullmatch(text.strip()), _ISO_DAY.fullmatch(text.strip())
    parts = french.group(3, 2, 1) if french else iso.groups() if iso else None
    try:
        return date(*map(int, parts)) if parts else None
    except ValueError:
        return None


def email(text: str) -> str | None:
    """An electronic address that has two sides and a dot; whether it answers is another matter."""
    return text if _EMAIL.fullmatch(text) else None


def link(text: str) -> str | None:
    """A web address; only http and https, so that no page ever carries a script given as a link."""
    return text if _LINK.fullmatch(text) else None


def _without_spaces(text: str) -> str:
    return _SPACES.sub("", text)
