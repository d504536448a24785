"""Reads of what was lent, asked and refused, in a few questions whatever the year holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from exchange.reports.models import CouncilRate
from exchange.reports.policy import Rate


def rates_of(session: Session, lenders: Collection[int]) -> list[Rate]:
    """Every rate that the councils of these lenders voted, the last one that begins first."""
    rows = session.scalars(
        select(CouncilRate)
        .where(CouncilRate.lender_id.in_(lenders))
        .order_by(CouncilRate.starts_on.desc(), CouncilRate.id.desc())
    )
    return [
        Rate(row.id, row.lender_id, row.resource_id, row.category, row.cents, row.per, row.starts_on,
             row.decision_number, row.decision_date)
        for row in rows
    ]  # fmt: skip


class Fact(NamedTuple):
    """One resource of a booking that was accepted and has begun. ``had``: how many were had in fact.

    A room is used from its start; things, once they are handed over, as many as left.
    """

    booking: int
    token: str
    lender: int
    party: int
    starts_at: datetime
    ends_at: datetime
    people: int | None
    came: int | None
    missed: bool
    resource: int
    kind: str
    name: str
    category: str
    had: int


_FACTS = """
    SELECT b.id, b.token, b.lender_id, b.party_id, b.starts_at, b.ends_at, b.people, a.people, n.booking_id IS NOT NULL,
           r.id, r.kind, r.name, r.category,
           CASE WHEN r.kind = 'room' THEN 1 WHEN h.booking_id IS NULL THEN 0 ELSE coalesce(t.quantity, i.quantity) END
      FROM bookings b
      JOIN booking_decisions d ON d.booking_id = b.id AND d.verdict = 'accepted'
      JOIN booking_items i ON i.booking_id = b.id
      JOIN resources r ON r.id = i.resource_id
      LEFT JOIN booking_cancellations c ON c.booking_id = b.id
      LEFT JOIN hand_overs h ON h.booking_id = b.id
      LEFT JOIN handed_items t ON t.item_id = i.id
      LEFT JOIN no_shows n ON n.booking_id = b.id
      LEFT JOIN attendances a ON a.booking_id = b.id
     WHERE b.{whose} = :whose AND b.starts_at < :until AND b.ends_at > :since AND b.starts_at <= :at
       AND c.booking_id IS NULL
     ORDER BY b.starts_at, b.id, i.id
"""
_OF_LENDER, _OF_PARTY = (text(_FACTS.format(whose=whose)) for whose in ("lender_id", "party_id"))


def facts_of_lender(session: Session, lender: int, since: datetime, until: datetime, *, at: datetime) -> list[Fact]:
    """What this lender lent between two instants."""
    values = {"whose": lender, "since": since, "until": until, "at": at}
    return [Fact(*row) for row in session.execute(_OF_LENDER, values)]


def facts_of_party(session: Session, party: int, since: datetime, until: datetime, *, at: datetime) -> list[Fact]:
    """What this party was lent between two instants."""
    values = {"whose": party, "since": since, "until": until, "at": at}
    return [Fact(*row) for row in session.execute(_OF_PARTY, values)]


_FIRST = "SELECT min(starts_at) FROM bookings WHERE {whose} = :whose"
_FIRST_OF_LENDER, _FIRST_OF_PARTY = (text(_FIRST.format(whose=whose)) for whose in ("lender_id", "party_id"))


def first_of_lender(session: Session, lender: int) -> datetime | None:
    """When the first loan that was ever asked of a lender began."""
    found: datetime | None = session.scalar(_FIRST_OF_LENDER, {"whose": lender})
    return found


def first_of_party(session: Session, party: int) -> datetime | None:
    """When the first loan that a party ever asked for began."""
    found: datetime | None = session.scalar(_FIRST_OF_PARTY, {"whose": party})
    return found


class Refusal(NamedTuple):
    """A request that was declined, or a booking that its lender took back (``act`` is "revoked"), on a named ground."""

    token: str
    act: str
    party: int
    class_: str
    ground: str
    text: str
    by_sign_in: int | None
    asked_at: datetime
    decided_at: datetime
    starts_at: datetime
    ends_at: datetime
    resources: list[str]  # their names


class Sought(NamedTuple):
    """What a log is narrowed to: decided between two instants, about a resource."""

    since: datetime
    until: datetime
    resource: int | None = None


_REFUSED = """
    WITH refused AS (
        SELECT b.id, b.token, 'declined' AS act, b.party_id, d.ground, d.text, d.by_sign_in, b.asked_at,
               d.decided_at AS decided_at, b.starts_at, b.ends_at
          FROM bookings b JOIN booking_decisions d ON d.booking_id = b.id AND d.verdict = 'declined'
         WHERE b.lender_id = :lender
         UNION ALL
        SELECT b.id, b.token, 'revoked', b.party_id, c.ground, c.reason, c.by_sign_in, b.asked_at,
               c.cancelled_at, b.starts_at, b.ends_at
          FROM bookings b JOIN booking_cancellations c ON c.booking_id = b.id
         WHERE b.lender_id = :lender AND c.ground IN ('property', 'services', 'order', 'rule', 'other')),
    sought AS (
        SELECT r.*, coalesce(o.class, 'inhabitant') AS class
          FROM refused r LEFT JOIN organisations o ON o.party_id = r.party_id
         WHERE r.decided_at >= :since AND r.decided_at < :until
           AND (CAST(:resource AS bigint) IS NULL OR EXISTS (
               SELECT FROM booking_items i WHERE i.booking_id = r.id AND i.resource_id = :resource)))
"""
_LOG = text(
    f"""{_REFUSED}
    SELECT s.token, s.act, s.party_id, s.class, s.ground, s.text, s.by_sign_in, s.asked_at, s.decided_at, s.starts_at,
           s.ends_at, ARRAY (SELECT r.name FROM booking_items i JOIN resources r ON r.id = i.resource_id
                              WHERE i.booking_id = s.id ORDER BY i.id)
      FROM sought s WHERE CAST(:ground AS text) IS NULL OR s.ground = :ground
     ORDER BY s.decided_at DESC, s.id DESC LIMIT :size OFFSET :skip
    """  # noqa: S608 - a constant
)
_GROUNDS = text(
    f"{_REFUSED} SELECT s.class, s.ground, s.act, count(*) FROM sought s GROUP BY 1, 2, 3"  # noqa: S608 - a constant
)
_VERDICTS = text(
    """
    SELECT coalesce(o.class, 'inhabitant'), d.verdict, count(*)
      FROM bookings b JOIN booking_decisions d ON d.booking_id = b.id
      LEFT JOIN organisations o ON o.party_id = b.party_id
     WHERE b.lender_id = :lender AND b.replaces_id IS NULL
       AND (d.verdict = 'accepted' OR (d.verdict = 'expired' AND b.changes_id IS NULL))
       AND d.decided_at >= :since AND d.decided_at < :until
       AND (CAST(:resource AS bigint) IS NULL OR EXISTS (
           SELECT FROM booking_items i WHERE i.booking_id = b.id AND i.resource_id = :resource))
     GROUP BY 1, 2
    """
)


def refusals(
    session: Session, lender: int, sought: Sought, *, ground: str | None = None, size: int, skip: int = 0
) -> list[Refusal]:
    """What a lender refused, the last decided first."""
    values = {"lender": lender, **sought._asdict(), "ground": ground, "size": size, "skip": skip}
    return [Refusal(*row) for row in session.execute(_LOG, values)]


class Answers(NamedTuple):
    """How the requests of one class were answered; ``grounds`` counts what was declined and what was taken back."""

    class_: str
    accepted: int
    declined: int
    revoked: int
    unanswered: int  # until it was too late
    grounds: dict[str, int]

    @property
    def refused(self) -> int:
        """What stands in the log."""
        return self.declined + self.revoked

    @property
    def share(self) -> float:
        """Which part of the requests that were answered was declined, from 0 to 1."""
        return self.declined / ((self.accepted + self.declined) or 1)


def answers(session: Session, lender: int, sought: Sought, classes: Sequence[str]) -> list[Answers]:
    """What became of the requests of each of these classes, in two questions; those that asked for nothing are left
    out.
    """
    values = {"lender": lender, **sought._asdict()}
    verdicts = {(row[0], row[1]): row[2] for row in session.execute(_VERDICTS, values)}
    grounds = session.execute(_GROUNDS, values).all()
    found = []
    for class_ in classes:
        mine = [row for row in grounds if row[0] == class_]
        acts = {act: sum(row[3] for row in mine if row[2] == act) for act in ("declined", "revoked")}
        by_ground: dict[str, int] = {}
        for row in mine:
            by_ground[row[1]] = by_ground.get(row[1], 0) + row[3]
        found.append(Answers(class_, verdicts.get((class_, "accepted"), 0), acts["declined"], acts["revoked"],
                             verdicts.get((class_, "expired"), 0), by_ground))  # fmt: skip
    return [each for each in found if any(each[1:5])]
