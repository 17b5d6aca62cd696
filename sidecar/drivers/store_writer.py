"""The one writer of a store: commits batches of entries, each batch in one transaction.

Entries, leaf hashes, boxes, index rows, frontier and the signed checkpoint become durable together or not at all; the
head moves by compare-and-swap. Any error of the disk is fatal: a commit is never tried again, because after a failed
fsync nobody knows what is on disk. Only what the database rejected as a duplicate fails alone.

Two steps: `stage` writes a batch into the page cache and signs it, `commit` makes it durable. Each may run in another
thread, but never both at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar.drivers import store_sql as sql
from sidecar.drivers.store_folder import CheckpointFile, FolderLock, StateFolder
from sidecar.ledger.checkpoint import Checkpoint, sign_checkpoint
from sidecar.ledger.entries import Entry
from sidecar.ledger.index import NO_REFS, RefColumns, intent_columns, outcome_columns
from sidecar.ledger.merkle import Frontier, TileRoot, leaf_hash
from sidecar.ledger.note import Signer

CHECKPOINT_PAGES = 1000
"""Pages in the WAL from which it is folded into the database file, when nobody waits."""

FORCED_PAGES = 16_384
"""Pages (64 MiB) from which it is folded in even under load."""

NO_ROW = -1


@dataclass(slots=True, eq=False)
class Item:
    """One entry on its way to the disk. `number` is known once it is committed."""

    entry: Entry
    refs: RefColumns = NO_REFS
    box: bytes | None = None
    wrapped: bytes | None = None
    number: int = -1

    def __repr__(self) -> str:
        return f"Item({self.entry.typ}, {self.entry.id})"


class StoreFault(Exception):
    """The store can no longer be written; a restart verifies it and goes on."""


class Duplicate(Exception):
    """This id is in the log already."""


@dataclass(slots=True)
class Head:
    """Where the log ends. `open` maps the ids of open exchanges to the numbers of their intents, oldest first."""

    origin: str
    frontier: Frontier
    t: int
    checkpoint: str
    open: dict[str, int]


class StoreWriter:
    """Owns the connection, the lock and the checkpoint file. `told` hears once, in any thread, of what failed."""

    def __init__(
        self,
        folder: StateFolder,
        lock: FolderLock,
        connection: sql.Connection,
        engine: sql.Engine,
        signer: Signer,
        head: Head,
    ) -> None:
        self.folder = folder
        self.head = head
        self.signer = signer
        self.failed: str | None = None
        self.told: Callable[[Exception], None] = _nobody
        self.wal_pages = 0
        self._staged: _Batch | None = None
        self._published = head.checkpoint
        self._lock = lock
        self._connection = connection
        self._engine = engine
        self._file = CheckpointFile(folder.checkpoint)
        self._path = folder.store  # made once: making a path costs more than asking where it leads
        self._place = place_of(self._path)
        if head.checkpoint:
            self._file.replace(head.checkpoint)

    def stage(self, items: Sequence[Item]) -> dict[Item, Duplicate]:
        """Begin a transaction with these items; returns those that cannot be appended, whose ids are taken.

        Touches memory only, but for pages that SQLite has to read. Nothing is begun when no item is left. Raises
        StoreFault, after which `failed` is set.
        """
        if self.failed is not None:
            raise StoreFault(self.failed)
        try:
            self._transaction(items)
        except self._engine.constraint as fault:
            return self._without_duplicates(items, fault)
        except Exception as fault:
            raise self._fail(fault) from fault
        return {}

    def commit(self) -> None:
        """Make what was staged durable. Raises StoreFault; what is on disk is unknown from then on."""
        batch, self._staged = self._staged, None
        if batch is None:
            return
        try:
            if place_of(self._path) != self._place:
                raise StoreFault("the state folder was moved, removed or replaced while it was in use")
            self._connection.execute("COMMIT")
        except Exception as fault:
            raise self._fail(fault) from fault
        self.head = Head(self.head.origin, batch.frontier, batch.t, batch.checkpoint, self.head.open)
        self.wal_pages += 4 + 2 * len(batch.entries)  # an estimate, to know when folding in is due

    def publish(self) -> None:
        """Put the newest checkpoint into the file beside the store."""
        if self.failed is None and self.head.checkpoint != self._published:
            self._published = self.head.checkpoint
            try:
                self._file.write(self._published)
            except OSError as fault:
                self._fail(fault)

    def _fail(self, fault: Exception) -> StoreFault:
        if self.failed is None:
            self.failed = f"{type(fault).__name__}: {fault}"
            self.told(fault)
        return StoreFault(self.failed)

    def _without_duplicates(self, items: Sequence[Item], fault: Exception) -> dict[Item, Duplicate]:
        """Only an exchange's id can be a duplicate; an entry's number that is taken means another writer."""
        try:
            if "exchange.id" not in str(fault):
                raise fault
            self._connection.execute("ROLLBACK")
            taken = {item: Duplicate(item.entry.id) for item in items if self._is_taken(item)}
            rest = [item for item in items if item not in taken]
            if not taken:
                raise fault
            if rest:
                self._transaction(rest)
        except Exception as worse:
            raise self._fail(worse) from worse
        return taken

    def _is_taken(self, item: Item) -> bool:
        query = "SELECT 1 FROM exchange WHERE id = ?"
        return item.entry.typ == "intent" and bool(self._connection.execute(query, (item.entry.id,)).fetchall())

    def _transaction(self, items: Sequence[Item]) -> None:
        head = self.head
        batch = _Batch(head, items)
        self._connection.execute("BEGIN IMMEDIATE")
        for statement, rows in batch.statements():
            if rows:
                self._connection.executemany(statement, rows)
        self._read_back(head.frontier.size, batch.entries)
        batch.move_open(head.open)
        tree, root = batch.frontier, batch.frontier.root()
        batch.checkpoint = sign_checkpoint(Checkpoint(head.origin, tree.size, root), self.signer)
        fields = (head.origin, tree.size, root, tree.pack(), batch.t, batch.open_from, batch.checkpoint)
        self._connection.execute(sql.WRITE_HEAD, fields)
        self._staged = batch

    def _read_back(self, start: int, entries: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Hash again what the database holds before signing it: a flipped bit between entry and tree is for ever."""
        rows = self._connection.execute(sql.READ_BACK, (start,)).fetchall()
        if any(size != start for _, _, size in rows):
            raise StoreFault("the head moved: somebody else wrote this store, or it was rolled back")
        if len(rows) != len(entries) or any(leaf_hash(body) != leaf for body, leaf, _ in rows):
            raise StoreFault("an entry read back differs from what was written")

    def fold_in(self, *, force: bool = False) -> None:
        """Move the WAL into the database file. Only this connection ever does: SQLite before 3.51.3 has a bug when two
        connections checkpoint and commit at once. Raises StoreFault.
        """
        if self.failed is None and (force or self.wal_pages >= CHECKPOINT_PAGES):
            mode = "TRUNCATE" if force else "PASSIVE"
            self.wal_pages = 0
            try:
                self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
            except Exception as fault:
                raise self._fail(fault) from fault

    def close(self) -> None:
        try:
            if self.failed is None:
                self.publish()
                self.fold_in(force=True)
            # Closing folds the WAL in once more. On a broken disk that may fail again, and then the WAL stays: all
            # that was acknowledged is in it.
            self._connection.close()
        except Exception as fault:  # noqa: BLE001  as in commit
            self._fail(fault)
        finally:
            self._file.close()
            self._lock.release()


def place_of(path: Path) -> tuple[int, int] | None:
    """Which file this path leads to. One that was removed can be written as long as it is open, and is lost then."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _nobody(_: Exception) -> None:
    """Nobody wants to know."""


class _Batch:
    """What one transaction writes, computed before it begins."""

    def __init__(self, head: Head, items: Sequence[Item]) -> None:
        self.checkpoint = ""
        self.frontier = head.frontier.copy()
        self.t = head.t
        self.open_from = 0
        self._known = head.open
        self._new: dict[str, int] = {}
        self._ended: list[str] = []
        self.entries: list[tuple[int, bytes, bytes]] = []
        self.boxes: list[tuple[int, bytes]] = []
        self.datakeys: list[tuple[int, bytes]] = []
        self.opened: list[tuple[Any, ...]] = []
        self.closed: list[tuple[Any, ...]] = []
        self.tiles: list[TileRoot] = []
        for item in items:
            self._add(item)

    def _add(self, item: Item) -> None:
        entry, number = item.entry, self.frontier.size
        leaf = leaf_hash(entry.body)
        item.number = number
        self.t = entry.fields["t"]
        self.entries.append((number, entry.body, leaf))
        self.tiles += self.frontier.append(leaf)
        if item.box is not None:
            self.boxes.append((number, item.box))
        if item.wrapped is not None:
            self.datakeys.append((number, item.wrapped))
        if entry.typ == "intent":
            self._new[entry.id] = number
            self.opened.append(intent_columns(number, entry.fields) + item.refs)
        elif entry.typ == "outcome":
            self._ended.append(entry.id)
            row = self._new.get(entry.id, self._known.get(entry.id, NO_ROW))
            self.closed.append((*outcome_columns(number, entry.fields), row))

    def move_open(self, known: dict[str, int]) -> None:
        """Bring the open exchanges up to date, in place: they may be thousands. What fails after this is final."""
        known |= self._new
        for exchange in self._ended:
            known.pop(exchange, None)
        self.open_from = next(iter(known.values()), self.frontier.size)

    def statements(self) -> tuple[tuple[str, Sequence[Sequence[Any]]], ...]:
        """What to run, and its rows."""
        return (
            (sql.INSERT_ENTRY, self.entries),
            (sql.INSERT_BOX, self.boxes),
            (sql.INSERT_DATAKEY, self.datakeys),
            (sql.INSERT_EXCHANGE, self.opened),
            (sql.INSERT_TILE, self.tiles),
            (sql.CLOSE_EXCHANGE, self.closed),
        )
