"""One byte of the store's files is changed, wherever it lies: either verification fails, or no stored value changed.

The second case exists: SQLite's files hold free space, superseded WAL frames and counters that carry no data. What the
test holds is that a report never says "verified" of a store whose content differs.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.drivers.store_sql import TABLES, connect_reading
from sidecar.drivers.store_verify import verify_path
from sidecar.ledger.report import FAILED, VERIFIED
from tests.ledger.factory import make_intent, make_outcome, start


def content(folder: Path) -> list[object] | None:
    """Everything that the store says, None when it cannot be read."""
    try:
        with closing(connect_reading(folder / "ledger.sqlite")) as connection:
            rows: list[object] = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 2").fetchall()
            for table in TABLES:
                rows += connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            return rows
    except (sqlite3.Error, OverflowError):
        return None


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << (at % 8))]))


def flip_all(folder: Path, name: str, step: int, scratch: Path) -> tuple[int, int]:
    """(failed, harmless) over every `step`-th byte of a file."""
    before = content(folder)
    assert before is not None and verify_path(folder).exit_code == VERIFIED
    failed = harmless = 0
    for at in range(step // 2, (folder / name).stat().st_size, step):
        copy = Path(shutil.copytree(folder, scratch / "flipped"))
        flip(copy / name, at)
        report = verify_path(copy)
        if report.exit_code == FAILED:
            failed += 1
        else:
            assert content(copy) == before, f"byte {at} of {name} changed the content and was not found"
            harmless += 1
        shutil.rmtree(copy)
    return failed, harmless


def test_any_byte_of_the_database_file(small: Path, tmp_path: Path) -> None:
    failed, harmless = flip_all(small, "ledger.sqlite", 149, tmp_path)
    assert failed > 100
    print(f"database: {failed} found, {harmless} without effect on any stored value")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_bytes_of_the_database_file(small: Path, tmp_path: Path) -> None:
    """`SIDECAR_FLIP_STEP=1` flips every single one."""
    flip_all(small, "ledger.sqlite", int(os.environ.get("SIDECAR_FLIP_STEP", "37")), tmp_path)  # noqa: TID251


@pytest.fixture(scope="module")
def in_wal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store copied while its writer was at work: everything lies in the WAL."""
    folder = tmp_path_factory.mktemp("wal") / "state"
    copy = folder.with_name("copy")

    async def run() -> None:
        async with await start(folder) as ledger:
            for number in range(3):
                await ledger.open(make_intent(number))
                await ledger.close(make_outcome(number))
            while (folder / "checkpoint").read_text() != ledger.checkpoint:
                await asyncio.sleep(0.001)  # the file follows the answer
            shutil.copytree(folder, copy)

    asyncio.run(run())
    (copy / "ledger.sqlite-shm").unlink()
    assert (copy / "ledger.sqlite-wal").stat().st_size > 50_000
    return copy


def test_any_byte_of_the_wal(in_wal: Path, tmp_path: Path) -> None:
    """SQLite drops a damaged WAL's tail without a word; the checkpoint beside the store remembers more."""
    failed, harmless = flip_all(in_wal, "ledger.sqlite-wal", 997, tmp_path)
    assert failed > 100
    print(f"WAL: {failed} found, {harmless} without effect on any stored value")


def test_a_wal_that_lost_its_tail_is_behind_the_checkpoint(in_wal: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(in_wal)
    wal = folder / "ledger.sqlite-wal"
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size - 5000])
    report = verify_path(folder)
    assert [failure.reason for failure in report.failures] == ["store-behind-checkpoint"]
    assert report.failures[0].index == report.entries == 7
