"""What a verification says: one report, the same for a store, an export and a receipt.

Reasons are stable words:

    entry-altered entry-missing entry-extra entry-malformed entry-foreign   the leaves
    first-entry entry-after-close time-backwards                            their order
    intent-duplicate outcome-without-intent                                 their pairing
    leaf-altered tile-altered tile-missing tile-extra root-mismatch         the tree
    head-altered signature-invalid signature-missing origin-mismatch        the head and its signature
    malformed key-mismatch
    checkpoint-file-missing checkpoint-file-altered store-behind-checkpoint the checkpoint beside the store
    checkpoint-fork
    kept-checkpoint-invalid behind-kept-checkpoint fork-from-kept-checkpoint the one that the reader kept
    index-altered index-missing index-extra                                 what queries read
    disclosure-altered disclosure-malformed disclosure-mismatch             what lies beside the leaves
    disclosure-missing disclosure-extra data-key-altered data-key-missing
    data-key-mismatch erasure-incomplete records-altered records-unknown
    database-corrupt schema-altered file-missing                            the carrier
    proof-mismatch                                                          a receipt of another entry

Of policy bundles, which lie beside the log and are no part of it: bundle-missing bundle-altered bundle-unreadable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sidecar.ledger.note import Verifier

Told = Callable[[int, int], None]
"""`told(done, size)`: how many entries have been gone through, now and then."""

MAX_FAILURES = 1000
MAX_INDEX = 2**63 - 1

VERIFIED, FAILED, USAGE, VERIFIED_EXCEPT = 0, 1, 2, 3
"""Exit codes; 3: verified except ranges that recorded policy erased or pruned, or policy bundles that entries name
and that are gone or others (docs/ledger-format.md)."""

RESIGNED = (
    "No verifier key from elsewhere was given (--key): the key lay beside the log, so whoever could write there could"
    " have written the whole log anew, and signed it with a key of his own."
)
ROLLED_BACK = (
    "No checkpoint kept elsewhere was given (--checkpoint): whoever holds the signing key could have written the log"
    " anew, and a machine set back to an earlier state, checkpoint file included, looks like a shorter log."
)
BYPASS = "The log shows what the sidecar saw and said at the time: not calls that went around it."
NO_DATA_KEY = "Disclosures and the references that queries use were not checked: the data key is not to be had."
NO_DISCLOSURES = "Disclosures were not checked: they are not part of this export."
NO_RECORDS = "The records for people were not checked: they are not part of this export."
NO_BUNDLES = "Policy bundles were not checked: they are not part of this export."


def printable(text: str) -> str:
    """Without anything that would move a terminal's cursor or hide its neighbours, and without what is no Unicode."""
    return (
        text
        if text.isprintable()
        else "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    )


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is wrong: the entry's index and id where they are known, the reason, what exactly."""

    index: int | None
    id: str | None
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BundleFault:
    """A policy bundle that cannot explain the decisions made by it. `index` is the first entry that names it."""

    index: int
    sha256: str
    reason: str


@dataclass(slots=True)
class Report:
    """`entries`, `root`, `last_t` describe what was read; `size` what the signed checkpoint says."""

    origin: str = ""
    key_id: str = ""
    vkey: str = ""
    entries: int = 0
    size: int | None = None
    root: str = ""
    last_t: int | None = None
    open: int = 0
    erased: list[str] = field(default_factory=list)
    pruned: list[tuple[int, int]] = field(default_factory=list)
    bundles: list[BundleFault] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    failures_total: int = 0
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, verifier: Verifier) -> Report:
        """On the log of this key, empty."""
        return cls(origin=verifier.name, key_id=verifier.id.hex(), vkey=verifier.vkey)

    def fail(self, index: int | None, entry_id: Any, reason: str, detail: str = "") -> None:
        """Count a failure. Id and detail may come from what was altered: of any type, and made to fool a terminal."""
        self.failures_total += 1
        if len(self.failures) < MAX_FAILURES:
            known = index if index is not None and abs(index) <= MAX_INDEX else None
            entry_id = None if entry_id is None else printable(str(entry_id))
            self.failures.append(Failure(known, entry_id, reason, printable(detail)))

    @property
    def exit_code(self) -> int:
        if self.failures:
            return FAILED
        return VERIFIED_EXCEPT if self.erased or self.pruned or self.bundles else VERIFIED

    def as_json(self) -> dict[str, Any]:
        """Deterministic; for `--json`."""
        body = asdict(self)
        body["exit_code"] = self.exit_code
        body["verified"] = self.exit_code in (VERIFIED, VERIFIED_EXCEPT)
        return body

    def as_text(self) -> str:
        words = {VERIFIED: "VERIFIED", FAILED: "FAILED", VERIFIED_EXCEPT: f"VERIFIED EXCEPT {self._exceptions()}"}
        lines = [
            f"{words[self.exit_code]}: {self.entries} entries of {self.origin}",
            f"  last   {_when(self.last_t)}",
            f"  root   {self.root}",
            f"  key    {self.vkey}",
        ]
        lines += [f"  FAILED {_where(failure)}{failure.reason}  {failure.detail}" for failure in self.failures[:50]]
        if self.failures_total > 50:
            lines.append(f"  ... {self.failures_total} failures in all")
        if self.erased:
            lines.append(f"  erased: disclosures of {len(self.erased)} exchanges, as recorded")
        lines += [f"  pruned: entries {start} to {end - 1}, as recorded" for start, end in self.pruned]
        lines += [
            f"  {fault.reason}: {fault.sha256}, first named by entry {fault.index}; what it decided cannot be explained"
            for fault in self.bundles
        ]
        lines += [f"  open: {self.open} exchanges have no outcome yet"] if self.open else []
        lines += [f"  note: {note}" for note in self.notes]
        lines += [f"  cannot know: {unknown}" for unknown in self.unknown]
        return "\n".join(map(printable, lines)) + "\n"

    def _exceptions(self) -> str:
        ranges = ["RECORDED RANGES"] if self.erased or self.pruned else []
        return " AND ".join([*ranges, *(["POLICY BUNDLES"] if self.bundles else [])])


def _when(t: int | None) -> str:
    """The time of the last entry that was read, which may come from what was altered."""
    if t is None:
        return "(no entry was read)"
    try:
        return f"{datetime.fromtimestamp(t / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError, TypeError):
        return "(no time that can be)"


def _where(failure: Failure) -> str:
    index = "" if failure.index is None else f"entry {failure.index} "
    return index + ("" if failure.id is None else f"({failure.id}) ")
