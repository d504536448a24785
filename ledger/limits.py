"""Floors and ceilings. The database's functions decide; this explains, previews and verifies the same rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ledger.errors import AccountClosed, AccountLeaving, AccountUnknown, FloorReached, Refused

if TYPE_CHECKING:
    from ledger.accounts import Account
    from ledger.entries import Entry

PERSON_FLOOR = -2000  # minutes: about 33 hours received ahead (practice of the SEL de Vilaine)
PERSON_CEILING = 2000


class Limits(NamedTuple):
    """Bounds of a balance, in minutes. A floor refuses; a ceiling is soft: it only alerts."""

    floor: int | None = None
    ceiling: int | None = None


UNLIMITED = Limits()


def check(entry: Entry, accounts: Mapping[int, Account]) -> None:
    """Raise what the books would raise: AccountUnknown, else AccountClosed or AccountLeaving, else FloorReached.

    Of several accounts, the one of the smallest id is named.

    Only an account that the whole entry takes from is checked: one already outside may move toward zero.
    """
    effect = entry.net()
    for number in sorted(effect):
        if number not in accounts:
            raise AccountUnknown(account=number)
    for number in sorted(effect):
        check_ending(accounts[number], accounts[number].balance, effect[number])
    for number in sorted(effect):
        check_floor(accounts[number], effect[number])


def refusals(entry: Entry, accounts: Mapping[int, Account]) -> list[Refused]:
    """Everything that would refuse the entry, once for each account, in the order of ids: a dry run of ``check``."""
    found: list[Refused] = []
    for number, minutes in sorted(entry.net().items()):
        try:
            if number not in accounts:
                raise AccountUnknown(account=number)
            check_account(accounts[number], minutes)
        except Refused as refused:
            found.append(refused)
    return found


def check_ending(account: Account, before: int, effect: int) -> None:
    """Raise AccountClosed, or AccountLeaving when ``effect`` minutes don't take ``before`` toward zero."""
    if account.closed:
        raise AccountClosed(account=account.id)
    if account.leaving and not min(before, 0) <= before + effect <= max(before, 0):
        raise AccountLeaving(account=account.id, balance=before)


def check_account(account: Account, effect: int) -> None:
    """Raise what ``effect`` minutes on one account would: AccountClosed or AccountLeaving, else FloorReached."""
    check_ending(account, account.balance, effect)
    check_floor(account, effect)


def check_floor(account: Account, effect: int) -> None:
    """Raise FloorReached when ``effect`` minutes would take the account below its floor."""
    floor = account.limits.floor
    if effect < 0 and floor is not None and account.balance + effect - account.held < floor:
        raise FloorReached(
            account=account.id, floor=floor, balance=account.balance, held=account.held, minutes=-effect
        )


def check_hold(payer: Account, payee: Account, minutes: int) -> None:
    """Raise what setting ``minutes`` aside would raise: who pays needs them now, and nobody leaving waits for any."""
    for account in sorted((payer, payee), key=lambda account: account.id):
        if account is payer:
            check_ending(payer, payer.balance - payer.held, -minutes)
        else:
            check_ending(payee, 0, minutes)
    check_floor(payer, -minutes)
