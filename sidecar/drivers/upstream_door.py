"""The way to one upstream: which connections there are, and how long anyone waits on them.

aiohttp's connector keeps and opens the connections. Its ClientSession is not used: what it does for a call (redirects,
cookies, proxies, a task that writes, a timer for each read) cannot change anything here, and was half of the CPU that
passing a call on took.
"""

from __future__ import annotations

import asyncio
import re
import select
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

VERSION = re.compile(r"v\d+(?:(?:alpha|beta)\d*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSettings:
    """Where the model server is and how to reach it. Durations are seconds; `None` for `idle_timeout` waits for ever.

    `url` is `http(s)://host[:port][/path]` (see `base_of`) or `unix:/path/to.sock`. `key` replaces the caller's own.
    `ca_file` is a PEM bundle that replaces the system's.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    connect_timeout: float = 5.0
    idle_timeout: float | None = 900.0
    keepalive: float = 4.0
    connections: int = 2000


class Door:
    """Connections to the upstream, kept while they are idle. Made within the event loop that it belongs to."""

    def __init__(self, settings: UpstreamSettings, base: URL) -> None:
        limit = settings.connect_timeout
        self._connector = connector_of(settings)
        self.loop = asyncio.get_running_loop()
        self._where = aiohttp.ClientRequest("GET", base, loop=self.loop)
        self._patience = aiohttp.ClientTimeout(total=None, connect=2 * limit, sock_connect=limit)
        self._tls = base.scheme == "https"
        self.waits = Waits(settings.idle_timeout)

    async def connection(self) -> Connection:
        """An idle connection, or a new one. Raises aiohttp.ClientError, OSError."""
        try:
            return await self._connector.connect(self._where, [], self._patience)
        except TimeoutError:
            raise aiohttp.ConnectionTimeoutError from None

    def is_stale(self, connection: Connection) -> bool:
        """Whether a connection on which nothing was asked is at its end, or has bytes that nobody wants: a reply that
        came unasked would be taken for the next call's, and so for another caller's.

        The socket is not looked at under TLS, where session tickets come unasked.
        """
        transport, protocol = connection.transport, connection.protocol
        if transport is None or transport.is_closing() or protocol is None or protocol.should_close:
            return True
        return not self._tls and has_news(transport)

    async def close(self) -> None:
        self.waits.close()
        await self._connector.close()


class Impatient(Protocol):
    """Where somebody may wait: a reader or a connection of aiohttp's."""

    def set_exception(self, exc: BaseException) -> None: ...


class Waits:
    """Ends waits that last longer than `seconds`. One timer, for the wait that began first, serves them all."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._since: dict[Impatient, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, who: Impatient) -> None:
        """From now on nothing comes for `who`, until `end`."""
        if self._seconds is None:
            return
        now = self._since[who] = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(now + self._seconds, self._look)

    def end(self, who: Impatient) -> None:
        self._since.pop(who, None)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """Waits stand in the order in which they began: look at the first until one may go on."""
        assert self._seconds is not None
        self._timer = None
        while self._since:
            who, since = next(iter(self._since.items()))
            if since + self._seconds > self._loop.time():
                self._timer = self._loop.call_at(since + self._seconds, self._look)
                return
            del self._since[who]
            who.set_exception(aiohttp.SocketTimeoutError("nothing came"))


def has_news(transport: asyncio.BaseTransport) -> bool:
    sock = transport.get_extra_info("socket")
    if sock is None:
        return False
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def base_of(url: str) -> str:
    """What stands for the `/v1` of a target, as an SDK's base URL does. A URL whose path names a version is one already
    (`/openai/v1`, Gemini's `/v1beta/openai`, `/api/paas/v4`); any other lacks its `/v1`.

    Raises ValueError for anything but http, https and unix URLs, and for one with a blank: of `http://api .example` the
    parser makes a host that there is not, of a tab or a line break none at all.
    """
    if url.startswith("unix:"):
        return "http://localhost/v1"
    parts = URL(url)
    odd = any(map(str.isspace, url)) or not parts.host or not parts.port or parts.query_string or parts.fragment
    if parts.scheme not in ("http", "https") or odd:
        raise ValueError("An upstream URL looks like http://host:port, https://host/v1 or unix:/path/to.sock.")
    if parts.user or parts.password:
        raise ValueError("Give the upstream's key as a setting of its own, not inside the URL.")
    base = str(parts).rstrip("/")
    return base if any(VERSION.fullmatch(step) for step in parts.parts) else f"{base}/v1"


def placed(base: str, target: str) -> str:
    """Where a target goes; one that is no API's (`/health`) stands beside it."""
    return base + target.removeprefix("/v1") if target.startswith("/v1/") else base.removesuffix("/v1") + target


def connector_of(settings: UpstreamSettings) -> aiohttp.BaseConnector:
    limits: Mapping[str, Any] = {"limit": settings.connections, "keepalive_timeout": settings.keepalive}
    if settings.url.startswith("unix:"):
        return aiohttp.UnixConnector(path="/" + settings.url.removeprefix("unix:").lstrip("/"), **limits)
    context = ssl.create_default_context(cafile=settings.ca_file) if settings.url.startswith("https:") else True
    return aiohttp.TCPConnector(ssl=context, ttl_dns_cache=10, **limits)
