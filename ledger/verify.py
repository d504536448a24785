"""An export of the books, read again with nothing but Python: no server, no database, and nothing that is believed.

Each line is one fact, in the order in which the facts were sealed, and the last line is the signed head. Each fact must
follow from those before it (``ledger.replay``); the tree of all lines must be the signed one, and grow from an earlier
head that was kept.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ledger import exports, seals, signatures
from ledger.exports import HEAD, MARK, Proof
from ledger.replay import NOT_A_FACT, Fold, Wrong
from ledger.seals import Frontier
from ledger.signatures import Checkpoint, Note, VerifierKey

MOST_BYTES = 64_000_000  # of a line: an entry of several hundred thousand transfers
TOGETHER = 1 << 12  # lines hashed at once
GIVEN, NAMED = "que vous donnez", "que nomme ce livre"  # whose keys they are


class Finding(NamedTuple):
    """What is wrong, and where: ``line`` counts from 1, 0 is the file as a whole; ``rule`` names it, ``facts`` tell."""

    line: int
    rule: str
    facts: dict[str, Any]


class Report(NamedTuple):
    """What was read; right when there is no ``finding``. ``signed`` is the key that did, None when it wasn't checked;
    it proves nothing unless it is ``trusted``: one that the reader gave, and not one that the file names itself.
    """

    facts: Counter[str]
    accounts: int
    size: int
    root: bytes
    signed: VerifierKey | None
    trusted: bool
    witnesses: tuple[str, ...]
    earlier: int | None
    finding: Finding | None


def verify(path: Path, *, earlier: str | None = None, keys: Sequence[VerifierKey] = ()) -> Report:
    """Read an export again, and compare it with an ``earlier`` signed head if one is given.

    ``keys`` are those that the reader trusts (of the books, and of witnesses); when there is none, the keys are those
    that the books name themselves, which a forger chooses.

    Raises OSError when the file can't be read; what is wrong in it is the report's finding.
    """
    with path.open("rb") as file:
        return _Export(file, earlier, keys).report()


class Told(NamedTuple):
    """What a proof shows: the fact, the size of the tree that it is in, and who signed its head (None: not checked).

    ``earlier`` is the size of the head that was kept, if one was given: the tree grew from it.
    """

    fact: dict[str, Any]
    size: int
    signed: str | None
    earlier: int | None


def verify_entry(text: str, *, earlier: str | None = None, keys: Sequence[VerifierKey] = ()) -> Told:
    """Check that a fact is in the tree of a signed head, and that this tree grew from an ``earlier`` head, if given.

    Without a key no signature can be checked: a proof doesn't say which keys are to be believed. Raises Wrong.
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
    signed, _witnesses = _signers(proof.head, keys, keys) if keys else (None, ())
    kept = None
    if earlier is not None:
        kept = _checkpoint(earlier, "earlier-malformed")
        _check_growth(proof, head, kept)
        if keys and _believed(earlier, keys) is False:
            raise Wrong("earlier-signature", whose=GIVEN)
    return Told(fact, head.size, signed.name if signed else None, kept.size if kept else None)


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


def _signers(
    note: str, trusted: Sequence[VerifierKey], known: Sequence[VerifierKey]
) -> tuple[VerifierKey | None, tuple[str, ...]]:
    """The key of the books among those ``known`` that signed a head (None when it can't be checked), and the witnesses.

    Raises Wrong. A witness says that a head grew, never that it is the one of these books.
    """
    if known and all(key.kind == signatures.COSIGNATURE for key in known):
        raise Wrong("only-witness")
    whose = GIVEN if trusted else NAMED
    try:
        checked = signatures.verify(note, known)
    except signatures.CannotCheck:
        return None, ()
    except (signatures.NotSigned, signatures.Malformed) as refused:
        raise Wrong("signature", whose=whose) from refused
    keys = [signed.key for signed in checked.signed if signed.timestamp is None]
    if not keys:
        raise Wrong("signature", whose=whose)
    return keys[0], tuple(signed.key.name for signed in checked.signed if signed.timestamp is not None)


def _believed(note: str, known: Sequence[VerifierKey]) -> bool | None:
    """Whether one of the keys signed a head; None when it can't be checked."""
    try:
        return bool(signatures.verify(note, known).signed)
    except signatures.CannotCheck:
        return None
    except (signatures.NotSigned, signatures.Malformed):
        return False


class _Export:
    def __init__(self, file: BinaryIO, earlier: str | None, keys: Sequence[VerifierKey]) -> None:
        self._file = file
        self._earlier_note = earlier
        self._trusted = keys
        self._fold = Fold()
        self._tree = Frontier()
        self._marks = bytearray()
        self._earlier: Checkpoint | None = None
        self._earlier_root: bytes | None = None
        self._finding: Finding | None = None
        self._signed: VerifierKey | None = None
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
        return Report(
            self._fold.counted, len(self._fold.accounts), self._tree.size, self._tree.root(),
            self._signed, self._signed in self._trusted, self._witnesses,
            self._earlier.size if self._earlier else None, self._finding,
        )  # fmt: skip

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
        self._check_growth(head)
        self._signed, self._witnesses = _signers(note, self._trusted, self._trusted or self._fold.keys)
        known = [*self._trusted, *self._fold.keys]  # the head that is believed covers the lines that name these
        if self._earlier_note is not None and _believed(self._earlier_note, known) is False:
            raise Wrong("earlier-signature", whose=NAMED)

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

    def _check_growth(self, head: Checkpoint) -> None:
        earlier = self._earlier
        if earlier is None:
            return
        if earlier.origin != head.origin:
            raise Wrong("earlier-other", origin=earlier.origin)
        if earlier.size > head.size:
            raise Wrong("shorter", earlier=earlier.size, size=head.size)
        if self._earlier_root != earlier.root:
            raise Wrong("rewritten", earlier=earlier.size)


def _checkpoint(note: str, rule: str) -> Checkpoint:
    try:
        return Checkpoint.parse(Note.parse(note).text)
    except signatures.Malformed as refused:
        raise Wrong(rule) from refused
