"""What the stub saw: the last requests byte for byte, and which callers left before their answer was whole."""

from __future__ import annotations

import base64
import time
import zlib
from collections import deque
from typing import Any

KEPT = 500
KEPT_BYTES = 64 * 1024 * 1024


class Recorder:
    """Bounded by number and by bytes. Times are `time.monotonic_ns()`, comparable between processes of one machine."""

    def __init__(self) -> None:
        self._requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._aborts: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.total = 0
        self.aborted = 0

    def request(self, method: str, target: str, headers: tuple[tuple[bytes, bytes], ...], raw: bytes) -> None:
        self.total += 1
        self._requests.append(
            {
                "at_ns": time.monotonic_ns(),
                "method": method,
                "target": target,
                "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers],
                "raw": raw,
            }
        )
        while sum(len(one["raw"]) for one in self._requests) > KEPT_BYTES:
            self._requests.popleft()

    def abort(self, target: str, pieces: int) -> None:
        """A caller has gone; `pieces` had been written."""
        self.aborted += 1
        self._aborts.append({"at_ns": time.monotonic_ns(), "target": target, "pieces": pieces})

    def requests(self, last: int) -> dict[str, Any]:
        """The last requests, oldest first: `raw` is base64 of the body as it came, `body` its text."""
        shown = list(self._requests)[-last:]
        return {"total": self.total, "requests": [_shown(one) for one in shown]}

    def aborts(self) -> dict[str, Any]:
        return {"total": self.aborted, "aborts": list(self._aborts)}

    def clear(self) -> None:
        self._requests.clear()
        self._aborts.clear()
        self.total = self.aborted = 0


def _shown(request: dict[str, Any]) -> dict[str, Any]:
    raw = request["raw"]
    coding = next((value for name, value in request["headers"] if name.lower() == "content-encoding"), "")
    return {**request, "raw": base64.b64encode(raw).decode(), "body": opened(raw, coding).decode("utf-8", "replace")}


def opened(raw: bytes, coding: str) -> bytes:
    """A body without its content coding; as it is where that cannot be opened."""
    if coding.strip().lower() not in ("gzip", "deflate"):
        return raw
    try:
        return zlib.decompress(raw, wbits=zlib.MAX_WBITS | 32)
    except zlib.error:
        return raw
