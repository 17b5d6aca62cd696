"""Logs and metrics hold codes, counts and places in the code; never content, whoever logs."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from sidecar.proxy import logs
from sidecar.proxy.meter import MOST, Meter

SECRET = "anna@example.org"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    out = io.StringIO()
    logs.setup(out)
    yield out
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_are_json_with_their_fields(stream: io.StringIO):
    logs.event("exchange", {"id": "r-1", "state": "answered", "bytes": 12})
    line = lines(stream)[0]
    assert (line["event"], line["id"], line["bytes"], line["level"]) == ("exchange", "r-1", 12, "info")
    assert str(line["time"]).endswith("+00:00")


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


def test_the_words_of_others_are_not_written(stream: io.StringIO):
    for name in ("aiohttp.server", "asyncio", "presidio-analyzer", "sqlalchemy.engine", "sidecarx"):
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger(name).exception("Error handling request %s", SECRET, extra={"fields": {"body": SECRET}})
    told = lines(stream)
    assert len(told) == 5
    assert {line["event"] for line in told} == {"foreign"}
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
    meter.refused("x" * 65)
    meter.refused("naïve")
    text = meter.page().decode()
    assert text.count("sidecar_refusals_total{") <= MOST + 1
    assert 'sidecar_refusals_total{code="other"}' in text
    assert "naïve" not in text


def test_every_metric_of_an_exchange():
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
    ):
        assert line in text
    assert SECRET not in text
