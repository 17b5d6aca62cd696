"""Everything that knows about chunks: transducers (`feed`, `finish`), content coding, and the Gate.

A transducer takes bytes or events as they come and returns what is ready; a whole body is a stream of one chunk, so
there is one code path (httpx: `_decoders.py`). Each states its maximum buffer, and overflow is an error, never a loss.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sidecar.errors import SidecarError, UpstreamError
from sidecar.model import Channel, Release, ReleaseMode, ReplyEvent

READABLE_CODINGS = ("gzip", "deflate", "identity")
"""Content codings that can be opened here; `Accept-Encoding` is narrowed to these."""

HELD_LIMIT = 8 * 1024 * 1024
"""Bytes of reply events that the Gate holds at most before it refuses (GATE_OVERFLOW)."""


class Transducer(Protocol):
    def feed(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class Identity:
    """No coding: bytes pass."""

    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class Inflater:
    """gzip or zlib, bounded. `fault` is raised when the data are damaged or grow beyond `limit` bytes."""

    def __init__(self, *, limit: int, damaged: SidecarError, too_large: SidecarError) -> None:
        self._zlib = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        self._left = limit
        self._damaged = damaged
        self._too_large = too_large

    def feed(self, data: bytes) -> bytes:
        try:
            out = self._zlib.decompress(data, self._left + 1)
        except zlib.error:
            raise self._damaged from None
        self._left -= len(out)
        if self._left < 0:
            raise self._too_large
        return out

    def finish(self) -> bytes:
        """The rest. A coding that was cut off, or has data behind its end, is damaged."""
        if not self._zlib.eof or self._zlib.unused_data:
            raise self._damaged
        return b""


def decoder(coding: str, *, limit: int, damaged: SidecarError, too_large: SidecarError) -> Transducer | None:
    """The transducer for a `Content-Encoding` value, or None for one that cannot be opened here."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return Identity()
    if name in ("gzip", "x-gzip", "deflate"):
        return Inflater(limit=limit, damaged=damaged, too_large=too_large)
    return None


def gate_overflow() -> UpstreamError:
    return UpstreamError("GATE_OVERFLOW", "The reply is larger than may be held for judging; judge it in windows.")


class Stretch(Protocol):
    """Anything with a start and an end, in code points of its channel's held text."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


class Gate:
    """Holds reply events until they are judged. It judges nothing itself, and it knows nothing of time.

    PASS never holds. WHOLE holds to the end. WINDOWED lets a window be judged each time at least twice `hold` code
    points have gathered in a channel, and then keeps the last `hold` of each channel back, so that an entity that
    stands across the line is seen whole by the next judgement.
    """

    def __init__(self, release: Release, *, limit: int = HELD_LIMIT) -> None:
        self._release = release
        self._limit = limit
        self._events: list[ReplyEvent] = []
        self._bytes = 0
        self._length: dict[Channel, int] = {}

    def feed(self, events: Iterable[ReplyEvent]) -> None:
        """Take events in. Raises UpstreamError (GATE_OVERFLOW) beyond the limit."""
        for event in events:
            self._events.append(event)
            self._bytes += len(event.raw)
            for delta in event.deltas:
                self._length[delta.channel] = self._length.get(delta.channel, 0) + len(delta.text)
        if self._bytes > self._limit:
            raise gate_overflow()

    def due(self) -> bool:
        """Whether a window should be judged now, before the end."""
        if self._release.mode is not ReleaseMode.WINDOWED:
            return False
        return any(length >= 2 * self._release.hold for length in self._length.values())

    def texts(self) -> dict[Channel, str]:
        """All text held, by channel, in order of first appearance."""
        pieces: dict[Channel, list[str]] = {}
        for event in self._events:
            for delta in event.deltas:
                pieces.setdefault(delta.channel, []).append(delta.text)
        return {channel: "".join(texts) for channel, texts in pieces.items()}

    def held(self) -> tuple[ReplyEvent, ...]:
        return tuple(self._events)

    def release(self, spans: Mapping[Channel, Sequence[Stretch]], *, final: bool) -> int:
        """How many of the held events may leave after a judgement; they leave the Gate. `spans` are what was found."""
        count = len(self._events) if final else self._before(self._lines(spans))
        for event in self._events[:count]:
            self._bytes -= len(event.raw)
            for delta in event.deltas:
                self._length[delta.channel] -= len(delta.text)
        del self._events[:count]
        return count

    def _lines(self, spans: Mapping[Channel, Sequence[Stretch]]) -> dict[Channel, int]:
        """Per channel, up to where text may leave: `hold` from the end, and in front of any span there."""
        lines = {}
        for channel, length in self._length.items():
            line = length - self._release.hold
            for span in sorted(spans.get(channel, ()), key=lambda span: span.start, reverse=True):
                if span.start < line < span.end:
                    line = span.start
            lines[channel] = line
        return lines

    def _before(self, lines: Mapping[Channel, int]) -> int:
        seen: dict[Channel, int] = {}
        for count, event in enumerate(self._events):
            for delta in event.deltas:
                seen[delta.channel] = seen.get(delta.channel, 0) + len(delta.text)
                if seen[delta.channel] > lines[delta.channel]:
                    return count
        return len(self._events)
