"""The engine that the settings ask for obeys them."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from policies import generate
from sidecar.config import PolicySettings
from sidecar.drivers.bundle_refusal import BundleRefused
from sidecar.drivers.clock import SystemClock
from sidecar.drivers.rego_engine import default_bundle
from sidecar.errors import OwnError
from sidecar.wiring.engines import bundle_of, engine_of
from tests.captures import RawServer, Wire
from tests.drivers import opa_process

LONG = """package governor.decide

decision := [x | some x in numbers.range(1, 40000); some y in numbers.range(1, 40000); x == -y]
"""


@pytest.mark.parametrize(("timeout", "code"), [(1e-6, "PDP_TIMEOUT"), (60.0, "PDP_LIMIT")])
async def test_a_decision_takes_no_longer_than_the_settings_say(tmp_path: Path, timeout: float, code: str) -> None:
    """With time enough it is the number of steps that ends it."""
    (tmp_path / "bundle.tar.gz").write_bytes(opa_process.build(LONG))
    settings = PolicySettings(bundle=tmp_path / "bundle.tar.gz", timeout=timeout)
    async with engine_of(settings, SystemClock()) as engine:
        with pytest.raises(OwnError) as raised:
            await engine.decide(generate.example_request())
    assert raised.value.code == code


class Ticking(SystemClock):
    """A clock by which each look at it takes so many seconds."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.monotonic = partial(next, count(0.0, step))  # type: ignore[method-assign]


@pytest.mark.parametrize(("step", "told"), [(0.003, ["policy is slow"]), (0.0, [])])
async def test_a_policy_that_holds_everything_up_is_told_at_the_start(
    caplog: pytest.LogCaptureFixture, step: float, told: list[str]
) -> None:
    async with engine_of(PolicySettings(), Ticking(step)):
        assert [line.message for line in caplog.records] == told


def test_a_configured_key_has_to_have_signed_the_bundle(tmp_path: Path) -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "bundle.tar.gz").write_bytes(default_bundle().raw)
    assert not bundle_of(PolicySettings(bundle=tmp_path / "bundle.tar.gz")).signed
    with pytest.raises(BundleRefused, match="not signed"):
        bundle_of(PolicySettings(bundle=tmp_path / "bundle.tar.gz", key=tmp_path / "key.pem"))


async def test_a_server_has_to_run_the_configured_bundle() -> None:
    with opa_process.serving(opa_process.build(opa_process.CONTRACT)) as url:
        async with engine_of(PolicySettings(engine="opa", opa_url=url, timeout=5.0), SystemClock()) as engine:
            with pytest.raises(OwnError) as raised:
                await engine.decide({"case": "allow"})
    assert raised.value.code == "PDP_CONTRACT"


@pytest.mark.parametrize(("timeout", "code"), [(0.01, "PDP_TIMEOUT"), (60.0, "PDP_ERROR")])
async def test_a_server_has_as_long_as_the_settings_say(timeout: float, code: str) -> None:
    async def slow_to_fail(wire: Wire) -> None:
        await wire.message()
        await asyncio.sleep(0.5)
        await wire.send(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}")

    async with RawServer(slow_to_fail) as server:
        settings = PolicySettings(engine="opa", opa_url=server.url, timeout=timeout)
        async with engine_of(settings, SystemClock()) as engine:
            with pytest.raises(OwnError) as raised:
                await engine.decide(generate.example_request())
    assert raised.value.code == code


async def test_as_many_decisions_are_audited_as_the_settings_say() -> None:
    with opa_process.serving(default_bundle().raw) as url:
        settings = PolicySettings(audit_url=url, audit_every=3, timeout=5.0)
        async with engine_of(settings, SystemClock()) as engine:
            for _ in range(7):
                await engine.decide(generate.example_request())
            assert engine.audit is not None and engine.audit.offered == 2
