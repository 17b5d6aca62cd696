"""Opening a store for writing: is it whole, is it ours, has it lost anything?

Cheap checks only, whatever the size of the log: the root is computed anew from the tile hashes and the entries since
the last full tile, the head's signature is verified, and the head is compared with the checkpoint that lies beside the
store. SQLite drops the tail of a damaged WAL without a word: a store smaller than its checkpoint is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sidecar.drivers import store_sql as sql
from sidecar.drivers.keys import VKEY, check_belonging, load_keyring, load_signer, sync_folder, write_durably
from sidecar.drivers.store_faults import store_fault
from sidecar.drivers.store_folder import FolderLock, StateFolder
from sidecar.drivers.store_writer import Head, StoreWriter
from sidecar.errors import OwnError
from sidecar.ledger.canon import ProfileError
from sidecar.ledger.checkpoint import Checkpoint, open_checkpoint
from sidecar.ledger.disclosure import Keyring
from sidecar.ledger.entries import parse
from sidecar.ledger.merkle import HASH_SIZE, TILE_WIDTH, Frontier, ProofError, leaf_hash, subtree
from sidecar.ledger.note import NoteError, Verifier
from sidecar.ports import Entropy


@dataclass(frozen=True, slots=True)
class Opened:
    """A store ready to be written. `checkpoint_file` is `none`, `good`, `missing` or `unreadable`."""

    writer: StoreWriter
    keyring: Keyring
    origin: str
    orphans: tuple[str, ...]
    checkpoint_file: str


def open_store(folder: StateFolder, *, domain: str, entropy: Entropy, engine: sql.Engine = sql.STDLIB) -> Opened:
    """Lock the folder, make what is missing, check what is there. Raises OwnError; nothing is written then."""
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(folder)
    try:
        folder.prepare(domain, entropy)
        origin = folder.origin()
        signer, keyring = load_signer(folder.path, origin), load_keyring(folder.path, origin)
        connection = _connect(folder, engine)
    except BaseException:  # whatever it was: the lock must not stay
        lock.release()
        raise
    try:
        head, state = _checked(folder, connection, signer.verifier, keyring)
        writer = StoreWriter(folder, lock, connection, engine, signer, head)
    except BaseException:  # the same for the connection
        connection.close()
        lock.release()
        raise
    return Opened(writer, keyring, origin, tuple(head.open), state)


def _checked(
    folder: StateFolder, connection: sql.Connection, verifier: Verifier, keyring: Keyring
) -> tuple[Head, str]:
    """The head, once it is whole, ours and complete; and what became of the checkpoint file."""
    try:
        opening = first_entry(connection)
        if opening is not None:
            check_belonging(folder.path, opening, vkey=verifier.vkey, keyring=keyring)
        head = _load_head(connection, verifier.name, verifier)
        state = _compare_checkpoint(folder, connection, head, verifier)
        _check_goes_on(folder, connection, head.frontier.size)
    except OwnError:
        raise
    except Exception as fault:  # each copy of SQLite has error classes of its own
        raise store_fault(folder.store, fault) from fault
    if head.frontier.size and not (folder.path / VKEY).exists():  # derived from the key that signed the head
        write_durably(folder.path / VKEY, verifier.vkey.encode() + b"\n", mode=0o644)
    return head, state


def first_entry(connection: sql.Connection) -> dict[str, Any] | None:
    """The fields of log.open, which name the log's keys; None where it is not there (yet), or is not readable.

    It is not believed: who uses it may only refuse because of it. What is wrong with it, verification says.
    """
    row = connection.execute("SELECT body FROM entry WHERE number = 0").fetchone()
    try:
        leaf = None if row is None or type(row[0]) is not bytes else parse(row[0])
    except ProfileError:
        return None
    return leaf if leaf is not None and leaf["typ"] == "log.open" else None


def _connect(folder: StateFolder, engine: sql.Engine) -> sql.Connection:
    kept = folder.read_checkpoint()
    if kept and folder.is_store_gone():
        raise OwnError(
            "LEDGER_MISSING",
            f"{folder.checkpoint} is there but {folder.store} is gone or empty. Restore the store, or start with a new"
            " folder.",
        )
    try:
        connection = engine.connect(folder.store)
    except Exception as fault:
        raise store_fault(folder.store, fault) from fault
    try:
        for pragma in sql.WRITER_PRAGMAS:
            connection.execute(pragma).fetchall()
        _make_schema(connection)
        # Entering WAL mode deletes a rollback journal, and SQLite does not sync that deletion: after a power cut the
        # journal could come back and undo the store.
        sync_folder(folder.path)
    except Exception as fault:
        connection.close()
        raise store_fault(folder.store, fault) from fault
    return connection


def _make_schema(connection: sql.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == sql.SCHEMA_VERSION:
        return
    if version != 0:
        raise ValueError(f"the store has schema version {version}, this sidecar writes {sql.SCHEMA_VERSION}")
    connection.execute("BEGIN IMMEDIATE")
    for statement in sql.SCHEMA:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {sql.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {sql.SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _check_goes_on(folder: StateFolder, connection: sql.Connection, size: int) -> None:
    """Whatever followed the last entry of a closed log would make its verification fail."""
    row = connection.execute("SELECT body FROM entry WHERE number = ?", (size - 1,)).fetchone()
    if row is not None and parse(row[0])["typ"] == "log.close":
        raise OwnError(
            "LEDGER_CLOSED",
            f"The log in {folder.path} was closed for good: it can be read and verified, and takes no more entries."
            " Keep the folder, and start with a new one.",
        )


def _load_head(connection: sql.Connection, origin: str, verifier: Verifier) -> Head:
    """The head row, believed only when the tree gives its root and the log's key signed it."""
    try:
        row = connection.execute(sql.SELECT_HEAD).fetchone()
        if row is None:
            _check_empty(connection)
            return Head(origin, Frontier(), 0, "", {})
        stored, size, root, packed, t, open_from, note = row
        signed = open_checkpoint(note.encode(), verifier)
        frontier = Frontier.unpack(size, packed)
        if signed != Checkpoint(origin, size, root) or stored != origin or frontier.root() != root:
            raise ProofError("head and checkpoint differ")
        if rebuild_root(connection, size) != root:
            raise ProofError("the entries do not give the signed root")
        opened = connection.execute(sql.SELECT_OPEN, (open_from,)).fetchall()
    except (NoteError, ProofError, AttributeError, TypeError) as fault:
        raise OwnError(
            "LEDGER_DAMAGED",
            f"The store of {origin} is not what was signed ({fault}). Run `sidecar audit verify`; nothing was written.",
        ) from fault
    return Head(origin, frontier, t, note, dict(sorted(opened, key=_number)))


def _number(row: tuple[str, int]) -> int:
    return row[1]


def _check_empty(connection: sql.Connection) -> None:
    if connection.execute("SELECT count(*) FROM entry").fetchone()[0]:
        raise ProofError("entries without a head")


def rebuild_root(connection: sql.Connection, size: int) -> bytes:
    """The root from the hashes of full tiles and the bytes of the entries after them."""
    tail = size - size % TILE_WIDTH
    rows = connection.execute(sql.SELECT_WRITTEN, (tail,)).fetchall()
    if len(rows) != size - tail or any(leaf_hash(body) != leaf for body, leaf in rows):
        raise ProofError("entries are missing or altered")
    return subtree(StoreNodes(connection), 0, size)


class StoreNodes:
    """merkle.Nodes over a store: leaf hashes from `entry`, higher levels from `tile`."""

    def __init__(self, connection: sql.Connection) -> None:
        self._connection = connection

    def __call__(self, level: int, start: int, end: int) -> Sequence[bytes]:
        if level == 0:
            query = "SELECT leaf FROM entry WHERE number >= ? AND number < ? ORDER BY number"
            rows = self._connection.execute(query, (start, end)).fetchall()
        else:
            query = "SELECT hash FROM tile WHERE level = ? AND number >= ? AND number < ? ORDER BY number"
            rows = self._connection.execute(query, (level, start, end)).fetchall()
        if any(type(node) is not bytes or len(node) != HASH_SIZE for (node,) in rows):
            raise ProofError("a hash of the tree is not whole")
        return [node for (node,) in rows]


def _compare_checkpoint(folder: StateFolder, connection: sql.Connection, head: Head, verifier: Verifier) -> str:
    kept, size = folder.read_checkpoint(), head.frontier.size
    if kept is None:
        return "missing" if size else "none"
    try:
        known = open_checkpoint(kept, verifier)
    except NoteError:
        # After a power cut the file may be torn, for it is never synced. The next entry of the log says so.
        return "unreadable"
    if known.size > size:
        raise OwnError(
            "LEDGER_ROLLED_BACK",
            f"{folder.store} has {size} entries, its checkpoint says {known.size}: the end of the log is lost."
            " Restore the newest copy, or keep this folder as evidence and start with a new one.",
        )
    if subtree(StoreNodes(connection), 0, known.size) != known.root:
        raise OwnError(
            "LEDGER_FORKED",
            f"{folder.store} and its checkpoint tell two histories. Keep the folder as evidence; start with a new one.",
        )
    return "good"
