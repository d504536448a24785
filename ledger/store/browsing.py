"""The whole books, for those who answer for them: every account at a date, every entry. Amounts are minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session


class Standing(NamedTuple):
    """Where an account stands at an instant, and the limits in force then."""

    account: int
    token: str
    party: int
    kind: str
    balance: int
    held: int
    floor: int | None
    ceiling: int | None
    opened_at: datetime
    closed_at: datetime | None

    @property
    def below(self) -> bool:
        """Whether it is under its floor."""
        return self.floor is not None and self.balance - self.held < self.floor

    @property
    def above(self) -> bool:
        """Whether it is over its ceiling, which refuses nothing and only alerts."""
        return self.ceiling is not None and self.balance > self.ceiling


class Moved(NamedTuple):
    """One transfer of an entry, between two accounts and their holders."""

    entry: int
    from_account: int
    from_token: str
    from_party: int
    to_account: int
    to_token: str
    to_party: int
    minutes: int


class Written(NamedTuple):
    """An entry as the books keep it: what, when, who typed, for whom; what it corrects, what corrects it."""

    id: int
    kind: str
    cause_kind: str | None
    cause_id: int | None
    happened_on: date
    recorded_at: datetime
    by_sign_in: int | None
    by_party: int
    by_mandate: int | None
    corrects: int | None
    corrected_by: int | None
    note: str | None
    moved: Sequence[Moved]


class Sought(NamedTuple):
    """What a page of entries is narrowed to; ``mandates``: only those written under one of these."""

    kind: str | None = None
    by_sign_in: int | None = None
    mandates: tuple[int, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


class Default(NamedTuple):
    """The default of a kind of account, from an instant and perhaps until one."""

    id: int
    kind: str
    floor: int | None
    ceiling: int | None
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    recorded_at: datetime
    by_sign_in: int | None
    by_party: int


class Happening(NamedTuple):
    """What happened to an account besides movements: "opened", "leaving", "closed", or its own "limits"."""

    kind: str
    floor: int | None
    ceiling: int | None
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    by_sign_in: int | None
    by_party: int


_NOW = text(
    """
    SELECT id, token, party_id, kind, balance, held, floor, ceiling, opened_at, closed_at
      FROM books.accounts WHERE community_id = :community ORDER BY id
    """
)
# By the date of recording: a late slip changes today's figures, never those that were published.
_THEN = text(
    """
    SELECT a.id, a.token, a.party_id, a.kind, coalesce(m.minutes, 0)::bigint, coalesce(h.minutes, 0)::bigint, l.floor,
           l.ceiling, a.opened_at, CASE WHEN a.closed_at < :before THEN a.closed_at END
      FROM books.accounts a
      LEFT JOIN (SELECT account, sum(minutes) AS minutes FROM (
                     SELECT t.entry_id, t.from_account AS account, -t.minutes AS minutes FROM books.transfers t
                      WHERE t.community_id = :community
                     UNION ALL
                     SELECT t.entry_id, t.to_account, t.minutes FROM books.transfers t
                      WHERE t.community_id = :community) moves
                   JOIN books.entries e ON e.id = moves.entry_id AND e.recorded_at < :before
                  GROUP BY account) m ON m.account = a.id
      LEFT JOIN (SELECT o.from_account, sum(o.minutes) AS minutes FROM books.holds o
                   LEFT JOIN books.hold_resolutions r ON r.hold_id = o.id AND r.recorded_at < :before
                  WHERE o.community_id = :community AND o.recorded_at < :before AND r.hold_id IS NULL
                  GROUP BY o.from_account) h ON h.from_account = a.id
      LEFT JOIN LATERAL (SELECT l.floor, l.ceiling FROM books.limits l
                          WHERE (l.account_id = a.id OR (l.community_id = a.community_id AND l.account_kind = a.kind))
                            AND l.starts_at < :before AND (l.ends_at IS NULL OR l.ends_at >= :before)
                          ORDER BY l.account_id IS NULL, l.id DESC LIMIT 1) l ON true
     WHERE a.community_id = :community AND a.opened_at < :before ORDER BY a.id
    """
)


def standings(session: Session, community: int, *, before: datetime | None = None) -> list[Standing]:
    """Every account of a community, now or as it stood just ``before`` an instant; the balances sum to zero."""
    rows = session.execute(_THEN if before else _NOW, {"community": community, "before": before})
    return [Standing(*row) for row in rows]


_ENTRIES = """
    SELECT e.id, e.kind, e.cause_kind, e.cause_id, e.happened_on, e.recorded_at, e.by_sign_in, e.by_party, e.by_mandate,
           e.reverses_id, c.id AS corrected_by, n.note
      FROM books.entries e
      LEFT JOIN books.entries c ON c.reverses_id = e.id
      LEFT JOIN books.notes n ON n.fact_id = e.id
     WHERE e.community_id = :community
"""
_NARROWER = {
    "kind": " AND e.kind = :kind",
    "by_sign_in": " AND e.by_sign_in = :by_sign_in",
    "mandates": " AND e.by_mandate = ANY (:mandates)",
    "since": " AND e.recorded_at >= :since",
    "until": " AND e.recorded_at < :until",
}
_MOVED = text(
    """
    SELECT t.entry_id, t.from_account, f.token, f.party_id, t.to_account, o.token, o.party_id, t.minutes
      FROM books.transfers t
      JOIN books.accounts f ON f.id = t.from_account JOIN books.accounts o ON o.id = t.to_account
     WHERE t.entry_id = ANY (:entries) ORDER BY t.entry_id, t.line
    """
)


EVERYTHING = Sought()


def entries(
    session: Session, community: int, sought: Sought = EVERYTHING, *, before: int | None = None, size: int = 25
) -> list[Written]:
    """A page of entries, newest first; ``before`` is the number under which it starts."""
    wanted: dict[str, Any] = {name: value for name, value in sought._asdict().items() if value is not None}
    narrower = "".join(_NARROWER[name] for name in wanted)
    if before is not None:
        narrower += " AND e.id < :before"
    if sought.mandates is not None:
        wanted["mandates"] = list(sought.mandates)
    query = text(f"{_ENTRIES} {narrower} ORDER BY e.id DESC LIMIT :size")
    return _with_moves(session, query, {**wanted, "community": community, "before": before, "size": size})


def entry(session: Session, community: int, number: int) -> Written | None:
    """One entry of a community."""
    query = text(f"{_ENTRIES} AND e.id = :number")
    return next(iter(_with_moves(session, query, {"community": community, "number": number})), None)


def _with_moves(session: Session, query: Any, values: dict[str, Any]) -> list[Written]:
    rows = session.execute(query, values).all()
    moves: dict[int, list[Moved]] = {}
    for row in session.execute(_MOVED, {"entries": [row.id for row in rows]}):
        moves.setdefault(row.entry_id, []).append(Moved(*row))
    whole: list[list[Any]] = [[*row, moves.get(row.id, [])] for row in rows]
    return [Written(*one) for one in whole]


class Month(NamedTuple):
    """What counts in a month: entries, minutes moved, and how many of these entries came late (see ``period_of``).

    ``closed_at`` and who closed it for one whose figures don't change any more.
    """

    month: date
    entries: int
    minutes: int
    late: int
    closed_at: datetime | None
    by_sign_in: int | None


_CLOSED_MONTHS = text(
    """
    SELECT month, entries, minutes, late, recorded_at, by_sign_in FROM books.months
     WHERE community_id = :community ORDER BY month DESC LIMIT 120
    """
)
_OPEN_MONTHS = text(
    """
    SELECT greatest(date_trunc('month', e.happened_on)::date, :first) AS month, count(DISTINCT e.id),
           sum(t.minutes)::bigint, count(DISTINCT e.id) FILTER (WHERE e.happened_on < :first), NULL::timestamptz,
           NULL::bigint
      FROM books.entries e JOIN books.transfers t ON t.entry_id = e.id
     WHERE e.community_id = :community AND (e.id > :closing OR e.happened_on >= :first)
     GROUP BY 1 ORDER BY 1
    """
)
_CLOSING = text("SELECT id, (month + interval '1 month')::date FROM books.months"
                " WHERE community_id = :community AND month = :month")  # fmt: skip


def closed_months(session: Session, community: int) -> list[Month]:
    """The months of a community that are closed, newest first."""
    return [Month(*row) for row in session.execute(_CLOSED_MONTHS, {"community": community})]


def open_months(session: Session, community: int, last: Month | None) -> list[Month]:
    """What counts in each month since the ``last`` one closed, in their order."""
    closing, first = 0, date(1900, 1, 1)
    if last is not None:
        closing, first = session.execute(_CLOSING, {"community": community, "month": last.month}).one()
    values = {"community": community, "closing": closing, "first": first}
    return [Month(*row) for row in session.execute(_OPEN_MONTHS, values)]


_DEFAULTS = text(
    """
    SELECT id, account_kind, floor, ceiling, starts_at, ends_at, coalesce(n.note, ''), recorded_at, by_sign_in, by_party
      FROM books.limits LEFT JOIN books.notes n ON n.fact_id = id
     WHERE community_id = :community AND account_kind IS NOT NULL ORDER BY id DESC LIMIT 200
    """
)


def defaults(session: Session, community: int) -> list[Default]:
    """The defaults by kind of account that a community had, newest first."""
    rows = session.execute(_DEFAULTS, {"community": community})
    return [Default(*row) for row in rows]


class Exceptional(NamedTuple):
    """Limits that one account has of its own, in force or to come: until when, why, and who wrote them."""

    account: int
    floor: int | None
    ceiling: int | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    by_sign_in: int | None


_EXCEPTIONS = text(
    """
    SELECT l.account_id, l.floor, l.ceiling, l.starts_at, l.ends_at, coalesce(n.note, ''), l.by_sign_in
      FROM books.limits l LEFT JOIN books.notes n ON n.fact_id = l.id
     WHERE l.community_id = :community AND l.account_id IS NOT NULL AND l.ends_at > :at ORDER BY l.ends_at LIMIT 200
    """
)


def exceptions(session: Session, community: int, *, at: datetime) -> list[Exceptional]:
    """The exceptions to the limits of a community that are not over, the first to end first."""
    return [Exceptional(*row) for row in session.execute(_EXCEPTIONS, {"community": community, "at": at})]


_LIFE = text(
    """
    SELECT kind, floor, ceiling, starts_at, ends_at, coalesce(n.note, ''), by_sign_in, by_party FROM (
        SELECT id, kind, NULL::bigint AS floor, NULL::bigint AS ceiling, recorded_at AS starts_at,
               NULL::timestamptz AS ends_at, by_sign_in, by_party
          FROM books.account_events WHERE account_id = :account
        UNION ALL
        SELECT id, 'limits', floor, ceiling, starts_at, ends_at, by_sign_in, by_party
          FROM books.limits WHERE account_id = :account) happened
      LEFT JOIN books.notes n ON n.fact_id = id AND kind <> 'opened'
     ORDER BY starts_at, id LIMIT 200
    """
)


def life(session: Session, account: int) -> list[Happening]:
    """What happened to an account besides movements, oldest first."""
    return [Happening(*row) for row in session.execute(_LIFE, {"account": account})]
