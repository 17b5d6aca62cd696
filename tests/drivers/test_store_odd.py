"""A store and its exports in odd cases: a disk that lies, ids used again beside others, lines too many, an open end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sidecar.drivers import store_sql
from sidecar.drivers.keys import load_signer, load_vkey
from sidecar.drivers.store_export import export, verify_folder_export
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from sidecar.errors import OwnError
from sidecar.ledger.checkpoint import Checkpoint, sign_checkpoint
from sidecar.ledger.merkle import EMPTY_ROOT
from sidecar.ledger.report import FAILED, VERIFIED
from sidecar.ledger.verify_export import disclosure_line
from tests.ledger.factory import exchange_id, make_intent, make_outcome, start


class Flipping:
    """A connection that writes another byte than it was given, once it is told to."""

    def __init__(self, path: Path) -> None:
        self.connection = store_sql.STDLIB.connect(path)
        self.lies = False

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        return self.connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> Any:
        if self.lies and sql == store_sql.INSERT_ENTRY:
            rows = [(number, body.replace(b"intent", b"intend"), leaf) for number, body, leaf in rows]
        return self.connection.executemany(sql, rows)

    def close(self) -> None:
        self.connection.close()


async def test_what_the_database_altered_is_not_signed(tmp_path: Path) -> None:
    """A tree over bytes that nobody has could never be verified: the entry is refused, and the ledger ends."""
    made: list[Flipping] = []

    def connect(path: Path) -> Flipping:
        made.append(Flipping(path))
        return made[-1]

    ledger = await start(tmp_path, engine=store_sql.Engine(connect))
    size, checkpoint = ledger.size, ledger.checkpoint
    made[0].lies = True
    with pytest.raises(OwnError, match="LEDGER_UNAVAILABLE"):
        await ledger.open(make_intent(1))
    assert ledger.failed is not None and "read back" in ledger.failed
    assert (ledger.size, ledger.checkpoint) == (size, checkpoint)
    await ledger.stop()
    assert verify_path(tmp_path).exit_code == VERIFIED


async def test_an_id_used_again_takes_no_outcome_with_it(tmp_path: Path) -> None:
    """They come in one turn of the loop, hence in one commit; only the second beginning is refused."""
    async with await start(tmp_path) as ledger:
        for number in (1, 2):
            await ledger.open(make_intent(number))
        await ledger.close(make_outcome(2))
        results = await asyncio.gather(
            ledger.open(make_intent(2)), ledger.close(make_outcome(1)), return_exceptions=True
        )
        assert [getattr(result, "code", result) for result in results] == ["LEDGER_ORDER", None]
    with Reader.open(tmp_path) as reader:
        assert [reader.record(exchange_id(number)).state for number in (1, 2)] == ["answered", "answered"]
    report = verify_path(tmp_path)
    assert (report.exit_code, report.open) == (VERIFIED, 0)


async def test_an_exchange_may_begin_and_end_in_one_commit(tmp_path: Path) -> None:
    """As one does whose caller leaves at once."""
    async with await start(tmp_path) as ledger:
        await asyncio.gather(ledger.open(make_intent(1)), ledger.close(make_outcome(1)))
    with Reader.open(tmp_path) as reader:
        record = reader.record(exchange_id(1))
    assert (record.state, record.outcome_number) == ("answered", record.intent_number + 1)
    assert verify_path(tmp_path).exit_code == VERIFIED


@pytest.fixture
async def open_ended(tmp_path: Path) -> Path:
    """An export of four exchanges, of which the last has no end."""
    ledger = await start(tmp_path / "state")
    for number in range(4):
        await ledger.open(make_intent(number))
        if number < 3:
            await ledger.close(make_outcome(number))
    await ledger.stop(clean=False)
    with Reader.open(tmp_path / "state") as reader:
        export(reader, tmp_path / "out")
    return tmp_path / "out"


def reasons(folder: Path, **options: Any) -> set[tuple[int | None, str]]:
    report = verify_folder_export(folder, key=load_vkey(folder / "log.vkey"), **options)
    assert (report.exit_code == VERIFIED) == (not report.failures)
    return {(failure.index, failure.reason) for failure in report.failures}


async def test_of_an_open_exchange_an_export_says_so(open_ended: Path) -> None:
    report = verify_folder_export(open_ended, key=load_vkey(open_ended / "log.vkey"))
    assert (report.exit_code, report.open) == (VERIFIED, 1), report.as_text()
    records = open_ended / "records.jsonl"
    lines = records.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4 and b'"outcome":null' in lines[3]
    for altered in (lines[:3], [*lines[:3], lines[3].replace(b'"open"', b'"over"')], [*lines, lines[3]]):
        records.write_bytes(b"".join(altered))
        assert {reason for _, reason in reasons(open_ended)} == {"records-altered"}


@pytest.mark.parametrize(
    ("number", "reason"), [(9999, "disclosure-extra"), (0, "disclosure-mismatch"), (1, "disclosure-mismatch")]
)
async def test_disclosures_of_what_discloses_nothing_are_named(open_ended: Path, number: int, reason: str) -> None:
    file = open_ended / "disclosures.jsonl"
    more, whole = disclosure_line(number, "x", []), file.read_bytes()
    file.write_bytes(more + whole if number < 2 else whole + more)  # in the order of the entries
    assert (number, reason) in reasons(open_ended)


async def test_no_disclosures_stand_there_twice_or_under_another_id(open_ended: Path) -> None:
    file = open_ended / "disclosures.jsonl"
    first, *rest = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([first, first, *rest]))
    assert "disclosure-malformed" in {reason for _, reason in reasons(open_ended)}
    file.write_bytes(b"".join([first.replace(exchange_id(0).encode(), exchange_id(1).encode()), *rest]))
    assert (2, "disclosure-mismatch") in reasons(open_ended)


async def test_a_checkpoint_kept_of_an_empty_log_holds(open_ended: Path) -> None:
    state = open_ended.with_name("state")
    origin = StateFolder(state).origin()
    signer = load_signer(state, origin)
    empty = sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), signer).encode()
    other = sign_checkpoint(Checkpoint(origin, 0, b"r" * 32), signer).encode()
    assert (verify_path(state, kept=empty).exit_code, verify_path(state, kept=other).exit_code) == (VERIFIED, FAILED)
    assert (reasons(open_ended, kept=empty), reasons(open_ended, kept=other)) == (
        set(), {(None, "fork-from-kept-checkpoint")},
    )  # fmt: skip
