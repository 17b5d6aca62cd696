"""Time and randomness of the machine, behind the ports Clock and Entropy."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from weakref import WeakMethod

STEP = 2_000_000
"""Microseconds by which the machine's clock may leave its monotonic one unsaid. Slewing moves both alike."""


class SystemClock:
    """The machine's clock as it is, also set back: the ledger sees to it itself that its entries never go backwards.

    `stepped(seconds)` is told once of each step of more than 2 s, negative for one backwards, when a look finds it.
    That the machine slept is none: Linux's monotonic clock stands still then.
    """

    __slots__ = ("_ahead", "_asleep", "_stepped")

    def __init__(self, stepped: Callable[[float], None] | None = None) -> None:
        self._stepped = stepped
        self._ahead = (time.time_ns() - time.monotonic_ns()) // 1000
        self._asleep = _asleep()

    def now(self) -> int:
        now = time.time_ns() // 1000
        step = now - time.monotonic_ns() // 1000 - self._ahead
        if not -STEP <= step <= STEP:
            self._ahead += step
            asleep = _asleep()
            step, self._asleep = step - asleep + self._asleep, asleep
            if self._stepped is not None and not -STEP <= step <= STEP:
                self._stepped(step / 1e6)
        return now

    monotonic = staticmethod(time.monotonic)


def _asleep() -> int:
    """Microseconds that the machine has slept since it was started, where it says so."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    return (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()) // 1000


class SystemEntropy:
    """The operating system's generator, read in blocks.

    `os.urandom` gives up the interpreter lock; beside a busy writer thread each call then waited 70 us to get it back.
    A block is thrown away when the process forks, so that parent and child never share one. For one thread at a time.
    """

    __slots__ = ("__weakref__", "_at", "_block")

    BLOCK = 16_384

    def __init__(self) -> None:
        self._block, self._at = b"", 0
        forget = WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (forget() or _nothing)())

    def token(self, size: int) -> bytes:
        if size > self.BLOCK // 4:
            return os.urandom(size)
        end = self._at + size
        if end > len(self._block):
            self._block, self._at, end = os.urandom(self.BLOCK), 0, size
        piece = self._block[self._at : end]
        self._at = end
        return piece

    def _forget(self) -> None:
        self._block, self._at = b"", 0


def _nothing() -> None:
    return None
