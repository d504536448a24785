"""The core explains what the database decides: on any books and any entry, both say the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.accounts import Account
from ledger.entries import Entry, Transfer
from ledger.errors import Refused
from ledger.limits import check, check_hold, refusals
from ledger.store import reading, writing
from tests.cast import SATURDAY, Cast, Person
from tests.ledger.conftest import LATER, Books

FEW = settings(
    max_examples=400 if os.environ.get("MARRONNIER_FULL") else 60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
pytestmark = pytest.mark.campaign
minutes = st.integers(1, 2600)
pairs = st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda pair: pair[0] != pair[1])
moves = st.tuples(pairs, minutes)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.lists(moves, min_size=1, max_size=4)),
        st.tuples(st.just("hold"), moves),
        st.tuples(st.just("floor"), st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(-2500, 0)))),
        st.tuples(st.just("leave"), st.integers(0, 3)),
        st.tuples(st.just("close"), st.integers(0, 3)),
    ),
    max_size=12,
)
Said = tuple[str, dict[str, object]] | None


def said_by(act: Callable[[], object]) -> Said:
    """The rule and the figures of a refusal, or None when it is accepted."""
    try:
        act()
    except Refused as refused:
        return refused.rule, refused.facts
    return None


def as_the_core_sees(books: Books, people: list[Person]) -> dict[int, Account]:
    views = [books.account(person) for person in people]
    return {view.id: view.core() for view in views}


def in_the_database(books: Books, act: Callable[[], object]) -> Said:
    def attempt() -> None:
        with books.undone():
            act()

    return said_by(attempt)


@FEW
@given(steps)
def test_the_core_and_the_database_refuse_the_same_for_the_same_reason(
    books: Books, cast: Cast, taken: list[tuple[str, Any]]
) -> None:
    people = [cast.alice, cast.bruno, cast.chloe, cast.denise]
    whole = books.session.begin_nested()
    ids = [books.account(person).id for person in people]
    for verb, what in taken:
        accounts = as_the_core_sees(books, people)
        if verb == "floor":
            place, floor = what
            books.exception(people[place], floor)
        elif verb in {"leave", "close"}:
            in_the_database(books, partial(getattr(books, verb), people[what]))
        elif verb == "post":
            transfers = tuple(Transfer(ids[pair[0]], ids[pair[1]], m) for pair, m in what)
            entry = Entry("exchange", transfers, SATURDAY)
            expected = said_by(partial(check, entry, accounts))
            dry = [(refused.rule, refused.facts) for refused in refusals(entry, accounts)]
            assert expected in dry if dry else expected is None
            assert in_the_database(books, partial(books.post, entry)) == expected
        else:
            (payer, payee), asked = what
            expected = said_by(partial(check_hold, accounts[ids[payer]], accounts[ids[payee]], asked))
            assert in_the_database(books, partial(books.hold, people[payer], people[payee], asked)) == expected
    assert books.total() == 0
    whole.rollback()
    books.session.expire_all()


def test_the_view_of_an_account_is_the_one_that_the_rules_read(books: Books, cast: Cast) -> None:
    hold = books.hold(cast.bruno, cast.alice, 500)
    view = reading.account_of(books.session, books.community, cast.bruno.party.id)
    assert view is not None
    assert view.core().available == 1500
    writing.release_hold(books.session, hold, community=books.community, by=cast.system, at=LATER)
    assert books.account(cast.bruno).core().available == 2000
