"""Who may give or receive how much, to the minute."""

from __future__ import annotations

import pytest

from ledger.accounts import Account
from ledger.errors import AccountClosed, AccountLeaving, FloorReached
from ledger.limits import Limits, check_ending, check_floor


@pytest.mark.parametrize(
    ("before", "effect", "right"),
    [(-60, 30, True), (-60, 60, True), (-60, 61, False), (-60, -1, False), (60, -60, True), (60, -61, False),
     (60, 1, False), (0, 1, False), (0, -1, False), (0, 0, True)],
)  # fmt: skip
def test_who_leaves_only_goes_back_to_zero(before: int, effect: int, right: bool) -> None:
    account = Account(1, before, leaving=True)
    if right:
        check_ending(account, before, effect)
    else:
        with pytest.raises(AccountLeaving) as refused:
            check_ending(account, before, effect)
        assert refused.value.facts == {"account": 1, "balance": before}


def test_a_closed_account_does_not_move_even_by_nothing() -> None:
    with pytest.raises(AccountClosed):
        check_ending(Account(1, 0, closed=True), 0, 0)


@pytest.mark.parametrize(("effect", "held", "right"), [(-60, 0, True), (-61, 0, False), (-60, 1, False), (1, 70, True)])
def test_the_floor_holds_to_the_minute_and_what_comes_in_is_never_refused(effect: int, held: int, right: bool) -> None:
    account = Account(1, 0, held, Limits(-60, None))
    if right:
        check_floor(account, effect)
    else:
        with pytest.raises(FloorReached) as refused:
            check_floor(account, effect)
        assert refused.value.facts == {"account": 1, "floor": -60, "balance": 0, "held": held, "minutes": -effect}
