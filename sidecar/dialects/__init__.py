"""Dialects: bytes <-> calls and reply events, one folder per API shape. They know JSON and SSE, nothing else.

    jsontext   bytes -> tree, strictly: duplicate keys, lone surrogates, NaN and depth are faults with codes
    spans      where a value or a key of the tree stands in the bytes
    edits      new text at places: only the named spans change, inside JSON-in-strings too
    collect    tree -> parts: whatever is not known to be harmless is text
    schema     the same for JSON Schemas (tools, declared output)
    sse        bytes -> server-sent events, exact to the byte
    openai/    chat completions, completions, embeddings
    routes     which method and path is governed, passed or denied, per kind of upstream

A further provider is a further folder with its `Dialect`, and its rows in `routes`. Nothing is ever re-modelled: a
body without edits leaves as the bytes it came as (guarantee 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sidecar.model import Call, Channel, Edit, ReplyEvent, ReplyFacts


class Reader(Protocol):
    """Reads one reply as it comes. The raw bytes of all events, joined, are the bytes fed."""

    @property
    def ended(self) -> bool:
        """Whether the reply itself has said that it is over: whole, or given up with an error."""
        ...

    def feed(self, data: bytes) -> list[ReplyEvent]:
        """Whole events that `data` completes. Raises UpstreamError when the reply cannot be read or is too large."""
        ...

    def finish(self) -> list[ReplyEvent]:
        """What is left. Raises UpstreamError when the reply ended early or is not JSON."""
        ...

    def rewrite(self, event: ReplyEvent, texts: Sequence[str]) -> bytes:
        """The event with each delta's text replaced; bytes outside the changed string literals stay as they are."""
        ...

    def carry(self, channel: Channel, text: str) -> bytes:
        """An extra event like the stream's last one that holds only `text`: a held tail, sent before the end."""
        ...

    def ends(self, event: ReplyEvent) -> tuple[int, ...]:
        """Choices that get no more text after this event: their held tails go out in it or before it. -1 among them
        stands for texts of no choice, and says that the server has given up.
        """
        ...

    def facts(self) -> ReplyFacts:
        """What the reply said of itself so far."""
        ...


class Dialect(Protocol):
    """One API shape, in both directions. Implementations keep no state; bodies come decompressed."""

    def parse(self, body: bytes) -> Call:
        """Every text a provider would see, at its place. Raises CallerError with a stable code, never with text."""
        ...

    def edit(self, body: bytes, edits: Sequence[Edit]) -> bytes:
        """New text at places. Raises OwnError when a place is not in this body: nothing may leave half edited."""
        ...

    def shape(self, body: bytes, *, cap_tokens: int | None, model: str | None, disable_tools: frozenset[str]) -> bytes:
        """Obligations applied: output capped, model routed, tools withdrawn. Call it after `edit`: it moves indexes."""
        ...

    def reader(self, call: Call, *, stream: bool) -> Reader:
        """A reader for one reply; `stream` says what the upstream answered with, not what was asked for."""
        ...
