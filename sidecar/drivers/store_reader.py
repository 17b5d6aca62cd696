"""Reading a store, beside a running writer or at rest: records and receipts.

Read-only connections; a `Reader` never takes the lock, never folds in the WAL, and needs the data key only to open
disclosures. No ORM here: `sidecar audit verify` must start fast (the questions of people go through store_query.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sidecar.drivers import store_sql as sql
from sidecar.drivers.keys import DATA_KEY, VKEY, foreign, load_keyring, load_vkey
from sidecar.drivers.store_faults import DAMAGE, damaged_entry, store_fault
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_open import StoreNodes, first_entry
from sidecar.drivers.store_source import ENTRIES, Snapshot, Source, entry_of
from sidecar.errors import OwnError
from sidecar.ledger.canon import ProfileError
from sidecar.ledger.checkpoint import encode_receipt, peek_checkpoint
from sidecar.ledger.disclosure import Keyring
from sidecar.ledger.entries import parse
from sidecar.ledger.merkle import inclusion_proof
from sidecar.ledger.note import NoteError, Verifier
from sidecar.ledger.record import Record, join_record
from sidecar.ledger.source import StoredEntry


class Reader:
    """One log, read-only. `keyring` is None where the data key is not at hand: disclosures then stay sealed.

    Leaving its context turns what a damaged store raises into OwnError LEDGER_DAMAGED (LEDGER_UNAVAILABLE where the
    store cannot be reached): there are too many places at which a damaged file can show, and one at which all end.
    """

    def __init__(self, folder: StateFolder, connection: sqlite3.Connection, keyring: Keyring | None) -> None:
        self.folder = folder
        self.connection = connection
        self.keyring = keyring
        self.origin = folder.origin()

    @classmethod
    def open(cls, path: Path, *, disclosures: bool = True, verifying: bool = False) -> Self:
        """The log of a state folder. Raises OwnError: LEDGER_FOLDER, LEDGER_MISSING, LEDGER_KEY, LEDGER_DAMAGED,
        LEDGER_UNAVAILABLE.

        A data key of another log is refused, for with it nobody would be found and all would look damaged; only a
        verification goes on, and reports it.
        """
        folder = StateFolder(path)
        origin = folder.origin()
        keyring = load_keyring(path, origin) if disclosures and _is_at_hand(path / DATA_KEY) else None
        reader = cls(folder, _connect(folder), keyring)
        if keyring is not None and not verifying:
            with _closing_on_error(reader):
                reader.check_data_key(keyring)
        return reader

    def check_data_key(self, keyring: Keyring) -> None:
        """Raise OwnError LEDGER_KEY when this is not the data key that the log was opened with."""
        opening = first_entry(self.connection)
        if opening is not None and opening["data_key_id"] != keyring.id:
            raise foreign(self.folder.path / DATA_KEY)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, fault: BaseException | None, __: TracebackType | None) -> None:
        self.close()
        if isinstance(fault, DAMAGE) and not isinstance(fault, sqlite3.ProgrammingError):
            raise store_fault(self.folder.store, fault) from fault

    # -- the log ----------------------------------------------------------------------------------------------------

    def checkpoint(self) -> str:
        """The newest signed checkpoint of the store."""
        row = self.connection.execute("SELECT checkpoint FROM head").fetchone()
        if row is None:
            raise OwnError("LEDGER_FOLDER", "This log has no entries yet.")
        try:
            peek_checkpoint(str(row[0]).encode())
        except (NoteError, UnicodeEncodeError) as fault:
            advice = "The store's signed checkpoint cannot be read; run `sidecar audit verify`."
            raise OwnError("LEDGER_DAMAGED", advice) from fault
        return str(row[0])

    def snapshot(self) -> Snapshot:
        """Reads inside this context see one state of the log, also beside a running writer."""
        return Snapshot(self.connection)

    def size(self) -> int:
        return peek_checkpoint(self.checkpoint().encode()).size

    def bodies(self, start: int, end: int) -> list[bytes]:
        """The bytes of entries `start` to `end - 1`. Raises OwnError LEDGER_DAMAGED for one that has none."""
        query = "SELECT number, body FROM entry WHERE number >= ? AND number < ? ORDER BY number"
        return [_bytes(*row) for row in self.connection.execute(query, (start, end))]

    def nodes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """merkle.Nodes of this log."""
        return StoreNodes(self.connection)(level, start, end)

    def vkey(self) -> Verifier:
        """The verifier key that lies in the state folder: convenient, and no proof against whoever owns the folder."""
        return load_vkey(self.folder.path / VKEY)

    def receipt(self, exchange: str, kind: str = "outcome") -> str:
        """The tlog-proof of an exchange's `intent` or `outcome`; raises OwnError RECORD_UNKNOWN."""
        # One transaction: the proof must be of the very checkpoint that goes with it.
        with self.snapshot():
            number, _ = self.entry(exchange, kind)
            checkpoint = self.checkpoint()
            size = peek_checkpoint(checkpoint.encode()).size
            return encode_receipt(number, inclusion_proof(self.nodes, number, size), checkpoint)

    def entry(self, exchange: str, kind: str) -> tuple[int, bytes]:
        """Number and bytes of an exchange's `intent` or `outcome`; raises OwnError: RECORD_UNKNOWN, LEDGER_DAMAGED."""
        column = {"intent": "intent_number", "outcome": "outcome_number"}[kind]
        query = f"SELECT number, body FROM entry JOIN exchange ON number = {column} WHERE id = ?"  # noqa: S608  ours
        row = self.connection.execute(query, (exchange,)).fetchone()
        if row is None:
            raise OwnError("RECORD_UNKNOWN", f"No {kind} of this id is in the log.", status=404)
        number, body = row
        return number, _bytes(number, body)

    # -- records ----------------------------------------------------------------------------------------------------

    def record(self, exchange: str) -> Record:
        """One exchange, its entries joined and its disclosures opened; raises OwnError RECORD_UNKNOWN."""
        rows = self.connection.execute(
            "SELECT intent_number, outcome_number FROM exchange WHERE id = ?", (exchange,)
        ).fetchone()
        if rows is None:
            raise OwnError("RECORD_UNKNOWN", "No exchange of this id is in the log.", status=404)
        return self.record_at(*rows)

    def record_at(self, intent: int, outcome: int | None) -> Record:
        """The record whose entries have these numbers."""
        found = [self._stored(number) for number in (intent, outcome) if number is not None]
        first, last = found[0], found[1] if len(found) > 1 else None
        try:
            return join_record(first, last, self.keyring)
        except ProfileError as fault:
            raise damaged_entry(intent, fault) from fault

    def _stored(self, number: int) -> StoredEntry:
        row = self.connection.execute(f"{ENTRIES} WHERE e.number = ?", (number,)).fetchone()
        if row is None:
            raise OwnError("LEDGER_DAMAGED", f"Entry {number} is missing; run `sidecar audit verify`.")
        _bytes(number, row[1])
        return entry_of(row)

    def stored(self) -> Iterator[tuple[StoredEntry, dict[str, Any]]]:
        """Every entry in order, with its fields. Raises OwnError LEDGER_DAMAGED naming one that cannot be read.

        What only the signer could have written otherwise is left to whoever verifies: for those who hand the log on.
        """
        for row in Source(self.connection).rows():
            yield row, _signed(row)


def _is_at_hand(key: Path) -> bool:
    """False also for whoever may read the log and not this key (mode 0600): who lists and verifies without it."""
    try:
        key.open("rb").close()
    except (FileNotFoundError, PermissionError):
        return False
    return True


def _connect(folder: StateFolder) -> sqlite3.Connection:
    try:
        return sql.connect_reading(folder.store)
    except FileNotFoundError as fault:
        if folder.checkpoint.exists():
            raise OwnError("LEDGER_MISSING", f"{folder.store} is gone; restore it from backup.") from fault
        raise OwnError("LEDGER_FOLDER", f"{folder.store} does not exist: this log has no entries yet.") from fault
    except (sqlite3.Error, PermissionError) as fault:
        raise store_fault(folder.store, fault) from fault


@contextmanager
def _closing_on_error(reader: Reader) -> Iterator[None]:
    try:
        yield
    except BaseException as fault:  # whatever it was: nobody has the reader yet
        reader.__exit__(type(fault), fault, None)
        raise


def _signed(row: StoredEntry) -> dict[str, Any]:
    try:
        return parse(_bytes(row.number, row.body), signed=True)
    except ProfileError as fault:
        raise damaged_entry(row.number, fault) from fault


def _bytes(number: int, body: Any) -> bytes:
    if type(body) is not bytes:
        raise damaged_entry(number)
    return body


