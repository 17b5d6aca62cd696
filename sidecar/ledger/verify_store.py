"""Verification of a whole store: every table against the leaves, the leaves against the tree, the tree against the key.

One pass over the entries of a `StoreSource`, whose values are not trusted to have any type. A source may have had part
of the work done elsewhere: what is `Seen` needs only its place in the whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sidecar.ledger.chain import Chain
from sidecar.ledger.checkpoint import Checkpoint, open_checkpoint
from sidecar.ledger.disclosure import Keyring
from sidecar.ledger.merkle import leaf_hash
from sidecar.ledger.note import NoteError, Verifier
from sidecar.ledger.report import BYPASS, NO_DATA_KEY, RESIGNED, ROLLED_BACK, Report
from sidecar.ledger.source import Seen, SourceDamaged, StoredEntry, StoredHead, StoreSource
from sidecar.ledger.verify_bundles import Fetch, check_bundles
from sidecar.ledger.verify_index import IndexCheck
from sidecar.ledger.verify_tree import TreeCheck


class Evidence(NamedTuple):
    """What the store is held against.

    `verifier` is the log's key; `pinned` says that it came from outside the state folder. `beside` is the checkpoint
    file next to the store (None: there is none; `beside_expected` False: there need not be one). `kept` is a checkpoint
    that the reader kept elsewhere. `bundles` fetches kept policy bundles (None: they are not checked).
    """

    verifier: Verifier
    pinned: bool = False
    keyring: Keyring | None = None
    beside: bytes | None = None
    beside_expected: bool = True
    kept: bytes | None = None
    bundles: Fetch | None = None


def verify_store(source: StoreSource, evidence: Evidence) -> Report:
    """Check everything; never raises for what is wrong with the store."""
    return _StoreCheck(source, evidence).run()


class _StoreCheck:
    def __init__(self, source: StoreSource, evidence: Evidence) -> None:
        self.source, self.evidence = source, evidence
        verifier = evidence.verifier
        self.report = Report.of(verifier)
        self.chain = Chain(self.report, verifier)
        self.index = IndexCheck(self.report, evidence.keyring)
        self.tree = TreeCheck(self.report)
        self.whole = True

    def run(self) -> Report:
        report = self.report
        for reason, detail in self.source.problems():
            report.fail(None, None, reason, detail)
        beside, kept = self._beside(), self._kept()
        self.tree.watch = {point.size: () for point in (beside, kept) if point is not None}
        head, signed = self._head()
        self._entries(head.size if head is not None and type(head.size) is int else None, signed)
        self.chain.finish()
        report.entries = self.tree.count - sum(end - start for start, end in self.tree.gaps)
        self._judge_tree(head, signed, beside)
        if beside is not None:
            self._hold_against(beside, "store-behind-checkpoint", "checkpoint-fork")
        if kept is not None:
            self._hold_against(kept, "behind-kept-checkpoint", "fork-from-kept-checkpoint")
        self._leftovers()
        if self.evidence.bundles is not None:
            check_bundles(self.chain.bundles, self.evidence.bundles, report)
        self._say_what_is_unknown()
        return report

    # -- checkpoints ------------------------------------------------------------------------------------------------

    def _beside(self) -> Checkpoint | None:
        if self.evidence.beside is None:
            if self.evidence.beside_expected:
                self.report.fail(None, None, "checkpoint-file-missing", "no checkpoint lies beside the store")
            return None
        return self._open(self.evidence.beside, "checkpoint-file-altered")

    def _kept(self) -> Checkpoint | None:
        return None if self.evidence.kept is None else self._open(self.evidence.kept, "kept-checkpoint-invalid")

    def _open(self, note: bytes, reason: str | None) -> Checkpoint | None:
        try:
            return open_checkpoint(note, self.evidence.verifier)
        except NoteError as fault:
            self.report.fail(None, None, reason or fault.reason, str(fault))
            return None

    def _head(self) -> tuple[StoredHead | None, Checkpoint | None]:
        try:
            heads = self.source.heads()
        except SourceDamaged as fault:
            self.report.fail(None, None, "database-corrupt", str(fault))
            return None, None
        if len(heads) != 1:
            self.report.fail(None, None, "head-altered", f"{len(heads)} head rows")
            return None, None
        head = heads[0]
        if type(head.checkpoint) is not str:
            self.report.fail(None, None, "head-altered", "checkpoint")
            return head, None
        signed = self._open(head.checkpoint.encode("utf-8", "surrogateescape"), None)
        return head, signed

    def _hold_against(self, point: Checkpoint, behind: str, fork: str) -> None:
        if point.size > self.tree.count:
            detail = f"{self.tree.count} entries, the checkpoint says {point.size}"
            self.report.fail(self.tree.count, None, behind, detail)
        elif self.tree.intact and point.root not in self.tree.watch[point.size]:
            self.report.fail(None, None, fork, f"another history than the checkpoint of size {point.size}")

    # -- entries ----------------------------------------------------------------------------------------------------

    def _entries(self, size: int | None, signed: Checkpoint | None) -> None:
        try:
            self.tree.stored = {(level, number): node for level, number, node in self.source.tiles()}
            self.tree.begin()
            for each in self.source.entries(None if signed is None else signed.size):
                if isinstance(each, Seen):
                    self._seen(each)
                else:
                    self._entry(each)
        except SourceDamaged as fault:
            self.whole = False
            self.tree.intact = False
            self.report.fail(self.tree.count, None, "database-corrupt", f"reading stopped here: {fault}")
        if self.whole and size is not None and self.tree.count < size:
            self.tree.skip(size)

    def _is_placed(self, number: Any) -> bool:
        if type(number) is not int or number < self.tree.count:
            self.report.fail(None, None, "entry-extra", "an entry without a number of its own")
            return False
        if number > self.tree.count:
            self.tree.skip(number)
        return True

    def _seen(self, seen: Seen) -> None:
        if self._is_placed(seen.number):
            self.tree.add(seen.number, seen.leaf, seen.leaf)
            decision = {"policy": {"bundle_sha256": seen.bundle}}
            rest = {"sidecar": self.chain.sidecar, "decision": decision}
            self.chain.take(seen.number, {"typ": seen.typ, "id": seen.id, "t": seen.t, **rest})

    def _entry(self, row: StoredEntry) -> None:
        if not self._is_placed(row.number):
            return
        body = row.body if type(row.body) is bytes else b""
        if not self.tree.add(row.number, leaf_hash(body), row.leaf):
            self._altered(row, body)
            return
        leaf = self.chain.feed(row.number, body)
        if leaf is None:
            return
        if leaf["typ"] == "log.open":
            self._check_data_key()
        try:
            self.index.check(row, leaf)
        except (TypeError, ValueError, KeyError, AttributeError) as fault:
            self.report.fail(row.number, leaf["id"], "entry-malformed", f"{type(fault).__name__}: {fault}")

    def _altered(self, row: StoredEntry, body: bytes) -> None:
        """Bytes and leaf hash differ. Which of them is wrong, the root will tell; pairing goes on by the index row."""
        entry_id = row.exchange[1] if row.exchange is not None else None
        quiet = Chain(Report(), self.evidence.verifier)
        leaf = quiet.feed(row.number, body)
        self.tree.ids[row.number] = leaf["id"] if leaf is not None else entry_id
        if entry_id is not None:
            self.chain.note_unreadable(entry_id, row.number)
            self.index.trust(row)
        else:
            self.chain.gap = self.index.gap = True
            closes = self.index.number_closed.get(row.number)
            if closes is not None:
                self.chain.open.pop(closes, None)
                self.index.pending.pop(closes, None)

    def _check_data_key(self) -> None:
        keyring = self.evidence.keyring
        if keyring is not None and self.chain.data_key_id != keyring.id:
            self.report.fail(0, None, "data-key-mismatch", "the data key is not the one that this log was opened with")
            self.index.keyring = None

    # -- judgement --------------------------------------------------------------------------------------------------

    def _judge_tree(self, head: StoredHead | None, signed: Checkpoint | None, beside: Checkpoint | None) -> None:
        tree, report = self.tree, self.report
        root = tree.frontier.root()
        report.root = root.hex()
        truth = signed or beside
        if signed is not None:
            report.size = signed.size
        comparable = tree.intact and truth is not None and truth.size == tree.count
        tree.settle(truth.root if comparable and truth is not None else None)
        if signed is not None and comparable and signed.root != root and not tree.differing:
            report.fail(tree.locate(head), None, "root-mismatch", "the entries do not give the signed root")
        if signed is not None and signed.size < tree.count:
            report.fail(signed.size, None, "entry-extra", f"the signed checkpoint ends at {signed.size}")
        tree.check_tiles()
        if head is not None:
            self._judge_head(head, signed)

    def _judge_head(self, head: StoredHead, signed: Checkpoint | None) -> None:
        """Every column is computable from the entries, or signed."""
        tree, chain = self.tree, self.chain
        wrong = []
        if signed is not None and (head.size, head.root) != (signed.size, signed.root):
            wrong.append("size or root")
        if head.origin != self.evidence.verifier.name:
            wrong.append("origin")
        if head.one != 0:  # the writer moves the row of this key only
            wrong.append("one")
        if tree.intact and not tree.differing and head.size == tree.count:
            expected = {"frontier": tree.frontier.pack(), "t": chain.t}
            expected["open_from"] = next(iter(chain.open.values()), tree.count)
            wrong += [name for name, value in expected.items() if getattr(head, name) != value]
        if wrong:
            self.report.fail(None, None, "head-altered", ", ".join(wrong))

    def _leftovers(self) -> None:
        report, index = self.report, self.index
        index.finish(self.chain.erased)
        report.erased = sorted(index.erased)
        report.pruned = [span for span in self.tree.gaps if span in self.chain.pruned]
        for start, end in self.tree.gaps:
            if (start, end) not in self.chain.pruned:
                last = "" if end == start + 1 else f" to {end - 1}"
                report.fail(start, None, "entry-missing", f"entry {start}{last}")
        if report.pruned and not self.tree.intact:  # without them no root, and nothing holds the entries that are left
            report.fail(report.pruned[0][0], None, "tile-missing", "the hashes of pruned entries are gone")
        try:
            for table, number in self.source.strays():
                reason = "index-extra" if table == "exchange" else "disclosure-extra"
                report.fail(
                    number if type(number) is int else None, None, reason, f"a row of {table} without its entry"
                )
            for number, entry_id in self.source.remains(sorted(self.chain.erased)):
                report.fail(number, entry_id, "erasure-incomplete", "erased by record, but still there")
        except SourceDamaged as fault:
            report.fail(None, None, "database-corrupt", str(fault))
        report.failures.sort(key=lambda item: (item.index is None, item.index or 0))

    def _say_what_is_unknown(self) -> None:
        evidence, report = self.evidence, self.report
        if not evidence.pinned:
            report.unknown.append(RESIGNED)
        if evidence.kept is None:
            report.unknown.append(ROLLED_BACK)
        if evidence.keyring is None:
            report.unknown.append(NO_DATA_KEY)
        report.unknown.append(BYPASS)
