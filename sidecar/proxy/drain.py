"""How many exchanges are in flight, and the way out: not ready, in-flight ones end, the rest is cut off.

The order at the end of a pod's life is KEP-753's: `/drain?wait=1` is the model container's preStop hook, so that the
model server gets its SIGTERM only when the last exchange has ended (reference/wire.md 1.4).
"""

from __future__ import annotations

import asyncio


class Drain:
    """Counts exchanges in and out. Once `begin` was called it never goes back."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.draining = False
        self.aborting = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._settled = asyncio.Event()
        self._settled.set()

    def enter(self) -> None:
        if not self.in_flight:
            self._idle.clear()
            if not self.aborting:
                self._settled.clear()
        self.in_flight += 1

    def leave(self) -> None:
        self.in_flight -= 1
        if not self.in_flight:
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
        """Wait until nothing is in flight. False when `seconds` went by first."""
        return await self._within(self._idle, seconds)

    async def settled(self, seconds: float) -> bool:
        """Like `idle`, but ends when `abort` is called, too. Whether nothing is in flight then."""
        return await self._within(self._settled, seconds)

    async def _within(self, event: asyncio.Event, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        return not self.in_flight

    def aborted_by(self) -> str:
        """Who ended an exchange that was cut off, for its record: `drain` or `client`."""
        return "drain" if self.aborting else "client"
