"""Reads for stewardship."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from exchange.members.queries import PartyView
from exchange.stewardship.models import Settlement, SettlementApproval
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


def pending(session: Session, account: int) -> Settlement | None:
    """The settlement of an account that waits for another administrator: the last one proposed."""
    found = session.execute(
        select(Settlement, SettlementApproval.settlement_id)
        .outerjoin(SettlementApproval, SettlementApproval.settlement_id == Settlement.id)
        .where(Settlement.account_id == account)
        .order_by(Settlement.id.desc())
        .limit(1)
    ).one_or_none()
    return found[0] if found is not None and found[1] is None else None


def settlement(session: Session, token: str, *, account: int) -> Settlement | None:
    """A settlement of this account, by its random identifier."""
    wanted = select(Settlement).where(Settlement.token == token, Settlement.account_id == account)
    return session.scalars(wanted).one_or_none()


def approved(session: Session, settlement: int) -> bool:
    """Whether a settlement was approved and written."""
    return session.get(SettlementApproval, settlement) is not None


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
