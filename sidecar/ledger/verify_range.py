"""What can be said of entries apart from the rest of the log, so that several processes say it of several ranges.

Most of a verification's time goes here: hashing, parsing, opening boxes, comparing index rows. An entry that is right
in all of that is `Seen`, and what is left to judge of it (the tree, order, pairing) takes a few of its fields. Any
other is only named, also one whose exchange begins or ends outside the range: whoever judges the whole reads it again,
and looks at it as if nobody had. So nothing is excused here, and nothing is reported from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sidecar.ledger.canon import ProfileError
from sidecar.ledger.disclosure import Keyring
from sidecar.ledger.entries import parse
from sidecar.ledger.merkle import leaf_hash
from sidecar.ledger.report import Report
from sidecar.ledger.source import Seen, StoredEntry
from sidecar.ledger.verify_bundles import named_bundle
from sidecar.ledger.verify_index import IndexCheck


def examine(rows: Iterable[StoredEntry], keyring: Keyring | None, sidecar: str) -> list[Seen | int]:
    """The rows of a range in order: `Seen`, or the number of one that has to be looked at again."""
    check = _RangeCheck(keyring, sidecar)
    for row in rows:
        check.add(row)
    return check.finish()


class _RangeCheck:
    def __init__(self, keyring: Keyring | None, sidecar: str) -> None:
        self.sidecar = sidecar
        self.report = Report()
        self.index = IndexCheck(self.report, keyring)
        self.found: list[Seen | int] = []
        self.intents: dict[str, int] = {}
        self.digests: dict[str, str] = {}

    def add(self, row: StoredEntry) -> None:
        leaf = self._leaf(row)
        begun = leaf is not None and leaf["id"] in self.index.pending
        if leaf is None or not self._is_right(row, leaf):
            self.index.pending.clear()  # after anything odd no outcome is believed to belong to an intent before it
        elif leaf["typ"] == "intent":
            self.intents[leaf["id"]] = len(self.found)
            self.found.append(self._seen(row, leaf))
            return
        elif leaf["typ"] == "outcome" and begun:
            del self.intents[leaf["id"]]
            self.found.append(self._seen(row, leaf))
            return
        self.found.append(row.number)

    def finish(self) -> list[Seen | int]:
        for at in self.intents.values():  # their outcomes are elsewhere, or not right
            seen = self.found[at]
            self.found[at] = seen.number if isinstance(seen, Seen) else seen
        return self.found

    def _seen(self, row: StoredEntry, leaf: dict[str, Any]) -> Seen:
        digest = named_bundle(leaf["decision"])
        bundle = None if digest is None else self.digests.setdefault(digest, digest)  # one string is pickled once
        return Seen(row.number, row.leaf, leaf["typ"], leaf["id"], leaf["t"], bundle)

    def _leaf(self, row: StoredEntry) -> dict[str, Any] | None:
        """The fields of an entry whose bytes and hash are right."""
        if type(row.body) is not bytes or leaf_hash(row.body) != row.leaf:
            return None
        try:
            leaf = parse(row.body, signed=True)
        except ProfileError:
            return None
        return leaf if leaf["sidecar"] == self.sidecar else None

    def _is_right(self, row: StoredEntry, leaf: dict[str, Any]) -> bool:
        before = self.report.failures_total, len(self.index.bare)
        try:
            self.index.check(row, leaf)
        except (TypeError, ValueError, KeyError, AttributeError):
            return False
        return (self.report.failures_total, len(self.index.bare)) == before
