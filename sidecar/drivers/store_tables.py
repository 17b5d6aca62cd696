"""The tables of a store, as SQLModel sees them. They define the schema and serve reads; appends use store_sql.py.

entry      the leaves: number, bytes, leaf hash
tile       hashes of full tiles (levels 1 and up), so that a proof reads hundreds of hashes, not millions
head       one row: size, root, frontier, signed checkpoint; changed by compare-and-swap on the size
box        the encrypted disclosures of an entry      (erasable)
datakey    the wrapped data key of an exchange        (erasable)
exchange   what queries filter by; computed from the leaf, references erasable
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Column, Index, LargeBinary, MetaData
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Field, SQLModel

LEDGER = MetaData()


class _Table(SQLModel):
    metadata = LEDGER


def _blob() -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=False))


def _ref() -> Any:
    return Field(default=None, sa_column=Column(LargeBinary))


class EntryRow(_Table, table=True):
    __tablename__ = "entry"
    number: int = Field(primary_key=True)
    body: bytes = _blob()
    leaf: bytes = _blob()


class TileRow(_Table, table=True):
    __tablename__ = "tile"
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}
    level: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    hash: bytes = _blob()


class HeadRow(_Table, table=True):
    """`t` is the time of the last entry, `open_from` the first intent without an outcome (`size` if there is none)."""

    __tablename__ = "head"
    one: int = Field(primary_key=True)
    origin: str
    size: int
    root: bytes = _blob()
    frontier: bytes = _blob()
    t: int
    open_from: int
    checkpoint: str


class BoxRow(_Table, table=True):
    __tablename__ = "box"
    number: int = Field(primary_key=True)
    box: bytes = _blob()


class DataKeyRow(_Table, table=True):
    """Keyed by the number of the exchange's intent."""

    __tablename__ = "datakey"
    number: int = Field(primary_key=True)
    wrapped: bytes = _blob()


class ExchangeRow(_Table, table=True):
    """Columns in the order of sidecar.ledger.index.COLUMNS."""

    __tablename__ = "exchange"
    __table_args__: ClassVar[Any] = (
        Index("exchange_subject", "subject_ref", sqlite_where=Column("subject_ref").is_not(None)),
    )
    intent_number: int = Field(primary_key=True)
    id: str = Field(unique=True)
    at: int
    side: str
    operation: str
    model_requested: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    verdict: str
    codes: str
    entities: str
    findings: int
    tenant_ref: bytes | None = _ref()
    app_ref: bytes | None = _ref()
    user_ref: bytes | None = _ref()
    subject_ref: bytes | None = _ref()
    conversation_ref: bytes | None = _ref()
    prompt_ref: bytes | None = _ref()
    outcome_number: int | None = None
    ended_at: int | None = None
    state: str
    model_served: str | None = None
    confidence_ppm: int | None = None
    error: str | None = None
    reply_verdict: str | None = None
    reply_codes: str
    reply_entities: str
    reply_findings: int


def ddl() -> tuple[str, ...]:
    """The statements that make an empty store; a verifier compares them with what the file says of itself."""
    dialect = sqlite.dialect()
    statements = []
    for table in LEDGER.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)).strip())
        statements += [str(CreateIndex(index).compile(dialect=dialect)).strip() for index in table.indexes]
    return tuple(statements)
