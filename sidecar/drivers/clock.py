"""Time and randomness of the machine, behind the ports Clock and Entropy."""

from __future__ import annotations

import os
import time


class SystemClock:
    """The machine's clock; `now` never goes backwards within a process, even when the machine's clock does."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        self._last = max(self._last, time.time_ns() // 1000)
        return self._last

    def monotonic(self) -> float:
        return time.monotonic()


class SystemEntropy:
    """The operating system's generator."""

    __slots__ = ()

    def token(self, size: int) -> bytes:
        return os.urandom(size)
