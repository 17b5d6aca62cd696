"""Names of models and prompts that the leaf withholds (ledger/fields.py): no index has them, the records' boxes do.

Where the data key is at hand they are opened, the newest first, so that a question by name finds those exchanges too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sidecar.drivers.store_query import Filters, withholding
from sidecar.drivers.store_reader import Reader
from sidecar.ledger.record import OPENED, Record
from sidecar.ledger.report import Told

MOST = 100_000
"""Records that are opened for one question, at some 0.3 ms each."""

STRIDE = 500
"""Records between two words about how far it is."""

_FIELDS: Mapping[str, Sequence[str]] = {"model": ("model_requested", "model_served"), "prompt": ("prompt_name",)}


def opened(reader: Reader, filters: Filters, told: Told | None = None) -> tuple[Filters, list[str]]:
    """The filters with the exchanges that withhold the name asked for, and what could not be looked at. Without the
    data key they are as they were: `not_covered` says so.
    """
    asked = [name for name in _FIELDS if getattr(filters, name) is not None]
    if reader.keyring is None or not asked:
        return filters, []
    found, said = {}, []
    rest = replace(filters, before=None, limit=None, model=None, prompt=None)
    for name in asked:
        entries = withholding(reader.connection, rest, reader.keyring.ref, _FIELDS[name])
        numbers, closed = _matching(reader, entries[:MOST], name, getattr(filters, name), told)
        found[name] = tuple(numbers)
        if closed:
            said.append(f"{closed} exchanges had a {name} name in their record only, and were erased or are damaged")
        if len(entries) > MOST:
            said.append(
                f"{len(entries) - MOST} older exchanges have a {name} name in their record only and were not opened: "
                "ask for a shorter time, with --since and --until"
            )
    return replace(filters, opened=found), said


def _matching(
    reader: Reader, entries: Sequence[tuple[int, int | None]], name: str, value: str, told: Told | None
) -> tuple[list[int], int]:
    """The intents whose record has this name, and how many records cannot be opened."""
    numbers, closed = [], 0
    for done, (intent, outcome) in enumerate(entries):
        if told and done % STRIDE == 0:
            told(done, len(entries))
        record = reader.record_at(intent, outcome)
        if record.disclosures != OPENED:
            closed += 1
        elif any(_is_meant(said, value, starred=name == "model") for said in _names(record, _FIELDS[name])):
            numbers.append(intent)
    return numbers, closed


def _names(record: Record, fields: Sequence[str]) -> list[str]:
    both = [side[field] for side in (record.disclosed, record.reply_disclosed) for field in fields if field in side]
    return [name for name in both if isinstance(name, str)]


def _is_meant(name: str, value: str, *, starred: bool) -> bool:
    """As the index compares: a beginning regardless of the case of ASCII letters, as SQLite's LIKE."""
    if starred and value.endswith("*"):
        return name.encode().lower().startswith(value[:-1].encode(errors="replace").lower())
    return name == value
