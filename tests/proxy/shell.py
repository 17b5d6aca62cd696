"""A data plane on loopback for the tests of the shell; a few lines stand for the conductor."""

from __future__ import annotations

import io
import itertools
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from sidecar.dialects.routes import Action, Route
from sidecar.drivers.upstream import UpstreamClient, UpstreamSettings
from sidecar.errors import CallerError, SidecarError
from sidecar.model import Arrival, Caller, Outbound
from sidecar.proxy import logs
from sidecar.proxy.accept import Limits
from sidecar.proxy.answer import HttpAnswer
from sidecar.proxy.app import DataPlane, DataServer
from sidecar.proxy.callers import Callers
from sidecar.proxy.drain import Drain
from sidecar.proxy.meter import Meter
from sidecar.proxy.pages import Pages

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
        return Route(Action.GOVERN, path) if method == "POST" else Route(Action.DENY, path, allow=("POST",))
    if path in PASSED:
        return Route(Action.PASS, path)
    raise CallerError("ROUTE_UNKNOWN", "This path is not governed, so it is not forwarded.", status=404)


Handler = Callable[[Arrival, HttpAnswer], Awaitable[None]]


class Shell:
    """The running plane: where it listens, what it was given, what it refused."""

    def __init__(self, client: UpstreamClient, handler: Handler | None, **settings: Any) -> None:
        self.client = client
        self.handler = handler or self.forward
        self.arrivals: list[Arrival] = []
        self.refused: list[tuple[Arrival, SidecarError]] = []
        self.left: list[Arrival] = []
        self.unrecorded: SidecarError | None = None
        self.admit: Callable[[Caller], None] = lambda _: None
        self.drain = Drain()
        self.meter = Meter()
        self.plane = DataPlane(
            find=find,
            admit=lambda caller: self.admit(caller),
            govern=self.govern,
            refuse=self.refuse,
            leave=self.leave,
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

    async def govern(self, arrival: Arrival, answer: HttpAnswer) -> None:
        self.arrivals.append(arrival)
        answer.record = arrival.id
        await self.handler(arrival, answer)

    async def refuse(self, arrival: Arrival, error: SidecarError, answer: HttpAnswer) -> None:
        self.refused.append((arrival, error))
        if self.unrecorded is not None:
            raise self.unrecorded
        answer.record = arrival.id

    async def leave(self, arrival: Arrival, answer: HttpAnswer) -> None:
        self.left.append(arrival)

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


class Written(io.StringIO):
    """What the log has written, once its thread has written it."""

    def getvalue(self) -> str:
        logging.getLogger().handlers[0].flush()
        return super().getvalue()


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Every logger writes here."""
    root, out = logging.getLogger(), Written()
    before, level = root.handlers[:], root.level
    handler = logs.setup(out)
    try:
        yield out
    finally:
        handler.close()
        root.handlers[:] = before
        root.setLevel(level)


@asynccontextmanager
async def shell(
    upstream: str = NOWHERE,
    handler: Handler | None = None,
    *,
    unix: str | None = None,
    idle: float | None = 5.0,
    limits: Limits | None = None,
    callers: Callers | None = None,
    pages: Pages | None = None,
) -> AsyncIterator[Shell]:
    """A data plane in front of `upstream`."""
    async with UpstreamClient(UpstreamSettings(url=upstream, idle_timeout=idle, connect_timeout=1.0)) as client:
        more = {"callers": callers or Callers(), "pages": pages or Pages()}
        running = Shell(client, handler, limits=limits or Limits(), **more)
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
