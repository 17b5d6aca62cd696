"""Log lines are written by a thread of their own: whoever logs never waits for a reader, a disk or a terminal."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

MOST = 10_000
"""Lines that wait to be written, about 3 MB; more are dropped."""
PAUSE = 0.05
"""Seconds between two writes: under load many lines go out at once, which costs the event loop less than each alone (at
0.01 the thread took 2 % of a call's time)."""
FLUSH = 1.0
"""Seconds that the lines which still wait get at the end of the process."""


class Queued(logging.Handler):
    """Hands lines to its thread. `dropped` counts those that did not fit, or that could not be written."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._written_by = writer_of(stream)
        self._lines: deque[str] = deque()
        self._wake, self._end = threading.Event(), threading.Event()
        self._counting = threading.Lock()
        self._busy = False
        self.dropped = 0
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.put(self.format(record))
        except Exception:  # noqa: BLE001  logging's own way out would print the record, and so perhaps content
            self._drop(1)

    def put(self, line: str) -> None:
        """Never waits, never raises."""
        if len(self._lines) >= MOST:
            self._drop(1)
            return
        self._lines.append(f"{line}\n")
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Wait until all has been written, for at most `FLUSH` seconds."""
        last = time.monotonic() + FLUSH
        while (self._lines or self._busy) and time.monotonic() < last:
            time.sleep(PAUSE / 50)

    def close(self) -> None:
        """What waits is written before, as far as somebody takes it."""
        self.flush()
        self._end.set()
        self._wake.set()
        super().close()

    def _run(self) -> None:
        while not self._end.is_set():
            self._wake.wait()
            self._busy = True
            self._wake.clear()
            self._write_out()
            self._busy = False
            self._end.wait(PAUSE)

    def _write_out(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        try:
            self._written_by("".join(lines))
        except (OSError, ValueError):  # a full disk, a reader that has gone, a stream that is closed
            self._drop(len(lines))

    def _drop(self, count: int) -> None:
        with self._counting:
            self.dropped += count


def writer_of(stream: TextIO | None) -> Callable[[str], None]:
    """How text gets there. A file is written past Python's buffer, whose lock a stuck write would hold for ever, and by
    a descriptor of our own, which nobody closes under us. No stream (stderr was closed at start) takes nothing."""
    if stream is None:
        return _nowhere
    try:
        descriptor = os.dup(stream.fileno())
    except (OSError, ValueError):
        return lambda text: _to_stream(stream, text)
    return lambda text: _to_file(descriptor, text)


def _nowhere(_: str) -> None:
    raise OSError


def _to_stream(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _to_file(descriptor: int, text: str) -> None:
    rest = memoryview(text.encode("utf-8", "backslashreplace"))
    while rest:
        rest = rest[os.write(descriptor, rest) :]
