"""What clients and servers of other houses really send: umlauts in ISO-8859-1, redirects, replies unasked, no reply."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import openai
import pytest

from sidecar.proxy.accept import Limits
from sidecar.proxy.answer import HttpAnswer
from sidecar.proxy.callers import Callers, ProxyHeaders
from tests.captures import OK, RawServer, Wire, answering, connect, talk, until
from tests.proxy.shell import shell

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n"


@pytest.mark.parametrize(("sent", "read"), [(b"J\xfcrgen", "Jürgen"), ("Jürgen".encode(), "Jürgen"), (b"a\tb", "a\tb")])
async def test_headers_in_iso_8859_1_are_read_and_go_on(sent: bytes, read: str):
    """As `requests` and `http.client` write them; a detector must see the name, and the model server all of it."""
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        await talk(running.port, POST + b"X-Customer: " + sent + b"\r\n\r\n{}")
        assert ("X-Customer", read) in running.arrivals[0].headers
        assert f"X-Customer: {read}\r\n".encode() in up.wires[0].received


async def test_people_whose_umlaut_is_in_iso_8859_1_stay_two():
    callers = Callers(proxies=(ipaddress.ip_network("127.0.0.0/8"),), proxy_headers=ProxyHeaders(user="x-user"))
    async with RawServer(answering(OK)) as up, shell(up.url, callers=callers) as running:
        for name in (b"M\xfcller", b"M\xf6ller", "Müller".encode()):
            await talk(running.port, POST + b"X-User: " + name + b"\r\n\r\n{}")
        assert [arrival.caller.user for arrival in running.arrivals] == ["Müller", "Möller", "Müller"]


async def test_who_takes_a_large_answer_slowly_gets_all_of_it():
    """`reading_timeout` is for a caller who takes nothing, however long the whole takes."""
    size = 8 * 1024 * 1024

    async def handler(_: object, answer: HttpAnswer) -> None:
        await answer.start(200, [("Content-Length", str(size))])
        await answer.write(b"x" * size)
        await answer.end()

    async with shell(handler=handler, limits=Limits(reading_timeout=0.5)) as running:
        loop, got = asyncio.get_running_loop(), 0
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            sock.connect(("127.0.0.1", running.port))
            sock.setblocking(False)
            await loop.sock_sendall(sock, POST + b"\r\n{}")
            while data := await asyncio.wait_for(loop.sock_recv(sock, 262_144), 5):
                got += len(data)
                await asyncio.sleep(0.02)
    assert got > size


@pytest.mark.parametrize("drip", [b"", b"x"])
async def test_a_body_that_does_not_come_is_not_waited_for_on_routes_that_merely_pass(drip: bytes):
    """Nobody is asked who he is there, and each would hold one of the connections to the model server."""
    async with RawServer(answering(OK)) as up, shell(up.url, limits=Limits(body_timeout=0.3, lingering=0.1)) as running:
        wire = await connect(running.port)
        await wire.send(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
        reading = asyncio.ensure_future(wire.rest())
        for _ in range(60):
            if drip and not wire.received:
                await wire.send(drip)
            await asyncio.sleep(0.05)
            if reading.done():
                break
        answer = await asyncio.wait_for(reading, 1)
        assert answer.startswith(b"HTTP/1.1 408 ") and b'"BODY_TIMEOUT"' in answer
        assert running.metric("passed_total", route="/v1/models", status="408") == 1
        await until(lambda: up.wires[0].gone_at is not None)
        wire.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_makes_the_sdk_send_the_text_past_the_sidecar(status: int):
    """The openai SDK follows redirects, with the body as its caller wrote it: to wherever the model server says."""
    async with RawServer(answering(OK)) as elsewhere:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}/v1/chat/completions\r\n".encode()
        moved += b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        async with RawServer(answering(moved)) as up, shell(up.url) as running:
            client = openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="k", max_retries=0)
            with pytest.raises(openai.APIStatusError) as raised:
                await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "I am Ann"}])
            await client.close()
        assert not elsewhere.wires
    assert (raised.value.status_code, raised.value.code) == (502, "UPSTREAM_INVALID")
    assert "upstream.url" in str(raised.value.body)


async def test_a_redirect_of_a_route_that_merely_passes_is_the_callers_to_follow():
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /v1/models\r\nContent-Length: 0\r\n\r\n"
    async with RawServer(answering(moved)) as up, shell(up.url) as running:
        answer = await talk(running.port, b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"Location: /v1/models\r\n" in answer


async def test_a_reply_that_comes_unasked_is_nobodys():
    """Behind the one that was asked for, or on the idle connection: the next caller gets his own."""
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

    async def play(wire: Wire) -> None:
        await wire.message()
        first = len(up.wires) == 1
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmi")
        await asyncio.sleep(0.02)
        await wire.send(b"ne" + (poison if first else b""))
        await asyncio.sleep(0.02)
        if not first:
            await wire.send(poison)
        await wire.rest()

    async with RawServer(play) as up, shell(up.url) as running:
        for number in range(1, 4):
            answer = await asyncio.wait_for(talk(running.port, POST + b"\r\n{}"), 5)
            assert answer.endswith(b"\r\n\r\nmine")
            await asyncio.sleep(0.05)
            assert len(up.wires) == number


async def test_a_model_server_that_does_not_read_is_given_up():
    """More than the socket takes: without a limit the call would wait as long as its caller does."""

    async def play(_: Wire) -> None:
        await asyncio.sleep(60)

    body = b"x" * 16_000_000
    head = POST.replace(b"Content-Length: 2", b"Content-Length: %d" % len(body))
    async with RawServer(play) as up, shell(up.url, idle=0.4) as running:
        answer = await asyncio.wait_for(talk(running.port, head + b"\r\n" + body), 10)
        assert answer.startswith(b"HTTP/1.1 504 ") and b'"UPSTREAM_TIMEOUT"' in answer


async def test_a_model_server_that_reads_slowly_is_not():
    """It takes twice as long as it may be silent."""
    body = b"x" * 24_000_000

    async def play(wire: Wire) -> None:
        while len(wire.received) < len(body):
            await wire.some()
            await asyncio.sleep(0.006)
        await wire.send(OK)

    head = POST.replace(b"Content-Length: 2", b"Content-Length: %d" % len(body))
    async with RawServer(play) as up, shell(up.url, idle=1.5) as running:
        answer = await asyncio.wait_for(talk(running.port, head + b"\r\n" + body), 30)
        assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_control_character_in_a_replys_header_is_the_model_servers_fault():
    """Once our own head had begun nobody could be told."""
    reply = b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Type: text/event-stream\r\nContent-Length: 2\r\n\r\n{}"
    async with RawServer(answering(reply)) as up, shell(up.url) as running:
        answer = await talk(running.port, POST + b"\r\n{}")
    assert answer.startswith(b"HTTP/1.1 502 ") and b'"UPSTREAM_INVALID"' in answer


async def test_a_replys_header_in_iso_8859_1_keeps_its_letters():
    reply = b"HTTP/1.1 200 OK\r\nX: caf\xe9\r\nContent-Length: 2\r\n\r\n{}"
    async with RawServer(answering(reply)) as up, shell(up.url) as running:
        answer = await talk(running.port, POST + b"\r\n{}")
    assert "X: café\r\n".encode() in answer
