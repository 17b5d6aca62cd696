"""The data plane: one handler on aiohttp's low-level server, for every route.

The low-level server (`web.Server`) is used instead of an Application: there is nothing to route, no middleware to run,
and its protocol class can be replaced, which is how faults that aiohttp answers by itself get our error too.
`handler_cancellation` is on: a caller who leaves must be felt by the model server (guarantee 7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpRequestParser, RawRequestMessage
from aiohttp.http_exceptions import LineTooLong

from sidecar.dialects.routes import Route
from sidecar.errors import CallerError, OwnError, SidecarError, UpstreamError, as_error
from sidecar.model import Arrival, Caller
from sidecar.ports import Clock, Entropy
from sidecar.proxy.accept import Held, Limits, Passing, asserted_by, expect_continue, read_body, target_of, too_slow
from sidecar.proxy.answer import CLOSED, HttpAnswer, Written
from sidecar.proxy.callers import ANONYMOUS, Callers, peer_of
from sidecar.proxy.drain import Drain
from sidecar.proxy.headers import Headers, request_headers, spelled
from sidecar.proxy.ids import uuid7
from sidecar.proxy.pages import Pages

UNROUTED = "unknown"


class Upstream(Protocol):
    """What passing needs of the upstream client (`drivers.upstream.UpstreamClient.stream`)."""

    def stream(self, method: str, target: str, headers: Headers, body: Any) -> Any: ...


class Watcher(Protocol):
    """Who is told what happened: metrics and the log. Never content."""

    def passed(self, route: str, status: int, fault: SidecarError | None = None) -> None: ...

    def protocol_error(self, code: str) -> None: ...

    def aborted(self) -> None: ...

    def bug(self, error: BaseException) -> None: ...


Find = Callable[[str, str], Route]
"""Method and path -> route; the shell refuses one with `allow`. Raises CallerError (ROUTE_UNKNOWN, 404)."""

Admit = Callable[[Caller], None]
"""Asked before a body is read. Raises SidecarError for a caller who is not let in, or not now."""

Govern = Callable[[Arrival, HttpAnswer], Awaitable[None]]
"""Answers one call and records it. May raise CancelledError when the caller has gone."""

Refuse = Callable[[Arrival, SidecarError, HttpAnswer], Awaitable[None]]
"""Records and counts a call that the shell refuses: unknown route, bad head, body too large. The shell answers it.

Names the record in the answer once there is one. Raises SidecarError when it cannot be recorded, and CancelledError
when the caller has gone meanwhile.
"""

Leave = Callable[[Arrival, HttpAnswer], Awaitable[None]]
"""Records and counts a call whose caller has gone, or was cut off, before its body had come whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlane:
    """Everything the handler needs. `handle` is the handler."""

    find: Find
    admit: Admit
    govern: Govern
    refuse: Refuse
    leave: Leave
    upstream: Upstream
    clock: Clock
    entropy: Entropy
    watcher: Watcher
    drain: Drain
    callers: Callers = field(default_factory=Callers)
    pages: Pages = Pages()
    limits: Limits = Limits()
    held: Held = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "held", Held(self.limits.held))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request, from the head to the last byte. Raises only CancelledError."""
        late = self.drain.enter()
        try:
            return await self._handle(request)
        except (ConnectionError, asyncio.CancelledError):
            self.watcher.aborted()
            raise
        finally:
            self.drain.leave(late)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = HttpAnswer(request, patience=self.limits.reading_timeout)
        template = UNROUTED
        try:
            target = target_of(request)
            route = self.find(request.method, target.partition("?")[0])
            template, answer.allow = route.template, route.allow
            if route.allow:
                raise CallerError("METHOD_NOT_ALLOWED", "Use a method that `Allow` names.", status=405)
            if route.passes:
                await self._pass(request, route, target, answer)
            else:
                await self._govern(request, route, target, answer)
        except SidecarError as error:
            await self.turn_away(self._stub(request, template), error, answer)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as bug:  # noqa: BLE001  ours: the caller gets a 503, the log a type and a line
            self.watcher.bug(bug)
            await self.turn_away(self._stub(request, template), as_error(bug), answer)
        return answer.result()

    async def _govern(self, request: web.BaseRequest, route: Route, target: str, answer: HttpAnswer) -> None:
        if self.drain.draining:
            raise draining()
        headers = spelled(request.raw_headers)
        caller = self._let_in(request, headers)
        arrival = partial(
            Arrival,
            id=uuid7(self.clock, self.entropy),
            at=self.clock.now(),
            method=request.method,
            route=route.template,
            target=target,
            headers=request_headers(headers, self.callers.dropped),
            caller=caller,
            asserted=asserted_by(headers),
        )
        with self.held.share() as take:
            try:
                body = await read_body(request, self.limits, take)
            except SidecarError as error:
                await self.turn_away(arrival(body=b""), error, answer)
            except (ConnectionError, asyncio.CancelledError):
                await self.leave(arrival(body=b""), answer)
                raise
            else:
                await self.govern(arrival(body=body), answer)

    def _let_in(self, request: web.BaseRequest, headers: Headers) -> Caller:
        """Who called. Raises SidecarError for one who is not let in."""
        caller = self.callers.identify(headers, lambda: peer_of(request.transport))
        self.pages.check(request.headers, caller)
        self.admit(caller)
        return caller

    async def _pass(self, request: web.BaseRequest, route: Route, target: str, answer: HttpAnswer) -> None:
        """Forward as it comes, both ways; nothing is recorded, and an error bears no record's id."""
        fault = None
        try:
            if self.drain.draining:
                raise draining()
            if not route.open:
                self._let_in(request, spelled(request.raw_headers))
            await self._relay(request, target, answer)
        except SidecarError as error:
            fault = error
            answer.last()
            await answer.fail(error)
        self.watcher.passed(route.template, answer.status or 0, fault)

    async def _relay(self, request: web.BaseRequest, target: str, answer: HttpAnswer) -> None:
        await expect_continue(request)
        headers = request_headers(spelled(request.raw_headers), self.callers.dropped)
        body = Passing(request, self.limits) if request.can_read_body else None
        try:
            async with self.upstream.stream(request.method, target, headers, body) as reply:
                await answer.start(reply.status, reply.headers)
                answer.flush()
                while data := await reply.read():
                    await answer.write(data)
        except UpstreamError:
            if body is not None and body.late:
                raise too_slow() from None
            raise
        await answer.end()

    async def turn_away(self, arrival: Arrival, error: SidecarError, answer: HttpAnswer) -> None:
        """Record and answer what the shell itself refuses. The rest of the request is not read: close behind it."""
        if not answer.started:
            answer.last()
            error = await self._record(arrival, error, answer)
        await answer.fail(error)

    async def _record(self, arrival: Arrival, error: SidecarError, answer: HttpAnswer) -> SidecarError:
        """Record a refusal; returns the error to answer with, which is ours when it could not be recorded."""
        try:
            await self.refuse(arrival, error, answer)
        except SidecarError as fault:
            return fault
        except Exception as bug:  # noqa: BLE001  as in _handle
            self.watcher.bug(bug)
            return as_error(bug)
        return error

    def _stub(self, request: web.BaseRequest, template: str) -> Arrival:
        """What is known of a call whose head could not be accepted: who called, but no headers and no target."""
        return Arrival(
            id=uuid7(self.clock, self.entropy),
            at=self.clock.now(),
            method=request.method,
            route=template,
            target="",
            headers=(),
            body=b"",
            caller=self._caller(request),
        )

    def _caller(self, request: web.BaseRequest) -> Caller:
        """Who called; nobody known where a proxy's word is ambiguous, or the connection cannot be asked any more."""
        try:
            return self.callers.identify(spelled(request.raw_headers), lambda: peer_of(request.transport))
        except (CallerError, OSError):
            return ANONYMOUS

    async def turn_away_broken(self, request: web.BaseRequest, error: SidecarError) -> None:
        """Record and answer what was not HTTP. In flight like any other: at the end it is waited for."""
        late = self.drain.enter()
        try:
            await self.turn_away(self._stub(request, UNROUTED), error, HttpAnswer(request))
        finally:
            self.drain.leave(late)


def draining() -> OwnError:
    return OwnError("DRAINING", "This sidecar is shutting down; send the call again, it will reach another.")


class DataServer(web.Server):
    """aiohttp's low-level server with our protocol class."""

    def __init__(self, plane: DataPlane) -> None:
        limits = plane.limits
        super().__init__(
            plane.handle,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.keepalive,
            lingering_time=limits.lingering,
            max_line_size=limits.line,
            max_field_size=limits.header,
            max_headers=limits.headers,
        )
        self.plane = plane

    def __call__(self) -> web.RequestHandler:
        return Line(self, loop=self._loop, **self._kwargs)


BEHIND = 65_536
"""Bytes that may come behind a call that waits for its turn on its connection; more stay with who sends them."""


class OneByOne(HttpRequestParser):
    """Reads on only when a call has been taken up: aiohttp's parser drops what it has read of whole calls when garbage
    follows in the same packet. That is now answered as if it had come by itself: after the call.
    """

    line: Line

    def message_consumed(self) -> None:
        super().message_consumed()
        self.line.taken_up()


class Line(web.RequestHandler):
    """One connection. Adds to aiohttp's: our errors for broken HTTP, and an end to bodies that break inside."""

    __slots__ = ("_behind", "_plane")

    def __init__(self, manager: DataServer, **kwargs: Any) -> None:
        super().__init__(manager, **kwargs)
        self._plane = manager.plane
        self._behind = 0
        self._msg_queue_resume_size = 0
        self._parser = OneByOne(
            self,
            self._loop,
            self._read_bufsize,
            max_line_size=self.max_line_size,
            max_field_size=self.max_field_size,
            max_headers=self.max_headers,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,
            max_msg_queue_size=1,
        )
        self._parser.line = self

    def taken_up(self) -> None:
        """A call has left the queue; what came with it may hold the next."""
        self._behind = 0
        self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        if self._messages:
            self._behind += len(data)
            if self._behind > BEHIND:
                self._pause_reading_for_buffer()
        super().data_received(data)
        if self._messages and not isinstance(self._messages[-1][0], RawRequestMessage):
            self._break_body()

    def _break_body(self) -> None:
        """aiohttp 3.14 queues a malformed chunk as the next request, and leaves the handler waiting for its body."""
        request = self._current_request
        if request is not None and not request.content.is_eof():
            request.content.set_exception(web.RequestPayloadError("malformed"))
            request.content.feed_eof()  # so that aiohttp does not linger for the rest

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  nothing of it is known
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  it quotes what the caller sent
    ) -> web.StreamResponse:
        """The answer to what is not HTTP (and to our own bugs, which `DataPlane.handle` does not let through)."""
        if status >= 500 and exc is not None:
            self._plane.watcher.bug(exc)
            return CLOSED
        error = protocol_fault(exc)
        self._plane.watcher.protocol_error(error.code)
        return Broken(self._plane, error)


def protocol_fault(fault: BaseException | None) -> CallerError:
    if isinstance(fault, LineTooLong):
        return CallerError("PROTOCOL_ERROR", "Send a shorter target and smaller headers.", status=431)
    return CallerError("PROTOCOL_ERROR", "What was sent is not HTTP/1.1: look at lengths, chunks and header names.")


class Broken(Written):
    """An answer that records and writes itself when aiohttp asks for it, since `handle_error` may not wait."""

    def __init__(self, plane: DataPlane, error: SidecarError) -> None:
        super().__init__(keep=False)
        self._plane = plane
        self._error = error

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        await self._plane.turn_away_broken(request, self._error)
        return None
