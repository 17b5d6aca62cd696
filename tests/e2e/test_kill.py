"""kill -9 at random moments under load: nothing sent without an intent, nothing acknowledged lost, the log verifies.

A kill cannot show durability (the kernel keeps what a dead process wrote); test_syscalls.py and the power cut in
tests/drivers show that. `SIDECAR_KILLS=300` runs the long form.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from sidecar.drivers.store_verify import verify_path
from sidecar.ledger.report import VERIFIED
from tests.captures import RawServer, Wire
from tests.e2e.processes import Sidecar

KILLS = int(os.environ.get("SIDECAR_KILLS", "12"))  # noqa: TID251  the test's own switch
CALLERS = 8
SECRET = "ann@example.org"
CHOICE = b'{"index":0,"message":{"role":"assistant","content":"to <EMAIL_ADDRESS_1>"},"finish_reason":"stop"}'
UNARY = b'{"id":"c","choices":[' + CHOICE + b'],"model":"m"}'
EVENTS = (
    b'{"id":"c","choices":[{"index":0,"delta":{"content":"to <EMAIL_"},"finish_reason":null}],"model":"m"}',
    b'{"id":"c","choices":[{"index":0,"delta":{"content":"ADDRESS_1>"},"finish_reason":null}],"model":"m"}',
    b'{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"model":"m"}',
    b"[DONE]",
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


WHOLE = [HEAD % (b"application/json", b"Content-Length: %d" % len(UNARY)), UNARY]
STREAM = [
    HEAD % (b"text/event-stream", b"Transfer-Encoding: chunked"),
    *(chunk(b"data: " + event + b"\n\n") for event in EVENTS),
    b"0\r\n\r\n",
]


class Load:
    """Callers that call, streaming and not, until the sidecar dies; each call bears a mark of its own."""

    def __init__(self) -> None:
        self.number = 0
        self.dispatched: list[str] = []
        self.acknowledged: dict[str, str] = {}
        self.unexpected: list[str] = []

    async def play(self, wire: Wire) -> None:
        at = 0
        while True:
            message = await wire.message(at)
            at += len(message)
            self.dispatched.append(message.partition(b"mark-")[2][:8].decode())
            for piece in STREAM if b'"stream":true' in message else WHOLE:
                await asyncio.sleep(random.random() * 0.005)
                await wire.send(piece)

    async def call(self, base: str) -> None:
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                self.number += 1
                try:
                    await self._one(session, f"{base}/chat/completions", f"{self.number:08}", self.number % 2 == 0)
                except (aiohttp.ClientError, OSError):
                    return

    async def _one(self, session: aiohttp.ClientSession, url: str, mark: str, stream: bool) -> None:
        messages = [{"role": "user", "content": f"mark-{mark} of {SECRET}"}]
        body = orjson.dumps({"model": "m", "stream": stream, "messages": messages})
        headers = {"Content-Type": "application/json", "x-sidecar-prompt-version": f"v.{mark}"}
        async with session.post(url, data=body, headers=headers) as reply:
            text = await reply.text()
            if reply.status == 200 and SECRET in text and "stop" in text and ("[DONE]" in text) == stream:
                self.acknowledged[mark] = reply.headers["x-sidecar-record"]
            else:
                self.unexpected.append(f"{reply.status} {text}")


def verified(sidecar: Sidecar, kept: bytes | None) -> bytes:
    """Verify the running sidecar's store, and that it extends the checkpoint from before the kill; the newest one."""
    newest = (sidecar.state / "checkpoint").read_bytes()
    report = verify_path(sidecar.state, kept=kept)
    assert report.exit_code == VERIFIED, report.as_text()
    return newest


@pytest.mark.timeout(120 + 20 * KILLS)
async def test_kill_9_at_random_moments_under_load(tmp_path: Path) -> None:
    load, dice, loop = Load(), random.Random(20261121), asyncio.get_running_loop()
    async with RawServer(load.play) as server:
        config = {"detection": {"names": False}}  # its worker takes a second to load: longer than a life here
        sidecar = await asyncio.to_thread(Sidecar, tmp_path, server.url, config=config)
        try:
            for _ in range(KILLS):
                callers = [loop.create_task(load.call(sidecar.base)) for _ in range(CALLERS)]
                await asyncio.sleep(0.05 + dice.random() * 0.5)
                await asyncio.to_thread(sidecar.kill)
                await asyncio.gather(*callers)
                kept = (sidecar.state / "checkpoint").read_bytes()
                await asyncio.to_thread(sidecar.start)
                await asyncio.to_thread(verified, sidecar, kept)
            rows = await asyncio.to_thread(sidecar.rows)
            told = await asyncio.to_thread(sidecar.audit, "verify")
        finally:
            await asyncio.to_thread(sidecar.stop)
    assert told.returncode == VERIFIED, told.stdout + told.stderr
    judge(load, rows)


def judge(load: Load, rows: list[dict[str, Any]]) -> None:
    """Hold what callers and model server saw against the records."""
    by_version = {row["prompt_version"]: row for row in rows}
    states = Counter((row["state"], row["aborted_by"]) for row in rows)
    print(
        f"{KILLS} kills: {load.number} calls, {len(load.dispatched)} dispatched, {len(load.acknowledged)} acknowledged,"
        f" {len(rows)} records, {states['aborted', 'crash']} closed after a crash"
    )
    assert load.acknowledged
    assert not load.unexpected
    assert len(by_version) == len(rows)
    assert len(load.dispatched) == len(set(load.dispatched)), "sent twice"
    assert not [mark for mark in load.dispatched if f"v.{mark}" not in by_version], "sent without an intent"
    for mark, record in load.acknowledged.items():
        row = by_version[f"v.{mark}"]
        assert (row["id"], row["state"]) == (record, "answered"), "acknowledged and lost"
    assert set(states) == {("answered", None), ("aborted", "crash")}
