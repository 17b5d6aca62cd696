"""What lies beside the leaves, against the leaves: index rows, boxes of disclosures, data keys."""

from __future__ import annotations

from collections.abc import Sequence
from operator import eq
from typing import Any, NamedTuple

from sidecar.ledger.disclosure import DisclosureError, Keyring, box_context, match, open_box, read
from sidecar.ledger.index import COLUMNS, NO_REFS, OPEN, IntentColumns, RefColumns, intent_columns, outcome_columns
from sidecar.ledger.index import ref_columns as make_refs
from sidecar.ledger.report import Report
from sidecar.ledger.source import StoredEntry

_REFS_AT = len(IntentColumns._fields)
_OUTCOME_AT = _REFS_AT + len(RefColumns._fields)


class _Pending(NamedTuple):
    """An exchange that waits for its outcome during the pass."""

    number: int
    outcome: Sequence[Any]
    key: bytes | None


class IndexCheck:
    """Index rows, boxes and data keys against the leaf."""

    def __init__(self, report: Report, keyring: Keyring | None) -> None:
        self.report = report
        self.keyring = keyring
        self.pending: dict[str, _Pending] = {}
        self.number_closed: dict[Any, str] = {}
        self.bare: list[tuple[int, str, str]] = []
        self.erased: set[str] = set()
        self.gap = False

    def check(self, row: StoredEntry, leaf: dict[str, Any]) -> None:
        typ, entry_id = leaf["typ"], leaf["id"]
        if typ == "intent":
            self._intent(row, leaf)
        elif row.exchange is not None:
            self.report.fail(row.number, entry_id, "index-extra", "an index row for an entry that is no intent")
        if typ == "outcome":
            self._outcome(row, leaf)
        elif typ != "intent" and row.box is not None:
            self.report.fail(row.number, entry_id, "disclosure-extra", "disclosures of an entry that has none")
        if typ != "intent" and row.wrapped is not None:
            self.report.fail(row.number, entry_id, "disclosure-extra", "a data key of an entry that has none")

    def trust(self, row: StoredEntry) -> None:
        """An intent that cannot be read: take its index row at its word, for its own fault is reported already."""
        if row.exchange is not None and type(row.exchange[1]) is str:
            outcome = row.exchange[_OUTCOME_AT:]
            self.pending[row.exchange[1]] = _Pending(row.number, outcome, self._unwrap(row, row.exchange[1], False))
            self.number_closed[outcome[0]] = row.exchange[1]

    def _intent(self, row: StoredEntry, leaf: dict[str, Any]) -> None:
        entry_id = leaf["id"]
        key = self._unwrap(row, entry_id, True)
        disclosed = self._disclosed(row, leaf, key)
        if row.exchange is None:
            self.report.fail(row.number, entry_id, "index-missing", "queries do not find this exchange")
            self.pending[entry_id] = _Pending(row.number, (), key)
            return
        expected: list[Any] = [*intent_columns(row.number, leaf)]
        if row.box is None:
            expected += NO_REFS
        elif disclosed is not None and self.keyring is not None:
            expected += make_refs(disclosed, self.keyring.ref)
        else:
            expected += row.exchange[_REFS_AT:_OUTCOME_AT]
        self._compare(row.number, entry_id, 0, expected, row.exchange[:_OUTCOME_AT])
        outcome = row.exchange[_OUTCOME_AT:]
        self.pending[entry_id] = _Pending(row.number, outcome, key)
        self.number_closed[outcome[0]] = entry_id

    def _outcome(self, row: StoredEntry, leaf: dict[str, Any]) -> None:
        entry_id = leaf["id"]
        pending = self.pending.pop(entry_id, None)
        if pending is None:
            return  # Chain has said that its intent is missing
        self.number_closed.pop(row.number, None)
        self._disclosed(row, leaf, pending.key)
        if pending.outcome:
            self._compare(pending.number, entry_id, _OUTCOME_AT, outcome_columns(row.number, leaf), pending.outcome)

    def _compare(self, number: int, entry_id: str, at: int, expected: Sequence[Any], found: Sequence[Any]) -> None:
        if list(map(type, expected)) == list(map(type, found)) and all(map(eq, expected, found)):
            return
        wrong = [COLUMNS[at + n] for n, value in enumerate(expected) if not _same(value, found[n])]
        self.report.fail(number, entry_id, "index-altered", ", ".join(wrong))

    def _unwrap(self, row: StoredEntry, entry_id: str, loud: bool) -> bytes | None:
        if row.wrapped is None:
            if loud:
                self.bare.append((row.number, entry_id, "data-key-missing"))
            return None
        if self.keyring is None:
            return None
        try:
            return self.keyring.unwrap(_bytes(row.wrapped), entry_id)
        except DisclosureError as fault:
            if loud:
                self.report.fail(row.number, entry_id, fault.reason, "the data key of this exchange does not open")
            return None

    def _disclosed(self, row: StoredEntry, leaf: dict[str, Any], key: bytes | None) -> dict[str, Any] | None:
        digests, entry_id = leaf.get("_sd"), leaf["id"]
        if row.box is None:
            if digests:
                self.bare.append((row.number, entry_id, "disclosure-missing"))
            return None
        if not digests:
            self.report.fail(row.number, entry_id, "disclosure-extra", "disclosures of an entry that has none")
        if key is None:
            return None
        try:
            arrays = open_box(_bytes(row.box), key, box_context(entry_id, leaf["typ"]))
            match(arrays, digests or [])
            # What matches is what was written; only an intent's names are needed, for the references.
            return read(arrays) if leaf["typ"] == "intent" else {}
        except DisclosureError as fault:
            self.report.fail(row.number, entry_id, fault.reason, "the disclosures are not those of the leaf")
            return None

    def finish(self, erased: set[str]) -> None:
        for entry_id, pending in self.pending.items():
            if pending.outcome and not self.gap:
                self._compare(pending.number, entry_id, _OUTCOME_AT, OPEN, pending.outcome)
        for number, entry_id, reason in self.bare:
            if entry_id in erased:
                self.erased.add(entry_id)
            else:
                self.report.fail(number, entry_id, reason, "gone, and no erasure is recorded")


def _same(expected: Any, found: Any) -> bool:
    """Equal in type too: SQLite compares 1 and 1.0, and so does Python."""
    return type(expected) is type(found) and bool(expected == found)


def _bytes(value: Any) -> bytes:
    return value if type(value) is bytes else b""
