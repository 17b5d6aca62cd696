"""What the store still knows after a power cut, a full disk, a failed fsync."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.drivers.clock import SystemEntropy
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_open import open_store
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from sidecar.errors import OwnError
from sidecar.ledger.report import VERIFIED

SCRIPT = Path(__file__).with_name("power_disk.py")
CUTS = 12


def run(mode: str, folder: Path, *faults: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), mode, str(folder), *faults],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def known(folder: Path) -> set[tuple[str, str]]:
    """(kind, id) of every entry of an exchange in the store."""
    with Reader.open(folder) as reader:
        rows = reader.connection.execute("SELECT id, outcome_number FROM exchange").fetchall()
    return {("intent", row[0]) for row in rows} | {("outcome", row[0]) for row in rows if row[1] is not None}


def lost_after_cut(base: Path, number: int) -> int:
    """Acknowledged entries that the disk no longer has; -1 when the store refuses to open."""
    folder = base / f"cut{number}"
    acknowledged = {(kind, name) for kind, name in json.loads((base / f"cut{number}.json").read_text())}
    try:
        open_store(StateFolder(folder), domain="x", entropy=SystemEntropy()).writer.close()
    except OwnError:
        return -1
    if verify_path(folder).exit_code != VERIFIED:
        return -1
    return len(acknowledged - known(folder))


def test_no_acknowledged_entry_is_lost_in_a_power_cut(tmp_path: Path) -> None:
    report = run("cut", tmp_path / "state")
    assert report["failed"] is None and len(report["acknowledged"]) == 200
    assert [lost_after_cut(tmp_path, number) for number in range(CUTS)] == [0] * CUTS


def test_the_power_cut_would_show_a_store_that_does_not_sync(tmp_path: Path) -> None:
    report = run("careless", tmp_path / "state")
    assert report["failed"] is None
    assert any(lost_after_cut(tmp_path, number) for number in range(CUTS))


@pytest.mark.parametrize("fault", ["write", "sync"])
def test_an_error_of_the_disk_is_fatal_and_never_retried(tmp_path: Path, fault: str) -> None:
    report = run("fault", tmp_path / "state", fault)
    assert report["failed"] and set(report["codes"]) == {"LEDGER_UNAVAILABLE"}
    assert (report["again"], report["retried"]) == ("LEDGER_UNAVAILABLE", 0)
    # What was acknowledged is there, and a restart goes on from it.
    opened = open_store(StateFolder(tmp_path / "state"), domain="x", entropy=SystemEntropy())
    opened.writer.close()
    assert verify_path(tmp_path / "state").exit_code == VERIFIED
    assert {(kind, name) for kind, name in report["acknowledged"]} <= known(tmp_path / "state")
