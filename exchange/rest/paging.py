"""Lists by pages: ``?cursor=...&limit=...`` answers {"items": [...], "next": "..." or null}.

A cursor is the identifier of the last item told, found again within what the caller may read: made up or taken from
another list, it leads nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from marshmallow import Schema

from exchange.errors import WrongCursor
from exchange.rest.fields import Digits, Inside, Several, Shape, Token

USUAL, MOST = 25, 100
T = TypeVar("T")


class PageQuery(Shape):
    """Where a page starts, and how many items it holds."""

    cursor = Token()
    limit = Digits(least=1, most=MOST, load_default=USUAL)


def page_of(item: type[Schema]) -> type[Schema]:
    """The shape of a page of these items."""
    name = item.__name__.removesuffix("Shape")
    fields = {
        "items": Several(Inside(item), required=True),
        "next": Token(required=True, allow_none=True),
    }
    return type(f"{name}Page", (Shape,), {"__doc__": f"A page of a list: {item.__doc__}", **fields})


class Cut(NamedTuple):
    """The rows of a page, and the last one when others follow."""

    rows: list[Any]
    last: Any | None


def cut(rows: Sequence[Any], limit: int) -> Cut:
    """A page of rows that were asked for with one more than ``limit``."""
    page = list(rows[:limit])
    return Cut(page, page[-1] if len(rows) > limit else None)


def sliced(rows: Sequence[T], query: dict[str, Any], token: Callable[[T], str]) -> Cut:
    """The page of a whole list that follows the item of the cursor. Raises WrongCursor."""
    start = 0
    if cursor := query.get("cursor"):
        start = next((n for n, row in enumerate(rows, 1) if token(row) == cursor), 0)
        if not start:
            raise WrongCursor
    return cut(rows[start:], query["limit"])


def number(cursor: str | None) -> int | None:
    """The number that a cursor of a numbered list is. Raises WrongCursor."""
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise WrongCursor
    return int(cursor)
