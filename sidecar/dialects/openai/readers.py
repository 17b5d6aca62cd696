"""Bytes of a reply -> events: a stream of chunks, one body, or an embedding whose floats nobody wants read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from sidecar.dialects.edits import Change, cuts
from sidecar.dialects.jsontext import load_reply, spell
from sidecar.dialects.openai.replies import (
    NO_CHOICE,
    Beside,
    Key,
    ReplyTree,
    has_ended,
    has_failed,
    index_of,
    unreadable,
)
from sidecar.dialects.spans import Misplaced, Path, apply
from sidecar.dialects.sse import MAX_EVENT, SseDecoder, data_of, is_event, name_of, with_data
from sidecar.errors import OwnError, UpstreamError
from sidecar.model import Call, Channel, Delta, PlaceKind, ReplyEvent, ReplyFacts

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a unary reply, which is held whole."""

_HEAD = ("id", "object", "created", "model", "system_fingerprint", "service_tier")


class _Reader:
    """What all three have in common: the facts, and new text in a JSON object."""

    def __init__(self, call: Call) -> None:
        self._tree = ReplyTree(call)
        self._complete = False

    @property
    def ended(self) -> bool:
        return self._complete or self._tree.error

    def facts(self) -> ReplyFacts:
        return self._tree.facts(complete=self._complete)

    def rewrite(self, event: ReplyEvent, texts: Sequence[str]) -> bytes:
        changed = [
            (delta, text) for delta, text in zip(event.deltas, texts, strict=True) if delta.text != text
        ]
        if not changed:
            return event.raw
        data = self._data(event)
        edited = _with_one(data, *changed[0]) if len(changed) == 1 else None
        return self._refilled(event, edited if edited is not None else _with_all(data, changed))

    def _data(self, event: ReplyEvent) -> bytes:
        return event.raw

    def _refilled(self, event: ReplyEvent, data: bytes) -> bytes:  # noqa: ARG002  streams need it
        return data


class StreamReader(_Reader):
    """Server-sent events up to `data: [DONE]`. A fault is raised after the events before it have been handed out."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self._sse = SseDecoder()
        self._fault: UpstreamError | None = None
        self._end = b"\n\n"

    def feed(self, data: bytes) -> list[ReplyEvent]:
        if self._fault is not None:
            raise self._fault
        events: list[ReplyEvent] = []
        try:
            if self._sse.between and is_event(data):
                events.append(self._event(data, data[6:-2]))
                return events
            for raw in self._sse.feed(data):
                events.append(self._event(raw, data_of(raw)))  # noqa: PERF401  those before a fault must not be lost
            if self._sse.pending > MAX_EVENT:
                raise UpstreamError("GATE_OVERFLOW", f"An event of the stream exceeds {MAX_EVENT} bytes.")
        except UpstreamError as fault:
            self._fault = fault
            if not events:
                raise
        return events

    def finish(self) -> list[ReplyEvent]:
        """The rest, if it is an event that lacks only its blank line. A stream without [DONE] is whole when each
        choice has finished, or when the server ended it with an error."""
        if self._fault is not None:
            raise self._fault
        rest = self._sse.finish()
        events = self._last(rest) if rest else []
        if self._complete:
            return events
        if not self._tree.finished() and not self._tree.error:
            raise ended_early()
        self._complete = True
        return [*events, ReplyEvent(b"", (), True)]

    def _last(self, rest: bytes) -> list[ReplyEvent]:
        data = data_of(rest)
        try:
            return [self._event(rest, data)]
        except UpstreamError:
            pass
        raise ended_early()

    def carry(self, channel: Channel, text: str) -> bytes:
        chunk: dict[str, Any] = {key: self._tree.head[key] for key in _HEAD if key in self._tree.head}
        path, beside = self._tree.where[channel]
        held = _nested(path, beside, text)
        for choice in held.get("choices", ()):
            choice.update(index=channel.choice, logprobs=None, finish_reason=None)
            for call in choice[path[2]]["tool_calls"] if path[3:4] == ("tool_calls",) else ():
                call["index"] = channel.item if call.get("index") is None else call["index"]
        return b"data: " + spell({**chunk, **held}) + self._end

    def ends(self, event: ReplyEvent) -> tuple[int, ...]:
        raw = event.raw
        if raw.count(b'"finish_reason"') == raw.count(b'"finish_reason":null') and b"error" not in raw:
            return ()
        data = data_of(raw) or b"null"
        return () if data.strip() == b"[DONE]" else self._ended(load_reply(data), is_error(raw))

    def _ended(self, tree: Any, failed: bool) -> tuple[int, ...]:
        """Choices with a reason to have ended; where the server gave up, all, and those without a choice."""
        if type(tree) is not dict:
            return ()
        if failed or has_failed(tree):
            return (NO_CHOICE, *sorted(self._tree.seen))
        choices = enumerate(tree.get("choices") or ())
        return tuple([index_of(choice, place) for place, choice in choices if has_ended(choice.get("finish_reason"))])

    def _event(self, raw: bytes, data: bytes | None) -> ReplyEvent:
        if is_error(raw):
            self._tree.error = True
        if not data:
            return ReplyEvent(raw)
        if data[0] == b"["[0] and data.strip() == b"[DONE]":
            last, self._complete = not self._complete, True
            return ReplyEvent(raw, (), last)
        if raw.endswith(b"\r\n"):
            self._end = b"\r\n\r\n"
        return ReplyEvent(raw, self._tree.read(_reply(data)))

    def _data(self, event: ReplyEvent) -> bytes:
        return data_of(event.raw) or b""

    def _refilled(self, event: ReplyEvent, data: bytes) -> bytes:
        return with_data(event.raw, data)


class UnaryReader(_Reader):
    """One body, one event: a stream of one chunk."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[ReplyEvent]:
        self._size += len(data)
        if self._size > MAX_BODY:
            raise UpstreamError("GATE_OVERFLOW", f"The reply exceeds {MAX_BODY} bytes.")
        self._held.append(data)
        return []

    def finish(self) -> list[ReplyEvent]:
        raw = b"".join(self._held)
        self._held.clear()
        if not raw:
            raise ended_early()
        deltas = self._read(raw)
        self._complete = True
        self._tree.forget()
        return [ReplyEvent(raw, deltas, True)]

    def carry(self, channel: Channel, text: str) -> bytes:  # noqa: ARG002  a Reader's
        """A body has room for all of its text in its one event."""
        raise OwnError("INTERNAL", "Report this: text was held back in a reply that is no stream.")

    def ends(self, event: ReplyEvent) -> tuple[int, ...]:
        """All of them: there is no event after this one."""
        return tuple(sorted({delta.channel.choice for delta in event.deltas}))

    def _read(self, raw: bytes) -> tuple[Delta, ...]:
        return self._tree.read(_reply(raw))


class EmbeddingReader(UnaryReader):
    """Vectors hold no text: they are cut out before parsing, where they can be, for the facts around them."""

    def _read(self, raw: bytes) -> tuple[Delta, ...]:
        around = _without_vectors(raw)
        return self._tree.read(_reply(raw) if around is None else around)


def _without_vectors(raw: bytes) -> dict[str, Any] | None:
    start, end = raw.find(b'"data"'), raw.rfind(b"]")
    start = raw.find(b"[", start) if start >= 0 else -1
    if not 0 <= start < end:
        return None
    try:
        tree = orjson.loads(raw[: start + 1] + raw[end:])
    except orjson.JSONDecodeError:
        return None
    whole = type(tree) is dict and tree.get("data") == [] and {"model", "usage"} <= tree.keys()
    return tree if whole else None


def ended_early() -> UpstreamError:
    return UpstreamError("UPSTREAM_DISCONNECTED", "The model server's reply ended before its end.")


def is_error(raw: bytes) -> bool:
    """Whether a server gives up with this event by its name, whatever it says (`event: error`)."""
    return b"error" in raw and name_of(raw) == b"error"


def _reply(data: bytes) -> Any:
    try:
        return load_reply(data)
    except ValueError:
        pass
    raise unreadable()


def _with_one(data: bytes, delta: Delta, text: str) -> bytes | None:
    """One changed text, found at C speed by its key; None where that is ambiguous. Reading it back proves it."""
    key = delta.slot[-1]
    if type(key) is not str:
        return None
    start = data.find(b'"%b":"' % key.encode("utf-8", "replace"))
    old = spell(delta.text)
    value = start + len(key.encode("utf-8", "replace")) + 3
    if start < 0 or not data.startswith(old, value):
        return None
    edited = data[:value] + spell(text) + data[value + len(old) :]
    return edited if _at(load_reply(edited), delta.slot) == text else None


def _with_all(data: bytes, changed: Sequence[tuple[Delta, str]]) -> bytes:
    changes = [_change(delta.slot, text) for delta, text in changed]
    try:
        return apply(data, cuts(data, load_reply(data), changes))
    except Misplaced:
        pass
    raise unreadable()


def _change(slot: Path | Key, text: str) -> Change:
    return Change(slot.path, PlaceKind.KEY, text) if isinstance(slot, Key) else Change(slot, PlaceKind.TEXT, text)


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def _nested(path: Path, beside: Beside, text: str) -> dict[str, Any]:
    """`text` at `path`, and nothing more than that needs to be read."""
    held: Any = text
    for step, members in zip(reversed(path), reversed(beside), strict=True):
        held = [held] if type(step) is int else {**members, step: held}
    return dict(held)
