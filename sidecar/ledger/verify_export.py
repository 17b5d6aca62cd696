"""Verification of an export (C2SP tlog-tiles): every entry, every tile, the signature, and what was disclosed with it.

Bytes come through a `Fetcher`, so that a folder, an archive or a web server can be checked alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Protocol

import orjson

from sidecar.ledger.chain import Chain
from sidecar.ledger.checkpoint import Checkpoint, open_checkpoint
from sidecar.ledger.disclosure import DisclosureError, arrays_of, match, read
from sidecar.ledger.merkle import TILE_HEIGHT, TILE_WIDTH, Frontier, leaf_hash
from sidecar.ledger.note import NoteError, Verifier
from sidecar.ledger.record import ERASED, OPENED, SEALED, VIEW, VIEWS, Half, make_record, record_line, version_of
from sidecar.ledger.report import (
    BYPASS,
    MAX_FAILURES,
    NO_BUNDLES,
    NO_DISCLOSURES,
    NO_RECORDS,
    RESIGNED,
    ROLLED_BACK,
    Report,
    Told,
)
from sidecar.ledger.tiles import Tile, TileError, bundles_of, split_bundle, split_tile, tiles_of
from sidecar.ledger.verify_bundles import bundle_path, check_bundles
from sidecar.ledger.views import Disclosures

CHECKPOINT = "checkpoint"
VKEY = "log.vkey"
DISCLOSURES = "disclosures.jsonl"
RECORDS = "records.jsonl"


class Fetcher(Protocol):
    def fetch(self, path: str) -> bytes | None:
        """The bytes at this path of the export, None when there are none."""
        ...

    def lines(self, path: str) -> Iterator[bytes] | None:
        """The same, line by line with their ends: the files for people are as long as the log."""
        ...


def verify_export(
    fetcher: Fetcher, verifier: Verifier, *, pinned: bool = True, kept: bytes | None = None, told: Told | None = None
) -> Report:
    """Check everything; never raises for what is wrong with the export.

    `pinned` says that the key did not come with the export; `kept` is a checkpoint that the reader had before.
    """
    return _ExportCheck(fetcher, verifier, kept, told).run(pinned)


def check_key(beside: bytes | None, verifier: Verifier, report: Report) -> None:
    """The key that lies beside a log proves nothing, but whoever takes it must not be given another."""
    if beside is not None and beside.decode("utf-8", "replace").strip() != verifier.vkey:
        report.fail(None, None, "key-mismatch", f"{VKEY} is not the key that this was verified with")


class _ExportCheck:
    def __init__(self, fetcher: Fetcher, verifier: Verifier, kept: bytes | None, told: Told | None) -> None:
        self.fetcher = fetcher
        self.verifier = verifier
        self.report = Report.of(verifier)
        self.chain = Chain(self.report, verifier)
        self.frontier = Frontier()
        self.levels: dict[int, list[bytes]] = {}
        self.kept_note = kept
        self.told = told
        self.kept: Checkpoint | None = None
        self.prefix_root: bytes | None = None
        self.people = _People(self.report, fetcher)

    def run(self, pinned: bool) -> Report:
        report = self.report
        signed = self._checkpoint()
        self._open_kept()
        if signed is not None:
            report.size = signed.size
            self._entries(signed.size)
            self._tiles(signed.size)
            self.chain.finish()
            report.entries, report.root = self.frontier.size, self.frontier.root().hex()
            if self.frontier.size == signed.size and self.frontier.root() != signed.root:
                report.fail(None, None, "root-mismatch", "the entries do not give the signed root")
            self._hold_against_kept(signed)
            self.people.finish(self.chain.erased)
            self._bundles()
        report.unknown += [] if pinned else [RESIGNED]
        report.unknown += [] if self.kept_note is not None else [ROLLED_BACK]
        report.unknown += [] if self.people.given else [NO_DISCLOSURES]
        report.unknown += [] if self.people.recorded else [NO_RECORDS]
        report.unknown.append(BYPASS)
        check_key(self.fetcher.fetch(VKEY), self.verifier, report)
        report.failures.sort(key=lambda item: (item.index is None, item.index or 0))
        return report

    def _bundles(self) -> None:
        """An export without any bundle is one that was given without them, or is older than they are in exports."""
        named = self.chain.bundles
        if any(map(self._has_bundle, named)):
            check_bundles(named, lambda sha256: self.fetcher.fetch(bundle_path(sha256)), self.report)
        elif named:
            self.report.unknown.append(NO_BUNDLES)

    def _has_bundle(self, sha256: str) -> bool:
        """Also one that may not be read."""
        try:
            return self.fetcher.fetch(bundle_path(sha256)) is not None
        except OSError:
            return True

    def _checkpoint(self) -> Checkpoint | None:
        note = self.fetcher.fetch(CHECKPOINT)
        if note is None:
            self.report.fail(None, None, "file-missing", CHECKPOINT)
            return None
        try:
            return open_checkpoint(note, self.verifier)
        except NoteError as fault:
            self.report.fail(None, None, fault.reason, str(fault))
            return None

    def _open_kept(self) -> None:
        if self.kept_note is None:
            return
        try:
            self.kept = open_checkpoint(self.kept_note, self.verifier)
        except NoteError as fault:
            self.report.fail(None, None, "kept-checkpoint-invalid", str(fault))

    def _hold_against_kept(self, signed: Checkpoint) -> None:
        kept = self.kept
        if kept is None:
            return
        if kept.size > signed.size:
            self.report.fail(signed.size, None, "behind-kept-checkpoint", f"the kept checkpoint says {kept.size}")
        elif self.prefix_root != kept.root and self.frontier.size >= kept.size:
            self.report.fail(None, None, "fork-from-kept-checkpoint", f"another history than at size {kept.size}")

    def _entries(self, size: int) -> None:
        if self.kept is not None and self.kept.size == 0:
            self.prefix_root = self.frontier.root()
        for tile in bundles_of(size):
            if self._hopeless():
                return
            start = tile.number * TILE_WIDTH
            bodies, hashes = self._bundle(tile), self._hashes(Tile(0, tile.number, tile.width))
            if bodies is None:
                # Without the entries the tile's hashes still carry the tree, so that one loss hides no other.
                self.chain.gap = self.people.gap = True
                bodies = []
            for at, leaf in enumerate([leaf_hash(body) for body in bodies] or hashes or []):
                known = hashes[at] if hashes is not None else leaf
                self._append(known)
                if known != leaf:
                    self._altered(start + at, bodies[at])
                elif bodies:
                    fields = self.chain.feed(start + at, bodies[at])
                    if fields is not None:
                        self._people(start + at, bodies[at], fields)
            if self.told is not None:
                self.told(start + tile.width, size)

    def _hopeless(self) -> bool:
        """Whether so much is missing that the rest tells no more: whoever signs may claim 2^60 entries."""
        return self.report.failures_total >= MAX_FAILURES

    def _people(self, number: int, body: bytes, leaf: Mapping[str, Any]) -> None:
        try:
            self.people.feed(number, body, leaf)
        except (TypeError, ValueError, KeyError, AttributeError) as fault:
            self.report.fail(number, leaf["id"], "entry-malformed", f"{type(fault).__name__}: {fault}")

    def _altered(self, number: int, body: bytes) -> None:
        quiet = Chain(Report(), self.verifier)
        leaf = quiet.feed(number, body)
        entry_id = leaf["id"] if leaf is not None else None
        self.report.fail(number, entry_id, "entry-altered", "bytes and leaf hash differ")
        self.chain.gap = self.people.gap = True

    def _append(self, leaf: bytes) -> None:
        for done in self.frontier.append(leaf):
            self.levels.setdefault(done.level, []).append(done.hash)
        if self.kept is not None and self.frontier.size == self.kept.size:
            self.prefix_root = self.frontier.root()

    def _bundle(self, tile: Tile) -> list[bytes] | None:
        return self._read(tile, split_bundle)

    def _hashes(self, tile: Tile) -> list[bytes] | None:
        return self._read(tile, split_tile)

    def _read(self, tile: Tile, split: Any) -> list[bytes] | None:
        shift = 0 if isinstance(tile.level, str) else TILE_HEIGHT * tile.level
        start = (tile.number * TILE_WIDTH) << shift
        data = self.fetcher.fetch(tile.path)
        if data is None:
            self.report.fail(start, None, "file-missing", tile.path)
            return None
        try:
            parts: list[bytes] = split(data, tile.width)
        except TileError as fault:
            self.report.fail(start, None, "malformed", f"{tile.path}: {fault}")
            return None
        return parts

    def _tiles(self, size: int) -> None:
        """Tiles above level 0; those of level 0 were compared entry by entry."""
        for tile in tiles_of(size):
            if self._hopeless():
                return
            if tile.level == 0 or isinstance(tile.level, str):
                continue
            start = tile.number * TILE_WIDTH
            computed = self.levels.get(tile.level, [])[start : start + tile.width]
            stored = self._hashes(tile)
            for at, node in enumerate(stored or []):
                if at < len(computed) and computed[at] != node:
                    where = (start + at) << (TILE_HEIGHT * tile.level)
                    self.report.fail(where, None, "tile-altered", f"{tile.path}, hash {at}")


class _People:
    """The files made for people: disclosures against the leaves, records against both."""

    def __init__(self, report: Report, fetcher: Fetcher) -> None:
        self.report = report
        found = fetcher.lines(DISCLOSURES)
        self.given = found is not None
        self.disclosures = _Disclosures(found or iter(()), report)
        self.view = VIEW
        lines = fetcher.lines(RECORDS)
        self.recorded = lines is not None
        self.records = None if lines is None else self._records(lines)
        self.pending: dict[str, Half] = {}
        self.bare: list[tuple[int, str]] = []
        self.gap = False

    def _records(self, lines: Iterator[bytes]) -> Iterator[bytes] | None:
        """All lines, once the first has said which form they have; one that is unknown could say anything."""
        first = next(lines, b"")
        version = version_of(first)
        if version is not None and version not in VIEWS:
            known = ", ".join(map(str, VIEWS))
            detail = f"{RECORDS} has form {version}, this version checks {known}: verify with the version that wrote it"
            self.report.fail(None, None, "records-unknown", detail)
            return None
        self.view = version or VIEW
        return chain([first] if first else [], lines)

    def feed(self, number: int, body: bytes, leaf: Mapping[str, Any]) -> None:
        half = Half(number, body, leaf, self._opened(number, leaf))
        if leaf["typ"] == "intent":
            self.pending[leaf["id"]] = half
        elif leaf["typ"] == "outcome" and leaf["id"] in self.pending:
            self._compare(self.pending.pop(leaf["id"]), half)

    def _opened(self, number: int, leaf: Mapping[str, Any]) -> dict[str, Any]:
        found, digests = self.disclosures.of(number), leaf.get("_sd")
        if found is None:
            if digests and self.given:
                self.bare.append((number, leaf["id"]))
            return {}
        entry_id, texts = found
        try:
            if entry_id != leaf["id"]:
                raise DisclosureError("disclosure-mismatch")
            arrays = arrays_of(texts)
            match(arrays, digests or [])
            return read(arrays)
        except DisclosureError as fault:
            self.report.fail(number, leaf["id"], fault.reason, "the disclosures are not those of the leaf")
            return {}

    def _compare(self, first: Half, last: Half | None) -> None:
        if self.records is None or self.gap:
            return
        state: Disclosures = SEALED if not self.given else OPENED if first.disclosed else ERASED
        expected = record_line(make_record(first, last, state), self.view)
        if next(self.records, b"") != expected:
            self.report.fail(first.number, first.leaf["id"], "records-altered", f"{RECORDS} says something else")
            self.records = None  # the lines after it may merely be shifted

    def finish(self, erased: set[str]) -> None:
        for half in self.pending.values():
            self._compare(half, None)
        if self.records is not None and not self.gap and next(self.records, None) is not None:
            self.report.fail(None, None, "records-altered", f"{RECORDS} has lines too many")
        for number, entry_id in self.bare:
            if entry_id not in erased:
                self.report.fail(number, entry_id, "disclosure-missing", "gone, and no erasure is recorded")
        self.report.erased = sorted({entry_id for _, entry_id in self.bare if entry_id in erased})
        for number in self.disclosures.rest() if not self.gap else ():
            self.report.fail(number, None, "disclosure-extra", "disclosures of an entry that has none")


def disclosure_line(number: int, entry_id: str, texts: list[str]) -> bytes:
    """One line of disclosures.jsonl: the disclosures of one entry, as RFC 9901 spells them."""
    return orjson.dumps({"disclosures": texts, "id": entry_id, "index": number}) + b"\n"


class _Disclosures:
    """The lines of disclosures.jsonl, read along with the entries, in the one spelling and order that an export has:
    nothing in the file is left unchecked.
    """

    def __init__(self, lines: Iterator[bytes], report: Report) -> None:
        self.report = report
        self.rows = self._rows(lines)
        self.next = next(self.rows, None)
        self.passed: list[int] = []

    def of(self, number: int) -> tuple[str, list[str]] | None:
        """Id and disclosures of this entry; what stands before it belongs to none that was asked for."""
        while self.next is not None and self.next[0] < number:
            self._pass()
        if self.next is None or self.next[0] != number:
            return None
        _, entry_id, texts = self.next
        self.next = next(self.rows, None)
        return entry_id, texts

    def rest(self) -> list[int]:
        """The numbers of entries that nobody asked for."""
        while self.next is not None:
            self._pass()
        return self.passed

    def _pass(self) -> None:
        assert self.next is not None
        if len(self.passed) < MAX_FAILURES:
            self.passed.append(self.next[0])
        self.next = next(self.rows, None)

    def _rows(self, lines: Iterator[bytes]) -> Iterator[tuple[int, str, list[str]]]:
        last = -1
        for line in lines:
            try:
                row = orjson.loads(line)
                number, entry_id, texts = row["index"], row["id"], row["disclosures"]
                if type(number) is not int or number <= last or disclosure_line(number, entry_id, texts) != line:
                    raise ValueError("not the spelling of an export")
            except (ValueError, KeyError, TypeError) as fault:
                self.report.fail(None, None, "disclosure-malformed", f"{DISCLOSURES}: {fault}")
                continue
            last = number
            yield number, entry_id, texts
