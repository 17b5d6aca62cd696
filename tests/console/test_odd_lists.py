"""Lists and records of odd callers, odd stores and odd terminals."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from sidecar import cli_audit
from sidecar.cli import main
from sidecar.console import query as console
from sidecar.console.query import query
from sidecar.console.render import csv_text, table
from sidecar.drivers.store_query import Filters, find
from sidecar.drivers.store_reader import Reader
from sidecar.ledger.checkpoint import verify_receipt
from sidecar.model import Caller
from sidecar.wiring import auditing
from sidecar.wiring.bundles import keep_bundle, kept_bundle
from tests.ledger.factory import DENY, DIGEST, exchange_id, make_intent, make_outcome, start
from tests.ledger.test_tamper_store import edit, fetch

SLASHED = Caller(tenant="acme/eu", app="desk", user="https://idp.example/users/1", auth="proxy_header")
PLAIN = Caller(tenant="acme", app="eu", user="desk", auth="api_key")
EXCHANGES = 12
LAST = exchange_id(EXCHANGES - 1)


async def write(folder: Path) -> None:
    async with await start(folder) as ledger:
        for number in range(EXCHANGES):
            caller = SLASHED if number == EXCHANGES - 1 else PLAIN
            decision = {"decision": DENY} if number == EXCHANGES - 1 else {}
            await ledger.open(make_intent(number, caller=caller, **decision))
            await ledger.close(make_outcome(number))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "state"
    asyncio.run(write(path))
    return path


@pytest.fixture
def state(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "state"))


@pytest.mark.parametrize(
    ("caller", "total"),
    [
        ("acme/eu", EXCHANGES),  # a tenant of that name, and the application `eu` of another
        ("https://idp.example/users/1", 1),
        ("acme/eu/desk/https://idp.example/users/1", 1),  # as the list itself prints it
        ("acme/eu/desk", EXCHANGES),
        ("acme/desk", 0),
        ("idp.example", 0),
        ("/" * 5000, 0),
    ],
)
def test_callers_whose_names_have_slashes_are_found(folder: Path, caller: str, total: int) -> None:
    with Reader.open(folder) as reader:
        assert query(reader, Filters(caller=caller)).total == total


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("x;=1+cmd|' /C calc'!A0", "x;'=1+cmd|' /C calc'!A0"),
        ("a; -2;b", "a;' -2;b"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("; = ;; @", ";' = ;;' @"),
        ("gpt-4o; a=b", "gpt-4o; a=b"),
    ],
)
def test_no_cell_begins_a_formula_where_lines_are_cut_at_semicolons(folder: Path, name: str, cell: str) -> None:
    with Reader.open(folder) as reader:
        row = replace(query(reader, Filters(limit=1)).rows[0], prompt_name=name)
    (line,) = csv.DictReader(io.StringIO(csv_text([row])))
    assert line["prompt_name"] == cell


def test_rows_and_totals_are_of_one_state_of_a_log_at_work(state: Path) -> None:
    with Reader.open(state) as reader, reader.snapshot():
        first = find(reader.connection, Filters(), None)
        edit(state, "DELETE FROM exchange WHERE intent_number > 5")
        second = find(reader.connection, Filters(), None)
        assert len(first.rows) == len(second.rows) == first.total == second.total == EXCHANGES
    with Reader.open(state) as reader:
        assert query(reader, Filters()).total < EXCHANGES


def test_codes_and_types_of_an_altered_index_move_no_cursor(folder: Path) -> None:
    with Reader.open(folder) as reader:
        page = query(reader, Filters(limit=1))
    row = replace(page.rows[0], codes=("A\x1b[2J",), findings={"B\x9b2J": 1})
    text = table(replace(page, rows=(row,))) + csv_text([row], header=False).replace("\r", "")
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize(("old", "new"), [('"at":', '"at":[],"au":'), ('"not_inspected":', '"not_inspected":3,"no":')])
def test_a_field_of_another_type_is_damage_and_no_traceback(
    state: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    edit(state, f"UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '{old}', '{new}') AS BLOB)")
    for number, body in fetch(state, "SELECT number, body FROM entry"):
        canonical = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
        edit(state, f"UPDATE entry SET body = ? WHERE number = {number}", values=(canonical,))
    assert main(["audit", "show", LAST, "--state", str(state)]) == cli_audit.USAGE
    assert "LEDGER_DAMAGED" in capsys.readouterr().err


def test_a_terminal_that_lacks_a_character_is_no_fault_and_evidence_is_utf_8(folder: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "sidecar", "audit", *arguments, "--state", str(folder)]
        return subprocess.run(
            command, env={"PATH": os.defpath, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False
        )

    listed = run("query")
    assert (listed.returncode, listed.stderr) == (0, b"") and b"12 exchanges" in listed.stdout
    proof = run("receipt", LAST)
    with Reader.open(folder) as reader:
        assert verify_receipt(reader.entry(LAST, "outcome")[1], proof.stdout, reader.vkey())[0] > 0


def test_tail_looks_through_old_entries_without_a_pause(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause after each poll that matched nothing would be minutes in a log of a million entries."""

    def pause(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(console, "TAIL_ENTRIES", 3)
    monkeypatch.setattr(time, "sleep", pause)
    code = main(["audit", "tail", "--since", "2020-01-01", "--verdict", "deny", "--state", str(folder)])
    lines = capsys.readouterr().out.splitlines()
    assert code == 130 and lines and {line.split()[1] for line in lines} == {LAST}


def test_a_bundle_that_cannot_be_read_hides_no_record(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = state / "bundles" / f"{DIGEST}.tar.gz"
    bundle.unlink()
    bundle.mkdir()
    assert main(["audit", "show", LAST, "--state", str(state)]) == 0
    assert "cannot be explained here" in capsys.readouterr().out
    assert list(auditing.explainer(state)(b"{}", DIGEST)) == ["(cannot be explained here: Is a directory)"]


def test_a_bundle_is_on_disk_before_an_entry_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def watched(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    keep_bundle(tmp_path, "0" * 64, b"a bundle")
    assert [Path(name) for name in synced[-1:]] == [tmp_path / "bundles"] and str(tmp_path) in synced
    assert any(name.startswith(str(tmp_path / "bundles" / "0")) for name in synced)
    assert (tmp_path / "bundles" / f"{'0' * 64}.tar.gz").read_bytes() == b"a bundle"
    with pytest.raises(FileNotFoundError):
        kept_bundle(tmp_path, "0" * 64)
