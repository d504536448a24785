"""Entries: immutable facts, balanced by construction, since minutes only ever move from one account to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ledger.errors import CorrectionOfCorrection, EntryMalformed

MOST = 1_000_000_000  # minutes of one transfer: no sum of balances can overflow
KINDS = ("exchange", "loan", "dues", "opening", "correction", "settlement")


class Acting(NamedTuple):
    """Who acts: the sign-in that types (none for a job), the party it acts for, the mandate that lets it."""

    sign_in: int | None
    party: int
    mandate: int | None = None


class Cause(NamedTuple):
    """What an entry comes from, by kind and id; the edge knows the page of each kind."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """``minutes`` move from the account of who was helped to the account of who helped.

    Raises EntryMalformed for less than one minute or more than MOST, or from an account to itself.
    """

    from_account: int
    to_account: int
    minutes: int

    def __post_init__(self) -> None:
        if type(self.minutes) is not int or not 1 <= self.minutes <= MOST or self.from_account == self.to_account:
            raise EntryMalformed(minutes=self.minutes)

    def mirrored(self) -> Transfer:
        """The transfer that undoes this one."""
        return Transfer(self.to_account, self.from_account, self.minutes)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact in the books of a community: one transfer or more, on one day, of one kind.

    Raises EntryMalformed when it has no transfer or an unknown kind.
    """

    kind: str
    transfers: tuple[Transfer, ...]
    happened_on: date
    cause: Cause | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.transfers or self.kind not in KINDS:
            raise EntryMalformed(kind=self.kind)

    def net(self) -> dict[int, int]:
        """What the whole entry adds to each account, in minutes; the values always sum to zero."""
        effect: dict[int, int] = {}
        for move in self.transfers:
            effect[move.from_account] = effect.get(move.from_account, 0) - move.minutes
            effect[move.to_account] = effect.get(move.to_account, 0) + move.minutes
        return effect

    def reversed(self, *, on: date, reason: str) -> Entry:
        """The correction of this entry: its mirror. Raises CorrectionOfCorrection when it is one already."""
        if self.kind == "correction":
            raise CorrectionOfCorrection
        mirrored = tuple(move.mirrored() for move in reversed(self.transfers))
        return Entry("correction", mirrored, on, self.cause, reason)


def exchange(*, giver: int, receiver: int, minutes: int, happened_on: date, cause: Cause, note: str = "") -> Entry:
    """"Giver gave receiver ``minutes``": they leave the receiver's account and reach the giver's."""
    return Entry("exchange", (Transfer(receiver, giver, minutes),), happened_on, cause, note)
