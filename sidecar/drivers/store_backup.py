"""A copy of a state folder that verifies, made while its sidecar is at work (docs/operations.md has it as commands).

The order is what makes it hold under load. The checkpoint comes before the database: the copied log is then never
shorter than its checkpoint says. The bundles come after it: one is kept before the first entry that names it. The
origin comes last: without it, what was interrupted is no state folder.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sidecar.drivers.keys import DATA_KEY, SIGNING_KEY, VKEY, load_vkey, read_private, sync_folder, write_durably
from sidecar.drivers.store_export import copy_bundles, make_new
from sidecar.drivers.store_faults import store_fault
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_reader import Reader


class BackedUp(NamedTuple):
    """How many entries and policy bundles the copy holds."""

    entries: int
    bundles: int


def backup(state: Path, target: Path) -> BackedUp:
    """Copy a log with its keys into a new folder of mode 0700, as of one moment; the log may be written meanwhile.

    The copy can be verified, read and explained; it is not verified here. Raises OwnError: EXPORT_TARGET when `target`
    is not empty, LEDGER_KEY without the private keys, and those of `Reader.open`.
    """
    folder, copy = StateFolder(state), StateFolder(target)
    origin = folder.origin()
    make_new(target, 0o700)
    target.chmod(0o700)  # also one that was there, empty
    for name in (SIGNING_KEY, DATA_KEY):
        write_durably(target / name, read_private(state / name), mode=0o600)
    write_durably(target / VKEY, load_vkey(state / VKEY).vkey.encode() + b"\n", mode=0o644)
    checkpoint = folder.read_checkpoint()
    if checkpoint is not None:
        write_durably(copy.checkpoint, checkpoint, mode=0o644)
    with Reader.open(state) as reader:
        entries = _copy_database(reader.connection, copy.store)
    bundles = copy_bundles(folder, target)
    write_durably(target / "origin", origin.encode() + b"\n", mode=0o644)
    return BackedUp(entries, bundles)


def _copy_database(source: sqlite3.Connection, target: Path) -> int:
    """All pages in one step, which is one read transaction: in several, each commit between them starts it anew.

    The copy is left without WAL, so that it can be read where nothing may be written. Returns its number of entries.
    """
    with closing(sqlite3.connect(target)) as connection:
        try:
            source.backup(connection)
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            size: int = connection.execute("SELECT count(*) FROM entry").fetchone()[0]
        except sqlite3.Error as fault:
            raise store_fault(target, fault) from fault
    sync_folder(target.parent)
    return size
