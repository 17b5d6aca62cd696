"""What a crash left open is closed by the next start, however much it is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from sidecar.drivers import store_commits
from sidecar.drivers.store_folder import CheckpointFile
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from tests.ledger.factory import exchange_id, make_intent, start


async def test_more_exchanges_may_be_open_than_the_queue_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_commits, "QUEUE", 20)
    async with await start(tmp_path) as ledger:
        for at in range(0, 50, 10):
            await asyncio.gather(*[ledger.open(make_intent(at + number)) for number in range(10)])
    async with await start(tmp_path):
        pass
    with Reader.open(tmp_path) as reader:
        found = [reader.record(exchange_id(number)) for number in range(50)]
    assert {(record.state, (record.outcome or {})["aborted_by"]) for record in found} == {("aborted", "crash")}
    assert [record.outcome_number for record in found] == sorted(record.outcome_number or 0 for record in found)
    assert verify_path(tmp_path).open == 0


def test_the_checkpoint_file_is_never_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for the moment of a start: a verification may look, or the machine stop, just then."""
    file, seen = CheckpointFile(tmp_path / "checkpoint"), list[bytes]()
    file.write("an older and longer note")
    truncate = os.ftruncate

    def watched(handle: int, length: int) -> None:
        truncate(handle, length)
        seen.append((tmp_path / "checkpoint").read_bytes())

    monkeypatch.setattr(os, "ftruncate", watched)
    file.replace("a note")
    file.close()
    assert seen == [b"a note"] and (tmp_path / "checkpoint").read_bytes() == b"a note"
