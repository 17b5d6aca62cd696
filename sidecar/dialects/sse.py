"""Bytes -> server-sent events, exact to the byte (WHATWG HTML, 9.2.6: lines end with LF, CRLF or CR)."""

from __future__ import annotations

import re

MAX_EVENT = 8 * 1024 * 1024
"""Bytes held while waiting for the end of an event; a reply that needs more is refused by the reader."""

_BOM = b"\xef\xbb\xbf"
_END = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)++")
"""As many blank lines as there are: a million of them are one event, not half a million."""


class SseDecoder:
    """Cuts a byte stream after blank lines. The events, joined, are the bytes fed; a byte order mark before all of
    them, the only one that readers skip, is one of its own.
    """

    __slots__ = ("_begun", "_held", "_seen")

    def __init__(self) -> None:
        self._begun = False
        self._held = bytearray()
        self._seen = 0  # no event ends before this offset of what is held

    def feed(self, data: bytes) -> list[bytes]:
        if not self._begun:
            return self._begin(data)
        if self._held or b"\r" in data or b"\n\n\n" in data:
            return self._search(data)
        pieces = data.split(b"\n\n")
        self._held += pieces.pop()
        return [piece + b"\n\n" for piece in pieces]

    def finish(self) -> bytes:
        """What came after the last blank line."""
        rest = bytes(self._held)
        self._held.clear()
        return rest

    @property
    def pending(self) -> int:
        return len(self._held)

    @property
    def between(self) -> bool:
        """Whether what comes next begins an event, and not the stream."""
        return self._begun and not self._held

    def _begin(self, data: bytes) -> list[bytes]:
        data = bytes(self._held) + data
        self._held.clear()
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._held += data
            return []
        self._begun = True
        return [_BOM, *self.feed(data.removeprefix(_BOM))] if data.startswith(_BOM) else self.feed(data)

    def _search(self, data: bytes) -> list[bytes]:
        held = self._held
        held += data
        events, start, seen = [], 0, self._seen
        while (end := _END.search(held, seen)) is not None:
            if end.end() == len(held) and held.endswith(b"\r"):  # the line feed of this CRLF may be in the next chunk
                end = _END.fullmatch(held, end.start(), len(held) - 1)
                if end is None:
                    break
            events.append(bytes(held[start : end.end()]))
            start = seen = end.end()
        del held[:start]
        self._seen = max(len(held) - 3, 0)
        return events


def is_event(data: bytes) -> bool:
    """Whether this is exactly one event of one data line: what a server sends per token, and what is read fastest."""
    return data.find(b"\n") == len(data) - 2 and data.endswith(b"\n\n") and data[:6] == b"data: " and b"\r" not in data


def data_of(event: bytes) -> bytes | None:
    """The event's data, lines joined; None for a comment or an event without data."""
    if is_event(event):
        return event[6:-2]
    if b"data:" not in event:
        return None
    lines = [line for line in event.splitlines() if line.startswith(b"data:")]
    if not lines:
        return None
    return b"\n".join(line[_value_at(line) :] for line in lines)


def name_of(event: bytes) -> bytes:
    """What kind of event it says it is, b"" where it does not; of several lines the last counts."""
    names = [line[6:].removeprefix(b" ") for line in event.splitlines() if line.startswith(b"event:")]
    return names[-1] if names else b""


def with_data(event: bytes, data: bytes) -> bytes:
    """The event with other data of as many lines; fields, comments and line ends stay."""
    fresh = iter(data.split(b"\n"))
    lines = event.splitlines(keepends=True)
    return b"".join(_refilled(line, next(fresh)) if line.startswith(b"data:") else line for line in lines)


def _refilled(line: bytes, data: bytes) -> bytes:
    return line[: _value_at(line)] + data + line[len(line.rstrip(b"\r\n")) :]


def _value_at(line: bytes) -> int:
    return 6 if line[5:6] == b" " else 5
