"""The rows of a store that verification asks for, in one state of the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sidecar.drivers import store_sql as sql
from sidecar.drivers.store_faults import reason
from sidecar.ledger.index import COLUMNS
from sidecar.ledger.source import Seen, SourceDamaged, StoredEntry, StoredHead

Found = list[Seen | int] | None
"""A range as `verify_range.examine` found it; None where nobody did."""
Examined = tuple[int, int, Found]
Spread = Callable[[int], Iterator[Examined]]
"""Entries 0 to N - 1 in ranges [start, end), in order."""

_EXCHANGE = ", ".join(f"x.{name}" for name in COLUMNS)
ENTRIES = f"""SELECT e.number, e.body, e.leaf, b.box, k.wrapped, {_EXCHANGE} FROM entry e
 LEFT JOIN box b ON b.number = e.number LEFT JOIN datakey k ON k.number = e.number
 LEFT JOIN exchange x ON x.intent_number = e.number"""  # noqa: S608  names of ours
_RANGE = "WHERE e.number >= ? AND e.number < ? ORDER BY e.number"
_BOUNDS = "SELECT min(number), max(number) FROM entry"
LEAST_ENTRY = 64
"""Bytes of its row, at least."""
_STRAYS = """SELECT 'box', number FROM box WHERE number NOT IN (SELECT number FROM entry)
 UNION ALL SELECT 'datakey', number FROM datakey WHERE number NOT IN (SELECT number FROM entry)
 UNION ALL SELECT 'exchange', intent_number FROM exchange WHERE intent_number NOT IN (SELECT number FROM entry)"""
_REMAINS = """SELECT b.number, x.id FROM exchange x JOIN box b ON b.number IN (x.intent_number, x.outcome_number)
 WHERE x.id = ? UNION SELECT k.number, x.id FROM exchange x JOIN datakey k ON k.number = x.intent_number WHERE x.id = ?
 ORDER BY 1"""


class Source:
    """StoreSource over a connection. Errors of SQLite become SourceDamaged."""

    def __init__(self, connection: sqlite3.Connection, spread: Spread | None = None) -> None:
        self._connection = connection
        self._spread = spread

    def problems(self) -> Iterable[tuple[str, str]]:
        try:
            for (line,) in self._query("PRAGMA integrity_check(20)"):
                if line != "ok":
                    yield "database-corrupt", str(line)
            if list(self._query(sql.SELECT_SCHEMA)) != sql.expected_schema():
                yield "schema-altered", "the tables are not those of a ledger of this version"
            version = next(self._query("PRAGMA user_version"))[0], next(self._query("PRAGMA application_id"))[0]
            if version != (sql.SCHEMA_VERSION, sql.APPLICATION_ID):
                yield "schema-altered", "user_version or application_id"
        except SourceDamaged as fault:
            yield "database-corrupt", str(fault)

    def heads(self) -> Sequence[StoredHead]:
        return [StoredHead(*row) for row in self._query(sql.SELECT_HEADS)]

    def entries(self, size: int | None) -> Iterator[StoredEntry | Seen]:
        """A log that has as many entries as were signed may be examined in ranges; any other is read as it is."""
        if self._spread is None or not self._is_whole(size):
            yield from self.rows()
            return
        assert size is not None
        for start, end, found in self._spread(size):
            for each in self.rows(start, end) if found is None else found:
                if isinstance(each, int):
                    yield from self.rows(each, each + 1)
                else:
                    yield each

    def _is_whole(self, size: int | None) -> bool:
        """Whoever signs may claim 2^60 entries, and give one the last number: a file has room for so many only."""
        (pages,), (page_size,) = next(self._query("PRAGMA page_count")), next(self._query("PRAGMA page_size"))
        room = pages * page_size // LEAST_ENTRY
        return size is not None and 0 < size <= room and (0, size - 1) == next(self._query(_BOUNDS))

    def rows(self, start: int | None = None, end: int | None = None) -> Iterator[StoredEntry]:
        """Those numbered `start` to `end` - 1, or all."""
        if start is None:
            return (entry_of(row) for row in self._query(f"{ENTRIES} ORDER BY e.number"))
        return (entry_of(row) for row in self._query(f"{ENTRIES} {_RANGE}", (start, end)))

    def tiles(self) -> Iterable[tuple[Any, Any, Any]]:
        return list(self._query("SELECT level, number, hash FROM tile"))

    def strays(self) -> Iterable[tuple[str, Any]]:
        return list(self._query(_STRAYS))

    def remains(self, exchanges: Iterable[str]) -> Iterable[tuple[int, str]]:
        for exchange in exchanges:
            yield from self._query(_REMAINS, (exchange, exchange))

    def _query(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._connection.execute(query, values)
        except (sqlite3.Error, OverflowError, MemoryError, UnicodeError) as fault:
            raise SourceDamaged(reason(fault)) from fault


def entry_of(row: tuple[Any, ...]) -> StoredEntry:
    number, body, leaf, box, wrapped = row[:5]
    return StoredEntry(number, body, leaf, box, wrapped, row[5:] if row[5] is not None else None)


class Snapshot:
    """A read transaction: all reads see one state of a store that is being written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
