"""The tree is that of the RFC, each of its proofs holds, and nothing near a proof does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.seals import (
    EMPTY,
    TILE,
    Frontier,
    NotATree,
    Tiles,
    check_consistency,
    check_inclusion,
    complete,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    root_of,
)

# The eight leaves on which implementations of Certificate Transparency agree, and their roots at sizes 0 to 8.
EIGHT = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
IN = {
    (0, 8): ["96a296d2", "5f083f0a", "6b47aaf2"],
    (5, 8): ["bc1a0643", "ca854ea1", "d37ee418"],
    (2, 3): ["fac54203"],
    (1, 5): ["6e340b9c", "5f083f0a", "bc1a0643"],
    (0, 1): [],
}
GREW = {
    (1, 1): [],
    (1, 8): ["96a296d2", "5f083f0a", "6b47aaf2"],
    (6, 8): ["0ebc5d34", "ca854ea1", "d37ee418"],
    (2, 5): ["5f083f0a", "bc1a0643"],
}
MOST = 260  # leaves: past the first whole tile
LARGE = TILE * TILE + 3 * TILE + 5  # leaves: past the first tile of tiles


class Definition:
    """Section 2.1 of the RFC to the letter, over leaves [start, end)."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = lines
        self.root = cache(self._root)

    def _root(self, start: int, end: int) -> bytes:
        if end == start:
            return sha256().digest()
        if end - start == 1:
            return sha256(b"\x00" + self.lines[start]).digest()
        k = self.split(end - start)
        return sha256(b"\x01" + self.root(start, start + k) + self.root(start + k, end)).digest()

    @staticmethod
    def split(n: int) -> int:
        k = 1
        while k * 2 < n:
            k *= 2
        return k

    def path(self, m: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        k = self.split(end - start)
        if m < k:
            return [*self.path(m, start, start + k), self.root(start + k, end)]
        return [*self.path(m - k, start + k, end), self.root(start, start + k)]

    def proof(self, m: int, start: int, end: int, known: bool = True) -> list[bytes]:
        if m == end - start:
            return [] if known else [self.root(start, end)]
        k = self.split(end - start)
        if m <= k:
            return [*self.proof(m, start, start + k, known), self.root(start + k, end)]
        return [*self.proof(m - k, start + k, end, False), self.root(start, start + k)]

    def subtree(self, level: int, index: int) -> bytes:
        assert (index + 1) << level <= len(self.lines)
        return self.root(index << level, (index + 1) << level)


LINES = [b"leaf %d" % index for index in range(MOST)]
LEAVES = [leaf_hash(line) for line in LINES]
STRANGE = leaf_hash(b"another")
TREE = Definition(LINES)
SOME = Definition(EIGHT)


def roots(size: int) -> bytes:
    return TREE.root(0, size)


def opening(hashes: list[bytes]) -> list[str]:
    return [found.hex()[:8] for found in hashes]


# What others publish


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_that_others_publish(size: int) -> None:
    frontier = Frontier()
    frontier.extend(leaf_hash(line) for line in EIGHT[:size])
    assert frontier.root() == root_of(SOME.subtree, size) == SOME.root(0, size) == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), IN)
def test_the_proofs_of_inclusion_are_those_that_others_publish(index: int, size: int) -> None:
    proof = inclusion(SOME.subtree, index, size)
    assert opening(proof) == IN[index, size]
    assert check_inclusion(leaf_hash(EIGHT[index]), index, size, proof, ROOTS[size])


@pytest.mark.parametrize(("old", "size"), GREW)
def test_the_proofs_of_consistency_are_those_that_others_publish(old: int, size: int) -> None:
    proof = consistency(SOME.subtree, old, size)
    assert opening(proof) == GREW[old, size]
    assert check_consistency(old, ROOTS[old], size, ROOTS[size], proof)


def test_a_leaf_is_not_taken_for_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


# Every proof holds


def test_every_leaf_is_proven_in_every_tree() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = inclusion(TREE.subtree, index, size)
            assert proof == TREE.path(index, 0, size)
            assert check_inclusion(LEAVES[index], index, size, proof, roots(size))


def test_every_tree_is_proven_to_have_grown_from_every_smaller_one() -> None:
    for old, size in combinations(range(1, MOST + 1), 2):
        proof = consistency(TREE.subtree, old, size)
        assert proof == TREE.proof(old, 0, size)
        assert check_consistency(old, roots(old), size, roots(size), proof)


def test_from_nothing_and_to_the_same_there_is_nothing_to_prove() -> None:
    for size in range(MOST + 1):
        assert consistency(TREE.subtree, 0, size) == consistency(TREE.subtree, size, size) == []
        assert check_consistency(0, EMPTY, size, roots(size), [])
        assert check_consistency(size, roots(size), size, roots(size), [])


# And nothing else does


def near(proof: list[bytes], byte: int) -> Iterator[list[bytes]]:
    """The proof with one fault, in each place where it could be."""
    places = range(len(proof))
    for at in places:
        changed = bytearray(proof[at])
        changed[byte % 32] ^= 1 << byte % 8
        yield [*proof[:at], bytes(changed), *proof[at + 1 :]]
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[:at], proof[at][:-1], *proof[at + 1 :]]
        yield [*proof[:at], proof[at] + b"\0", *proof[at + 1 :]]
        yield [*proof[:at], proof[at], *proof[at:]]
    for at in range(len(proof) + 1):
        yield [*proof[:at], LEAVES[byte], *proof[at:]]
        yield [*proof[:at], b"", *proof[at:]]
    for one, other in combinations(places, 2):
        swapped = list(proof)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        yield swapped


sizes = st.integers(1, MOST)


@given(st.data(), sizes, sizes, st.integers(0, 255))
def test_nothing_near_a_proof_of_inclusion_is_one(data: st.DataObject, size: int, other: int, byte: int) -> None:
    index, another = data.draw(st.integers(0, size - 1)), data.draw(st.integers(-2, MOST + 2))
    leaf, root, proof = LEAVES[index], roots(size), inclusion(TREE.subtree, index, size)
    assert check_inclusion(leaf, index, size, proof, root)
    assert not any(check_inclusion(leaf, index, size, changed, root) for changed in near(proof, byte))
    assert another == index or not check_inclusion(leaf, another, size, proof, root)
    assert other == size or not check_inclusion(leaf, index, other, proof, roots(other))
    assert not check_inclusion(STRANGE, index, size, proof, root)
    assert not check_inclusion(leaf, index, size, proof, STRANGE)
    assert not check_inclusion(leaf[1:], index, size, proof, root)
    assert not check_inclusion(leaf, index, size, proof, root[:-1])


@given(st.data(), sizes, sizes, st.integers(0, 255))
def test_nothing_near_a_proof_of_consistency_is_one(data: st.DataObject, size: int, other: int, byte: int) -> None:
    old = data.draw(st.integers(1, size))
    then, now, proof = roots(old), roots(size), consistency(TREE.subtree, old, size)
    assert check_consistency(old, then, size, now, proof)
    assert not any(check_consistency(old, then, size, now, changed) for changed in near(proof, byte))
    assert other in (old, size) or not check_consistency(other, roots(other), size, now, proof)
    assert other in (old, size) or not check_consistency(old, then, other, roots(other), proof)
    assert not check_consistency(old - size - 1, then, size, now, proof)
    assert not check_consistency(old, STRANGE, size, now, proof)
    assert not check_consistency(old, then, size, STRANGE, proof)
    assert not check_consistency(old, then[1:], size, now, proof)
    assert not check_consistency(old, then, size, now[:-1], proof)


def test_a_rewritten_leaf_is_seen_by_whoever_kept_an_earlier_root() -> None:
    for rewritten in range(100):
        forged = Definition([*LINES[:rewritten], b"another", *LINES[rewritten + 1 :]])
        proof = consistency(forged.subtree, 100, 200)
        assert not check_consistency(100, roots(100), 200, forged.root(0, 200), proof)


@pytest.mark.parametrize(
    ("old", "then", "size", "now"),
    [
        (0, roots(1), 5, roots(5)),  # the root of no leaf is known
        (0, EMPTY, 0, roots(1)),
        (0, roots(1), 0, roots(1)),
        (3, roots(3), 3, roots(4)),
        (4, roots(4), 3, roots(3)),
        (4, roots(4), 3, roots(4)),
        (4, roots(4), 5, roots(5)),  # a power of two: without a proof all the same no
        (-1, EMPTY, 5, roots(5)),
    ],
)
def test_what_needs_no_proof_is_looked_at_all_the_same(old: int, then: bytes, size: int, now: bytes) -> None:
    assert not check_consistency(old, then, size, now, [])


def test_a_proof_made_for_a_root_of_its_own_has_the_length_of_its_way_all_the_same() -> None:
    one, two, three, four = LEAVES[:4]
    left, right = node_hash(one, two), node_hash(three, four)
    assert not check_inclusion(left, 0, 4, [right], node_hash(left, right))  # a node given out as a leaf
    assert not check_inclusion(two, 0, 1, [one], node_hash(one, two))
    assert not check_consistency(1, one, 4, node_hash(one, right), [right])
    assert not check_consistency(1, node_hash(two, one), 1 << 4, node_hash(two, one), [two])
    assert not check_consistency(3, node_hash(left, three), 3, node_hash(left, three), [three, left])
    assert not check_consistency(2, left, 3, node_hash(node_hash(left, three), four), [three, four])
    assert not check_consistency(0, EMPTY, 4, node_hash(left, right), [left])


def test_a_proof_made_for_a_root_of_its_own_is_of_hashes_all_the_same() -> None:
    for piece in (b"", b"short", LEAVES[0] + LEAVES[1]):
        assert not check_inclusion(piece, 0, 2, [LEAVES[2]], node_hash(piece, LEAVES[2]))
        assert not check_inclusion(LEAVES[2], 0, 2, [piece], node_hash(LEAVES[2], piece))
        assert not check_inclusion(piece, 0, 1, [], piece)
        assert not check_consistency(1, piece, 2, node_hash(piece, LEAVES[2]), [LEAVES[2]])
        assert not check_consistency(1, LEAVES[2], 2, node_hash(LEAVES[2], piece), [piece])
        assert not check_consistency(1, piece, 1, piece, [])


anything = st.one_of(st.binary(max_size=40), st.binary(min_size=32, max_size=32), st.sampled_from(LEAVES))
numbers = st.one_of(st.integers(-3, 40), st.integers())


@given(st.lists(anything, max_size=12), anything, anything, numbers, numbers)
def test_garbage_is_refused_without_a_word(
    proof: list[bytes], one: bytes, other: bytes, small: int, large: int
) -> None:
    sound = all(len(piece) == 32 for piece in (one, other, *proof))
    for told in (
        check_inclusion(one, small, large, proof, other),
        check_consistency(small, one, large, other, proof),
    ):
        assert told is False or (told is True and sound)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (6, 5)])
def test_no_proof_is_made_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(NotATree, match=r"^outside$"):
        inclusion(TREE.subtree, index, size)


@pytest.mark.parametrize(("old", "size"), [(6, 5), (-1, 5), (0, -1)])
def test_a_tree_doesnt_shrink(old: int, size: int) -> None:
    with pytest.raises(NotATree, match=r"^outside$"):
        consistency(TREE.subtree, old, size)
    with pytest.raises(NotATree, match=r"^outside$"):
        root_of(TREE.subtree, -1)


# The frontier


@given(st.lists(st.integers(0, TILE + 9), max_size=4))
def test_leaves_come_one_by_one_or_many_at_once(counts: list[int]) -> None:
    leaves = [index.to_bytes(32) for index in range(sum(counts))]
    at_once, one_by_one, stored = Frontier(), Frontier(), Frontier()
    at_once.extend(leaves)
    for leaf in leaves:
        one_by_one.append(leaf)
    for start, end in pairwise([0, *(sum(counts[: at + 1]) for at in range(len(counts)))]):
        stored = Frontier(stored.size, stored.hashes)
        stored.extend(leaves[start:end])
    assert at_once.root() == one_by_one.root() == stored.root()
    assert at_once.hashes == one_by_one.hashes == stored.hashes
    assert at_once.size == one_by_one.size == stored.size == len(leaves)


def test_a_frontier_is_the_roots_of_its_complete_subtrees() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:7])
    assert frontier.hashes == [TREE.subtree(2, 0), TREE.subtree(1, 2), TREE.subtree(0, 6)]


@pytest.mark.parametrize(("size", "count"), [(0, 1), (7, 2), (7, 4), (8, 0), (-1, 1)])
def test_a_frontier_has_as_many_hashes_as_its_size_asks(size: int, count: int) -> None:
    with pytest.raises(NotATree, match=r"^count$"):
        Frontier(size, LEAVES[:count])


def test_a_frontier_takes_nothing_but_hashes() -> None:
    frontier = Frontier()
    with pytest.raises(NotATree, match=r"^hash$"):
        Frontier(1, [b"short"])
    with pytest.raises(NotATree, match=r"^hash$"):
        frontier.append(b"short")
    with pytest.raises(NotATree, match=r"^hash$"):
        frontier.extend([*LEAVES[:3], b"long" * 10])
    assert (frontier.size, frontier.root()) == (0, EMPTY)


# Tiles


class Store:
    """Rows as the database would hold them, filled as a tree grows, and how many hashes were read from them."""

    def __init__(self) -> None:
        self.rows: dict[int, list[bytes]] = {0: []}
        self.read = self.asked = 0

    def grow(self, leaves: Sequence[bytes]) -> None:
        self.rows[0] += leaves
        for level in (8, 16):
            row, below = self.rows.setdefault(level, []), self.rows[level - 8]
            row += [complete(below[at * TILE : (at + 1) * TILE]) for at in range(len(row), len(below) // TILE)]

    def hashes(self, level: int, start: int, count: int) -> list[bytes]:
        found = self.rows.get(level, [])[start : start + count]
        self.read, self.asked = self.read + len(found), self.asked + 1
        return found


def test_tiles_answer_what_the_plain_tree_does() -> None:
    store = Store()
    store.grow(LEAVES)
    tiles = Tiles(store.hashes, keep=1)
    for level in range(9):
        for index in range(MOST >> level):
            assert tiles.subtree(level, index) == TREE.subtree(level, index)


@cache
def large() -> Store:
    store = Store()
    store.grow([index.to_bytes(32) for index in range(LARGE)])
    return store


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_a_tree_of_three_rows_is_proven_from_its_tiles(data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, LARGE - 1)), data.draw(st.integers(1, LARGE))
    frontier = Frontier()
    frontier.extend(large().rows[0][:old])
    tiles = Tiles(large().hashes)
    root = root_of(tiles.subtree, LARGE)
    leaf = large().rows[0][index]
    assert check_inclusion(leaf, index, LARGE, inclusion(tiles.subtree, index, LARGE), root)
    assert check_consistency(old, frontier.root(), LARGE, root, consistency(tiles.subtree, old, LARGE))


@given(st.integers(0, 999_999))
def test_a_proof_among_a_million_leaves_reads_about_a_thousand_hashes_at_most(index: int) -> None:
    reads = []

    def stored(level: int, start: int, count: int) -> list[bytes]:
        reads.append(min(count, (1_000_000 >> level) - start))
        return [bytes(32)] * reads[-1]

    assert len(inclusion(Tiles(stored).subtree, index, 1_000_000)) <= 20
    assert sum(reads) <= 1000
    assert len(reads) <= 6


def test_a_tile_is_read_once_and_again_when_the_tree_grew() -> None:
    store = Store()
    tiles = Tiles(store.hashes)
    store.grow(LEAVES[:100])
    for index in range(100):
        tiles.subtree(0, index)
    assert store.asked == 1
    store.grow(LEAVES[100:])
    assert tiles.subtree(8, 0) == TREE.subtree(8, 0)
    assert tiles.subtree(7, 1) == TREE.subtree(7, 1)
    assert store.asked == 3


def test_the_tile_used_last_is_kept_the_longest() -> None:
    tiles = Tiles(large().hashes, keep=2)
    asked = large().asked
    for tile in (0, 1, 0, 2, 0, 2):  # 2 takes the place of 1
        tiles.subtree(0, tile * TILE)
    assert large().asked - asked == 3


@pytest.mark.parametrize(("level", "index"), [(0, 5), (1, 2), (8, 0), (16, 0)])
def test_what_should_be_stored_and_isnt_is_named(level: int, index: int) -> None:
    store = Store()
    store.grow(LEAVES[:5])
    with pytest.raises(NotATree, match=r"^missing$"):
        Tiles(store.hashes).subtree(level, index)


@pytest.mark.parametrize("count", [0, 3, 255])
def test_a_complete_subtree_has_a_power_of_two_of_hashes(count: int) -> None:
    with pytest.raises(NotATree, match=r"^count$"):
        complete(LEAVES[:count])
