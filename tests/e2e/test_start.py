"""What the shell that starts the sidecar leaves it: few open files, a stdout that takes nothing, no terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.e2e import processes
from tests.e2e.processes import Stub
from tests.e2e.test_operations import call, states, streamed

HEARD = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
STDOUT = {"closed": 'exec "$@" >&-', "full": 'exec "$@" >/dev/full', "left": 'exec "$@" > >(true)'}


@pytest.mark.parametrize("name", STDOUT)
async def test_a_stdout_that_takes_nothing_decides_over_no_start(name: str, stub: Stub, tmp_path: Path) -> None:
    config = {"detection": {"names": False}}
    with processes.sidecar(tmp_path, stub.url, wrap=("bash", "-c", STDOUT[name], "-"), config=config) as sidecar:
        assert (await call(sidecar))[0] == 200
        assert await asyncio.to_thread(sidecar.stop) == 0
    assert "Traceback" not in sidecar.output()


@pytest.mark.parametrize("command", [("demo", "--once"), ("config", "check", "--upstream", "http://h")])
def test_what_cannot_be_printed_is_told_on_one_line(command: tuple[str, ...]) -> None:
    full = ["bash", "-c", STDOUT["full"], "-", sys.executable, "-m", "sidecar", *command]
    done = subprocess.run(full, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (2, "sidecar: input or output: No space left on device\n")


async def test_as_many_calls_as_the_limit_says_have_their_connections(stub: Stub, tmp_path: Path) -> None:
    """A shell gives 1024 open files, of which a call takes two; what is allowed beyond that is taken."""
    few = ("bash", "-c", 'ulimit -Sn 128; exec "$@"', "-")
    hanging = {"x-stub-behaviour": "hang-stream"}
    with processes.sidecar(tmp_path, stub.url, wrap=few, config={"detection": {"names": False}}) as sidecar:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            replies = await asyncio.gather(*(streamed(session, sidecar, **hanging) for _ in range(120)))
            assert {reply.status for reply in replies} == {200}
            for reply in replies:
                reply.close()


async def test_a_terminal_that_is_closed_leaves_no_call_open(stub: Stub, tmp_path: Path) -> None:
    config = {"detection": {"names": False}}
    wrap = (sys.executable, "-c", HEARD)  # also where the tests themselves run under `nohup`
    with processes.sidecar(tmp_path, stub.url, wrap=wrap, config=config) as sidecar:
        async with aiohttp.ClientSession() as session, streamed(session, sidecar, **{"x-stub-pace-ms": "50"}) as reply:
            await reply.content.readany()
            os.kill(sidecar.process.pid, signal.SIGHUP)
            assert (await reply.read()).endswith(b"data: [DONE]\n\n")
        assert await asyncio.to_thread(sidecar.process.wait, 30) == 0
    assert states(sidecar) == [("answered", None, None)]
