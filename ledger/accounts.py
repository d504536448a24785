"""What an account is: where the minutes of one party are counted in one community."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.limits import UNLIMITED, Limits

KINDS = ("person", "organisation", "authority", "community", "transit")


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the rules see it, in minutes: its balance, what holds set aside, its limits in force.

    Of a holder who is leaving it only moves toward zero; closed, it doesn't move.
    """

    id: int
    balance: int = 0
    held: int = 0
    limits: Limits = UNLIMITED
    leaving: bool = False
    closed: bool = False

    @property
    def available(self) -> int | None:
        """What may still leave the account, in minutes; None without a floor."""
        if self.limits.floor is None:
            return None
        return max(self.balance - self.held - self.limits.floor, 0)
