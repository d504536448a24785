"""Where the page of a list begins, as its address says it."""

from __future__ import annotations

from flask import request


def older_than() -> int | None:
    """The number that ended the page before (``avant``); anything else than a number begins with the newest."""
    given = request.args.get("avant", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
