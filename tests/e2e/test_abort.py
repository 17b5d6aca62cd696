"""A caller who hangs up is felt by the model server within 100 ms, streaming and not, and the record says so."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from tests.captures import RawServer, Wire, connect, until
from tests.e2e import processes

BODY = b'{"model":"m","stream":%s,"messages":[{"role":"user","content":"write to ann@example.org"}]}'
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


async def silent(wire: Wire) -> None:
    """Take the call, never answer."""
    await wire.message()
    await wire.rest()


async def talking(wire: Wire) -> None:
    """Stream some words, then think."""
    await wire.message()
    await wire.send(SSE + b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
    await wire.rest()


@pytest.mark.parametrize(("play", "stream"), [(silent, b"false"), (silent, b"true"), (talking, b"true")])
async def test_the_abort_reaches_the_model_server_within_100_ms(tmp_path: Path, play: object, stream: bytes) -> None:
    delays = []
    async with RawServer(play) as server:  # type: ignore[arg-type]
        with processes.sidecar(tmp_path, server.url) as sidecar:
            port = int(sidecar.base.split(":")[2].split("/")[0])
            for number in range(10):
                wire = await connect(port)
                body = BODY % stream
                await wire.send(HEAD % len(body) + body)
                await until(lambda n=number: len(server.wires) > n and b"model" in server.wires[n].received)
                if play is talking:
                    await wire.until(b"word")
                gone = time.perf_counter()
                wire.abort()
                await until(lambda n=number: server.wires[n].gone_at is not None)
                at = server.wires[number].gone_at
                assert at is not None
                delays.append((at - gone) * 1000)
            await until(lambda: all(row["state"] != "open" for row in sidecar.rows()))
            rows = sidecar.rows()
    print(f"abort seen upstream after {statistics.median(delays):.1f} ms (median), {max(delays):.1f} ms (worst)")
    assert statistics.median(delays) < 100
    assert [row["state"] for row in rows] == ["aborted"] * 10
    assert {row["aborted_by"] for row in rows} == {"client"}
