"""What somebody writes into a store to fool its verification: it fails, and says so on any terminal and in JSON."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sidecar.cli import main
from sidecar.drivers.keys import load_vkey
from sidecar.drivers.store_export import FolderFetcher, export, verify_folder_export
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_sql import TABLES
from sidecar.drivers.store_verify import verify_path
from sidecar.errors import OwnError
from sidecar.ledger.checkpoint import Checkpoint, sign_checkpoint
from sidecar.ledger.merkle import leaf_hash
from sidecar.ledger.note import Ed25519Signer
from sidecar.ledger.report import FAILED, MAX_FAILURES, USAGE, VERIFIED, VERIFIED_EXCEPT
from sidecar.ledger.verify_export import DISCLOSURES, RECORDS, disclosure_line, verify_export
from tests.ledger.factory import POLICY, make_intent, make_outcome, start
from tests.ledger.test_tamper_store import ENTRY_ID, INTENT, edit, expect, fetch

ESCAPE = "x'1b5b324a1b5b48'"
"""Clears a terminal; what follows looks like the first line of all."""
NO_UNICODE = "x'ff41'"


def text(blob: str) -> str:
    return f"CAST({blob} AS TEXT)"


HOSTILE = [
    ("INSERT INTO tile VALUES (-1, 0, x'00')",),
    ("INSERT INTO tile VALUES (9, 0, x'00')",),
    ("INSERT INTO tile VALUES (7, 4611686018427387904, x'00')",),
    (f"UPDATE tile SET number = {text(NO_UNICODE)}",),
    (f"UPDATE tile SET number = {text(ESCAPE)}",),
    (f"UPDATE tile SET level = {text(ESCAPE)}",),
    (f"UPDATE entry SET body = x'00' WHERE number = {INTENT}", f"UPDATE exchange SET id = {text(NO_UNICODE)}"),
    (f"UPDATE entry SET body = x'00' WHERE number = {INTENT}", "UPDATE exchange SET id = x'ff41'"),
    ("INSERT INTO entry VALUES (9223372036854775807, x'00', x'00')",),
    ("INSERT INTO box VALUES (-9223372036854775808, x'00')",),
    ("UPDATE head SET one = 7",),
]


@pytest.mark.parametrize("statements", HOSTILE, ids=str)
def test_whatever_is_written_into_a_store_is_a_failure(
    state: Path, statements: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    where = f" WHERE intent_number = {INTENT}"
    edit(state, *[each + where if each.startswith("UPDATE exchange") else each for each in statements])
    assert main(["audit", "verify", "--state", str(state)]) == FAILED
    assert all(line.isprintable() for line in capsys.readouterr().out.split("\n"))
    assert main(["audit", "verify", "--state", str(state), "--json"]) == FAILED
    assert orjson.loads(capsys.readouterr().out)["failures_total"] > 0


VALUES: list[Any] = [None, -1, 2**62, 1.5, "", b"\0", "\x1b[2J"]


def changes(folder: Path, *tables: str) -> Iterator[tuple[str, str, Any]]:
    """Each column of these tables, each with values of every type, of which its row held none."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        for table in tables:
            for _, column, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
                (held,) = connection.execute(f"SELECT {column} FROM {table} ORDER BY 1 DESC LIMIT 1").fetchone()
                yield from ((table, column, value) for value in VALUES if (type(value), value) != (type(held), held))


def changed(path: Path, table: str, column: str, value: Any) -> bool:
    """Write it over the largest value of the column; False where SQLite does not take it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        most = f"(SELECT {column} FROM {table} ORDER BY 1 DESC LIMIT 1)"
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} IS {most}", (value,))
        except sqlite3.IntegrityError:
            return False
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return True


def test_no_column_of_any_table_is_left_out(small: Path, pristine: Path, copy_of: Callable[[Path], Path]) -> None:
    seen = set[tuple[str, str]]()
    for origin, tables in ((small, set(TABLES) - {"tile"}), (pristine, {"tile"})):
        state, whole = copy_of(origin), (origin / "ledger.sqlite").read_bytes()
        for table, column, value in changes(origin, *tables):
            (state / "ledger.sqlite").write_bytes(whole)
            if not changed(state / "ledger.sqlite", table, column, value):
                continue
            report = verify_path(state)
            assert report.exit_code == FAILED, (table, column, value)
            assert all(line.isprintable() for line in report.as_text().split("\n"))
            orjson.dumps(report.as_json())
            seen.add((table, column))
    assert len(seen) == 46


@pytest.mark.parametrize(
    ("column", "command"),
    [
        ("verdict", ("query", "--limit", "0")),
        ("state", ("query", "--csv")),
        ("outcome_number", ("query", "--limit", "0")),
        ("outcome_number", ("show", ENTRY_ID)),
        ("id", ("show", "--last")),
    ],
)
def test_an_altered_index_moves_no_cursor(
    state: Path, capsys: pytest.CaptureFixture[str], column: str, command: tuple[str, ...]
) -> None:
    number = 281 if column == "id" else INTENT
    edit(state, f"UPDATE exchange SET {column} = ? WHERE intent_number = {number}", values=("\x1b[2J",))
    main(["audit", *command, "--state", str(state)])
    said = capsys.readouterr()
    assert all(line.isprintable() for line in (said.out + said.err).replace("\r", "").split("\n"))


@pytest.mark.parametrize("leaf", ["'x'", "x'00'", "7", "1.5"])
def test_a_receipt_from_hashes_that_are_none_is_refused(
    state: Path, capsys: pytest.CaptureFixture[str], leaf: str
) -> None:
    edit(state, f"UPDATE entry SET leaf = {leaf} WHERE number BETWEEN 256 AND 259")
    assert main(["audit", "receipt", ENTRY_ID, "--state", str(state)]) == USAGE
    assert "LEDGER_DAMAGED" in capsys.readouterr().err


def test_an_id_made_to_fool_a_terminal_is_shown_without_its_power(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaf = orjson.loads(fetch(state, f"SELECT body FROM entry WHERE number = {INTENT}")[0][0])
    body = orjson.dumps({**leaf, "id": "\x1b[2J\x1b[HVERIFIED\x9b\u202e"}, option=orjson.OPT_SORT_KEYS)
    edit(state, f"UPDATE entry SET body = ? WHERE number = {INTENT}", values=(body,))
    assert main(["audit", "verify", "--state", str(state)]) == FAILED
    said = capsys.readouterr().out
    assert "VERIFIED" in said and all(line.isprintable() for line in said.split("\n"))


async def test_a_head_under_another_key_is_altered_and_not_gone_on_with(state: Path) -> None:
    """The writer would move the row of key 0, find none, and refuse every call from its first commit on."""
    edit(state, "UPDATE head SET one = 7")
    expect(state, (None, "head-altered"))
    with pytest.raises(OwnError) as refused:
        await start(state)
    assert refused.value.code == "LEDGER_DAMAGED"


async def prune(folder: Path) -> None:
    """A log whose first tile was dropped by record, as a retention policy would."""
    async with await start(folder) as ledger:
        for _ in range(2):
            await ledger.policy_loaded(POLICY, "start")
        for number in range(130):
            await ledger.open(make_intent(number))
            await ledger.close(make_outcome(number))
        await ledger._append("prune", {"from": 0, "to": 256, "policy": "P", "root": ""})
    tables = {"entry": "number", "box": "number", "datakey": "number", "exchange": "intent_number"}
    edit(folder, *[f"DELETE FROM {table} WHERE {number} < 256" for table, number in tables.items()])


def test_where_the_hashes_of_pruned_entries_are_gone_nothing_holds_the_rest(tmp_path: Path) -> None:
    asyncio.run(prune(tmp_path))
    assert verify_path(tmp_path).exit_code == VERIFIED_EXCEPT
    (body,) = fetch(tmp_path, "SELECT body FROM entry WHERE number = 260")[0]
    body = body.replace(b'"request_bytes":1400', b'"request_bytes":1401').replace(
        b'"reply_bytes":9', b'"reply_bytes":8'
    )
    edit(tmp_path, "UPDATE entry SET body = ?, leaf = ? WHERE number = 260", values=(body, leaf_hash(body)))
    expect(tmp_path, (None, "head-altered"), only=False)
    edit(tmp_path, "DELETE FROM tile")
    expect(tmp_path, (0, "tile-missing"))


def test_an_export_that_claims_more_than_anyone_can_read_ends(tmp_path: Path) -> None:
    """Without --key the sender's own key is taken, so he may sign any size."""
    signer = Ed25519Signer("ledger.example/audit/0", Ed25519PrivateKey.generate())
    (tmp_path / "checkpoint").write_text(sign_checkpoint(Checkpoint(signer.verifier.name, 2**60, bytes(32)), signer))
    report = verify_folder_export(tmp_path, key=signer.verifier, pinned=False)
    assert report.exit_code == FAILED and report.failures_total < 2 * MAX_FAILURES


def test_an_export_that_is_not_there_is_no_failed_one(tmp_path: Path, state: Path) -> None:
    vkey = str(state / "log.vkey")
    assert main(["audit", "verify", "--export", str(tmp_path / "nowhere"), "--key", vkey]) == USAGE
    (tmp_path / "empty").mkdir()
    assert main(["audit", "verify", "--export", str(tmp_path / "empty"), "--key", vkey]) == FAILED


@pytest.mark.parametrize("look", [verify_path, None], ids=["store", "export"])
def test_what_a_verification_cannot_know_is_said_as_it_is(
    state: Path, tmp_path: Path, look: Callable[..., Any] | None
) -> None:
    """A key from elsewhere keeps out other keys, a checkpoint from elsewhere also the holder of the right one."""
    key, kept = load_vkey(state / "log.vkey"), (state / "checkpoint").read_bytes()
    if look is None:
        with Reader.open(state) as reader:
            export(reader, tmp_path / "export")
        said = [
            verify_folder_export(tmp_path / "export", key=key, pinned=pinned, kept=held).unknown
            for pinned, held in ((False, None), (True, None), (True, kept))
        ]
    else:
        said = [look(state, key=given, kept=held).unknown for given, held in ((None, None), (key, None), (key, kept))]
    assert any("a key of his own" in each for each in said[0]) and not any(
        "a key of his own" in each for each in said[1]
    )
    assert any("whoever holds the signing key" in each for each in said[1])
    assert not any("whoever holds the signing key" in each for each in said[2])
    assert verify_path(state, key=key, kept=kept).exit_code == VERIFIED


class OnlyByLine(FolderFetcher):
    """The files for people are as long as the log: an auditor's memory is not."""

    def fetch(self, path: str) -> bytes | None:
        assert path not in (DISCLOSURES, RECORDS), f"{path} is read whole"
        return super().fetch(path)


def told(folder: Path) -> set[tuple[int | None, str]]:
    report = verify_export(OnlyByLine(folder), load_vkey(folder / "log.vkey"))
    return {(failure.index, failure.reason) for failure in report.failures}


def test_what_people_read_is_checked_line_by_line(state: Path, tmp_path: Path) -> None:
    with Reader.open(state) as reader:
        export(reader, tmp_path / "export")
    assert told(tmp_path / "export") == set()
    file = tmp_path / "export" / DISCLOSURES
    lines = file.read_bytes().splitlines(keepends=True)
    first, foreign = disclosure_line(0, "x", []), disclosure_line(10**6, "x", [])
    for changed, wanted in (
        ([first, *lines], {(0, "disclosure-mismatch")}),
        ([*lines, foreign], {(10**6, "disclosure-extra")}),
        ([lines[0], lines[0], *lines[1:]], {(None, "disclosure-malformed")}),
        ([*lines[:2], b"\r\n", *lines[2:]], {(None, "disclosure-malformed")}),
        ([*lines[:-1], lines[-1][:-1]], {(None, "disclosure-malformed"), (282, "disclosure-missing")}),
    ):
        file.write_bytes(b"".join(changed))
        assert wanted <= told(tmp_path / "export"), wanted
    file.write_bytes(b"".join([lines[1], lines[0], *lines[2:]]))
    assert (None, "disclosure-malformed") in told(tmp_path / "export")
