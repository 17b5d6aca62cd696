"""kill -9 at random moments under load: nothing sent without an intent, nothing acknowledged lost, the log verifies.

A kill cannot show durability (the kernel keeps what a dead process wrote); test_syscalls.py and the power cut in
tests/ledger show that. `SIDECAR_KILLS=300` runs the long form.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import aiohttp
import pytest

from tests.captures import RawServer, Wire
from tests.e2e import processes

KILLS = int(os.environ.get("SIDECAR_KILLS", "20"))  # noqa: TID251  the test's own switch
CALLERS = 8
CHOICE = b'{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}'
REPLY = b'{"id":"c","choices":[' + CHOICE + b'],"model":"m"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REPLY)


class Load:
    """Callers that call until they are stopped; each call bears a mark of its own."""

    def __init__(self) -> None:
        self.number = 0
        self.dispatched: set[str] = set()
        self.acknowledged: dict[str, str] = {}

    async def play(self, wire: Wire) -> None:
        at = 0
        while True:
            message = await wire.message(at)
            at += len(message)
            self.dispatched.add(message.partition(b"mark-")[2][:8].decode())
            await asyncio.sleep(random.random() * 0.01)
            await wire.send(HEAD + REPLY)

    async def call(self, base: str) -> None:
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                self.number += 1
                mark = f"{self.number:08}"
                body = {"model": "m", "messages": [{"role": "user", "content": f"mark-{mark} of ann@example.org"}]}
                headers = {"x-sidecar-prompt-version": f"v.{mark}"}
                try:
                    async with session.post(f"{base}/chat/completions", json=body, headers=headers) as reply:
                        await reply.read()
                        if reply.status == 200:
                            self.acknowledged[mark] = reply.headers["x-sidecar-record"]
                except (aiohttp.ClientError, TimeoutError):
                    return


@pytest.mark.timeout(60 + 8 * KILLS)
async def test_kill_9_at_random_moments_under_load(tmp_path: Path) -> None:
    load = Load()
    dice, loop = random.Random(20261121), asyncio.get_running_loop()
    async with RawServer(load.play) as server:
        sidecar = await asyncio.to_thread(processes.Sidecar, tmp_path, server.url)
        for _ in range(KILLS):
            callers = [loop.create_task(load.call(sidecar.base)) for _ in range(CALLERS)]
            await asyncio.sleep(0.05 + dice.random() * 0.5)
            await asyncio.to_thread(sidecar.kill)
            await asyncio.gather(*callers)
            await asyncio.to_thread(sidecar.start)
            verified = await asyncio.to_thread(sidecar.audit, "verify")
            assert verified.returncode == 0, verified.stdout + verified.stderr
        rows = await asyncio.to_thread(sidecar.rows)
        await asyncio.to_thread(sidecar.stop)
    by_version = {row["prompt_version"]: row for row in rows}
    states = [row["state"] for row in rows]
    crashed = [row for row in rows if row["state"] == "aborted" and row["aborted_by"] == "crash"]
    print(
        f"{KILLS} kills: {load.number} calls, {len(load.dispatched)} dispatched, "
        f"{len(load.acknowledged)} acknowledged, {len(rows)} records, {len(crashed)} closed after a crash"
    )
    assert load.acknowledged
    assert not [mark for mark in load.dispatched if f"v.{mark}" not in by_version], "sent without an intent"
    assert not [mark for mark, record in load.acknowledged.items() if by_version[f"v.{mark}"]["id"] != record]
    assert all(by_version[f"v.{mark}"]["state"] == "answered" for mark in load.acknowledged), "acknowledged and lost"
    assert "open" not in states
    assert crashed
