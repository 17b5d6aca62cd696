"""What an officer asks, and what he is shown."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sidecar.console import known
from sidecar.console.query import not_covered, pages, query, tail
from sidecar.console.render import csv_text, json_lines, printable, table, timestamp
from sidecar.console.show import show_json, show_json_text, show_text
from sidecar.drivers.store_export import export
from sidecar.drivers.store_query import Filters
from sidecar.drivers.store_reader import Reader
from sidecar.errors import OwnError
from sidecar.inspection.catalogue import NAMES, SPECIAL, UNSUPPORTED, Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.national import ROWS
from sidecar.inspection.presidio_rules import STARTS
from sidecar.ledger.facts import State
from sidecar.model import Caller, Deny, Obligation, ReplyFacts, Verdict
from tests.ledger.factory import ALLOW, DENY, DIGEST, START, exchange_id, fill, make_intent, make_outcome, start

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
SHOWN_TEXT = Path(__file__).with_name("shown.txt")
LINE, SHOWN = (
    Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    for name in ("record", "shown-record")
)
KINDS_OF_RECORDS: list[tuple[int, Any]] = [*((number, None) for number in range(14)), (2, lambda *_: ["rule"])]
HOSTILE = "gpt\x1b[31m\u202e=cmd"


async def write(folder: Path) -> None:
    """Ten ordinary exchanges, then five that differ, each in one thing."""
    await fill(folder, 10)
    other = Caller(tenant="globex", app="hr", user=None, auth="proxy_header")
    late_deny = replace(DENY, denies=(Deny("REPLY_BLOCKED", {}),))
    async with await start(folder) as ledger:
        await ledger.open(make_intent(10, caller=other, findings={"IBAN_CODE": 3}))
        await ledger.close(make_outcome(10, decision=late_deny, state=State.REFUSED, reply_findings={"IBAN_CODE": 2}))
        review = Obligation(type="human_review", id="claims.review", params={"queue": "claims"})
        named = Obligation(type="annotate", id="claims.note", params={"set": {"type": "human_review"}})
        await ledger.open(make_intent(11, prompt_version="sha256:00ff", prompt_source="system_digest"))
        low = replace(make_outcome().reply, confidence_ppm=250_000, model_served="gpt-4o-mini")
        await ledger.close(make_outcome(11, reply=low, decision=replace(ALLOW, obligations=(review,))))
        await ledger.open(make_intent(12, model_requested=HOSTILE, decision=replace(ALLOW, obligations=(named,))))
        await ledger.close(
            make_outcome(12, state=State.FAILED, error="UPSTREAM_TIMEOUT", reply=ReplyFacts(), status=504)
        )
        await ledger.open(make_intent(13, decision=replace(ALLOW, obligations=(*ALLOW.obligations, review))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("console") / "state"
    asyncio.run(write(path))
    return path


@pytest.fixture
def reader(folder: Path) -> Iterator[Reader]:
    with Reader.open(folder) as opened:
        yield opened


def numbers(reader: Reader, **filters: Any) -> list[int]:
    return [int(row.id[4:], 16) for row in query(reader, Filters(**filters)).rows]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ({"limit": 2}, [13, 12]),
        ({"since": START + 9000, "until": START + 11_000}, [10, 9]),
        ({"caller": "globex"}, [10]),
        ({"caller": "globex/hr"}, [10]),
        ({"caller": "acme/hr"}, []),
        ({"caller": "u-4711", "limit": 1}, [13]),
        ({"caller": "acme/claims-desk/u-4711", "limit": 1}, [13]),
        ({"subject": "subject-17", "limit": 1}, [13]),
        ({"conversation": "none"}, []),
        ({"model": "gpt-4o-mini"}, [11]),
        ({"model": "gpt-4o*", "limit": 3}, [13, 11, 10]),
        ({"model": "gpt_4o*"}, []),
        ({"prompt": "claims-triage", "limit": 1}, [13]),
        ({"prompt_version": "sha256:00ff"}, [11]),
        ({"prompt_version": "3.2.0", "limit": 2}, [13, 12]),
        ({"verdict": "deny"}, [10, 8, 5, 2]),
        ({"verdict": "allow", "limit": 3}, [13, 12, 11]),
        ({"code": "MODEL_NOT_ALLOWED"}, [8, 5, 2]),
        ({"code": "REPLY_BLOCKED"}, [10]),
        ({"code": "UPSTREAM_TIMEOUT"}, [12]),
        ({"code": "MODEL"}, []),
        ({"entity": "IBAN_CODE"}, [10]),
        ({"confidence_max_ppm": 500_000}, [11]),
        ({"confidence_min_ppm": 500_000, "limit": 1}, [10]),
        ({"obligation": "human_review"}, [13, 11]),
        ({"obligation": "human_review", "state": "answered"}, [11]),
        ({"obligation": "redact", "limit": 2}, [13, 11]),
        ({"obligation": "annotate"}, [12]),
        ({"obligation": "human%"}, []),
        ({"obligation": '"'}, []),
        ({"state": "open"}, [13]),
        ({"state": "failed"}, [12]),
        ({"ids": [exchange_id(3)]}, [3]),
        ({"verdict": "deny", "entity": "PERSON", "caller": "acme"}, [8, 5, 2]),
    ],
)
def test_filters(reader: Reader, filters: dict[str, Any], expected: list[int]) -> None:
    assert numbers(reader, **filters) == expected


def test_a_page_counts_all_that_matches(reader: Reader) -> None:
    page = query(reader, Filters(limit=3))
    assert (page.total, page.verdicts, len(page.rows)) == (14, {"allow": 10, "deny": 4}, 3)
    assert page.states == {"answered": 8, "refused": 4, "failed": 1, "open": 1}
    more = query(reader, Filters(limit=3, before=page.rows[-1].number))
    assert [row.id for row in more.rows] == [exchange_id(number) for number in (10, 9, 8)]
    assert more.total == 14


@pytest.mark.parametrize("size", [1, 4, 7, 14, 1000])
def test_pages_hold_what_a_query_finds(reader: Reader, size: int) -> None:
    whole = query(reader, Filters(limit=None))
    for limit, count in ((None, 14), (5, 5), (14, 14), (50, 14)):
        found = list(pages(reader, Filters(limit=limit), size))
        assert [row.id for page in found for row in page.rows] == [row.id for row in whole.rows[:count]]
        assert {page.total for page in found} == {14} and max(len(page.rows) for page in found) <= size
    assert [(page.rows, page.total) for page in pages(reader, Filters(caller="nobody"), size)] == [((), 0)]


def test_every_type_that_can_be_found_may_be_asked_for_and_no_other() -> None:
    """Presidio has recognisers of countries that no rule here stands for: KR_RRN is as unknown as a misspelt type."""
    countries = {*ROWS, *(start.country for starts in STARTS.values() for start in starts)}
    found = Engine(Settings(countries=tuple(countries))).entities | {*NAMES, *SPECIAL}
    assert known.entities() == found | {*UNSUPPORTED}


def test_a_row_says_what_an_officer_reads_first(reader: Reader) -> None:
    row = query(reader, Filters(caller="globex")).rows[0]
    assert (row.caller, row.verdict, row.codes, row.state) == ("globex/hr", "deny", ("REPLY_BLOCKED",), "refused")
    assert (row.findings, row.confidence, row.confidence_source) == ({"IBAN_CODE": 5}, 0.912, "logprobs-mean-v1")
    row = query(reader, Filters(state="open")).rows[0]
    assert (row.confidence, row.confidence_source, row.model_served) == (None, "unavailable", None)


def test_without_the_data_key_people_cannot_be_found_and_the_rest_can(folder: Path) -> None:
    with Reader.open(folder, disclosures=False) as reader:
        assert query(reader, Filters(verdict="deny")).rows[0].caller == "(sealed)"
        for filters in (Filters(caller="acme"), Filters(subject="x"), Filters(conversation="y"), Filters(caller="")):
            with pytest.raises(OwnError, match="QUERY_NEEDS_DATA_KEY"):
                query(reader, filters)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"model": HOSTILE}, []),
        ({"confidence_max_ppm": 1, "confidence_min_ppm": 1}, ["5 of 14 exchanges have no confidence"]),
        ({"confidence_min_ppm": 0}, ["5 of 14 exchanges have no confidence"]),
        ({"prompt": "x", "subject": "x", "verdict": "deny"}, []),
    ],
)
def test_what_a_list_cannot_hold_is_said(reader: Reader, filters: dict[str, Any], said: list[str]) -> None:
    missing = not_covered(reader, Filters(**filters))
    assert len(missing) == len(said) and all(line.startswith(begun) for line, begun in zip(missing, said, strict=True))


def test_tail_goes_on_where_it_was(reader: Reader) -> None:
    first = tail(reader, 0, Filters())
    assert [row.id for row in first.rows] == [exchange_id(number) for number in range(14)]
    assert first.next == reader.size()
    assert tail(reader, first.next, Filters()).rows == ()
    assert [row.id for row in tail(reader, first.next - 2, Filters()).rows] == [exchange_id(13)]
    assert [row.id for row in tail(reader, 0, Filters(verdict="deny", limit=1)).rows][-1] == exchange_id(10)


def test_the_table_has_totals_and_nothing_that_moves_a_cursor(reader: Reader) -> None:
    text = table(query(reader, Filters()))
    assert text.splitlines()[0].split() == [
        *("time", "id", "caller", "model", "served", "prompt", "verdict", "codes", "obligations", "confidence"),
        *("findings", "state"),
    ]
    assert "14 exchanges (allow:10, deny:4, answered:8, failed:1, open:1, refused:4)" in text
    assert "by code: MODEL_NOT_ALLOWED:3, REPLY_BLOCKED:1, UPSTREAM_TIMEOUT:1\n" in text
    assert "2026-09-21T14:13:20.010Z" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_a_narrow_terminal_has_no_line_that_it_would_break(reader: Reader) -> None:
    page = query(reader, Filters())
    text = table(page, 80)
    assert all(len(line) <= 80 for line in text.splitlines())
    for row in page.rows:
        assert f"{row.id}  {row.verdict}  {row.state}\n" in text
    words = " ".join(text.split())
    assert "caller globex/hr model gpt-4o-2024-08-06" in words and "codes REPLY_BLOCKED" in words
    assert table(page, 1000) == table(page)


def test_wide_letters_keep_the_columns(reader: Reader) -> None:
    page = query(reader, Filters(limit=2))
    wide = replace(page, rows=(replace(page.rows[0], caller="日本支社/採用"), page.rows[1]))
    first, second = table(wide).splitlines()[1:3]
    assert first.index("gpt") + len("日本支社採用") == second.index("gpt")


def test_json_lines_and_csv_say_the_same(reader: Reader) -> None:
    rows = query(reader, Filters()).rows
    lines = [json.loads(line) for line in json_lines(rows)]
    sheet = list(csv.DictReader(io.StringIO(csv_text(rows))))
    assert [line["id"] for line in lines] == [line["id"] for line in sheet] == [row.id for row in rows]
    assert (lines[3]["codes"], sheet[3]["codes"]) == (["REPLY_BLOCKED"], "REPLY_BLOCKED")
    assert (lines[0]["obligations"], sheet[0]["obligations"]) == (["human_review", "redact"], "human_review redact")
    assert (lines[2]["confidence"], sheet[2]["confidence"]) == (0.25, "0.250")
    assert lines[1]["model_requested"] == HOSTILE  # JSON escapes what the table must replace
    assert sheet[1]["model_requested"] == printable(HOSTILE)


def test_a_list_that_goes_on_has_one_header(reader: Reader) -> None:
    rows = query(reader, Filters()).rows
    assert csv_text(rows[:3]) + csv_text(rows[3:], header=False) == csv_text(rows)


def test_no_cell_begins_a_formula(reader: Reader) -> None:
    row = replace(query(reader, Filters(limit=1)).rows[0], model_requested="=1+1", prompt_version="@x")
    cells = next(csv.reader(io.StringIO(csv_text([row]).splitlines(keepends=True)[1])))
    assert "'=1+1" in cells and "'@x" in cells


def test_show_says_what_was_not_inspected_and_where_numbers_come_from(reader: Reader) -> None:
    asked: list[tuple[bytes, str]] = []

    def explain(document: bytes, bundle: str) -> list[str]:
        asked.append((document, bundle))
        return ["governor.models.deny MODEL_NOT_ALLOWED"]

    text = show_text(reader, exchange_id(2), explain)
    for words in (
        "messages[1].content[0].image_url (image)",
        "DATE_TIME",
        "MODEL_NOT_ALLOWED",
        "governor.models.deny",
        "claims-desk",
        "subject-17 (app-asserted)",
        "unavailable",
        "entry 7",
        "root ",
        "temperature: 0.7",
    ):
        assert words in text, words
    assert asked[0][1] == DIGEST and b'"contract":"1"' in asked[0][0]


def test_a_whole_record_as_people_read_it(reader: Reader) -> None:
    """Digests and the log's number are left out here."""
    text = show_text(reader, exchange_id(10), lambda *_: ["governor.reply.deny REPLY_BLOCKED"])
    assert re.sub(r"[0-9a-f]{64}|(?<=/audit/)[0-9a-f]+", "...", text) == SHOWN_TEXT.read_text()


def test_show_without_an_explainer_claims_no_rules(reader: Reader) -> None:
    assert "(unavailable)" in show_text(reader, exchange_id(2))
    assert show_json(reader, exchange_id(2))["policy"]["rules_fired"] is None


def test_show_of_an_open_a_hostile_and_an_unknown_exchange(reader: Reader) -> None:
    assert "no outcome is recorded yet" in show_text(reader, exchange_id(13))
    hostile = show_text(reader, exchange_id(12))
    assert all(line.isprintable() for line in hostile.splitlines()) and "UPSTREAM_TIMEOUT" in hostile
    with pytest.raises(OwnError, match="RECORD_UNKNOWN"):
        show_text(reader, "nobody")


def test_the_json_has_the_names_of_the_data_model(reader: Reader) -> None:
    record = json.loads(show_json_text(reader, exchange_id(10)))
    assert record["policy"]["result"] == "allow" and record["reply_policy"]["codes"] == ["REPLY_BLOCKED"]
    assert {
        "record_id",
        "log_id",
        "ts_start",
        "caller",
        "model",
        "prompt",
        "pii",
        "redaction",
        "policy",
        "confidence",
    } <= set(record)
    assert record["seq"]["outcome"] == record["seq"]["intent"] + 1
    assert record["checkpoint"]["size"] == reader.size()


def test_what_programs_read_of_a_record_is_as_its_schema_says(reader: Reader, folder: Path, tmp_path: Path) -> None:
    shown = [json.loads(show_json_text(reader, exchange_id(number), explain)) for number, explain in KINDS_OF_RECORDS]
    with Reader.open(folder, disclosures=False) as sealed:
        shown.append(json.loads(show_json_text(sealed, exchange_id(10))))
    assert [list(SHOWN.iter_errors(record)) for record in shown] == [[]] * len(shown)
    assert {record["state"] for record in shown} == {"answered", "refused", "failed", "open"}
    export(reader, tmp_path / "export")
    lines = (tmp_path / "export" / "records.jsonl").read_bytes().splitlines()
    assert [list(LINE.iter_errors(json.loads(line))) for line in lines] == [[]] * 14
    assert not LINE.is_valid(shown[0]) and not SHOWN.is_valid(json.loads(lines[0]))


def test_an_erased_record_says_so(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with closing(sqlite3.connect(copy / "ledger.sqlite", isolation_level=None)) as connection:
        connection.execute("DELETE FROM datakey")
        connection.execute("DELETE FROM box")
    with Reader.open(copy) as reader:
        assert query(reader, Filters(limit=1)).rows[0].caller == "(erased)"
        assert "(erased)" in show_text(reader, exchange_id(0))
        SHOWN.validate(json.loads(show_json_text(reader, exchange_id(0))))


def test_times() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp(1_790_000_000_123_999) == "2026-09-21T14:13:20.123Z"


def test_the_auditors_side_loads_nothing_of_the_callers_side() -> None:
    code = (
        "import sys, sidecar.console.show, sidecar.console.render, sidecar.drivers.store_export\n"
        "bad = [m for m in sys.modules if m.startswith(('sidecar.exchange', 'sidecar.redaction', 'sidecar.dialects',"
        " 'sidecar.proxy', 'sidecar.relay', 'aiohttp'))]\n"
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_verification_loads_no_orm() -> None:
    code = (
        "import sys, sidecar.drivers.store_reader, sidecar.drivers.store_export\n"
        "sys.exit(', '.join(m for m in ('sqlmodel', 'sqlalchemy', 'pydantic', 'asyncio') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_verdicts_are_those_of_the_model() -> None:
    assert {verdict.value for verdict in Verdict} == {"allow", "deny"}
