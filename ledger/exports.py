"""What leaves the server: the export of the whole books, and the proof that one fact is in them.

An export is one file of JSON Lines. Each line but the last is a fact, byte for byte what was sealed; the last is the
head, ``{"head": note, "marks": base64}``, the note as C2SP ``tlog-checkpoint`` has it. A proof is one JSON object.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, NamedTuple

from ledger.seals import leaf_hash

MARK = 4  # bytes of each leaf's hash that the last line repeats, to name a line that differs; they prove nothing
HEAD = b'{"head": '
_KEPT = re.compile(
    r"^(?P<origin>[^\n]+)\n+(?P<size>[0-9]+)\n+(?P<root>[A-Za-z0-9+/]{43}=)\n+(?P<more>(?:[^\n\u2014][^\n]*\n)*)\n*"
    r"(?P<signed>(?:\u2014 [^\n]+\n+)+)", re.MULTILINE,
)  # fmt: skip
MOST_MARKS = 8_000_000  # lines; a larger export names no line


class Proof(NamedTuple):
    """A fact's line, its leaf's place, the hashes that lead from it to the root, and the signed head.

    ``since`` is the size of an earlier head, and ``grown`` the proof that the head's tree only added to its own.
    """

    line: str
    place: int
    hashes: Sequence[bytes]
    head: str
    since: int | None = None
    grown: Sequence[bytes] = ()


def write(out: BinaryIO, lines: Iterable[bytes], note: str) -> int:
    """Write an export; return how many facts it holds. Each of ``lines`` ends with its newline."""
    marks, count = bytearray(), 0
    for line in lines:
        out.write(line)
        count += 1
        if count <= MOST_MARKS + 1:  # the one too many tells last_line that they are
            marks += leaf_hash(line.removesuffix(b"\n"))[:MARK]
    out.write(last_line(note, bytes(marks)))
    return count


def last_line(note: str, marks: bytes) -> bytes:
    """The line that ends an export."""
    told = b64encode(marks).decode() if len(marks) <= MARK * MOST_MARKS else ""
    return HEAD + f'{json.dumps(note, ensure_ascii=False)}, "marks": "{told}"}}\n'.encode()


def written(proof: Proof) -> str:
    """A proof as it is downloaded."""
    document: dict[str, Any] = {
        "line": proof.line, "place": proof.place, "hashes": _encoded(proof.hashes), "head": proof.head,
    }  # fmt: skip
    if proof.since is not None:
        document |= {"since": proof.since, "grown": _encoded(proof.grown)}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> Proof:
    """A proof as it was downloaded. Raises ValueError for anything else."""
    try:
        told = json.loads(text)
        since, place, grown = told.get("since"), told["place"], _decoded(told.get("grown", []))
        proof = Proof(told["line"], place, _decoded(told["hashes"]), told["head"], since, grown)
        if type(place) is not int or not isinstance(proof.line, str) or not isinstance(proof.head, str):
            raise ValueError("not a proof")
        if since is not None and type(since) is not int:
            raise ValueError("not a proof")
        proof.line.encode()
    except (KeyError, TypeError, AttributeError, RecursionError) as other:
        raise ValueError("not a proof") from other
    return proof


def kept(head: bytes) -> str:
    """A signed head as it was, whatever a mailbox or an editor made of it: they change the ends of lines, add blanks or
    take them away, keep the letter around it, write in another encoding. What isn't known again is left as it is.
    """
    text = _decoded_text(head)
    lines = [line.strip() for line in text.splitlines()]
    found = _KEPT.search("".join(f"{line}\n" for line in lines))
    if found is None:
        return text
    signed = "".join(f"{line}\n" for line in found["signed"].split("\n") if line)
    return f"{found['origin']}\n{found['size']}\n{found['root']}\n{found['more']}\n{signed}"


def _decoded_text(data: bytes) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # an older Windows


def _encoded(hashes: Sequence[bytes]) -> list[str]:
    return [b64encode(each).decode() for each in hashes]


def _decoded(hashes: Sequence[str]) -> list[bytes]:
    found = [b64decode(each, validate=True) for each in hashes]
    if _encoded(found) != list(hashes):  # a hash is written in one way
        raise ValueError("not a proof")
    return found
