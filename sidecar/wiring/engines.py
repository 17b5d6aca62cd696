"""The policy engine that configuration asks for: embedded, or a real OPA server; the one may watch the other."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from sidecar.config import PolicySettings
from sidecar.drivers import bundle as bundles
from sidecar.drivers.bundle import Bundle
from sidecar.drivers.bundle_signature import Verifier
from sidecar.drivers.opa_server import OpaServer, WithFallback
from sidecar.drivers.policy_auditor import Auditor, Counts, Difference
from sidecar.drivers.rego_engine import LIMITS, SLOW_US, RegoEngine, default_bundle, version_of
from sidecar.model import PolicyVersion
from sidecar.policy import Reason
from sidecar.ports import Clock, Decide, EngineAnswer
from sidecar.proxy import logs
from sidecar.rego import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What decides, and the bundle that it runs: for the reason codes, and for the start's record."""

    decider: Decide
    bundle: Bundle
    version: PolicyVersion

    @property
    def reasons(self) -> Mapping[str, Reason]:
        return self.bundle.reasons

    @property
    def audit(self) -> Counts | None:
        """How the second engine's answers compared so far, None where none is asked."""
        return self.decider.counts if isinstance(self.decider, Auditor) else None

    def decide(self, document: Mapping[str, Any]) -> Coroutine[Any, Any, EngineAnswer]:
        return self.decider.decide(document)


def bundle_of(settings: PolicySettings) -> Bundle:
    """The bundle in force, with the deployment's data laid over it. Raises BundleRefused."""
    if settings.bundle is None:
        found = default_bundle()
    else:
        found = bundles.read(settings.bundle, None if settings.key is None else Verifier(settings.key.read_bytes()))
    return bundles.with_config(found, settings.data)


@asynccontextmanager
async def engine_of(settings: PolicySettings, clock: Clock) -> AsyncIterator[Engine]:
    """For settings that wiring/checking.py found nothing against. Raises BundleRefused."""
    bundle = bundle_of(settings)
    async with AsyncExitStack() as stack:
        decider, about = await _decider(settings, bundle, clock, stack)
        if settings.audit_url is not None:
            judge = await stack.enter_async_context(_server(settings.audit_url, settings, bundle, clock))
            auditor = Auditor(engine=decider, judge=judge, report=told, every=settings.audit_every)
            decider = await stack.enter_async_context(auditor)
        yield Engine(decider=decider, bundle=bundle, version=about)


async def _decider(
    settings: PolicySettings, bundle: Bundle, clock: Clock, stack: AsyncExitStack
) -> tuple[Decide, PolicyVersion]:
    """What decides, and what the start's record says of it."""
    limits = replace(LIMITS, deadline_s=settings.timeout)
    if settings.engine == "embedded":
        embedded = _embedded(bundle, clock, limits)
        return embedded, embedded.version
    assert settings.opa_url is not None, "checking.py says so"
    server: Decide = await stack.enter_async_context(_server(settings.opa_url, settings, bundle, clock))
    if settings.fallback:
        server = WithFallback(server, _embedded(bundle, clock, limits), bundle.sha256)
    return server, replace(version_of(bundle), engine="opa", engine_version="server")


def _embedded(bundle: Bundle, clock: Clock, limits: Limits) -> RegoEngine:
    """A policy that is slow on one of its samples is a line of the log: while it decides, no other stream goes on."""
    engine = RegoEngine(bundle, clock, limits)
    if engine.slowest_us > SLOW_US:
        logs.event("policy is slow", {"slowest_sample_us": engine.slowest_us}, level=logging.WARNING)
    return engine


def _server(url: str, settings: PolicySettings, bundle: Bundle, clock: Clock) -> OpaServer:
    return OpaServer(url, clock, digests={bundle.revision: bundle.sha256}, timeout=settings.timeout)


def told(found: Difference) -> None:
    """The two answers differ: a line of the log, content-free. The record shows what was decided, by which bundle."""
    what = {"kind": found.kind, "id": found.request_id, "bundle": found.ours.policy.bundle_sha256}
    logs.event("policy_difference", what)


class AuditMetric(Collector):
    """`sidecar_policy_audits_total` by result, read from the auditor's own counts when somebody scrapes."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "sidecar_policy_audits", "Decisions that a second engine decided again.", labels=["result"]
        )
        for name in ("same", "different", "skipped", "failed", "dropped"):
            family.add_metric([name], getattr(self._counts, name))
        yield family
