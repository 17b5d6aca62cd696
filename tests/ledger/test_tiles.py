"""The layout of tlog-tiles: paths, tiles and bundles."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.ledger.tiles import (
    ENTRIES,
    Tile,
    TileError,
    bundles_of,
    join_bundle,
    parse_path,
    split_bundle,
    split_tile,
    tiles_of,
)

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 5), "tile/1/999.p/5"),
        (Tile(ENTRIES, 1000, 255), "tile/entries/x001/000.p/255"),
        (Tile(63, 7), "tile/63/007"),
    ],
)
def test_paths_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@given(st.one_of(st.just(ENTRIES), st.integers(0, 63)), st.integers(0, 2**55), st.integers(1, 256))
def test_paths_round_trip(level: int | str, number: int, width: int) -> None:
    tile = Tile(level, number, width)
    assert parse_path(tile.path) == tile


@given(st.text(max_size=40) | st.from_regex(r"tile/[0-9e]+/[x0-9/]*(\.p/[0-9]+)?", fullmatch=True))
@settings(max_examples=300)
def test_any_text_is_a_canonical_path_or_refused(path: str) -> None:
    try:
        tile = parse_path(path)
    except TileError:
        return
    assert tile.path == path


@pytest.mark.parametrize("path", sorted(CORPUS.glob("path-*")), ids=lambda path: path.name)
def test_corpus(path: Path) -> None:
    with pytest.raises(TileError):
        parse_path(path.read_text())


def test_the_tiles_of_a_tree() -> None:
    assert list(tiles_of(0)) == []
    assert [tile.path for tile in tiles_of(70_000)][-3:] == ["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert [tile.width for tile in bundles_of(513)] == [256, 256, 1]
    assert sum(tile.width for tile in tiles_of(70_000) if tile.level == 0) == 70_000


@given(st.lists(st.binary(max_size=300), max_size=256))
@settings(max_examples=50)
def test_bundles_round_trip(entries: list[bytes]) -> None:
    assert split_bundle(join_bundle(entries), len(entries)) == entries


@given(st.binary(max_size=300), st.integers(0, 256))
@settings(max_examples=300)
def test_any_bytes_are_a_bundle_or_refused(data: bytes, width: int) -> None:
    try:
        entries = split_bundle(data, width)
    except TileError:
        return
    assert join_bundle(entries) == data and len(entries) == width


def test_a_tile_has_its_length() -> None:
    assert split_tile(b"x" * 64, 2) == [b"x" * 32] * 2
    for data in (b"x" * 63, b"", b"x" * 96):
        with pytest.raises(TileError):
            split_tile(data, 2)
