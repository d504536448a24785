"""An export of the books, read again with nothing but Python: no server, no database, and nothing that is believed.

Each line is one fact, in the order in which the facts were sealed, and the last line is the signed head. All that a
line says of an account (its number there, the balance after it, what is held, the floor of that day) is computed again
from the lines before it; the tree of all lines must be the signed one, and grow from an earlier head that was kept.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ledger import exports, seals, signatures
from ledger.entries import MOST
from ledger.exports import HEAD, MARK, Proof
from ledger.seals import Frontier
from ledger.signatures import Checkpoint, Note, VerifierKey

MOST_BYTES = 64_000_000  # of a line: an entry of several hundred thousand transfers
TOGETHER = 1 << 12  # lines hashed at once
FOREVER = "9999"  # after every instant, as text
OPEN, LEAVING, CLOSED = range(3)

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII).fullmatch
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch


class Finding(NamedTuple):
    """What is wrong, and where: ``line`` counts from 1, 0 is the file as a whole; ``rule`` names it, ``facts`` tell."""

    line: int
    rule: str
    facts: dict[str, Any]


class Report(NamedTuple):
    """What was read; right when there is no ``finding``. ``signed`` is the key's name, None when it wasn't checked."""

    facts: Counter[str]
    accounts: int
    size: int
    root: bytes
    signed: str | None
    witnesses: tuple[str, ...]
    earlier: int | None
    finding: Finding | None


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
        if type(fact["id"]) is not int:
            raise Wrong("unreadable")
        self._kinds[kind](fact)
        self.counted[kind] += 1

    def end(self) -> None:
        """Raise Wrong for what the last line should not have left."""
        if self._posting:
            raise Wrong("announced", entry=min(self._posting))

    def _of(self, number: int, community: int) -> _Account:
        account = self.accounts.get(number)
        if account is None or account.community != community:
            raise Wrong("account-unknown", account=number)
        return account

    def _entry(self, fact: dict[str, Any]) -> None:
        number, community, at = fact["id"], fact["community"], fact["recorded_at"]
        transfers = fact["transfers"]
        known = self.accounts
        limited = fact["kind"] != "correction"
        announced = self._posting.pop(number, None) if self._posting else None
        _check_instant(at)
        moved = 0
        before: dict[_Account, int] = {}
        for transfer in transfers:
            minutes = transfer["minutes"]
            payer, payee = known.get(transfer["from"]), known.get(transfer["to"])
            if payer is None or payee is None or payer.community != community or payee.community != community:
                ours = payer is not None and payer.community == community
                raise Wrong("account-unknown", account=transfer["to" if ours else "from"])
            if type(minutes) is not int or not 1 <= minutes <= MOST or payer is payee:
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
        mandate = fact["by_mandate"]
        if mandate is not None and (mandate not in self._mandates or self._mandates[mandate] != fact["by_sign_in"]):
            raise Wrong("mandate", mandate=mandate)
        self._count(community, fact["happened_on"], moved)

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
        if type(reverses) is not int or reverses in self.mirrors:
            raise Wrong("corrected", entry=reverses)
        mirror = [(each["to"], each["from"], each["minutes"]) for each in reversed(transfers)]
        self.mirrors[reverses] = (self._line, mirror)

    def _count(self, community: int, happened_on: str, minutes: int) -> None:
        if not _DAY(happened_on):
            raise Wrong("date")
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
        if type(minutes) is not int or not 1 <= minutes <= MOST or payer is payee or fact["id"] in self._holds:
            raise Wrong("transfer")
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
        if fact["kind"] not in {"posted", "released", "expired"} or (fact["kind"] == "posted") != (
            type(fact["entry"]) is int
        ):
            raise Wrong("hold-entry")
        if fact["kind"] == "posted":
            self._posting[fact["entry"]] = (payer.number, payee.number, minutes)

    def _touch(self, account: _Account, fact: dict[str, Any]) -> None:
        """A hold, or its resolution, stands after the line of the account that it names."""
        at = fact["recorded_at"]
        _check_instant(at)
        if fact["after_seq"] != account.seq:
            raise Wrong("seq", account=account.number, said=fact["after_seq"], due=account.seq)
        if at < account.clock:
            raise Wrong("clock", account=account.number)
        account.clock = at

    def _account(self, fact: dict[str, Any]) -> None:
        number, at = fact["account"], fact["recorded_at"]
        _check_instant(at)
        if fact["kind"] == "opened":
            if type(number) is not int or type(fact["community"]) is not int:
                raise Wrong("unreadable")
            if number in self.accounts:
                raise Wrong("account-twice", account=number)
            self.accounts[number] = _Account(number, fact["community"], fact["account_kind"], at)
            return
        account = self._of(number, fact["community"])
        wanted = {"leaving": LEAVING, "closed": CLOSED}[fact["kind"]]
        if account.status >= wanted:
            raise Wrong("closed", account=number)
        if wanted == CLOSED and (account.balance or account.held):
            raise Wrong("closed-not-zero", account=number, balance=account.balance, held=account.held)
        if at < account.clock:
            raise Wrong("clock", account=number)
        account.status, account.clock = wanted, at

    def _limit(self, fact: dict[str, Any]) -> None:
        ends_at, at = fact["ends_at"], fact["recorded_at"]
        for instant in (at, fact["starts_at"], *([] if ends_at is None else [ends_at])):
            _check_instant(instant)
        if fact["starts_at"] < at:
            raise Wrong("limit-backdated")
        floor = fact["floor"]
        if floor is not None and type(floor) is not int:
            raise Wrong("unreadable")
        limit = _Limit(fact["starts_at"], FOREVER if ends_at is None else ends_at, floor)
        if fact["account"] is not None:
            account = self._of(fact["account"], fact["community"])
            account.own.append(limit)
            account.until = ""
            return
        whom = (fact["community"], fact["account_kind"])
        self._defaults.setdefault(whom, []).append(limit)
        for account in self.accounts.values():
            if (account.community, account.kind) == whom:
                account.until = ""

    def _mandate(self, fact: dict[str, Any]) -> None:
        if fact["mandate"] in self._mandates:
            raise Wrong("mandate", mandate=fact["mandate"])
        self._mandates[fact["mandate"]] = fact["sign_in"]

    def _month(self, fact: dict[str, Any]) -> None:
        community, month = fact["community"], fact["month"]
        last = self._closed.get(community)
        if not _DAY(f"{month}-01") or (last is not None and month != _after(last)):
            raise Wrong("month-order", month=month)
        found = self._months.pop((community, month), _Month())
        if (found.entries, found.minutes, found.late) != (fact["entries"], fact["minutes"], fact["late"]):
            raise Wrong("month", month=month, said=fact["minutes"], due=found.minutes)
        self._closed[community] = month

    def _key(self, fact: dict[str, Any]) -> None:
        self.keys.append(VerifierKey.parse(fact["key"]))


def _check_instant(text: str) -> None:
    if not _INSTANT(text):
        raise Wrong("date")


def _after(month: str) -> str:
    """The month that follows, "2026-12" -> "2027-01"."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


NOT_A_FACT = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


def verify(path: Path, *, earlier: str | bytes | None = None, keys: Sequence[VerifierKey] = ()) -> Report:
    """Read an export again, and compare it with an ``earlier`` signed head if one is given.

    ``keys`` are those that the reader trusts (of the books, and of witnesses); without one, the keys are those that the
    books name themselves. Raises OSError when the file can't be read; what is wrong in it is the report's finding.
    """
    with path.open("rb") as file:
        return _Export(file, earlier, keys).report()


class Told(NamedTuple):
    """What a proof shows: the fact, the size of the tree that it is in, and who signed its head (None: not checked)."""

    fact: dict[str, Any]
    size: int
    signed: str | None


def verify_entry(text: str, *, earlier: str | bytes | None = None, keys: Sequence[VerifierKey] = ()) -> Told:
    """Check that a fact is in the tree of a signed head, and that this tree grew from an ``earlier`` head, if given.

    Without a key the signature can't be checked: a proof doesn't say which keys are to be believed. Raises Wrong.
    """
    try:
        proof = exports.read(text)
        fact = json.loads(proof.line)
        if not isinstance(fact, dict):
            raise ValueError("not a fact")
    except (ValueError, RecursionError) as unreadable:
        raise Wrong("proof-malformed") from unreadable
    head = _checkpoint(proof.head, "head-malformed")
    leaf = seals.leaf_hash(proof.line.encode())
    if not seals.check_inclusion(leaf, proof.place, head.size, proof.hashes, head.root):
        raise Wrong("not-included", size=head.size)
    if earlier is not None:
        _check_growth(proof, head, _checkpoint(earlier, "earlier-malformed"))
    return Told(fact, head.size, _signer(proof.head, keys) if keys else None)


def _check_growth(proof: Proof, head: Checkpoint, earlier: Checkpoint) -> None:
    if earlier.origin != head.origin:
        raise Wrong("earlier-other", origin=earlier.origin)
    if earlier.size > head.size:
        raise Wrong("shorter", earlier=earlier.size, size=head.size)
    grown = [] if earlier.size in {0, head.size} else proof.grown
    if earlier.size not in {0, head.size, proof.since}:
        raise Wrong("no-growth", earlier=earlier.size)
    if not seals.check_consistency(earlier.size, earlier.root, head.size, head.root, grown):
        raise Wrong("rewritten", earlier=earlier.size)


def _signer(note: str, keys: Sequence[VerifierKey]) -> str | None:
    try:
        return signatures.verify(note, keys).signed[0].key.name
    except signatures.CannotCheck:
        return None
    except (signatures.NotSigned, signatures.Malformed) as refused:
        raise Wrong("signature") from refused


class _Export:
    def __init__(self, file: BinaryIO, earlier: str | bytes | None, keys: Sequence[VerifierKey]) -> None:
        self._file = file
        self._earlier_note = earlier
        self._trusted = keys
        self._fold = Fold()
        self._tree = Frontier()
        self._marks = bytearray()
        self._earlier: Checkpoint | None = None
        self._earlier_root: bytes | None = None
        self._finding: Finding | None = None
        self._signed: str | None = None
        self._witnesses: tuple[str, ...] = ()

    def report(self) -> Report:
        try:
            if self._earlier_note is not None:
                self._earlier = _checkpoint(self._earlier_note, "earlier-malformed")
            last = self._read()
            if last is None:
                self._note(self._tree.size + 1, Wrong("no-head"))
            else:
                self._conclude(last)
        except Wrong as wrong:
            self._note(0, wrong)
        return Report(self._fold.counted, len(self._fold.accounts), self._tree.size, self._tree.root(), self._signed,
                      self._witnesses, self._earlier.size if self._earlier else None, self._finding)  # fmt: skip

    def _note(self, line: int, wrong: Wrong) -> None:
        """Keep what is wrong, unless something before it was."""
        if self._finding is None:
            self._finding = Finding(line, wrong.rule, wrong.facts)

    def _lines(self) -> Iterator[bytes]:
        self._file.seek(0)
        return iter(partial(self._file.readline, MOST_BYTES), b"")

    def _read(self) -> bytes | None:
        """Take every line; return the last one, when it is the head, and the only one."""
        waiting: list[bytes] = []
        take, parse = self._fold.take, json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # what loads() calls
        stop = self._earlier.size if self._earlier else -1
        count, last = 0, None
        if stop == 0:
            self._earlier_root = self._tree.root()
        for line in self._lines():
            if last is not None:
                self._note(count + 2, Wrong("after-head"))
                return None
            if line.startswith(HEAD):
                last = line
                continue
            count += 1
            if self._finding is None:
                try:
                    text = line.decode()
                    fact, end = parse(text, 0)
                    if text[end:] != "\n":
                        raise ValueError("more than one object")
                    take(fact)
                except Wrong as wrong:
                    self._note(count, wrong)
                except StopIteration:
                    self._note(count, Wrong("unreadable"))
                except NOT_A_FACT:
                    self._note(count, Wrong("unreadable"))
            waiting.append(line)
            if count == stop or len(waiting) == TOGETHER:
                self._hash(waiting)
                waiting = []
                if count == stop:
                    self._earlier_root = self._tree.root()
        self._hash(waiting)
        return last

    def _hash(self, lines: list[bytes]) -> None:
        hashes = [sha256(b"\0" + line.removesuffix(b"\n")).digest() for line in lines]
        self._tree.extend(hashes)
        self._marks += b"".join([each[:MARK] for each in hashes])

    def _conclude(self, last: bytes) -> None:
        try:
            told = json.loads(last)
            note, marks = told["head"], b64decode(told.get("marks", ""), validate=True)
            if not isinstance(note, str):
                raise ValueError("not a note")
        except NOT_A_FACT as unreadable:
            raise Wrong("head-malformed") from unreadable
        head = _checkpoint(note, "head-malformed")
        if head.size != self._tree.size or head.root != self._tree.root():
            self._name_the_line(marks, head)
        elif last != exports.last_line(note, bytes(self._marks)):  # what no signature covers says nothing else
            raise Wrong("head-malformed")
        if self._finding is not None:
            return
        self._fold.end()
        self._check_mirrors()
        self._check_earlier(head)
        self._check_signature(note)

    def _name_the_line(self, marks: bytes, head: Checkpoint) -> None:
        """The tree isn't the signed one: the line is the first that the last line's marks don't know."""
        if not marks:
            self._note(0, Wrong("tree", size=head.size))
            return
        known = min(len(marks), len(self._marks))
        for start in range(0, known, MARK):
            if marks[start : start + MARK] != self._marks[start : start + MARK]:
                self._finding = Finding(start // MARK + 1, "changed", {})
                return
        if len(marks) != len(self._marks):
            self._finding = Finding(known // MARK + 1, "count", {"said": head.size, "found": self._tree.size})
            return
        self._note(0, Wrong("tree", size=head.size))

    def _check_mirrors(self) -> None:
        """Read the corrected entries again: each must be the mirror of its correction, before it, and no correction."""
        mirrors = self._fold.mirrors
        if not mirrors:
            return
        left = dict(mirrors)
        start = b'{"fact": "entry", "id": '
        for count, line in enumerate(self._lines(), 1):
            if not line.startswith(start):
                continue
            try:
                number = int(line[len(start) : line.index(b",", len(start))])
            except ValueError:  # it has two numbers
                self._note(count, Wrong("unreadable"))
                return
            if number in left:
                at, mirror = left.pop(number)
                fact = json.loads(line)
                moves = [(each["from"], each["to"], each["minutes"]) for each in fact["transfers"]]
                if moves != mirror or fact["kind"] == "correction" or at < count:
                    self._note(at, Wrong("mirror", entry=number))
        for number, (at, _mirror) in left.items():
            self._note(at, Wrong("mirror", entry=number))

    def _check_earlier(self, head: Checkpoint) -> None:
        earlier = self._earlier
        if earlier is None:
            return
        if earlier.origin != head.origin:
            raise Wrong("earlier-other", origin=earlier.origin)
        if earlier.size > head.size:
            raise Wrong("shorter", earlier=earlier.size, size=head.size)
        if self._earlier_root != earlier.root:
            raise Wrong("rewritten", earlier=earlier.size)
        assert self._earlier_note is not None
        self._believe(self._earlier_note, "earlier-signature")

    def _check_signature(self, note: str) -> None:
        checked = self._believe(note, "signature")
        if checked is None:
            return
        names = [signed.key.name for signed in checked.signed if signed.timestamp is None]
        if not names:
            raise Wrong("signature")
        self._signed = names[0]
        self._witnesses = tuple(signed.key.name for signed in checked.signed if signed.timestamp is not None)

    def _keys(self) -> list[VerifierKey]:
        """The keys of the books that the reader gave, else those that the books name; and the witnesses given."""
        ours = any(key.kind == signatures.ED25519 for key in self._trusted)
        return [*self._trusted, *([] if ours else self._fold.keys)]

    def _believe(self, note: str | bytes, rule: str) -> signatures.Checked | None:
        try:
            return signatures.verify(note, self._keys())
        except signatures.CannotCheck:
            return None
        except (signatures.NotSigned, signatures.Malformed) as refused:
            raise Wrong(rule) from refused


def _checkpoint(note: str | bytes, rule: str) -> Checkpoint:
    try:
        return Checkpoint.parse(Note.parse(note).text)
    except signatures.Malformed as refused:
        raise Wrong(rule) from refused
