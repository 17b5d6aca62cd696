"""Rows for people: what the index found, with the few things about each that an officer reads first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sidecar.console.opened import opened
from sidecar.drivers.store_query import Filters, Ref, codes_of, find, more, worst
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_tables import ExchangeRow
from sidecar.errors import OwnError
from sidecar.ledger.canon import ProfileError
from sidecar.ledger.entries import parse
from sidecar.ledger.record import ERASED, OPENED, Record, obligations_of

TAIL_ENTRIES = 1000
"""Entries read by one poll; the next poll goes on from there."""

PAGE_ROWS = 1000
"""Rows of a long list that are in memory at a time."""

_TEXTS: Mapping[str, Any] = {
    **dict.fromkeys(("id", "verdict", "codes", "state", "reply_codes"), str),
    **dict.fromkeys(("model_requested", "model_served", "prompt_name", "prompt_version"), str | None),
    **dict.fromkeys(("error", "reply_verdict"), str | None),
}
_END = 253_402_300_800_000_000
"""The first microsecond after the year 9999, the last that a date can be written of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One exchange in a list. `time` is microseconds; `confidence` is 0 to 1, None where its source is unavailable.

    `caller` is `tenant/app/user`, `(erased)`, or `(sealed)` where the data key is not at hand. `findings` counts by
    entity over request and reply, `obligations` are the types that policy demanded of either. `aborted_by` is `client`,
    `drain` or `crash`.
    """

    number: int
    id: str
    time: int
    caller: str
    model_requested: str | None
    model_served: str | None
    prompt_name: str | None
    prompt_version: str | None
    verdict: str
    codes: tuple[str, ...]
    obligations: tuple[str, ...]
    confidence: float | None
    confidence_source: str
    findings: Mapping[str, int]
    state: str
    error: str | None
    aborted_by: str | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows, newest first, and the totals of everything that matches."""

    rows: tuple[Row, ...]
    total: int
    verdicts: Mapping[str, int]
    states: Mapping[str, int]
    codes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What came since `start`: rows oldest first, and where to go on. A row comes at its intent and at its outcome."""

    rows: tuple[Row, ...]
    next: int


def query(reader: Reader, filters: Filters) -> Page:
    """The newest exchanges that match. Raises OwnError QUERY_NEEDS_DATA_KEY for a filter by person without the key."""
    ref = _ref(reader, filters)
    with reader.snapshot():
        found = find(reader.connection, filters, ref)
        rows = tuple(_row(reader, row) for row in found.rows)
    return Page(rows=rows, total=found.total, verdicts=found.verdicts, states=found.states, codes=found.codes)


_ABSENT: Mapping[str, tuple[str, str]] = {
    "subject": ("subject_ref", "name no subject, or were erased: whom they are about is not in the log"),
    "model": ("model_requested", "name the model that was asked for in their record only, or none: data.key opens it"),
    "prompt": ("prompt_name", "name their prompt in their record only, or none: data.key opens it"),
    "confidence_min_ppm": ("confidence_ppm", "have no confidence: no bound finds them"),
    "confidence_max_ppm": ("confidence_ppm", "have no confidence: no bound finds them"),
}
"""Filters whose column may be empty, and what it means when it is. Those of a name are looked for in the records, where
the data key is at hand (console/opened.py)."""


def not_covered(reader: Reader, filters: Filters) -> list[str]:
    """What a list cannot hold, because the column that it is chosen by is empty there: a calm "0 exchanges" would read
    as if there were none.
    """
    opens = () if reader.keyring is None else ("model", "prompt")
    asked = dict.fromkeys(_ABSENT[name] for name in _ABSENT if getattr(filters, name) is not None and name not in opens)
    said = []
    for column, meaning in asked:
        query = f"SELECT count(*), count({column}) FROM exchange"  # noqa: S608  names of ours
        total, named = reader.connection.execute(query).fetchone()
        said += [f"{total - named} of {total} exchanges {meaning}"] if named < total else []
    return said


def pages(reader: Reader, filters: Filters, size: int = PAGE_ROWS) -> Iterator[Page]:
    """What `query` finds, in pages of `size` rows, each with the totals of the first; at least one page.

    Each is read in a transaction of its own: one held open while somebody reads slowly would let the store's WAL grow.
    """
    left = filters.limit
    page = first = query(reader, replace(filters, limit=_least(left, size)))
    while page.rows:
        yield page
        left = None if left is None else left - len(page.rows)
        asked = replace(filters, before=page.rows[-1].number, limit=_least(left, size))
        page = replace(first, rows=_more(reader, asked))
    if not first.rows:
        yield first


def _least(limit: int | None, size: int) -> int:
    return size if limit is None else min(limit, size)


def _more(reader: Reader, filters: Filters) -> tuple[Row, ...]:
    with reader.snapshot():
        return tuple(_row(reader, row) for row in more(reader.connection, filters, _ref(reader, filters)))


def _ref(reader: Reader, filters: Filters) -> Ref | None:
    """What makes keyed references, None without the key. Raises OwnError QUERY_NEEDS_DATA_KEY."""
    if reader.keyring is not None:
        return reader.keyring.ref
    if filters.needs_keyring:
        raise OwnError("QUERY_NEEDS_DATA_KEY", "Finding a caller or a subject needs the log's data.key.", status=400)
    return None


def tail(reader: Reader, start: int, filters: Filters) -> Tail:
    """Exchanges with an entry numbered `start` or later."""
    with reader.snapshot():
        end = min(reader.size(), start + TAIL_ENTRIES)
        seen: dict[str, None] = {}
        for body in reader.bodies(start, end):
            leaf = parse(body)
            if leaf["typ"] in ("intent", "outcome"):
                seen[leaf["id"]] = None
    if not seen:
        return Tail(rows=(), next=max(start, end))
    asked, _ = opened(reader, replace(filters, ids=tuple(seen)))
    page = query(reader, replace(asked, before=None, limit=TAIL_ENTRIES))
    return Tail(rows=page.rows[::-1], next=end)


def _row(reader: Reader, row: ExchangeRow) -> Row:
    """One exchange as people read it. Raises OwnError (LEDGER_DAMAGED) where index or entries are none of ours."""
    _check_types(row)
    try:
        return _read(row, reader.record_at(row.intent_number, row.outcome_number))
    except (ProfileError, KeyError, TypeError) as fault:  # a flipped byte may rename a field, or change its type
        raise _damaged(row) from fault


def _read(row: ExchangeRow, record: Record) -> Row:
    outcome = record.outcome or {}
    return Row(
        number=row.intent_number,
        id=row.id,
        time=row.at,
        caller=caller_of(record),
        model_requested=row.model_requested or record.disclosed.get("model_requested"),
        model_served=row.model_served or record.reply_disclosed.get("model_served"),
        prompt_name=row.prompt_name or record.disclosed.get("prompt_name"),
        prompt_version=row.prompt_version or record.disclosed.get("prompt_version"),
        verdict=worst(row.verdict, row.reply_verdict),
        codes=codes_of(row.codes, row.reply_codes, row.error),
        obligations=obligations_of(record),
        confidence=None if row.confidence_ppm is None else row.confidence_ppm / 1_000_000,
        confidence_source=outcome.get("confidence_source", "unavailable"),
        findings=merged(record.intent["findings"], outcome.get("findings", {})),
        state=row.state,
        error=row.error,
        aborted_by=outcome.get("aborted_by"),
    )


def _check_types(row: ExchangeRow) -> None:
    """Raise OwnError (LEDGER_DAMAGED) where a column of the index holds what no entry gives; SQLite stores any type."""
    texts = all(isinstance(getattr(row, name), kind) for name, kind in _TEXTS.items())
    share = row.confidence_ppm
    if not texts or not isinstance(row.at, int) or not 0 <= row.at < _END or not isinstance(share, int | None):
        raise _damaged(row)


def _damaged(row: ExchangeRow) -> OwnError:
    return OwnError("LEDGER_DAMAGED", f"Entry {row.intent_number} cannot be read; run `sidecar audit verify`.")


def caller_of(record: Record) -> str:
    if record.disclosures != OPENED:
        return "(erased)" if record.disclosures == ERASED else f"({record.disclosures})"
    caller = record.disclosed.get("caller", {})
    parts: Sequence[str | None] = (caller.get("tenant"), caller.get("app"), record.disclosed.get("user"))
    return "/".join(part for part in parts if part is not None)


def merged(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in sorted({*first, *second})}
