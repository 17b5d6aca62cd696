"""Stores that are damaged, incomplete or out of reach: an error with a code and advice, and nothing is written."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sidecar.console.query import query, tail
from sidecar.console.show import show_text
from sidecar.drivers.keys import load_vkey
from sidecar.drivers.store_export import export, verify_folder_export
from sidecar.drivers.store_query import Filters
from sidecar.drivers.store_reader import Reader
from sidecar.drivers.store_verify import verify_path
from sidecar.errors import OwnError
from sidecar.ledger.report import FAILED, NO_DATA_KEY, VERIFIED, VERIFIED_EXCEPT
from tests.ledger.factory import exchange_id, fill, make_intent, make_outcome, start

NOBODY = 65534


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "state"
    asyncio.run(fill(folder, 5))
    return folder


@pytest.fixture
def state(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "state"))


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.endswith("-shm"))
    return {path.name: path.read_bytes() for path in files}


async def refused(folder: Path) -> OwnError:
    """What a start says; the folder must stay as it was."""
    before = content(folder)
    with pytest.raises(OwnError) as fault:
        await start(folder)
    assert content(folder) == before
    return fault.value


# -- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["data.key", "signing.key"])
async def test_a_lost_key_is_not_replaced(state: Path, name: str) -> None:
    (state / name).unlink()
    error = await refused(state)
    assert error.code == "LEDGER_KEY" and name in error.advice and "backup" in error.advice


@pytest.mark.parametrize("name", ["data.key", "signing.key"])
async def test_keys_are_not_made_beside_a_checkpoint_either(state: Path, name: str) -> None:
    (state / "ledger.sqlite").unlink()
    assert (await refused(state)).code == "LEDGER_MISSING"
    (state / name).unlink()
    assert (await refused(state)).code == "LEDGER_KEY"
    (state / "origin").unlink()
    assert (await refused(state)).code == "LEDGER_FOLDER"


@pytest.mark.parametrize("name", ["data.key", "signing.key"])
async def test_a_key_of_another_log_is_refused(state: Path, tmp_path: Path, name: str) -> None:
    await fill(tmp_path / "other", 1)
    shutil.copy(tmp_path / "other" / name, state)
    error = await refused(state)
    assert error.code == "LEDGER_KEY" and name in error.advice


async def test_a_reader_with_a_foreign_data_key_says_so_instead_of_finding_nobody(state: Path, tmp_path: Path) -> None:
    await fill(tmp_path / "other", 1)
    shutil.copy(tmp_path / "other" / "data.key", state)
    with pytest.raises(OwnError, match="LEDGER_KEY"):
        Reader.open(state)
    assert [failure.reason for failure in verify_path(state).failures] == ["data-key-mismatch"]


async def test_the_public_key_is_derived_again(state: Path) -> None:
    vkey = (state / "log.vkey").read_bytes()
    (state / "log.vkey").unlink()
    with pytest.raises(OwnError, match="LEDGER_KEY") as fault:
        verify_path(state)
    assert "cannot be read" in fault.value.advice
    async with await start(state):
        assert (state / "log.vkey").read_bytes() == vkey


# -- damage ---------------------------------------------------------------------------------------------------------


def zero_root(folder: Path, table: str) -> None:
    """Nothing but zeros in the root page of this table."""
    path = folder / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        [(size,)] = connection.execute("PRAGMA page_size").fetchall()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


def empty(folder: Path) -> None:
    (folder / "ledger.sqlite").write_bytes(b"")


def edit(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)


def questions(folder: Path, target: Path) -> dict[str, Callable[[], object]]:
    def ask(question: Callable[[Reader], object]) -> object:
        with Reader.open(folder) as reader:
            return question(reader)

    return {
        "query": lambda: ask(lambda reader: query(reader, Filters(subject="subject-17"))),
        "show": lambda: ask(lambda reader: show_text(reader, exchange_id(2))),
        "tail": lambda: ask(lambda reader: tail(reader, 0, Filters())),
        "export": lambda: ask(lambda reader: export(reader, target)),
        "receipt": lambda: ask(lambda reader: reader.receipt(exchange_id(2))),
    }


@pytest.mark.parametrize("question", ["query", "show", "tail", "export", "receipt"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: zero_root(folder, "exchange"),
        lambda folder: zero_root(folder, "entry"),
        lambda folder: edit(folder, "UPDATE head SET checkpoint = 'x'"),
        empty,
    ],
    ids=["exchange", "entry", "head", "empty"],
)
def test_a_damaged_store_is_an_error_with_advice(
    state: Path, tmp_path: Path, damage: Callable[[Path], None], question: str
) -> None:
    damage(state)
    ask = questions(state, tmp_path / "out")[question]
    try:
        ask()
    except OwnError as error:
        assert error.code == "LEDGER_DAMAGED"
        assert "audit verify" in error.advice
        assert not any(word in error.advice for word in ("SELECT", "subject", "no such table", "exchange_"))
    else:
        assert question == "query"  # which needs no head
    assert verify_path(state).exit_code == FAILED


@pytest.mark.parametrize("table", ["exchange", "entry", "head"])
async def test_a_damaged_store_is_not_started(state: Path, table: str) -> None:
    zero_root(state, table)
    error = await refused(state)
    assert error.code == "LEDGER_DAMAGED" and "SELECT" not in error.advice


async def test_an_empty_store_is_one_that_is_gone(state: Path) -> None:
    empty(state)
    assert (await refused(state)).code == "LEDGER_MISSING"


@pytest.mark.parametrize("change", ["body = x'7b'", "body = 7", "body = CAST('null' AS BLOB)"])
def test_an_entry_that_cannot_be_read_is_named(state: Path, tmp_path: Path, change: str) -> None:
    edit(state, f"UPDATE entry SET {change} WHERE number = 6")
    with pytest.raises(OwnError, match="LEDGER_DAMAGED") as fault:
        questions(state, tmp_path / "out")["export"]()
    assert "Entry 6 cannot be read" in fault.value.advice
    with pytest.raises(OwnError, match="LEDGER_DAMAGED"):
        questions(state, tmp_path / "out")["query"]()


@pytest.mark.parametrize(("table", "value"), [("box", "box"), ("datakey", "wrapped")])
def test_an_entry_whose_disclosures_do_not_open_is_named(state: Path, tmp_path: Path, table: str, value: str) -> None:
    """Of an export as of a verification: whoever has to restore it must know which."""
    with closing(sqlite3.connect(state / "ledger.sqlite")) as connection:
        [(number,)] = connection.execute(f"SELECT max(number) FROM {table}").fetchall()
    edit(state, f"UPDATE {table} SET {value} = zeroblob(60) WHERE number = {number}")
    with pytest.raises(OwnError, match="LEDGER_DAMAGED") as fault:
        questions(state, tmp_path / "out")["export"]()
    assert f"Entry {number} cannot be read" in fault.value.advice


@pytest.mark.parametrize("statement", ["DELETE FROM entry WHERE number = 9", "UPDATE entry SET leaf = x'00'"])
def test_an_export_of_what_is_not_whole_is_refused(state: Path, tmp_path: Path, statement: str) -> None:
    edit(state, statement)
    with pytest.raises(OwnError, match="LEDGER_DAMAGED") as fault:
        questions(state, tmp_path / "out")["export"]()
    assert "not whole" in fault.value.advice
    assert not (tmp_path / "out" / "checkpoint").exists()


# -- access ---------------------------------------------------------------------------------------------------------


@contextmanager
def unprivileged() -> Iterator[None]:
    """As somebody whom modes of files bind: root is not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def shared(whole: Path) -> Iterator[Path]:
    """A copy under a folder that anybody may enter."""
    top = Path(tempfile.mkdtemp())
    top.chmod(0o755)
    yield Path(shutil.copytree(whole, top / "state"))
    (top / "state").chmod(0o755)
    shutil.rmtree(top)


def readable(folder: Path) -> None:
    """For reading by all, for writing by none."""
    (folder / "data.key").unlink()
    (folder / "signing.key").unlink()
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)
    folder.chmod(0o555)


async def unclosed(folder: Path) -> None:
    """Replace a log by one whose entries lie in the WAL, without -shm."""
    live = folder.with_name("live")
    async with await start(live) as ledger:
        await ledger.open(make_intent(0))
        await ledger.close(make_outcome(0))
        while (live / "checkpoint").read_text() != ledger.checkpoint:
            await asyncio.sleep(0.001)  # the file follows the answer
        shutil.rmtree(folder)
        shutil.copytree(live, folder)
    (folder / "ledger.sqlite-shm").unlink()


async def test_what_may_not_be_written_is_not_called_damaged(shared: Path, tmp_path: Path) -> None:
    await unclosed(shared)
    readable(shared)
    with unprivileged(), pytest.raises(OwnError, match="LEDGER_UNAVAILABLE") as fault:
        verify_path(shared)
    assert "copy" in fault.value.advice
    copy = Path(shutil.copytree(shared, tmp_path / "copy"))
    copy.chmod(0o755)
    assert verify_path(copy).exit_code == VERIFIED


def test_a_reader_who_may_not_write_verifies_a_store_at_rest(shared: Path) -> None:
    readable(shared)
    with unprivileged():
        assert verify_path(shared).exit_code == VERIFIED


def test_no_access_and_no_folder_are_told_apart(shared: Path) -> None:
    vkey = load_vkey(shared / "log.vkey")
    shared.chmod(0)
    for open_ in (verify_path, Reader.open, lambda path: verify_path(path, key=vkey)):
        with unprivileged(), pytest.raises(OwnError, match="LEDGER_UNAVAILABLE") as fault:
            open_(shared)
        assert "permission denied" in fault.value.advice
        with pytest.raises(OwnError, match="LEDGER_FOLDER") as fault:
            open_(shared.with_name("none"))
        assert "There is no folder" in fault.value.advice
    shared.chmod(0o755)
    (shared / "ledger.sqlite").chmod(0)
    (shared / "data.key").unlink()
    with unprivileged(), pytest.raises(OwnError, match="LEDGER_UNAVAILABLE"):
        verify_path(shared, key=vkey)


def test_a_store_that_is_gone_is_a_failed_verification(state: Path) -> None:
    (state / "ledger.sqlite").unlink()
    assert verify_path(state).exit_code == FAILED
    with pytest.raises(OwnError, match="LEDGER_MISSING"):
        Reader.open(state)


def test_whoever_may_not_read_the_data_key_lists_and_verifies_without_it(shared: Path) -> None:
    """An auditor of another group: the key is its owner's, mode 0600, and the tree needs none."""
    shared.chmod(0o755)
    assert (shared / "data.key").stat().st_mode & 0o777 == 0o600
    with unprivileged():
        report = verify_path(shared)
        with Reader.open(shared) as reader:
            (exchange,) = reader.connection.execute("SELECT id FROM exchange LIMIT 1").fetchone()
            record = reader.record(exchange)
    assert report.exit_code == VERIFIED and NO_DATA_KEY in report.unknown
    assert (record.disclosures, record.disclosed) == ("sealed", {})


def test_an_export_is_for_others_to_read(shared: Path) -> None:
    """Its policy bundles too; one that may not be read is said to be so."""
    target = shared.with_name("export")
    with Reader.open(shared) as reader:
        export(reader, target)
    assert {path.stat().st_mode & 0o055 for path in (target, *target.rglob("*")) if path.is_dir()} == {0o055}
    key = load_vkey(shared / "log.vkey")
    with unprivileged():
        assert verify_folder_export(target, key=key).exit_code == VERIFIED
    (target / "bundles").chmod(0o700)
    with unprivileged():
        report = verify_folder_export(target, key=key)
    assert report.exit_code == VERIFIED_EXCEPT and [each.reason for each in report.bundles] == ["bundle-unreadable"]


# -- a folder that goes away while it is in use ---------------------------------------------------------------------


@pytest.mark.parametrize("how", ["moved", "removed", "replaced", "put back from a copy"])
async def test_nothing_is_recorded_where_nobody_will_find_it(tmp_path: Path, how: str) -> None:
    """An open file can be written on when it has no name any more: each call would be answered and no record kept."""
    state = tmp_path / "state"
    ledger = await start(state)
    await ledger.open(make_intent(1))
    shutil.copytree(state, tmp_path / "copy")
    if how == "removed":
        shutil.rmtree(state)
    else:
        state.rename(tmp_path / "moved")
    if how == "put back from a copy":
        (tmp_path / "copy").rename(state)
    if how == "replaced":
        await fill(state, 2)
    with pytest.raises(OwnError, match="LEDGER_UNAVAILABLE") as fault:
        await ledger.open(make_intent(2))
    assert "was moved, removed or replaced" in fault.value.advice and ledger.failed
    await ledger.stop()
    if how == "moved":
        assert verify_path(tmp_path / "moved").exit_code == VERIFIED
