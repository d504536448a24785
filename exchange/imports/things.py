"""A row read as a thing, as several things with their numbers, or as a pool of like things."""

import re
from decimal import Decimal
from typing import Final

from exchange.imports import values
from exchange.imports.candidates import Candidate
from exchange.imports.rows import (
    MAX_NAME,
    Circumstances,
    Row,
    category_of,
    checked,
    day_in,
    name_of,
    number_in,
    owner_of,
    reference_of,
)
from exchange.imports.wording import one_line

MAX_QUANTITY: Final = 10_000
MAX_VALUE: Final = Decimal(10_000_000)
"""Euros."""

_RANGE = re.compile(r"\S\s+(?:à|a|au|to|-|–)\s+\S|\.\.|…|->|→")


def thing_in(row: Row, circumstances: Circumstances) -> Candidate:
    """The thing, or the pool; what is wrong or doubtful is said to the row."""
    name, place = name_of(row), row.text("place")
    numbers = _inventory_numbers(row)
    quantity = _quantity(row, numbers)
    return Candidate(
        kind="pool" if quantity > 1 and not numbers else "thing",
        source_ref=numbers[0] if numbers and not row.has("source_ref") else reference_of(row, name, place),
        name=name,
        category=category_of(row),
        owner=owner_of(row, circumstances),
        quantity=quantity,
        inventory_numbers=numbers,
        place=place,
        value=_value(row),
        photo=checked(row, "photo", values.link, "link-odd"),
        acquired_on=day_in(row, "acquired_on"),
    )


def _inventory_numbers(row: Row) -> tuple[str, ...]:
    """The numbers written on the things, one by one; a range is asked back, since it may have holes."""
    text = row.raw("inventory")
    if text is None:
        return ()
    row.bounded("inventory", text)
    numbers = [one_line(number) for number in re.split(r"[,;|\n\r]", text)]
    numbers = [row.bounded("source_ref", number) for number in numbers if number]
    if any(_RANGE.search(number) for number in numbers):
        row.error("inventory-range", "inventory", text=one_line(text)[:MAX_NAME])
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        row.error("inventory-twice", "inventory", number=number)
    return tuple(numbers)


def _quantity(row: Row, numbers: tuple[str, ...]) -> int:
    """How many: as said, or as many as there are numbers, or one."""
    text = row.text("quantity")
    if text is None:
        if not numbers:
            row.remark("quantity-assumed", "quantity")
        return len(numbers) or 1
    said = _whole_or_none(text)
    if said is None or not 1 <= said <= MAX_QUANTITY:
        row.error("quantity-wrong", "quantity", text=text, limit=str(MAX_QUANTITY))
        return 1
    if numbers and said != len(numbers):
        row.doubt("quantity-differs", "quantity", quantity=str(said), count=str(len(numbers)))
        return len(numbers)
    return said


def _whole_or_none(text: str) -> int | None:
    try:
        return values.whole(text)
    except values.AmbiguousError:
        return None


def _value(row: Row) -> Decimal | None:
    value = number_in(row, "value", values.euros)
    if value is not None and not 0 <= value <= MAX_VALUE:
        row.doubt("number-unreadable", "value", column=row.column("value"), text=str(value))
        return None
    return value
