"""The ledger as the conductor sees it: ports.Record over a store with one writer.

`open` and `close` turn facts into an entry and hand it over before their first await, so an entry is committed even
when the waiting task is cancelled. How entries become durable in groups is store_commits.py.

All methods belong to one event loop; entries are numbered in the order of the calls.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sidecar.drivers.store_commits import BATCH, GroupCommit, unavailable
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_open import Opened, open_store
from sidecar.drivers.store_sql import STDLIB, Engine
from sidecar.drivers.store_writer import Item
from sidecar.errors import OwnError
from sidecar.ledger import entries
from sidecar.ledger.canon import ProfileError
from sidecar.ledger.disclosure import KEY_SIZE, NONCE_SIZE, Keyring, box_context, seal_box
from sidecar.ledger.entries import Entry
from sidecar.ledger.facts import Intent, Outcome, State
from sidecar.ledger.index import ref_columns
from sidecar.model import PolicyVersion
from sidecar.ports import Clock, Entropy


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
        self._commits = GroupCommit(opened.writer, self._settled)
        self._stopping = self._stopped = False

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
        told: Callable[[Exception], None] | None = None,
    ) -> Self:
        """Open or create the log in this folder, close what a crash left open, and say so in the log.

        `software` is what the log should know of this program (content-free strings). `told` hears once, in any
        thread, of the exception after which the store cannot be written. Raises OwnError: LEDGER_LOCKED,
        LEDGER_KEY, LEDGER_FOLDER, LEDGER_MISSING, LEDGER_DAMAGED, LEDGER_ROLLED_BACK, LEDGER_FORKED,
        LEDGER_CLOSED.
        """
        opened = await asyncio.to_thread(open_store, StateFolder(folder), domain=domain, entropy=entropy, engine=engine)
        opened.writer.told = told or opened.writer.told
        known = {"python": platform.python_version(), "sqlite": engine.version, **(software or {})}
        ledger = cls(opened, clock=clock, entropy=entropy, software=known)
        try:
            await ledger._begin(opened)
        except BaseException:  # also a cancellation: what was opened is closed, then it goes on
            await ledger.stop(clean=False)
            raise
        return ledger

    async def _begin(self, opened: Opened) -> None:
        first = opened.writer.head.frontier.size == 0
        if first:
            vkey = opened.writer.signer.verifier.vkey
            await self._append("log.open", entries.log_open(self.origin, vkey, self._keyring.id, self._software))
        for at in range(0, len(opened.orphans), BATCH):  # not all at once: there may be more than the queue takes
            lost = [
                Item(self._lost(each, State.ABORTED, aborted_by="crash")) for each in opened.orphans[at : at + BATCH]
            ]
            await asyncio.gather(*[self._commits.hand_over(item) for item in lost])
        found = {"orphans": len(opened.orphans), "checkpoint_file": opened.checkpoint_file}
        await self._append("heartbeat", entries.heartbeat("start", self._software, **found))

    # -- ports.Record -----------------------------------------------------------------------------------------------

    async def open(self, intent: Intent) -> None:
        """Return when the intent is durable. Raises OwnError: LEDGER_UNAVAILABLE, LEDGER_ENTRY, LEDGER_ORDER."""
        self._check_ready()
        if intent.id in self._keys:
            raise OwnError("LEDGER_ORDER", "This exchange is open already; ids must be unique.")
        await self._commits.hand_over(self._intent_item(intent))

    async def close(self, outcome: Outcome) -> None:
        """Return when the outcome is durable. Raises OwnError as `open` does; each intent has exactly one outcome."""
        self._check_ready()
        if outcome.id not in self._keys:
            raise OwnError("LEDGER_ORDER", "No exchange of this id is open; every outcome follows its intent, once.")
        item = self._outcome_item(outcome)
        del self._keys[outcome.id]
        await self._commits.hand_over(item)

    async def policy_loaded(self, policy: PolicyVersion, reason: str) -> None:
        """Record that a bundle came into force; `reason` is a stable word, `start` so far."""
        await self._append("policy.load", entries.policy_load(policy, reason))

    async def freeze(self, reason: str) -> None:
        """The log's last entry; a frozen log takes no more, also after a restart. Every exchange must have its end.

        Raises OwnError: LEDGER_ORDER while an exchange is open, LEDGER_UNAVAILABLE.
        """
        self._check_ready()
        if self._keys:
            raise OwnError("LEDGER_ORDER", "Exchanges are open; a log is closed when each has its outcome.")
        last = self._commits.hand_over(self._plain_item("log.close", {"reason": reason}))
        self._stopping = True  # before the first await: nothing comes after it
        await last

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
        return self._commits.pending

    async def stop(self, *, clean: bool = True) -> None:
        """Commit what waits, say goodbye in the log, close the store. Safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        if clean and not self._stopping and self.failed is None:
            goodbye = self._plain_item("heartbeat", entries.heartbeat("stop", self._software))
            await asyncio.wait([self._commits.spawn(goodbye)])
        self._stopping = True
        await self._commits.stop()
        await asyncio.to_thread(self._writer.close)

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
            seal_box(entry.sealed.arrays, key, seal, box_context(entry.id, entry.typ)),
            self._keyring.wrap(raw, entry.id, nonce),
        )

    def _outcome_item(self, outcome: Outcome) -> Item:
        entry = _checked(entries.outcome_entry, outcome, self._now(), self._sidecar, self._token)
        if entry.sealed is None:
            return Item(entry)
        key, nonce = self._keys[outcome.id], self._token(NONCE_SIZE)
        return Item(entry, box=seal_box(entry.sealed.arrays, key, nonce, box_context(entry.id, entry.typ)))

    def _plain_item(self, typ: str, fields: Mapping[str, Any]) -> Item:
        return Item(_checked(entries.build, typ, self._token(16).hex(), self._now(), self._sidecar, fields))

    def _lost(self, exchange: str, state: State, **facts: Any) -> Entry:
        """The outcome of an exchange whose end nobody could tell."""
        outcome = Outcome(id=exchange, at=self._clock.now(), state=state, status=None, **facts)
        return entries.outcome_entry(outcome, self._now(), self._sidecar, self._token)

    def _check_ready(self) -> None:
        self._commits.check_ready()
        if self._stopping:
            raise unavailable("The ledger is stopping.")

    def _settled(self, item: Item, fault: Exception | None, given_up: bool) -> None:
        """An intent without a record needs no key; one that came too late gets its end."""
        if item.entry.typ != "intent" or not (fault or given_up):
            return
        known = self._keys.pop(item.entry.id, None) is not None
        if known and fault is None:  # the caller was told that there is no record; now there is one
            self._commits.spawn(Item(self._lost(item.entry.id, State.FAILED, error="LEDGER_UNAVAILABLE")))

    async def _append(self, typ: str, fields: Mapping[str, Any]) -> int:
        self._check_ready()
        return await self._commits.hand_over(self._plain_item(typ, fields))


def _checked(make: Any, *arguments: Any) -> Entry:
    """A fact that does not fit an entry is a fault of ours, and refuses the exchange."""
    try:
        entry: Entry = make(*arguments)
    except ProfileError as fault:
        raise OwnError("LEDGER_ENTRY", f"The facts of this exchange do not make an entry: {fault}.") from fault
    return entry
