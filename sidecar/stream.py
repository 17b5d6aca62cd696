"""Everything that knows about chunks: transducers (`feed`, `finish`), content coding, and the Gate.

A transducer takes bytes or events as they come and returns what is ready; a whole body is a stream of one chunk, so
there is one code path (httpx: `_decoders.py`). Each states its maximum buffer, and overflow is an error, never a loss.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from sidecar.errors import SidecarError, UpstreamError
from sidecar.model import Channel, Release, ReleaseMode, ReplyEvent

READABLE_CODINGS = ("gzip", "deflate", "identity")
"""Content codings that can be opened here; `Accept-Encoding` is narrowed to these."""

GZIP = zlib.MAX_WBITS | 16
INFLATED_AT_ONCE = 16 * 1024
MEMBER = 1024
"""Bytes that each further member of gzip counts for besides its own: it may have 20 and be empty, and costs 4 us."""

HELD_LIMIT = 8 * 1024 * 1024
"""Bytes of reply events that the Gate holds at most before it refuses (GATE_OVERFLOW)."""

REREAD = 3
"""How often text is judged in windows at most: as what is new, as what was kept back, and as what has just left."""


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
    """gzip of one member or of several (RFC 1952 2.2), or zlib, or deflate without either's frame, which is what some
    servers take `deflate` for (RFC 9110 8.4.1.2): its first bytes tell. Bounded: `fault` is raised when the data are
    damaged or grow beyond `limit` bytes.
    """

    def __init__(self, *, bare: bool, limit: int, damaged: SidecarError, too_large: SidecarError) -> None:
        self._bare = bare
        self._head = b""
        self._format = 0
        self._zlib: zlib._Decompress | None = None
        self._left = limit
        self._damaged = damaged
        self._too_large = too_large

    def feed(self, data: bytes) -> bytes:
        if self._zlib is None:
            data = self._head + data
            if len(data) < 2:
                self._head = data
                return b""
            self._format = format_of(data, bare=self._bare)
            self._zlib = zlib.decompressobj(self._format)
        return b"".join(self._inflated(data))

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        """In slices, for each member copies what is behind it."""
        for start in range(0, len(data), INFLATED_AT_ONCE):
            rest = data[start : start + INFLATED_AT_ONCE]
            while rest:
                member = self._member()
                try:
                    out = member.decompress(rest, self._left + 1)
                except zlib.error:
                    raise self._damaged from None
                self._count(len(out))
                yield out
                rest = member.unused_data

    def _member(self) -> zlib._Decompress:
        """The one under way, or the next. Only gzip has a next."""
        assert self._zlib is not None
        if self._zlib.eof:
            if self._format != GZIP:
                raise self._damaged
            self._count(MEMBER)
            self._zlib = zlib.decompressobj(GZIP)
        return self._zlib

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self._too_large

    def finish(self) -> bytes:
        """The rest. A coding that was cut off is damaged."""
        if self._zlib is None or not self._zlib.eof:
            raise self._damaged
        return b""


def format_of(data: bytes, *, bare: bool) -> int:
    """zlib's `wbits` for data that begin so."""
    if data[0] & 15 == zlib.DEFLATED and int.from_bytes(data[:2]) % 31 == 0:  # RFC 1950 2.2
        return zlib.MAX_WBITS
    return -zlib.MAX_WBITS if bare and data[:2] != b"\x1f\x8b" else GZIP


def decoder(coding: str, *, limit: int, damaged: SidecarError, too_large: SidecarError) -> Transducer | None:
    """The transducer for a `Content-Encoding` value, or None for one that cannot be opened here."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return Identity()
    if name in ("gzip", "x-gzip", "deflate"):
        return Inflater(bare=name == "deflate", limit=limit, damaged=damaged, too_large=too_large)
    return None


def gate_overflow(mode: ReleaseMode) -> UpstreamError:
    way_out = "ask for fewer choices, or a shorter hold" if mode is ReleaseMode.WINDOWED else "judge it in windows"
    return UpstreamError("GATE_OVERFLOW", f"The reply is larger than may be held for judging; {way_out}.")


class Stretch(Protocol):
    """Anything with a start and an end, in code points of its channel's held text."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


class Gate:
    """Holds reply events until they are judged. It judges nothing itself, and it knows nothing of time.

    PASS never holds. WHOLE holds to the end. WINDOWED lets a window be judged each time about `hold` more code points
    have gathered, and then keeps the last `hold` of each channel back, so that a value that stands across the line is
    seen whole by the next judgement, and masked whole. No line is drawn through anything that was found. The `hold`
    code points in front of the line are judged again with what follows: the word that makes a number a passport's may
    have left already.

    Events leave in their order, so that a channel which says no more would keep all others back. Its tail is let go
    when one choice has gone on by `hold` without it. Each choice is measured by itself: within one, fields follow each
    other, while a hundred choices alternate. Should such a channel go on after all, a value that began in its tail is
    still found and counted, and policy may still deny the rest; but what has left cannot be masked, only what is held.
    """

    def __init__(self, release: Release, *, limit: int = HELD_LIMIT) -> None:
        self._release = release
        self._limit = limit
        self._events: list[ReplyEvent] = []
        self._bytes = 0  # of held events, and of what `_left` remembers of others
        self._length: dict[Channel, int] = {}  # of held text
        self._left: dict[Channel, str] = {}  # the last `hold` code points that have left
        self._size = 0  # of `texts()`
        self._new = 0  # of that, what no judgement has seen

    def feed(self, events: Iterable[ReplyEvent]) -> None:
        """Take events in. Raises UpstreamError (GATE_OVERFLOW) beyond the limit."""
        for event in events:
            self._events.append(event)
            self._bytes += len(event.raw)
            for delta in event.deltas:
                self._count(delta.channel, len(delta.text))
        if self._bytes > self._limit:
            raise gate_overflow(self._release.mode)

    def due(self) -> bool:
        """Whether a window should be judged now, before the end: when there is enough text, and so much of it is new
        that all windows together are at most `REREAD` times the reply.
        """
        if self._release.mode is not ReleaseMode.WINDOWED:
            return False
        return self._new > 0 and 2 * self._release.hold <= self._size <= REREAD * self._new

    def texts(self) -> dict[Channel, str]:
        """What is to be judged: all text held, behind the end of what has left, by channel in order of appearance."""
        return {channel: self._left.get(channel, "") + text for channel, text in _texts(self._events).items()}

    def left(self) -> dict[Channel, int]:
        """How many code points of each of the `texts()` have left already."""
        return {channel: len(self._left.get(channel, "")) for channel in self._length}

    def held(self) -> tuple[ReplyEvent, ...]:
        return tuple(self._events)

    def release(self, spans: Mapping[Channel, Sequence[Stretch]], *, final: bool) -> int:
        """How many of the held events may leave after a judgement; they leave the Gate. `spans` are what was found."""
        count = len(self._events) if final else _uncut(self._before(self._lines()), _events_of(self._events, spans))
        self._remember(self._events[:count])
        del self._events[:count]
        self._length = {channel: len(text) for channel, text in _texts(self._events).items()}
        self._size = sum(self._length.values()) + sum(self.left().values())
        self._new = 0
        return count

    def _count(self, channel: Channel, length: int) -> None:
        if channel not in self._length:
            self._length[channel] = 0
            self._size += len(self._left.get(channel, ""))
        self._length[channel] += length
        self._size += length
        self._new += length

    def _remember(self, gone: Sequence[ReplyEvent]) -> None:
        self._bytes -= sum(len(event.raw) for event in gone)
        for channel, text in _texts(gone).items():
            before = self._left.get(channel, "")
            self._left[channel] = (before + text)[max(0, len(before) + len(text) - self._release.hold) :]
            self._bytes += len(self._left[channel]) - len(before)

    def _lines(self) -> dict[Channel, int]:
        """Per channel, up to where held text may leave: `hold` from its end, or all of it where it says no more."""
        silent = _silent(self._events, self._release.hold)
        return {
            channel: length if channel in silent else max(0, length - self._release.hold)
            for channel, length in self._length.items()
        }

    def _before(self, lines: Mapping[Channel, int]) -> int:
        seen: dict[Channel, int] = {}
        for count, event in enumerate(self._events):
            for delta in event.deltas:
                seen[delta.channel] = seen.get(delta.channel, 0) + len(delta.text)
                if seen[delta.channel] > lines[delta.channel]:
                    return count
        return len(self._events)


def _texts(events: Iterable[ReplyEvent]) -> dict[Channel, str]:
    pieces: dict[Channel, list[str]] = {}
    for event in events:
        for delta in event.deltas:
            pieces.setdefault(delta.channel, []).append(delta.text)
    return {channel: "".join(texts) for channel, texts in pieces.items()}


def _silent(events: Sequence[ReplyEvent], hold: int) -> set[Channel]:
    """The channels behind whose last text one choice has said `hold` code points or more."""
    said: dict[int, int] = {}
    last: dict[Channel, int] = {}  # the most that any choice has said behind it
    most = 0
    for event in reversed(events):
        for delta in reversed(event.deltas):
            if delta.text:
                last.setdefault(delta.channel, most)
                said[delta.channel.choice] = said.get(delta.channel.choice, 0) + len(delta.text)
                most = max(most, said[delta.channel.choice])
    return {channel for channel, behind in last.items() if behind >= hold}


def _events_of(events: Sequence[ReplyEvent], spans: Mapping[Channel, Sequence[Stretch]]) -> list[tuple[int, int]]:
    """The first and the last event that each span stands in, by their indexes."""
    ends: dict[Channel, list[int]] = {}
    at: dict[Channel, list[int]] = {}
    for index, event in enumerate(events):
        for delta in event.deltas:
            so_far = ends.setdefault(delta.channel, [])
            so_far.append((so_far[-1] if so_far else 0) + len(delta.text))
            at.setdefault(delta.channel, []).append(index)
    return [
        (at[channel][bisect_right(ends[channel], span.start)], at[channel][bisect_left(ends[channel], span.end)])
        for channel, found in spans.items()
        for span in found
    ]


def _uncut(count: int, stretches: Iterable[tuple[int, int]]) -> int:
    """The last place not behind `count` where events can be parted without parting a stretch."""
    for first, last in sorted(stretches, reverse=True):
        if first < count <= last:
            count = first
    return count
