"""Every tampering with a store is found, at the right entry, for the right reason."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.drivers.clock import SystemEntropy
from sidecar.drivers.keys import create_keys, load_signer, load_vkey
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_open import open_store
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_source import Examined, Spread
from sidecar.drivers.store_verify import Examiner, over_processes, verify_path
from sidecar.errors import OwnError
from sidecar.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_receipt
from sidecar.ledger.merkle import Frontier, leaf_hash
from sidecar.ledger.note import NoteError
from sidecar.ledger.report import FAILED, VERIFIED, Report
from tests.ledger.factory import exchange_id, make_intent, make_outcome, start

INTENT, OUTCOME = 43, 44
"""Entries of exchange 20."""
ENTRY_ID = exchange_id(20)


def edit(folder: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """What somebody with the file and an SQLite shell does."""
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement, values if "?" in statement else ())
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fetch(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        return connection.execute(query).fetchall()


def found(report: Report) -> set[tuple[int | None, str]]:
    return {(failure.index, failure.reason) for failure in report.failures}


def expect(folder: Path, *wanted: tuple[int | None, str], only: bool = True) -> Report:
    report = verify_path(folder)
    assert report.exit_code == FAILED, report.as_text()
    assert_ranges_say(folder, report)
    if only:
        assert found(report) == set(wanted), report.as_text()
    else:
        assert set(wanted) <= found(report), report.as_text()
    return report


def in_ranges(folder: Path, width: int) -> Spread:
    """Ranges examined as other processes would, in this one."""

    def spread(size: int) -> Iterator[Examined]:
        with Reader.open(folder, verifying=True) as reader:
            examiner = Examiner(reader)
            for first in range(0, size, width):
                end = min(first + width, size)
                yield first, end, examiner.look(first, end)

    return spread


def assert_ranges_say(folder: Path, report: Report) -> None:
    """Entries that were examined in ranges are judged as one after the other, wherever the ranges end."""
    for width in (1, 5, 1000):
        assert verify_path(folder, spread=in_ranges(folder, width)).as_json() == report.as_json(), width


def rewrite_tree(folder: Path) -> None:
    """Make leaf hashes, tiles and frontier fit the entries again, as a careful attacker without the key would."""
    bodies = [row[0] for row in fetch(folder, "SELECT body FROM entry ORDER BY number")]
    tree, tiles = Frontier(), []
    for body in bodies:
        tiles += tree.append(leaf_hash(body))
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        connection.executemany(
            "UPDATE entry SET leaf = ? WHERE number = ?", [(leaf_hash(body), n) for n, body in enumerate(bodies)]
        )
        connection.execute("DELETE FROM tile")
        connection.executemany("INSERT INTO tile VALUES (?, ?, ?)", tiles)
        connection.execute("UPDATE head SET size = ?, root = ?, frontier = ?", (tree.size, tree.root(), tree.pack()))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def swap_byte(body: bytes, old: bytes, new: bytes) -> bytes:
    assert old in body and len(old) == len(new)
    return body.replace(old, new)


def test_an_untouched_store_verifies(state: Path) -> None:
    report = verify_path(state)
    assert (report.exit_code, report.entries, report.failures_total) == (VERIFIED, 284, 0)
    assert report.size == 284 and report.open == 0 and len(report.unknown) == 3
    assert_ranges_say(state, report)


def test_a_whole_exchange_is_not_looked_at_twice(state: Path) -> None:
    looked = [each for _, _, found in in_ranges(state, 50)(284) for each in found or ()]
    again = [each for each in looked if isinstance(each, int)]
    assert len(looked) == 284 and again == [0, 1, 2, 49, 50, 99, 100, 149, 150, 199, 200, 249, 250, 283]


@pytest.mark.parametrize("number", [None, INTENT])
def test_several_processes_find_what_one_finds(state: Path, number: int | None) -> None:
    if number is not None:
        edit(state, f"UPDATE entry SET body = body || x'20' WHERE number = {number}")
    gone: list[tuple[int, int]] = []
    spread = over_processes(state, lambda *how_far: gone.append(how_far), processes=2, width=60)
    assert verify_path(state, spread=spread).as_json() == verify_path(state).as_json()
    assert gone == [(60, 284), (120, 284), (180, 284), (240, 284), (284, 284)]


def test_processes_that_are_killed_leave_their_ranges_to_the_first(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(ProcessPoolExecutor):
        def submit(self, *task: Any) -> Any:
            found = super().submit(*task)
            if len(self._processes) == 2:  # all of them: a pool that breaks as it starts another has a race of its own
                for process in self._processes.values():
                    process.kill()
            return found

    monkeypatch.setattr("sidecar.drivers.store_verify.ProcessPoolExecutor", Killed)
    edit(state, f"UPDATE entry SET body = body || x'20' WHERE number = {INTENT}")
    spread = over_processes(state, processes=2, width=30)
    assert verify_path(state, spread=spread).as_json() == verify_path(state).as_json()


async def test_an_exchange_that_ends_while_ranges_are_examined_is_judged_as_it_was(tmp_path: Path) -> None:
    async with await start(tmp_path) as ledger:
        loop = asyncio.get_running_loop()
        for number in range(20):
            await ledger.open(make_intent(number))

        def spread(size: int) -> Iterator[Examined]:
            for number in range(20):
                asyncio.run_coroutine_threadsafe(ledger.close(make_outcome(number)), loop).result()
            yield from in_ranges(tmp_path, 7)(size)

        report = await asyncio.to_thread(lambda: verify_path(tmp_path, spread=spread))
    assert (report.exit_code, report.entries, report.open) == (VERIFIED, 22, 20), report.as_text()


def body_at(folder: Path, number: int) -> bytes:
    return bytes(fetch(folder, f"SELECT body FROM entry WHERE number = {number}")[0][0])


@pytest.mark.parametrize("number", [INTENT, OUTCOME, 0, 283])
def test_an_altered_entry_is_named(state: Path, number: int) -> None:
    body = swap_byte(body_at(state, number), b'"t":1', b'"t":2')
    edit(state, f"UPDATE entry SET body = ? WHERE number = {number}", values=(body,))
    report = expect(state, (number, "entry-altered"))
    if number in (INTENT, OUTCOME):
        assert report.failures[0].id == ENTRY_ID


@pytest.mark.parametrize("number", [INTENT, OUTCOME])
def test_an_entry_that_is_no_longer_readable_is_named_alone(state: Path, number: int) -> None:
    edit(state, f"UPDATE entry SET body = ? WHERE number = {number}", values=(body_at(state, number)[:-7],))
    expect(state, (number, "entry-altered"))


def test_an_altered_entry_with_its_leaf_hash_made_to_fit_is_found_by_tree_and_disclosures(state: Path) -> None:
    body = swap_byte(body_at(state, INTENT), b'"verdict":"deny"', b'"verdict":"okay"')
    edit(state, f"UPDATE entry SET body = ? WHERE number = {INTENT}", values=(body,))
    rewrite_tree(state)
    report = expect(state, (INTENT, "index-altered"), (None, "head-altered"), only=False)
    assert "root-mismatch" in {failure.reason for failure in report.failures}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"decision":{', b'"decision":[],"d":{'),
        (b'"findings":{', b'"findings":7,"f":{'),
        (b'"_sd":["', b'"_sd":7,"_se":["'),
    ],
)
def test_an_entry_of_another_shape_is_a_failure_and_no_crash(state: Path, old: bytes, new: bytes) -> None:
    body = body_at(state, INTENT).replace(old, new, 1)
    edit(state, f"UPDATE entry SET body = ? WHERE number = {INTENT}", values=(body,))
    rewrite_tree(state)
    expect(state, (None, "checkpoint-fork"), only=False)


def test_an_altered_leaf_hash_is_told_from_an_altered_entry(state: Path) -> None:
    edit(state, f"UPDATE entry SET leaf = ? WHERE number = {INTENT}", values=(b"x" * 32,))
    expect(state, (INTENT, "leaf-altered"))


@pytest.mark.parametrize("number", [5, INTENT, 282])
def test_a_deleted_entry_is_named(state: Path, number: int) -> None:
    edit(state, f"DELETE FROM entry WHERE number = {number}")
    expect(state, (number, "entry-missing"), only=False)


def test_a_deleted_exchange_with_everything_renumbered_is_found(state: Path) -> None:
    edit(
        state,
        f"DELETE FROM entry WHERE number IN ({INTENT}, {OUTCOME})",
        f"DELETE FROM box WHERE number IN ({INTENT}, {OUTCOME})",
        f"DELETE FROM datakey WHERE number = {INTENT}",
        f"DELETE FROM exchange WHERE intent_number = {INTENT}",
    )
    for table, column in (("entry", "number"), ("box", "number"), ("datakey", "number"), ("exchange", "intent_number")):
        for shift in ("1000000", "-1000002"):
            edit(state, f"UPDATE {table} SET {column} = {column} + {shift} WHERE {column} > {OUTCOME}")
    edit(state, f"UPDATE exchange SET outcome_number = outcome_number - 2 WHERE outcome_number > {OUTCOME}")
    rewrite_tree(state)
    report = expect(state, (None, "head-altered"), (282, "store-behind-checkpoint"), only=False)
    assert report.entries == 282


def test_an_inserted_entry_is_found(state: Path) -> None:
    edit(state, "INSERT INTO entry SELECT 284, body, leaf FROM entry WHERE number = 283")
    expect(state, (284, "entry-extra"), only=False)


def test_reordered_entries_are_both_named(state: Path) -> None:
    first, second = body_at(state, 50), body_at(state, 53)
    edit(state, "UPDATE entry SET body = ? WHERE number = 50", values=(second,))
    edit(state, "UPDATE entry SET body = ? WHERE number = 53", values=(first,))
    expect(state, (50, "entry-altered"), (53, "entry-altered"))


def test_reordered_entries_with_their_leaf_hashes_break_the_root_and_the_pairing(state: Path) -> None:
    edit(state, "UPDATE entry SET number = 999 WHERE number = 50", "UPDATE entry SET number = 50 WHERE number = 53")
    edit(state, "UPDATE entry SET number = 53 WHERE number = 999")
    reasons = {failure.reason for failure in expect(state, only=False).failures}
    assert {"root-mismatch", "time-backwards"} <= reasons


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_cut_tail_is_named(state: Path, cut: int) -> None:
    start = 284 - cut
    edit(
        state,
        f"DELETE FROM entry WHERE number >= {start}",
        f"DELETE FROM box WHERE number >= {start}",
        f"DELETE FROM datakey WHERE number >= {start}",
        f"DELETE FROM exchange WHERE intent_number >= {start}",
    )
    report = expect(state, (start, "entry-missing"), only=False)
    assert report.entries == start


def test_a_rolled_back_store_is_behind_its_checkpoint_and_is_not_written(small: Path, state: Path) -> None:
    older = Path(shutil.copytree(small, state.parent / "older"))
    newest = (older / "checkpoint").read_bytes()
    backup = (older / "ledger.sqlite").read_bytes()
    opened = open_store(StateFolder(older), domain="x", entropy=SystemEntropy())
    opened.writer.close()
    assert (older / "ledger.sqlite").read_bytes() is not None
    signer = load_signer(older, opened.origin)
    (older / "ledger.sqlite").write_bytes(backup)
    (older / "checkpoint").write_text(sign_checkpoint(Checkpoint(opened.origin, 20, b"r" * 32), signer))
    expect(older, (14, "store-behind-checkpoint"))
    with pytest.raises(OwnError) as refusal:
        open_store(StateFolder(older), domain="x", entropy=SystemEntropy())
    assert refusal.value.code == "LEDGER_ROLLED_BACK"
    (older / "checkpoint").write_bytes(newest)
    assert verify_path(older).exit_code == VERIFIED


def test_two_histories_are_a_fork_and_are_not_written(small: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(small)
    origin = StateFolder(folder).origin()
    note = sign_checkpoint(Checkpoint(origin, 9, b"r" * 32), load_signer(folder, origin))
    (folder / "checkpoint").write_text(note)
    expect(folder, (None, "checkpoint-fork"))
    with pytest.raises(OwnError) as refusal:
        open_store(StateFolder(folder), domain="x", entropy=SystemEntropy())
    assert refusal.value.code == "LEDGER_FORKED"


def test_signing_anew_with_another_key_fails_against_the_kept_key(small: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(small)
    kept = load_vkey(folder / "log.vkey")
    origin = StateFolder(folder).origin()
    for name in ("signing.key", "log.vkey"):
        (folder / name).unlink()
    create_keys(folder, origin, SystemEntropy())
    root, size = fetch(folder, "SELECT root, size FROM head")[0]
    note = sign_checkpoint(Checkpoint(origin, size, root), load_signer(folder, origin))
    edit(folder, "UPDATE head SET checkpoint = ?", values=(note,))
    (folder / "checkpoint").write_text(note)
    report = verify_path(folder, key=kept)
    assert report.exit_code == FAILED
    expected = {(None, "signature-missing"), (None, "checkpoint-file-altered"), (None, "key-mismatch")}
    assert found(report) == expected
    # Without the kept key it still fails, for the first entry names the key; had all entries been written anew, it
    # would not, and the report of a good store says so.
    assert (0, "key-mismatch") in found(verify_path(folder))
    assert any("--key" in unknown for unknown in verify_path(small).unknown)


def test_a_kept_checkpoint_tells_a_shorter_and_another_history(
    pristine: Path, small: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder = copy_of(small)
    origin = StateFolder(folder).origin()
    signer = load_signer(folder, origin)
    kept = (folder / "checkpoint").read_bytes()
    assert verify_path(folder, kept=kept).exit_code == VERIFIED
    longer = sign_checkpoint(Checkpoint(origin, 99, b"r" * 32), signer).encode()
    assert found(verify_path(folder, kept=longer)) == {(14, "behind-kept-checkpoint")}
    other = sign_checkpoint(Checkpoint(origin, 7, b"r" * 32), signer).encode()
    assert found(verify_path(folder, kept=other)) == {(None, "fork-from-kept-checkpoint")}
    foreign = (pristine / "checkpoint").read_bytes()
    assert found(verify_path(folder, kept=foreign)) == {(None, "kept-checkpoint-invalid")}


@pytest.mark.parametrize(
    ("statement", "index", "reason"),
    [
        (f"UPDATE exchange SET verdict = 'allow' WHERE intent_number = {INTENT}", INTENT, "index-altered"),
        (f"UPDATE exchange SET state = 'answered' WHERE intent_number = {INTENT}", INTENT, "index-altered"),
        (f"UPDATE exchange SET confidence_ppm = 1000000 WHERE intent_number = {INTENT - 2}", 41, "index-altered"),
        (f"UPDATE exchange SET user_ref = x'00' WHERE intent_number = {INTENT}", INTENT, "index-altered"),
        (f"UPDATE exchange SET user_ref = NULL WHERE intent_number = {INTENT}", INTENT, "index-altered"),
        (f"UPDATE exchange SET findings = 3.0 WHERE intent_number = {INTENT}", INTENT, None),
        (f"UPDATE exchange SET codes = '' WHERE intent_number = {INTENT}", INTENT, "index-altered"),
        (f"UPDATE exchange SET outcome_number = 46 WHERE intent_number = {INTENT}", INTENT, "index-altered"),
        (f"DELETE FROM exchange WHERE intent_number = {INTENT}", INTENT, "index-missing"),
        (f"INSERT INTO box SELECT 9999, box FROM box WHERE number = {INTENT}", 9999, "disclosure-extra"),
        (f"INSERT INTO datakey SELECT {OUTCOME}, wrapped FROM datakey LIMIT 1", OUTCOME, "disclosure-extra"),
        (f"DELETE FROM box WHERE number = {INTENT}", INTENT, "disclosure-missing"),
        (f"DELETE FROM box WHERE number = {OUTCOME}", OUTCOME, "disclosure-missing"),
        (f"DELETE FROM datakey WHERE number = {INTENT}", INTENT, "data-key-missing"),
        (f"UPDATE datakey SET wrapped = zeroblob(60) WHERE number = {INTENT}", INTENT, "data-key-altered"),
        (f"UPDATE box SET box = zeroblob(99) WHERE number = {INTENT}", INTENT, "disclosure-altered"),
        (f"UPDATE box SET box = 7 WHERE number = {OUTCOME}", OUTCOME, "disclosure-altered"),
        ("UPDATE tile SET hash = zeroblob(32)", 0, "tile-altered"),
        ("DELETE FROM tile", 0, "tile-missing"),
        ("INSERT INTO tile VALUES (1, 1, zeroblob(32))", 256, "tile-extra"),
        ("UPDATE head SET t = t + 1", None, "head-altered"),
        ("UPDATE head SET open_from = 0", None, "head-altered"),
        ("UPDATE head SET frontier = zeroblob(128)", None, "head-altered"),
        ("UPDATE head SET root = zeroblob(32)", None, "head-altered"),
        ("UPDATE head SET origin = 'x'", None, "head-altered"),
        ("UPDATE head SET size = 283", None, "head-altered"),
        ("UPDATE head SET checkpoint = 'x'", None, "malformed"),
        ("UPDATE head SET checkpoint = 7", None, "malformed"),
        ("DELETE FROM head", None, "head-altered"),
        (
            "INSERT INTO head SELECT 1, origin, size, root, frontier, t, open_from, checkpoint FROM head",
            None,
            "head-altered",
        ),
        ("PRAGMA user_version = 7", None, "schema-altered"),
        ("CREATE TABLE more (x)", None, "schema-altered"),
        ("CREATE TRIGGER quiet AFTER DELETE ON entry BEGIN SELECT 1; END", None, "schema-altered"),
    ],
)
def test_what_lies_beside_the_leaves_is_held_against_them(
    state: Path, statement: str, index: int | None, reason: str | None
) -> None:
    edit(state, statement)
    if reason is None:  # SQLite's column affinity undid the change
        assert verify_path(state).exit_code == VERIFIED
        return
    expect(state, (index, reason), only=False)


def test_disclosures_moved_to_another_entry_are_found(state: Path) -> None:
    edit(state, f"UPDATE box SET box = (SELECT box FROM box WHERE number = 45) WHERE number = {INTENT}")
    expect(state, (INTENT, "disclosure-altered"))


def test_the_data_key_of_another_log_is_told_from_damage(pristine: Path, small: Path, state: Path) -> None:
    (state / "data.key").write_bytes((small / "data.key").read_bytes())
    expect(state, (0, "data-key-mismatch"))


@pytest.mark.parametrize(("content", "reason"), [(None, "checkpoint-file-missing"), (b"", "checkpoint-file-altered")])
def test_a_missing_or_empty_checkpoint_file_fails(state: Path, content: bytes | None, reason: str) -> None:
    (state / "checkpoint").unlink()
    if content is not None:
        (state / "checkpoint").write_bytes(content)
    expect(state, (None, reason))


def test_without_the_data_key_the_tree_is_verified_and_the_report_says_what_was_not(state: Path) -> None:
    (state / "data.key").unlink()
    report = verify_path(state)
    assert report.exit_code == VERIFIED
    assert any("data key" in unknown for unknown in report.unknown)


def test_swapped_receipts_do_not_prove_each_others_entries(pristine: Path) -> None:
    with Reader.open(pristine) as reader:
        mine, other = reader.receipt(exchange_id(3)).encode(), reader.receipt(exchange_id(4)).encode()
        key, record = reader.vkey(), reader.record(exchange_id(3))
        assert record.outcome_number is not None
        body = reader.bodies(record.outcome_number, record.outcome_number + 1)[0]
    assert verify_receipt(body, mine, key)[0] == record.outcome_number
    with pytest.raises(NoteError) as fault:
        verify_receipt(body, other, key)
    assert fault.value.reason == "proof-mismatch"
