"""The tree against RFC 6962: published roots, a naive reference, and proofs that must not verify."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    consistency_proof,
    fold,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    subtree,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger.factory import nodes_of

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "rfc6962.json").read_text())
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 2.1.2."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def some_leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(n).encode()) for n in range(count)]


BIG = some_leaves(70_000)


def test_published_roots_and_nodes() -> None:
    tree = Frontier()
    assert tree.root() == ROOTS[0] == EMPTY_ROOT
    for size, leaf in enumerate(LEAVES, 1):
        tree.append(leaf)
        assert tree.root() == ROOTS[size] == naive_root(LEAVES[:size])
    for level, row in enumerate(VECTORS["nodes"]):
        width = 1 << level
        assert [fold(LEAVES[n * width : (n + 1) * width]).hex() for n in range(8 // width)] == row


@given(st.integers(0, 2000))
@settings(max_examples=60, deadline=None)
def test_frontier_equals_the_naive_root(size: int) -> None:
    tree = Frontier()
    for leaf in BIG[:size]:
        tree.append(leaf)
    assert tree.root() == naive_root(BIG[:size]) == subtree(nodes_of(BIG[:size]), 0, size)
    again = Frontier.unpack(size, tree.pack())
    assert (again.root(), again.copy().stack) == (tree.root(), tree.stack)


def test_completed_tiles_are_reported_once_and_right() -> None:
    tree, tiles = Frontier(), []
    for leaf in BIG:
        tiles += tree.append(leaf)
    nodes = nodes_of(BIG)
    assert [(tile.level, tile.number) for tile in tiles if tile.level == 2] == [(2, 0)]
    assert [tile.number for tile in tiles if tile.level == 1] == list(range(70_000 // 256))
    assert all(nodes(tile.level, tile.number, tile.number + 1) == [tile.hash] for tile in tiles)


def test_whole_subtrees_can_be_appended_where_leaves_are_gone() -> None:
    tree, whole = Frontier(), Frontier()
    for leaf in BIG[:600]:
        whole.append(leaf)
    tree.append_subtree(8, fold(BIG[:256]))
    tree.append_subtree(8, fold(BIG[256:512]))
    for leaf in BIG[512:600]:
        tree.append(leaf)
    assert tree.root() == whole.root()
    with pytest.raises(ProofError):
        tree.append_subtree(8, EMPTY_ROOT)


def test_every_proof_of_small_trees() -> None:
    for size in range(1, 34):
        leaves, nodes = BIG[:size], nodes_of(BIG[:size])
        root = naive_root(leaves)
        for index in range(size):
            proof = inclusion_proof(nodes, index, size)
            assert proof == naive_path(index, leaves)
            verify_inclusion(leaves[index], index, size, proof, root)
        for old in range(size + 1):
            steps = consistency_proof(nodes, old, size)
            assert steps == ([] if old == 0 else naive_subproof(old, leaves, True))
            verify_consistency(old, size, steps, naive_root(leaves[:old]), root)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_proofs_of_large_trees_through_tiles(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70_000))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    nodes = nodes_of(BIG)  # a source that holds more than the tree: tiles beyond it must not be used
    root = subtree(nodes, 0, size)
    verify_inclusion(BIG[index], index, size, inclusion_proof(nodes, index, size), root)
    verify_consistency(old, size, consistency_proof(nodes, old, size), subtree(nodes, 0, old), root)


Mutation = tuple[bytes, int, int, list[bytes], bytes]


def mutations(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> list[Mutation]:
    """After transparency-dev/merkle's generator: bit flips, truncation, garbage before and after, sizes, roots."""
    bad: list[Mutation] = [
        (leaf, other, size, proof, root) for other in (index - 1, index + 1, index ^ 2, size, -1) if other != index
    ]
    bad += [(leaf, index, other, proof, root) for other in (0, size // 2, -size)]
    bad += [(sha256(leaf).digest(), index, size, proof, root), (leaf, index, size, proof, EMPTY_ROOT)]
    extra = [b"", b"garbage", root, leaf, EMPTY_ROOT]
    bad += [(leaf, index, size, [item, *proof], root) for item in extra]
    bad += [(leaf, index, size, [*proof, item], root) for item in extra]
    bad += [(leaf, index, size, proof[:cut], root) for cut in range(len(proof))]
    for at, node in enumerate(proof):
        flipped = bytes([node[0] ^ 16]) + node[1:]
        bad.append((leaf, index, size, [*proof[:at], flipped, *proof[at + 1 :]], root))
        bad.append((leaf, index, size, [*proof[:at], node[:31], *proof[at + 1 :]], root))
    return bad


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_mutated_inclusion_proofs_fail(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    leaves, nodes = BIG[:size], nodes_of(BIG[:size])
    proof, root = inclusion_proof(nodes, index, size), naive_root(leaves)
    for case in mutations(leaves[index], index, size, proof, root):
        with pytest.raises(ProofError):
            verify_inclusion(*case)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_mutated_consistency_proofs_fail(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 600))
    old = data.draw(st.integers(1, new - 1))
    nodes = nodes_of(BIG[:new])
    proof = consistency_proof(nodes, old, new)
    old_root, new_root = naive_root(BIG[:old]), naive_root(BIG[:new])
    verify_consistency(old, new, proof, old_root, new_root)
    bad: list[tuple[int, int, list[bytes], bytes, bytes]] = [
        (old, new, proof, new_root, old_root),
        (old, new, proof, old_root, old_root),
        (new, old, proof, old_root, new_root),
        (0, new, proof or [EMPTY_ROOT], old_root, new_root),
        (old, new, [*proof, EMPTY_ROOT], old_root, new_root),
        (old, new, [EMPTY_ROOT, *proof], old_root, new_root),
        (old, new, [old_root, *proof], old_root, new_root),
        (old, new, [*proof, b""], old_root, new_root),
        (old, old, proof or [old_root], old_root, old_root),
    ]
    bad += [(old, new, proof[:cut], old_root, new_root) for cut in range(len(proof))]
    for case in bad:
        with pytest.raises(ProofError):
            verify_consistency(*case)


def test_from_nothing_to_something_the_proof_is_empty() -> None:
    """tlog-witness requires this; transparency-dev/merkle refuses size 0 altogether. We follow the witness."""
    verify_consistency(0, 5, [], EMPTY_ROOT, ROOTS[5])
    for roots in ((ROOTS[1], ROOTS[5]), (b"", ROOTS[5])):
        with pytest.raises(ProofError):
            verify_consistency(0, 5, [], *roots)


def test_questions_without_an_answer() -> None:
    nodes = nodes_of(LEAVES)
    for question in (lambda: inclusion_proof(nodes, 8, 8), lambda: inclusion_proof(nodes, -1, 8)):
        with pytest.raises(ProofError):
            question()
    with pytest.raises(ProofError):
        consistency_proof(nodes, 9, 8)
    with pytest.raises(ProofError):
        subtree(nodes, 0, 16)
    with pytest.raises(ProofError):
        Frontier(3, [EMPTY_ROOT])
    with pytest.raises(ProofError):
        root_from_inclusion(b"short", 0, 1, [])
