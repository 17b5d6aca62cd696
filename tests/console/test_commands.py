"""`sidecar audit` as people type it: nothing is cut or guessed without a word, and no store makes a traceback."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from unittest.mock import ANY

import orjson
import pytest

from sidecar import cli_values
from sidecar.cli import main
from sidecar.console.render import CSV_COLUMNS
from sidecar.drivers import store_export
from sidecar.model import Asserted, Caller, Obligation
from sidecar.wiring.receipts import receipt_of
from tests.ledger.factory import ALLOW, DENY, START, exchange_id, make_intent, make_outcome, start

CALLS = 60
MARKED = replace(ALLOW, obligations=(Obligation(type="watermark", id="x", critical=False),))
"""An obligation that this version does not know, and need not fulfil."""
COMPOSED, DECOMPOSED = "M\u00fcller", "Mu\u0308ller"
AT = "2026-09-21T14:13:20"
"""START, as the tables print it."""


class Said(NamedTuple):
    code: int
    out: str
    err: str


Audit = Callable[..., Said]


async def write(folder: Path) -> None:
    """Sixty exchanges about one person, whose name is spelt in either normal form; one more finding of its own type."""
    async with await start(folder) as ledger:
        for number in range(CALLS):
            subject = Asserted(subject=COMPOSED if number % 2 else DECOMPOSED)
            facts = {7: {"findings": {"STAFF_NO": 1}, "decision": DENY}, 8: {"decision": MARKED}}.get(number, {})
            await ledger.open(make_intent(number, asserted=subject, **facts))
            await ledger.close(make_outcome(number))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commands") / "state"
    asyncio.run(write(path))
    return path


@pytest.fixture
def audit(state: Path, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Run a subcommand in this process, on the module's store unless --state names another."""

    def run(*arguments: str | Path) -> Said:
        given = [str(argument) for argument in arguments]
        try:
            code = main(["audit", *given, *([] if "--state" in given else ["--state", str(state)])])
        except SystemExit as usage:
            code = int(str(usage.code))
        return Said(code, *capsys.readouterr())

    return run


def test_long_work_says_how_far_it_is_where_somebody_looks(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_export, "STRIDE", 50)
    out, gone = str(tmp_path / "out"), "\r\x1b[K"
    assert audit("export", "--to", tmp_path / "unseen").err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    size = 2 * CALLS + 3  # and where the log begins and ends, and its policy
    told = "".join(f"\r{done} of {size} entries" for done in (0, 50, 100))
    assert audit("export", "--to", out) == Said(0, ANY, told + gone)
    assert audit("verify", "--export", out) == Said(0, ANY, f"\r{size} of {size} entries" + gone)
    assert audit("verify") == Said(0, ANY, f"\r{size} of {size} entries" + gone)
    (tmp_path / "out" / "checkpoint").unlink()
    assert audit("verify", "--export", out) == Said(1, ANY, gone), "nothing of a half-told line is left"


def test_programs_get_all_and_a_list_cut_short_says_so(audit: Audit) -> None:
    about = ("query", "--subject", COMPOSED)
    for form in ("--csv", "--json"):
        head = form == "--csv"
        whole = audit(*about, form)
        assert (whole.code, len(whole.out.splitlines()), whole.err) == (0, CALLS + head, "")
        some = audit(*about, form, "--limit", "16")
        assert len(some.out.splitlines()) == 16 + head
        assert some.err == f"sidecar: 16 of {CALLS} exchanges; --limit 0 for all\n"
        assert audit(*about, form, "--limit", "0").out == whole.out
    rows = list(csv.DictReader(io.StringIO(audit(*about, "--csv").out)))
    assert [row["id"] for row in rows] == [exchange_id(number) for number in reversed(range(CALLS))]


def test_a_table_says_how_to_see_the_rest(audit: Audit) -> None:
    codes = "by code: MODEL_NOT_ALLOWED:1\n"
    assert audit("query").out.endswith(
        f"{CALLS} exchanges, 50 shown (allow:59, deny:1, answered:60); --limit 0 for all\n{codes}"
    )
    whole = audit("query", "--limit", "0").out
    assert whole.endswith(f"{CALLS} exchanges (allow:59, deny:1, answered:60)\n{codes}")
    assert audit("query", "--limit", "-1").code == 2


@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED])
def test_a_name_is_found_however_its_letters_are_composed(audit: Audit, typed: str) -> None:
    assert len(audit("query", "--subject", typed, "--json").out.splitlines()) == CALLS
    assert f"{CALLS} exchanges" in audit("query", "--subject", typed).out


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["--entity", "EMAIL"], "did you mean EMAIL_ADDRESS?"),
        (["--entity", "iban_code"], "did you mean IBAN_CODE?"),
        (["--entity", "staff-no"], "did you mean STAFF_NO?"),
        (["--entity", "EMAIL_ADDRESS|PERSON"], "neither known nor recorded"),
        (["--code", "NOSUCH"], "recorded here: MODEL_NOT_ALLOWED"),
        (["--code", "MODEL_NOT_ALOWED"], "did you mean MODEL_NOT_ALLOWED"),
        (["--code", "UNINSPECTABLE"], "did you mean UNINSPECTABLE_CONTENT?"),
        (["--obligation", "human-review"], "did you mean human_review?"),
        (["--obligation", "redcat"], "did you mean redact?"),
        (["--confidence-max", "70"], "from 0 to 1"),
        (["--confidence-min", "-0.1"], "from 0 to 1"),
        (["--confidence-min", "nan"], "from 0 to 1"),
        (["--confidence-min", "high"], "from 0 to 1"),
        (["--confidence-min", "0.6", "--confidence-max", "0.5"], "--confidence-min is above --confidence-max"),
        (["--since", "2026-10-26", "--until", "2026-10-25"], "--since is not before --until"),
        (["--since", AT, "--until", AT], "--since is not before --until"),
        (["--caller", ""], "argument --caller: is empty"),
        (["--obligation", ""], "argument --obligation: is empty"),
        (["--subject", "M\udcc3\udcbcller"], "cannot be read in this locale"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_found_is_refused_with_advice(audit: Audit, arguments: list[str], advice: str) -> None:
    said = audit("query", *arguments)
    assert (said.code, said.out) == (2, "")
    assert advice in said.err


@pytest.mark.parametrize(
    ("arguments", "total"),
    [
        (["--entity", "STAFF_NO"], 1),
        (["--entity", "PERSON"], CALLS - 1),
        (["--entity", "SE_PERSONNUMMER"], 0),
        (["--entity", "AU_TFN"], 0),
        (["--code", "MODEL_NOT_ALLOWED"], 1),
        (["--code", "UPSTREAM_TIMEOUT"], 0),
        (["--obligation", "watermark"], 1),
        (["--obligation", "redact"], CALLS - 2),
        (["--obligation", "human_review"], 0),
        (["--code", "PII_FORBIDDEN"], 0),
        (["--confidence-max", "1"], CALLS),
    ],
    ids=str,
)
def test_what_a_detector_a_bundle_or_the_store_knows_may_be_asked_for(
    audit: Audit, arguments: list[str], total: int
) -> None:
    said = audit("query", *arguments)
    assert said.code == 0 and f"\n{total} exchanges" in said.out


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
def test_times_without_a_zone_are_utc(audit: Audit) -> None:
    assert cli_values.when(AT) == cli_values.when(f"{AT}Z") == cli_values.when("2026-09-21T16:13:20+02:00") == START
    assert cli_values.when("2026-09-21T14:13:20.000001") == START + 1
    assert f"\n{CALLS} exchanges" in audit("query", "--since", AT).out
    assert "\n0 exchanges" in audit("query", "--until", AT).out


def test_the_state_folder_of_the_environment(
    audit: Audit, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIDECAR_STATE", str(state))
    monkeypatch.setenv("SIDECAR_LIMITS_BODY", "no number, and nothing that an auditor needs")
    for command in (["query"], ["show", "--last"], ["verify"], ["receipt", exchange_id(1)], ["export", "--to", "out"]):
        monkeypatch.chdir(tmp_path)
        assert main(["audit", *command]) == 0, command
    capsys.readouterr()
    said = audit("query", "--state", tmp_path)
    assert said.code == 2 and str(tmp_path) in said.err


def test_tail_writes_its_header_once(state: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(state, tmp_path / "state"))
    command = [sys.executable, "-m", "sidecar", "audit", "tail", "--csv", "--since", "2020-01-01", "--state", str(copy)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        lines = [process.stdout.readline() for _ in range(CALLS + 1)]
        asyncio.run(_one_more(copy))
        lines.append(process.stdout.readline())
    finally:
        timer.cancel()
        process.send_signal(signal.SIGINT)
        process.wait(30)
        process.stdout.close()
    header, *rows = csv.reader(lines)
    assert header == list(CSV_COLUMNS)
    assert [row[1] for row in rows] == [exchange_id(number) for number in range(CALLS + 1)]


async def _one_more(folder: Path) -> None:
    async with await start(folder) as ledger:
        await ledger.open(make_intent(CALLS))


@pytest.fixture
def receipts(state: Path, tmp_path: Path) -> Path:
    """What the admin port gives of exchange 3."""
    path = tmp_path / "receipts.json"

    async def fetch() -> None:
        path.write_bytes(await receipt_of(state)(exchange_id(3)) or b"")

    asyncio.run(fetch())
    return path


def test_receipts_of_the_admin_port_can_be_checked(audit: Audit, receipts: Path) -> None:
    for kind in ("intent", "outcome"):
        said = audit("receipt", exchange_id(3), "--kind", kind, "--check", receipts)
        assert said.code == 0 and said.out.startswith("VERIFIED: entry ")
        said = audit("receipt", exchange_id(4), "--kind", kind, "--check", receipts)
        assert said.code == 1 and "proof-mismatch" in said.out


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"{}", b"[1]", b"{", b'{"receipts":{"intent":"x"}}', b'{"receipts":{"outcome":7}}', b"\xff"],
)
def test_a_file_that_is_no_receipt_proves_nothing(audit: Audit, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kept"
    path.write_bytes(content)
    said = audit("receipt", exchange_id(3), "--check", path)
    assert (said.code, said.out) == (2, "") and "holds no receipt of the outcome" in said.err


def test_a_key_that_is_none_is_no_failed_receipt(audit: Audit, receipts: Path) -> None:
    said = audit("receipt", exchange_id(3), "--check", receipts, "--key", "none")
    assert (said.code, said.out) == (2, "")


def test_an_altered_receipt_is_a_failed_one(audit: Audit, receipts: Path, tmp_path: Path) -> None:
    told = orjson.loads(receipts.read_bytes())["receipts"]["outcome"]
    (tmp_path / "cut").write_text(told[:60])
    said = audit("receipt", exchange_id(3), "--check", tmp_path / "cut")
    assert said.code == 1 and said.out.startswith("FAILED ")


def _retyped(state: Path, statement: str) -> None:
    with closing(sqlite3.connect(state / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute(statement)


def _zeroed(state: Path) -> None:
    """The pages after the schema's are gone."""
    path = state / "ledger.sqlite"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


COMMANDS: dict[str, list[str]] = {
    "query": ["query"],
    "csv": ["query", "--csv"],
    "code": ["query", "--code", "OWN_CODE"],
    "subject": ["query", "--subject", COMPOSED],
    "tail": ["tail", "--since", "2020-01-01"],
    "show": ["show", "--last"],
    "receipt": ["receipt", exchange_id(3)],
    "export": ["export", "--to", "out"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "damage",
    [_zeroed, lambda state: _retyped(state, "DROP TABLE exchange"), lambda state: _retyped(state, "DROP TABLE entry")],
    ids=["zeroed", "index", "entries"],
)
def test_a_store_that_cannot_be_read_is_said_to_be_so(
    audit: Audit,
    state: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    damage: Callable[[Path], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    copy = Path(shutil.copytree(state, tmp_path / "state"))
    damage(copy)
    said = audit(*COMMANDS[command], "--state", copy)
    assert said.code == 2
    assert said.err.startswith("sidecar: ") and "LEDGER_" in said.err
    assert "SELECT" not in said.err and COMPOSED not in said.err and "parameters" not in said.err


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exchange SET model_served = X'7B7D'",
        "UPDATE exchange SET at = 'then'",
        "UPDATE exchange SET at = 4611686018427387904",
        "UPDATE exchange SET confidence_ppm = 'much'",
        "UPDATE exchange SET codes = X'FF'",
    ],
)
def test_an_index_of_other_types(audit: Audit, state: Path, tmp_path: Path, statement: str) -> None:
    copy = Path(shutil.copytree(state, tmp_path / "state"))
    _retyped(copy, statement)
    for form in ([], ["--json"], ["--csv"]):
        said = audit("query", *form, "--state", copy)
        assert said.code == 2 and "LEDGER_DAMAGED" in said.err


def test_disclosures_of_other_types(audit: Audit, state: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(state, tmp_path / "state"))
    _retyped(copy, "UPDATE datakey SET wrapped = 'text'")
    assert "(damaged)" in audit("query", "--state", copy).out
    assert audit("export", "--to", tmp_path / "out", "--state", copy).code == 2


def test_faults_of_the_system_name_the_file(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        said = audit("export", "--to", path)
        assert said.code == 2 and str(tmp_path / "file") in said.err and said.err.count("\n") == 1


async def test_the_newest_of_no_exchanges(audit: Audit, tmp_path: Path) -> None:
    async with await start(tmp_path / "fresh"):
        pass
    assert "The log holds no exchange yet." in audit("show", "--last", "--state", str(tmp_path / "fresh")).err
    assert "No exchange of this id" in audit("show", "abc").err


def test_whoever_stops_reading_is_no_fault(state: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "sidecar", "audit", "query", "--csv", "--state", str(state)]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False)
    os.close(theirs)
    assert "Traceback" not in done.stderr and "sidecar:" not in done.stderr


def test_an_entry_whose_field_was_renamed(audit: Audit, state: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(state, tmp_path / "state"))
    _retyped(
        copy, """UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '"obligations"', '"obligationt"') AS BLOB)"""
    )
    for command in (["show", exchange_id(3)], ["show", "--json", exchange_id(3)]):
        said = audit(*command, "--state", copy)
        assert said.code == 2 and "LEDGER_DAMAGED" in said.err
    _retyped(copy, """UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '"findings"', '"findingt"') AS BLOB)""")
    assert audit("query", "--state", copy).code == 2


def test_a_backup_verifies_and_answers(audit: Audit, state: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    done = audit("backup", "--to", str(target))
    assert (done.code, done.err) == (0, "")
    assert f"copied to {target}" in done.out
    again = audit("backup", "--to", str(target))
    assert again.code == 2
    assert "new folder" in again.err
    copied = [audit(*words, "--state", str(target)) for words in (["verify"], ["query", "--csv"])]
    assert [said.code for said in copied] == [0, 0]
    assert copied[1].out == audit("query", "--csv").out


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
async def test_a_list_about_a_person_says_which_calls_name_nobody(
    tmp_path: Path, audit: Audit, form: list[str]
) -> None:
    async with await start(tmp_path / "state") as ledger:
        for number, subject in enumerate((COMPOSED, None, None)):
            await ledger.open(make_intent(number, asserted=Asserted(subject=subject)))
            await ledger.close(make_outcome(number))
    about = audit("query", "--subject", COMPOSED, "--state", tmp_path / "state", *form)
    assert "2 of 3 exchanges name no subject" in about.err
    assert about.code == 0 and exchange_id(0) in about.out and exchange_id(1) not in about.out
    assert "name no subject" not in audit("query", "--state", tmp_path / "state", *form).err
    assert "name no subject" not in audit("query", "--subject", COMPOSED, *form).err


async def test_csv_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    async with await start(tmp_path / "state") as ledger:
        await ledger.open(make_intent(0, caller=Caller(tenant="\u65e5\u672c", app="a", auth="api_key")))
        await ledger.close(make_outcome(0))
    command = [sys.executable, "-m", "sidecar", "audit", "query", "--csv", "--state", str(tmp_path / "state")]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}  # noqa: TID251  a child's
    said = subprocess.run(command, capture_output=True, check=True, env=environment, timeout=60)
    assert "\u65e5\u672c" in said.stdout.decode("utf-8")


async def test_a_stdout_that_was_closed_changes_no_exit_status(tmp_path: Path) -> None:
    """A job that asks for the status only (`verify >&-`) must not read "failed" where the log verifies."""
    await (await start(tmp_path / "state")).stop()
    command = [sys.executable, "-m", "sidecar", "audit", "verify", "--state", str(tmp_path / "state")]
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "-", *command], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
