"""The statements of a store, and how a connection to it is made. Light to import: verification needs no ORM.

`SCHEMA` is what `store_tables.ddl()` says (a test holds the two together).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any, Protocol
from urllib.parse import quote

from sidecar.ledger.index import COLUMNS, OPEN, OutcomeColumns

SCHEMA_VERSION = 1
APPLICATION_ID = 0x51DECA12
"""PRAGMA application_id: tells the store from any other SQLite file."""

TABLES = ("box", "datakey", "entry", "exchange", "head", "tile")

_EXCHANGE = """intent_number INTEGER NOT NULL, id VARCHAR NOT NULL, at INTEGER NOT NULL, side VARCHAR NOT NULL,
 operation VARCHAR NOT NULL, model_requested VARCHAR, prompt_name VARCHAR, prompt_version VARCHAR,
 verdict VARCHAR NOT NULL, codes VARCHAR NOT NULL, entities VARCHAR NOT NULL, findings INTEGER NOT NULL,
 tenant_ref BLOB, app_ref BLOB, user_ref BLOB, subject_ref BLOB, conversation_ref BLOB, prompt_ref BLOB,
 outcome_number INTEGER, ended_at INTEGER, state VARCHAR NOT NULL, model_served VARCHAR, confidence_ppm INTEGER,
 error VARCHAR, reply_verdict VARCHAR, reply_codes VARCHAR NOT NULL, reply_entities VARCHAR NOT NULL,
 reply_findings INTEGER NOT NULL, PRIMARY KEY (intent_number), UNIQUE (id)"""

_HEAD = """one INTEGER NOT NULL, origin VARCHAR NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
 frontier BLOB NOT NULL, t INTEGER NOT NULL, open_from INTEGER NOT NULL, checkpoint VARCHAR NOT NULL,
 PRIMARY KEY (one)"""


def _table(name: str, columns: str, tail: str = "") -> str:
    return f"CREATE TABLE {name} ({columns.replace(chr(10), '')}){tail}"


SCHEMA = (
    _table("box", "number INTEGER NOT NULL, box BLOB NOT NULL, PRIMARY KEY (number)"),
    _table("datakey", "number INTEGER NOT NULL, wrapped BLOB NOT NULL, PRIMARY KEY (number)"),
    _table("entry", "number INTEGER NOT NULL, body BLOB NOT NULL, leaf BLOB NOT NULL, PRIMARY KEY (number)"),
    _table("exchange", _EXCHANGE),
    "CREATE INDEX exchange_subject ON exchange (subject_ref) WHERE subject_ref IS NOT NULL",
    _table("head", _HEAD),
    _table(
        "tile",
        "level INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, number)",
        " WITHOUT ROWID",
    ),
)


def _insert(table: str, columns: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608  names of ours


INSERT_ENTRY, INSERT_BOX, INSERT_DATAKEY = _insert("entry", 3), _insert("box", 2), _insert("datakey", 2)
INSERT_TILE = _insert("tile", 3)
INSERT_EXCHANGE = (
    f"INSERT INTO exchange VALUES ({'?, ' * (len(COLUMNS) - len(OPEN))}"  # noqa: S608  values of ours
    f"{', '.join('NULL' if value is None else repr(value) for value in OPEN)})"
)
"""What every open exchange has in common stands in the statement: a value bound to it costs more than one it holds."""

CLOSE_EXCHANGE = (
    f"UPDATE exchange SET {', '.join(f'{name} = ?' for name in OutcomeColumns._fields)}"  # noqa: S608  names of ours
    " WHERE intent_number = ?"
)
"""Each runs once a row: one statement with many rows, or a join with them, took a third longer (profiled)."""

WRITE_HEAD = "REPLACE INTO head VALUES (0, ?, ?, ?, ?, ?, ?, ?)"

_HEAD_COLUMNS = "origin, size, root, frontier, t, open_from, checkpoint"
SELECT_HEAD = f"SELECT {_HEAD_COLUMNS} FROM head WHERE one = 0"  # noqa: S608  names of ours
SELECT_HEADS = f"SELECT {_HEAD_COLUMNS}, one FROM head"  # noqa: S608  the same
"""The one that the writer moves, and all that there are."""

SELECT_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2, 3"
SELECT_WRITTEN = "SELECT body, leaf FROM entry WHERE number >= ? ORDER BY number"
READ_BACK = SELECT_WRITTEN.replace("leaf", "leaf, coalesce((SELECT size FROM head WHERE one = 0), 0)", 1)
"""With the size of the head, in the transaction that is going to write it: a compare-and-swap, for a third less than
`UPDATE ... RETURNING` costs."""
SELECT_OPEN = "SELECT id, intent_number FROM exchange WHERE intent_number >= ? AND outcome_number IS NULL"

WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
)


class Connection(Protocol):
    """What the writer uses; `sqlite3` and `apsw` connections both have it."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Any: ...

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> Any: ...

    def close(self) -> Any: ...


def _connect(path: Path) -> Connection:
    """Without an adapter `sqlite3` asks each bytes and each None that is bound for a method that it does not have, by
    way of two exceptions (3.11): more than the binding itself costs."""
    for kind in (bytes, NoneType):
        sqlite3.register_adapter(kind, _unchanged)
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=128)


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Engine:
    """How to open a store for writing. Tests put another SQLite with a faulty disk here.

    Never two copies of SQLite on one file in one process: closing one drops the other's POSIX locks.
    """

    connect: Callable[[Path], Connection] = _connect
    constraint: type[Exception] = sqlite3.IntegrityError
    version: str = sqlite3.sqlite_version


STDLIB = Engine()


def expected_schema() -> list[tuple[object, ...]]:
    """What SELECT_SCHEMA gives for a store of this version: every table and index, by type, name and definition."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
        return connection.execute(SELECT_SCHEMA).fetchall()


def connect_reading(path: Path) -> sqlite3.Connection:
    """A read-only connection; beside a running writer it sees whole transactions.

    Without write access to the folder a store at rest is opened `immutable`, since WAL needs its -shm file. Text that
    is not UTF-8 is kept as surrogates, so that damage is found by comparison and not by a stack trace.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    uri = f"file:{quote(str(path.resolve()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except UnicodeDecodeError as fault:  # a damaged schema: SQLite quotes it in its message, which is then no UTF-8
        connection.close()
        raise sqlite3.DatabaseError("the schema is damaged") from fault
    except sqlite3.OperationalError:
        connection.close()
        wal = path.with_name(path.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            raise
        connection = sqlite3.connect(uri + "&immutable=1", uri=True, isolation_level=None, check_same_thread=False)
    except sqlite3.Error:
        connection.close()
        raise
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    return connection
