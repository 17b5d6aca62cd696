"""SIGTERM ends `sidecar demo` as Ctrl-C does, at any moment: no process and no folder stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def in_session(session: int) -> list[int]:
    """The processes of a session (proc_pid_stat(5): the sixth field)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
@pytest.mark.parametrize(("ready", "code"), [("stub.log", 130), ("sidecar.log", 130), ("It stays up", 0)])
def test_sigterm_leaves_nothing_behind(ready: str, code: int, tmp_path: Path) -> None:
    out, temporary = tmp_path / "out.txt", tmp_path / "tmp"
    temporary.mkdir()
    env = {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}  # noqa: TID251  a child needs ours
    with out.open("wb") as told:
        command = [sys.executable, "-m", "sidecar", "demo"]
        demo = subprocess.Popen(command, stdout=told, stderr=told, env=env, start_new_session=True)
        try:
            end = time.monotonic() + 120
            while ready not in out.read_text() and not list(temporary.glob(f"*/{ready}")):
                assert demo.poll() is None and time.monotonic() < end, out.read_text()[-2000:]
                time.sleep(0.02)
            demo.send_signal(signal.SIGTERM)
            assert demo.wait(60) == code
            assert in_session(demo.pid) == []
        finally:
            for process in in_session(demo.pid):
                os.kill(process, signal.SIGKILL)
    assert list(temporary.iterdir()) == []
    assert "Traceback" not in out.read_text()
