"""The way out, a policy server that is down, a disk that is full: what callers get, and what the record says."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from sidecar.drivers.rego_engine import default_bundle
from sidecar.drivers.store_reader import verify_path
from sidecar.ledger.report import VERIFIED
from tests.drivers import opa_process
from tests.e2e import processes
from tests.e2e.processes import Sidecar, Stub

MESSAGES = [{"role": "user", "content": "I am ann@example.org"}]
PACED = {"x-stub-pace-ms": "150"}
IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]}]


async def call(sidecar: Sidecar, messages: Any = MESSAGES) -> tuple[int, str, dict[str, str]]:
    """A unary call on a connection of its own: status, error code (or none), headers."""
    body = {"model": "stub-model", "messages": messages}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sidecar.base}/chat/completions", json=body) as reply,
    ):
        told = await reply.json()
        return reply.status, told.get("error", {}).get("code", ""), {k.lower(): v for k, v in reply.headers.items()}


def streamed(session: aiohttp.ClientSession, sidecar: Sidecar, **headers: str) -> Any:
    body = {"model": "stub-model", "stream": True, "messages": MESSAGES}
    return session.post(f"{sidecar.base}/chat/completions", json=body, headers=headers)


async def ready(sidecar: Sidecar) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{sidecar.admin}/healthz/ready") as reply:
        return reply.status


async def counted(stub: Stub, what: str = "requests") -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{stub.url}/stub/{what}") as reply:
        return int((await reply.json())["total"])


def states(sidecar: Sidecar) -> list[tuple[str, str | None, str | None]]:
    """Of every exchange, oldest first: state, error, who cut it off."""
    return [(row["state"], row["error"], row["aborted_by"]) for row in reversed(sidecar.rows())]


async def test_what_runs_may_end_and_what_comes_is_refused(stub: Stub, tmp_path: Path) -> None:
    with processes.sidecar(tmp_path, stub.url) as sidecar:
        async with aiohttp.ClientSession() as session, streamed(session, sidecar, **PACED) as reply:
            first = await reply.content.readany()
            sidecar.process.terminate()
            while await ready(sidecar) != 503:
                await asyncio.sleep(0.02)
            status, code, headers = await call(sidecar)
            rest = await reply.read()
        assert await asyncio.to_thread(sidecar.process.wait, 30) == 0
    assert (status, code) == (503, "DRAINING")
    assert "retry-after" in headers and "x-sidecar-record" in headers
    assert first and rest.endswith(b"data: [DONE]\n\n")
    assert states(sidecar) == [("answered", None, None), ("refused", "DRAINING", None)]
    assert verify_path(sidecar.state).exit_code == VERIFIED


async def test_what_does_not_end_is_cut_off_at_the_deadline(stub: Stub, tmp_path: Path) -> None:
    aborts = await counted(stub, "aborts")
    with processes.sidecar(tmp_path, stub.url, config={"limits": {"drain": 0.5}}) as sidecar:
        hanging = {"x-stub-behaviour": "hang-stream"}
        async with aiohttp.ClientSession() as session, streamed(session, sidecar, **hanging) as reply:
            await reply.content.readany()
            sidecar.process.terminate()
            assert await asyncio.to_thread(sidecar.process.wait, 30) == 0
            try:
                rest = await reply.read()
            except aiohttp.ClientError:
                rest = b""
    assert b"[DONE]" not in rest
    assert states(sidecar) == [("aborted", "ABORTED", "drain")]
    assert await counted(stub, "aborts") == aborts + 1
    assert verify_path(sidecar.state).exit_code == VERIFIED


async def test_a_policy_server_that_goes_away(stub: Stub, tmp_path: Path) -> None:
    """A real OPA decides; then it is down, and nothing goes out any more."""
    with opa_process.serving(default_bundle().raw) as url:
        config = {"policy": {"engine": "opa", "opa_url": url, "timeout": 5}}
        sidecar = await asyncio.to_thread(processes.Sidecar, tmp_path, stub.url, config=config)
        allowed, denied = await call(sidecar), await call(sidecar, IMAGE)
        sent = await counted(stub)
    try:
        down = await call(sidecar)
    finally:
        code = await asyncio.to_thread(sidecar.stop)
    assert code == 0
    assert allowed[0] == 200
    assert denied[:2] == (403, "UNINSPECTABLE_CONTENT")
    assert down[:2] == (503, "PDP_UNAVAILABLE") and "retry-after" in down[2]
    assert await counted(stub) == sent, "sent without a decision"
    rows = {row["id"]: row for row in sidecar.rows()}
    row = rows[down[2]["x-sidecar-record"]]
    assert (row["state"], row["verdict"], row["codes"]) == ("refused", "deny", ("PDP_UNAVAILABLE",))
    shown = orjson.loads(sidecar.audit("show", allowed[2]["x-sidecar-record"], "--json").stdout)
    assert (shown["policy"]["engine"], shown["policy"]["result"]) == ("opa", "allow")
    assert shown["policy"]["bundle_hash"] == default_bundle().sha256


async def test_the_built_in_engine_stands_in_for_a_policy_server_that_is_down(stub: Stub, tmp_path: Path) -> None:
    with opa_process.serving(default_bundle().raw) as url:
        config = {"policy": {"engine": "opa", "opa_url": url, "timeout": 5, "fallback": True}}
        sidecar = await asyncio.to_thread(processes.Sidecar, tmp_path, stub.url, config=config)
        asked = await call(sidecar)
    try:
        allowed, denied = await call(sidecar), await call(sidecar, IMAGE)
    finally:
        code = await asyncio.to_thread(sidecar.stop)
    assert (code, asked[0], allowed[0], denied[:2]) == (0, 200, 200, (403, "UNINSPECTABLE_CONTENT"))
    shown = [sidecar.audit("show", told[2]["x-sidecar-record"], "--json").stdout for told in (asked, allowed, denied)]
    policies = [orjson.loads(record)["policy"] for record in shown]
    assert [(each["engine"], each["degraded"]) for each in policies] == [
        ("opa", False),
        ("embedded", True),
        ("embedded", True),
    ]


async def test_a_policy_server_audits_the_built_in_engine(stub: Stub, tmp_path: Path) -> None:
    """It runs the same bundle at first; then another that calls itself the same, and denies what ours allows."""
    denies = '{"contract": "1", "allow": false, "denies": [{"code": "NO"}], "obligations": []}'
    strict = opa_process.build(f"package governor.decide\n\ndecision := {denies}\n", default_bundle().revision)
    for raw, result in ((default_bundle().raw, "same"), (strict, "different")):
        with opa_process.serving(raw) as url:
            config = {"policy": {"audit_url": url, "audit_every": 1, "timeout": 5}}
            with processes.sidecar(tmp_path / result, stub.url, config=config) as sidecar:
                assert (await call(sidecar))[0] == 200
                await until(sidecar, f'sidecar_policy_audits_total{{result="{result}"}} 2.0')
                told = sidecar.output()
        assert ('"policy_difference"' in told) is (result == "different")
        assert "ann@" not in told


async def until(sidecar: Sidecar, line: str) -> None:
    """Wait for a line of the metrics page."""
    async with asyncio.timeout(10), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{sidecar.admin}/metrics") as reply:
                if line in await reply.text():
                    return
            await asyncio.sleep(0.05)


def fill_disk(sidecar: Sidecar) -> None:
    """From now on no file of the sidecar may grow beyond what its WAL has (setrlimit(2), EFBIG)."""
    size = (sidecar.state / "ledger.sqlite-wal").stat().st_size
    _, hard = resource.prlimit(sidecar.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(sidecar.process.pid, resource.RLIMIT_FSIZE, (size, hard))


async def test_a_full_disk_refuses_and_says_so(stub: Stub, tmp_path: Path) -> None:
    with processes.sidecar(tmp_path, stub.url) as sidecar:
        assert (await call(sidecar))[0] == 200
        assert await ready(sidecar) == 200
        sent = await counted(stub)
        fill_disk(sidecar)
        for _ in range(3):
            status, code, headers = await call(sidecar)
            assert (status, code) == (503, "LEDGER_UNAVAILABLE")
            assert "retry-after" in headers
        assert await counted(stub) == sent, "sent without an intent"
        assert await ready(sidecar) == 503
        await asyncio.to_thread(sidecar.stop)
        assert verify_path(sidecar.state).exit_code == VERIFIED
        sidecar.start()
        assert (await call(sidecar))[0] == 200
    assert states(sidecar) == [("answered", None, None)] * 2
    assert verify_path(sidecar.state).exit_code == VERIFIED


async def test_a_disk_that_fills_during_a_reply_takes_its_end(stub: Stub, tmp_path: Path) -> None:
    with processes.sidecar(tmp_path, stub.url) as sidecar:
        paced = {"x-stub-pace-ms": "50"}
        async with aiohttp.ClientSession() as session, streamed(session, sidecar, **paced) as reply:
            await reply.content.readany()
            fill_disk(sidecar)
            rest = await reply.read()
        assert b"[DONE]" not in rest and b'"stop"' not in rest
        assert b"LEDGER_UNAVAILABLE" in rest
        await asyncio.to_thread(sidecar.stop)
        sidecar.start()
    assert states(sidecar) == [("aborted", None, "crash")]
    assert verify_path(sidecar.state).exit_code == VERIFIED
