"""Time and randomness of the machine, behind the ports Clock and Entropy."""

from __future__ import annotations

import os
import time
from weakref import WeakMethod


class SystemClock:
    """The machine's clock; `now` never goes backwards within a process, even when the machine's clock does."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        now = time.time_ns() // 1000
        if now > self._last:
            self._last = now
        return self._last

    monotonic = staticmethod(time.monotonic)


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
