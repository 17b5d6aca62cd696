"""What a sequence of entries must mean, read once from first to last: shared by the verification of stores and exports.

Everything here is said by the leaves themselves; the tree's hashes are checked by the callers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sidecar.ledger.canon import ProfileError
from sidecar.ledger.entries import FORMAT, parse
from sidecar.ledger.note import Verifier
from sidecar.ledger.report import Report
from sidecar.ledger.verify_bundles import named_bundle


class Chain:
    """Feed it every entry in order. `open` maps exchanges without an outcome to their intents' numbers, `bundles` the
    digests of policy bundles to the first entries that name them.
    """

    def __init__(self, report: Report, verifier: Verifier) -> None:
        self.report = report
        self.verifier = verifier
        self.sidecar = verifier.name.rpartition("/")[2]
        self.t = 0
        self.open: dict[str, int] = {}
        self.erased: set[str] = set()
        self.pruned: list[tuple[int, int]] = []
        self.bundles: dict[str, int] = {}
        self.data_key_id: str | None = None
        self.closed = False
        self.gap = False

    def feed(self, number: int, body: bytes) -> dict[str, Any] | None:
        """The entry's fields, or None when it cannot be read."""
        try:
            leaf = parse(body, signed=True)
        except ProfileError as fault:
            self.report.fail(number, None, "entry-malformed", str(fault))
            return None
        return leaf if self.take(number, leaf) else None

    def take(self, number: int, leaf: Mapping[str, Any]) -> bool:
        """The same for fields that were read; False when one has another type than this version writes."""
        self._common(number, leaf)
        handler = _HANDLERS.get(leaf["typ"])
        if handler is not None:
            try:
                handler(self, number, leaf)
            except (TypeError, ValueError) as fault:
                self.report.fail(number, leaf["id"], "entry-malformed", str(fault))
                return False
        return True

    def note_unreadable(self, entry_id: str, number: int) -> None:
        """An intent whose bytes were altered still opens its exchange, so that only it is blamed."""
        self.open.setdefault(entry_id, number)

    def finish(self) -> None:
        self.report.open = len(self.open)
        self.report.last_t = self.t or None

    def _common(self, number: int, leaf: Mapping[str, Any]) -> None:
        if leaf["t"] < self.t:
            self.report.fail(number, leaf["id"], "time-backwards", "earlier than the entry before")
        self.t = max(self.t, leaf["t"])
        if leaf["sidecar"] != self.sidecar:
            self.report.fail(number, leaf["id"], "entry-foreign", "an entry of another log")
        if self.closed:
            self.report.fail(number, leaf["id"], "entry-after-close")
        if number == 0 and leaf["typ"] != "log.open":
            self.report.fail(0, leaf["id"], "first-entry", "a log begins with log.open")

    def _log_open(self, number: int, leaf: Mapping[str, Any]) -> None:
        if number:
            self.report.fail(number, leaf["id"], "first-entry", "a second log.open")
        if leaf["format"] != FORMAT or leaf["origin"] != self.verifier.name:
            self.report.fail(number, leaf["id"], "entry-foreign", "an entry of another log or format")
        if leaf["vkey"] != self.verifier.vkey:
            self.report.fail(number, leaf["id"], "key-mismatch", "the log was opened with another key")
        self.data_key_id = leaf["data_key_id"]

    def _name_bundle(self, number: int, holder: Any) -> None:
        if (digest := named_bundle(holder)) is not None:
            self.bundles.setdefault(digest, number)

    def _intent(self, number: int, leaf: Mapping[str, Any]) -> None:
        self._name_bundle(number, leaf["decision"])
        if leaf["id"] in self.open:
            self.report.fail(number, leaf["id"], "intent-duplicate")
        self.open[leaf["id"]] = number

    def _outcome(self, number: int, leaf: Mapping[str, Any]) -> None:
        self._name_bundle(number, leaf["decision"])
        if self.open.pop(leaf["id"], None) is None and not self.gap:
            self.report.fail(number, leaf["id"], "outcome-without-intent")

    def _erasure(self, _: int, leaf: Mapping[str, Any]) -> None:
        self.erased.update(leaf["exchanges"])

    def _prune(self, _: int, leaf: Mapping[str, Any]) -> None:
        self.pruned.append((leaf["from"], leaf["to"]))

    def _log_close(self, _: int, __: Mapping[str, Any]) -> None:
        self.closed = True


_HANDLERS: Mapping[str, Callable[[Chain, int, Mapping[str, Any]], None]] = {
    "log.open": Chain._log_open,
    "policy.load": Chain._name_bundle,
    "intent": Chain._intent,
    "outcome": Chain._outcome,
    "erasure": Chain._erasure,
    "prune": Chain._prune,
    "log.close": Chain._log_close,
}
"""What looks at entries of a type; of any other there is nothing to say but what is common to all."""
