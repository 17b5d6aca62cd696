"""Logs and metrics hold codes, counts and places in the code; never content, whoever logs."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import re
import select
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sidecar.drivers.upstream import UpstreamClient, UpstreamSettings
from sidecar.errors import UpstreamError
from sidecar.proxy import log_writer, logs
from sidecar.proxy.log_writer import Queued
from sidecar.proxy.meter import MOST, Meter
from tests.proxy.shell import logged

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"
SECRET = "anna@example.org"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    with logged() as out:
        yield out


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_are_json_with_their_fields(stream: io.StringIO):
    logs.event("exchange", {"id": "r-1", "state": "answered", "bytes": 12})
    line = lines(stream)[0]
    assert (line["event"], line["id"], line["bytes"], line["level"]) == ("exchange", "r-1", 12, "info")
    assert re.search(r":\d\d\.\d{3}\+00:00$", str(line["time"]))


def test_an_exception_is_told_by_type_and_place(stream: io.StringIO):
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        logs.failure("fault", error)
        logging.getLogger("sidecar.x").exception("our own words")
    told = lines(stream)
    assert [line["error"] for line in told] == ["ValueError", "ValueError"]
    assert all(str(line["error_at"]).startswith("test_logs.py:") for line in told)
    assert SECRET not in stream.getvalue()


def test_the_place_of_an_exception_is_the_last_of_ours():
    with pytest.raises(ValueError) as raised:
        UpstreamClient(UpstreamSettings(url="http://["))  # raised by the URL's parser
    assert logs.described(raised.value)["error_at"].startswith("upstream_door.py:")


def certificate_refused() -> OSError:
    error = ssl.SSLError(ssl.SSL_ERROR_SSL, SECRET)
    error.reason = "CERTIFICATE_VERIFY_FAILED"
    return error


def database_full() -> sqlite3.Error:
    error = sqlite3.OperationalError(SECRET)
    error.sqlite_errorname = "SQLITE_FULL"
    return error


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (OSError(errno.ENOSPC, SECRET, SECRET), "ENOSPC"),
        (certificate_refused(), "CERTIFICATE_VERIFY_FAILED"),
        (OSError(SECRET), None),
        (socket.gaierror(socket.EAI_NONAME, SECRET), None),
        (database_full(), "SQLITE_FULL"),
        (ValueError(SECRET), None),
    ],
)
def test_what_the_system_calls_an_error_is_told_and_its_text_is_not(
    stream: io.StringIO, error: Exception, name: str | None
):
    logs.failure("fault", error)
    line = lines(stream)[0]
    assert (line["error"], line.get("errno")) == (type(error).__name__, name)
    assert SECRET not in stream.getvalue()


def test_a_log_on_a_full_disk_raises_nothing(stream: io.StringIO):
    with Path("/dev/full").open("w") as full:
        handler = logs.setup(full)
    logs.event("exchange", {"id": "r-1"})
    logs.failure("fault", ValueError(SECRET))
    handler.close()
    assert 'sidecar_log_lines_dropped_total 2.0' in Meter().page().decode()
    logs.setup(stream)
    logs.event("afterwards")
    assert [line["event"] for line in lines(stream)] == ["afterwards"]


def test_a_log_that_nobody_reads_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch):
    """A pipe holds 64 KB; what waits behind it is bounded, and the rest is dropped and counted."""
    monkeypatch.setattr(log_writer, "MOST", 500)
    reading, writing = os.pipe()
    with logged(), open(writing, "w") as pipe:
        handler = logs.setup(pipe)
        start = time.perf_counter()
        for number in range(3000):
            logs.event("exchange", {"id": f"r-{number}", "padding": "x" * 200})
        assert time.perf_counter() - start < 1
        assert 3000 - 500 - 65536 // 200 - 500 < handler.dropped == logs.dropped() < 3000
        told = drained(reading)
        handler.close()
    assert handler.dropped + told.count(b"\n") == 3000


def drained(descriptor: int) -> bytes:
    """What comes until nothing has come for a while."""
    told = b""
    while select.select([descriptor], [], [], 0.5)[0]:
        told += os.read(descriptor, 65536)
    os.close(descriptor)
    return told


def test_a_log_without_stderr_takes_nothing():
    handler = Queued(None)
    handler.put("line")
    handler.close()
    assert handler.dropped == 1


def test_the_last_lines_are_written_at_the_end_of_the_process():
    code = "from sidecar.proxy import logs; logs.setup(); [logs.event('last', {'n': n}) for n in range(1000)]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [json.loads(line)["n"] for line in done.stderr.splitlines()] == list(range(1000))


def test_the_words_of_others_are_not_written(stream: io.StringIO):
    for name in ("aiohttp.server", "asyncio", "presidio-analyzer", "sqlalchemy.engine", "sidecarx"):
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger(name).exception("Error handling request %s", SECRET, extra={"fields": {"body": SECRET}})
    told = lines(stream)
    assert len(told) == 5
    assert {line["event"] for line in told} == {"foreign"}
    assert all(re.fullmatch(r"test_logs:\d+", str(line["at"])) for line in told)
    assert SECRET not in stream.getvalue()
    assert "Traceback" not in stream.getvalue()


def test_debug_of_others_is_off(stream: io.StringIO):
    logging.getLogger("asyncio").info(SECRET)
    logging.getLogger("aiohttp.client").debug(SECRET)
    assert stream.getvalue() == ""


def test_what_cannot_be_json_is_told_by_its_type(stream: io.StringIO):
    logs.event("odd", {"what": Exception(SECRET)})
    assert lines(stream)[0]["what"] == "Exception"


def test_labels_are_bounded():
    meter = Meter()
    for number in range(MOST + 50):
        meter.refused(f"CODE_{number}")
    meter.refused("CODE_0")
    text = meter.page().decode()
    assert text.count("sidecar_refusals_total{") == MOST + 1
    assert 'sidecar_refusals_total{code="other"} 50.0' in text
    assert 'sidecar_refusals_total{code="CODE_0"} 2.0' in text, "one that is known stays what it is"


@pytest.mark.parametrize("label", ["x" * 65, "naïve"])
def test_labels_are_short_and_ascii(label: str):
    meter = Meter()
    meter.refused(label)
    assert re.findall(r"^sidecar_refusals_total.*", meter.page().decode(), re.MULTILINE) == [
        'sidecar_refusals_total{code="other"} 1.0'
    ]


def test_types_that_callers_bring_hide_no_refusal():
    """There are 166 types of personal data and 57 codes; together they were too many."""
    meter = Meter()
    meter.found({f"TYPE_{number}": 1 for number in range(MOST + 1)})
    meter.refused("LEDGER_UNAVAILABLE")
    meter.passed("/health", 200)
    meter.bug(ValueError())
    text = meter.page().decode()
    for labels in ('refusals_total{code="LEDGER_UNAVAILABLE"}', 'route="/health"', 'faults_total{type="ValueError"}'):
        assert labels in text


def test_the_ledger_is_not_empty_before_the_first_call():
    assert "sidecar_ledger_size 17.0" in Meter(17).page().decode()


def test_every_metric_of_an_exchange(stream: io.StringIO):
    meter = Meter()
    meter.exchange(operation="chat", verdict="allow", state="answered", seconds=0.2)
    meter.stages([("parse", 0.001)])
    meter.found({"EMAIL_ADDRESS": 2})
    meter.restored(3)
    meter.committed(0.001, 17)
    meter.passed("/health", 200)
    meter.aborted()
    meter.protocol_error("PROTOCOL_ERROR")
    meter.bug(ValueError(SECRET))
    text = meter.page().decode()
    for line in (
        'sidecar_requests_total{operation="chat",state="answered",verdict="allow"} 1.0',
        'sidecar_findings_total{entity="EMAIL_ADDRESS",side="request"} 2.0',
        "sidecar_restored_total 3.0",
        "sidecar_ledger_size 17.0",
        'sidecar_passed_total{route="/health",status="200"} 1.0',
        "sidecar_aborts_total 1.0",
        'sidecar_faults_total{type="ValueError"} 1.0',
        'sidecar_protocol_errors_total{code="PROTOCOL_ERROR"} 1.0',
    ):
        assert line in text
    [fault] = lines(stream)
    assert (fault["event"], fault["error"]) == ("fault", "ValueError")
    assert SECRET not in text + stream.getvalue()


@pytest.mark.parametrize(("cause", "why"), [(None, {}), (OSError(errno.EPIPE, SECRET), {"errno": "EPIPE"})])
def test_a_call_that_merely_passed_is_told_where_it_failed(
    stream: io.StringIO, cause: Exception | None, why: dict[str, str]
):
    fault = UpstreamError("UPSTREAM_UNREACHABLE", "Look.", status=502)
    fault.__cause__ = cause
    Meter().passed("/health", 502, fault)
    [line] = lines(stream)
    told = {"event": "passed", "route": "/health", "status": 502, "code": "UPSTREAM_UNREACHABLE", **why}
    assert told.items() <= line.items() and ("error" in line) is (cause is not None)
    assert SECRET not in stream.getvalue()


def test_what_others_say_a_thousand_times_is_written_once_a_second(stream: io.StringIO):
    """asyncio logs each of 1,024 refused accepts when no more files can be opened: 160 KB a second."""
    seldom = logs.Seldom()

    def said(at: float, name: str = "asyncio", line: int = 1) -> bool:
        record = logging.LogRecord(name, logging.ERROR, "base_events.py", line, "x", (), None)
        record.created = at
        return bool(seldom.filter(record))

    assert [said(at) for at in (100.0, 100.0, 100.9, 101.0, 101.5, 50.0)] == [True, False, False, True, False, True]
    assert said(50.0, line=2), "another place"
    assert all(said(50.0, "sidecar.store") for _ in range(3)), "our own lines are all written"
    for _ in range(1024):
        logging.getLogger("asyncio").error("socket.accept() out of system resource")
    assert len(lines(stream)) < 9


def test_the_metrics_page_is_read_by_prometheus_and_has_what_the_docs_list() -> None:
    """In the docs a name without `gauge:` or `histogram:` is a counter."""
    page = Meter().page().decode()
    read = {one.name: one.type for one in text_string_to_metric_families(page) if not one.name.endswith("_created")}
    rows = re.findall(r"^\| `(sidecar_\w+)` \|.*\| (?:(gauge|histogram): )?", OPERATIONS.read_text(), re.MULTILINE)
    told = {name: kind or "counter" for name, kind in rows}
    audits = "sidecar_policy_audits"  # only with policy.audit_url
    assert {**read, audits: "counter"} == told
