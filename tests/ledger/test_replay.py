"""Facts taken one by one, as an export gives them: what may follow what, to the minute and to the month."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from ledger import replay
from ledger.replay import SHAPES, Fold, Wrong
from ledger.signatures import SigningKey

KEY = str(SigningKey.generate("livre.example.org").public)
COMMUNITY, ALICE, BRUNO, COMMON = 1, 10, 20, 30
MINUTE = iter(f"2026-09-03T{n // 60 % 24:02}:{n % 60:02}:00.000000Z" for n in count())


class Books:
    """A fold, and the facts that lead it on; the numbers and balances are those that it must find."""

    def __init__(self) -> None:
        self.fold = Fold()
        self._numbers = count(100)
        self.lines = dict.fromkeys((ALICE, BRUNO, COMMON), (0, 0))
        for account, kind in ((ALICE, "person"), (BRUNO, "person"), (COMMON, "community")):
            self.take("account", account=account, kind="opened", account_kind=kind)

    def take(self, fact: str, **said: Any) -> int:
        """Add a fact with these values, and null or now for the others; its number."""
        number = said.pop("id", None) or next(self._numbers)
        usual: dict[str, Any] = {"fact": fact, "id": number, "community": COMMUNITY, "recorded_at": next(MINUTE),
                                 "by_party": 1, "note": None if fact != "limit" else "ab" * 32}  # fmt: skip
        told = {name: said.get(name, usual.get(name)) for name in SHAPES[fact]}
        self.fold.take(told)
        return number

    def entry(self, payer: int, payee: int, minutes: int, kind: str = "exchange", **said: Any) -> int:
        """Minutes move from one account to another."""
        (from_seq, paid), (to_seq, got) = self.lines[payer], self.lines[payee]
        move = {
            "from": payer, "to": payee, "minutes": minutes, "from_seq": from_seq + 1, "from_balance": paid - minutes,
            "to_seq": to_seq + 1, "to_balance": got + minutes,
        }  # fmt: skip
        number = self.take("entry", **{"kind": kind, "happened_on": "2026-09-03", "transfers": [move], **said})
        self.lines[payer], self.lines[payee] = (from_seq + 1, paid - minutes), (to_seq + 1, got + minutes)
        return number

    def leaves(self, account: int, kind: str = "leaving") -> int:
        """Somebody leaves, or their account is closed."""
        return self.take("account", account=account, kind=kind, account_kind="person")

    def floor(self, floor: int | None, **said: Any) -> int:
        """The floor of people, or of one account."""
        wanted = {"account_kind": None if "account" in said else "person", "starts_at": "2026-09-04T00:00:00.000000Z"}
        return self.take("limit", floor=floor, **{**wanted, **said})


@pytest.fixture
def books() -> Books:
    return Books()


def refused(rule: str, act: Any, *args: Any, **said: Any) -> dict[str, Any]:
    """The act is refused by this rule; what it says of it."""
    with pytest.raises(Wrong) as wrong:
        act(*args, **said)
    assert wrong.value.rule == rule
    return wrong.value.facts


@pytest.mark.parametrize(
    ("month", "after"), [("2026-01", "2026-02"), ("2026-11", "2026-12"), ("2026-12", "2027-01"), ("1999-12", "2000-01")]
)
def test_the_month_that_follows(month: str, after: str) -> None:
    assert replay._after(month) == after


@pytest.mark.parametrize(
    ("minutes", "right"), [(30, True), (60, True), (61, False), (-1, False)], ids=["half", "to zero", "beyond", "away"]
)
def test_who_leaves_only_goes_back_to_zero(books: Books, minutes: int, right: bool) -> None:
    books.entry(ALICE, BRUNO, 60)
    books.leaves(ALICE)
    books.leaves(BRUNO)
    payer, payee = (BRUNO, ALICE) if minutes > 0 else (ALICE, BRUNO)
    if right:
        books.entry(payer, payee, abs(minutes))
    else:
        refused("leaving", books.entry, payer, payee, abs(minutes))


def test_a_correction_takes_who_leaves_away_from_zero_and_what_was_set_aside_too(books: Books) -> None:
    mistake = books.entry(ALICE, BRUNO, 60)
    books.entry(BRUNO, ALICE, 60)
    held = books.take("hold", **{"from": BRUNO}, to=COMMON, minutes=30, after_seq=2)
    books.leaves(BRUNO)
    books.entry(BRUNO, ALICE, 60, "correction", reverses=mistake)
    announced = 5000
    books.take("resolution", hold=held, kind="posted", entry=announced, after_seq=3)
    books.entry(BRUNO, COMMON, 30, "loan", id=announced)
    books.fold.end()
    assert books.lines[BRUNO] == (4, -90)
    refused("leaving", books.entry, BRUNO, COMMON, 1)


def test_what_is_announced_is_written_once_no_more_and_to_whom_it_was_said(books: Books) -> None:
    for minutes, payee, right in ((30, COMMON, True), (20, COMMON, True), (31, COMMON, False), (30, ALICE, False)):
        seq = books.lines[BRUNO][0]
        held = books.take("hold", **{"from": BRUNO}, to=COMMON, minutes=30, after_seq=seq)
        number = next(books._numbers)
        books.take("resolution", hold=held, kind="posted", entry=number, after_seq=seq)
        if right:
            books.entry(BRUNO, payee, minutes, "loan", id=number)
        else:
            refused("hold-entry", books.entry, BRUNO, payee, minutes, "loan", id=number)
            return
        refused("hold-unknown", books.take, "resolution", hold=held, kind="released", after_seq=books.lines[BRUNO][0])


@pytest.mark.parametrize(
    ("day", "hour", "floor"), [(5, 10, -600), (6, 9, -600), (6, 10, -700), (8, 9, -700), (8, 10, -600)]
)
def test_the_floor_of_an_instant_is_the_exception_s_else_the_kind_s(
    books: Books, day: int, hour: int, floor: int
) -> None:
    def at(day: int, hour: int = 10) -> str:
        return f"2026-09-{day:02}T{hour:02}:00:00.000000Z"

    books.entry(ALICE, BRUNO, 500, recorded_at=at(3, 23))  # no floor yet
    books.floor(-600, recorded_at=at(3, 23))
    books.floor(-700, account=ALICE, starts_at=at(6), ends_at=at(8), recorded_at=at(4))
    books.entry(ALICE, BRUNO, -floor - 500, recorded_at=at(day, hour))
    said = {"floor": floor, "account": ALICE, "balance": floor - 1}
    assert refused("floor", books.entry, ALICE, BRUNO, 1, recorded_at=at(day, hour)) == said


def test_minutes_set_aside_count_against_the_floor_and_their_return_does_not(books: Books) -> None:
    books.floor(-60)
    at = "2026-09-05T10:00:00.000000Z"
    held = books.take("hold", **{"from": ALICE}, to=BRUNO, minutes=60, after_seq=0, recorded_at=at)
    refused("floor", books.take, "hold", **{"from": ALICE}, to=BRUNO, minutes=1, after_seq=0, recorded_at=at)
    books = Books()
    books.floor(-60)
    held = books.take("hold", **{"from": ALICE}, to=BRUNO, minutes=60, after_seq=0, recorded_at=at)
    books.take("resolution", hold=held, kind="expired", after_seq=0, recorded_at=at)
    books.entry(ALICE, BRUNO, 60, recorded_at=at)


def test_an_account_is_closed_at_zero_after_its_holds(books: Books) -> None:
    books.entry(ALICE, BRUNO, 60)
    assert refused("closed-not-zero", books.leaves, BRUNO, "closed") == {"account": BRUNO, "balance": 60, "held": 0}
    books = Books()
    books.entry(ALICE, BRUNO, 60)
    books.entry(BRUNO, ALICE, 60)
    books.leaves(BRUNO)
    refused("closed", books.leaves, BRUNO)
    books.leaves(BRUNO, "closed")
    refused("closed", books.entry, ALICE, BRUNO, 1)


@pytest.mark.parametrize(("number", "again"), [(64, 64), (63, 63), (2**70, 2**70)])
def test_a_number_is_given_once_whatever_its_size(books: Books, number: int, again: int) -> None:
    books.take("key", id=number, key=KEY)
    books.take("key", id=number + 1, key=KEY)
    assert refused("twice", books.take, "key", id=again, key=KEY) == {"number": again}


def test_an_entry_may_be_of_tomorrow_where_the_day_begins_earlier_and_no_later(books: Books) -> None:
    at = "2026-12-31T23:30:00.000000Z"
    books.entry(ALICE, BRUNO, 1, happened_on="2027-01-01", recorded_at=at)
    said = refused("to-come", books.entry, ALICE, BRUNO, 1, happened_on="2027-01-02", recorded_at=at)
    assert said["day"] == "2027-01-02"


def test_a_month_counts_what_came_late_in_the_next_one(books: Books) -> None:
    at = "2026-11-05T10:00:00.000000Z"
    books.entry(ALICE, BRUNO, 60, happened_on="2026-09-03")
    books.entry(ALICE, BRUNO, 30, happened_on="2026-10-03", recorded_at=at)
    books.take("month", month="2026-09", entries=1, minutes=60, late=0, recorded_at=at)
    books.entry(ALICE, BRUNO, 10, happened_on="2026-08-03", recorded_at=at)
    refused("month-order", books.take, "month", month="2026-11", entries=0, minutes=0, late=0, recorded_at=at)
    for wrong in ({"entries": 1}, {"minutes": 41}, {"late": 0}):
        said = {"entries": 2, "minutes": 40, "late": 1, **wrong}
        other = Books()
        other.entry(ALICE, BRUNO, 60, happened_on="2026-09-03")
        other.entry(ALICE, BRUNO, 30, happened_on="2026-10-03", recorded_at=at)
        other.take("month", month="2026-09", entries=1, minutes=60, late=0, recorded_at=at)
        other.entry(ALICE, BRUNO, 10, happened_on="2026-08-03", recorded_at=at)
        refused("month", other.take, "month", month="2026-10", recorded_at=at, **said)
    books.take("month", month="2026-10", entries=2, minutes=40, late=1, recorded_at=at)
