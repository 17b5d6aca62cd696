"""A data plane on loopback for the tests of the shell; a few lines stand for the conductor."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sidecar.drivers.upstream import UpstreamClient, UpstreamSettings
from sidecar.errors import CallerError, SidecarError
from sidecar.model import Arrival, Outbound
from sidecar.proxy.accept import Limits
from sidecar.proxy.answer import HttpAnswer
from sidecar.proxy.app import DataPlane, DataServer, Route
from sidecar.proxy.callers import Callers
from sidecar.proxy.drain import Drain
from sidecar.proxy.meter import Meter

NOWHERE = "http://127.0.0.1:9"
PASSED = {"/health", "/v1/models", "/metrics"}
GOVERNED = {"/v1/chat/completions"}


class Ticks:
    """A clock that goes on by a millisecond a look."""

    def __init__(self) -> None:
        self._now = itertools.count(1_700_000_000_000_000, 1000)

    def now(self) -> int:
        return next(self._now)

    def monotonic(self) -> float:
        return time.perf_counter()


class Ones:
    def token(self, size: int) -> bytes:
        return b"\x11" * size


def find(method: str, path: str) -> Route:
    if path in GOVERNED:
        return Route(template=path, allow=() if method == "POST" else ("POST",))
    if path in PASSED:
        return Route(template=path, passes=True)
    raise CallerError("ROUTE_UNKNOWN", "This path is not governed, so it is not forwarded.", status=404)


Handler = Callable[[Arrival, HttpAnswer], Awaitable[None]]


class Shell:
    """The running plane: where it listens, what it was given, what it refused."""

    def __init__(self, client: UpstreamClient, handler: Handler | None, **settings: Any) -> None:
        self.client = client
        self.handler = handler or self.forward
        self.arrivals: list[Arrival] = []
        self.refused: list[tuple[Arrival, SidecarError]] = []
        self.drain = Drain()
        self.meter = Meter()
        self.plane = DataPlane(
            find=find,
            govern=self.govern,
            refuse=self.refuse,
            upstream=client,
            clock=Ticks(),
            entropy=Ones(),
            watcher=self.meter,
            drain=self.drain,
            **settings,
        )
        self.port = 0
        self.path: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def govern(self, arrival: Arrival, route: Route, answer: HttpAnswer) -> None:
        self.arrivals.append(arrival)
        await self.handler(arrival, answer)

    async def refuse(self, arrival: Arrival, error: SidecarError) -> None:
        self.refused.append((arrival, error))

    async def forward(self, arrival: Arrival, answer: HttpAnswer) -> None:
        """Stands for the conductor: sends what came, answers what comes."""
        try:
            await self._forward(arrival, answer)
        except SidecarError as error:
            await answer.fail(error)

    async def _forward(self, arrival: Arrival, answer: HttpAnswer) -> None:
        outbound = Outbound(method=arrival.method, target=arrival.target, headers=arrival.headers, body=arrival.body)
        async with self.client.send(outbound) as reply:
            await answer.start(reply.status, reply.headers)
            while data := await reply.read():
                await answer.write(data)
        await answer.end()

    def metric(self, name: str, **labels: str) -> float:
        return self.meter.registry.get_sample_value(f"sidecar_{name}", labels) or 0.0


@asynccontextmanager
async def shell(
    upstream: str = NOWHERE,
    handler: Handler | None = None,
    *,
    unix: str | None = None,
    idle: float | None = 5.0,
    limits: Limits | None = None,
    callers: Callers | None = None,
) -> AsyncIterator[Shell]:
    """A data plane in front of `upstream`."""
    async with UpstreamClient(UpstreamSettings(url=upstream, idle_timeout=idle, connect_timeout=1.0)) as client:
        running = Shell(client, handler, limits=limits or Limits(), callers=callers or Callers())
        runner = web.ServerRunner(DataServer(running.plane), shutdown_timeout=1.0)
        await runner.setup()
        try:
            if unix:
                await web.UnixSite(runner, unix).start()
                running.path = unix
            else:
                site = web.TCPSite(runner, "127.0.0.1", 0)
                await site.start()
                running.port = site.port
            yield running
        finally:
            await runner.cleanup()
