"""Tables that a spreadsheet opens: CSV as those of French offices read it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

STARTS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def euros(cents: int) -> str:
    """A sum as a French spreadsheet reads a number: "1234,50"."""
    return f"{cents // 100},{cents % 100:02d}"


def sheet(name: str, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file of this name to download; numbers stay numbers, texts are made harmless."""
    out = io.StringIO()
    table = csv.writer(out, delimiter=";", lineterminator="\r\n")
    table.writerow(titles)
    for row in rows:
        table.writerow([harmless(value) if isinstance(value, str) else value for value in row])
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
