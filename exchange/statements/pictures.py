"""A year in figures, of an account or of a community: what the pictures show."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

KINDS = ("service", "knowledge", "goods", "loan", "other")
MOST = 5_000  # lines of an account that are looked at: nobody exchanges more in a year, the common account may


class Month(NamedTuple):
    """A month of an account: minutes that came in and went out, and the balance at its end."""

    first: date
    gained: int
    spent: int
    balance: int


class Share(NamedTuple):
    """The minutes of one kind: service, knowledge, goods, loan or other."""

    kind: str
    minutes: int


class Year(NamedTuple):
    """Twelve months and the one under way, and what the minutes were for, most first."""

    months: list[Month]
    shares: list[Share]


class Flow(NamedTuple):
    """The minutes exchanged in a community in one month."""

    first: date
    minutes: int


def months_before(today: date, count: int = 12) -> list[date]:
    """The first days of that many months and of the one under way."""
    this = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(this - count, this + 1)]


_LINES = """
    WITH recent AS (
        SELECT t.entry_id, t.to_seq AS seq, t.to_balance AS balance, t.minutes FROM books.transfers t
         WHERE t.to_account = :account AND t.to_seq > :after
        UNION ALL
        SELECT t.entry_id, t.from_seq, t.from_balance, -t.minutes FROM books.transfers t
         WHERE t.from_account = :account AND t.from_seq > :after),
    lines AS (
        SELECT r.*, date_trunc('month', e.recorded_at AT TIME ZONE :zone)::date AS month, e.kind, e.id,
               e.cause_kind, e.cause_id
          FROM recent r JOIN books.entries e ON e.id = r.entry_id)
"""
_BALANCES = text(
    f"""{_LINES}
    SELECT month, sum(minutes) FILTER (WHERE minutes > 0)::bigint, -sum(minutes) FILTER (WHERE minutes < 0)::bigint,
           (array_agg(balance ORDER BY seq DESC))[1], (array_agg(balance - minutes ORDER BY seq))[1]
      FROM lines GROUP BY month ORDER BY month
    """  # noqa: S608 - a constant
)
_SHARES = text(
    f"""{_LINES}
    SELECT CASE WHEN l.kind = 'loan' THEN 'loan' ELSE coalesce(d.nature, 'other') END, sum(abs(l.minutes))::bigint
      FROM lines l LEFT JOIN declarations d ON l.cause_kind = 'declaration' AND d.id = l.cause_id
     WHERE l.month >= :since AND l.kind <> 'correction'
       AND NOT EXISTS (SELECT FROM books.entries r WHERE r.reverses_id = l.id)
     GROUP BY 1 ORDER BY 2 DESC
    """  # noqa: S608 - a constant
)


def of_account(session: Session, account: int, *, seq: int, today: date, zone: str) -> Year:
    """The year of an account whose last line has the number ``seq``, in two queries."""
    months = months_before(today)
    values = {"account": account, "after": seq - MOST, "zone": zone, "since": months[0]}
    rows = {row[0]: row for row in session.execute(_BALANCES, values)}
    before = [row for first, row in rows.items() if first < months[0]]
    inside = [row for first, row in rows.items() if first >= months[0]]
    balance = before[-1][3] if before else inside[0][4] if inside else 0
    found = []
    for first in months:
        _month, gained, spent, balance, _before = rows.get(first, (first, 0, 0, balance, balance))
        found.append(Month(first, gained or 0, spent or 0, balance))
    return Year(found, [Share(*row) for row in session.execute(_SHARES, values)])


_FLOWS = text(
    """
    SELECT date_trunc('month', e.happened_on)::date,
           CASE WHEN e.kind = 'loan' THEN 'loan' ELSE coalesce(d.nature, 'other') END, sum(t.minutes)::bigint
      FROM books.entries e JOIN books.transfers t ON t.entry_id = e.id
      LEFT JOIN declarations d ON e.cause_kind = 'declaration' AND d.id = e.cause_id
     WHERE e.community_id = :community AND e.kind IN ('exchange', 'loan') AND e.happened_on >= :since
       AND NOT EXISTS (SELECT FROM books.entries r WHERE r.reverses_id = e.id)
     GROUP BY 1, 2
    """
)


def of_community(session: Session, community: int, *, today: date) -> tuple[list[Flow], list[Share]]:
    """What a community exchanged month by month in a year, and what for; nothing that was corrected."""
    months = months_before(today)
    rows = session.execute(_FLOWS, {"community": community, "since": months[0]}).all()
    flows = [Flow(first, sum(row[2] for row in rows if row[0] == first)) for first in months]
    kinds = {kind: sum(row[2] for row in rows if row[1] == kind) for kind in KINDS}
    return flows, [Share(*each) for each in sorted(kinds.items(), key=lambda each: -each[1]) if each[1]]

