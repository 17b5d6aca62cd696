"""What the kernel saw: fdatasync of the intent before the upstream write, of the outcome before the reply's end.

With `synchronous=OFF` the same check fails: it can fail.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e import processes
from tests.e2e.processes import Stub

STRACE = shutil.which("strace")
pytestmark = pytest.mark.skipif(STRACE is None, reason="needs strace: apt-get install strace")
CALLS = "fdatasync,fsync,sendto,sendmsg,write,writev,pwrite64,pwritev"
LINE = re.compile(r"(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\()(?P<rest>.*)")
IN_ORDER = ["wal", "sync", "upstream", "wal", "sync", "end"]
"""The intent into the WAL, durable, the call; the outcome into the WAL, durable, the reply's end."""

OFF = """
import sys
from sidecar.drivers import store_sql
full, off = "PRAGMA synchronous = FULL", "PRAGMA synchronous = OFF"
assert full in store_sql.WRITER_PRAGMAS
store_sql.WRITER_PRAGMAS = tuple(off if pragma == full else pragma for pragma in store_sql.WRITER_PRAGMAS)
from sidecar.cli import main
sys.exit(main())
"""
"""`sidecar` with a store that does not sync. For this test only: no setting leads here."""


def events(trace: str) -> Iterator[str]:
    """What happened: a write counts when it begins, a sync when it has succeeded."""
    syncing: set[str] = set()
    for line in trace.splitlines():
        if not (found := LINE.match(line)):
            continue
        call, rest = found["call"] or found["resumed"], found["rest"]
        if call in ("fdatasync", "fsync"):
            if found["call"] and "ledger.sqlite-wal>" in rest:
                syncing.add(found["pid"])
            if found["pid"] in syncing and rest.endswith(" = 0"):
                syncing.discard(found["pid"])
                yield "sync"
        elif found["call"]:
            yield from written(rest)


def written(rest: str) -> Iterator[str]:
    """Whose write it is: the file's name is strace's, the text is ours or the stub's."""
    if "ledger.sqlite-wal>" in rest:
        yield "wal"
    elif "<socket:" in rest and "POST /v1/chat/completions" in rest:
        yield "upstream"
    elif "<socket:" in rest and r"\"finish_reason\":\"stop" in rest:
        yield "end"


def in_brief(found: Iterator[str]) -> list[str]:
    """Repetitions left out: one commit is many writes."""
    brief: list[str] = []
    for event in found:
        if brief[-1:] != [event]:
            brief.append(event)
    return brief


@pytest.mark.parametrize("synchronous", ["FULL", "OFF"])
async def test_each_entry_is_on_disk_before_what_waits_for_it(stub: Stub, tmp_path: Path, synchronous: str) -> None:
    log = tmp_path / "trace"
    wrap = [str(STRACE), "-f", "-y", "--seccomp-bpf", "-s", "20000", "-e", f"trace={CALLS}", "-o", str(log)]
    program = ("-c", OFF) if synchronous == "OFF" else ("-m", "sidecar")
    found = {}
    with processes.sidecar(tmp_path, stub.url, wrap=wrap, program=program) as sidecar:
        async with aiohttp.ClientSession() as session:
            for stream in (False, True):
                start = log.stat().st_size
                body = {
                    "model": "stub-model",
                    "stream": stream,
                    "messages": [{"role": "user", "content": "I am ann@a.org"}],
                }
                async with session.post(f"{sidecar.base}/chat/completions", json=body) as reply:
                    assert reply.status == 200
                    assert b"ann@a.org" in await reply.read()
                found[stream] = in_brief(events(log.read_bytes()[start:].decode(errors="replace")))
        sidecar.kill()  # the whole group: strace alone would not pass a signal on
    print(synchronous, {"streamed" if stream else "unary": order for stream, order in found.items()})
    if synchronous == "FULL":
        assert found == {False: IN_ORDER, True: IN_ORDER}
    else:
        assert found == {stream: [event for event in IN_ORDER if event != "sync"] for stream in (False, True)}
