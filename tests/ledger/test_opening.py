"""What a writer looks at before it goes on with a log, and what lies beside entries that nothing lies beside."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.drivers.store_verify import verify_path
from sidecar.errors import OwnError
from sidecar.ledger import entries
from sidecar.ledger.report import FAILED, VERIFIED, VERIFIED_EXCEPT
from tests.ledger.factory import exchange_id, make_intent, make_outcome, start
from tests.ledger.test_tamper_store import edit, expect, fetch, found

HEARTBEAT = 1


def content(folder: Path) -> list[list[tuple[object, ...]]]:
    """All rows: opening in WAL mode may touch the file, and nothing else."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        tables = ("box", "datakey", "entry", "exchange", "head", "tile")
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]


OLDER = "(SELECT replace(checkpoint, '284', '283') FROM head)"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM head",
        "UPDATE head SET size = 283",
        "UPDATE head SET size = 285",
        "UPDATE head SET root = zeroblob(32)",
        "UPDATE head SET frontier = zeroblob(128)",
        "UPDATE head SET frontier = x''",
        "UPDATE head SET frontier = 7",
        "UPDATE head SET origin = 'ledger.example/audit/' || hex(zeroblob(16))",
        "UPDATE head SET checkpoint = 'x'",
        "UPDATE head SET checkpoint = 7",
        f"UPDATE head SET checkpoint = {OLDER}",
        "DELETE FROM entry WHERE number = 283",
        "DELETE FROM entry WHERE number = 270",
        "UPDATE entry SET body = x'7b7d' WHERE number = 270",
        "UPDATE entry SET leaf = zeroblob(32) WHERE number = 270",
        "INSERT INTO entry SELECT 284, body, leaf FROM entry WHERE number = 283",
        "UPDATE tile SET hash = zeroblob(32)",
        "DELETE FROM tile",
    ],
)
async def test_a_log_that_is_not_what_was_signed_is_not_gone_on_with(state: Path, statement: str) -> None:
    edit(state, statement)
    before, note = content(state), (state / "checkpoint").read_bytes()
    with pytest.raises(OwnError, match="LEDGER_DAMAGED"):
        await start(state)
    assert (content(state), (state / "checkpoint").read_bytes()) == (before, note)


@pytest.mark.parametrize("version", [2, 7])
async def test_a_store_of_another_version_is_left_alone(
    small: Path, copy_of: Callable[[Path], Path], version: int
) -> None:
    folder = copy_of(small)
    edit(folder, f"PRAGMA user_version = {version}")
    before = content(folder)
    with pytest.raises(OwnError, match="LEDGER_DAMAGED") as fault:
        await start(folder)
    assert f"schema version {version}" in fault.value.advice
    assert content(folder) == before


async def test_a_store_that_ends_one_entry_early_is_rolled_back(small: Path, copy_of: Callable[[Path], Path]) -> None:
    """By one entry only: the goodbye. The copy was made before it, the checkpoint after."""
    folder = copy_of(small)
    ledger = await start(folder)
    await ledger.stop(clean=False)
    older = copy_of(folder)
    async with await start(folder):
        pass
    size = fetch(folder, "SELECT size FROM head")[0][0]
    assert fetch(older, "SELECT size FROM head")[0][0] == size - 2  # heartbeats: start and stop
    ledger = await start(older)  # its own checkpoint: this copy may go on
    await ledger.stop(clean=False)
    (older / "checkpoint").write_bytes((folder / "checkpoint").read_bytes())
    assert fetch(older, "SELECT size FROM head")[0][0] == size - 1
    with pytest.raises(OwnError, match="LEDGER_ROLLED_BACK"):
        await start(older)


@pytest.mark.parametrize("junk", [b"", b"junk", b"x" * 4000])
async def test_whatever_lay_in_the_checkpoint_file_is_gone(
    small: Path, copy_of: Callable[[Path], Path], junk: bytes
) -> None:
    folder = copy_of(small)
    (folder / "checkpoint").write_bytes((folder / "checkpoint").read_bytes() + junk)
    async with await start(folder):
        pass
    assert (folder / "checkpoint").read_text() == fetch(folder, "SELECT checkpoint FROM head")[0][0]
    assert verify_path(folder).exit_code == VERIFIED


async def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with await start(tmp_path / "new"):
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("state = 'answered'", "state"),
        ("outcome_number = 3", "outcome_number"),
        ("reply_findings = 1", "reply_findings"),
        ("reply_verdict = 'allow'", "reply_verdict"),
        ("model_served = 'm'", "model_served"),
    ],
)
async def test_an_exchange_that_is_open_is_not_said_to_have_ended(tmp_path: Path, change: str, column: str) -> None:
    ledger = await start(tmp_path / "state")
    await ledger.open(make_intent(1))
    await ledger.stop(clean=False)
    assert (verify_path(tmp_path / "state").exit_code, verify_path(tmp_path / "state").open) == (VERIFIED, 1)
    edit(tmp_path / "state", f"UPDATE exchange SET {change} WHERE id = '{exchange_id(1)}'")
    report = verify_path(tmp_path / "state")
    assert (report.exit_code, found(report)) == (FAILED, {(2, "index-altered")}), report.as_text()
    assert report.failures[0].detail == column


def test_what_lies_beside_a_heartbeat_is_named(state: Path) -> None:
    columns = (
        "id, at, side, operation, model_requested, prompt_name, prompt_version, verdict, codes, entities, findings"
    )
    rest = "state, reply_codes, reply_entities, reply_findings"
    edit(
        state,
        f"INSERT INTO box SELECT {HEARTBEAT}, box FROM box LIMIT 1",
        f"INSERT INTO datakey SELECT {HEARTBEAT}, wrapped FROM datakey LIMIT 1",
        f"INSERT INTO exchange (intent_number, {columns}, {rest}) SELECT {HEARTBEAT}, 'other', "
        f"{columns.removeprefix('id, ')}, {rest} FROM exchange LIMIT 1",
    )
    report = expect(state, (HEARTBEAT, "index-extra"), (HEARTBEAT, "disclosure-extra"))
    assert sorted(failure.detail for failure in report.failures) == [
        "a data key of an entry that has none",
        "an index row for an entry that is no intent",
        "disclosures of an entry that has none",
    ]


async def test_an_outcome_that_discloses_nothing_has_no_box(small: Path, copy_of: Callable[[Path], Path]) -> None:
    """Such as that of a crash, which the next start writes."""
    folder = copy_of(small)
    ledger = await start(folder)
    await ledger.open(make_intent(9))
    await ledger.stop(clean=False)
    async with await start(folder):
        pass
    [(number,)] = fetch(folder, f"SELECT outcome_number FROM exchange WHERE id = '{exchange_id(9)}'")
    assert fetch(folder, f"SELECT * FROM box WHERE number = {number}") == []
    edit(folder, f"INSERT INTO box SELECT {number}, box FROM box LIMIT 1")
    expect(folder, (number, "disclosure-extra"), only=False)


def test_a_row_of_the_index_without_its_entry_is_named(state: Path) -> None:
    edit(state, "UPDATE exchange SET intent_number = 9999 WHERE intent_number = 43")
    expect(state, (9999, "index-extra"), (43, "index-missing"), only=False)


async def test_who_was_erased_is_found_by_no_query_any_more(tmp_path: Path) -> None:
    """References to people go with what is disclosed; an erasure that left them is not one."""
    folder = tmp_path / "state"
    async with await start(folder) as ledger:
        await ledger.open(make_intent(1))
        await ledger.close(make_outcome(1))
        told = entries.erasure([exchange_id(1)], reason="art17", request_ref="r-1", backups_until=None)
        await ledger._append("erasure", told)
    edit(folder, "DELETE FROM box", "DELETE FROM datakey")
    report = verify_path(folder)
    assert found(report) == {(2, "index-altered")}
    assert "user_ref" in report.failures[0].detail and "subject_ref" in report.failures[0].detail
    refs = ("tenant", "app", "user", "subject", "conversation", "prompt")
    edit(folder, f"UPDATE exchange SET {', '.join(f'{name}_ref = NULL' for name in refs)}")
    report = verify_path(folder)
    assert (report.exit_code, report.erased) == (VERIFIED_EXCEPT, [exchange_id(1)]), report.as_text()


async def test_what_was_pruned_by_record_excuses_no_other_gap(state: Path) -> None:
    async with await start(state) as ledger:
        await ledger._append("prune", {"from": 0, "to": 256, "policy": "p-1", "root": ""})
    for table, column in (("entry", "number"), ("box", "number"), ("datakey", "number"), ("exchange", "intent_number")):
        edit(state, f"DELETE FROM {table} WHERE {column} < 256")
    report = verify_path(state)
    assert report.pruned == [(0, 256)]
    assert "entry-missing" not in {failure.reason for failure in report.failures}, report.as_text()
    edit(state, "DELETE FROM entry WHERE number = 270")
    report = verify_path(state)
    assert (report.exit_code, (270, "entry-missing") in found(report)) == (FAILED, True), report.as_text()
