"""The books with names put beside them, and the checks of what stands around them: only for who may read them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from exchange.audit.models import Verification
from exchange.declarations import queries as declarations
from exchange.members import queries as members
from ledger.store import auditing, browsing
from ledger.store.auditing import Check, Finding
from ledger.store.browsing import Sought, Standing, Written

SEALED_WITHIN = timedelta(minutes=5)  # the worker takes one; beyond, something is wrong
FOR_OTHERS = ("facilitator", "delegate")  # roles under which one acts for somebody else


class Row(NamedTuple):
    """An account of the trial balance, and its holder."""

    standing: Standing
    holder: members.PartyView


class TrialBalance(NamedTuple):
    """Every account of a community at an instant, by name. Figures are minutes."""

    rows: list[Row]

    @property
    def total(self) -> int:
        """Zero, or the books are broken."""
        return sum(row.standing.balance for row in self.rows)

    @property
    def owed(self) -> int:
        """What the accounts above zero have given more than they received."""
        return sum(row.standing.balance for row in self.rows if row.standing.balance > 0)

    @property
    def outside(self) -> list[Row]:
        """The accounts outside their limits."""
        return [row for row in self.rows if row.standing.below or row.standing.above]


def trial_balance(session: Session, community: int, *, before: datetime | None = None) -> TrialBalance:
    """Every account, now or as recorded before an instant, in the order of names."""
    standings = browsing.standings(session, community, before=before)
    holders = members.parties(session, [standing.party for standing in standings])
    rows = [Row(standing, holders[standing.party]) for standing in standings]
    return TrialBalance(sorted(rows, key=lambda row: (row.holder.sort_name, row.standing.account)))


class Told(NamedTuple):
    """An entry with the names of everybody in it, and what caused it in words."""

    written: Written
    parties: dict[int, members.PartyView]
    typed_by: members.Signer | None
    role: str | None  # of the mandate it was written under
    cause: str | None

    @property
    def acting(self) -> str:
        """The name of the party that acted."""
        return self.parties[self.written.by_party].name if self.written.by_party in self.parties else ""

    @property
    def minutes(self) -> int:
        """Everything that it moves."""
        return sum(moved.minutes for moved in self.written.moved)


class Page(NamedTuple):
    """A page of entries, newest first."""

    told: list[Told]
    newer: bool
    older: int | None  # the number under which the next page starts


def tell(session: Session, written: Iterable[Written]) -> list[Told]:
    """Put names and words beside entries, in four queries however many they are."""
    all_ = list(written)
    moved = [move for one in all_ for move in one.moved]
    parties = members.parties(
        session, {one.by_party for one in all_} | {m.from_party for m in moved} | {m.to_party for m in moved}
    )
    signers = members.signers(session, [one.by_sign_in for one in all_])
    roles = _roles(session, [one.by_mandate for one in all_ if one.by_mandate])
    said = declarations.descriptions(
        session, [one.cause_id for one in all_ if one.cause_kind == "declaration" and one.cause_id]
    )
    return [
        Told(
            one, parties, signers.get(one.by_sign_in or 0), roles.get(one.by_mandate or 0),
            said[one.cause_id].description if one.cause_kind == "declaration" and one.cause_id in said else None,
        )
        for one in all_
    ]  # fmt: skip


def entries(
    session: Session, community: int, sought: Sought, *, before: int | None = None, size: int = 25
) -> Page:
    """A page of the entries of a community."""
    found = browsing.entries(session, community, sought, before=before, size=size + 1)
    more, found = len(found) > size, found[:size]
    return Page(tell(session, found), before is not None, found[-1].id if more else None)


def entry(session: Session, community: int, number: int) -> Told | None:
    """One entry, by its number."""
    found = browsing.entry(session, community, number)
    return tell(session, [found])[0] if found else None


def _roles(session: Session, mandates: list[int]) -> dict[int, str]:
    rows = session.execute(text("SELECT id, role FROM mandates WHERE id = ANY (:ids)"), {"ids": mandates})
    return {row.id: row.role for row in rows}


def mandates_for_others(session: Session) -> tuple[int, ...]:
    """The mandates under which somebody acts for another than themselves."""
    rows = session.scalars(text("SELECT id FROM mandates WHERE role = ANY (:roles)"), {"roles": list(FOR_OTHERS)})
    return tuple(rows)


# Whoever acts in this community, or asked to join it: letters to others are none of its business.
_READERS = """
    SELECT s.email FROM sign_ins s JOIN mandates m ON m.sign_in_id = s.id JOIN communities c ON c.id = :community
     WHERE m.party_id = c.party_id
        OR m.party_id IN (SELECT a.party_id FROM books.accounts a WHERE a.community_id = c.id)
    UNION ALL SELECT p.email FROM applications p WHERE p.community_id = :community
"""


class Health(NamedTuple):
    """How a community is: its people, what they exchanged in 30 days and in the 30 before, in minutes; what waits, and
    what is wrong.
    """

    community: int
    people: int
    active: int  # people whose account moved in 90 days
    minutes: int
    minutes_before: int
    applications: int  # that nobody answered
    outside: int  # accounts outside their limits
    lost_letters: int  # that couldn't leave
    unsealed_since: datetime | None  # the oldest fact without a leaf
    wrong: bool  # the books, when they were last recomputed


_HEALTH = f"""
    WITH mine AS (SELECT * FROM books.accounts WHERE community_id = :community),
    moved AS (
        SELECT e.recorded_at, e.happened_on, t.minutes, t.from_account, t.to_account
          FROM books.entries e JOIN books.transfers t ON t.entry_id = e.id
         WHERE e.community_id = :community AND e.kind = 'exchange' AND e.happened_on > :today - 90
           AND NOT EXISTS (SELECT FROM books.entries c WHERE c.reverses_id = e.id))
    SELECT :community,
           (SELECT count(*) FROM mine WHERE kind = 'person' AND closed_at IS NULL),
           (SELECT count(*) FROM mine WHERE kind = 'person' AND closed_at IS NULL
               AND id IN (SELECT from_account FROM moved UNION SELECT to_account FROM moved)),
           (SELECT coalesce(sum(minutes), 0) FROM moved WHERE happened_on > :today - 30)::bigint,
           (SELECT coalesce(sum(minutes), 0) FROM moved WHERE happened_on BETWEEN :today - 59 AND :today - 30)::bigint,
           (SELECT count(*) FROM applications a WHERE a.community_id = :community
               AND NOT EXISTS (SELECT FROM application_decisions d WHERE d.application_id = a.id)),
           (SELECT count(*) FROM mine WHERE closed_at IS NULL AND (balance - held < floor OR balance > ceiling)),
           (SELECT count(*) FROM outbox o
             WHERE o.failure IS NOT NULL AND o.sent_at IS NULL AND o.recipient IN ({_READERS})),
           (SELECT min(e.recorded_at) FROM books.entries e
             WHERE e.id > (SELECT coalesce(max(fact_id), 0) FROM books.leaves)
               AND e.recorded_at < :late),
           (SELECT coalesce(bool_or(f -> 'wrong' <> '[]'), false) FROM jsonb_array_elements(
               (SELECT v.findings FROM verifications v WHERE v.community_id = :community AND v.findings IS NOT NULL
                 ORDER BY v.id DESC LIMIT 1)) f)
"""  # noqa: S608 - a constant


def health(session: Session, community: int, *, today: date, at: datetime) -> Health:
    """How a community is, in one query."""
    values = {"community": community, "today": today, "late": at - SEALED_WITHIN}
    return Health(*session.execute(text(_HEALTH), values).one())


class Kept(NamedTuple):
    """A letter of the outbox."""

    id: int
    recipient: str
    subject: str
    body: str
    written_at: datetime
    sent_at: datetime | None
    failure: str | None


_LETTERS = f"""
    SELECT o.id, o.recipient, o.subject, o.body, o.written_at, o.sent_at, o.failure FROM outbox o
     WHERE o.recipient IN ({_READERS}) AND o.id < :before ORDER BY o.id DESC LIMIT :size
"""  # noqa: S608 - a constant


def letters(session: Session, community: int, *, before: int | None = None, size: int = 25) -> list[Kept]:
    """The letters to the people of a community, newest first."""
    values = {"community": community, "before": before or 2**62, "size": size}
    return [Kept(*row) for row in session.execute(text(_LETTERS), values)]


# What stands around the books must agree with them. The rows of several capabilities are read here by their SQL: an
# audit that used their own code would believe it.
AROUND = (
    Check(
        "declarations",
        "SELECT count(*) FROM declaration_answers WHERE answer = 'confirmed' AND {here}",
        """
        SELECT format('declaration %s: its entry %s is not what was declared', d.id, a.entry_id)
          FROM declaration_answers a JOIN declarations d ON d.id = a.declaration_id
          LEFT JOIN books.entries e ON e.id = a.entry_id
         WHERE a.answer = 'confirmed' AND {a_here}
           AND ((e.kind, e.cause_kind, e.cause_id, e.happened_on)
                IS DISTINCT FROM ('exchange', 'declaration', d.id, d.happened_on)
                OR (SELECT array_agg(ARRAY[t.from_account, t.to_account, t.minutes]) FROM books.transfers t
                     WHERE t.entry_id = a.entry_id)
                   IS DISTINCT FROM ARRAY[ARRAY[d.receiver_account, d.giver_account, d.minutes]])
        """,
    ),
    Check(
        "exchanges",
        "SELECT count(*) FROM books.entries WHERE kind = 'exchange' AND {here}",
        """
        SELECT format('entry %s: an exchange that nobody declared', e.id) FROM books.entries e
         WHERE e.kind = 'exchange' AND {e_here}
           AND NOT EXISTS (SELECT FROM declaration_answers a WHERE a.entry_id = e.id AND a.answer = 'confirmed')
           -- for a day's work the common account gives: who answers for it writes that, and nobody declares it
           AND (e.cause_kind IS NOT NULL OR EXISTS (
               SELECT FROM books.transfers t JOIN books.accounts c ON c.id = t.from_account
                WHERE t.entry_id = e.id AND c.kind <> 'community'))
        """,
    ),
    Check(
        "loans",
        "SELECT count(*) FROM bookings WHERE minutes > 0 AND {here}",
        """
        SELECT format('booking %s: accepted, its %s minutes are not held as agreed', b.id, b.minutes)
          FROM bookings b JOIN booking_decisions d ON d.booking_id = b.id AND d.verdict = 'accepted'
          LEFT JOIN books.holds h ON h.id = d.hold_id
         WHERE b.minutes > 0 AND {b_here}
           AND (h.cause_kind, h.cause_id, h.from_account, h.to_account, h.minutes)
               IS DISTINCT FROM ('booking', b.id, b.account_id, b.lender_account_id, b.minutes)
        """,
    ),
    Check(
        "followed",
        """
        SELECT count(*) FROM booking_decisions d JOIN bookings b ON b.id = d.booking_id
         WHERE d.hold_id IS NOT NULL AND {b_here}
        """,
        """
        SELECT format('booking %s: ended on %s, its %s minutes are still held', b.id,
                      (b.ends_at AT TIME ZONE b.zone)::date, h.minutes)
          FROM booking_decisions d JOIN bookings b ON b.id = d.booking_id JOIN books.holds h ON h.id = d.hold_id
         WHERE {b_here} AND b.ends_at < CAST(:at AS timestamptz) - interval '3 days'
           AND NOT EXISTS (SELECT FROM books.hold_resolutions r WHERE r.hold_id = h.id)
           AND (NOT EXISTS (SELECT FROM hand_overs o WHERE o.booking_id = b.id)
                OR EXISTS (SELECT FROM returns r WHERE r.booking_id = b.id))
        """,
    ),
    Check(
        "mandates",
        "SELECT count(*) FROM books.entries WHERE {here}",
        """
        SELECT format('entry %s: written by sign-in %s for party %s without their mandate',
                      e.id, e.by_sign_in, e.by_party)
          FROM books.entries e LEFT JOIN mandates m ON m.id = e.by_mandate
         WHERE {e_here} AND CASE
               WHEN e.by_sign_in IS NULL THEN NOT EXISTS (SELECT FROM parties p WHERE p.id = e.by_party)
               WHEN m.id IS NULL OR m.sign_in_id <> e.by_sign_in THEN true
               WHEN (e.recorded_at AT TIME ZONE 'UTC')::date < m.starts_on - 1 THEN true
               WHEN m.role = 'facilitator' THEN m.party_id NOT IN (SELECT c.party_id FROM communities c
                                                                    WHERE c.id = e.community_id)
               ELSE m.party_id <> e.by_party END
        """,
    ),
)


_HERE = "(CAST(:community AS bigint) IS NULL OR {}community_id = :community)"


def _filled(question: Check) -> Check:
    here = {"here": _HERE.format(""), **{f"{table}_here": _HERE.format(f"{table}.") for table in ("a", "b", "e")}}
    return Check(question.name, question.counted.format(**here), question.wrong.format(**here))


def checks(session: Session, community: int | None = None, *, at: datetime) -> Iterator[Finding]:
    """Everything recomputed as of ``at``, question after question; of all communities when none is named."""
    for question in auditing.CHECKS:
        yield from auditing.run(session, [question], community, at=at)
    for question in AROUND:
        yield from auditing.run(session, [_filled(question)], community, at=at, rows="")
    for question in auditing.SEALS:
        yield from auditing.run(session, [question], at=at, rows="")
    yield auditing.tree(session)


class Recomputed(NamedTuple):
    """Books that were recomputed: the instant of which it tells the state, who asked, and what was found."""

    at: datetime
    by_sign_in: int | None
    findings: list[Finding]

    @property
    def right(self) -> bool:
        """Whether everything agrees."""
        return not any(finding.wrong for finding in self.findings)


def recomputed(session: Session, community: int) -> Recomputed | None:
    """What the last recomputing of the books of a community found; None before the first."""
    last = session.scalars(
        select(Verification).where(Verification.community_id == community, Verification.recomputed_at.is_not(None))
        .order_by(Verification.id.desc()).limit(1)
    ).first()  # fmt: skip
    if last is None or last.recomputed_at is None:
        return None
    return Recomputed(last.recomputed_at, last.by_sign_in, [Finding(**found) for found in last.findings or []])


def recomputing(session: Session, community: int) -> Verification | None:
    """The recomputing that was asked, and is not done yet."""
    waits = Verification.recomputed_at.is_(None)
    return session.scalars(select(Verification).where(Verification.community_id == community, waits)).one_or_none()
