"""Seals: every fact becomes a leaf, and each new head of the tree is signed; what is asked of the tree afterwards."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger import seals, signatures
from ledger.seals import Tiles
from ledger.signatures import Checkpoint, SigningKey, VerifierKey

TOGETHER = 20_000  # leaves made by one statement
FAR = 50_000  # facts numbered since `below` was last moved: the search for leaves begins to cost


class Head(NamedTuple):
    """A signed head: how many leaves, their root, the note that is handed out, and when it was signed."""

    size: int
    root: bytes
    note: str
    signed_at: datetime

    @property
    def fingerprint(self) -> str:
        """The root as the note writes it."""
        return b64encode(self.root).decode()


class Sealed(NamedTuple):
    """A fact with its leaf: its line, where it stands, and the proof that it is in the tree of a head."""

    line: str
    place: int
    proof: list[bytes]
    head: Head


_SEAL = text("SELECT count(*) FROM books.seal(:most, :still)")
_KEEP = text("SELECT books.keep_head(:size, :root, :note, :at)")
_HEAD = "SELECT size, root, note, signed_at FROM books.heads"
_LAST = text(f"{_HEAD} ORDER BY size DESC LIMIT 1")
_OF_SIZE = text(f"{_HEAD} WHERE size = :size")
_HISTORY = text(f"{_HEAD} WHERE size < :before ORDER BY size DESC LIMIT :most")
_STORED = text(
    "SELECT hash FROM books.tiles WHERE level = :level AND place >= :start AND place < :end ORDER BY place"
)
_LEAVES = text("SELECT hash FROM books.leaves WHERE place >= :start AND place < :end ORDER BY place")
# one value of many hashes: a row for each would cost more than the tree itself
_PART = text(
    "SELECT string_agg(hash, '' ORDER BY place) FROM books.leaves WHERE place >= :start AND place < :end"
)
_SIZE = text("SELECT max(place) + 1 FROM books.leaves")
_KEYS = text("SELECT key FROM books.seal_keys ORDER BY id")
_REGISTER = text("SELECT books.register_key(:key, :at)")
_WAITING = text(
    "SELECT count(*) FROM books.facts f WHERE f.id > (SELECT below FROM books.sealing)"
    " AND NOT EXISTS (SELECT FROM books.leaves l WHERE l.fact_id = f.id)"
)
_NUMBERED = text("SELECT (SELECT last_value FROM books.fact_ids) - below FROM books.sealing")
_LEAF = text(
    "SELECT l.place, f.line FROM books.leaves l JOIN books.facts f ON f.id = l.fact_id WHERE l.fact_id = :fact"
)
# as text the lines would be escaped; no line holds the two controls that this format would quote
_EXPORT = """
    COPY (SELECT f.line FROM books.leaves l JOIN books.facts f ON f.id = l.fact_id WHERE l.place < %s ORDER BY l.place)
    TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02', ENCODING 'UTF8')
"""
_COSIGNED = text("SELECT line FROM books.cosignatures WHERE size = :size ORDER BY witness")
_LAST_COSIGNED = text(
    """
    SELECT h.size, h.root, h.note, h.signed_at FROM books.heads h JOIN books.cosignatures c ON c.size = h.size
     WHERE c.witness = :witness ORDER BY h.size DESC LIMIT 1
    """
)
_COSIGN = text("SELECT books.keep_cosignature(:size, :witness, :line, :at)")


def register(session: Session, key: VerifierKey, *, at: datetime) -> None:
    """Enter the key that signs from now on in the books; one that they know already stays as it is."""
    session.execute(_REGISTER, {"key": str(key), "at": at})


def keys(session: Session) -> list[VerifierKey]:
    """The keys that ever signed, the one in use last."""
    return [VerifierKey.parse(key) for key in session.scalars(_KEYS)]


def seal(session: Session, key: SigningKey, *, at: datetime, still: bool = False) -> Head | None:
    """Give its leaf to every committed fact that has none, and sign the new head; None when there was nothing.

    ``still``: writers wait until the caller's transaction ends, and the next search is shorter; see ``books.seal``. Set
    a ``lock_timeout`` below the server's ``deadlock_timeout`` first: a writer may hold what this waits for, and then
    wait for this. Raises KeyUnknown when the books don't name this key.
    """
    if key.public not in keys(session):
        raise KeyUnknown
    while session.scalar(_SEAL, {"most": TOGETHER, "still": still}) == TOGETHER:
        pass
    size, last = int(session.scalar(_SIZE) or 0), last_head(session)
    if size == (last.size if last else 0):
        return None
    root = seals.root_of(tree(session).subtree, size)
    checkpoint = Checkpoint(key.name, size, root).text()
    head = Head(size, root, signatures.signed(checkpoint, key.sign(checkpoint)), at)
    session.execute(_KEEP, {"size": size, "root": root, "note": head.note, "at": at})
    return head


class KeyUnknown(LookupError):
    """A key that the books don't name can't sign their head: it is registered first."""


def _stored(session: Session, level: int, start: int, count: int) -> list[bytes]:
    """Hashes that the database keeps: leaves at level 0, tiles above."""
    values = {"level": level, "start": start, "end": start + count}
    return [bytes(hash_) for hash_ in session.scalars(_STORED if level else _LEAVES, values)]


def tree(session: Session) -> Tiles:
    """The tree as it is stored."""
    return Tiles(lambda level, start, count: _stored(session, level, start, count))


def last_head(session: Session) -> Head | None:
    """The newest head; None before the first seal. Without what witnesses signed under it: see ``witnessed``."""
    row = session.execute(_LAST).one_or_none()
    return Head(*row) if row else None


def head_of(session: Session, size: int) -> Head | None:
    """The head of this size, if there was one."""
    row = session.execute(_OF_SIZE, {"size": size}).one_or_none()
    return Head(*row) if row else None


def heads(session: Session, *, before: int | None = None, most: int = 25) -> list[Head]:
    """The heads, newest first; ``before`` is the size under which they start."""
    return [Head(*row) for row in session.execute(_HISTORY, {"before": before or 2**62, "most": most})]


def witnessed(session: Session, head: Head) -> Head:
    """A head with what witnesses signed under it, as it is handed out."""
    lines = session.scalars(_COSIGNED, {"size": head.size})
    return head._replace(note=head.note + "".join(lines))


def keep_cosignature(session: Session, head: Head, witness: VerifierKey, line: str, *, at: datetime) -> None:
    """Keep what a witness signed under a head; the caller has checked it."""
    session.execute(_COSIGN, {"size": head.size, "witness": str(witness), "line": line, "at": at})


def leaves(session: Session) -> Iterator[list[bytes]]:
    """The hashes of every leaf in their order, many at once."""
    start = 0
    while part := session.scalar(_PART, {"start": start, "end": start + TOGETHER}):
        yield [part[at : at + seals.HASH_BYTES] for at in range(0, len(part), seals.HASH_BYTES)]
        start += TOGETHER


def waiting(session: Session) -> int:
    """How many committed facts have no leaf yet."""
    return int(session.scalar(_WAITING) or 0)


def far(session: Session) -> bool:
    """Whether so many facts were numbered since the search was last shortened that it is time to."""
    return int(session.scalar(_NUMBERED) or 0) > FAR


def sealed(session: Session, fact: int) -> Sealed | None:
    """A fact with the proof that it is in the tree of the newest head; None until it is sealed."""
    found = session.execute(_LEAF, {"fact": fact}).one_or_none()
    head = last_head(session)
    if found is None or head is None or head.size <= found.place:
        return None
    proof = seals.inclusion(tree(session).subtree, found.place, head.size)
    return Sealed(found.line, found.place, proof, witnessed(session, head))


def consistency(session: Session, old_size: int, size: int) -> list[bytes]:
    """The proof that the tree of ``size`` only added to that of ``old_size``. Raises NotATree (outside)."""
    return seals.consistency(tree(session).subtree, old_size, size)


def lines(session: Session, head: Head) -> Iterator[bytes]:
    """The lines of a head's tree in the order of its leaves, as they are exported; read as a stream."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    with connection.cursor() as cursor, cursor.copy(_EXPORT, (head.size,)) as copy:
        yield from map(bytes, copy)


def last_cosigned(session: Session, witness: VerifierKey) -> Head | None:
    """The largest head that a witness signed."""
    row = session.execute(_LAST_COSIGNED, {"witness": str(witness)}).one_or_none()
    return Head(*row) if row else None
