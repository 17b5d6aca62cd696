"""The tree of RFC 6962 section 2.1: hashes, roots, proofs, and their verification.

The log keeps a *frontier* (the roots of the perfect subtrees that make up the tree, at most 64 hashes), so an append
costs about two node hashes whatever the size. Proofs are built from a function that returns stored hashes of whole
tiles' levels (C2SP tlog-tiles: levels 0, 8, 16...); everything between is folded on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
TILE_HEIGHT = 8
TILE_WIDTH = 256
MAX_PROOF = 63
"""C2SP tlog-witness: no consistency proof holds more hashes; nor does an inclusion proof below 2^63 leaves."""

Nodes = Callable[[int, int, int], Sequence[bytes]]
"""`nodes(tile_level, start, end)`: hashes `start` to `end - 1` of tree level 8 * tile_level, left to right."""


class ProofError(ValueError):
    """A proof that does not prove what it claims, or a question that has no answer."""


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class TileRoot(NamedTuple):
    """The hash of a full tile: node `number` of tree level 8 * `level`, level >= 1."""

    level: int
    number: int
    hash: bytes


class Frontier:
    """The roots of the perfect subtrees of a tree, largest first; the only state an append needs."""

    __slots__ = ("size", "stack")

    def __init__(self, size: int = 0, stack: Iterable[bytes] = ()) -> None:
        self.size = size
        self.stack = list(stack)
        if len(self.stack) != size.bit_count() or any(len(node) != HASH_SIZE for node in self.stack):
            raise ProofError("not the frontier of a tree of this size")

    def copy(self) -> Frontier:
        twin = Frontier()
        twin.size, twin.stack = self.size, self.stack.copy()
        return twin

    def append(self, leaf: bytes) -> tuple[TileRoot, ...]:
        """Add a leaf hash; return the tiles that it completed."""
        return self.append_subtree(0, leaf)

    def append_subtree(self, height: int, node: bytes) -> tuple[TileRoot, ...]:
        """Add a perfect subtree of 2^height leaves, whose left edge must be aligned to its own width."""
        carry, stack = self.size >> height, self.stack
        done: tuple[TileRoot, ...] = ()
        if carry << height != self.size:
            raise ProofError("subtree is not aligned")
        self.size += 1 << height
        while carry & 1:
            node = sha256(b"\x01" + stack.pop() + node).digest()
            carry >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                done = (*done, TileRoot(height // TILE_HEIGHT, carry, node))
        stack.append(node)
        return done

    def root(self) -> bytes:
        if not self.stack:
            return EMPTY_ROOT
        node = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            node = sha256(b"\x01" + left + node).digest()
        return node

    def pack(self) -> bytes:
        return b"".join(self.stack)

    @classmethod
    def unpack(cls, size: int, data: bytes) -> Frontier:
        return cls(size, [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)])


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root of a perfect subtree from its nodes on one level (a power of two of them)."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 6962's k)."""
    return 1 << ((count - 1).bit_length() - 1)


def subtree(nodes: Nodes, start: int, end: int) -> bytes:
    """MTH(D[start:end]), where the range is one that RFC 6962's recursion visits."""
    count = end - start
    if count == 0:
        return EMPTY_ROOT
    if count & (count - 1):
        middle = start + _split(count)
        return node_hash(subtree(nodes, start, middle), subtree(nodes, middle, end))
    height = count.bit_length() - 1
    level = height // TILE_HEIGHT
    shift = level * TILE_HEIGHT
    found = nodes(level, start >> shift, end >> shift)
    if len(found) != count >> shift:
        raise ProofError("a hash of the tree is missing")
    return fold(found)


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 2.1.1: the leaf's sibling first."""
    if not 0 <= index < size:
        raise ProofError("index outside the tree")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(subtree(nodes, middle, end))
            end = middle
        else:
            proof.append(subtree(nodes, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962 2.1.2; empty from 0 (C2SP tlog-witness) and between equal sizes."""
    if not 0 <= old <= new:
        raise ProofError("the old tree is larger than the new one")
    proof: list[bytes] = []
    start, end, known = 0, new, True
    while old and old < end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(subtree(nodes, middle, end))
            end = middle
        else:
            proof.append(subtree(nodes, start, middle))
            start, known = middle, False
    if old and not known:
        proof.append(subtree(nodes, start, end))
    return proof[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that this proof leads to; RFC 9162 2.1.3.2, whose steps also fix the proof's exact length."""
    if not 0 <= index < size:
        raise ProofError("index outside the tree")
    _check_hashes(leaf, *proof)
    node, at, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            raise ProofError("proof too long")
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("proof too short")
    return node


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless the leaf hash stands at `index` of the tree of `size` leaves with this root."""
    if root_from_inclusion(leaf, index, size, proof) != root:
        raise ProofError("the proof leads to another root")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise ProofError unless the new tree extends the old one (RFC 9162 2.1.4.2).

    From size 0 the proof must be empty and the old root that of the empty tree, as C2SP tlog-witness has it.
    """
    _check_hashes(old_root, new_root, *proof)
    if not 0 <= old <= new:
        raise ProofError("the old tree is larger than the new one")
    if old in (0, new):
        _verify_trivial(old, new, proof, old_root, new_root)
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise ProofError("proof too short")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("proof too long")
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise ProofError("the trees are not consistent")


def _verify_trivial(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    if proof:
        raise ProofError("proof too long")
    if old == 0 and old_root != EMPTY_ROOT:
        raise ProofError("not the root of the empty tree")
    if old == new and old_root != new_root:
        raise ProofError("two roots for one size")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise ProofError("a hash is not 32 bytes")
