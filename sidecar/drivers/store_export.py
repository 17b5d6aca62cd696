"""Writing an export: the exact tree of C2SP tlog-tiles, and beside it what people read (store_export.md says which).

The checkpoint comes last, so that an export that was interrupted does not look finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sidecar.drivers.keys import VKEY
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_reader import Reader
from sidecar.errors import OwnError
from sidecar.ledger.disclosure import b64url, box_context, open_box
from sidecar.ledger.merkle import TILE_WIDTH
from sidecar.ledger.note import Verifier
from sidecar.ledger.record import join_record, record_line
from sidecar.ledger.report import Report
from sidecar.ledger.source import StoredEntry
from sidecar.ledger.tiles import ENTRIES, Tile, bundles_of, join_bundle, tiles_of
from sidecar.ledger.verify_bundles import FOLDER as BUNDLES
from sidecar.ledger.verify_export import CHECKPOINT, DISCLOSURES, RECORDS, disclosure_line, verify_export

README = Path(__file__).with_name("store_export.md")


class Exported(NamedTuple):
    entries: int
    records: int
    disclosures: bool


def export(reader: Reader, target: Path) -> Exported:
    """Write the whole log into a new folder, as of one moment. Raises OwnError: EXPORT_TARGET when the folder is not
    empty, LEDGER_DAMAGED for a log that cannot be read whole.
    """
    make_new(target, 0o777)
    with reader.snapshot():
        checkpoint, size = reader.checkpoint(), reader.size()
        for tile in bundles_of(size):
            start = tile.number * TILE_WIDTH
            _write(target, tile, join_bundle(_whole(tile, reader.bodies(start, start + tile.width))))
        for tile in tiles_of(size):
            assert isinstance(tile.level, int)
            start = tile.number * TILE_WIDTH
            _write(target, tile, b"".join(_whole(tile, reader.nodes(tile.level, start, start + tile.width))))
        records = _people(reader, target)
    # After the snapshot, so that the bundle of every entry in it is there: it is kept before it decides.
    copy_bundles(reader.folder, target)
    (target / VKEY).write_text(reader.vkey().vkey + "\n")
    (target / "README.md").write_bytes(README.read_bytes())
    (target / CHECKPOINT).write_bytes(checkpoint.encode())  # a note is UTF-8, whatever the locale
    return Exported(size, records, reader.keyring is not None)


def make_new(target: Path, mode: int) -> None:
    """A folder to write a copy into. Raises OwnError EXPORT_TARGET where something is there already."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OwnError("EXPORT_TARGET", f"{target} is not empty; name a new folder.", status=400)
    target.mkdir(mode=mode, parents=True, exist_ok=True)


def _whole(tile: Tile, parts: Sequence[bytes]) -> Sequence[bytes]:
    """The parts of a tile, none missing; hashes of 32 bytes. Raises OwnError LEDGER_DAMAGED."""
    hashes = tile.level != ENTRIES
    if len(parts) != tile.width or (hashes and any(type(part) is not bytes or len(part) != 32 for part in parts)):
        raise OwnError("LEDGER_DAMAGED", f"{tile.path} of the export is not whole; run `sidecar audit verify`.")
    return parts


def copy_bundles(folder: StateFolder, target: Path) -> int:
    """Copy the policy bundles that were kept; how many they are. As they are: verification says which are altered."""
    found = sorted((folder.path / BUNDLES).glob("*.tar.gz"))
    if found:
        (target / BUNDLES).mkdir()  # to be handed on like the rest; of a backup, the folder around it is private
    for path in found:
        (target / BUNDLES / path.name).write_bytes(path.read_bytes())
    return len(found)


def _write(target: Path, tile: Tile, data: bytes) -> None:
    # A short file at a full tile's path would be cached for ever by whoever mirrors it (tessera issue 1178).
    assert tile.level == ENTRIES or len(data) == tile.width * 32
    path = target / tile.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _people(reader: Reader, target: Path) -> int:
    """Records in the order of their outcomes, open ones last; disclosures in the order of entries."""
    count = 0
    with (target / RECORDS).open("wb") as records:
        for first, last in _pairs(reader):
            records.write(record_line(join_record(first, last, reader.keyring)))
            count += 1
    if reader.keyring is not None:
        with (target / DISCLOSURES).open("wb") as disclosures:
            for line in _disclosures(reader):
                disclosures.write(line)
    return count


def _pairs(reader: Reader) -> Iterator[tuple[StoredEntry, StoredEntry | None]]:
    pending: dict[str, StoredEntry] = {}
    for row, leaf in reader.stored():
        if leaf["typ"] == "intent":
            pending[leaf["id"]] = row
        elif leaf["typ"] == "outcome" and leaf["id"] in pending:
            yield pending.pop(leaf["id"]), row
    for row in pending.values():
        yield row, None


def _disclosures(reader: Reader) -> Iterator[bytes]:
    assert reader.keyring is not None
    keys: dict[str, bytes] = {}
    for row, leaf in reader.stored():
        if row.wrapped is not None:
            keys[leaf["id"]] = reader.keyring.unwrap(row.wrapped, leaf["id"])
        key = keys.pop(leaf["id"], None) if leaf["typ"] == "outcome" else keys.get(leaf["id"])
        if row.box is not None and key is not None:
            arrays = open_box(row.box, key, box_context(leaf["id"], leaf["typ"]))
            yield disclosure_line(row.number, leaf["id"], [b64url(array) for array in arrays])


class FolderFetcher:
    """verify_export.Fetcher over a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, path: str) -> bytes | None:
        try:
            return (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def lines(self, path: str) -> Iterator[bytes] | None:
        file = self._folder / path
        return _lines(file) if file.is_file() else None


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def verify_folder_export(folder: Path, *, key: Verifier, pinned: bool = True, kept: bytes | None = None) -> Report:
    """Raises OwnError LEDGER_FOLDER where there is no such folder: then nothing can be said."""
    if not folder.is_dir():
        raise OwnError("LEDGER_FOLDER", f"There is no folder {folder}; name one that `sidecar audit export` wrote.")
    return verify_export(FolderFetcher(folder), key, pinned=pinned, kept=kept)
