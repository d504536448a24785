"""The books told again with dicts and lists: what an act writes, or the rule that refuses it.

The oracle of T1, T3 and T10. It asks nothing of the database and calls none of the code that it judges; the rules have
the names of ``ledger.errors``. Amounts are minutes. Who drives it says which number the database gave to each fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

MOST = 1_000_000_000  # of one transfer
DAY = timedelta(days=1)
Move = tuple[int, int, int]  # from an account, to another, so many minutes


class Refusal(Exception):
    """Nothing is written; ``rule`` says why, ``facts`` with which figures."""

    def __init__(self, rule: str, **facts: Any) -> None:
        super().__init__(rule, facts)
        self.rule = rule
        self.facts = facts


class Line(NamedTuple):
    """A line of a statement, in the order of the fields of ``ledger.statements.Line``."""

    seq: int
    entry: int
    kind: str
    cause_kind: str | None
    cause_id: int | None
    happened_on: date
    recorded_at: datetime
    minutes: int
    balance: int
    other_account: int
    other_party: int
    by_sign_in: int | None
    by_party: int
    corrects: int | None
    corrected_by: int | None
    by_mandate: int | None


@dataclass
class Account:
    """Where one party's minutes are counted."""

    number: int
    community: int
    party: int
    kind: str
    clock: datetime
    balance: int = 0
    held: int = 0
    seq: int = 0
    leaving: bool = False
    closed: bool = False
    lines: list[Line] = field(default_factory=list)


class Content(NamedTuple):
    """What an entry says: the same under one key, or it is another entry."""

    kind: str
    moves: tuple[Move, ...]
    happened_on: date
    cause: tuple[str, int] | None = None
    note: str = ""
    reverses: int | None = None


class Entry(NamedTuple):
    """An entry as it was written; ``period`` is the first day of the month in which it counts."""

    number: int
    community: int
    content: Content
    recorded_at: datetime
    by: int
    key: str
    period: date


@dataclass
class Hold:
    """Minutes set aside, and what became of them: posted, released or expired."""

    number: int
    community: int
    payer: int
    payee: int
    minutes: int
    cause: tuple[str, int]
    recorded_at: datetime
    resolution: str | None = None
    entry: int | None = None
    resolved_at: datetime | None = None


class Limit(NamedTuple):
    """A default of a kind of account, or an exception for one account, in force from an instant until another."""

    community: int
    kind: str | None
    account: int | None
    floor: int | None
    ceiling: int | None
    starts_at: datetime
    ends_at: datetime | None
    recorded_at: datetime

    def holds_at(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


class Month(NamedTuple):
    """The figures that were published."""

    community: int
    month: date
    entries: int
    minutes: int
    late: int


class Answer(NamedTuple):
    """What an act answers; ``replayed`` when its key had written it before."""

    number: int | None
    recorded_at: datetime | None
    replayed: bool = False


WRITTEN = Answer(None, None)


def first_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def after(month: date) -> date:
    """The first day of the month that follows."""
    return first_of(first_of(month) + 31 * DAY)


def says_something(reason: str) -> bool:
    """A reason has a letter or a digit."""
    return any(sign.isalnum() for sign in reason)


class Model:
    """The books of every community, as far as they were told."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.entries: dict[int, Entry] = {}
        self.keys: dict[tuple[int, int, str], int] = {}  # (community, party, key) -> entry
        self.corrected: dict[int, int] = {}  # entry -> its correction
        self.holds: dict[int, Hold] = {}
        self.hold_keys: dict[tuple[int, int, str], int] = {}
        self.limits: list[Limit] = []
        self.months: list[Month] = []
        self._asking = False

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Inside, an act says what it would do, and nothing changes."""
        self._asking = True
        yield
        self._asking = False

    # -- entries

    def post(self, community: int, content: Content, *, key: str, by: int, at: datetime, number: int) -> Answer:
        """An entry of one transfer or several, under the limits of every account that it takes from."""
        if content.kind == "correction" or not content.moves:
            raise Refusal("entry-malformed")
        if any(payer == payee or not 1 <= minutes <= MOST for payer, payee, minutes in content.moves):
            raise Refusal("entry-malformed")
        return self._write(community, content, key=key, by=by, at=at, number=number, limited=True)

    def reverse(
        self, community: int, entry: int, *, key: str, reason: str, happened_on: date, by: int, at: datetime,
        number: int,
    ) -> Answer:  # fmt: skip
        """The mirror of a whole entry, once, by somebody who doesn't gain from it; limits don't hold it back."""
        if not says_something(reason):
            raise Refusal("reason-missing")
        wrong = self.entries.get(entry)
        if wrong is None or wrong.community != community:
            raise Refusal("entry-unknown")
        if wrong.content.reverses is not None:
            raise Refusal("correction-of-correction")
        mirror = tuple((payee, payer, minutes) for payer, payee, minutes in reversed(wrong.content.moves))
        for account, minutes in net(mirror).items():
            if minutes > 0 and self.accounts[account].party == by and self.accounts[account].kind != "community":
                raise Refusal("correction-gains")
        other = self.entries[self.corrected[entry]] if entry in self.corrected else None
        if other is not None and (other.by, other.key) != (by, key):
            raise Refusal("entry-corrected-already", entry=other.number)
        content = Content("correction", mirror, happened_on, wrong.content.cause, reason, entry)
        return self._write(community, content, key=key, by=by, at=at, number=number, limited=False)

    def _write(
        self, community: int, content: Content, *, key: str, by: int, at: datetime, number: int, limited: bool
    ) -> Answer:
        if content.happened_on > at.date() + DAY:
            raise Refusal("entry-malformed")
        effect = net(content.moves)
        accounts = self._ours(community, effect)
        recorded_at = max(at, *(account.clock for account in accounts))
        if (old := self.keys.get((community, by, key))) is not None:
            return self._again(self.entries[old], content, accounts, recorded_at, limited=limited)
        for account in accounts:
            then = account.balance + effect[account.number]
            check_ended(account, account.balance, then if limited else account.balance)
        for account in accounts:
            if limited and effect[account.number] < 0:
                self._check_floor(account, -effect[account.number], recorded_at)
        if not self._asking:
            period = max(first_of(content.happened_on), self._first_open(community))
            self.entries[number] = Entry(number, community, content, recorded_at, by, key, period)
            self.keys[community, by, key] = number
            if content.reverses is not None:
                self.corrected[content.reverses] = number
            self._move(self.entries[number])
        return Answer(number, recorded_at)

    def _again(
        self, old: Entry, content: Content, accounts: list[Account], recorded_at: datetime, *, limited: bool
    ) -> Answer:
        if old.content != content:
            raise Refusal("key-reused", entry=old.number)
        if limited and len(content.moves) == 1 and not self._asking:
            for account in accounts:  # books.post takes back the minutes; the clocks stay where it had put them
                account.clock = recorded_at
        return Answer(old.number, old.recorded_at, replayed=True)

    def _move(self, entry: Entry) -> None:
        content = entry.content
        cause_kind, cause_id = content.cause or (None, None)
        for payer, payee, minutes in content.moves:
            for mine, other, moved in ((payer, payee, -minutes), (payee, payer, minutes)):
                account = self.accounts[mine]
                account.seq += 1
                account.balance += moved
                account.clock = entry.recorded_at
                account.lines.append(Line(
                    account.seq, entry.number, content.kind, cause_kind, cause_id, content.happened_on,
                    entry.recorded_at, moved, account.balance, other, self.accounts[other].party, None, entry.by,
                    content.reverses, None, None,
                ))  # fmt: skip

    # -- holds

    def hold(
        self, community: int, payer: int, payee: int, minutes: int, *, cause: tuple[str, int], key: str, by: int,
        at: datetime, number: int,
    ) -> Answer:  # fmt: skip
        """Minutes set aside on the payer's account, whose floor is checked now."""
        if payer == payee:
            raise Refusal("entry-malformed")
        accounts = self._ours(community, (payer, payee))
        account = self.accounts[payer]
        recorded_at = max(at, *(each.clock for each in accounts))
        if (old := self.hold_keys.get((community, by, key))) is not None:
            held = self.holds[old]
            if (held.payer, held.payee, held.minutes, held.cause) != (payer, payee, minutes, cause):
                raise Refusal("key-reused", hold=old)
            return Answer(old, held.recorded_at, replayed=True)
        for each in accounts:
            before = account.balance - account.held if each is account else 0
            check_ended(each, before, before - minutes if each is account else minutes)
        self._check_floor(account, minutes, recorded_at)
        if not 1 <= minutes <= MOST:
            raise Refusal("entry-malformed")
        if not self._asking:
            self.holds[number] = Hold(number, community, payer, payee, minutes, cause, recorded_at)
            self.hold_keys[community, by, key] = number
            account.held += minutes
            account.clock = recorded_at
        return Answer(number, recorded_at)

    def post_hold(
        self, community: int, hold: int, minutes: int, *, happened_on: date, note: str, by: int, at: datetime,
        number: int,
    ) -> Answer:  # fmt: skip
        """All of a hold or less becomes an entry, whatever the limits say; the rest is released."""
        held, recorded_at, answered = self._resolved(community, hold, "posted", at, minutes)
        if answered is not None:
            return answered
        if not 1 <= minutes <= held.minutes:
            raise Refusal("hold-exceeded")
        content = Content("loan", ((held.payer, held.payee, minutes),), happened_on, held.cause, note)
        written = self._write(
            community, content, key=f"hold:{hold}", by=by, at=recorded_at, number=number, limited=False
        )
        if written.replayed:  # an entry that took the key of the hold is not this hold's
            raise Refusal("key-reused", entry=written.number)
        self._free(held, "posted", recorded_at, number)
        return written

    def release(self, community: int, hold: int, *, expired: bool, at: datetime) -> Answer:
        """What was set aside is given back."""
        kind = "expired" if expired else "released"
        held, recorded_at, answered = self._resolved(community, hold, kind, at)
        if answered is not None:
            return answered
        self._free(held, kind, recorded_at)
        return Answer(None, recorded_at)

    def _resolved(
        self, community: int, hold: int, kind: str, at: datetime, minutes: int | None = None
    ) -> tuple[Hold, datetime, Answer | None]:
        """The hold, when its resolution is recorded, and what was answered if it has one."""
        held = self.holds.get(hold)
        if held is None or held.community != community:
            raise Refusal("hold-unknown")
        recorded_at = max(at, self.accounts[held.payer].clock, self.accounts[held.payee].clock)
        if held.resolution is None:
            return held, recorded_at, None
        posted = None if held.entry is None else self.entries[held.entry].content.moves[0][2]
        if held.resolution != kind or posted != minutes:
            raise Refusal("hold-resolved", kind=held.resolution)
        return held, recorded_at, Answer(held.entry, held.resolved_at, replayed=True)

    def _free(self, held: Hold, kind: str, recorded_at: datetime, entry: int | None = None) -> None:
        if not self._asking:
            held.resolution, held.entry, held.resolved_at = kind, entry, recorded_at
            self.accounts[held.payer].held -= held.minutes
            self.accounts[held.payer].clock = recorded_at

    # -- accounts

    def open(self, community: int, party: int, kind: str, *, at: datetime, number: int) -> Answer:
        """An account at zero; a party has one in each community, transit accounts apart."""
        mine = (each for each in self.accounts.values() if (each.community, each.party) == (community, party))
        if kind != "transit" and any(account.kind != "transit" for account in mine):
            raise Refusal("account-exists")
        if not self._asking:
            clock = max([at, *(limit.recorded_at for limit in self._defaults(community, kind))])
            self.accounts[number] = Account(number, community, party, kind, clock)
        return Answer(number, None)

    def leave(self, community: int, account: int, *, reason: str, at: datetime) -> Answer:
        """From now on the account only moves toward zero."""
        if not says_something(reason):
            raise Refusal("reason-missing")
        [found] = self._ours(community, (account,))
        check_ended(found, 0, 1)
        if not self._asking:
            found.leaving, found.clock = True, max(at, found.clock)
        return WRITTEN

    def close(self, community: int, account: int, *, reason: str, at: datetime) -> Answer:
        """At zero, with nothing held on it and nothing held for it."""
        if not says_something(reason):
            raise Refusal("reason-missing")
        [found] = self._ours(community, (account,))
        if found.closed:
            raise Refusal("account-closed")
        open_ = [held.minutes for held in self.holds.values() if held.payee == account and held.resolution is None]
        if found.balance or found.held or open_:
            raise Refusal("account-not-settled", balance=found.balance, held=found.held, awaited=sum(open_))
        if not self._asking:
            found.closed, found.clock = True, max(at, found.clock)
        return WRITTEN

    def _ours(self, community: int, numbers: Iterable[int]) -> list[Account]:
        """These accounts of the community, in the order of their numbers."""
        found = [self.accounts.get(number) for number in sorted(set(numbers))]
        ours = [account for account in found if account is not None and account.community == community]
        if len(ours) != len(found):
            raise Refusal("account-unknown")
        return ours

    # -- limits

    def set_limit(
        self, community: int, *, kind: str | None, account: int | None, floor: int | None, ceiling: int | None,
        starts_at: datetime, ends_at: datetime | None, reason: str, at: datetime, number: int,
    ) -> Answer:  # fmt: skip
        """A default of a kind of account, or an exception for one with its end; never from before it is recorded."""
        if not says_something(reason):
            raise Refusal("reason-missing")
        bound = self._ours(community, (account,)) if account is not None else self._of_kind(community, kind)
        earlier = [] if kind is None else [limit.recorded_at for limit in self._defaults(community, kind)]
        recorded_at = max([at, *(each.clock for each in bound), *earlier])
        starts_at = max(starts_at, recorded_at)
        if ends_at is not None and ends_at <= starts_at:
            raise Refusal("limit-ends-before")
        if (floor or 0) > 0 or (ceiling or 0) < 0 or (account is not None and ends_at is None):
            raise Refusal("entry-malformed")
        if not self._asking:
            limit = Limit(community, kind, account, floor, ceiling, starts_at, ends_at, recorded_at)
            self.limits.append(limit)
            for each in bound:
                each.clock = recorded_at
        return Answer(number, None)

    def limits_at(self, account: Account, at: datetime) -> tuple[int | None, int | None]:
        """The floor and the ceiling of an account: its last exception in force, else the last default of its kind."""
        mine = [limit for limit in self.limits if limit.account == account.number]
        for limits in (mine, self._defaults(account.community, account.kind)):
            for limit in reversed(limits):
                if limit.holds_at(at):
                    return limit.floor, limit.ceiling
        return None, None

    def _check_floor(self, account: Account, minutes: int, at: datetime) -> None:
        floor, _ceiling = self.limits_at(account, at)
        if floor is not None and account.balance - account.held - minutes < floor:
            raise Refusal("floor-reached", account=account.number, floor=floor, balance=account.balance,
                          held=account.held, minutes=minutes)  # fmt: skip

    def _defaults(self, community: int, kind: str) -> list[Limit]:
        return [limit for limit in self.limits if (limit.community, limit.kind) == (community, kind)]

    def _of_kind(self, community: int, kind: str | None) -> list[Account]:
        return [each for each in self.accounts.values() if (each.community, each.kind) == (community, kind)]

    # -- months

    def close_month(self, community: int, month: date, *, at: datetime) -> Answer:
        """A month that is over keeps its figures; what comes later counts in the next, as late."""
        if month.day != 1:
            raise Refusal("entry-malformed")
        if after(month) > at.date():
            raise Refusal("month-not-over")
        first = self._first_open(community)
        if month < first:
            raise Refusal("month-closed")
        if first != date.min and month != first:
            raise Refusal("month-skipped", next=first.isoformat())
        if not self._asking:
            counted = [each for each in self.entries.values() if (each.community, each.period) == (community, month)]
            minutes = sum(move[2] for each in counted for move in each.content.moves)
            late = sum(each.content.happened_on < month for each in counted)
            self.months.append(Month(community, month, len(counted), minutes, late))
        return WRITTEN

    def _first_open(self, community: int) -> date:
        """The month after the last that was closed; the beginning of time when none was."""
        closed = [each.month for each in self.months if each.community == community]
        return after(closed[-1]) if closed else date.min

    # -- what is always true

    def broken(self, community: int) -> list[str]:
        """What should never be: a sum that isn't zero, minutes held that no open hold explains."""
        mine = [account for account in self.accounts.values() if account.community == community]
        held = {account.number: 0 for account in mine}
        for hold in self.holds.values():
            if hold.community == community and hold.resolution is None:
                held[hold.payer] += hold.minutes
        found = [f"the community sums to {total}"] if (total := sum(account.balance for account in mine)) else []
        for account in mine:
            if account.held != held[account.number]:
                found.append(f"account {account.number} holds {account.held}, its holds {held[account.number]}")
            if account.closed and (account.balance or account.held):
                found.append(f"account {account.number} is closed at {account.balance}, with {account.held} held")
        return found

    def statement(self, account: Account) -> list[Line]:
        """The lines of an account, the newest first."""
        return [line._replace(corrected_by=self.corrected.get(line.entry)) for line in reversed(account.lines)]


def net(moves: Iterable[Move]) -> dict[int, int]:
    """What moves add to each account."""
    effect: dict[int, int] = {}
    for payer, payee, minutes in moves:
        effect[payer] = effect.get(payer, 0) - minutes
        effect[payee] = effect.get(payee, 0) + minutes
    return effect


def check_ended(account: Account, before: int, then: int) -> None:
    """Nothing moves on a closed account; one whose holder leaves only comes nearer to zero."""
    if account.closed:
        raise Refusal("account-closed", account=account.number)
    if account.leaving and not min(before, 0) <= then <= max(before, 0):
        raise Refusal("account-leaving", account=account.number, balance=before)
