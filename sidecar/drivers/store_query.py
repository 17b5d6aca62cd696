"""The questions people ask of the index, through SQLModel; read-only.

Every filter is on a plain column, a keyed reference, or (obligations) the leaf itself, so no entry is decrypted here to
answer "which"; what console/opened.py has found in boxes comes as the numbers of entries. Imported only where questions
are asked: the ORM takes half a second to load.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

import orjson
from sqlalchemy import ColumnElement, Engine, TextClause, and_, create_engine, func, or_
from sqlalchemy import select as sa_select
from sqlalchemy import text as sql_text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, col, select

from sidecar.drivers.store_tables import ExchangeRow
from sidecar.ledger.index import untag

Ref = Callable[[str, str], bytes]
Condition = ColumnElement[bool] | TextClause

_COUNTED = ("verdict", "reply_verdict", "state", "codes", "reply_codes", "error")

_OBLIGED = """EXISTS (SELECT 1 FROM entry, json_each(CAST(body AS TEXT), '$.decision.obligations') AS duty
 WHERE entry.number IN (exchange.intent_number, exchange.outcome_number)
 AND instr(body, CAST('"type":' || json_quote(:obligation) AS BLOB)) AND duty.value ->> '$.type' = :obligation)"""
"""Demanded of the request or of the reply. No column holds it: writing one would cost every call what few ask for.
`instr` tells most entries at once; what it finds may be a parameter, so the obligations themselves are looked at."""
_OBLIGATIONS = """SELECT DISTINCT duty.value ->> '$.type' FROM entry,
 json_each(CAST(body AS TEXT), '$.decision.obligations') AS duty"""

_WITHHELD = """EXISTS (SELECT 1 FROM entry, json_each(CAST(body AS TEXT), '$.withheld') AS hidden
 WHERE entry.number IN (exchange.intent_number, exchange.outcome_number)
 AND instr(body, CAST('"withheld":[' AS BLOB)) AND hidden.value IN (SELECT value FROM json_each(:fields)))"""

MAX_CUTS = 8
"""Slashes of a caller's name at which it may be cut: 36 ways to read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to look for; None does not filter. Times are microseconds, `since` inclusive, `until` exclusive.

    `caller` is a tenant, application or user, or `tenant/app[/user]`; `model` is requested or served and may
    end in `*`; `code` is a reason or error code; `obligation` a type that policy demanded; `before` continues a list
    (the last row's number); `limit` None means all. `opened` has, by `model` or `prompt`, the numbers of intents whose
    record was opened and holds the name.
    """

    since: int | None = None
    until: int | None = None
    caller: str | None = None
    subject: str | None = None
    conversation: str | None = None
    model: str | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    verdict: str | None = None
    code: str | None = None
    entity: str | None = None
    obligation: str | None = None
    confidence_min_ppm: int | None = None
    confidence_max_ppm: int | None = None
    state: str | None = None
    ids: Collection[str] | None = None
    opened: Mapping[str, Collection[int]] = field(default_factory=dict)
    before: int | None = None
    limit: int | None = 50

    @property
    def needs_keyring(self) -> bool:
        return any(name is not None for name in (self.caller, self.subject, self.conversation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The newest matches, and how many there are in all, by verdict, by state and by each of their codes."""

    rows: Sequence[ExchangeRow]
    total: int
    verdicts: dict[str, int]
    states: dict[str, int]
    codes: dict[str, int]


def find(connection: sqlite3.Connection, filters: Filters, ref: Ref | None) -> Found:
    """Newest first, and counted. `ref` makes the keyed references; without it only filters that need none are possible.

    Raises sqlite3.Error, like all here.
    """
    matches = _conditions(filters, ref)
    alike = [col(getattr(ExchangeRow, name)) for name in _COUNTED]
    with _session(connection) as session:
        rows = _rows(session, filters, matches)
        counts: Sequence[Any] = (
            session.connection().execute(sa_select(*alike, func.count()).where(*matches).group_by(*alike)).all()
        )
        session.expunge_all()
    verdicts, states, codes = Counter[str](), Counter[str](), Counter[str]()
    for verdict, reply_verdict, state, asked, replied, error, count in counts:
        verdicts[worst(verdict, reply_verdict)] += count
        states[state] += count
        codes.update(dict.fromkeys(codes_of(asked, replied, error), count))
    return Found(rows=rows, total=states.total(), verdicts=dict(verdicts), states=dict(states), codes=dict(codes))


def more(connection: sqlite3.Connection, filters: Filters, ref: Ref | None) -> Sequence[ExchangeRow]:
    """The rows that `find` would give, without counting what a caller has counted already."""
    with _session(connection) as session:
        rows = _rows(session, filters, _conditions(filters, ref))
        session.expunge_all()
    return rows


def withholding(
    connection: sqlite3.Connection, filters: Filters, ref: Ref | None, fields: Sequence[str]
) -> list[tuple[int, int | None]]:
    """Intent and outcome, newest first, of matches of which a leaf says that it withholds one of these fields. Reads
    the leaves of all that match."""
    hidden = sql_text(_WITHHELD).bindparams(fields=orjson.dumps(fields).decode())
    empty = or_(*(col(getattr(ExchangeRow, name)).is_(None) for name in fields))
    number, outcome = col(ExchangeRow.intent_number), col(ExchangeRow.outcome_number)
    asked = sa_select(number, outcome).where(*_conditions(filters, ref), empty, hidden).order_by(number.desc())
    with _session(connection) as session:
        return [(first, last) for first, last in session.connection().execute(asked)]


def recorded(connection: sqlite3.Connection, *columns: str) -> set[str]:
    """Every name that stands in these columns of ours: types of personal data, or codes. Reads the whole index."""
    found: set[str] = set()
    for column in columns:
        for (text,) in connection.execute(f"SELECT DISTINCT {column} FROM exchange"):  # noqa: S608  names of ours
            found.update(untag(text) if isinstance(text, str) else ())
    return found


def obliged(connection: sqlite3.Connection) -> set[str]:
    """Every type of obligation that stands in the log. Reads every entry."""
    return {name for (name,) in connection.execute(_OBLIGATIONS) if isinstance(name, str)}


def codes_of(asked: str, replied: str, error: str | None) -> tuple[str, ...]:
    """Every code of an exchange, once: of its request, its reply, its end. The columns of a damaged index hold any
    type."""
    texts = (text for text in (asked, replied, error) if isinstance(text, str))
    return tuple(dict.fromkeys(code for text in texts for code in untag(text)))


def worst(verdict: str, reply_verdict: str | None) -> str:
    """An exchange was denied when its request or its reply was."""
    return "deny" if "deny" in (verdict, reply_verdict) else verdict


@contextmanager
def _session(connection: sqlite3.Connection) -> Iterator[Session]:
    """A session whose faults are SQLite's own: SQLAlchemy's message holds the statement and its parameters."""
    try:
        with Session(_engine(connection)) as session:
            yield session
    except DBAPIError as fault:
        raise fault.orig or sqlite3.DatabaseError("the index cannot be read") from None


def _rows(session: Session, filters: Filters, matches: Sequence[Condition]) -> Sequence[ExchangeRow]:
    number = col(ExchangeRow.intent_number)
    page = matches if filters.before is None else [*matches, number < filters.before]
    return session.exec(select(ExchangeRow).where(*page).order_by(number.desc()).limit(filters.limit)).all()


class _Lent:
    """A connection whose transaction is the reader's: SQLAlchemy ends one as it begins, and when it is done; rows and
    totals would be of two states of a log at work.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def rollback(self) -> None:
        pass


def _engine(connection: sqlite3.Connection) -> Engine:
    return create_engine("sqlite://", creator=lambda: _Lent(connection), poolclass=StaticPool)


def _conditions(filters: Filters, ref: Ref | None) -> list[Condition]:
    row = ExchangeRow
    tests: dict[str, Callable[[Any], Condition]] = {
        "since": lambda value: col(row.at) >= value,
        "until": lambda value: col(row.at) < value,
        "model": lambda value: _or_opened("model", _model(value), filters),
        "prompt": lambda value: _or_opened("prompt", col(row.prompt_name) == value, filters),
        "verdict": _verdict,
        "code": _code,
        "entity": lambda value: or_(_tagged(row.entities, value), _tagged(row.reply_entities, value)),
        "obligation": lambda value: sql_text(_OBLIGED).bindparams(obligation=value),
        "confidence_min_ppm": lambda value: col(row.confidence_ppm) >= value,
        "confidence_max_ppm": lambda value: col(row.confidence_ppm) <= value,
        "state": lambda value: col(row.state) == value,
        "ids": lambda value: col(row.id).in_(value),
        "prompt_version": lambda value: _prompt_version(value, ref),
    }
    if ref is not None:
        tests["caller"] = lambda value: _caller(value, ref)
        tests["subject"] = lambda value: col(row.subject_ref).in_(_refs("subject", value, ref))
        tests["conversation"] = lambda value: col(row.conversation_ref).in_(_refs("conversation", value, ref))
    given = {name: getattr(filters, name) for name in tests}
    return [tests[name](value) for name, value in given.items() if value is not None]


def _or_opened(name: str, named: ColumnElement[bool], filters: Filters) -> ColumnElement[bool]:
    numbers = filters.opened.get(name)
    if not numbers:
        return named
    among = sql_text(f"exchange.intent_number IN (SELECT value FROM json_each(:{name}s))")  # noqa: S608  a name of ours
    return or_(named, among.bindparams(**{f"{name}s": orjson.dumps(tuple(numbers)).decode()}))


def _model(value: str) -> ColumnElement[bool]:
    columns = (col(ExchangeRow.model_requested), col(ExchangeRow.model_served))
    if value.endswith("*"):
        return or_(*(column.startswith(value[:-1], autoescape=True) for column in columns))
    return or_(*(column == value for column in columns))


def _verdict(value: str) -> ColumnElement[bool]:
    denied = or_(col(ExchangeRow.verdict) == "deny", func.coalesce(ExchangeRow.reply_verdict, "") == "deny")
    return denied if value == "deny" else and_(col(ExchangeRow.verdict) == value, ~denied)


def _code(value: str) -> ColumnElement[bool]:
    row = ExchangeRow
    return or_(_tagged(row.codes, value), _tagged(row.reply_codes, value), col(row.error) == value)


def _tagged(column: Any, value: str) -> ColumnElement[bool]:
    return func.instr(column, f"|{value}|") > 0


def _prompt_version(value: str, ref: Ref | None) -> ColumnElement[bool]:
    plain = col(ExchangeRow.prompt_version) == value
    return plain if ref is None else or_(plain, col(ExchangeRow.prompt_ref).in_(_refs("prompt_version", value, ref)))


def _caller(value: str, ref: Ref) -> ColumnElement[bool]:
    names = {"tenant": ExchangeRow.tenant_ref, "app": ExchangeRow.app_ref, "user": ExchangeRow.user_ref}
    whole = [col(column).in_(_refs(kind, value, ref)) for kind, column in names.items()]
    parted = [
        and_(*(col(names[kind]).in_(_refs(kind, part, ref)) for kind, part in zip(names, parts, strict=False)))
        for parts in _paths(value)
    ]
    return or_(*whole, *parted)


def _paths(value: str) -> Iterator[tuple[str, ...]]:
    """Every way to read the value as `tenant/app` or `tenant/app/user`; names may have slashes of their own (`acme/eu`,
    `https://idp/users/1`)."""
    cuts = [at for at, char in enumerate(value) if char == "/"][:MAX_CUTS]
    for first in cuts:
        yield value[:first], value[first + 1 :]
        for second in cuts:
            if second > first:
                yield value[:first], value[first + 1 : second], value[second + 1 :]


def _refs(kind: str, value: str, ref: Ref) -> list[bytes]:
    """References of a name as typed and in both normal forms: records of old hold it as the application spelt it."""
    return [ref(kind, form) for form in dict.fromkeys((value, normalize("NFC", value), normalize("NFD", value)))]
