"""The admin plane, on a port of its own: health, metrics, drain, receipts. Nothing here carries content.

The kubelet calls preStop hooks on the pod's address, so this port cannot be loopback only; restrict it by a
NetworkPolicy.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import orjson
from aiohttp import web

from sidecar.errors import SidecarError
from sidecar.proxy import logs
from sidecar.proxy.app import protocol_fault
from sidecar.proxy.callers import ANONYMOUS
from sidecar.proxy.drain import Drain
from sidecar.proxy.meter import CONTENT_TYPE, Meter
from sidecar.proxy.pages import Pages

Receipt = Callable[[str], Awaitable[bytes | None]]
"""A record's id -> its receipt as JSON, or None when there is no such record."""

Ready = Callable[[], bool]
"""Whether everything that a call needs works now (ledger writable, policy loaded)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPlane:
    """What the admin plane shows. `drain_wait` bounds `/drain?wait=1`, in seconds; `pages` says who may not ask it."""

    drain: Drain
    meter: Meter
    receipt: Receipt
    ready: Ready = field(default=lambda: True)
    drain_wait: float = 600.0
    pages: Pages = Pages()

    async def live(self, _: web.Request) -> web.Response:
        """The process runs its loop. Never tied to an upstream: a restart would heal nothing."""
        return told({"status": "live"})

    async def readiness(self, _: web.Request) -> web.Response:
        ready = not self.drain.draining and self.ready()
        reason = "ready" if ready else "draining" if self.drain.draining else "not ready"
        return told({"status": reason}, status=200 if ready else 503)

    async def metrics(self, _: web.Request) -> web.Response:
        self.meter.in_flight.set(self.drain.in_flight)
        self.meter.ready.set(int(not self.drain.draining and self.ready()))
        return web.Response(body=self.meter.page(), headers={"Content-Type": CONTENT_TYPE})

    async def draining(self, request: web.Request) -> web.Response:
        """Stop taking calls; with `wait=1`, answer when the last one has ended or the time is up (503 then).

        Kubelets ask by GET, and so would an image in any web page that somebody on this machine looks at. A page whose
        name leads here (DNS rebinding) sends no `Origin` with a GET, nor a `Sec-Fetch-Site` over plain HTTP: such a
        one has to name this pod by its address or a local name, as kubelets do, wherever the port listens.
        """
        pages = self.pages if request.method == "POST" else replace(self.pages, loopback=True)
        pages.check(request.headers, ANONYMOUS)
        self.drain.begin()
        idle = not self.drain.running
        if request.query.get("wait") == "1":
            idle = await self.drain.idle(self.drain_wait)
        return told({"status": "draining", "in_flight": self.drain.in_flight}, status=200 if idle else 503)

    async def receipts(self, request: web.Request) -> web.Response:
        body = await self.receipt(request.match_info["id"])
        if body is None:
            return told({"error": "RECORD_UNKNOWN"}, status=404)
        return web.Response(body=body, content_type="application/json")


def told(what: dict[str, object], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(what), status=status, content_type="application/json")


@web.middleware
async def without_traces(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Faults of the admin plane are told by code or type, never by text."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return told({"error": error.reason}, status=error.status)
    except SidecarError as error:
        return told({"error": error.code, "advice": error.advice}, status=error.status)
    except Exception as bug:  # noqa: BLE001  an officer's fetch must not end in a traceback
        logs.failure("admin fault", bug)
        return told({"error": "INTERNAL"}, status=503)


def admin_app(plane: AdminPlane) -> web.Application:
    """The routes of the admin port."""
    app = web.Application(middlewares=[without_traces])
    app.router.add_get("/healthz/live", plane.live)
    app.router.add_get("/healthz/ready", plane.readiness)
    app.router.add_get("/metrics", plane.metrics)
    app.router.add_get("/drain", plane.draining)
    app.router.add_post("/drain", plane.draining)
    app.router.add_get("/receipts/{id}", plane.receipts)
    return app


class AdminRunner(web.AppRunner):
    """The admin port's, with our errors for broken HTTP, too: no middleware sees that."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return AdminServer(made.request_handler, request_factory=made.request_factory, access_log=None)


class AdminServer(web.Server):
    """aiohttp's low-level server with our protocol class."""

    def __call__(self) -> web.RequestHandler:
        return AdminLine(self, loop=self._loop, **self._kwargs)


class AdminLine(web.RequestHandler):
    """One connection."""

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  nothing of it is known
        status: int = 500,  # noqa: ARG002  the fault has its own
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  it quotes what was sent
    ) -> web.StreamResponse:
        """The answer to what is not HTTP; our own bugs do not come through `without_traces`."""
        fault = protocol_fault(exc)
        answer = told({"error": fault.code, "advice": fault.advice}, status=fault.status)
        answer.force_close()
        return answer
