"""The books recomputed from their rows. Each check says how many rows it read, and names those that are wrong.

The checks trust nothing that is cached, and ask nothing of the functions that wrote the rows: these don't judge
themselves. Amounts are minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import signatures
from ledger.seals import Frontier
from ledger.signatures import Checkpoint, VerifierKey
from ledger.store import sealing
from ledger.store.sealing import Head

MOST_SHOWN = 20  # wrong rows named by each check
MOST_HEADS = 10_000  # signatures that one audit checks, the newest


class Check(NamedTuple):
    """One question to the rows: ``counted`` is how many it reads, ``wrong`` gives a line for each that is at fault."""

    name: str
    counted: str
    wrong: str


class Finding(NamedTuple):
    """The answer of one check; right when ``wrong`` is empty."""

    name: str
    counted: int
    wrong: list[str]


# The rows of one community, or of all; and ``lines``, every movement seen from each of its two accounts.
# Not materialized: a question that reads the movements twice scans them twice, in parallel, rather than copy them.
_ROWS = """
WITH accounts AS NOT MATERIALIZED (
        SELECT * FROM books.accounts WHERE CAST(:community AS bigint) IS NULL OR community_id = :community),
     entries AS NOT MATERIALIZED (
        SELECT * FROM books.entries WHERE CAST(:community AS bigint) IS NULL OR community_id = :community),
     transfers AS NOT MATERIALIZED (
        SELECT * FROM books.transfers WHERE CAST(:community AS bigint) IS NULL OR community_id = :community),
     holds AS NOT MATERIALIZED (
        SELECT * FROM books.holds WHERE CAST(:community AS bigint) IS NULL OR community_id = :community),
     lines AS NOT MATERIALIZED (
        SELECT from_account AS account, from_seq AS seq, -minutes AS minutes, from_balance AS balance, entry_id
          FROM transfers
        UNION ALL
        SELECT to_account, to_seq, minutes, to_balance, entry_id FROM transfers)
"""
_ALL_ACCOUNTS = "SELECT count(*) FROM accounts"

CHECKS = (
    Check(
        "sum-zero",
        "SELECT count(DISTINCT community_id) FROM accounts",
        """
        SELECT format('community %s: its accounts sum to %s, not to zero', community_id, sum(balance))
          FROM accounts GROUP BY community_id HAVING sum(balance) <> 0
        """,
    ),
    Check(
        "balances",
        _ALL_ACCOUNTS,
        """
        SELECT format('account %s: %s minutes and %s lines are kept, %s and %s are in its movements',
                      a.id, a.balance, a.seq, coalesce(m.minutes, 0), coalesce(m.lines, 0))
          FROM accounts a
          LEFT JOIN (SELECT account, sum(minutes)::bigint AS minutes, sum(lines)::bigint AS lines
                       FROM (SELECT from_account AS account, -sum(minutes) AS minutes, count(*) AS lines
                               FROM transfers GROUP BY from_account
                             UNION ALL
                             SELECT to_account, sum(minutes), count(*) FROM transfers GROUP BY to_account) sides
                      GROUP BY account) m ON m.account = a.id
         WHERE (a.balance, a.seq) IS DISTINCT FROM (coalesce(m.minutes, 0), coalesce(m.lines, 0))
        """,
    ),
    Check(
        "lines",
        "SELECT count(*) FROM lines",
        """
        SELECT format('account %s, line %s (entry %s): ', account, seq, entry_id) || concat_ws(', ',
                   CASE WHEN seq <> place THEN 'not the number that follows' END,
                   CASE WHEN balance <> before + minutes THEN 'not the balance that follows' END,
                   CASE WHEN entry_id < previous THEN 'written before the line above' END,
                   CASE WHEN recorded_at < earlier THEN 'recorded before the line above' END)
          FROM (SELECT l.*, e.recorded_at, row_number() OVER life AS place,
                       lag(l.balance, 1, 0::bigint) OVER life AS before, lag(e.recorded_at) OVER life AS earlier,
                       lag(l.entry_id) OVER life AS previous
                  FROM lines l JOIN books.entries e ON e.id = l.entry_id
                WINDOW life AS (PARTITION BY l.account ORDER BY l.seq)) lived
         WHERE seq <> place OR balance <> before + minutes OR recorded_at < earlier OR entry_id < previous
        """,
    ),
    Check(
        "entries",
        "SELECT count(*) FROM entries",
        """
        SELECT format('entry %s: %s', id, fault) FROM (
            SELECT e.id, CASE
                   WHEN NOT EXISTS (SELECT FROM books.transfers t WHERE t.entry_id = e.id) THEN 'without a movement'
                   WHEN e.happened_on > (e.recorded_at AT TIME ZONE 'UTC')::date + 1 THEN 'of a day to come'
                   WHEN n.note IS NOT NULL AND e.note_digest IS DISTINCT FROM
                        sha256(n.salt || convert_to(n.note, 'UTF8')) THEN 'other words than those written' END AS fault
              FROM entries e LEFT JOIN books.notes n ON n.fact_id = e.id) judged
         WHERE fault IS NOT NULL
        """,
    ),
    Check(
        "corrections",
        "SELECT count(*) FROM entries WHERE reverses_id IS NOT NULL",
        """
        SELECT format('entry %s: not the mirror of entry %s', e.id, e.reverses_id)
          FROM entries e JOIN books.entries o ON o.id = e.reverses_id
         WHERE o.kind = 'correction' OR o.community_id <> e.community_id
            OR (SELECT array_agg(ARRAY[t.from_account, t.to_account, t.minutes] ORDER BY t.line)
                  FROM books.transfers t WHERE t.entry_id = e.id)
               IS DISTINCT FROM
               (SELECT array_agg(ARRAY[t.to_account, t.from_account, t.minutes] ORDER BY t.line DESC)
                  FROM books.transfers t WHERE t.entry_id = o.id)
        """,
    ),
    Check(
        "holds",
        "SELECT count(*) FROM holds",
        """
        SELECT format('hold %s: its resolution (%s) does not fit it', h.id, r.kind)
          FROM holds h JOIN books.hold_resolutions r ON r.hold_id = h.id
          LEFT JOIN books.transfers t ON t.entry_id = r.entry_id
         WHERE r.community_id <> h.community_id OR r.recorded_at < h.recorded_at
            OR (r.kind = 'posted' AND (t.minutes IS NULL OR t.minutes > h.minutes
                OR (t.from_account, t.to_account) IS DISTINCT FROM (h.from_account, h.to_account)))
        """,
    ),
    Check(
        "held",
        _ALL_ACCOUNTS,
        """
        SELECT format('account %s: %s minutes are kept as held, %s are in its open holds',
                      a.id, a.held, coalesce(o.held, 0))
          FROM accounts a
          LEFT JOIN (SELECT h.from_account, sum(h.minutes) AS held FROM holds h
                      WHERE NOT EXISTS (SELECT FROM books.hold_resolutions r WHERE r.hold_id = h.id)
                      GROUP BY h.from_account) o ON o.from_account = a.id
         WHERE a.held <> coalesce(o.held, 0)
        """,
    ),
    # Every account is lived again in the order of the numbers, with what was held at each entry. Few lines
    # are below the highest floor that their account ever had: those alone are judged by the limits of their day. What a
    # hold set aside was checked when it was held; a correction may pass limits.
    Check(
        "floors",
        "SELECT count(*) FROM entries WHERE kind <> 'correction'",
        """
        SELECT format('account %s, entry %s: %s minutes, below its floor of %s', n.account, n.id, n.free, f.floor)
          FROM (SELECT life.*, a.community_id, a.kind
                  FROM (SELECT account, id, sum(free) OVER (PARTITION BY account ORDER BY id) AS free
                          FROM (SELECT from_account AS account, entry_id AS id, -minutes::integer AS free FROM transfers
                                UNION ALL SELECT to_account, entry_id, minutes::integer FROM transfers
                                UNION ALL SELECT from_account, id, -minutes::integer FROM holds
                                UNION ALL SELECT h.from_account, r.id, h.minutes::integer
                                  FROM holds h JOIN books.hold_resolutions r ON r.hold_id = h.id) happened) life
                  JOIN (SELECT a.id, a.community_id, a.kind, max(l.floor) AS highest
                          FROM accounts a
                          JOIN books.limits l
                            ON l.account_id = a.id OR (l.community_id = a.community_id AND l.account_kind = a.kind)
                         GROUP BY a.id, a.community_id, a.kind) a ON a.id = life.account
                 WHERE life.free < a.highest OFFSET 0) n
          JOIN books.entries e ON e.id = n.id AND e.kind <> 'correction'
          CROSS JOIN LATERAL (
              SELECT l.floor FROM books.limits l
               WHERE (l.account_id = n.account OR (l.community_id = n.community_id AND l.account_kind = n.kind))
                 AND l.id < e.id AND l.starts_at <= e.recorded_at AND (l.ends_at IS NULL OR l.ends_at > e.recorded_at)
               ORDER BY l.account_id IS NULL, l.id DESC LIMIT 1) f
         WHERE CASE WHEN n.free < f.floor THEN
               (SELECT sum(CASE WHEN t.from_account = n.account THEN -t.minutes ELSE t.minutes END)
                  FROM books.transfers t WHERE t.entry_id = e.id AND n.account IN (t.from_account, t.to_account)) < 0
               AND NOT EXISTS (SELECT FROM books.hold_resolutions r WHERE r.entry_id = e.id) END
        """,
    ),
    Check(
        "limits",
        _ALL_ACCOUNTS,
        """
        SELECT format('account %s: a floor of %s is kept, %s is in force', a.id, coalesce(a.floor::text, 'none'),
                      coalesce(f.floor::text, 'none'))
          FROM accounts a
          CROSS JOIN LATERAL (SELECT (
                 SELECT l.floor FROM books.limits l
                  WHERE (l.account_id = a.id OR (l.community_id = a.community_id AND l.account_kind = a.kind))
                    AND l.starts_at <= a.clock AND (l.ends_at IS NULL OR l.ends_at > a.clock)
                  ORDER BY l.account_id IS NULL, l.id DESC LIMIT 1) AS floor) f
         WHERE (a.limits_until IS NULL OR a.limits_until > a.clock) AND a.floor IS DISTINCT FROM f.floor
        """,
    ),
    Check(
        "accounts",
        _ALL_ACCOUNTS,
        """
        SELECT format('account %s: %s', id, fault) FROM (
            SELECT a.id, CASE
                   WHEN (o.recorded_at, c.recorded_at) IS DISTINCT FROM (a.opened_at, a.closed_at)
                        THEN 'its opening or its closing is not the one kept'
                   WHEN a.closed_at IS NOT NULL AND (a.balance <> 0 OR a.held <> 0) THEN 'closed, but not at zero'
                   WHEN EXISTS (SELECT FROM lines l JOIN books.entries e ON e.id = l.entry_id
                                 WHERE l.account = a.id AND e.recorded_at > a.closed_at)
                        THEN 'moved after it was closed' END AS fault
              FROM accounts a
              LEFT JOIN books.account_events o ON o.account_id = a.id AND o.kind = 'opened'
              LEFT JOIN books.account_events c ON c.account_id = a.id AND c.kind = 'closed') judged
         WHERE fault IS NOT NULL
        """,
    ),
)

# The seals are those of all communities together.
SEALS = (
    Check(
        "leaves",
        "SELECT count(*) FROM books.leaves",
        """
        SELECT format('leaf %s: fact %s is not what was sealed', l.place, l.fact_id)
          FROM books.leaves l LEFT JOIN books.facts f ON f.id = l.fact_id
         WHERE sha256('\\x00'::bytea || convert_to(f.line, 'UTF8')) IS DISTINCT FROM l.hash
        """,
    ),
    Check(
        "sealed",
        "SELECT count(*) FROM books.facts",
        """
        SELECT format('fact %s was never sealed', f.id) FROM books.facts f
         WHERE f.id <= (SELECT below FROM books.sealing)
           AND NOT EXISTS (SELECT FROM books.leaves l WHERE l.fact_id = f.id)
        """,
    ),
)


def tree(session: Session) -> Finding:
    """The tree made again from its leaves: each head ever signed is that of its size, under a key of the books."""
    names, wrong, frontier = sealing.keys(session), [], Frontier()
    heads = {head.size: head for head in sealing.heads(session, most=MOST_HEADS)}
    last = 0
    for hashes in sealing.leaves(session):
        for start, end in pairwise([0, *(size - last for size in sorted(heads) if last < size < last + len(hashes)),
                                    len(hashes)]):  # fmt: skip
            frontier.extend(hashes[start:end])
            if (head := heads.pop(frontier.size, None)) and (fault := _fault(head, frontier.root(), names)):
                wrong.append(f"head of {head.size} lines: {fault}")
        last = frontier.size
    wrong += [f"head of {size} lines: there are {last}" for size in heads]
    return Finding("heads", last, wrong[:MOST_SHOWN])


def _fault(head: Head, root: bytes, keys: Sequence[VerifierKey]) -> str | None:
    try:
        told = Checkpoint.parse(signatures.verify(head.note, keys).text)
    except (signatures.NotSigned, signatures.Malformed):
        return "signed by none of the keys"
    if (told.size, told.root, head.root) != (head.size, root, root):
        return "not the tree of its lines"
    return None


def run(
    session: Session, checks: Sequence[Check], community: int | None = None, *, at: datetime | None = None,
    rows: str = _ROWS,
) -> list[Finding]:  # fmt: skip
    """Ask these questions in one statement, of one community or of all; ``rows`` names what they read.

    ``at`` is the present, for questions that name it: what is late.
    """
    # materialized: planned to be read to its end, as it is when nothing is wrong, and not for its first rows
    asked = " UNION ALL ".join(
        f"SELECT {place} AS place, ({check.counted}) AS counted,"
        f" ARRAY(WITH wrong AS MATERIALIZED ({check.wrong}) TABLE wrong LIMIT {MOST_SHOWN}) AS wrong"
        for place, check in enumerate(checks)
    )
    answers = session.execute(text(f"{rows} {asked} ORDER BY place"), {"community": community, "at": at})
    return [Finding(check.name, row.counted, list(row.wrong)) for check, row in zip(checks, answers, strict=True)]
