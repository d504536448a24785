"""Seals: the Merkle tree over the lines of an export, as RFC 6962 and RFC 9162, sections 2.1, define it.

A leaf is one line of the books. Whoever keeps an earlier root can be shown that the books were only added to since, and
that a line of theirs is in them, with a few dozen hashes and none of the other lines. Sizes and indices count leaves.
A root doesn't tell the size of its tree: both are to be taken from the same signed head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from hashlib import sha256
from itertools import islice
from operator import add

HASH_BYTES = 32
EMPTY = sha256(b"").digest()  # the root of a tree without leaves
STEP = 8  # levels from one stored row to the next: 0, 8, 16...
TILE = 1 << STEP  # hashes of one row that make one hash of the next row stored

Subtree = Callable[[int, int], bytes]  # (level, index): the root over leaves [index << level, (index + 1) << level)
Stored = Callable[[int, int, int], Sequence[bytes]]  # (level, start, count): hashes of a stored row, in order


class NotATree(ValueError):
    """What is given or asked makes no tree; ``reason`` is one of:

    hash (not of 32 bytes), count (as many hashes don't cover that size), outside (the tree doesn't reach so far),
    missing (it should be stored, and isn't).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def leaf_hash(line: bytes) -> bytes:
    """The hash of a leaf: the line exactly as exported. Its first byte keeps a leaf from being taken for a node."""
    return sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node, from those of the two subtrees below it."""
    return sha256(b"\x01" + left + right).digest()


def complete(hashes: Sequence[bytes]) -> bytes:
    """The root above hashes of one level; they are 1, 2, 4, 8... Raises NotATree (count) for another number."""
    if not hashes or len(hashes) & (len(hashes) - 1):
        raise NotATree("count")
    # a row at a time: one call of node_hash for each pair would take half as long again
    while len(hashes) > 1:
        hashes = [sha256(b"\x01" + pair).digest() for pair in map(add, hashes[::2], hashes[1::2])]
    return hashes[0]


class Frontier:
    """What must be kept of a tree to go on adding leaves: the roots of the complete subtrees that cover [0, size).

    ``hashes`` holds them from the largest to the smallest, one for each bit set in ``size``; with the size they can be
    stored, and given back later. Raises NotATree (count, or hash).
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if size < 0 or len(self.hashes) != size.bit_count():
            raise NotATree("count")
        _only_hashes(self.hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf, by its hash. Raises NotATree (hash)."""
        _only_hashes([leaf])
        self._put(leaf, 0)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves, by their hashes, in their order. Raises NotATree (hash); those before stay added."""
        coming = iter(leaves)
        while row := list(islice(coming, TILE - self.size % TILE)):
            _only_hashes(row)
            if len(row) == TILE:
                self._put(complete(row), STEP)
            else:
                for leaf in row:
                    self._put(leaf, 0)

    def root(self) -> bytes:
        """The root of the tree as it is now; EMPTY before the first leaf."""
        return _joined(self.hashes)

    def _put(self, root: bytes, level: int) -> None:
        """Add a complete subtree; the size is a multiple of its leaves. Each bit carried is two subtrees made one."""
        carried = self.size >> level
        while carried & 1:
            root = node_hash(self.hashes.pop(), root)
            carried >>= 1
        self.hashes.append(root)
        self.size += 1 << level


def root_of(subtree: Subtree, size: int) -> bytes:
    """The root of the tree of the first ``size`` leaves; EMPTY for none. Raises NotATree (outside) below zero."""
    if size < 0:
        raise NotATree("outside")
    return _over(subtree, 0, size)


def inclusion(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """The proof that the leaf at ``index`` is in the tree of ``size`` leaves (RFC 9162, section 2.1.3.1).

    Raises NotATree (outside) for an index that the tree doesn't have.
    """
    if not 0 <= index < size:
        raise NotATree("outside")
    start, end, found = 0, size, []
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            found.append(_over(subtree, middle, end))
            end = middle
        else:
            found.append(_over(subtree, start, middle))
            start = middle
    return found[::-1]


def consistency(subtree: Subtree, old_size: int, size: int) -> list[bytes]:
    """The proof that the first ``old_size`` leaves of the tree are all of an older one (RFC 9162, section 2.1.4.1).

    Nothing needs proving, and the list is empty, from no leaf or between equal sizes. Raises NotATree (outside) when
    the older tree would be the larger.
    """
    if not 0 <= old_size <= size:
        raise NotATree("outside")
    if old_size == 0:
        return []
    start, end, found = 0, size, []
    while old_size != end:
        middle = _middle(start, end)
        if old_size <= middle:
            found.append(_over(subtree, middle, end))
            end = middle
        else:
            found.append(_over(subtree, start, middle))
            start = middle
    if start:  # else the way began at the older root itself, which who checks already has
        found.append(_over(subtree, start, end))
    return found[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows ``leaf``, by its hash, at ``index`` of the tree of that size and root.

    RFC 9162, section 2.1.3.2. A proof of another length or of anything but hashes is False, never an exception.
    """
    if not 0 <= index < size or not _are_hashes([leaf, root, *proof]):
        return False
    reached = _climb(leaf, index, size - 1, proof)
    return reached is not None and reached[1] == root


def check_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that a tree of ``old_size`` and ``old_root`` grew into that of ``size`` and ``root``.

    RFC 9162, section 2.1.4.2, which begins at one leaf; here the empty tree, known by its root, grows into any other
    with no proof. A proof of another length or of anything but hashes is False, never an exception.
    """
    if not 0 <= old_size <= size or not _are_hashes([old_root, root, *proof]):
        return False
    if old_size == size:
        return not proof and old_root == root and (size > 0 or root == EMPTY)
    if old_size == 0:
        return not proof and old_root == EMPTY
    lowest = old_size & -old_size  # the leaves of the older tree's last complete subtree: the way begins at its root
    way = [old_root, *proof] if old_size == lowest else proof
    if not way:
        return False
    return _climb(way[0], (old_size - 1) // lowest, (size - 1) // lowest, way[1:]) == (old_root, root)


class Tiles:
    """Answers ``subtree`` from rows stored at levels 0, 8, 16..., read by tiles of 256 and computed in between.

    ``stored(level, start, count)`` reads a row; where the row ends sooner it answers fewer. A proof among a million
    leaves reads five tiles or six; ``keep`` tiles, those last used, are not read again.
    """

    def __init__(self, stored: Stored, keep: int = 64) -> None:
        self._stored = stored
        self._keep = keep
        self._kept: dict[tuple[int, int], Sequence[bytes]] = {}

    def subtree(self, level: int, index: int) -> bytes:
        """The root over leaves [index << level, (index + 1) << level). Raises NotATree (missing)."""
        above = level % STEP
        tile, first = divmod(index << above, TILE)
        end = first + (1 << above)
        return complete(self._tile(level - above, tile, end)[first:end])

    def _tile(self, level: int, tile: int, needed: int) -> Sequence[bytes]:
        row = self._kept.pop((level, tile), [])
        if len(row) < needed:  # never read, or read before the tree grew
            row = self._stored(level, tile * TILE, TILE)
        if len(row) < needed:
            raise NotATree("missing")
        self._kept[level, tile] = row  # last: the first of the dictionary is the one that waited longest
        if len(self._kept) > self._keep:
            del self._kept[next(iter(self._kept))]
        return row


def _middle(start: int, end: int) -> int:
    """Where a tree over these leaves has its two sides meet: the largest power of two below their number."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _over(subtree: Subtree, start: int, end: int) -> bytes:
    """The root over leaves [start, end), where a side of a tree begins at ``start``."""
    roots = []
    while start < end:
        level = (end - start).bit_length() - 1
        roots.append(subtree(level, start >> level))
        start += 1 << level
    return _joined(roots)


def _joined(roots: Sequence[bytes]) -> bytes:
    """The root above complete subtrees, given from the largest to the smallest."""
    return reduce(lambda right, left: node_hash(left, right), reversed(roots)) if roots else EMPTY


def _climb(seed: bytes, index: int, last: int, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots above ``seed``, at ``index`` of a row that ends at ``last``: of the tree that ended there, and now.

    What stands to the left was in both trees, what stands to the right came later. None when the proof is too long or
    too short for the way.
    """
    older = newer = seed
    for beside in proof:
        if last == 0:
            return None
        if index & 1 or index == last:
            older, newer = node_hash(beside, older), node_hash(beside, newer)
            while index and not index & 1:  # the last of a row alone goes up as it is
                index, last = index >> 1, last >> 1
        else:
            newer = node_hash(newer, beside)
        index, last = index >> 1, last >> 1
    return (older, newer) if last == 0 else None


def _are_hashes(values: Iterable[bytes]) -> bool:
    return set(map(len, values)) <= {HASH_BYTES}


def _only_hashes(values: Iterable[bytes]) -> None:
    """Raise NotATree (hash): pieces of other lengths would let two different trees have one root."""
    if not _are_hashes(values):
        raise NotATree("hash")
