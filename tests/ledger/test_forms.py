"""Exports outlive versions: what a form of records.jsonl said stays verifiable, whatever `view` says by then."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.drivers.keys import load_vkey
from sidecar.drivers.store_export import verify_folder_export
from sidecar.ledger import record
from sidecar.ledger.record import VIEW, VIEWS, view
from sidecar.ledger.report import VERIFIED, Report

EXPORTS = sorted((Path(__file__).parent / "exports").iterdir())
"""formN: written by the version that brought form N (answered, refused, a judged reply, one left open). Never written
anew: where one fails, `view` changed and VIEW did not."""


def verified(folder: Path) -> Report:
    return verify_folder_export(folder, key=load_vkey(folder / "log.vkey"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXPORTS[-1], tmp_path / "copy"))


def rewrite(folder: Path, change: Callable[[dict[str, Any], int], None]) -> None:
    lines = [orjson.loads(line) for line in (folder / "records.jsonl").read_bytes().splitlines()]
    for number, line in enumerate(lines):
        change(line, number)
    text = [orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n" for line in lines]
    (folder / "records.jsonl").write_bytes(b"".join(text))


@pytest.mark.parametrize("folder", EXPORTS, ids=lambda folder: folder.name)
def test_an_export_of_any_version_verifies(folder: Path) -> None:
    report = verified(folder)
    assert report.exit_code == VERIFIED, report.as_text()


def test_there_is_an_export_of_every_form() -> None:
    assert {folder.name for folder in EXPORTS} == {f"form{version}" for version in VIEWS}
    assert max(VIEWS) == VIEW


def test_a_later_form_leaves_earlier_exports_verifiable(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def later(entry: record.Record) -> dict[str, Any]:
        return {**view(entry), "schema_version": VIEW + 1, "more": "said"}

    monkeypatch.setattr(record, "VIEW", VIEW + 1)
    monkeypatch.setitem(VIEWS, VIEW + 1, later)  # type: ignore[misc]
    monkeypatch.setattr(record, "view", later)
    assert verified(copy).exit_code == VERIFIED
    rewrite(copy, lambda line, _: line.update(schema_version=VIEW + 1, more="said"))
    assert verified(copy).exit_code == VERIFIED
    rewrite(copy, lambda line, number: line.update(more="unsaid") if number == 2 else None)
    assert [failure.reason for failure in verified(copy).failures] == ["records-altered"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda line, _: line.update(schema_version=99), "records-unknown"),
        (lambda line, _: line.update(schema_version=0), "records-unknown"),
        (lambda line, _: line.update(schema_version=True), "records-altered"),
        (lambda line, _: line.pop("schema_version"), "records-altered"),
        (lambda line, number: line.update(schema_version=99) if number else None, "records-altered"),
        (lambda line, number: line.update(schema_version="99") if not number else None, "records-altered"),
    ],
)
def test_a_form_that_nobody_knows_hides_nothing(copy: Path, change: Any, reason: str) -> None:
    rewrite(copy, change)
    assert [failure.reason for failure in verified(copy).failures] == [reason]


def test_records_that_are_empty_are_altered(copy: Path) -> None:
    (copy / "records.jsonl").write_bytes(b"")
    assert [failure.reason for failure in verified(copy).failures] == ["records-altered"]
