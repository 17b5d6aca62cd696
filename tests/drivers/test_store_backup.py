"""Backups taken while a writer is at work: they verify, open, explain, and hold what was there when they began."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.drivers.store_backup import backup
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from sidecar.errors import OwnError
from sidecar.ledger.report import VERIFIED
from tests.ledger.factory import fill, start

ROOT = Path(__file__).resolve().parents[2]
WRITER = Path(__file__).with_name("crash_writer.py")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """A process that makes exchanges all the time, and has made some."""
    command = [sys.executable, str(WRITER), str(folder), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        rest = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)  # or the writer would wait
        try:
            yield
        finally:
            process.kill()
            rest.wait(10)


def documented(state: Path, target: Path) -> None:
    """The commands of docs/operations.md, as they stand there."""
    page = (ROOT / "docs" / "operations.md").read_text()
    script = re.findall(r"```sh\n(.*?)```", page.partition("## Backup")[2], re.DOTALL)[0]
    path = f"{stand_in(target.parent)}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "STATE": str(state), "BACKUP": str(target)}
    subprocess.run(["sh", "-euc", script], check=True, env=environment)


def stand_in(folder: Path) -> Path:
    """Where the sqlite3 program is not installed, what it would do: run one statement on a file."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    if shutil.which("sqlite3") is None:
        code = "import sqlite3, sys; sqlite3.connect(f'file:{sys.argv[2]}?mode=ro', uri=True).execute(sys.argv[3])"
        (programs / "sqlite3").write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
        (programs / "sqlite3").chmod(0o755)
    return programs


def ours(state: Path, target: Path) -> None:
    assert backup(state, target).bundles == 1


def size(folder: Path) -> int:
    with Reader.open(folder) as reader:
        return reader.size()


@pytest.mark.parametrize("copy", [ours, documented])
async def test_a_backup_under_load_verifies_and_can_be_restored(
    tmp_path: Path, copy: Callable[[Path, Path], None]
) -> None:
    state = tmp_path / "state"
    with writing(state):
        for number in range(5):
            before = size(state)
            copy(state, tmp_path / f"copy{number}")
            report = verify_path(tmp_path / f"copy{number}")
            assert report.exit_code == VERIFIED, report.as_text()
            assert report.entries >= before
        assert size(state) > before  # the writer was at work all the time
    restored = tmp_path / "copy4"
    assert restored.stat().st_mode & 0o077 == 0
    async with await start(restored) as ledger:
        assert ledger.size > report.entries
    assert verify_path(restored).exit_code == VERIFIED
    with Reader.open(restored) as reader:
        [(exchange,)] = reader.connection.execute("SELECT id FROM exchange LIMIT 1").fetchall()
        assert reader.record(exchange).disclosed["caller"]["app"] == "claims-desk"


def test_a_backup_is_whole_or_refused(tmp_path: Path) -> None:
    small = tmp_path / "state"
    asyncio.run(fill(small, 5))
    assert backup(small, tmp_path / "copy") == (14, 1)
    names = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    kept = {str(path.relative_to(small)) for path in small.rglob("*") if path.is_file()}
    assert names == kept - {"lock", "ledger.sqlite-wal", "ledger.sqlite-shm"}
    with pytest.raises(OwnError, match="EXPORT_TARGET"):
        backup(small, tmp_path / "copy")
    (tmp_path / "copy" / "data.key").unlink()
    with pytest.raises(OwnError, match="LEDGER_KEY"):
        backup(tmp_path / "copy", tmp_path / "again")
    with pytest.raises(OwnError, match="LEDGER_FOLDER"):
        StateFolder(tmp_path / "again").origin()
