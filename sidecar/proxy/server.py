"""Run both planes: listen, serve until told to stop, drain, close."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sidecar.proxy import logs
from sidecar.proxy.admin import AdminPlane, AdminRunner, admin_app
from sidecar.proxy.app import DataPlane, DataServer

FLUSH = 5.0
"""Seconds that cut off exchanges get to write their outcome."""
REFUSING = 1.0
"""Seconds that refusals on their way get, where nothing else runs."""

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""A closed terminal, or who hopes that the settings are read anew, must not end calls unrecorded either."""

BACKLOG = 1024
FORM = "An address to listen on looks like HOST:PORT or unix:/path/to.sock."
NO_HOST = frozenset("/ ")
OWN_USER, ANY_USER = 0o600, 0o666
"""Who may connect to a Unix socket: other users only where callers are told apart by their user id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where to listen: `host:port` (port 0: any; host `*` or none: all addresses), or `unix:path`. Brackets around an
    IPv6 host.

    A path without a leading slash counts from the working directory; `path` is absolute.
    """

    host: str = ""
    port: int = 0
    path: str | None = None

    @classmethod
    def at(cls, text: str) -> Listen:
        """Raises ValueError."""
        if text.startswith("unix:"):
            return cls(path=absolute(text.removeprefix("unix:")))
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65535 or not NO_HOST.isdisjoint(host):
            raise ValueError(FORM)
        return cls(host="" if host == "*" else host.strip("[]"), port=int(port))

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Where the planes really listen."""

    data: tuple[Listen, ...]
    admin: Listen


def absolute(path: str) -> str:
    """`unix:///run/x` is `/run/x`, too. Raises ValueError for no path."""
    if not path:
        raise ValueError(FORM)
    return "/" + path.lstrip("/") if path.startswith("/") else str(Path.cwd() / path)


@asynccontextmanager
async def listening(data: DataPlane, admin: AdminPlane, at: Sequence[Listen], admin_at: Listen) -> AsyncIterator[Bound]:
    """Both planes, listening. What still runs at the end of the context is cut off, and given time to be recorded."""
    lines = DataServer(data)
    server = web.ServerRunner(lines, shutdown_timeout=FLUSH)
    side = AdminRunner(admin_app(admin), shutdown_timeout=FLUSH)
    try:
        await server.setup()
        await side.setup()
        admin_bound = await listen(side, admin_at, OWN_USER)
        mode = ANY_USER if data.callers.uids else OWN_USER
        yield Bound(data=tuple([await listen(server, one, mode) for one in at]), admin=admin_bound)
    finally:
        for site in server.sites:
            await site.stop()
        await cut_off(lines, data)
        await server.cleanup()
        await side.cleanup()


async def cut_off(server: DataServer, data: DataPlane) -> None:
    """Break every connection that is in use; its handler is cancelled, and records what it must.

    aiohttp's own shutdown cancels without waiting for what a handler does on its way out.
    """
    data.drain.abort()
    if data.drain.running or not await data.drain.empty(REFUSING):
        for line in server.connections:
            if line.transport is not None:
                line.transport.abort()
    if not await data.drain.empty(FLUSH):
        logs.event("exchanges left unrecorded", {"in_flight": data.drain.in_flight}, level=logging.ERROR)


async def listen(runner: web.BaseRunner, at: Listen, mode: int) -> Listen:
    """Open one listener, a Unix socket with these permissions; returns where it is. Raises OSError, with advice."""
    try:
        return await _listen(runner, at, mode)
    except OSError as fault:
        raise OSError(f"cannot listen on {at}: {_why(fault)}; free it, or choose another address") from fault


def _why(fault: OSError) -> str:
    """In the system's words alone: asyncio's repeat the address."""
    if fault.errno is not None and fault.errno > 0:  # those of name lookups are negative
        return os.strerror(fault.errno)
    if str(fault).startswith("could not bind on any address"):  # asyncio from 3.13 on, when the host has none of them
        return os.strerror(errno.EADDRNOTAVAIL)
    return fault.strerror or str(fault)


async def _listen(runner: web.BaseRunner, at: Listen, mode: int) -> Listen:
    if at.path:
        unlink_dead(Path(at.path))
        await web.SockSite(runner, bound_socket(at.path, mode), backlog=BACKLOG).start()
        return at
    site = web.TCPSite(runner, at.host or None, at.port, backlog=BACKLOG)
    await site.start()
    return Listen(host=at.host, port=site.port)


def bound_socket(path: str, mode: int) -> socket.socket:
    """A Unix socket with its permissions before anybody can connect: nobody listens yet. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(path)
        Path(path).chmod(mode)
    except OSError:
        sock.close()
        raise
    return sock


def unlink_dead(path: Path) -> None:
    """Remove a socket that no one listens on. Raises OSError when someone does."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError("another process listens there")


async def serve(
    data: DataPlane,
    admin: AdminPlane,
    *,
    at: Sequence[Listen],
    admin_at: Listen,
    deadline: float,
    started: Callable[[Bound], None],
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT, SIGHUP or `stop`; then drain for at most `deadline` seconds and cut off the rest.

    A second signal cuts off at once. When this returns no exchange runs any more: close the ledger then.
    """
    stop = stop or asyncio.Event()
    async with listening(data, admin, at, admin_at) as bound:
        with_signals(stop, data)
        started(bound)
        logs.event("listening", {"data": [str(one) for one in bound.data], "admin": str(bound.admin)})
        await stop.wait()
        await drained(data, deadline)
    logs.event("stopped")


async def drained(data: DataPlane, deadline: float) -> None:
    data.drain.begin()
    logs.event("draining", {"in_flight": data.drain.running})
    if not await data.drain.settled(deadline):
        why = "drain cut short" if data.drain.aborting else "drain deadline passed"
        logs.event(why, {"in_flight": data.drain.running})


def with_signals(stop: asyncio.Event, data: DataPlane) -> None:
    """The first signal asks to stop, a second one cuts off what still runs. A signal that whoever started us has told
    us to pass over (`nohup`) stays passed over."""
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            data.drain.abort()
        stop.set()

    for number in SIGNALS:
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread: tests
            loop.add_signal_handler(number, asked)
