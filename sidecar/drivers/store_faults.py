"""Why a store could not be read or opened, as errors of the product: it is damaged, or it cannot be reached.

SQLite's own messages may quote a statement, a name or a value, so they are never passed on: its name of the error is.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sidecar.errors import OwnError
from sidecar.ledger.canon import ProfileError
from sidecar.ledger.disclosure import DisclosureError
from sidecar.ledger.merkle import ProofError
from sidecar.ledger.note import NoteError
from sidecar.ledger.source import SourceDamaged
from sidecar.ledger.tiles import TileError

DAMAGE = (sqlite3.Error, SourceDamaged, ProfileError, ProofError, DisclosureError, TileError)
"""What reading a damaged store raises. No NoteError: a key or a receipt that somebody gave may be at fault too."""

OURS = (SourceDamaged, ProfileError, ProofError, DisclosureError, TileError, NoteError)
"""Faults of content that name a rule and never a value."""

UNREACHABLE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_AUTH,
    }
)
"""Primary result codes that say nothing about what the file holds (sqlite.org/rescode.html)."""

_WORDS = {
    sqlite3.SQLITE_ERROR: "it does not hold the tables of a ledger",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is no database",
    sqlite3.SQLITE_CANTOPEN: "a file of it cannot be opened or made",
    sqlite3.SQLITE_READONLY: "it may not be written",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_BUSY: "another program holds it",
}


def reason(fault: BaseException) -> str:
    """What went wrong, without anything that the store holds."""
    if isinstance(fault, OSError):
        return (fault.strerror or type(fault).__name__).lower()
    if isinstance(fault, OURS) or type(fault) is ValueError:  # a plain one is ours too: the schema's version
        return str(fault)
    name = getattr(fault, "sqlite_errorname", None) or type(fault).__name__
    words = _WORDS.get(_primary(fault))
    return name if words is None else f"{words} ({name})"


def is_unreachable(fault: BaseException) -> bool:
    """True where nothing is known of the content: no access, no space, a failing disk."""
    return isinstance(fault, OSError) or _primary(fault) in UNREACHABLE


def store_fault(store: Path, fault: BaseException) -> OwnError:
    """LEDGER_UNAVAILABLE where the store could not be reached, LEDGER_DAMAGED where what it holds is at fault."""
    if is_unreachable(fault):
        return unreachable(store, reason(fault))
    return OwnError(
        "LEDGER_DAMAGED",
        f"{store} cannot be read: {reason(fault)}. Keep a copy, run `sidecar audit verify`, restore it from backup.",
    )


def unreachable(path: Path, why: str) -> OwnError:
    return OwnError(
        "LEDGER_UNAVAILABLE",
        f"{path} cannot be used: {why}. Run as the user who owns it, or read a copy of the whole folder"
        " (a store that was not closed needs a folder that may be written); look at disk and free space.",
    )


def damaged_entry(number: int, fault: BaseException | None = None) -> OwnError:
    why = "" if fault is None else f" ({reason(fault)})"
    return OwnError("LEDGER_DAMAGED", f"Entry {number} cannot be read{why}; run `sidecar audit verify`.")


def _primary(fault: BaseException) -> int:
    """SQLite's primary result code; -1 for what is none of SQLite's."""
    code = getattr(fault, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else -1
