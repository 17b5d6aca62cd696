"""`sidecar serve`: Config -> drivers -> ports -> data plane and admin plane, and the way out again."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import orjson

from sidecar.config import Config, ConfigError, Loaded
from sidecar.dialects import routes
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.drivers.clock import SystemClock, SystemEntropy
from sidecar.drivers.inspector import Inspector
from sidecar.drivers.store import Ledger
from sidecar.drivers.upstream import UpstreamClient, UpstreamSettings
from sidecar.errors import CallerError, OwnError, SidecarError
from sidecar.exchange import Exchange
from sidecar.model import Arrival, Caller
from sidecar.plan import UNREAD, House
from sidecar.ports import Ports
from sidecar.proxy import logs
from sidecar.proxy.accept import Limits
from sidecar.proxy.admin import AdminPlane
from sidecar.proxy.answer import HttpAnswer
from sidecar.proxy.app import DataPlane
from sidecar.proxy.drain import Drain
from sidecar.proxy.meter import Meter
from sidecar.proxy.pages import Pages
from sidecar.proxy.server import Bound, Listen, serve
from sidecar.wiring.banner import banner, base_url, is_loopback
from sidecar.wiring.bundles import keep_bundle
from sidecar.wiring.callers import callers_of
from sidecar.wiring.checking import refuse_problems
from sidecar.wiring.detection import inspecting
from sidecar.wiring.engines import AuditMetric, Engine, engine_of
from sidecar.wiring.observe import observe, stepped
from sidecar.wiring.policy_data import listed_names
from sidecar.wiring.receipts import receipt_of
from sidecar.wiring.surrogates import surrogates_of

CONNECTIONS = 1000
"""To the model server beyond those of governed calls: for routes that merely pass, and for idle ones."""
OTHER_FILES = 64
"""The store's, the log's, the workers' pipes, connections that are idle or asked for by auditors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """Everything with a life of its own; opened and closed by `drivers_of`."""

    clock: SystemClock
    entropy: SystemEntropy
    ledger: Ledger
    engine: Engine
    inspector: Inspector
    upstream: UpstreamClient


def run(loaded: Loaded, *, ready_file: Path | None = None) -> int:
    """Serve until a signal. Returns the exit status; faults of the start are told on one line each, with advice.

    Settings are looked at before anything is opened or written. Raises ConfigError.
    """
    refuse_problems(loaded)
    if ready_file is not None and not ready_file.parent.is_dir():
        raise ConfigError(f"--ready-file {ready_file}: there is no folder {ready_file.parent}")
    logs.setup()
    take_files(loaded.config.limits.in_flight)
    try:
        asyncio.run(_run(loaded, ready_file))
    except SidecarError as error:
        sys.stderr.write(f"sidecar: {error.code}: {error.advice}\n")
        return 1
    except (BundleRefused, OSError, ValueError) as error:
        raise ConfigError(said(error)) from error
    return 0


def said(error: Exception) -> str:
    """What an error says; of a file's fault its name and the system's word for it, without the number."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def take_files(calls: int) -> None:
    """All the open files that the system allows. What a shell gives (1024) is kept low for select(2), which nobody uses
    here, and ends at 500 calls: each has two connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS allows no more than it says elsewhere
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    needed = 2 * calls + OTHER_FILES
    if 0 <= soft < needed:
        logs.event("too few open files allowed", {"allowed": soft, "needed": needed}, level=logging.WARNING)


async def _run(loaded: Loaded, ready_file: Path | None) -> None:
    config = loaded.config
    async with drivers_of(config) as drivers:
        data, admin = planes_of(config, drivers)
        settle()

        def started(bound: Bound) -> None:
            say(banner(config, bound, drivers.ledger.vkey, drivers.inspector, drivers.engine.version))
            if ready_file is not None:
                write_ready(ready_file, bound)

        at, admin_at = Listen.at(config.listen), Listen.at(config.admin)
        await serve(data, admin, at=[at], admin_at=admin_at, deadline=config.limits.drain, started=started)


def say(text: str) -> None:
    """On stdout. Where that is closed, full or read by nobody, calls are served all the same."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError) as fault:
        sys.stdout = None  # what it holds back would fail once more at the end, and change the exit status
        logs.failure("start lines not written", fault)


def settle() -> None:
    """Spare the garbage collector what was built at the start: it lives as long as the process.

    Exchanges leave no circles behind, so there is little to collect; at the default threshold the collector took 7 % of
    the CPU under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def write_ready(path: Path, bound: Bound) -> None:
    """The bound addresses, for whoever started us on free ports; whole or not at all."""
    told = {"base_url": base_url(bound.data[0]), "admin_url": f"http://{bound.admin}"}
    part = path.with_suffix(".part")
    part.write_bytes(orjson.dumps(told))
    part.rename(path)


@asynccontextmanager
async def drivers_of(config: Config) -> AsyncIterator[Drivers]:
    """Open what the exchanges need, close it in the opposite order.

    The inspector's worker loads its models, a second's work, while the rest is opened. No call is taken before it has:
    what cannot be loaded is told at the start.
    """
    clock, entropy = SystemClock(stepped), SystemEntropy()
    async with AsyncExitStack() as stack:
        inspector, loaded = await stack.enter_async_context(inspecting(config.detection, clock, entropy))
        engine = await stack.enter_async_context(engine_of(config.policy, clock))
        ledger = await stack.enter_async_context(
            await Ledger.start(
                config.state,
                clock=clock,
                entropy=entropy,
                domain=config.origin,
                software={"sidecar": version("governance-sidecar")},
                told=partial(logs.failure, "ledger failed"),
            )
        )
        keep_bundle(config.state, engine.bundle.sha256, engine.bundle.raw)
        await ledger.policy_loaded(engine.version, "start")
        upstream = await stack.enter_async_context(UpstreamClient(upstream_settings(config)))
        await loaded
        yield Drivers(
            clock=clock, entropy=entropy, ledger=ledger, engine=engine, inspector=inspector, upstream=upstream
        )


def upstream_settings(config: Config) -> UpstreamSettings:
    settings = config.upstream
    return UpstreamSettings(
        url=f"unix:{settings.unix.absolute()}" if settings.unix else settings.url or "",
        key=settings.key,
        ca_file=str(settings.ca) if settings.ca else None,
        connect_timeout=settings.connect_timeout,
        idle_timeout=settings.idle_timeout,
        connections=CONNECTIONS + config.limits.in_flight,
    )


def house_of(config: Config, drivers: Drivers) -> House:
    return House(
        side=config.side,
        provider=config.upstream.kind,
        recipient=drivers.upstream.recipient,
        environment=config.environment,
        surrogates=surrogates_of(config.redaction, drivers.entropy),
        body_limit=config.limits.body,
        text_limit=config.limits.text,
        judge_deadline=config.detection.deadline + config.policy.timeout + 1,
        listed=listed_names(drivers.engine.bundle),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Conductor:
    """What the data plane asks for each call. An exchange is counted and logged however it ends."""

    kind: str
    ports: Ports
    house: House
    meter: Meter
    ledger: Ledger

    async def govern(self, arrival: Arrival, answer: HttpAnswer) -> None:
        done = Exchange(arrival, routes.GOVERNED[self.kind][arrival.route], answer, self.ports, self.house)
        await self._observed(done, done.run())

    async def refuse(self, arrival: Arrival, error: SidecarError, answer: HttpAnswer) -> None:
        refused = self._unread(arrival, answer)
        await self._observed(refused, refused.refuse(error))
        if refused.fault is not None and refused.outcome is None:
            raise refused.fault

    async def leave(self, arrival: Arrival, answer: HttpAnswer) -> None:
        left = self._unread(arrival, answer)
        await self._observed(left, left.abort())

    def _unread(self, arrival: Arrival, answer: HttpAnswer) -> Exchange:
        return Exchange(arrival, UNREAD, answer, self.ports, self.house)

    async def _observed(self, done: Exchange, ending: Awaitable[None]) -> None:
        try:
            await ending
        finally:
            observe(done, self.meter, self.ledger)


def planes_of(config: Config, drivers: Drivers) -> tuple[DataPlane, AdminPlane]:
    """The two apps on their ports."""
    drain, meter = Drain(), Meter(drivers.ledger.size)
    if drivers.engine.audit is not None:
        meter.registry.register(AuditMetric(drivers.engine.audit))
    return data_plane(config, drivers, drain, meter), admin_plane(config, drivers, drain, meter)


def data_plane(config: Config, drivers: Drivers, drain: Drain, meter: Meter) -> DataPlane:
    conductor = Conductor(
        kind=config.upstream.kind,
        ports=ports_of(drivers, drain),
        house=house_of(config, drivers),
        meter=meter,
        ledger=drivers.ledger,
    )
    return DataPlane(
        find=partial(find, config.upstream.kind),
        admit=partial(admit, config, drain),
        govern=conductor.govern,
        refuse=conductor.refuse,
        leave=conductor.leave,
        upstream=drivers.upstream,
        clock=drivers.clock,
        entropy=drivers.entropy,
        watcher=meter,
        drain=drain,
        callers=callers_of(config.callers),
        pages=Pages(
            origins=frozenset(origin.lower() for origin in config.callers.origins),
            loopback=is_loopback(Listen.at(config.listen)),
        ),
        limits=Limits(
            body=config.limits.body,
            held=config.limits.held,
            body_timeout=config.limits.body_timeout,
            reading_timeout=config.limits.reading_timeout,
        ),
    )


def admin_plane(config: Config, drivers: Drivers, drain: Drain, meter: Meter) -> AdminPlane:
    return AdminPlane(
        drain=drain,
        meter=meter,
        receipt=receipt_of(config.state),
        ready=lambda: drivers.ledger.failed is None,
        drain_wait=config.limits.drain,
        pages=Pages(loopback=is_loopback(Listen.at(config.admin))),
    )


def ports_of(drivers: Drivers, drain: Drain) -> Ports:
    return Ports(
        inspect=drivers.inspector,
        decide=drivers.engine,
        record=drivers.ledger,
        forward=drivers.upstream,
        clock=drivers.clock,
        reasons=lambda: drivers.engine.reasons,
        aborted_by=drain.aborted_by,
    )


def admit(config: Config, drain: Drain, caller: Caller) -> None:
    """Before a body is read. Raises OwnError (OVERLOADED), CallerError (CALLER_UNKNOWN)."""
    if drain.in_flight > config.limits.in_flight:
        raise OwnError("OVERLOADED", "Too many exchanges are in flight; send the call again in a moment.")
    if config.callers.required and caller.auth == "anonymous":
        raise CallerError("CALLER_UNKNOWN", "Ask the operator for a key.", status=401)


def find(kind: str, method: str, path: str) -> routes.Route:
    """The route table's word on a call; a wrong method the shell refuses. Raises CallerError (ROUTE_UNKNOWN)."""
    route = routes.match(kind, method, path)
    if route.action is routes.Action.DENY and not route.allow:
        raise CallerError("ROUTE_UNKNOWN", routes.advice(path), status=404)
    return route
