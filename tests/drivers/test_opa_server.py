"""The OPA server as an engine: what is particular to it, and its stand-in while it is away."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from policies import generate
from sidecar import policy
from sidecar.drivers import bundle, opa_server
from sidecar.drivers.opa_server import OpaServer, WithFallback, address_of
from sidecar.drivers.rego_engine import RegoEngine, default_bundle
from sidecar.errors import OwnError
from sidecar.ports import EngineAnswer
from tests.drivers.engines_kit import CLOCK, Clock, Scripted, Start, replying


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8181", opa_server.Address(host="127.0.0.1")),
        ("http://opa/", opa_server.Address(host="opa")),
        ("https://opa:443", opa_server.Address(host="opa", port=443, tls=True)),
        ("unix:///run/opa.sock", opa_server.Address(socket="/run/opa.sock")),
    ],
)
def test_addresses(url: str, address: opa_server.Address) -> None:
    assert address_of(url) == address


NO_ADDRESS = ["opa:8181", "ftp://opa", "unix://", "unix://run/opa.sock", "http://", "http://opa/base", ""]
NO_ADDRESS += ["http://opa?token=x", "http://opa#x", "http://me:secret@opa"]
"""What of them could not be used would be passed over unseen: a path of another file, a password."""


async def test_an_ipv6_address_is_asked_there() -> None:
    """A server of its own at the loopback address, on whichever port is free."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", replying(b'{"result": 1}'))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "::1", 0)
        await site.start()
        async with OpaServer(f"http://[::1]:{runner.addresses[0][1]}", CLOCK, timeout=5) as server:
            assert (await server.decide({})).result == 1
    except OSError:
        pytest.skip("no IPv6 here")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="opa_url"):
        address_of(url)


async def outcome(url: str, clock: Clock = CLOCK) -> str | EngineAnswer:
    async with OpaServer(url, clock, timeout=0.25) as server:
        try:
            return await server.decide({"phase": "request"})
        except OwnError as fault:
            return fault.code


async def test_what_is_sent(scripted: Start) -> None:
    seen: dict[str, Any] = {}

    async def handle(request: web.Request) -> web.Response:
        seen.update(path=request.path, query=dict(request.query), body=await request.json(), method=request.method)
        return web.json_response({"result": 1})

    async with OpaServer(await scripted(handle), CLOCK) as server:
        await server.decide({"a": 1})
    assert seen == {
        "method": "POST",
        "path": "/v1/data/governor/decide/decision",
        "query": {"provenance": "true", "strict-builtin-errors": "true"},
        "body": {"input": {"a": 1}},
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"code":"internal_error","message":"ada@example.org"}', 500, "PDP_ERROR"),
        (b"<html>", 500, "PDP_ERROR"),
        (b'{"code":"unauthorized"}', 401, "PDP_ERROR"),
        (b"<html>", 200, "PDP_CONTRACT"),
        (b"", 200, "PDP_CONTRACT"),
        (b"[]", 200, "PDP_CONTRACT"),
        (b'{"result":{"allow":false,"allow":true}}', 200, "PDP_CONTRACT"),
        (b'{"result":NaN}', 200, "PDP_CONTRACT"),
        (b'{"result":"' + b"x" * 300_000 + b'"}', 200, "PDP_CONTRACT"),
        (b'{"result":' + b"[" * 100_000, 200, "PDP_CONTRACT"),
    ],
    ids=range(10),
)
async def test_answers_that_are_faults(scripted: Start, body: bytes, status: int, code: str) -> None:
    assert await outcome(await scripted(replying(body, status))) == code


async def test_a_servers_message_is_not_repeated(scripted: Start) -> None:
    """OPA's message may quote the input."""
    body = b'{"code":"internal_error","message":"ada@example.org","errors":[{"message":"ada@example.org"}]}'
    async with OpaServer(await scripted(replying(body, 500)), CLOCK) as server:
        with pytest.raises(OwnError) as raised:
            await server.decide({})
    assert raised.value.advice == "The OPA server answered 500 (internal_error). Look at its log."


async def test_no_bundle_yet_is_undefined(scripted: Start) -> None:
    answer = await outcome(await scripted(replying(b"{}")))
    assert isinstance(answer, EngineAnswer)
    assert policy.read(answer).codes == ("PDP_UNDEFINED",)


async def test_a_policy_error_is_asked_for_once(scripted: Start) -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"code": "internal_error"}, status=500)

    assert await outcome(await scripted(handle)) == "PDP_ERROR"
    assert len(asked) == 1


async def test_a_kept_alive_connection_that_was_closed_is_tried_again(
    scripted: Start,
) -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(await request.json())
        if len(asked) == 2:
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"result": len(asked)})

    async with OpaServer(await scripted(handle), CLOCK) as server:
        assert [(await server.decide({})).result for _ in range(2)] == [1, 3]


async def test_a_server_that_hangs_is_a_timeout(scripted: Start) -> None:
    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    started = time.perf_counter()
    assert await outcome(await scripted(handle)) == "PDP_TIMEOUT"
    assert time.perf_counter() - started < 2


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/nothing"
    assert await outcome(url) == "PDP_UNAVAILABLE"
    async with OpaServer(url, CLOCK) as server:
        assert not await server.ready()


async def test_the_breaker_opens_and_closes(scripted: Start, tmp_path: Path) -> None:
    clock, up, asked = Clock(), False, []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        if not up:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"result": 1})

    async def code(server: OpaServer) -> str:
        try:
            await server.decide({})
        except OwnError as fault:
            return fault.code
        return "answered"

    async with OpaServer(await scripted(handle), clock) as server:
        assert {await code(server) for _ in range(opa_server.BREAK_AFTER)} == {"PDP_UNAVAILABLE"}
        before = len(asked)
        assert await code(server) == "PDP_UNAVAILABLE"
        assert len(asked) == before
        clock.ahead, up = opa_server.BROKEN_S + 1, True
        assert [await code(server) for _ in range(3)] == ["answered"] * 3


async def leave(server: OpaServer) -> None:
    """A call whose caller goes away while the server decides."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await server.decide({})


async def test_callers_who_leave_do_not_open_the_breaker(scripted: Start) -> None:
    slow = True

    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(30 if slow else 0)
        return web.json_response({"result": 1})

    async with OpaServer(await scripted(handle), Clock(), timeout=5.0) as server:
        for _ in range(opa_server.BREAK_AFTER + 1):
            await leave(server)
        slow = False
        assert (await server.decide({})).result == 1


async def test_a_caller_who_leaves_while_the_breaker_tries_does_not_keep_it_open(
    scripted: Start,
) -> None:
    clock, state = Clock(), "down"

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        if state == "down":
            request.transport.abort()
        await asyncio.sleep(30 if state == "slow" else 0)
        return web.json_response({"result": 1})

    async with OpaServer(await scripted(handle), clock, timeout=5.0) as server:
        for _ in range(opa_server.BREAK_AFTER):
            with pytest.raises(OwnError):
                await server.decide({})
        clock.ahead, state = opa_server.BROKEN_S + 1, "slow"
        await leave(server)
        state = "up"
        assert (await server.decide({})).result == 1


async def test_readiness_asks_for_bundles(default_url: str) -> None:
    async with OpaServer(default_url, CLOCK, timeout=5.0) as server:
        assert await server.ready()


async def test_provenance_of_a_bundle_that_is_not_known(default_url: str) -> None:
    async with OpaServer(default_url, CLOCK, timeout=5.0) as server:
        version = (await server.decide(generate.example_request())).policy
    assert version.revision == default_bundle().revision
    assert version.bundle_sha256 == ""
    assert version.engine == "opa"


async def test_another_policy_than_expected_is_a_fault(default_url: str) -> None:
    """Settings that only we have laid over the bundle would silently not hold."""
    configured = bundle.with_config(default_bundle(), {"models": {"allow": {"*": ["o3"]}}})
    async with OpaServer(default_url, CLOCK, digests={configured.revision: configured.sha256}, timeout=5.0) as server:
        with pytest.raises(OwnError) as raised:
            await server.decide(generate.example_request())
    assert raised.value.code == "PDP_CONTRACT"


# --- a stand-in while the server is away


async def test_the_stand_in_decides_with_the_same_bundle_only() -> None:
    engine, document = RegoEngine(default_bundle(), CLOCK), generate.example_request()
    away, digest = OwnError("PDP_UNAVAILABLE", ""), default_bundle().sha256
    both = WithFallback(Scripted(engine.decide_now(document), away), engine, digest)
    assert not (await both.decide(document)).policy.degraded
    assert (await both.decide(document)).policy.degraded

    never_seen = WithFallback(Scripted(away), engine, digest)
    wrong = WithFallback(Scripted(OwnError("PDP_ERROR", "")), engine, digest)
    for port in (never_seen, wrong):
        with pytest.raises(OwnError):
            await port.decide(document)


async def test_a_server_with_another_bundle_has_no_stand_in(
    scripted: Start,
) -> None:
    """It decided with the same bundle once, then with another, which may refuse what the old one let through."""
    engine, document = RegoEngine(default_bundle(), CLOCK), generate.example_request()
    revisions = [default_bundle().revision, "newer"]

    async def handler(request: web.Request) -> web.StreamResponse:
        bundles = {"b": {"revision": revisions.pop(0) if revisions else ""}}
        if not bundles["b"]["revision"] and request.transport is not None:
            request.transport.abort()
        return web.json_response({"result": {}, "provenance": {"bundles": bundles}})

    url = await scripted(handler)
    digests = {default_bundle().revision: default_bundle().sha256}
    async with OpaServer(url, CLOCK, digests=digests, timeout=5) as server:
        both = WithFallback(server, engine, default_bundle().sha256)
        await both.decide(document)
        codes = []
        for _ in range(2):
            with pytest.raises(OwnError) as raised:
                await both.decide(document)
            codes.append(raised.value.code)
    assert codes == ["PDP_CONTRACT", "PDP_UNAVAILABLE"]
