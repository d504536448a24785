"""Reads for stewardship."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.members.queries import PartyView
from ledger.store.browsing import Written

# who is meant -> the kinds of their accounts
WHOM = {
    "person": ("person",),
    "organisation": ("organisation",),
    "everybody": ("person", "organisation"),
}


def gains(entry: Written, *, community_party: int) -> dict[int, int]:
    """What each party would gain (or lose, below zero) by the correction of an entry, in minutes.

    The community's own account is left out: it is nobody's gain.
    """
    effect: dict[int, int] = {}
    for moved in entry.moved:
        effect[moved.from_party] = effect.get(moved.from_party, 0) + moved.minutes
        effect[moved.to_party] = effect.get(moved.to_party, 0) - moved.minutes
    effect.pop(community_party, None)
    return effect


_LEVIED = text(
    """
    SELECT max(e.id) FROM books.entries e
     WHERE e.community_id = :community AND e.kind = :kind AND e.happened_on = :on
       AND NOT EXISTS (SELECT FROM books.entries c WHERE c.reverses_id = e.id)
    """
)


def levied(session: Session, community: int, kind: str, *, on: date) -> int | None:
    """The number of the last entry of this kind for a day that was not corrected: perhaps the same, written already."""
    found: int | None = session.scalar(_LEVIED, {"community": community, "kind": kind, "on": on})
    return found


_WITHOUT = text(
    """
    SELECT p.id, p.token, p.kind, p.name, p.sort_name FROM parties p
     WHERE p.kind IN ('person', 'organisation')
       AND NOT EXISTS (SELECT FROM books.accounts a WHERE a.community_id = :community AND a.party_id = p.id
                                                      AND a.kind <> 'transit')
     ORDER BY p.sort_name, p.id LIMIT 2000
    """
)


def without_account(session: Session, community: int) -> list[PartyView]:
    """People and organisations of the territory that have no account in a community, by name."""
    return [PartyView(*row) for row in session.execute(_WITHOUT, {"community": community})]
