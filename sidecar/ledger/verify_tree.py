"""The tree, computed anew from the entries, against what the store keeps of it."""

from __future__ import annotations

from typing import Any

from sidecar.ledger.merkle import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH, Frontier
from sidecar.ledger.report import Report
from sidecar.ledger.source import StoredHead
from sidecar.ledger.tiles import MAX_LEVEL


class TreeCheck:
    """Recomputes the tree, and remembers where stored leaf hashes differ from the bytes."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.frontier = Frontier()
        self.claimed: Frontier | None = None
        self.count = 0
        self.intact = True
        self.watch: dict[int, tuple[bytes, ...]] = {}
        self.differing: list[int] = []
        self.ids: dict[int, str | None] = {}
        self.gaps: list[tuple[int, int]] = []
        self.stored: dict[tuple[Any, Any], Any] = {}
        self.expected: dict[tuple[int, int], bytes] = {}

    def begin(self) -> None:
        if 0 in self.watch:
            self.watch[0] = (self.frontier.root(),)

    def add(self, number: int, leaf: bytes, stored: Any) -> bool:
        """Count the entry of this leaf hash; False when the stored one is another."""
        same = bool(leaf == stored)
        if not same:
            self.differing.append(number)
            if self.claimed is None:
                self.claimed = self.frontier.copy()
        if self.claimed is not None:
            claim = stored if type(stored) is bytes and len(stored) == HASH_SIZE else leaf
            self.claimed.append(claim)
        if self.intact:
            for tile in self.frontier.append(leaf):
                self.expected[tile.level, tile.number] = tile.hash
        self.count = number + 1
        if self.count in self.watch and self.intact:
            # Both histories: which of bytes and stored hash was altered is not known yet.
            self.watch[self.count] = tuple(tree.root() for tree in (self.frontier, self.claimed) if tree is not None)
        return same

    def skip(self, number: int) -> None:
        """Entries are missing up to this number; whole tiles may have been pruned, and their hashes kept."""
        start = self.count
        self.gaps.append((start, number))
        self.count = number
        while self.intact and self.frontier.size < number:
            at, rest = divmod(self.frontier.size, TILE_WIDTH)
            node = self.stored.get((1, at))
            if rest or number - self.frontier.size < TILE_WIDTH or type(node) is not bytes or len(node) != HASH_SIZE:
                self.intact = False
                return
            self.expected[1, at] = node
            for tile in self.frontier.append_subtree(TILE_HEIGHT, node):
                self.expected[tile.level, tile.number] = tile.hash

    def settle(self, truth: bytes | None) -> None:
        """Say of each difference whether the entry or the stored hash was altered: the signed root tells."""
        if not self.differing:
            return
        reason = "leaf-altered" if truth is not None and self.frontier.root() == truth else "entry-altered"
        for number in self.differing:
            self.report.fail(number, self.ids.get(number), reason, "bytes and leaf hash differ")

    def locate(self, head: StoredHead | None) -> int | None:
        """The first entry of the first stored subtree that the entries do not give: as near as one can tell."""
        for (level, number), node in sorted(self.expected.items(), key=lambda item: (item[0][0], item[0][1])):
            if self.stored.get((level, number)) != node:
                return number << (TILE_HEIGHT * level)
        packed = head.frontier if head is not None and type(head.frontier) is bytes else b""
        start = 0
        for at, node in enumerate(self.frontier.stack):
            if packed[at * HASH_SIZE : (at + 1) * HASH_SIZE] != node:
                return start
            start += 1 << ((self.frontier.size - start).bit_length() - 1)
        return None

    def check_tiles(self) -> None:
        if not self.intact or self.differing:
            return
        for key in sorted(self.expected.keys() | self.stored.keys(), key=repr):
            level, number = key
            known = type(level) is int and type(number) is int and 0 < level <= MAX_LEVEL
            where = number << (TILE_HEIGHT * level) if known else None
            detail = f"tile {number} of level {level}"
            if key not in self.stored:
                self.report.fail(where, None, "tile-missing", detail)
            elif key not in self.expected:
                self.report.fail(where, None, "tile-extra", detail)
            elif self.stored[key] != self.expected[key]:
                self.report.fail(where, None, "tile-altered", detail)
