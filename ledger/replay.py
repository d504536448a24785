"""The books told again, fact after fact, in the order in which the facts were sealed.

All that a fact says of an account (its number there, the balance after it, what is held, the floor of that day) is
computed again from the facts before it. What is told is believed by nobody: it may be of any type and size.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from types import NoneType
from typing import Any, NamedTuple

from ledger import accounts, entries
from ledger.entries import MOST
from ledger.signatures import VerifierKey

FOREVER = "9999"  # after every instant, as text
OPEN, LEAVING, CLOSED = range(3)
NOT_A_FACT = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)  # of what is no fact at all

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII).fullmatch
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch

_INT, _TEXT, _LIST = (int,), (str,), (list,)
_INT_OR_NULL, _TEXT_OR_NULL, _LIST_OR_NULL = (int, NoneType), (str, NoneType), (list, NoneType)
_NUMBERED = {"fact": _TEXT, "id": _INT}
_IN_COMMUNITY = {**_NUMBERED, "community": _INT}
_BY = {"recorded_at": _TEXT, "by_sign_in": _INT_OR_NULL, "by_party": _INT, "by_mandate": _INT_OR_NULL}
SHAPES: dict[str, dict[str, tuple[type, ...]]] = {
    "entry": {**_IN_COMMUNITY, "kind": _TEXT, "cause": _LIST_OR_NULL, "reverses": _INT_OR_NULL, "happened_on": _TEXT,
              **_BY, "note": _TEXT_OR_NULL, "transfers": _LIST},
    "hold": {**_IN_COMMUNITY, "from": _INT, "to": _INT, "minutes": _INT, "after_seq": _INT, "cause": _LIST_OR_NULL,
             **_BY},
    "resolution": {**_IN_COMMUNITY, "hold": _INT, "kind": _TEXT, "entry": _INT_OR_NULL, "after_seq": _INT, **_BY},
    "account": {**_IN_COMMUNITY, "account": _INT, "kind": _TEXT, "account_kind": _TEXT, **_BY, "note": _TEXT_OR_NULL},
    "limit": {**_IN_COMMUNITY, "account_kind": _TEXT_OR_NULL, "account": _INT_OR_NULL, "floor": _INT_OR_NULL,
              "ceiling": _INT_OR_NULL, "starts_at": _TEXT, "ends_at": _TEXT_OR_NULL, "note": _TEXT, **_BY},
    "mandate": {**_NUMBERED, "mandate": _INT, "sign_in": _INT, "party": _INT, "role": _TEXT, "starts_on": _TEXT,
                "ends_on": _TEXT_OR_NULL, "recorded_at": _TEXT},
    "month": {**_IN_COMMUNITY, "month": _TEXT, "entries": _INT, "minutes": _INT, "late": _INT, **_BY},
    "key": {**_NUMBERED, "key": _TEXT, "recorded_at": _TEXT},
}  # the names of each kind of fact, in their order, and the types of their values: migrations/sql/view_facts
_TRANSFER = ("from", "to", "minutes", "from_seq", "from_balance", "to_seq", "to_balance", *[int] * 7)


class Wrong(Exception):
    """A line or a file that doesn't hold; ``rule`` names why."""

    def __init__(self, rule: str, **facts: Any) -> None:
        super().__init__(rule, facts)
        self.rule = rule
        self.facts = facts


class _Account:
    """An account as the lines so far leave it, in minutes. The floor is that in force until the instant ``until``."""

    __slots__ = ("balance", "clock", "community", "floor", "held", "kind", "number", "own", "seq", "status", "until")

    def __init__(self, number: int, community: int, kind: str, clock: str) -> None:
        self.number, self.community, self.kind, self.clock = number, community, kind, clock
        self.balance = self.held = self.seq = 0
        self.status = OPEN
        self.floor: int | None = None
        self.until = ""  # to be looked for
        self.own: list[_Limit] = []


class _Limit(NamedTuple):
    starts_at: str
    ends_at: str
    floor: int | None


class _Month:
    """What counts in a month that is still open."""

    __slots__ = ("entries", "late", "minutes")

    def __init__(self) -> None:
        self.entries = self.minutes = self.late = 0


class Fold:
    """The books as the lines so far make them. ``take`` raises Wrong for a fact that can't follow them."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.accounts: dict[int, _Account] = {}
        self.keys: list[VerifierKey] = []
        self.mirrors: dict[int, tuple[int, list[tuple[int, int, int]]]] = {}  # what is corrected: (line, its mirror)
        self._line = 0
        self._numbers: dict[int, int] = {}  # 64 numbers of facts in each: a set would take fifty times the room
        self._shapes: set[tuple[Any, ...]] = set()  # seen, and right
        self._defaults: dict[tuple[int, str], list[_Limit]] = {}
        self._holds: dict[int, tuple[_Account, _Account, int]] = {}
        self._posting: dict[int, tuple[int, int, int]] = {}  # entries that a hold announced
        self._mandates: dict[int, int] = {}  # mandate -> sign-in
        self._closed: dict[int, str] = {}  # community -> the last month closed
        self._months: dict[tuple[int, str], _Month] = {}
        self._kinds: dict[str, Callable[[dict[str, Any]], None]] = {
            "entry": self._entry, "hold": self._hold, "resolution": self._resolution, "account": self._account,
            "limit": self._limit, "mandate": self._mandate, "month": self._month, "key": self._key,
        }  # fmt: skip

    def take(self, fact: dict[str, Any]) -> None:
        """Add the fact of one line."""
        self._line += 1
        kind = fact["fact"]
        self._check_shape(kind, fact)
        self._check_number(fact["id"])
        _check_instant(fact["recorded_at"])
        mandate = fact.get("by_mandate")
        if mandate is not None and (mandate not in self._mandates or self._mandates[mandate] != fact["by_sign_in"]):
            raise Wrong("mandate", mandate=mandate)
        self._kinds[kind](fact)
        self.counted[kind] += 1

    def end(self) -> None:
        """Raise Wrong for what the last line should not have left."""
        if self._posting:
            raise Wrong("announced", entry=min(self._posting))

    def _check_shape(self, kind: str, fact: dict[str, Any]) -> None:
        found = (kind, *fact, *map(type, fact.values()))
        if found in self._shapes:
            return
        shape = SHAPES[kind]
        if list(fact) != list(shape) or not all(type(value) in shape[name] for name, value in fact.items()):
            raise Wrong("unreadable")
        self._shapes.add(found)

    def _check_number(self, number: int) -> None:
        word, bit = number >> 6, 1 << (number & 63)
        seen = self._numbers.get(word, 0)
        if seen & bit:
            raise Wrong("twice", number=number)
        self._numbers[word] = seen | bit

    def _of(self, number: int, community: int) -> _Account:
        account = self.accounts.get(number)
        if account is None or account.community != community:
            raise Wrong("account-unknown", account=number)
        return account

    def _entry(self, fact: dict[str, Any]) -> None:
        number, community, at = fact["id"], fact["community"], fact["recorded_at"]
        transfers, kind = fact["transfers"], fact["kind"]
        if kind not in entries.KINDS:
            raise Wrong("kind", kind=kind)
        _check_cause(fact["cause"])
        _check_note(fact["note"])
        known = self.accounts
        limited = kind != "correction"
        announced = self._posting.pop(number, None) if self._posting else None
        moved = 0
        before: dict[_Account, int] = {}
        for transfer in transfers:
            minutes = transfer["minutes"]
            payer, payee = known.get(transfer["from"]), known.get(transfer["to"])
            if payer is None or payee is None or payer.community != community or payee.community != community:
                ours = payer is not None and payer.community == community
                raise Wrong("account-unknown", account=transfer["to" if ours else "from"])
            if (*transfer, *map(type, transfer.values())) != _TRANSFER:
                raise Wrong("unreadable")
            if not 1 <= minutes <= MOST or payer is payee:
                raise Wrong("transfer")
            if payer not in before:
                before[payer] = payer.balance
            if payee not in before:
                before[payee] = payee.balance
            moved += minutes
            payer.balance -= minutes
            payer.seq += 1
            payee.balance += minutes
            payee.seq += 1
            if payer.seq != transfer["from_seq"]:
                raise Wrong("seq", account=payer.number, said=transfer["from_seq"], due=payer.seq)
            if payee.seq != transfer["to_seq"]:
                raise Wrong("seq", account=payee.number, said=transfer["to_seq"], due=payee.seq)
            if payer.balance != transfer["from_balance"]:
                raise Wrong("balance", account=payer.number, said=transfer["from_balance"], due=payer.balance)
            if payee.balance != transfer["to_balance"]:
                raise Wrong("balance", account=payee.number, said=transfer["to_balance"], due=payee.balance)
        if not before:
            raise Wrong("transfer")
        for account, balance in before.items():
            if at < account.clock:
                raise Wrong("clock", account=account.number)
            account.clock = at
            if account.status:
                self._check_ending(account, balance, account.balance, limited=limited and announced is None)
            if limited and account.balance < balance and announced is None:
                self._check_floor(account, at)
        if announced is not None:
            self._check_announced(transfers, announced)
        if (reverses := fact["reverses"]) is not None or not limited:
            self._check_mirror(reverses, transfers)
        day = fact["happened_on"]
        _check_day(day)
        if day > at[:10] and date.fromisoformat(day) - timedelta(days=1) > date.fromisoformat(at[:10]):
            raise Wrong("to-come", entry=number, day=day)  # a day later than in UTC, it is still today somewhere
        self._count(community, day, moved)

    def _check_ending(self, account: _Account, before: int, after: int, *, limited: bool) -> None:
        if account.status == CLOSED:
            raise Wrong("closed", account=account.number)
        if limited and not min(before, 0) <= after <= max(before, 0):
            raise Wrong("leaving", account=account.number)

    def _check_floor(self, account: _Account, at: str) -> None:
        if at >= account.until:
            self._look_for_floor(account, at)
        if account.floor is not None and account.balance - account.held < account.floor:
            raise Wrong("floor", account=account.number, balance=account.balance - account.held, floor=account.floor)

    def _look_for_floor(self, account: _Account, at: str) -> None:
        """The account's own exception in force, else the default of its kind; of several, the one written last."""
        turns = [FOREVER]
        chosen = None
        for limits in (self._defaults.get((account.community, account.kind), []), account.own):
            for limit in limits:
                turns += [turn for turn in (limit.starts_at, limit.ends_at) if turn > at]
                if limit.starts_at <= at < limit.ends_at:
                    chosen = limit
        account.floor = chosen.floor if chosen else None
        account.until = min(turns)

    def _check_announced(self, transfers: Sequence[Any], announced: tuple[int, int, int]) -> None:
        payer, payee, most = announced
        if len(transfers) != 1 or transfers[0]["minutes"] > most \
                or (transfers[0]["from"], transfers[0]["to"]) != (payer, payee):  # fmt: skip
            raise Wrong("hold-entry")

    def _check_mirror(self, reverses: Any, transfers: Sequence[Any]) -> None:
        """Keep what the corrected entry must have been; see ``_Export.mirrors``."""
        if reverses is None or reverses in self.mirrors:
            raise Wrong("corrected", entry=reverses)
        mirror = [(each["to"], each["from"], each["minutes"]) for each in reversed(transfers)]
        self.mirrors[reverses] = (self._line, mirror)

    def _count(self, community: int, happened_on: str, minutes: int) -> None:
        period, late, last = happened_on[:7], 0, self._closed.get(community, "")
        if period <= last:
            period, late = _after(last), 1
        month = self._months.get((community, period))
        if month is None:
            month = self._months[community, period] = _Month()
        month.entries += 1
        month.minutes += minutes
        month.late += late

    def _hold(self, fact: dict[str, Any]) -> None:
        payer, payee = self._of(fact["from"], fact["community"]), self._of(fact["to"], fact["community"])
        minutes, at = fact["minutes"], fact["recorded_at"]
        if not 1 <= minutes <= MOST or payer is payee:
            raise Wrong("transfer")
        _check_cause(fact["cause"])
        self._touch(payer, fact)
        free = payer.balance - payer.held
        for account, before, after in ((payer, free, free - minutes), (payee, 0, minutes)):
            if account.status:
                self._check_ending(account, before, after, limited=True)
        payer.held += minutes
        self._check_floor(payer, at)
        self._holds[fact["id"]] = (payer, payee, minutes)

    def _resolution(self, fact: dict[str, Any]) -> None:
        found = self._holds.pop(fact["hold"], None)
        if found is None or found[0].community != fact["community"]:
            raise Wrong("hold-unknown", hold=fact["hold"])
        payer, payee, minutes = found
        self._touch(payer, fact)
        payer.held -= minutes
        if fact["kind"] not in {"posted", "released", "expired"}:
            raise Wrong("kind", kind=fact["kind"])
        if (fact["kind"] == "posted") != (fact["entry"] is not None):
            raise Wrong("hold-entry")
        if fact["kind"] == "posted":
            self._posting[fact["entry"]] = (payer.number, payee.number, minutes)

    def _touch(self, account: _Account, fact: dict[str, Any]) -> None:
        """A hold, or its resolution, stands after the line of the account that it names."""
        at = fact["recorded_at"]
        if fact["after_seq"] != account.seq:
            raise Wrong("seq", account=account.number, said=fact["after_seq"], due=account.seq)
        if at < account.clock:
            raise Wrong("clock", account=account.number)
        account.clock = at

    def _account(self, fact: dict[str, Any]) -> None:
        number, kind, at = fact["account"], fact["account_kind"], fact["recorded_at"]
        _check_note(fact["note"])
        if kind not in accounts.KINDS:
            raise Wrong("kind", kind=kind)
        if fact["kind"] == "opened":
            if number in self.accounts:
                raise Wrong("account-twice", account=number)
            self.accounts[number] = _Account(number, fact["community"], kind, at)
            return
        account = self._of(number, fact["community"])
        wanted = {"leaving": LEAVING, "closed": CLOSED}.get(fact["kind"])
        if wanted is None or account.kind != kind:
            raise Wrong("kind", kind=fact["kind"] if wanted is None else kind)
        if account.status >= wanted:
            raise Wrong("closed", account=number)
        if wanted == CLOSED and (account.balance or account.held):
            raise Wrong("closed-not-zero", account=number, balance=account.balance, held=account.held)
        if at < account.clock:
            raise Wrong("clock", account=number)
        account.status, account.clock = wanted, at

    def _limit(self, fact: dict[str, Any]) -> None:
        starts_at, ends_at = fact["starts_at"], fact["ends_at"]
        _check_instant(starts_at)
        _check_note(fact["note"])
        if ends_at is not None:
            _check_instant(ends_at)
        if starts_at < fact["recorded_at"]:
            raise Wrong("limit-backdated")
        limit = _Limit(starts_at, FOREVER if ends_at is None else ends_at, fact["floor"])
        if (fact["account"] is None) == (fact["account_kind"] is None):
            raise Wrong("unreadable")
        if fact["account"] is not None:
            account = self._of(fact["account"], fact["community"])
            account.own.append(limit)
            account.until = ""
            return
        whom = (fact["community"], fact["account_kind"])
        if whom[1] not in accounts.KINDS:
            raise Wrong("kind", kind=whom[1])
        self._defaults.setdefault(whom, []).append(limit)
        for account in self.accounts.values():
            if (account.community, account.kind) == whom:
                account.until = ""

    def _mandate(self, fact: dict[str, Any]) -> None:
        if fact["mandate"] in self._mandates:
            raise Wrong("mandate", mandate=fact["mandate"])
        _check_day(fact["starts_on"])
        if fact["ends_on"] is not None:
            _check_day(fact["ends_on"])
        self._mandates[fact["mandate"]] = fact["sign_in"]

    def _month(self, fact: dict[str, Any]) -> None:
        community, month = fact["community"], fact["month"]
        last = self._closed.get(community)
        if not _is_day(f"{month}-01") or (last is not None and month != _after(last)):
            raise Wrong("month-order", month=month)
        found = self._months.pop((community, month), _Month())
        if (found.entries, found.minutes, found.late) != (fact["entries"], fact["minutes"], fact["late"]):
            raise Wrong("month", month=month, said=fact["minutes"], due=found.minutes)
        self._closed[community] = month

    def _key(self, fact: dict[str, Any]) -> None:
        self.keys.append(VerifierKey.parse(fact["key"]))


def _check_instant(text: str) -> None:
    if not (_INSTANT(text) and _is_day(text[:10])):
        raise Wrong("date")


def _check_day(text: str) -> None:
    if not _is_day(text):
        raise Wrong("date")


@lru_cache(maxsize=1 << 12)
def _is_day(text: str) -> bool:
    """Whether the calendar has it, and the books write it so."""
    try:
        return bool(_DAY(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _check_note(digest: str | None) -> None:
    if digest is not None and not _DIGEST(digest):
        raise Wrong("unreadable")


def _check_cause(cause: list[Any] | None) -> None:
    if cause is not None and (len(cause) != 2 or type(cause[0]) is not str or type(cause[1]) is not int):
        raise Wrong("unreadable")


def _after(month: str) -> str:
    """The month that follows, "2026-12" -> "2027-01"."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"
