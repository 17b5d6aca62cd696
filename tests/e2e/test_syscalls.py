"""What the kernel saw: fdatasync of the intent before the upstream write, of the outcome before the reply's end.

And with `synchronous=OFF` there is no fdatasync, so that the same check fails: it can fail.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.e2e import processes
from tests.e2e.processes import Stub

STRACE = shutil.which("strace")
pytestmark = pytest.mark.skipif(STRACE is None, reason="needs strace: apt-get install strace")
CALLS = "fdatasync,fsync,sendto,write,writev,sendmsg"
OFF = """
import sys
from sidecar.drivers import store_sql
def off(connection):
    connection.execute("PRAGMA synchronous=OFF")
{patch}
from sidecar.cli import main
sys.exit(main())
"""


def events(trace: str) -> list[str]:
    """The order of what matters: `sync`, `upstream` (the call goes out), `end` (the reply's last bytes)."""
    found = []
    for line in trace.splitlines():
        if re.search(r"\b(fdatasync|fsync)\(.*\)\s+= 0|<\.\.\. (fdatasync|fsync) resumed.*= 0", line):
            found.append("sync")
        elif re.search(r"\b(sendto|sendmsg|write|writev)\(", line):
            if "POST /v1/chat/completions" in line and "Host:" in line:
                found.append("upstream")
            elif "[DONE]" in line or '"finish_reason\\":\\"stop' in line or "0\\r\\n\\r\\n" in line:
                found.append("end")
    return found


async def traced(stub: Stub, folder: Path, stream: bool, *, off: bool = False) -> list[str]:
    log = folder / "trace"
    wrap = [STRACE or "strace", "-f", "-s", "20000", "-e", f"trace={CALLS}", "-o", str(log)]
    env = {"SIDECAR_TEST_SYNCHRONOUS": "OFF"} if off else {}
    with processes.sidecar(folder, stub.url, wrap=wrap, env=env) as sidecar:
        body = {"model": "stub-model", "stream": stream, "messages": [{"role": "user", "content": "ann@example.org"}]}
        before = len(log.read_text(errors="replace"))
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{sidecar.base}/chat/completions", json=body) as reply,
        ):
            assert reply.status == 200
            await reply.read()
        trace = log.read_text(errors="replace")[before:]
    return events(trace)


def ordered(found: list[str]) -> bool:
    """sync ... upstream ... sync ... end."""
    if "upstream" not in found or "end" not in found:
        return False
    sent, end = found.index("upstream"), len(found) - 1 - found[::-1].index("end")
    first_end = found.index("end", sent)
    return "sync" in found[:sent] and "sync" in found[sent:first_end] and first_end <= end


@pytest.mark.parametrize("stream", [False, True])
async def test_each_entry_is_on_disk_before_what_waits_for_it(stub: Stub, tmp_path: Path, stream: bool) -> None:
    found = await traced(stub, tmp_path, stream)
    print(found)
    assert ordered(found), found
    assert sys.platform == "linux"
