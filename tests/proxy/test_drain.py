"""The way out: not ready, new calls refused, those in flight end, the rest is cut off, then the ledger closes."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from sidecar.drivers.upstream import UpstreamClient, UpstreamSettings
from sidecar.errors import SidecarError
from sidecar.model import Arrival, Caller
from sidecar.proxy import server
from sidecar.proxy.admin import AdminPlane
from sidecar.proxy.answer import HttpAnswer
from sidecar.proxy.callers import Callers
from sidecar.proxy.drain import Drain
from sidecar.proxy.pages import Pages
from sidecar.proxy.server import Bound, Listen, listening, serve
from tests.captures import OK, RawServer, answering, connect, talk, until
from tests.proxy.shell import NOWHERE, Handler, Shell, logged, shell

CALL = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
LOOPBACK = Listen(host="127.0.0.1")


async def nothing(_: str) -> bytes | None:
    return None


def slowly(seconds: float) -> Handler:
    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        await asyncio.sleep(seconds)
        await answer.start(200, [("Content-Length", "2")])
        await answer.write(b"ok")
        await answer.end()

    return handler


@asynccontextmanager
async def planes(handler: Handler | None = None) -> AsyncIterator[tuple[Shell, AdminPlane]]:
    async with UpstreamClient(UpstreamSettings(url=NOWHERE, connect_timeout=0.5)) as client:
        running = Shell(client, handler)
        pages = Pages(loopback=True)
        yield running, AdminPlane(drain=running.drain, meter=running.meter, receipt=nothing, drain_wait=5, pages=pages)


class Server:
    """`serve` in a task; `bound` once it listens."""

    def __init__(self, running: Shell, admin: AdminPlane, deadline: float) -> None:
        self.stop = asyncio.Event()
        self.bound: asyncio.Future[Bound] = asyncio.get_running_loop().create_future()
        self.task = asyncio.ensure_future(
            serve(
                running.plane,
                admin,
                at=[LOOPBACK],
                admin_at=LOOPBACK,
                deadline=deadline,
                started=self.bound.set_result,
                stop=self.stop,
            )
        )


async def test_a_call_in_flight_ends_and_a_new_one_is_refused():
    async with shell(handler=slowly(0.3)) as running:
        first, second = await connect(running.port), await connect(running.port)
        await first.send(CALL)
        await until(lambda: running.drain.in_flight == 1)
        running.drain.begin()
        await second.send(CALL)
        answer = await second.rest()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1\r\n" in answer
        assert b"Connection: close\r\n" in answer
        assert b'"code":"DRAINING"' in answer
        assert running.refused[-1][1].code == "DRAINING"
        assert (await first.message()).endswith(b"ok")
        assert await running.drain.idle(1)
        first.close()
        second.close()


async def test_a_draining_sidecar_does_not_pass_health_either():
    """Kubelet and gateways ask the data port: a draining one must fall out of rotation."""
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        running.drain.begin()
        answer = await talk(running.port, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")


async def test_stop_waits_for_what_runs():
    async with planes(slowly(0.4)) as (running, admin):
        server = Server(running, admin, deadline=5)
        wire = await connect((await server.bound).data[0].port)
        await wire.send(CALL)
        await until(lambda: running.drain.in_flight == 1)
        server.stop.set()
        assert (await wire.message()).endswith(b"ok")
        await asyncio.wait_for(server.task, 3)
        assert running.drain.aborted_by() == "drain"
        wire.close()


async def test_the_deadline_cuts_off_what_still_runs_and_says_who_did_it():
    told: list[str] = []

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            told.append(running.drain.aborted_by())
            raise

    async with planes(handler) as (running, admin):
        server = Server(running, admin, deadline=0.2)
        wire = await connect((await server.bound).data[0].port)
        await wire.send(CALL)
        await until(lambda: running.drain.in_flight == 1)
        start = time.perf_counter()
        server.stop.set()
        await asyncio.wait_for(server.task, 10)
        assert told == ["drain"], "the record was written before serve returned"
        assert 0.2 < time.perf_counter() - start < 5
        assert await wire.rest() == b""
        wire.close()


@pytest.mark.parametrize("gone", [False, True])
async def test_what_does_not_get_recorded_in_time_is_told(gone: bool, monkeypatch: pytest.MonkeyPatch):
    """Nor are they given a refusal's time first."""
    monkeypatch.setattr(server, "FLUSH", 0.1)
    monkeypatch.setattr(server, "REFUSING", 60.0)
    left: list[str] = []

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            left.append("caller")
            await asyncio.sleep(0.5)

    with logged() as out:
        async with planes(handler) as (running, admin):
            serving = Server(running, admin, deadline=0.1)
            wire = await connect((await serving.bound).data[0].port)
            await wire.send(CALL)
            await until(lambda: running.drain.in_flight == 1)
            if gone:
                wire.abort()
                await until(lambda: bool(left))
            serving.stop.set()
            await asyncio.wait_for(serving.task, 10)
            wire.close()
        events = [json.loads(line) for line in out.getvalue().splitlines()]
    [told] = [line for line in events if line["event"] == "exchanges left unrecorded"]
    assert (told["in_flight"], told["level"]) == (1, "error")


@pytest.mark.parametrize(("seconds", "got"), [(0.2, b"HTTP/1.1 503 "), (60, b"")])
async def test_a_refusal_on_its_way_gets_its_time_and_no_more(
    seconds: float, got: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "REFUSING", 5.0 if got else 0.1)
    monkeypatch.setattr(server, "FLUSH", 60.0)
    async with planes() as (running, admin):
        refuse = running.refuse

        async def refuse_slowly(arrival: Arrival, error: SidecarError, answer: HttpAnswer) -> None:
            await asyncio.sleep(seconds)
            await refuse(arrival, error, answer)

        object.__setattr__(running.plane, "refuse", refuse_slowly)
        serving = Server(running, admin, deadline=60)
        wire = await connect((await serving.bound).data[0].port)
        running.drain.begin()
        await wire.send(CALL)
        await until(lambda: running.drain.in_flight == 1)
        serving.stop.set()
        assert (await wire.rest())[:13] == got
        await asyncio.wait_for(serving.task, 10)
        wire.close()


async def test_the_end_waits_for_refusals_and_the_drain_does_not():
    drain = Drain()
    early, other = drain.enter(), drain.enter()
    drain.begin()
    late = drain.enter()
    assert [early, other, late] == [False, False, True]
    drain.leave(early)
    assert not await drain.idle(0.01) and not await drain.settled(0.01)
    drain.leave(other)
    assert await drain.idle(0.01) and await drain.settled(0.01)
    assert not await drain.empty(0.01)
    drain.leave(late)
    assert await drain.empty(0.01)


async def test_sigterm_drains_and_a_second_one_cuts_off():
    async with planes(slowly(60)) as (running, admin):
        server = Server(running, admin, deadline=60)
        wire = await connect((await server.bound).data[0].port)
        await wire.send(CALL)
        await until(lambda: running.drain.in_flight == 1)
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: running.drain.draining)
        await asyncio.sleep(0.05)
        assert not server.task.done()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(server.task, 10)
        wire.close()


async def test_callers_who_try_again_keep_no_process_up():
    """There is always one being refused; what ran before has ended long ago."""
    async with planes(slowly(0.3)) as (running, admin):
        refuse = running.refuse

        async def refuse_slowly(arrival: Arrival, error: SidecarError, answer: HttpAnswer) -> None:
            await asyncio.sleep(random.uniform(0.1, 0.3))
            await refuse(arrival, error, answer)

        object.__setattr__(running.plane, "refuse", refuse_slowly)
        server = Server(running, admin, deadline=20)
        bound = await server.bound
        wire = await connect(bound.data[0].port)
        await wire.send(CALL)
        await until(lambda: running.drain.in_flight == 1)
        asked = asyncio.ensure_future(talk(bound.admin.port, b"GET /drain?wait=1 HTTP/1.0\r\nHost: a\r\n\r\n"))
        await until(lambda: running.drain.draining)
        answers: list[bytes] = []

        async def hammer() -> None:
            with suppress(OSError):
                while not server.task.done():
                    answers.append(await talk(bound.data[0].port, CALL))

        hammers = [asyncio.ensure_future(hammer()) for _ in range(20)]
        server.stop.set()
        assert (await wire.message()).endswith(b"ok")
        await asyncio.wait_for(server.task, 5)
        assert b" 200 OK\r\n" in await asked
        await asyncio.wait_for(asyncio.gather(*hammers), 5)
        wire.close()
    assert answers and all(answer.startswith(b"HTTP/1.1 503 ") for answer in answers if answer)


@pytest.mark.parametrize(("told", "why"), [(False, "drain deadline passed"), (True, "drain cut short")])
async def test_the_log_says_why_exchanges_were_cut_off(told: bool, why: str):
    with logged() as out:
        async with planes(slowly(60)) as (running, admin):
            server = Server(running, admin, deadline=60 if told else 0.1)
            wire = await connect((await server.bound).data[0].port)
            await wire.send(CALL)
            await until(lambda: running.drain.in_flight == 1)
            server.stop.set()
            await until(lambda: running.drain.draining)
            if told:
                running.drain.abort()
            await asyncio.wait_for(server.task, 10)
            wire.close()
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["listening", "draining", why, "stopped"]
    assert [line.get("in_flight") for line in lines] == [None, 1, 1, None]


@pytest.mark.parametrize("told", [signal.SIG_DFL, signal.SIG_IGN])
async def test_sighup_drains_unless_it_is_passed_over(told: signal.Handlers):
    """As a closed terminal sends it, or who wants settings read anew; `nohup` means that it does nothing."""
    before = signal.signal(signal.SIGHUP, told)
    try:
        async with planes(slowly(0)) as (running, admin):
            server = Server(running, admin, deadline=60)
            await server.bound
            os.kill(os.getpid(), signal.SIGHUP)
            if told == signal.SIG_IGN:
                await asyncio.sleep(0.1)
                assert not server.stop.is_set()
                server.stop.set()
            await asyncio.wait_for(server.task, 10)
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)


async def test_the_admin_port():
    async def receipt(record: str) -> bytes | None:
        return b'{"receipt":1}' if record == "known" else None

    async with planes() as (running, _):
        admin = AdminPlane(drain=running.drain, meter=running.meter, receipt=receipt, drain_wait=0.2)
        async with listening(running.plane, admin, [LOOPBACK], LOOPBACK) as bound, aiohttp.ClientSession() as session:
            base = f"http://{bound.admin}"

            async def get(path: str, method: str = "GET") -> tuple[int, str]:
                async with session.request(method, base + path) as reply:
                    kind = "text/plain" if path == "/metrics" else "application/json"
                    assert reply.content_type == kind, "Prometheus takes no page of another kind"
                    return reply.status, await reply.text()

            assert await get("/healthz/live") == (200, '{"status":"live"}')
            assert await get("/healthz/ready") == (200, '{"status":"ready"}')
            assert await get("/receipts/known") == (200, '{"receipt":1}')
            assert await get("/receipts/other") == (404, '{"error":"RECORD_UNKNOWN"}')
            assert await get("/unknown") == (404, '{"error":"Not Found"}')
            status, text = await get("/metrics")
            assert status == 200
            assert "sidecar_in_flight 0.0" in text
            assert "sidecar_ready 1.0" in text
            running.drain.enter()
            assert "sidecar_in_flight 1.0" in (await get("/metrics"))[1]
            assert await get("/drain?wait=1", "POST") == (503, '{"status":"draining","in_flight":1}')
            running.drain.leave()
            assert (await get("/drain?wait=1"))[0] == 200
            assert await get("/healthz/ready") == (503, '{"status":"draining"}')
            assert "sidecar_ready 0.0" in (await get("/metrics"))[1]
            assert (await get("/healthz/live"))[0] == 200


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("GET /drain HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: cross-site", 403),
        ("GET /drain HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: same-site", 403),
        ("GET /drain HTTP/1.1\r\nHost: evil.example:8401", 403),
        ("POST /drain HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example", 403),
        ("GET /drain HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: none", 200),
        ("POST /drain HTTP/1.1\r\nHost: 10.0.0.7:8401", 200),
    ],
)
async def test_no_web_page_can_end_it(lines: str, status: int):
    """An `<img src="http://127.0.0.1:8401/drain">` in any of them did, and nothing but a new start took it back."""
    async with planes() as (running, admin), listening(running.plane, admin, [LOOPBACK], LOOPBACK) as bound:
        answer = await talk(bound.admin.port, f"{lines}\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert running.drain.draining is (status == 200)


async def test_drain_waits_for_the_last_exchange():
    async with planes(slowly(0.3)) as (running, admin), listening(running.plane, admin, [LOOPBACK], LOOPBACK) as bound:
        wire = await connect(bound.data[0].port)
        await wire.send(CALL)
        await until(lambda: running.drain.in_flight == 1)
        answer = await talk(bound.admin.port, b"GET /drain?wait=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"in_flight":0' in answer
        wire.close()


async def test_a_bug_of_the_admin_plane_says_nothing_but_where_it_is():
    async def broken(_: str) -> bytes | None:
        raise RuntimeError("anna@example.org")

    with logged() as out:
        async with planes() as (running, _):
            admin = AdminPlane(drain=running.drain, meter=running.meter, receipt=broken)
            async with listening(running.plane, admin, [LOOPBACK], LOOPBACK) as bound:
                asked = b"GET /receipts/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                answer = await talk(bound.admin.port, asked)
        [line] = map(json.loads, out.getvalue().splitlines())
    assert answer.startswith(b"HTTP/1.1 503 ") and answer.endswith(b'{"error":"INTERNAL"}')
    assert (line["event"], line["level"], line["error"]) == ("admin fault", "error", "RuntimeError")
    assert "anna" not in str(line)


async def test_not_ready_while_something_is_broken():
    async with planes() as (running, _):
        admin = AdminPlane(drain=running.drain, meter=running.meter, receipt=nothing, ready=lambda: False)
        async with listening(running.plane, admin, [LOOPBACK], LOOPBACK) as bound:
            asked = b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            answer = await talk(bound.admin.port, asked % b"healthz/ready")
            page = await talk(bound.admin.port, asked % b"metrics")
    assert answer.startswith(b"HTTP/1.1 503 ") and answer.endswith(b'{"status":"not ready"}')
    assert b"sidecar_ready 0.0" in page


async def test_several_listeners_and_a_socket_left_behind(tmp_path: Path):
    path = tmp_path / "sidecar.sock"
    at = [LOOPBACK, Listen(path=str(path))]
    async with planes(slowly(0)) as (running, admin):
        for _ in range(2):
            async with listening(running.plane, admin, at, LOOPBACK) as bound:
                with pytest.raises(OSError, match="another process"):
                    async with listening(running.plane, admin, [Listen(path=str(path))], LOOPBACK):
                        pass
                running.drain.draining = running.drain.aborting = False
                for wire in (await connect(bound.data[0].port), await connect(path=bound.data[1].path)):
                    await wire.send(CALL)
                    assert (await wire.message()).endswith(b"ok")
                    wire.close()
            leave_behind(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("203.0.113.1:0", "Cannot assign requested address"),
        ("unix:/nowhere/s.sock", "No such file or directory"),
        (f"unix:/tmp/{'s' * 120}", "AF_UNIX path too long"),
    ],
)
async def test_an_address_that_cannot_be_had_is_named(text: str, why: str):
    async with planes(slowly(0)) as (running, admin):
        with pytest.raises(OSError) as caught:
            async with listening(running.plane, admin, [Listen.at(text)], LOOPBACK):
                pass
    assert str(caught.value) == f"cannot listen on {text}: {why}; free it, or choose another address"


async def test_a_port_that_is_taken_is_named():
    async with planes(slowly(0)) as (running, admin), listening(running.plane, admin, [LOOPBACK], LOOPBACK) as bound:
        with pytest.raises(OSError, match=f"^cannot listen on {bound.admin}: Address already in use; free it"):
            async with listening(running.plane, admin, [bound.admin], LOOPBACK):
                pass


def leave_behind(path: Path) -> None:
    """As a process that was killed would."""
    import socket

    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:8000", Listen(host="127.0.0.1", port=8000)),
        (":8000", Listen(host="", port=8000)),
        ("[::1]:0", Listen(host="::1", port=0)),
        ("unix:/run/s.sock", Listen(path="/run/s.sock")),
        (f"unix:{Path.cwd()}/s.sock", Listen.at("unix:s.sock")),
    ],
)
def test_where_to_listen(text: str, listen: Listen):
    assert Listen.at(text) == listen
    assert str(listen) == text


def test_a_star_is_every_address():
    assert Listen.at("*:8000") == Listen.at(":8000")


@pytest.mark.parametrize("name", ["one.sock", "./one.sock", "sub/one.sock"])
async def test_a_socket_without_a_slash_is_in_the_working_directory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    at = Listen.at(f"unix:{name}")
    monkeypatch.chdir("/")
    async with planes() as (running, admin), listening(running.plane, admin, [at], LOOPBACK):
        assert (tmp_path / name).is_socket()


@pytest.mark.parametrize(("peers", "mode"), [({}, 0o600), ({os.getuid(): Caller(auth="unix_peer")}, 0o666)])
async def test_who_may_connect_to_a_socket(peers: dict[int, Caller], mode: int, tmp_path: Path):
    """Other users where peers are configured: their user id then says who they are."""
    path = tmp_path / "s.sock"
    async with UpstreamClient(UpstreamSettings(url=NOWHERE)) as client:
        running = Shell(client, None, callers=Callers(uids=peers))
        admin = AdminPlane(drain=running.drain, meter=running.meter, receipt=nothing)
        side = tmp_path / "admin.sock"
        async with listening(running.plane, admin, [Listen(path=str(path))], Listen(path=str(side))):
            assert stat.S_IMODE(path.stat().st_mode) == mode
            assert stat.S_IMODE(side.stat().st_mode) == 0o600
            wire = await connect(path=str(path))
            await wire.send(b"GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await wire.message()).startswith(b"HTTP/1.1 404 ")
            wire.close()


async def test_a_socket_that_cannot_be_made_is_named(tmp_path: Path):
    async with planes() as (running, admin):
        for path in (tmp_path / "missing" / "s.sock", tmp_path / ("x" * 120)):
            with pytest.raises(OSError, match=path.name):
                async with listening(running.plane, admin, [Listen(path=str(path))], LOOPBACK):
                    pass


@pytest.mark.parametrize(
    "text", ["", "8000", "host", "host:http", "host:99999", "host:-1", "unix:", "http://host:80", "a host:80"]
)
def test_where_one_cannot_listen(text: str):
    with pytest.raises(ValueError, match="looks like"):
        Listen.at(text)


async def test_no_page_drains_a_sidecar_whose_admin_port_others_reach():
    """Its name may lead to this pod's address (DNS rebinding); kubelets ask by address, people by POST too."""
    async with planes(slowly(0.0)) as (running, admin):
        admin = replace(admin, pages=Pages())
        server = Server(running, admin, deadline=1)
        port = (await server.bound).admin.port
        for asked in (
            b"GET /drain HTTP/1.1\r\nHost: evil.example:8401",
            b"HEAD /drain HTTP/1.1\r\nHost: evil.example:8401",
            b"POST /drain HTTP/1.1\r\nHost: evil.example:8401\r\nOrigin: http://evil.example:8401",
        ):
            answer = await talk(port, asked + b"\r\nConnection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 403 ") and not running.drain.draining
        for asked in (b"GET /drain HTTP/1.1\r\nHost: 10.1.2.3:8401", b"POST /drain HTTP/1.1\r\nHost: llm.corp.example"):
            answer = await talk(port, asked + b"\r\nConnection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 ") and running.drain.draining
        server.stop.set()
        await asyncio.wait_for(server.task, 10)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET /healthz/live HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", 431),
        (b"POST /drain HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    ],
)
async def test_broken_http_at_the_admin_port_is_answered_as_all_else_there(sent: bytes, status: int) -> None:
    async with planes() as (running, admin):
        server = Server(running, admin, deadline=1)
        port = (await server.bound).admin.port
        head, _, body = (await talk(port, sent)).partition(b"\r\n\r\n")
        assert head.split(b" ", 2)[1] == b"%d" % status and b"Content-Type: application/json" in head
        told = json.loads(body)
        assert sorted(told) == ["advice", "error"] and told["error"] == "PROTOCOL_ERROR"
        assert b"live" in await talk(port, b"GET /healthz/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server.stop.set()
        await asyncio.wait_for(server.task, 3)
