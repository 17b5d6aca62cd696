"""Writing an export: the exact tree of C2SP tlog-tiles, and beside it what people read (store_export.md says which).

The checkpoint comes last, so that an export that was interrupted does not look finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from sidecar.drivers.keys import VKEY
from sidecar.drivers.store_faults import damaged_entry
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_reader import Reader
from sidecar.errors import OwnError
from sidecar.ledger.disclosure import DisclosureError, Keyring, b64url, box_context, match, open_box, read
from sidecar.ledger.merkle import TILE_WIDTH
from sidecar.ledger.note import Verifier
from sidecar.ledger.record import ERASED, OPENED, SEALED, Half, make_record, record_line
from sidecar.ledger.report import Report, Told
from sidecar.ledger.source import StoredEntry
from sidecar.ledger.tiles import ENTRIES, Tile, bundles_of, join_bundle, tiles_of
from sidecar.ledger.verify_bundles import FOLDER as BUNDLES
from sidecar.ledger.verify_export import CHECKPOINT, DISCLOSURES, RECORDS, disclosure_line, verify_export
from sidecar.ledger.views import Disclosures

STRIDE = 1024
"""Entries between two words about how far it is."""

README = Path(__file__).with_name("store_export.md")


class Exported(NamedTuple):
    entries: int
    records: int
    disclosures: bool


def export(reader: Reader, target: Path, told: Told | None = None) -> Exported:
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
        records = _people(reader, target, told)
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


def _people(reader: Reader, target: Path, told: Told | None) -> int:
    """Records in the order of their outcomes, open ones last; disclosures in the order of entries."""
    count, pending = 0, dict[str, tuple[Half, Disclosures]]()
    lines = nullcontext() if reader.keyring is None else (target / DISCLOSURES).open("wb")
    with (target / RECORDS).open("wb") as records, lines as disclosures:
        for half, state, arrays in _told(_halves(reader), reader.size(), told):
            if arrays is not None and disclosures is not None:
                disclosures.write(disclosure_line(half.number, half.leaf["id"], list(map(b64url, arrays))))
            if half.leaf["typ"] == "intent":
                pending[half.leaf["id"]] = half, state
            elif half.leaf["typ"] == "outcome" and half.leaf["id"] in pending:
                first, state = pending.pop(half.leaf["id"])
                records.write(record_line(make_record(first, half, state)))
                count += 1
        for first, state in pending.values():
            records.write(record_line(make_record(first, None, state)))
    return count + len(pending)


Opened = tuple[Half, Disclosures, list[bytes] | None]
"""An entry, how its disclosures are, and they themselves where there are any."""


def _told(halves: Iterable[Opened], size: int, told: Told | None) -> Iterator[Opened]:
    for opened in halves:
        yield opened
        if told is not None and not opened[0].number % STRIDE:
            told(opened[0].number, size)


def _halves(reader: Reader) -> Iterator[Opened]:
    """Every entry, read once. Raises OwnError LEDGER_DAMAGED naming the first whose disclosures do not open."""
    keys: dict[str, bytes] = {}
    for row, leaf in reader.stored():
        try:
            arrays = _arrays(row, leaf, reader.keyring, keys)
            fields = {} if arrays is None else read(arrays)
        except DisclosureError as fault:
            raise damaged_entry(row.number, fault) from fault
        yield Half(row.number, row.body, leaf, fields), _state(row, reader.keyring), arrays


def _state(row: StoredEntry, keyring: Keyring | None) -> Disclosures:
    if keyring is None:
        return SEALED
    return ERASED if row.box is None or row.wrapped is None else OPENED


def _arrays(
    row: StoredEntry, leaf: Mapping[str, Any], keyring: Keyring | None, keys: dict[str, bytes]
) -> list[bytes] | None:
    """What an entry discloses; the key of an exchange comes with its intent and is asked for until its outcome."""
    if keyring is None:
        return None
    entry_id = leaf["id"]
    if row.wrapped is not None:
        keys[entry_id] = keyring.unwrap(row.wrapped, entry_id)
    key = keys.pop(entry_id, None) if leaf["typ"] == "outcome" else keys.get(entry_id)
    if row.box is None or key is None:
        return None
    arrays = open_box(row.box, key, box_context(entry_id, leaf["typ"]))
    match(arrays, leaf.get("_sd", ()))
    return arrays


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


def verify_folder_export(
    folder: Path, *, key: Verifier, pinned: bool = True, kept: bytes | None = None, told: Told | None = None
) -> Report:
    """Raises OwnError LEDGER_FOLDER where there is no such folder: then nothing can be said."""
    if not folder.is_dir():
        raise OwnError("LEDGER_FOLDER", f"There is no folder {folder}; name one that `sidecar audit export` wrote.")
    return verify_export(FolderFetcher(folder), key, pinned=pinned, kept=kept, told=told)
