"""The upstream client: the `forward` port on aiohttp's connections.

What goes out is what was given: no header is added but Host and the framing, nothing is decompressed, no redirect is
followed, no cookie is kept, no proxy or netrc of the environment is read. Nor is a redirect of a governed call passed
back: SDKs follow it by themselves, and would send what the caller wrote, unredacted, past the sidecar.

Idle connections are kept for less than the 5 seconds after which vLLM and SGLang (uvicorn) close theirs: a POST on a
connection that the server is just closing may or may not have been read, so it may not be sent again (RFC 9110 9.2.2).
A connection found closed *before* the first byte was written is another matter: nothing was sent, so the same bytes
go out on the next connection.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, Sequence
from types import TracebackType

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage, StreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader
from multidict import CIMultiDict
from yarl import URL

from sidecar.drivers.upstream_door import Door, UpstreamSettings, Waits, base_of, placed
from sidecar.errors import SidecarError, UpstreamError
from sidecar.model import Outbound

__all__ = ["UpstreamClient", "UpstreamSettings"]

FRAMING = frozenset({"host", "connection", "transfer-encoding", "expect"})
"""Headers that belong to the connection to the upstream, and are written by this client."""

CREDENTIALS = frozenset({"authorization", "x-api-key", "api-key"})
"""Where a caller may put its key (proxy/callers.py): none of them goes on where the sidecar has a key of its own."""

BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods whose requests say nothing of a body when they have none (RFC 9110 8.6)."""

REPEATABLE = BODILESS | {"PUT", "DELETE"}
"""Methods that may be sent twice (RFC 9110 9.2.2)."""

AT_ONCE = 32 * 1024
"""A body up to this size is written without waiting: it fits into the transport's buffer, which is empty."""

SLICE = 256 * 1024
"""Bytes handed to the transport at a time, so that a large body neither blocks the loop nor is copied whole."""

STALE_TRIES = 8
"""Connections found closed before anything was written that are passed over before giving up."""

LONGEST_LINE = 65536

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What may not stand in a header's value (RFC 9110 5.5)."""

FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError)
"""What aiohttp raises where the upstream is at fault."""

HUNG_UP = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)

Headers = Sequence[tuple[str, str]]
Body = bytes | AsyncIterable[bytes]


class UpstreamClient:
    """Sends calls upstream. Use it as an async context manager; it implements `ports.Forward`."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._base = URL(base_of(settings.url))
        self._key = f"Bearer {settings.key}" if settings.key else None
        self._door: Door | None = None

    @property
    def recipient(self) -> str:
        """Host and port (or socket path) that calls go to, for the record."""
        if self._settings.url.startswith("unix:"):
            return self._settings.url
        return self._base.authority

    async def __aenter__(self) -> UpstreamClient:
        self._door = Door(self._settings, self._base)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection. Safe to call twice."""
        door, self._door = self._door, None
        if door is not None:
            await door.close()

    def send(self, outbound: Outbound) -> Sending:
        """Send exactly these bytes. See `ports.Forward`."""
        bare = outbound.method in ("GET", "HEAD") and not outbound.body
        body = None if bare else outbound.body
        return self._sending(outbound.method, outbound.target, outbound.headers, body, governed=True)

    def stream(self, method: str, target: str, headers: Headers, body: AsyncIterable[bytes] | None) -> Sending:
        """Pass a call on as it arrives (routes that are not governed). `body` is read once; None means no body."""
        return self._sending(method, target, headers, body)

    def _sending(
        self, method: str, target: str, headers: Headers, body: Body | None, *, governed: bool = False
    ) -> Sending:
        assert self._door is not None, "use the client as a context manager"
        size = len(body) if isinstance(body, bytes) else None
        fields = request_headers(headers, size, self._key, self._base.host_port_subcomponent)
        frame(fields, method, body)
        return Sending(self._door, method, placed(self._base.raw_path, target), fields, body, governed=governed)


class Sending:
    """One call on its way: an async context manager that yields the reply (`ports.Incoming`)."""

    __slots__ = ("_answered", "_body", "_door", "_governed", "_headers", "_method", "_reply", "_target")

    def __init__(
        self, door: Door, method: str, target: str, headers: CIMultiDict[str], body: Body | None, *, governed: bool
    ) -> None:
        self._door = door
        self._method = method
        self._target = target
        self._headers = headers
        self._body = body
        self._governed = governed
        self._answered = False
        self._reply: Reply | None = None

    async def __aenter__(self) -> Reply:
        again = self._body is None and self._method in REPEATABLE
        for _ in range(STALE_TRIES):
            try:
                connection = await self._door.connection()
                if self._door.is_stale(connection):
                    connection.close()
                    continue
                self._reply = await self._ask(connection)
                return self._reply
            except FAULTS as error:
                if not (again and isinstance(error, HUNG_UP)):
                    raise fault_of(error) from None
                again = False
        raise UpstreamError("UPSTREAM_DISCONNECTED", "The model server closes connections as soon as they are made.")

    async def _ask(self, connection: Connection) -> Reply:
        """Write the call and read the head of its reply. Whatever goes wrong, the upstream feels it at once."""
        protocol = connection.protocol
        assert protocol is not None
        upload: asyncio.Task[None] | None = None
        try:
            protocol.set_response_params(
                skip_payload=self._method == "HEAD",
                read_until_eof=True,
                auto_decompress=False,
                max_line_size=LONGEST_LINE,
                max_field_size=LONGEST_LINE,
            )
            upload = await self._write(protocol)
            message, content = await self._head(protocol)
            if self._governed and 300 <= message.code < 400:
                raise redirected()
            return Reply(connection, message, content, self._door.waits, upload)
        except BaseException:
            cut(connection, upload)
            raise

    async def _write(self, protocol: ResponseHandler) -> asyncio.Task[None] | None:
        """Write the call. A body that may have to wait for the upstream is written while the reply is awaited."""
        writer = StreamWriter(protocol, self._door.loop)
        await writer.write_headers(f"{self._method} {self._target} HTTP/1.1", self._headers)
        body = self._body or b""
        if isinstance(body, bytes) and len(body) <= AT_ONCE:
            await writer.write(body, drain=False)
            self._door.waits.begin(protocol)
            return None
        return self._door.loop.create_task(self._upload(body, writer, protocol))

    async def _upload(self, body: Body, writer: StreamWriter, protocol: ResponseHandler) -> None:
        """Write a body as fast as it is taken; the upstream may take nothing, and from its end on be silent, for so
        long only.

        A fault is told to whoever waits for the head. Where that has come, the reply counts.
        """
        try:
            if isinstance(body, bytes):
                await self._write_slices(body, writer, protocol)
            else:
                await pass_on(writer, body, chunked="Transfer-Encoding" in self._headers)
        except OSError as fault:
            protocol.set_exception(aiohttp.ClientOSError(fault.errno, "the body could not be written"))
        except Exception:  # noqa: BLE001  the body that is passed on has broken off
            protocol.set_exception(aiohttp.ClientConnectionError("the body could not be read"))
        self._wait_anew(protocol)

    async def _write_slices(self, data: bytes, writer: StreamWriter, protocol: ResponseHandler) -> None:
        view = memoryview(data)
        for start in range(0, len(data), SLICE):
            self._wait_anew(protocol)
            await writer.write(view[start : start + SLICE])

    def _wait_anew(self, protocol: ResponseHandler) -> None:
        """Something was taken: the upstream's time begins again, unless it has answered."""
        if not self._answered:
            self._door.waits.end(protocol)
            self._door.waits.begin(protocol)

    async def _head(self, protocol: ResponseHandler) -> tuple[RawResponseMessage, StreamReader]:
        try:
            while True:
                message, content = await protocol.read()
                if message.code >= 200 or message.code == 101:
                    return message, content
        finally:
            self._answered = True
            self._door.waits.end(protocol)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reply is not None:
            self._reply.close()


class Reply:
    """The reply of an upstream (`ports.Incoming`): names and values of headers as they were spelled."""

    __slots__ = ("_closed", "_connection", "_content", "_upload", "_waits", "headers", "status")

    def __init__(
        self,
        connection: Connection,
        message: RawResponseMessage,
        content: StreamReader,
        waits: Waits,
        upload: asyncio.Task[None] | None,
    ) -> None:
        if message.code < 200 or message.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
            raise invalid()
        self.status = message.code
        self.headers = tuple([(name.decode(), text_of(value)) for name, value in message.raw_headers])
        self._connection: Connection | None = connection
        self._content = content
        self._waits = waits
        self._upload = upload
        self._closed: asyncio.Future[None] | None = None
        content.on_eof(self._whole)
        if self._connection is not None and connection.protocol is not None:
            self._closed = connection.protocol.closed
            if self._closed is not None:
                self._closed.add_done_callback(self._lost)

    def _lost(self, _: object) -> None:
        """aiohttp 3.14 leaves a reader waiting for ever when a later chunk is malformed: it tells only the connection.

        When a whole or a cut off body ended, the reader knows already.
        """
        if not self._content.is_eof() and self._content.exception() is None:
            self._content.set_exception(aiohttp.ClientPayloadError("malformed"))

    async def read(self) -> bytes:
        """The next bytes as they came, b"" at the end. Raises UpstreamError."""
        content = self._content
        try:
            if content.is_eof():
                return content.read_nowait()
            self._waits.begin(content)
            try:
                return await content.readany()
            finally:
                self._waits.end(content)
        except FAULTS as error:
            raise fault_of(error) from None

    def _whole(self) -> None:
        """The reply has come whole: the connection is free for the next call, unless this one is still being sent."""
        connection = self._let_go()
        if connection is None:
            return
        if self._upload is None or self._upload.done():
            connection.release()
        else:
            cut(connection, self._upload)

    def close(self) -> None:
        """Cut the connection off at once, unless the reply has come whole."""
        connection = self._let_go()
        if connection is not None:
            cut(connection, self._upload)

    def _let_go(self) -> Connection | None:
        connection, self._connection = self._connection, None
        if self._closed is not None:
            self._closed.remove_done_callback(self._lost)
        return connection


async def pass_on(writer: StreamWriter, body: AsyncIterable[bytes], *, chunked: bool) -> None:
    if chunked:
        writer.enable_chunking()
    async for data in body:
        await writer.write(data)
    await writer.write_eof()


def cut(connection: Connection, upload: asyncio.Task[None] | None = None) -> None:
    """Cut a connection without waiting for what is still unsent."""
    if upload is not None:
        upload.cancel()
    if connection.transport is not None:
        connection.transport.abort()
    connection.close()


def request_headers(
    headers: Headers, size: int | None, authorization: str | None, host: str | None = None
) -> CIMultiDict[str]:
    """The headers as given, in order and spelling, with this hop's own left out and the length set right.

    aiohttp keeps duplicates only when they are spelled alike, so later spellings follow the first.
    """
    out: CIMultiDict[str] = CIMultiDict({"Host": host} if host else {})
    spelled: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in FRAMING or (lower in CREDENTIALS and authorization):
            continue
        if lower == "content-length":
            if lower in spelled:
                continue
            value = value if size is None else str(size)
        out.add(spelled.setdefault(lower, name), value)
    if authorization:
        out["Authorization"] = authorization
    return out


def frame(fields: CIMultiDict[str], method: str, body: Body | None) -> None:
    """Say where the body ends, unless the caller has (RFC 9112 6.3)."""
    if "Content-Length" in fields:
        return
    if isinstance(body, bytes):
        fields["Content-Length"] = str(len(body))
    elif body is not None:
        fields["Transfer-Encoding"] = "chunked"
    elif method not in BODILESS:
        fields["Content-Length"] = "0"


def text_of(value: bytes) -> str:
    """A header's value; bytes that are no UTF-8 are ISO-8859-1, as HTTP once had it (RFC 9110 5.5).

    Raises UpstreamError for control characters, which a lenient parser lets in and nobody may write out.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    if not text.isprintable() and CONTROL.search(text):
        raise invalid()
    return text


def fault_of(error: BaseException) -> SidecarError:
    """Which fault of the upstream an exception of the client is. Never carries the exception's own text."""
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return UpstreamError("UPSTREAM_UNREACHABLE", "No connection to the model server: is it up, is its URL right?")
    if isinstance(error, (aiohttp.ServerTimeoutError, TimeoutError)):
        return UpstreamError("UPSTREAM_TIMEOUT", "The model server sent nothing for too long.", status=504)
    if isinstance(error, (aiohttp.ClientResponseError, HttpProcessingError, ValueError)):
        return invalid()
    if isinstance(error, aiohttp.ClientPayloadError) and not _cut_short(error):
        return invalid()
    return UpstreamError("UPSTREAM_DISCONNECTED", "The model server closed the connection before its reply was whole.")


def redirected() -> UpstreamError:
    return UpstreamError(
        "UPSTREAM_INVALID", "The model server redirects, which is not followed: set upstream.url to where it points."
    )


def invalid() -> UpstreamError:
    return UpstreamError("UPSTREAM_INVALID", "What the model server answered is not HTTP that can be passed on.")


def _cut_short(error: BaseException) -> bool:
    """Whether the body simply ended too early, rather than being malformed."""
    return "Not enough data" in str(error)
