"""Whose turn it is at the workers: short texts before long ones, so that a few long prompts do not stop everybody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

IN_A_ROW = 8
"""Short jobs that may overtake a long one that waits."""


class Slots:
    """`size` jobs at once; the others wait in two lines."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._short: deque[asyncio.Future[None]] = deque()
        self._long: deque[asyncio.Future[None]] = deque()
        self._overtaken = 0

    @asynccontextmanager
    async def taken(self, *, short: bool) -> AsyncIterator[None]:
        """Waits for a turn, and gives it on at the end."""
        await self._turn(self._short if short else self._long)
        try:
            yield
        finally:
            self._release()

    async def _turn(self, line: deque[asyncio.Future[None]]) -> None:
        if self._free:
            self._free -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        line.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                with suppress(ValueError):
                    line.remove(waiter)
            else:  # its turn came in the same moment
                self._release()
            raise

    def _release(self) -> None:
        """To the first who still waits: one who was cancelled may not have left yet."""
        while self._short or self._long:
            waiter = self._next_line().popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1

    def _next_line(self) -> deque[asyncio.Future[None]]:
        if self._short and not (self._long and self._overtaken >= IN_A_ROW):
            self._overtaken += bool(self._long)
            return self._short
        self._overtaken = 0
        return self._long
