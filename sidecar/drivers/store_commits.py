"""Group commit: entries handed over in the event loop become durable in a thread, together, in order.

The loop writes a batch into SQLite's page cache (memory only), the thread runs the COMMIT, which writes and syncs.
While one batch syncs, the next collects: one entry under low load, up to 256 under high load, with no timer. A busy
loop first takes up what else is ready (`_gather`), since most of what a commit costs is the same for one entry or 50.

The thread does nothing else, because each step of SQLite gives up the interpreter lock, and beside a busy loop every
one of them waits up to a switch interval to get it back (docs/ledger-format.md has the figures).

Loop and thread never use the connection at the same time: `_busy` is set from the hand-over until the thread reports.
The queue is bounded and every wait has a deadline; past either, callers get LEDGER_UNAVAILABLE.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from sidecar.drivers.store_writer import CHECKPOINT_PAGES, FORCED_PAGES, Item, StoreFault, StoreWriter
from sidecar.errors import OwnError

BATCH = 256
"""512 in one commit gave a p99 of 44 ms, of CPU and not of disk."""

QUIET = 3
"""Turns of the loop that bring no entry, after which a busy loop commits what it has."""

GATHER = 0.01
"""Seconds that an entry waits for others at most."""

QUEUE = 4096
DEADLINE = 2.0
IDLE = 0.05
"""Seconds without work after which the WAL may be folded into the database file."""

Settled = Callable[[Item, Exception | None, bool], None]
"""`settled(item, fault, given_up)`: an item is durable, or has failed; `given_up` when nobody waited any more."""

Job = Callable[[], None]


@dataclass(slots=True, eq=False)
class _Waiting:
    """An item that was handed over, and who waits for it."""

    item: Item
    future: asyncio.Future[int]
    since: float
    given_up: bool = False


class GroupCommit:
    """Belongs to one event loop. `pending` entries were handed over and are not yet durable."""

    def __init__(self, writer: StoreWriter, settled: Settled) -> None:
        self._writer = writer
        self._settled = settled
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._busy = self._due = False
        self._in_flight = self._gathered = self._quiet = 0
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._timer: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._work, name="ledger-commit", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        return len(self._waiting)

    def check_ready(self) -> None:
        """Raise OwnError LEDGER_UNAVAILABLE unless an entry handed over now has a chance."""
        if self._writer.failed is not None:
            raise unavailable(f"The ledger's store failed ({self._writer.failed}). Restart; it is checked at start.")
        if len(self._waiting) >= QUEUE or (self._waiting and self._waiting[0].given_up):
            raise unavailable("The ledger's disk does not keep up. Look at its latency and free space.")

    def hand_over(self, item: Item) -> asyncio.Future[int]:
        """From here on the entry will be committed, whatever becomes of the waiting task."""
        waiting = _Waiting(item, self._loop.create_future(), self._loop.time())
        self._waiting.append(waiting)
        if not self._busy and not self._due:
            # At the end of this turn of the loop, so that all who come in the same turn share a commit.
            self._due = True
            self._loop.call_soon(self._gather)
        if self._timer is None:
            self._timer = self._loop.call_later(DEADLINE, self._sweep)
        return waiting.future

    def spawn(self, item: Item) -> asyncio.Future[int]:
        """Hand over an entry that nobody may be waiting for."""
        future = self.hand_over(item)
        future.add_done_callback(_seen)
        return future

    async def stop(self) -> None:
        """Return when all that was handed over is durable or has failed, and the thread has ended."""
        while self._waiting or self._busy:  # noqa: ASYNC110  once, at the very end
            await asyncio.sleep(0.001)
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        for timer in (self._timer, self._idle):
            if timer is not None:
                timer.cancel()

    # -- in the loop ------------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        """Commit what waits, unless the loop is about to bring more: its other work goes on meanwhile.

        Where commits hold one entry, it never waits. With 16 calls at a time commits hold 10 entries instead of 6, and
        the two threads change places 3 times a call instead of 6.
        """
        known, self._gathered = self._gathered, len(self._waiting)
        self._quiet = self._quiet + 1 if self._gathered == known else 0
        patience = min(QUIET, max(self._gathered, self._in_flight) - 1)
        if self._quiet < patience and self._gathered < BATCH and not self._is_late():
            self._loop.call_soon(self._gather)
        else:
            self._gathered = self._quiet = 0
            self._flush()

    def _is_late(self) -> bool:
        return not self._waiting or self._loop.time() >= self._waiting[0].since + GATHER

    def _flush(self) -> None:
        """Write what waits into the page cache, and let the thread commit it."""
        self._due = False
        if self._busy or not self._waiting:
            return
        batch = [self._waiting[at] for at in range(min(BATCH, len(self._waiting)))]
        try:
            duplicates = self._writer.stage([waiting.item for waiting in batch])
        except StoreFault as fault:
            self._settle(len(self._waiting), fault)
            return
        if duplicates:
            for _ in batch:
                self._waiting.popleft()
            staged = [waiting for waiting in batch if waiting.item not in duplicates]
            self._waiting.extendleft(reversed(staged))
            for waiting in batch:
                if waiting.item in duplicates:
                    self._finish(waiting, duplicates[waiting.item])
            batch = staged
        if batch:
            self._start(self._writer.commit, len(batch))
        elif self._waiting:
            self._flush()

    def _start(self, job: Job, in_flight: int) -> None:
        self._busy, self._in_flight = True, in_flight
        self._jobs.put(job)

    def _done(self, fault: StoreFault | None) -> None:
        """The thread has finished its job."""
        self._busy = False
        self._settle(len(self._waiting) if fault is not None else self._in_flight, fault)
        if self._writer.wal_pages >= FORCED_PAGES:
            self._start(self._writer.fold_in, 0)
        elif self._waiting:
            self._due = True
            self._gather()
        elif self._writer.wal_pages >= CHECKPOINT_PAGES and self._idle is None:
            self._idle = self._loop.call_later(IDLE, self._fold)

    def _fold(self) -> None:
        self._idle = None
        if not self._busy and not self._waiting:
            self._start(self._writer.fold_in, 0)

    def _settle(self, count: int, fault: StoreFault | None) -> None:
        for _ in range(count):
            self._finish(self._waiting.popleft(), fault)

    def _finish(self, waiting: _Waiting, fault: Exception | None) -> None:
        future = waiting.future
        if not future.done():
            if fault is None:
                future.set_result(waiting.item.number)
            elif isinstance(fault, StoreFault):
                future.set_exception(unavailable(f"The ledger's store failed ({fault}). Restart; it is checked."))
            else:
                future.set_exception(OwnError("LEDGER_ORDER", "This id is in the log already; ids must be unique."))
        self._settled(waiting.item, fault, waiting.given_up)

    def _sweep(self) -> None:
        """Give up on entries older than the deadline; they may still be committed, but nobody waits for them."""
        self._timer = None
        late = self._loop.time() - DEADLINE
        for waiting in self._waiting:
            if waiting.since > late:
                break
            if not waiting.future.done():
                waiting.given_up = True
                waiting.future.set_exception(unavailable("The ledger's disk took longer than 2 s for a commit."))
        if self._waiting:
            pause = max(self._waiting[0].since - late, DEADLINE / 10)
            self._timer = self._loop.call_later(pause, self._sweep)

    # -- in the thread ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            fault = None
            try:
                job()
            except StoreFault as failure:
                fault = failure
            try:
                self._loop.call_soon_threadsafe(self._done, fault)
            except RuntimeError:  # the loop is closed: nobody is left to be told
                return
            # After the answer, before the next commit: the file is never ahead of the store, and nobody waits for it.
            self._writer.publish()


def unavailable(advice: str) -> OwnError:
    return OwnError("LEDGER_UNAVAILABLE", advice)


def _seen(future: asyncio.Future[int]) -> None:
    """Whoever was cancelled does not fetch the result; that is no error."""
    if not future.cancelled():
        future.exception()
