"""The rules without a database: entries, limits, statements."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.accounts import Account
from ledger.entries import MOST, Cause, Entry, Transfer, exchange
from ledger.errors import AccountClosed, AccountUnknown, CorrectionOfCorrection, EntryMalformed, FloorReached
from ledger.limits import Limits, check, check_hold
from ledger.statements import Broken, Line, breaks

DAY = date(2026, 11, 21)
ALICE, BRUNO, CHLOE = 1, 2, 3


def entry(*moves: tuple[int, int, int]) -> Entry:
    return Entry("exchange", tuple(Transfer(*move) for move in moves), DAY)


moves = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 500)).filter(lambda move: move[0] != move[1]),
    min_size=1, max_size=8,
)  # fmt: skip


@pytest.mark.parametrize("minutes", [0, -1, MOST + 1, 1.5, "90", None, True])
def test_a_transfer_is_of_whole_minutes_from_one_up(minutes: object) -> None:
    with pytest.raises(EntryMalformed):
        Transfer(ALICE, BRUNO, minutes)


def test_nobody_gives_to_themselves() -> None:
    with pytest.raises(EntryMalformed):
        Transfer(ALICE, ALICE, 60)


def test_an_entry_has_a_movement_and_a_known_kind() -> None:
    with pytest.raises(EntryMalformed):
        Entry("exchange", (), DAY)
    with pytest.raises(EntryMalformed):
        Entry("gift", (Transfer(ALICE, BRUNO, 1),), DAY)


def test_who_was_helped_pays_who_helped() -> None:
    written = exchange(giver=ALICE, receiver=BRUNO, minutes=90, happened_on=DAY, cause=Cause("declaration", 7))
    assert written.net() == {ALICE: 90, BRUNO: -90}


@given(moves)
def test_whatever_moves_the_sum_is_zero(moved: list[tuple[int, int, int]]) -> None:
    assert sum(entry(*moved).net().values()) == 0


@given(moves)
def test_a_correction_undoes_the_whole_entry(moved: list[tuple[int, int, int]]) -> None:
    written = entry(*moved)
    mirror = written.reversed(on=DAY, reason="Saisi deux fois")
    assert {account: -minutes for account, minutes in written.net().items()} == mirror.net()
    with pytest.raises(CorrectionOfCorrection):
        mirror.reversed(on=DAY, reason="Encore")


def test_a_floor_refuses_with_the_figures_that_explain_it() -> None:
    bruno = Account(BRUNO, balance=-1950, held=20, limits=Limits(-2000))
    with pytest.raises(FloorReached) as refused:
        check(entry((BRUNO, ALICE, 31)), {ALICE: Account(ALICE), BRUNO: bruno})
    assert refused.value.facts == {"account": BRUNO, "floor": -2000, "balance": -1950, "held": 20, "minutes": 31}
    assert bruno.available == 30
    check(entry((BRUNO, ALICE, 30)), {ALICE: Account(ALICE), BRUNO: bruno})


def test_an_account_already_below_may_only_come_up() -> None:
    below = {ALICE: Account(ALICE), BRUNO: Account(BRUNO, balance=-2500, limits=Limits(-2000))}
    check(entry((ALICE, BRUNO, 10)), below)
    with pytest.raises(FloorReached):
        check(entry((BRUNO, ALICE, 1)), below)


def test_only_the_net_effect_of_the_whole_entry_counts() -> None:
    accounts = {n: Account(n, limits=Limits(-100)) for n in (ALICE, BRUNO, CHLOE)}
    check(entry((ALICE, BRUNO, 500), (CHLOE, ALICE, 100), (BRUNO, ALICE, 400)), accounts)


def test_a_ceiling_never_refuses() -> None:
    check(entry((BRUNO, ALICE, 50)), {ALICE: Account(ALICE, 2000, limits=Limits(-2000, 2000)), BRUNO: Account(BRUNO)})


def test_closed_and_unknown_accounts_are_refused() -> None:
    with pytest.raises(AccountClosed):
        check(entry((BRUNO, ALICE, 5)), {ALICE: Account(ALICE, closed=True), BRUNO: Account(BRUNO)})
    with pytest.raises(AccountUnknown):
        check(entry((BRUNO, ALICE, 5)), {ALICE: Account(ALICE)})


def test_holding_is_refused_as_paying_would_be() -> None:
    with pytest.raises(FloorReached):
        check_hold(Account(BRUNO, held=2000, limits=Limits(-2000)), Account(ALICE), 1)


def test_an_account_without_a_floor_has_no_end() -> None:
    assert Account(ALICE).available is None


def line(seq: int, minutes: int, balance: int) -> Line:
    noon = datetime(2026, 11, 21, tzinfo=UTC)
    return Line(seq, seq, "exchange", None, None, DAY, noon, minutes, balance, 2, 2, None, 1, None, None)


def test_a_statement_that_follows_has_no_break() -> None:
    assert breaks([line(1, 60, 60), line(2, -90, -30)]) == []
    assert breaks([line(8, -90, -30)], before=(7, 60)) == []


def test_a_missing_line_and_a_wrong_balance_are_both_named() -> None:
    assert breaks([line(1, 60, 60), line(3, 5, 65)]) == [Broken(3, "seq")]
    assert breaks([line(1, 60, 61), line(2, 5, 66)]) == [Broken(1, "balance")]
