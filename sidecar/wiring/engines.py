"""The policy engine that configuration asks for: embedded, or a real OPA server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sidecar.config import ConfigError, PolicySettings
from sidecar.drivers import bundle as bundles
from sidecar.drivers.bundle import Bundle
from sidecar.drivers.bundle_signature import Verifier
from sidecar.drivers.opa_server import OpaServer
from sidecar.drivers.rego_engine import RegoEngine, default_bundle
from sidecar.model import PolicyVersion
from sidecar.policy import Reason
from sidecar.ports import Clock, EngineAnswer


class Engine(Protocol):
    """What wiring needs of either engine."""

    @property
    def version(self) -> PolicyVersion: ...
    @property
    def bundle(self) -> Bundle: ...
    @property
    def reasons(self) -> Mapping[str, Reason]: ...
    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer: ...


def bundle_of(settings: PolicySettings) -> Bundle:
    """The bundle in force, with the deployment's data laid over it. Raises BundleRefused."""
    if settings.bundle is None:
        if settings.key is not None:
            raise ConfigError("policy.key is for a bundle of your own: name it in policy.bundle")
        found = default_bundle()
    else:
        found = bundles.read(settings.bundle, None if settings.key is None else Verifier(settings.key.read_bytes()))
    return bundles.with_config(found, settings.data)


@asynccontextmanager
async def engine_of(settings: PolicySettings, clock: Clock) -> AsyncIterator[Engine]:
    bundle = bundle_of(settings)
    if settings.engine == "embedded":
        yield RegoEngine(bundle, clock)
        return
    if settings.opa_url is None:
        raise ConfigError("policy.opa_url is needed for policy.engine: opa")
    async with OpaServer(
        settings.opa_url, clock, digests={bundle.revision: bundle.sha256}, timeout=settings.timeout
    ) as server:
        yield Served(server=server, bundle=bundle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An OPA server, and the bundle that it is expected to run: for the reason codes, and for the start's record."""

    server: OpaServer
    bundle: Bundle

    @property
    def version(self) -> PolicyVersion:
        return PolicyVersion(
            engine="opa",
            engine_version="server",
            bundle_sha256=self.bundle.sha256,
            revision=self.bundle.revision,
            signed=self.bundle.signed,
        )

    @property
    def reasons(self) -> Mapping[str, Reason]:
        return self.bundle.reasons

    async def decide(self, document: Mapping[str, Any]) -> EngineAnswer:
        return await self.server.decide(document)
