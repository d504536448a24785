"""Which page of a list is asked for, as an address or a form says it."""

from __future__ import annotations

from flask import request


def older_than() -> int | None:
    """The number that ended the page before (``avant``); anything else than a number begins with the newest."""
    return digits(request.args.get("avant", ""))


def digits(given: str) -> int | None:
    """A number that the database can hold, as an address says it; None for anything else."""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


def page_number(given: str) -> int:
    """The number of a page, from 1; anything else than a number is the first."""
    return max(1, int(given)) if given.isascii() and given.isdigit() and len(given) < 6 else 1
