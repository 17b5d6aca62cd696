"""A caller who leaves is felt by the model server within 100 ms: a GPU is burning (guarantee 7)."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.model import Arrival
from sidecar.proxy.answer import HttpAnswer
from tests.captures import RawServer, Wire, connect, until
from tests.proxy.shell import shell

CALL = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
EVENT = b"b\r\ndata: {}\n\n\n\r\n"
LIMIT = 0.1


async def silent(wire: Wire) -> None:
    """Reads the call, and never answers."""
    await wire.message()
    await wire.rest()


async def streaming(wire: Wire) -> None:
    """Answers an event, then nothing."""
    await wire.message()
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + EVENT)
    await wire.rest()


async def pouring(wire: Wire) -> None:
    """Answers events without end."""
    await wire.message()
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    reading = asyncio.ensure_future(wire.rest())
    while not reading.done():
        await wire.send(EVENT * 100)
        await asyncio.sleep(0)


@pytest.mark.parametrize("play", [silent, streaming, pouring])
@pytest.mark.parametrize("leave", ["close", "abort", "hang_up"])
async def test_the_upstream_sees_it(play: object, leave: str):
    async with RawServer(play) as up, shell(up.url, idle=None) as running:
        caller = await connect(running.port)
        await caller.send(CALL)
        await until(lambda: bool(up.wires) and up.wires[0].received.endswith(b"{}"))
        if play is not silent:
            await caller.until(b"data: {}")
        getattr(caller, leave)()
        assert await until(lambda: up.wires[0].gone_at is not None) < LIMIT
        assert await running.drain.idle(1)
        assert running.metric("aborts_total") == 1
        caller.close()


async def test_a_pass_route_too():
    async with RawServer(silent) as up, shell(up.url, idle=None) as running:
        caller = await connect(running.port)
        await caller.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: bool(up.wires) and bool(up.wires[0].received))
        caller.close()
        assert await until(lambda: up.wires[0].gone_at is not None) < LIMIT


async def test_the_conductor_may_finish_its_record_first():
    """Cancellation reaches the handler once; what it awaits on its way out is not cut."""
    recorded = asyncio.Event()

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            recorded.set()

    async with shell(handler=handler) as running:
        caller = await connect(running.port)
        await caller.send(CALL)
        await until(lambda: bool(running.arrivals))
        caller.close()
        await asyncio.wait_for(recorded.wait(), 2)


async def test_a_conductor_that_gives_up_by_itself():
    """`govern` turns a failed write into CancelledError, though nobody cancelled it."""

    async def handler(_: Arrival, answer: HttpAnswer) -> None:
        raise asyncio.CancelledError

    async with shell(handler=handler) as running:
        caller = await connect(running.port)
        await caller.send(CALL)
        assert await caller.rest() == b""
        assert await running.drain.idle(1)
        caller.close()
        other = await connect(running.port)
        await other.send(b"GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await other.message()).startswith(b"HTTP/1.1 404 ")
        other.close()


@pytest.mark.parametrize("leave", ["close", "abort", "hang_up"])
@pytest.mark.parametrize("framing", [b"Content-Length: 2000", b"Transfer-Encoding: chunked"])
async def test_a_caller_who_leaves_while_sending_is_recorded(leave: str, framing: bytes):
    async with shell() as running:
        caller = await connect(running.port)
        await caller.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n8\r\n{\"model\"")
        await until(lambda: running.plane.held.size > 0)
        getattr(caller, leave)()
        await until(lambda: bool(running.left))
        assert await running.drain.idle(1)
        assert (running.left[0].body, running.refused, running.arrivals) == (b"", [], [])
        assert (running.plane.held.size, running.metric("aborts_total")) == (0, 1)
        caller.close()


async def test_one_caller_who_leaves_disturbs_no_other():
    async with RawServer(streaming) as up, shell(up.url, idle=None) as running:
        callers = [await connect(running.port) for _ in range(5)]
        for caller in callers:
            await caller.send(CALL)
            await caller.until(b"data: {}")
        callers[2].abort()
        await until(lambda: sum(wire.gone_at is not None for wire in up.wires) == 1)
        await asyncio.sleep(0.05)
        assert sum(wire.gone_at is not None for wire in up.wires) == 1
        for caller in callers:
            caller.close()
