"""Rules of stewardship, without any I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from exchange.errors import Invalid
from ledger.errors import CorrectionGains

KINDS_FOR = {"person": ("person",), "organisation": ("organisation", "authority")}  # kind of party -> of its account


def check_nobody_gains(gains: Mapping[int, int], *, acts_for: Collection[int]) -> None:
    """Raise CorrectionGains when who corrects acts, under any mandate, for a party that would gain minutes by it."""
    if any(minutes > 0 and party in acts_for for party, minutes in gains.items()):
        raise CorrectionGains


def check_kind(kind: str, *, party_kind: str) -> None:
    """Raise Invalid when a party of this kind can't have an account of that kind."""
    if kind not in KINDS_FOR.get(party_kind, ()):
        raise Invalid(field="kind", why="account-kind")
