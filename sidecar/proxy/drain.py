"""How many exchanges are in flight, and the way out: not ready, in-flight ones end, the rest is cut off.

The order at the end of a pod's life is KEP-753's: `/drain?wait=1` is the model container's preStop hook, so that the
model server gets its SIGTERM only when the last exchange has ended.
"""

from __future__ import annotations

import asyncio


class Drain:
    """Counts exchanges in and out. Once `begin` was called it never goes back.

    What comes after `begin` is refused, and counted apart: callers who try again and again must not keep a process up
    in which nothing runs any more.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.draining = False
        self.aborting = False
        self._late = 0
        self._empty, self._idle, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        for event in (self._empty, self._idle, self._settled):
            event.set()

    @property
    def running(self) -> int:
        """Exchanges that the end waits for: those that began before it."""
        return self.in_flight - self._late

    def enter(self) -> bool:
        """Whether the exchange came too late to be waited for, for `leave` to know."""
        self._empty.clear()
        self.in_flight += 1
        if self.draining:
            self._late += 1
            return True
        self._idle.clear()
        self._settled.clear()
        return False

    def leave(self, late: bool = False) -> None:
        self.in_flight -= 1
        self._late -= late
        if not self.in_flight:
            self._empty.set()
        if not self.running:
            self._idle.set()
            self._settled.set()

    def begin(self) -> None:
        """From now on the sidecar is not ready, and new exchanges are refused (DRAINING)."""
        self.draining = True

    def abort(self) -> None:
        """Wait no longer: what is cut off from now on was cut off by us."""
        self.draining = self.aborting = True
        self._settled.set()

    async def idle(self, seconds: float) -> bool:
        """Wait until nothing runs. False when `seconds` went by first."""
        return await _within(self._idle, seconds)

    async def settled(self, seconds: float) -> bool:
        """Like `idle`, but ends when `abort` is called, too. Whether nothing runs then."""
        return await _within(self._settled, seconds) and not self.running

    async def empty(self, seconds: float) -> bool:
        """Like `idle`, but waits for those that are being refused, too."""
        return await _within(self._empty, seconds)

    def aborted_by(self) -> str:
        """Who ended an exchange that was cut off, for its record: `drain` or `client`."""
        return "drain" if self.aborting else "client"


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
