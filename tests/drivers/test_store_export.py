"""Exports: checked by our verifier and by a program that we did not write, and no changed byte passes either."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.drivers.keys import load_signer, load_vkey
from sidecar.drivers.store_export import export, verify_folder_export
from sidecar.drivers.store_folder import StateFolder
from sidecar.drivers.store_reader import Reader
from sidecar.errors import OwnError
from sidecar.ledger.checkpoint import Checkpoint, sign_checkpoint
from sidecar.ledger.report import FAILED, VERIFIED, VERIFIED_EXCEPT, BundleFault
from tests.ledger.factory import BUNDLE, DIGEST, fill

EXCHANGES = 140


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "state"
    asyncio.run(fill(folder, EXCHANGES))
    return folder


@pytest.fixture(scope="module")
def exported(state: Path) -> Path:
    target = state.with_name("out")
    with Reader.open(state) as reader:
        assert export(reader, target) == (284, EXCHANGES, True)
    return target


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def reasons(folder: Path, **options: bytes) -> set[tuple[int | None, str]]:
    report = verify_folder_export(folder, key=load_vkey(folder / "log.vkey"), **options)
    assert (report.exit_code == VERIFIED) == (not report.failures)
    return {(failure.index, failure.reason) for failure in report.failures}


def test_the_layout_is_that_of_tlog_tiles(exported: Path) -> None:
    files = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    assert files == {
        "README.md",
        "checkpoint",
        "log.vkey",
        "disclosures.jsonl",
        "records.jsonl",
        "tile/0/000",
        "tile/0/001.p/28",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/28",
        f"bundles/{DIGEST}.tar.gz",
    }
    assert reasons(exported) == set()


def test_policy_bundles_go_along_and_are_checked(exported: Path, copy: Path) -> None:
    path = copy / "bundles" / f"{DIGEST}.tar.gz"
    assert path.read_bytes() == BUNDLE
    path.write_bytes(b"junk")
    report = verify_folder_export(copy, key=load_vkey(copy / "log.vkey"))
    assert report.exit_code == VERIFIED_EXCEPT and not report.failures
    assert report.bundles == [BundleFault(2, DIGEST, "bundle-altered")]
    shutil.rmtree(copy / "bundles")  # as exports of old: not given, which is no fault, and is said
    report = verify_folder_export(copy, key=load_vkey(copy / "log.vkey"))
    assert report.exit_code == VERIFIED and not report.bundles
    assert any("bundles" in unknown for unknown in report.unknown)


def test_records_have_names_that_people_know(exported: Path) -> None:
    lines = (exported / "records.jsonl").read_text().splitlines()
    record = json.loads(lines[3])
    assert len(lines) == EXCHANGES
    assert record["caller"]["app"] == "claims-desk" and record["confidence"]["source"] == "logprobs-mean-v1"
    assert record["params"]["temperature"] == 0.7


def test_an_export_without_the_data_key_discloses_nothing(state: Path, tmp_path: Path) -> None:
    with Reader.open(state, disclosures=False) as reader:
        assert export(reader, tmp_path / "out").disclosures is False
    assert not (tmp_path / "out" / "disclosures.jsonl").exists()
    assert b"claims-desk" not in (tmp_path / "out" / "records.jsonl").read_bytes()
    assert reasons(tmp_path / "out") == set()


def test_an_export_needs_an_empty_folder(state: Path, exported: Path) -> None:
    with Reader.open(state) as reader, pytest.raises(OwnError, match="EXPORT_TARGET"):
        export(reader, exported)


@pytest.mark.parametrize(
    "name", ["tile/entries/000", "tile/entries/001.p/28", "tile/0/000", "tile/1/000.p/1", "checkpoint"]
)
def test_no_changed_byte_of_the_evidence_passes(exported: Path, copy: Path, name: str) -> None:
    data = (exported / name).read_bytes()
    for at in range(0, len(data), max(1, len(data) // 40)):
        (copy / name).write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        assert reasons(copy), f"byte {at} of {name}"


@pytest.mark.parametrize("name", ["disclosures.jsonl", "records.jsonl"])
def test_no_changed_byte_of_what_people_read_passes(exported: Path, copy: Path, name: str) -> None:
    data = (exported / name).read_bytes()
    for at in range(0, len(data), len(data) // 25):
        (copy / name).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert reasons(copy), f"byte {at} of {name}"


Change = Callable[[Path], object]


@pytest.mark.parametrize(
    ("change", "index", "reason"),
    [
        (lambda folder: (folder / "tile/entries/000").unlink(), 0, "file-missing"),
        (lambda folder: (folder / "tile/0/001.p/28").unlink(), 256, "file-missing"),
        (lambda folder: (folder / "checkpoint").unlink(), None, "file-missing"),
        (lambda folder: (folder / "tile/entries/001.p/28").write_bytes(b"\0"), 256, "malformed"),
        (lambda folder: cut_line(folder / "disclosures.jsonl", 40), 43, "disclosure-missing"),
        (lambda folder: cut_line(folder / "records.jsonl", 20), 43, "records-altered"),
        (lambda folder: cut_line(folder / "records.jsonl", -1), 281, "records-altered"),
        (lambda folder: append(folder / "records.jsonl", b"{}\n"), None, "records-altered"),
        (lambda folder: append(folder / "disclosures.jsonl", b"[]\n"), None, "disclosure-malformed"),
    ],
)
def test_what_is_missing_or_too_much_is_named(copy: Path, change: Change, index: int | None, reason: str) -> None:
    change(copy)
    assert (index, reason) in reasons(copy)


def cut_line(path: Path, number: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[number]
    path.write_bytes(b"".join(lines))


def append(path: Path, line: bytes) -> None:
    path.write_bytes(path.read_bytes() + line)


def test_an_altered_entry_is_named(copy: Path) -> None:
    path = copy / "tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b'"verdict":"deny"', b'"verdict":"okay"', 1))
    assert reasons(copy) == {(7, "entry-altered")}


def test_kept_checkpoints(state: Path, exported: Path) -> None:
    origin = StateFolder(state).origin()
    signer = load_signer(state, origin)

    def note(size: int) -> bytes:
        return sign_checkpoint(Checkpoint(origin, size, b"r" * 32), signer).encode()

    assert reasons(exported, kept=(exported / "checkpoint").read_bytes()) == set()
    assert reasons(exported, kept=note(900)) == {(284, "behind-kept-checkpoint")}
    assert reasons(exported, kept=note(100)) == {(None, "fork-from-kept-checkpoint")}
    assert reasons(exported, kept=b"x") == {(None, "kept-checkpoint-invalid")}


def test_another_key_is_refused(exported: Path, copy: Path, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "other", 1))
    report = verify_folder_export(copy, key=load_vkey(tmp_path / "other" / "log.vkey"))
    assert report.exit_code == FAILED
    assert report.failures[0].reason == "signature-missing"


def fsck(folder: Path) -> str:
    """What tessera's fsck says. Its exit status is 0 even when the check fails."""
    path = shutil.which("go")
    root = (
        subprocess.run([path, "env", "GOPATH"], capture_output=True, text=True, check=False).stdout.strip()
        if path
        else ""
    )
    program = Path(root or Path.home() / "go") / "bin" / "fsck"
    if not program.exists():
        pytest.skip("tessera's fsck is not installed: go install github.com/transparency-dev/tessera/cmd/fsck@v1.0.4")
    command = [str(program), f"--storage_url=file://{folder}/", f"--public_key={folder / 'log.vkey'}", "--ui=false"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stderr


def test_fsck_of_tessera_agrees(exported: Path) -> None:
    assert "Successfully fsck'd log with size 284" in fsck(exported)


def test_fsck_of_tessera_sees_a_changed_byte(tmp_path: Path) -> None:
    """On a log of one tile: with more, fsck v1.0.4 finds the error and then never ends."""
    asyncio.run(fill(tmp_path / "state", 20))
    with Reader.open(tmp_path / "state") as reader:
        export(reader, tmp_path / "out")
    assert "Successfully fsck'd log with size 44" in fsck(tmp_path / "out")
    path = tmp_path / "out" / "tile/entries/000.p/44"
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(bytes(data))
    assert "Successfully" not in fsck(tmp_path / "out")
