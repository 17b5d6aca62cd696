"""The way out, a policy server that is down, a disk that is full: what callers get, and what the record says."""

from __future__ import annotations

import asyncio
import resource
import shlex
import shutil
import socket
import struct
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import openai
import orjson
import pytest

from sidecar.drivers.rego_engine import default_bundle
from sidecar.drivers.store_verify import verify_path
from sidecar.ledger.report import VERIFIED
from tests.captures import connect
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
                await asyncio.to_thread(sidecar.stop)  # the log is whole then
                told = sidecar.output()
        assert ('"policy_difference"' in told) is (result == "different")
        assert "ann@" not in told


async def until(sidecar: Sidecar, line: str) -> None:
    """Wait for what a line of the metrics page begins with."""
    async with asyncio.timeout(10), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{sidecar.admin}/metrics") as reply:
                if line in await reply.text():
                    return
            await asyncio.sleep(0.05)


async def logged(sidecar: Sidecar, event: str, count: int = 1) -> list[dict[str, Any]]:
    """The lines of the log that tell this event, once there are so many: an exchange is logged after its answer."""
    async with asyncio.timeout(10):
        while True:
            lines = [orjson.loads(line) for line in sidecar.output().splitlines() if line.startswith("{")]
            if len(found := [line for line in lines if line["event"] == event]) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_the_log_tells_unreachable_upstreams_apart(stub: Stub, tmp_path: Path) -> None:
    """No such name, nobody listens, and a server that speaks no TLS: one code, three causes."""
    plain = stub.url.replace("http:", "https:")
    told = {}
    for name, url in (("dns", "http://nowhere.invalid"), ("down", "http://127.0.0.1:9"), ("tls", plain)):
        with processes.sidecar(tmp_path / name, url) as sidecar:
            assert (await call(sidecar))[1] == "UPSTREAM_UNREACHABLE"
            [line] = await logged(sidecar, "exchange")
        assert line["error_at"].startswith("upstream")
        assert "nowhere" not in sidecar.output().partition('"exchange"')[2]
        told[name] = line["error"], line.get("errno")
    assert told["down"] == ("ClientConnectorError", "ECONNREFUSED")
    assert told["dns"][0] in ("ClientConnectorDNSError", "ConnectionTimeoutError")  # the latter: nobody to ask
    assert told["tls"][0] == "ClientConnectorSSLError" and told["tls"][1] not in (None, "EPERM")


CUT_OFF = b"POST /v1/nope HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
HALF = b'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n{"model"'


def reset(sidecar: Sidecar, sent: bytes, after: float) -> None:
    """Send this, and reset the connection so many seconds later (SO_LINGER of no time, socket(7))."""
    with socket.create_connection(("127.0.0.1", sidecar.port)) as line:
        line.sendall(sent)
        time.sleep(after)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_calls_that_are_cut_off_unread_are_closed_in_the_record(stub: Stub, tmp_path: Path) -> None:
    """Refused ones at any moment of their refusal, others in the middle of their body: one intent and one outcome."""
    with processes.sidecar(tmp_path, stub.url) as sidecar:
        for number in range(100):
            await asyncio.to_thread(reset, sidecar, CUT_OFF, 0.0002 * (number % 20))
        for _ in range(3):
            await asyncio.to_thread(reset, sidecar, HALF, 0.1)
        await until(sidecar, "sidecar_in_flight 0.0")
    found = Counter(states(sidecar))
    assert found.pop(("refused", "ROUTE_UNKNOWN", None), 0) + found[("aborted", "ABORTED", "client")] == 103
    assert set(found) == {("aborted", "ABORTED", "client")}
    sidecar.start()
    assert await asyncio.to_thread(sidecar.stop) == 0
    assert not [row for row in sidecar.rows() if row["aborted_by"] == "crash"]
    assert verify_path(sidecar.state).exit_code == VERIFIED


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"callers": {"required": True, "peers": [{"uid": 0, "tenant": "acme"}]}}, "CALLER_UNKNOWN"),
        ({"limits": {"in_flight": 3}}, "OVERLOADED"),
    ],
)
async def test_who_is_not_let_in_cannot_fill_the_memory(
    settings: dict[str, Any], code: str, stub: Stub, tmp_path: Path
) -> None:
    """The head is answered, and what follows of the body is not kept."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n"
    with processes.sidecar(tmp_path, stub.url, config=settings) as sidecar:
        wires = [await connect(sidecar.port) for _ in range(6)]
        for wire in wires:
            await wire.send(head)
        for wire in wires[3:]:
            assert f'"code":"{code}"'.encode() in await wire.message()
        for wire in wires:
            wire.abort()
        await until(sidecar, "sidecar_in_flight 0.0")
    assert Counter(states(sidecar))[("refused", code, None)] == (6 if "callers" in settings else 3)


async def test_what_the_start_says_of_a_socket_works(stub: Stub, tmp_path: Path) -> None:
    """The socket lies where a relative path says, and the lines for applications can be used as they stand."""
    moved = {"wrap": ("sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path)), "env": {"PYTHONPATH": str(Path.cwd())}}
    with processes.sidecar(tmp_path, stub.url, "--listen", "unix:rel.sock", **moved) as sidecar:
        assert (tmp_path / "rel.sock").is_socket()
        assert sidecar.base == f"unix:{tmp_path}/rel.sock"
        lines = sidecar.output().splitlines()
        [python, shell] = [line[28:] for line in lines if line.startswith(("  in Python", "  in a shell"))]
        key = python.replace("OpenAI(", "OpenAI(api_key='any', ")
        with eval(key, {"OpenAI": openai.OpenAI, "httpx": httpx}) as client:
            assert await asyncio.to_thread(lambda: client.models.list().data)
        if shutil.which("curl"):
            done = await asyncio.to_thread(subprocess.run, [*shlex.split(shell), "-sf"], capture_output=True)
            assert (done.returncode, "data" in orjson.loads(done.stdout)) == (0, True)
    assert "OPENAI_BASE_URL" not in sidecar.output()


LOGS = {
    "a full disk": 'exec "$@" 2>/dev/full',
    "a reader that has gone": 'exec "$@" 2> >(true)',
    "a reader that does not read": 'mkfifo "$0"; exec 3<>"$0"; exec "$@" 2>&3',
}


@pytest.mark.parametrize("name", LOGS)
async def test_the_log_decides_over_no_call(name: str, stub: Stub, tmp_path: Path) -> None:
    """More lines than a pipe holds. What nobody takes is dropped, and counted; nobody waits, at the end neither."""
    wrap = ("bash", "-c", LOGS[name], str(tmp_path / "fifo"))
    with processes.sidecar(tmp_path, stub.url, wrap=wrap) as sidecar:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            for _ in range(400):
                async with session.post(f"{sidecar.base}/nope", data=b"{}") as reply:
                    assert (reply.status, (await reply.json())["error"]["code"]) == (404, "ROUTE_UNKNOWN")
            assert (await call(sidecar))[0] == 200
            assert await ready(sidecar) == 200
        await until(sidecar, f"sidecar_log_lines_dropped_total {0 if 'not read' in name else 40}")
        assert await asyncio.to_thread(sidecar.stop) == 0
    assert len(sidecar.rows()) == 401


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
            assert "retry-after" in headers and "x-sidecar-record" not in headers
        assert await counted(stub) == sent, "sent without an intent"
        assert await ready(sidecar) == 503
        await until(sidecar, 'sidecar_refusals_total{code="LEDGER_UNAVAILABLE"} 3.0')
        failed = await logged(sidecar, "ledger failed")
        assert [(line["level"], line["error"], line["errno"][:7]) for line in failed] == [
            ("error", "OperationalError", "SQLITE_")
        ]
        told = [(line["state"], line["status"], line.get("recorded")) for line in await logged(sidecar, "exchange", 4)]
        assert told == [("answered", 200, None), *[("refused", 503, "nothing")] * 3]
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
        assert len(await logged(sidecar, "ledger failed")) == 1
        [line] = await logged(sidecar, "exchange")
        assert line["id"] == reply.headers["x-sidecar-record"]
        assert (line["state"], line["code"], line["recorded"]) == ("open", "LEDGER_UNAVAILABLE", "intent")
        await asyncio.to_thread(sidecar.stop)
        sidecar.start()
    assert states(sidecar) == [("aborted", None, "crash")]
    assert verify_path(sidecar.state).exit_code == VERIFIED
