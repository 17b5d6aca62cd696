"""The way back to the caller: the `answer` port on aiohttp, and the one place that turns errors into responses.

The head is written by hand, because aiohttp's StreamResponse would add a Content-Type, a Server and a Date of its own
to what an upstream said. It leaves together with the first bytes of the body: one system call less, and the conductor
never starts an answer before it has something to say.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion11
from multidict import CIMultiDict

from sidecar.deadline import within
from sidecar.errors import OwnError, SidecarError, UpstreamError
from sidecar.policy.catalogue import find
from sidecar.proxy.headers import reply_headers

RECORD_HEADER = "x-sidecar-record"
RETRY_AFTER = "1"
"""Seconds. Own faults pass soon or not at all; SDKs back off by themselves after that."""

SLICE = 64 * 1024
"""Bytes of an answer that a caller has all its patience for: one who takes a large answer slowly does take some."""

PHRASES = {status.value: status.phrase for status in HTTPStatus}
BODILESS = frozenset({204, 304})


class OpenAIVoice:
    """How an error is said: the envelope of the OpenAI API, as a body and as the last event of a stream that has begun.

    Its SDKs raise on it, in a stream too, with it as their `body`.
    """

    def body(self, error: SidecarError, record: str | None) -> bytes:
        if isinstance(error, UpstreamError):
            kind = "upstream_error"
        else:
            kind = "invalid_request_error" if error.status < 500 else "server_error"
        told = {"message": error.advice, "type": kind, "param": None, "code": error.code}
        return orjson.dumps({"error": told if record is None else {**told, "record": record}})

    def event(self, error: SidecarError, record: str | None) -> bytes:
        return b"data: " + self.body(error, record) + b"\n\n"


OPENAI = OpenAIVoice()


class HttpAnswer:
    """One answer (`ports.Answer`). `record` is the id that `x-sidecar-record` names, None on routes that merely pass.

    A caller who takes nothing of what waits for it within `patience` seconds is cut off, like one who has gone.

    `status` says afterwards what the caller got.
    """

    __slots__ = ("_keep", "_patience", "_request", "_silent", "_stream", "_writer", "allow", "record", "status")

    def __init__(self, request: web.BaseRequest, patience: float = 120.0) -> None:
        self._request = request
        self._patience = patience
        self._writer: AbstractStreamWriter = request.writer
        self._keep = bool(request.keep_alive)
        self._silent = False
        self._stream = False
        self.record: str | None = None
        self.allow: tuple[str, ...] = ()
        self.status: int | None = None

    @property
    def started(self) -> bool:
        return self.status is not None

    async def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Fix the head; it leaves with the first bytes, or with `flush`."""
        fields = CIMultiDict(reply_headers(headers))
        if self.record is not None:
            fields[RECORD_HEADER] = self.record
        self.status = status
        self._stream = is_stream(fields)
        self._frame(status, fields)
        if not self._keep:
            fields["Connection"] = "close"
        elif self._request.version < HttpVersion11:
            fields["Connection"] = "keep-alive"
        await self._writer.write_headers(f"HTTP/1.1 {status} {PHRASES.get(status, '')}", fields)

    def _frame(self, status: int, fields: CIMultiDict[str]) -> None:
        """Say where the body ends (RFC 9112 6.3): nowhere, after Content-Length, by chunks, or with the connection."""
        length = fields.get("content-length")
        if self._request.method == "HEAD" or status in BODILESS:
            self._silent = True
        elif length is not None:
            self._writer.length = int(length)
        elif self._request.version >= HttpVersion11:
            self._writer.enable_chunking()
            fields["Transfer-Encoding"] = "chunked"
        else:
            self._keep = False

    def flush(self) -> None:
        """Send the head now, for a reply whose first byte may be long in coming."""
        self._writer.send_headers()

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError when the caller has gone, OwnError for more than Content-Length promised."""
        if self._silent:
            return
        if self._writer.length is not None and len(data) > self._writer.length:
            self.abort()
            raise OwnError("INTERNAL", "The answer is longer than its head said; it was cut off.")
        if len(data) <= SLICE:
            await self._taken(self._writer.write(data))
            return
        view = memoryview(data)
        for start in range(0, len(data), SLICE):
            await self._taken(self._writer.write(view[start : start + SLICE]))

    async def _taken(self, writing: Coroutine[Any, Any, None]) -> None:
        """Raises ConnectionError when the caller does not take it; a half-open socket is one that never does."""
        try:
            await within(self._patience, writing)
        except TimeoutError:
            self.abort()
            raise ConnectionAbortedError("the caller does not read its answer") from None

    async def end(self) -> None:
        """The answer is whole. One shorter than it said is cut off instead, so that nobody takes it for whole."""
        if self._writer.length:
            self.abort()
            return
        await self._taken(self._writer.write_eof())

    async def fail(self, error: SidecarError) -> None:
        """Answer with an error: as a response, or in the stream once that has begun. A caller gone is no fault."""
        with suppress(ConnectionError):
            if not self.started:
                await self._refuse(error)
            elif self._stream and self._writer.length is None:
                await self.write(OPENAI.event(error, self.record))
                await self.end()
            else:
                self.abort()

    async def _refuse(self, error: SidecarError) -> None:
        body = OPENAI.body(error, self.record)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if error.retry_after is not None:
            headers.append(("Retry-After", error.retry_after))
        if error.code == "UPSTREAM_STATUS":
            pass  # the model server's own status says whether to try again
        elif error.status < 500 or not find(error.code).retry:
            headers.append(("x-should-retry", "false"))
        elif isinstance(error, OwnError):
            headers.append(("Retry-After", RETRY_AFTER))
        if self.allow:
            headers.append(("Allow", ", ".join(self.allow)))
        await self.start(error.status, headers)
        await self.write(body)
        await self._taken(self._writer.write_eof())

    def last(self) -> None:
        """Close the connection behind this answer. Before `start`."""
        self._keep = False

    def abort(self) -> None:
        """Cut the connection: the caller sees that the answer is not whole."""
        self._keep = False
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    def result(self) -> web.StreamResponse:
        """What aiohttp's handler returns: all has been written already."""
        return KEPT if self._keep else CLOSED


def is_stream(fields: Mapping[str, str]) -> bool:
    """Whether an error can be said within the body: an event stream, and not a compressed one, which it would break."""
    kind, coding = fields.get("content-type", "").lower(), fields.get("content-encoding", "identity")
    return kind.startswith("text/event-stream") and coding.lower() == "identity"


class Written(web.StreamResponse):
    """Tells aiohttp that an answer has gone out, and whether the connection lives on. Stateless."""

    def __init__(self, *, keep: bool) -> None:
        super().__init__()
        self._keep_alive = keep

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


KEPT = Written(keep=True)
CLOSED = Written(keep=False)
