"""The ledger as the conductor sees it: ports.Record over a store with one writer thread.

`open` and `close` turn facts into an entry and hand it over before their first await, so an entry is committed even
when the waiting task is cancelled. The thread takes whatever waits, up to 256 entries, and commits it at once: alone
under low load, in groups under high load, with no timer. The queue is bounded and every wait has a deadline; past
either, callers get LEDGER_UNAVAILABLE and nothing is let through.

All methods belong to one event loop; entries are numbered in the order of the calls.
"""

from __future__ import annotations

import asyncio
import platform
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_open import Opened, open_store
from sidecar.drivers.store_sql import STDLIB, Engine
from sidecar.drivers.store_writer import CHECKPOINT_PAGES, FORCED_PAGES, Duplicate, Item
from sidecar.errors import OwnError
from sidecar.ledger import entries
from sidecar.ledger.canon import ProfileError
from sidecar.ledger.disclosure import KEY_SIZE, NONCE_SIZE, Keyring, box_context, seal_box
from sidecar.ledger.entries import Entry
from sidecar.ledger.facts import Intent, Outcome, State
from sidecar.ledger.index import ref_columns
from sidecar.model import PolicyVersion
from sidecar.ports import Clock, Entropy

BATCH = 256
"""512 in one commit gave a p99 of 44 ms, of CPU and not of disk (reference/ledger.md 2.3)."""

QUEUE = 4096
DEADLINE = 2.0
IDLE = 0.05
"""Seconds without work after which the WAL may be folded into the database file."""

_STOP = object()


@dataclass(slots=True, eq=False)
class _Waiting:
    """An item that was handed over, and who waits for it."""

    item: Item
    future: asyncio.Future[int]
    since: float
    given_up: bool = False


class Ledger:
    """One log, open for writing. `failed` says why it can no longer be written, None while it can."""

    def __init__(self, opened: Opened, *, clock: Clock, entropy: Entropy, software: Mapping[str, Any]) -> None:
        self.origin = opened.origin
        self._writer = opened.writer
        self._keyring: Keyring = opened.keyring
        self._clock = clock
        self._token = entropy.token
        self._software = software
        self._sidecar = opened.origin.rpartition("/")[2]
        self._t = opened.writer.head.t
        self._keys: dict[str, AESGCM] = {}
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)

    @classmethod
    async def start(
        cls,
        folder: Path,
        *,
        clock: Clock,
        entropy: Entropy,
        domain: str = "localhost",
        software: Mapping[str, Any] | None = None,
        engine: Engine = STDLIB,
    ) -> Self:
        """Open or create the log in this folder, close what a crash left open, and say so in the log.

        `software` is what the log should know of this program (content-free strings). Raises OwnError: LEDGER_LOCKED,
        LEDGER_KEY, LEDGER_FOLDER, LEDGER_MISSING, LEDGER_DAMAGED, LEDGER_ROLLED_BACK, LEDGER_FORKED.
        """
        opened = await asyncio.to_thread(open_store, StateFolder(folder), domain=domain, entropy=entropy, engine=engine)
        known = {"python": platform.python_version(), "sqlite": engine.version, **(software or {})}
        ledger = cls(opened, clock=clock, entropy=entropy, software=known)
        ledger._thread.start()
        try:
            await ledger._begin(opened)
        except BaseException:
            await ledger.stop(clean=False)
            raise
        return ledger

    async def _begin(self, opened: Opened) -> None:
        first = opened.writer.head.frontier.size == 0
        if first:
            vkey = opened.writer.signer.verifier.vkey
            await self._append("log.open", entries.log_open(self.origin, vkey, self._keyring.id, self._software))
        for orphan in opened.orphans:
            self._spawn(Item(self._lost(orphan, State.ABORTED, aborted_by="crash")))
        found = {"orphans": len(opened.orphans), "checkpoint_file": opened.checkpoint_file}
        await self._append("heartbeat", entries.heartbeat("start", self._software, **found))

    # -- ports.Record -----------------------------------------------------------------------------------------------

    async def open(self, intent: Intent) -> None:
        """Return when the intent is durable. Raises OwnError: LEDGER_UNAVAILABLE, LEDGER_ENTRY, LEDGER_ORDER."""
        self._check_ready()
        if intent.id in self._keys:
            raise OwnError("LEDGER_ORDER", "This exchange is open already; ids must be unique.")
        await self._hand_over(self._intent_item(intent))

    async def close(self, outcome: Outcome) -> None:
        """Return when the outcome is durable. Raises OwnError as `open` does; each intent has exactly one outcome."""
        self._check_ready()
        if outcome.id not in self._keys:
            raise OwnError("LEDGER_ORDER", "No exchange of this id is open; every outcome follows its intent, once.")
        item = self._outcome_item(outcome)
        del self._keys[outcome.id]
        await self._hand_over(item)

    async def policy_loaded(self, policy: PolicyVersion, reason: str) -> None:
        """Record that a bundle came into force; `reason` is a stable word such as `start` or `reload`."""
        await self._append("policy.load", entries.policy_load(policy, reason))

    async def freeze(self, reason: str) -> None:
        """The log's last entry; a frozen log takes no more."""
        await self._append("log.close", {"reason": reason})
        self._stopping = True

    # -- state ------------------------------------------------------------------------------------------------------

    @property
    def failed(self) -> str | None:
        return self._writer.failed

    @property
    def size(self) -> int:
        return self._writer.head.frontier.size

    @property
    def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        return self._writer.head.checkpoint

    @property
    def vkey(self) -> str:
        return self._writer.signer.verifier.vkey

    @property
    def pending(self) -> int:
        """Entries handed over and not yet durable."""
        return len(self._waiting)

    async def stop(self, *, clean: bool = True) -> None:
        """Commit what waits, say goodbye in the log, close the store. Safe to call twice."""
        if not self._thread.is_alive():
            return
        if clean and not self._stopping and self.failed is None:
            await asyncio.wait([self._spawn(self._plain_item("heartbeat", entries.heartbeat("stop", self._software)))])
        self._stopping = True
        self._queue.put(_STOP)
        await asyncio.to_thread(self._thread.join)
        if self._timer is not None:
            self._timer.cancel()
        self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        await self.stop(clean=kind is None)

    # -- entries ----------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        """Time of an entry: never before the entry ahead of it, also across restarts with a clock set back."""
        self._t = max(self._t, self._clock.now())
        return self._t

    def _intent_item(self, intent: Intent) -> Item:
        entry = _checked(entries.intent_entry, intent, self._now(), self._sidecar, self._token)
        fresh = self._token(KEY_SIZE + 2 * NONCE_SIZE)
        raw, nonce, seal = fresh[:KEY_SIZE], fresh[KEY_SIZE:-NONCE_SIZE], fresh[-NONCE_SIZE:]
        key = self._keys[intent.id] = AESGCM(raw)
        assert entry.sealed is not None and entry.disclosed is not None  # an intent always has a caller
        return Item(
            entry,
            ref_columns(entry.disclosed, self._keyring.ref),
            seal_box(entry.sealed.texts, key, seal, box_context(entry.id, entry.typ)),
            self._keyring.wrap(raw, entry.id, nonce),
        )

    def _outcome_item(self, outcome: Outcome) -> Item:
        entry = _checked(entries.outcome_entry, outcome, self._now(), self._sidecar, self._token)
        if entry.sealed is None:
            return Item(entry)
        key, nonce = self._keys[outcome.id], self._token(NONCE_SIZE)
        return Item(entry, box=seal_box(entry.sealed.texts, key, nonce, box_context(entry.id, entry.typ)))

    def _plain_item(self, typ: str, fields: Mapping[str, Any]) -> Item:
        return Item(_checked(entries.build, typ, self._token(16).hex(), self._now(), self._sidecar, fields))

    def _lost(self, exchange: str, state: State, **facts: Any) -> Entry:
        """The outcome of an exchange whose end nobody could tell."""
        at = self._now()
        outcome = Outcome(id=exchange, at=at, state=state, status=None, **facts)
        return entries.outcome_entry(outcome, at, self._sidecar, self._token)

    async def _append(self, typ: str, fields: Mapping[str, Any]) -> int:
        self._check_ready()
        return await self._hand_over(self._plain_item(typ, fields))

    # -- hand-over --------------------------------------------------------------------------------------------------

    def _check_ready(self) -> None:
        if self._writer.failed is not None:
            raise _unavailable(f"The ledger's store failed ({self._writer.failed}). Restart; it is checked at start.")
        if self._stopping:
            raise _unavailable("The ledger is stopping.")
        if len(self._waiting) >= QUEUE or (self._waiting and self._waiting[0].given_up):
            raise _unavailable("The ledger's disk does not keep up. Look at its latency and free space.")

    def _spawn(self, item: Item) -> asyncio.Future[int]:
        """Hand over an entry that nobody may be waiting for."""
        future = self._hand_over(item)
        future.add_done_callback(_seen)
        return future

    def _hand_over(self, item: Item) -> asyncio.Future[int]:
        """From here on the entry will be committed, whatever becomes of the waiting task."""
        waiting = _Waiting(item, self._loop.create_future(), self._loop.time())
        self._waiting.append(waiting)
        self._queue.put(item)
        if self._timer is None:
            self._timer = self._loop.call_later(DEADLINE, self._sweep)
        return waiting.future

    def _settle(self, results: list[Exception | None]) -> None:
        """In the loop: the thread has finished the oldest items."""
        for fault in results:
            waiting = self._waiting.popleft()
            future, item = waiting.future, waiting.item
            if fault is not None and item.entry.typ == "intent":
                self._keys.pop(item.entry.id, None)
            if waiting.given_up:
                self._close_given_up(item, fault)
            elif future.done():
                continue
            elif fault is None:
                future.set_result(item.number)
            elif isinstance(fault, Duplicate):
                future.set_exception(OwnError("LEDGER_ORDER", "This id is in the log already; ids must be unique."))
            else:
                future.set_exception(_unavailable(f"The ledger's store failed ({fault}). Restart; it is checked."))

    def _close_given_up(self, item: Item, fault: Exception | None) -> None:
        """The caller was told that there is no record; now there is one, so it gets its end."""
        if item.entry.typ == "intent" and self._keys.pop(item.entry.id, None) is not None and fault is None:
            self._spawn(Item(self._lost(item.entry.id, State.FAILED, error="LEDGER_UNAVAILABLE")))

    def _sweep(self) -> None:
        """Give up on entries older than the deadline; they may still be committed, but nobody waits for them."""
        self._timer = None
        late = self._loop.time() - DEADLINE
        for waiting in self._waiting:
            if waiting.since > late:
                break
            if not waiting.future.done():
                waiting.given_up = True
                waiting.future.set_exception(_unavailable("The ledger's disk took longer than 2 s for a commit."))
        if self._waiting:
            pause = max(self._waiting[0].since - late, DEADLINE / 10)
            self._timer = self._loop.call_later(pause, self._sweep)

    # -- the writer thread ------------------------------------------------------------------------------------------

    def _work(self) -> None:
        get, writer = self._queue.get, self._writer
        while True:
            try:
                first = get(timeout=IDLE if writer.wal_pages >= CHECKPOINT_PAGES else None)
            except Empty:
                writer.fold_in()
                continue
            batch, stop = self._gather(first)
            if batch:
                self._report(writer.commit(batch))
            if stop:
                return
            if writer.wal_pages >= FORCED_PAGES:
                writer.fold_in()

    def _gather(self, first: Any) -> tuple[list[Item], bool]:
        batch: list[Item] = []
        item = first
        while item is not _STOP:
            batch.append(item)
            if len(batch) == BATCH:
                return batch, False
            try:
                item = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _report(self, results: list[Exception | None]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._settle, results)
        except RuntimeError:  # the loop is closed: nobody is left to be told
            return


def _seen(future: asyncio.Future[int]) -> None:
    """Whoever was cancelled does not fetch the result; that is no error."""
    if not future.cancelled():
        future.exception()


def _unavailable(advice: str) -> OwnError:
    return OwnError("LEDGER_UNAVAILABLE", advice)


def _checked(make: Any, *arguments: Any) -> Entry:
    """A fact that does not fit an entry is a fault of ours, and refuses the exchange."""
    try:
        entry: Entry = make(*arguments)
    except ProfileError as fault:
        raise OwnError("LEDGER_ENTRY", f"The facts of this exchange do not make an entry: {fault}.") from fault
    return entry
