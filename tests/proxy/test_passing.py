"""Through the shell and back: the bytes that were sent are the bytes that arrive, both ways."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from tests.captures import OK, RawServer, Wire, answering, connect, talk
from tests.proxy.shell import logged, shell

BODY = b'{ "model":"m" ,"\\u0061":1.50, "n": 12345678901234567890,"messages":[ ]}\n'
HEAD = (
    b"POST /v1/chat/completions?a=%2F&b HTTP/1.1\r\nhost: sidecar\r\nAccept: */*\r\nx-stainless-LANG: python\r\n"
    b"authorization: Bearer k\r\nX-dup: 1\r\nx-other: \xc3\xa9\r\nX-dup: 2\r\ncontent-type: application/json\r\n"
)
KEPT = HEAD.split(b"\r\n", 2)[2]


def request(body: bytes = BODY, extra: bytes = b"") -> bytes:
    return HEAD + b"Content-Length: %d\r\n" % len(body) + extra + b"\r\n" + body


def events(count: int) -> list[bytes]:
    return [b'data: {"i":%d}\n\n' % i for i in range(count)]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def test_a_unary_call_is_identical_on_both_sides():
    reply = (
        b"HTTP/1.1 200 OK\r\ndate: Mon\r\nserver: uvicorn\r\nX-Two: 1\r\nX-Two: 2\r\ncontent-type: application/json\r\n"
        b'content-length: 9\r\n\r\n{ "a":1.}'
    )
    async with RawServer(answering(reply)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(request())
        answer = await wire.message()
        wire.close()
        record = running.arrivals[0].id.encode()
    sent = bytes(up.wires[0].received)
    host = b"Host: 127.0.0.1:%d\r\n" % up.port
    assert (
        sent
        == b"POST /v1/chat/completions?a=%2F&b HTTP/1.1\r\n"
        + host
        + KEPT
        + (b"Content-Length: %d\r\n\r\n" % len(BODY))
        + BODY
    )
    assert answer == reply.replace(b"\r\n\r\n", b"\r\nx-sidecar-record: " + record + b"\r\n\r\n")


async def test_a_stream_is_identical_and_comes_event_by_event():
    async def play(wire: Wire) -> None:
        await wire.message()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for event in events(5):
            await wire.send(chunk(event))
            await asyncio.sleep(0.03)
        await wire.send(b"0\r\n\r\n")
        await wire.rest()

    async with RawServer(play) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(request())
        reads = []
        while not wire.received.endswith(b"0\r\n\r\n"):
            reads.append(await wire.some())
        wire.close()
    body = bytes(wire.received).split(b"\r\n\r\n", 1)[1]
    assert body == b"".join(map(chunk, events(5))) + b"0\r\n\r\n"
    assert len(reads) >= 5


async def test_a_reply_that_ends_with_the_connection_gets_chunks():
    async def play(wire: Wire) -> None:
        await wire.message()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}")

    async with RawServer(play) as up, shell(up.url) as running:
        answer = await talk(running.port, request(extra=b"Connection: close\r\n"))
    assert answer.endswith(b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n")


async def test_a_chunked_request_arrives_whole_with_a_length():
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b'{"a":') + chunk(b"1}") + b"0\r\n\r\n")
        await wire.message()
        wire.close()
        assert running.arrivals[0].body == b'{"a":1}'
    assert bytes(up.wires[0].received).endswith(b'Content-Length: 7\r\n\r\n{"a":1}')


async def test_a_gzip_body_is_kept_as_it_came():
    body = gzip.compress(BODY)
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(request(body, b"Content-Encoding: gzip\r\n"))
        await wire.message()
        wire.close()
        assert running.arrivals[0].body == body
    assert bytes(up.wires[0].received).endswith(b"\r\n\r\n" + body)


async def test_pass_routes_are_untouched_counted_and_bear_no_record():
    reply = b"HTTP/1.1 200 OK\r\nServer: vllm\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nvllm:x 1\n"
    async with RawServer(answering(reply)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await wire.message() == reply
        wire.close()
        assert running.metric("passed_total", route="/metrics", status="200") == 1
        assert not running.arrivals
        assert not running.refused


async def test_a_pass_route_streams_both_ways():
    """The upstream's first bytes come back while the caller's body is still on its way."""

    async def play(wire: Wire) -> None:
        await wire.until(b"one")
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"first"))
        await wire.until(b"two")
        await wire.send(chunk(b"second") + b"0\r\n\r\n")
        await wire.rest()

    async with RawServer(play) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(b"POST /v1/models HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"one"))
        await wire.until(b"first")
        await wire.send(chunk(b"two") + b"0\r\n\r\n")
        assert (await wire.message()).endswith(chunk(b"first") + chunk(b"second") + b"0\r\n\r\n")
        wire.close()


async def test_head_has_a_length_and_no_body():
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 900\r\n\r\n"
    async with RawServer(answering(reply)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        for count in range(2):
            await wire.send(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n")
            await wire.until(reply, count * len(reply))
        wire.close()
    assert bytes(wire.received) == reply * 2


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_statuses_without_a_body(status: bytes):
    reply = b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n"
    async with RawServer(answering(reply)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await wire.message() == reply
        wire.close()


async def test_a_pass_route_whose_upstream_is_down():
    """Nothing of it is recorded; the log says what was behind it, as of a governed call."""
    with logged() as out:
        async with shell() as running:
            answer = await talk(running.port, b"GET /health?who=anna HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not running.refused
        [line] = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (line["event"], line["route"], line["status"]) == ("passed", "/health", 502)
    told = (line["code"], line["error"], line["errno"])
    assert told == ("UPSTREAM_UNREACHABLE", "ClientConnectorError", "ECONNREFUSED")
    assert "anna" not in out.getvalue()
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b'"code":"UPSTREAM_UNREACHABLE"' in answer
    assert b"x-sidecar-record" not in answer


async def test_an_old_client_gets_an_end_without_chunks():
    async def play(wire: Wire) -> None:
        await wire.message()
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n\r\n")
        await wire.rest()

    async with RawServer(play) as up, shell(up.url) as running:
        answer = await talk(running.port, b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.endswith(b"\r\nConnection: close\r\n\r\n{}")


async def test_an_old_client_keeps_its_connection_where_the_end_is_told():
    """And only there: an answer that ends with the connection would leave it waiting for ever."""
    ends = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n\r\n"
    call = b"POST /v1/chat/completions HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}"
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        for _ in range(2):
            await wire.send(call)
            assert b"\r\nConnection: keep-alive\r\n" in await wire.message(len(wire.received))
        wire.close()
    async with RawServer(answering(ends)) as up, shell(up.url) as running:
        assert (await talk(running.port, call)).endswith(b"\r\nConnection: close\r\n\r\n{}")


async def test_an_absolute_target_is_a_path_here():
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(b"POST http://evil/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
        await wire.message()
        wire.close()
    assert up.wires[0].received.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_calls_on_one_connection_follow_each_other():
    async with RawServer(answering(OK)) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(request() * 3)
        at = 0
        for _ in range(3):
            at += len(await wire.message(at))
        wire.close()
        assert len({arrival.id for arrival in running.arrivals}) == 3
    assert len(up.wires) == 1


async def test_a_large_reply_waits_for_a_slow_reader():
    """Backpressure: what the caller does not read, is not read from the upstream either."""
    size = 40_000_000
    written = 0

    async def play(wire: Wire) -> None:
        nonlocal written
        await wire.message()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while written < size:
            await wire.send(b"x" * 100_000)
            written += 100_000
        await wire.rest()

    async with RawServer(play) as up, shell(up.url) as running:
        wire = await connect(running.port)
        await wire.send(request())
        await asyncio.sleep(0.5)
        assert written < size
        await wire.until(b"\r\n\r\n")
        got = len(bytes(wire.received).split(b"\r\n\r\n", 1)[1])
        while got < size:
            got += len(await wire.some())
        wire.close()
    assert got == size
