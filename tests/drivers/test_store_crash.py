"""kill -9 under load, again and again on the same store: nothing that was acknowledged is ever missing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from sidecar.ledger.report import VERIFIED

SCRIPT = Path(__file__).with_name("crash_writer.py")


def killed_writer(folder: Path, first: int, after: float) -> list[str]:
    """Run the writer, kill it `after` seconds of work, return what it had acknowledged."""
    with subprocess.Popen([sys.executable, str(SCRIPT), str(folder), str(first)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        # The last line may be cut short by the kill; what was not written whole was not acknowledged.
        return [
            line.decode().strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")
        ]


def known(folder: Path) -> set[str]:
    with Reader.open(folder) as reader:
        rows = reader.connection.execute("SELECT id, outcome_number FROM exchange").fetchall()
    return {f"intent {row[0]}" for row in rows} | {f"outcome {row[0]}" for row in rows if row[1] is not None}


def kill_again_and_again(folder: Path, rounds: int) -> int:
    source = random.Random(rounds)
    acknowledged: set[str] = set()
    for number in range(rounds):
        acknowledged |= set(killed_writer(folder, number * 1_000_000, source.uniform(0.02, 0.35)))
        report = verify_path(folder)  # before anybody has repaired anything
        assert report.exit_code == VERIFIED, report.as_text()
        assert acknowledged <= known(folder)
    assert report.open <= 4  # earlier rounds' orphans were closed by the next start
    return len(acknowledged)


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    assert kill_again_and_again(tmp_path / "state", 4) > 20


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_kill_9_many_times(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path / "state", 30)
