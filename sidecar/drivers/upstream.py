"""The upstream client: the `forward` port on an aiohttp ClientSession.

What goes out is what was given: aiohttp's own Accept, Accept-Encoding, User-Agent and Content-Type are switched off,
nothing is decompressed, no redirect is followed, no cookie is kept, no proxy or netrc of the environment is read.

Idle connections are kept for less than the 5 seconds after which vLLM and SGLang (uvicorn) close theirs: a POST on a
connection that the server is just closing may or may not have been read, so it may not be sent again (RFC 9110 9.2.2).
A connection found closed *before* the first byte was written is another matter: nothing was sent, so the same bytes
go out on the next connection.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp import payload
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from sidecar.errors import SidecarError, UpstreamError
from sidecar.model import Outbound

OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What aiohttp would add of its own accord."""

FRAMING = frozenset({"host", "connection", "transfer-encoding", "expect"})
"""Headers that belong to the connection to the upstream, and are written by this client."""

SLICE = 256 * 1024
"""Bytes handed to the transport at a time, so that a large body neither blocks the loop nor is copied whole."""

STALE_TRIES = 8
"""Connections found closed before anything was written that are passed over before giving up."""

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSettings:
    """Where the model server is and how to reach it. Durations are seconds; `None` for `idle_timeout` waits for ever.

    `url` is `http(s)://host[:port][/prefix][/v1]` or `unix:/path/to.sock`. `key` replaces the caller's Authorization.
    `ca_file` is a PEM bundle that replaces the system's.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    connect_timeout: float = 5.0
    idle_timeout: float | None = 900.0
    keepalive: float = 4.0
    connections: int = 2000


class UpstreamClient:
    """Sends calls upstream. Use it as an async context manager; it implements `ports.Forward`."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._base = base_of(settings.url)
        self._key = f"Bearer {settings.key}" if settings.key else None
        self._session: aiohttp.ClientSession | None = None

    @property
    def recipient(self) -> str:
        """Host and port (or socket path) that calls go to, for the record."""
        if self._settings.url.startswith("unix:"):
            return self._settings.url
        return URL(self._base).authority

    async def __aenter__(self) -> UpstreamClient:
        self._session = aiohttp.ClientSession(
            connector=connector_of(self._settings),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=OWN_HEADERS,
            auto_decompress=False,
            max_line_size=65536,
            max_field_size=65536,
            timeout=aiohttp.ClientTimeout(
                total=None,
                connect=2 * self._settings.connect_timeout,
                sock_connect=self._settings.connect_timeout,
                sock_read=self._settings.idle_timeout,
            ),
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection. Safe to call twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def send(self, outbound: Outbound) -> Sending:
        """Send exactly these bytes. See `ports.Forward`."""
        bare = outbound.method in ("GET", "HEAD") and not outbound.body
        return self._sending(outbound.method, outbound.target, outbound.headers, None if bare else outbound.body)

    def stream(self, method: str, target: str, headers: Headers, body: AsyncIterator[bytes] | None) -> Sending:
        """Pass a call on as it arrives (routes that are not governed). `body` is read once; None means no body."""
        return self._sending(method, target, headers, body)

    def _sending(
        self, method: str, target: str, headers: Headers, body: bytes | AsyncIterator[bytes] | None
    ) -> Sending:
        assert self._session is not None, "use the client as a context manager"
        url = URL(self._base + target, encoded=True)
        size = len(body) if isinstance(body, bytes) else None
        return Sending(self._session, method, url, request_headers(headers, size, self._key), body)


class Sending:
    """One call on its way: an async context manager that yields the reply (`ports.Incoming`)."""

    __slots__ = ("_body", "_headers", "_method", "_reply", "_session", "_url")

    def __init__(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        headers: CIMultiDict[str],
        body: bytes | AsyncIterator[bytes] | None,
    ) -> None:
        self._session = session
        self._method = method
        self._url = url
        self._headers = headers
        self._body = body
        self._reply: Reply | None = None

    async def __aenter__(self) -> Reply:
        for _ in range(STALE_TRIES):
            body = None if self._body is None else Exactly(self._body)
            try:
                self._reply = Reply(await self._request(body))
                return self._reply
            except (aiohttp.ClientError, OSError, ValueError) as error:
                if body is None or not body.stale:
                    raise fault_of(error) from None
            except BaseException:  # a cancellation above all: the upstream must feel it at once
                if body is not None:
                    body.abort()
                raise
        raise UpstreamError("UPSTREAM_DISCONNECTED", "The model server closes connections as soon as they are made.")

    async def _request(self, body: Exactly | None) -> aiohttp.ClientResponse:
        return await self._session.request(
            self._method, self._url, headers=self._headers, data=body, allow_redirects=False
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reply is not None:
            self._reply.close()


class Reply:
    """The reply of an upstream (`ports.Incoming`): names and values of headers as they were spelled."""

    __slots__ = ("_closed", "_content", "_response", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        if response.status < 200 or response.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
            response.close()
            raise invalid()
        self.status = response.status
        self.headers = tuple(
            (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
            for name, value in response.raw_headers
        )
        self._response = response
        self._content = response.content
        self._closed = closing(response)
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
        try:
            return await self._content.readany()
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise fault_of(error) from None

    def close(self) -> None:
        """Give the connection back if the reply was read to its end, else cut it off at once."""
        if self._closed is not None:
            self._closed.remove_done_callback(self._lost)
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()


def closing(response: aiohttp.ClientResponse) -> asyncio.Future[None] | None:
    """The future of the connection's end; None when the reply is whole already."""
    connection = response.connection
    if connection is None or connection.protocol is None:
        return None
    return connection.protocol.closed


class Exactly(payload.Payload):
    """A request body that knows whether any of it may have left this process.

    `stale` is set when the connection was found closed before the first write: the head is written together with the
    first bytes of the body, so nothing at all has been sent then.
    """

    _value: bytes | AsyncIterator[bytes]

    def __init__(self, value: bytes | AsyncIterator[bytes]) -> None:
        super().__init__(value, content_type="application/octet-stream")
        self._size = len(value) if isinstance(value, bytes) else None
        self._transport: asyncio.WriteTransport | None = None
        self.stale = False

    def abort(self) -> None:
        """Cut the connection without waiting for what is still unsent."""
        if self._transport is not None:
            self._transport.abort()

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:  # noqa: ARG002
        transport = self._transport = writer.transport
        if transport is None or transport.is_closing() or has_news(transport):
            self.stale = True
            raise aiohttp.ClientConnectionResetError("closed before anything was written")
        if isinstance(self._value, bytes):
            await write_slices(writer, self._value)
        else:
            async for data in self._value:
                await writer.write(data)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002  an abstract method
        raise TypeError("a body on its way is bytes")


async def write_slices(writer: AbstractStreamWriter, data: bytes) -> None:
    if len(data) <= SLICE:
        await writer.write(data)
        return
    view = memoryview(data)
    for start in range(0, len(data), SLICE):
        await writer.write(view[start : start + SLICE])


def has_news(transport: asyncio.BaseTransport) -> bool:
    """Whether a connection on which nothing was asked has something to read: its end, or bytes that nobody wants.

    Not looked at under TLS, where session tickets come unasked.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or transport.get_extra_info("sslcontext") is not None:
        return False
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def base_of(url: str) -> str:
    """The part of the URL that stands before every target: targets bring their own `/v1`.

    Raises ValueError for anything but http, https and unix URLs.
    """
    if url.startswith("unix:"):
        return "http://localhost"
    parts = URL(url)
    if parts.scheme not in ("http", "https") or not parts.host or parts.query_string or parts.fragment:
        raise ValueError("An upstream URL looks like http://host:port, https://host/v1 or unix:/path/to.sock.")
    if parts.user or parts.password:
        raise ValueError("Give the upstream's key as a setting of its own, not inside the URL.")
    return str(parts).rstrip("/").removesuffix("/v1").rstrip("/")


def connector_of(settings: UpstreamSettings) -> aiohttp.BaseConnector:
    limits: Mapping[str, Any] = {"limit": settings.connections, "keepalive_timeout": settings.keepalive}
    if settings.url.startswith("unix:"):
        return aiohttp.UnixConnector(path="/" + settings.url.removeprefix("unix:").lstrip("/"), **limits)
    context = ssl.create_default_context(cafile=settings.ca_file) if settings.url.startswith("https:") else True
    return aiohttp.TCPConnector(ssl=context, ttl_dns_cache=10, **limits)


def request_headers(headers: Headers, size: int | None, authorization: str | None) -> CIMultiDict[str]:
    """The headers as given, in order and spelling, with this hop's own left out and the length set right.

    aiohttp keeps duplicates only when they are spelled alike, so later spellings follow the first.
    """
    out: CIMultiDict[str] = CIMultiDict()
    spelled: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in FRAMING or (lower == "authorization" and authorization):
            continue
        if lower == "content-length":
            if lower in spelled:
                continue
            value = value if size is None else str(size)
        out.add(spelled.setdefault(lower, name), value)
    if authorization:
        out["Authorization"] = authorization
    return out


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


def invalid() -> UpstreamError:
    return UpstreamError("UPSTREAM_INVALID", "What the model server answered is not HTTP that can be passed on.")


def _cut_short(error: BaseException) -> bool:
    """Whether the body simply ended too early, rather than being malformed."""
    return "Not enough data" in str(error)
