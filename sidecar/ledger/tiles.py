"""The layout of C2SP tlog-tiles: path arithmetic, tiles and entry bundles. No I/O.

Tile N of level L holds up to 256 hashes of tree level 8L, entry bundle N the entries below level-0 tile N, each with a
big-endian uint16 length. The last one of a level may be partial and then says so in its path (`.p/W`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sidecar.ledger.merkle import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH

ENTRIES = "entries"
MAX_LEVEL = 7
"""2^63 leaves need levels 0 to 7."""

_PATH = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])((?:/x[0-9]{3})*/[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class TileError(ValueError):
    """A path or a resource outside the layout."""


class Tile(NamedTuple):
    """One resource of the tree: `level` is an integer, or `entries` for a bundle. `width` is 1 to 256."""

    level: int | str
    number: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{number_path(self.number)}{partial}"


def number_path(number: int) -> str:
    """1234067 -> x001/x234/067."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups))


def parse_path(path: str) -> Tile:
    match = _PATH.fullmatch(path)
    if match is None or not match[0].isascii():
        raise TileError("not a tile path")
    number = int(match[2].replace("/", "").replace("x", ""))
    width = int(match[3]) if match[3] else TILE_WIDTH
    tile = Tile(ENTRIES if match[1] == ENTRIES else int(match[1]), number, width)
    if tile.path != path or width > TILE_WIDTH:  # e.g. superfluous x000 groups, or a partial tile of full width
        raise TileError("not the canonical path")
    return tile


def tiles_of(size: int) -> Iterator[Tile]:
    """Every hash tile that a tree of this size has, lower levels first."""
    for level in range(MAX_LEVEL + 1):
        count = size >> (TILE_HEIGHT * level)
        yield from _cut(level, count)


def bundles_of(size: int) -> Iterator[Tile]:
    yield from _cut(ENTRIES, size)


def _cut(level: int | str, count: int) -> Iterator[Tile]:
    full, rest = divmod(count, TILE_WIDTH)
    for number in range(full):
        yield Tile(level, number)
    if rest:
        yield Tile(level, full, rest)


def split_tile(data: bytes, width: int) -> list[bytes]:
    if len(data) != width * HASH_SIZE:
        raise TileError("a tile has the wrong length")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def join_bundle(entries: Iterable[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split_bundle(data: bytes, width: int) -> list[bytes]:
    entries, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise TileError("an entry bundle is cut short")
        entries.append(data[start:at])
    if len(entries) != width:
        raise TileError("an entry bundle has the wrong number of entries")
    return entries
