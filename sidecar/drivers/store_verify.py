"""Verifying the store of a state folder, a long one in several processes (ledger/verify_range.py says what each does).

Each process reads its ranges through a connection of its own, begun after the verification's: entries that were signed
do not change, and what a writer adds meanwhile to an exchange that was open then is read again in the one state that is
judged.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from sidecar.drivers.keys import VKEY, load_vkey
from sidecar.drivers.store_faults import is_unreachable, reason, store_fault
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_source import Examined, Found, Snapshot, Source, Spread
from sidecar.errors import OwnError
from sidecar.ledger.note import Verifier
from sidecar.ledger.report import Report, Told
from sidecar.ledger.source import SourceDamaged
from sidecar.ledger.verify_export import check_key
from sidecar.ledger.verify_range import examine
from sidecar.ledger.verify_store import Evidence, verify_store

WIDTH = 8192
"""Entries of a range: few exchanges cross its ends, and what a process answers of it is about a megabyte."""
LEAST = 4 * WIDTH
"""A log shorter than this is verified before another process has started."""
MOST = 16
"""Processes; the one that puts the ranges together keeps no more of them busy."""


def verify_path(
    path: Path, *, key: Verifier | None = None, kept: bytes | None = None, spread: Spread | None = None
) -> Report:
    """Verify the store of a state folder; a damaged or missing store is a failed report, not an exception.

    Raises OwnError where there is no such folder, no key is to be had, or the store cannot be reached: then nothing
    can be said.
    """
    folder = StateFolder(path)
    folder.check()
    verifier = key or load_vkey(path / VKEY)
    try:
        with Reader.open(path, verifying=True) as reader:
            return _verify(reader, key, kept, spread or over_processes(path))
    except OwnError as fault:
        if fault.code not in ("LEDGER_DAMAGED", "LEDGER_FOLDER", "LEDGER_MISSING"):
            raise
        return _corrupt(verifier, fault.advice)


def _verify(reader: Reader, key: Verifier | None, kept: bytes | None, spread: Spread) -> Report:
    folder, connection = reader.folder, reader.connection
    # The file first, then the snapshot: a writer at work only ever makes the store larger than its checkpoint.
    beside = folder.read_checkpoint()
    try:
        with Snapshot(connection):
            verifier = key or load_vkey(folder.path / VKEY)
            evidence = Evidence(verifier, key is not None, reader.keyring, beside, True, kept, folder.read_bundle)
            report = verify_store(Source(connection, spread), evidence)
        _check_folder(reader, verifier, report)
        return report
    except (sqlite3.Error, UnicodeDecodeError) as fault:  # not even BEGIN works
        if is_unreachable(fault):
            raise store_fault(folder.store, fault) from fault
        return _corrupt(key or load_vkey(folder.path / VKEY), reason(fault))


def _corrupt(verifier: Verifier, why: str) -> Report:
    report = Report.of(verifier)
    report.fail(None, None, "database-corrupt", why)
    return report


def _check_folder(reader: Reader, verifier: Verifier, report: Report) -> None:
    """What the folder says of itself beside the store: which log it is, and which key it has."""
    if reader.origin != verifier.name:
        report.fail(None, None, "origin-mismatch", "the file `origin` names another log")
    with suppress(OSError):
        check_key((reader.folder.path / VKEY).read_bytes(), verifier, report)


def processors() -> int:
    """Those that this process may use, where the system tells (Linux)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def over_processes(path: Path, told: Told | None = None, processes: int | None = None, width: int = WIDTH) -> Spread:
    """As many processes as there are processors, unless told otherwise; none for a log that is not worth it."""
    count = min(processors(), MOST) if processes is None else processes

    def spread(size: int) -> Iterator[Examined]:
        ranges = ((start, min(start + width, size)) for start in range(0, size, width))
        alone = count < 2 or (processes is None and size < LEAST)
        for start, end, found in ((*each, None) for each in ranges) if alone else _in_processes(path, ranges, count):
            yield start, end, found
            if told is not None:
                told(end, size)

    return spread


def _in_processes(path: Path, ranges: Iterator[tuple[int, int]], count: int) -> Iterator[Examined]:
    """In order, with few ranges ahead: memory does not grow with the log."""
    ahead: deque[tuple[int, int, Future[Found] | None]] = deque()
    # `spawn`: a forked process would hold this one's connection, which SQLite forbids.
    with ProcessPoolExecutor(count, get_context("spawn"), _begin, (path,)) as pool:
        try:
            while True:
                for start, end in islice(ranges, 2 * count + 1 - len(ahead)):
                    ahead.append((start, end, _submitted(pool, start, end)))
                if not ahead:
                    return
                start, end, future = ahead.popleft()
                yield start, end, _result(future)
        finally:
            pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, start: int, end: int) -> Future[Found] | None:
    try:
        return pool.submit(_look, start, end)
    except BrokenProcessPool:
        return None


def _result(future: Future[Found] | None) -> Found:
    """None where a process was killed, for want of memory say, or failed: this one then does what is left."""
    try:
        return None if future is None else future.result()
    except Exception:  # noqa: BLE001  whatever it was, this process meets it too, and tells of it as it always did
        return None


class Examiner:
    """What examines ranges: in a process of its own, or in a test."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._sidecar = self._reader.origin.rpartition("/")[2]

    def look(self, start: int, end: int) -> Found:
        """None where a range cannot be read: whoever judges the whole finds out why."""
        try:
            with self._reader.snapshot():
                return examine(Source(self._reader.connection).rows(start, end), self._reader.keyring, self._sidecar)
        except (sqlite3.Error, SourceDamaged):
            return None


_examiner: Examiner | None = None


def _begin(path: Path) -> None:
    global _examiner
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells every process; the first one ends the others
    with suppress(OwnError, sqlite3.Error, UnicodeError, OSError):  # as in `look`
        _examiner = Examiner(Reader.open(path, verifying=True))


def _look(start: int, end: int) -> Found:
    return None if _examiner is None else _examiner.look(start, end)
