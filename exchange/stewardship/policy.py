"""Rules of stewardship, without any I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from exchange.errors import Invalid
from ledger.entries import Entry, Transfer
from ledger.errors import CorrectionGains

KINDS_FOR = {"person": ("person",), "organisation": ("organisation", "authority")}  # kind of party -> of its account


COLLECTED = "dues"  # each gives to the community's account; anything else comes from it
WRITTEN_AS = {"work": "exchange"}  # who works for everybody helps the community, as one helps a neighbour


def levy(kind: str, accounts: Iterable[int], *, common: int, minutes: int, on: date, note: str) -> Entry:
    """The same minutes for each account, in one entry: dues to the ``common`` account; from it an opening credit, or
    the thanks for a day's work.

    Raises EntryMalformed when there is no account.
    """
    moves = (
        Transfer(account, common, minutes) if kind == COLLECTED else Transfer(common, account, minutes)
        for account in accounts
    )
    return Entry(WRITTEN_AS.get(kind, kind), tuple(moves), on, None, note)


def check_nobody_gains(gains: Mapping[int, int], *, acts_for: Collection[int]) -> None:
    """Raise CorrectionGains when who corrects acts, under any mandate, for a party that would gain minutes by it."""
    if any(minutes > 0 and party in acts_for for party, minutes in gains.items()):
        raise CorrectionGains


def check_kind(kind: str, *, party_kind: str) -> None:
    """Raise Invalid when a party of this kind can't have an account of that kind."""
    if kind not in KINDS_FOR.get(party_kind, ()):
        raise Invalid(field="kind", why="account-kind")
