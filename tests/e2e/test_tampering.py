"""Tampering with a recorded store, seen through `sidecar audit`: exit 1, the right entry, the right reason; never 0.

tests/ledger goes through every kind of damage in process; here is one of each, in a store that `sidecar serve` wrote.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pytest

from sidecar.cli import main
from sidecar.drivers.clock import SystemEntropy
from sidecar.drivers.keys import create_keys, load_signer, load_vkey
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_sql import connect_reading
from sidecar.ledger.checkpoint import Checkpoint, sign_checkpoint
from sidecar.ledger.report import FAILED, VERIFIED
from tests.drivers.test_store_export import fsck
from tests.e2e import processes
from tests.e2e.processes import Sidecar, Stub

STORE, WAL = "ledger.sqlite", "ledger.sqlite-wal"
IMAGE = [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]
Audit = Callable[..., tuple[int, str]]


class Recorded(NamedTuple):
    """State folders of one log: `older` was copied first; `killed` has its newest entries in the WAL."""

    older: Path
    killed: Path
    whole: Path


def calls(sidecar: Sidecar) -> None:
    """An answered call, a streamed one, a refused one."""
    with openai.OpenAI(base_url=sidecar.base, api_key="test", max_retries=0, timeout=30) as client:
        told: Any = {"model": "stub-model", "messages": [{"role": "user", "content": "I am ann@example.org"}]}
        client.chat.completions.create(**told, extra_headers={"x-sidecar-conversation": secrets.token_hex()})
        assert list(client.chat.completions.create(**told, stream=True))
        with pytest.raises(openai.PermissionDeniedError):
            client.chat.completions.create(model="stub-model", messages=[{"role": "user", "content": IMAGE}])  # type: ignore[list-item,misc]


@pytest.fixture(scope="module")
def recorded(stub: Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("recorded")
    with processes.sidecar(folder / "run", stub.url) as sidecar:
        calls(sidecar)
        sidecar.stop()
        older = Path(shutil.copytree(sidecar.state, folder / "older"))
        sidecar.start()
        calls(sidecar)
        calls(sidecar)
        sidecar.kill()
        killed = Path(shutil.copytree(sidecar.state, folder / "killed"))
        sidecar.start()
        sidecar.stop()
        yield Recorded(older, killed, sidecar.state)


@pytest.fixture
def whole(recorded: Recorded, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded.whole, tmp_path / "state"))


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str]) -> Audit:
    """Run `sidecar audit ...` in this process: the exit status and what it printed."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        code = main(["audit", *map(str, arguments)])
        return code, capsys.readouterr().out

    return run


def failures(audit: Audit, *arguments: str | Path) -> set[tuple[int | None, str]]:
    """Which entries `audit verify` names, and why; the exit status must be 1."""
    code, out = audit("verify", "--json", *arguments)
    found = {(failure["index"], failure["reason"]) for failure in json.loads(out)["failures"]}
    assert code == FAILED, out
    assert found
    return found


def fetch(state: Path, query: str) -> Any:
    with closing(connect_reading(state / STORE)) as connection:  # one that writes would fold the WAL in
        return connection.execute(query).fetchall()


def numbers(state: Path) -> tuple[int, int, int]:
    """Entries of the newest exchange but two (answered, not streamed): intent, outcome; and how many there are."""
    [(intent, outcome)] = fetch(
        state, "SELECT intent_number, outcome_number FROM exchange ORDER BY intent_number DESC LIMIT 1 OFFSET 2"
    )
    [(size,)] = fetch(state, "SELECT size FROM head")
    return intent, outcome, size


def edit(state: Path, *statements: str) -> None:
    with closing(sqlite3.connect(state / STORE, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_untouched_stores_verify(recorded: Recorded, audit: Audit) -> None:
    key = (recorded.older / "log.vkey").read_text().strip()
    for state in recorded:
        assert audit("verify", "--state", state)[0] == VERIFIED
        kept = recorded.older / "checkpoint"
        assert audit("verify", "--state", state, "--checkpoint", kept, "--key", key)[0] == VERIFIED


ALTER = (
    "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '\"typ\"', '\"tpy\"') AS BLOB) WHERE number = {intent}"
)
TAIL = [f"DELETE FROM {name} WHERE number >= {{outcome}}" for name in ("entry", "box", "datakey")]
EDITS: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "alter": ([ALTER], [("intent", "entry-altered")]),
    "delete": (["DELETE FROM entry WHERE number = {intent}"], [("intent", "entry-missing")]),
    "insert": (
        ["INSERT INTO entry SELECT {size}, body, leaf FROM entry WHERE number = {intent}"],
        [("size", "entry-extra")],
    ),
    "reorder": (
        [
            "CREATE TEMP TABLE t AS SELECT number, body FROM entry",
            "UPDATE entry SET body = (SELECT body FROM t WHERE t.number = {outcome}) WHERE number = {intent}",
            "UPDATE entry SET body = (SELECT body FROM t WHERE t.number = {intent}) WHERE number = {outcome}",
        ],
        [("intent", "entry-altered"), ("outcome", "entry-altered")],
    ),
    "cut the tail": (
        [*TAIL, "DELETE FROM exchange WHERE intent_number >= {outcome}"],
        [("outcome", "entry-missing")],
    ),
    "alter the index": (
        ["UPDATE exchange SET verdict = 'deny' WHERE intent_number = {intent}"],
        [("intent", "index-altered")],
    ),
    "delete a disclosure": (["DELETE FROM box WHERE number = {intent}"], [("intent", "disclosure-missing")]),
    "swap two disclosures": (
        ["UPDATE box SET box = (SELECT box FROM box WHERE number = {outcome}) WHERE number = {intent}"],
        [("intent", "disclosure-altered")],
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_edits_of_the_tables(whole: Path, audit: Audit, name: str) -> None:
    statements, wanted = EDITS[name]
    places = dict(zip(("intent", "outcome", "size"), numbers(whole), strict=True))
    edit(whole, *(statement.format(**places) for statement in statements))
    assert {(places[place], reason) for place, reason in wanted} <= failures(audit, "--state", whole)


BYTES = {
    "an entry": ("SELECT body FROM entry WHERE number = {intent}", "entry-altered"),
    "a leaf hash": ("SELECT leaf FROM entry WHERE number = {intent}", "leaf-altered"),
    "a disclosure": ("SELECT box FROM box WHERE number = {intent}", "disclosure-altered"),
    "a data key": ("SELECT wrapped FROM datakey WHERE number = {intent}", "data-key-altered"),
    "the index": ("SELECT conversation_ref FROM exchange WHERE intent_number = {intent}", "index-altered"),
    "the signed head": ("SELECT root FROM head", "head-altered"),
}


def flip(path: Path, needle: bytes) -> None:
    """Change one byte inside the last place where this is stored."""
    data = bytearray(path.read_bytes())
    at = data.rfind(needle[:32])
    assert at >= 0
    data[at + 5] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", BYTES)
def test_one_byte_of_the_database_file(whole: Path, audit: Audit, name: str) -> None:
    query, reason = BYTES[name]
    intent, _, _ = numbers(whole)
    flip(whole / STORE, bytes(fetch(whole, query.format(intent=intent))[0][0]))
    index = None if reason == "head-altered" else intent
    assert (index, reason) in failures(audit, "--state", whole)


@pytest.mark.parametrize("name", BYTES)
def test_one_byte_of_the_wal(recorded: Recorded, tmp_path: Path, audit: Audit, name: str) -> None:
    """SQLite drops the damaged tail without a word; the checkpoint beside the store says how long the log was."""
    intent, _, size = numbers(recorded.killed)
    needle = bytes(fetch(recorded.killed, BYTES[name][0].format(intent=intent))[0][0])
    state = Path(shutil.copytree(recorded.killed, tmp_path / "state"))
    flip(state / WAL, needle)
    [(index, reason)] = failures(audit, "--state", state)
    assert reason == "store-behind-checkpoint"
    assert index is not None and index < size
    assert index == fetch(state, "SELECT count(*) FROM entry")[0][0]


def test_signed_anew_with_another_key(whole: Path, audit: Audit) -> None:
    kept = load_vkey(whole / "log.vkey").vkey
    origin = StateFolder(whole).origin()
    for name in ("signing.key", "log.vkey"):
        (whole / name).unlink()
    create_keys(whole, origin, SystemEntropy())
    [(root, size)] = fetch(whole, "SELECT root, size FROM head")
    note = sign_checkpoint(Checkpoint(origin, size, root), load_signer(whole, origin))
    edit(whole, f"UPDATE head SET checkpoint = '{note}'")
    (whole / "checkpoint").write_text(note)
    assert (None, "signature-missing") in failures(audit, "--state", whole, "--key", kept)
    assert (0, "key-mismatch") in failures(audit, "--state", whole)


def test_an_older_copy_put_back(recorded: Recorded, tmp_path: Path, audit: Audit) -> None:
    """Whole in itself, and shorter than what somebody kept."""
    [(size,)] = fetch(recorded.older, "SELECT size FROM head")
    code, out = audit("verify", "--state", recorded.older)
    assert code == VERIFIED and "cannot know" in out
    kept = recorded.whole / "checkpoint"
    arguments = ("--state", recorded.older, "--checkpoint", kept, "--key", recorded.older / "log.vkey")
    assert failures(audit, *arguments) == {(size, "behind-kept-checkpoint")}
    mixed = Path(shutil.copytree(recorded.older, tmp_path / "mixed"))
    shutil.copy(kept, mixed)
    assert failures(audit, "--state", mixed) == {(size, "store-behind-checkpoint")}


def test_swapped_receipts(recorded: Recorded, tmp_path: Path, audit: Audit) -> None:
    [(mine, at), (other, elsewhere)] = fetch(recorded.whole, "SELECT id, outcome_number FROM exchange LIMIT 2")
    for name in (mine, other):
        code, receipt = audit("receipt", name, "--state", recorded.whole)
        assert code == 0
        (tmp_path / name).write_text(receipt)
    key = ("--key", recorded.whole / "log.vkey")
    for name in (mine, other):
        code, out = audit("receipt", name, "--state", recorded.whole, "--check", tmp_path / name, *key)
        assert code == VERIFIED and out.startswith("VERIFIED: entry ")
    for name, number, file in ((mine, at, other), (other, elsewhere, mine)):
        code, out = audit("receipt", name, "--state", recorded.whole, "--check", tmp_path / file, *key)
        assert code == FAILED
        assert out.startswith(f"FAILED entry {number} ({name}, outcome): proof-mismatch")


def test_what_cannot_be_checked_is_neither_verified_nor_failed(
    recorded: Recorded, tmp_path: Path, audit: Audit
) -> None:
    state = ("--state", recorded.whole)
    assert audit("verify", *state, "--checkpoint", tmp_path / "none")[0] == 2
    assert audit("verify", *state, "--key", "none")[0] == 2
    assert audit("verify", "--state", tmp_path)[0] == 2


def test_an_export_offline(recorded: Recorded, tmp_path: Path, audit: Audit) -> None:
    out = tmp_path / "out"
    assert audit("export", "--state", recorded.whole, "--to", out)[0] == 0
    kept = ("--checkpoint", recorded.older / "checkpoint", "--key", recorded.older / "log.vkey")
    assert audit("verify", "--export", out, *kept)[0] == VERIFIED
    intent, _, _ = numbers(recorded.whole)
    [(body,)] = fetch(recorded.whole, f"SELECT body FROM entry WHERE number = {intent}")
    [entries] = (path for path in (out / "tile" / "entries").rglob("*") if path.is_file())
    flip(entries, body)
    assert (intent, "entry-altered") in failures(audit, "--export", out)


def test_an_export_under_a_strangers_program(recorded: Recorded, tmp_path: Path, audit: Audit) -> None:
    out = tmp_path / "out"
    assert audit("export", "--state", recorded.whole, "--to", out)[0] == 0
    assert "Successfully fsck'd log with size" in fsck(out)
    [entries] = (path for path in (out / "tile" / "entries").rglob("*") if path.is_file())
    [(body,)] = fetch(recorded.whole, "SELECT body FROM entry WHERE number = 3")
    flip(entries, body)
    assert "Successfully" not in fsck(out)


def test_the_command_itself_exits_1(whole: Path) -> None:
    intent, _, _ = numbers(whole)
    command = [sys.executable, "-m", "sidecar", "audit", "verify", "--state", str(whole)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == VERIFIED
    edit(whole, ALTER.format(intent=intent))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == FAILED
    assert f"FAILED entry {intent} (" in done.stdout and "entry-altered" in done.stdout
