"""Forgeries by whoever holds the folder, other logs and older copies of it, but not the signing key."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sidecar.drivers.keys import load_keyring, load_vkey
from sidecar.drivers.store_export import export, verify_folder_export
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from sidecar.ledger.disclosure import box_context, open_box, seal_box
from sidecar.ledger.report import FAILED, NO_RECORDS, ROLLED_BACK, VERIFIED
from tests.ledger.factory import fill
from tests.ledger.test_tamper_store import (
    ENTRY_ID,
    INTENT,
    OUTCOME,
    assert_ranges_say,
    edit,
    expect,
    fetch,
    found,
    rewrite_tree,
)

NEXT = INTENT + 2


@pytest.fixture(scope="module")
def later(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same log a week later."""
    folder = Path(shutil.copytree(pristine, tmp_path_factory.mktemp("later") / "state"))
    asyncio.run(fill(folder, 20, start_at=1000))
    return folder


def swap(folder: Path, table: str, column: str, first: int, second: int, key: str = "number") -> None:
    one, other = (fetch(folder, f"SELECT {column} FROM {table} WHERE {key} = {at}")[0][0] for at in (first, second))
    edit(folder, f"UPDATE {table} SET {column} = ? WHERE {key} = {first}", values=(other,))
    edit(folder, f"UPDATE {table} SET {column} = ? WHERE {key} = {second}", values=(one,))


def swap_boxes(folder: Path) -> None:
    swap(folder, "box", "box", INTENT, NEXT)


def swap_boxes_of_one(folder: Path) -> None:
    swap(folder, "box", "box", INTENT, OUTCOME)


def swap_boxes_with_keys(folder: Path) -> None:
    for number in (INTENT, OUTCOME):
        swap(folder, "box", "box", number, number + 2)
    swap(folder, "datakey", "wrapped", INTENT, NEXT)


def swap_outcomes(folder: Path) -> None:
    for column in ("outcome_number", "ended_at"):
        swap(folder, "exchange", column, INTENT, NEXT, "intent_number")


def reopen(folder: Path) -> None:
    edit(
        folder,
        f"UPDATE exchange SET outcome_number = NULL, ended_at = NULL, state = 'open' WHERE intent_number = {INTENT}",
    )


def attribute_to_another(folder: Path) -> None:
    ref = load_keyring(folder, StateFolder(folder).origin()).ref("subject", "somebody else")
    edit(folder, f"UPDATE exchange SET subject_ref = ? WHERE intent_number = {INTENT}", values=(ref,))


def reseal(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    """With the data key, which whoever reads the log has too."""

    def forge(folder: Path) -> None:
        wrapped = fetch(folder, f"SELECT wrapped FROM datakey WHERE number = {INTENT}")[0][0]
        key = load_keyring(folder, StateFolder(folder).origin()).unwrap(wrapped, ENTRY_ID)
        context = box_context(ENTRY_ID, "intent")
        arrays = change(open_box(fetch(folder, f"SELECT box FROM box WHERE number = {INTENT}")[0][0], key, context))
        box = seal_box(arrays, AESGCM(key), bytes(12), context)
        edit(folder, f"UPDATE box SET box = ? WHERE number = {INTENT}", values=(box,))

    return forge


def erase_without_record(folder: Path) -> None:
    refs = ["tenant_ref", "app_ref", "user_ref", "subject_ref", "conversation_ref", "prompt_ref"]
    edit(
        folder,
        f"DELETE FROM box WHERE number IN ({INTENT}, {OUTCOME})",
        f"DELETE FROM datakey WHERE number = {INTENT}",
        f"UPDATE exchange SET {', '.join(f'{name} = NULL' for name in refs)} WHERE intent_number = {INTENT}",
    )


def rewrite_under_the_old_signature(folder: Path) -> None:
    body = fetch(folder, f"SELECT body FROM entry WHERE number = {OUTCOME}")[0][0]
    edit(
        folder,
        f"UPDATE entry SET body = ? WHERE number = {OUTCOME}",
        values=(body.replace(b'"reply_bytes":9', b'"reply_bytes":8'),),
    )
    rewrite_tree(folder)
    note, root = fetch(folder, "SELECT checkpoint, root FROM head")[0]
    lines = note.split("\n")
    lines[2] = base64.b64encode(root).decode()
    edit(folder, "UPDATE head SET checkpoint = ?", values=("\n".join(lines),))
    (folder / "checkpoint").write_text("\n".join(lines))


def entry_among_boxes(folder: Path) -> None:
    edit(
        folder,
        f"INSERT INTO box SELECT 9000, body FROM entry WHERE number = {INTENT}",
        f"DELETE FROM entry WHERE number = {INTENT}",
    )


def number_before_the_first(folder: Path) -> None:
    edit(folder, "INSERT INTO entry SELECT -1, body, leaf FROM entry WHERE number = 5")


def view_for_a_table(folder: Path) -> None:
    edit(folder, "ALTER TABLE entry RENAME TO kept", "CREATE VIEW entry AS SELECT * FROM kept")


@pytest.mark.parametrize(
    ("forge", "index", "reason"),
    [
        (swap_boxes, INTENT, "disclosure-altered"),
        (swap_boxes_of_one, OUTCOME, "disclosure-altered"),
        (swap_boxes_with_keys, INTENT, "data-key-altered"),
        (swap_outcomes, INTENT, "index-altered"),
        (reopen, INTENT, "index-altered"),
        (attribute_to_another, INTENT, "index-altered"),
        (reseal(lambda arrays: [each.replace(b"-17", b"-18") for each in arrays]), INTENT, "disclosure-mismatch"),
        (reseal(lambda arrays: arrays[1:]), INTENT, "disclosure-mismatch"),
        (reseal(lambda arrays: [*arrays, arrays[0]]), INTENT, "disclosure-mismatch"),
        (erase_without_record, INTENT, "disclosure-missing"),
        (rewrite_under_the_old_signature, None, "signature-invalid"),
        (entry_among_boxes, INTENT, "entry-missing"),
        (number_before_the_first, None, "entry-extra"),
        (view_for_a_table, None, "schema-altered"),
        (lambda folder: edit(folder, "DROP INDEX exchange_subject"), None, "schema-altered"),
    ],
)
def test_a_forgery_is_found(state: Path, forge: Callable[[Path], None], index: int | None, reason: str) -> None:
    forge(state)
    expect(state, (index, reason), only=False)


def test_another_log_in_the_folder_is_found_without_its_data_key_too(state: Path, small: Path) -> None:
    for name in ("ledger.sqlite", "checkpoint", "log.vkey"):
        shutil.copy(small / name, state / name)
    (state / "data.key").unlink()
    expect(state, (None, "origin-mismatch"), only=False)


def test_a_key_that_lies_beside_is_the_one_that_verified(state: Path, small: Path, tmp_path: Path) -> None:
    key = load_vkey(state / "log.vkey")
    with Reader.open(state) as reader:
        export(reader, tmp_path / "export")
    for folder in (state, tmp_path / "export"):
        shutil.copy(small / "log.vkey", folder / "log.vkey")
    assert found(verify_path(state, key=key)) == {(None, "key-mismatch")}
    assert found(verify_folder_export(tmp_path / "export", key=key)) == {(None, "key-mismatch")}


def test_records_that_were_taken_out_of_an_export_are_missed(state: Path, tmp_path: Path) -> None:
    with Reader.open(state) as reader:
        export(reader, tmp_path / "export")
    key = load_vkey(state / "log.vkey")
    assert NO_RECORDS not in verify_folder_export(tmp_path / "export", key=key).unknown
    (tmp_path / "export" / "records.jsonl").unlink()
    report = verify_folder_export(tmp_path / "export", key=key)
    assert report.exit_code == VERIFIED and NO_RECORDS in report.unknown


@pytest.mark.parametrize("names", [["ledger.sqlite"], ["ledger.sqlite", "checkpoint"]], ids=len)
def test_a_copy_of_last_week(later: Path, pristine: Path, copy_of: Callable[[Path], Path], names: list[str]) -> None:
    folder = copy_of(later)
    for name in names:
        shutil.copy(pristine / name, folder / name)
    if names == ["ledger.sqlite"]:
        expect(folder, (284, "store-behind-checkpoint"))
    else:  # nothing in the folder knows more: it says so, and a checkpoint that was kept tells
        report = verify_path(folder)
        assert report.exit_code == VERIFIED and ROLLED_BACK in report.unknown
    kept = (later / "checkpoint").read_bytes()
    assert (284, "behind-kept-checkpoint") in found(verify_path(folder, kept=kept))


@pytest.mark.parametrize("beside", [False, True])
def test_the_head_of_last_week(
    later: Path, pristine: Path, copy_of: Callable[[Path], Path], beside: bool
) -> None:
    folder = copy_of(later)
    row = fetch(pristine, "SELECT * FROM head")[0]
    edit(folder, "DELETE FROM head")
    edit(folder, "INSERT INTO head VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values=row)
    if beside:
        shutil.copy(pristine / "checkpoint", folder / "checkpoint")
    expect(folder, (284, "entry-extra"), only=False)


def test_a_copy_that_went_on_is_another_history(later: Path, pristine: Path, copy_of: Callable[[Path], Path]) -> None:
    fork = copy_of(pristine)
    asyncio.run(fill(fork, 30, start_at=2000))
    report = verify_path(fork, kept=(later / "checkpoint").read_bytes())
    assert (report.exit_code, found(report)) == (FAILED, {(None, "fork-from-kept-checkpoint")})
    assert_ranges_say(fork, verify_path(fork))
    shutil.copy(later / "checkpoint", fork / "checkpoint")
    expect(fork, (None, "checkpoint-fork"))
