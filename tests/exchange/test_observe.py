"""What an exchange that went wrong says to metrics and to the log: what was so, also where the ledger took nothing."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sidecar.drivers import bundle
from sidecar.drivers.inspector_pool import WorkerFailed
from sidecar.drivers.rego_engine import RegoEngine
from sidecar.drivers.store import Ledger
from sidecar.errors import OwnError, SidecarError, UpstreamError
from sidecar.exchange import Exchange
from sidecar.ledger.facts import State
from sidecar.plan import UNREAD
from sidecar.proxy.meter import Meter
from sidecar.rego import Limits
from sidecar.testing import FakeClock, arrival
from sidecar.wiring.observe import observe, stepped
from tests.drivers import opa_process
from tests.exchange.kit import DENIED, DIALECT, HOUSE, SECRET, Stage, question
from tests.proxy.shell import logged

NO_LEDGER = cast(Ledger, SimpleNamespace(size=0))
UNAVAILABLE = OwnError("LEDGER_UNAVAILABLE", "The disk is full.")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    with logged() as out:
        yield out


def seen(done: Exchange, stream: io.StringIO) -> tuple[dict[str, Any], str]:
    """The one line of the log, and the metrics page."""
    meter = Meter()
    observe(done, meter, NO_LEDGER)
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert SECRET not in stream.getvalue()
    return line, meter.page().decode()


async def test_a_call_of_which_nothing_could_be_recorded(stream: io.StringIO) -> None:
    stage = Stage(open=UNAVAILABLE)
    line, page = seen(await stage.run(question(SECRET)), stream)
    assert stage.answer.record is None
    assert (line["state"], line["code"], line["status"]) == ("refused", "LEDGER_UNAVAILABLE", 503)
    assert (line["recorded"], line["answer_bytes"], line["operation"]) == ("nothing", None, "chat")
    assert 'sidecar_refusals_total{code="LEDGER_UNAVAILABLE"} 1.0' in page
    assert 'sidecar_requests_total{operation="chat",state="refused",verdict="allow"} 1.0' in page


async def test_a_call_whose_end_could_not_be_recorded(stream: io.StringIO) -> None:
    stage = Stage(close_answered=UNAVAILABLE)
    line, page = seen(await stage.run(question(SECRET)), stream)
    assert stage.answer.record == line["id"] == stage.record.intents[0].id
    assert (line["state"], line["code"], line["status"]) == ("open", "LEDGER_UNAVAILABLE", 503)
    assert (line["recorded"], line["answer_bytes"]) == ("intent", None)
    assert 'sidecar_refusals_total{code="LEDGER_UNAVAILABLE"} 1.0' in page
    assert 'state="answered"' not in page


@pytest.mark.parametrize(
    ("fail", "record", "state", "code"),
    [
        ({}, True, "refused", "ROUTE_UNKNOWN"),
        ({"close_refused": UNAVAILABLE}, True, "open", "LEDGER_UNAVAILABLE"),
        ({"open": UNAVAILABLE}, False, "refused", "LEDGER_UNAVAILABLE"),
    ],
)
async def test_a_call_that_the_shell_refuses(
    stream: io.StringIO, fail: dict[str, Any], record: bool, state: str, code: str
) -> None:
    stage, error = Stage(**fail), SidecarError("ROUTE_UNKNOWN", "-", status=404)
    refused = Exchange(arrival(b""), UNREAD, stage.answer, stage.ports, HOUSE)
    await refused.refuse(error)
    line, page = seen(refused, stream)
    assert (stage.answer.record is not None) is record
    assert (line["state"], line["code"]) == (state, code)
    assert f'sidecar_refusals_total{{code="{code}"}} 1.0' in page
    assert stage.record.outcomes == [] or stage.record.outcomes[0].status == 404


async def test_what_metrics_and_log_say_of_an_answered_call(stream: io.StringIO) -> None:
    """A stage lasts from the end of the one before it."""
    done = await Stage().run(question(f"I am {SECRET}"))
    laps = {"parse_us": 10_000, "judge_us": 60_000, "total_us": 100_000}
    counts = {"reply_findings": {"PERSON": 2}, "restored": {"URL": 3}}
    done.outcome = done.outcome_of(State.ANSWERED)._replace(timings_us=laps, **counts)
    line, page = seen(done, stream)
    assert (line["duration_us"], line["state"], line["code"]) == (100_000, "answered", None)
    sums = {text for text in page.splitlines() if "_seconds_sum" in text}
    assert {text for text in sums if not text.endswith(" 0.0")} == {
        "sidecar_exchange_seconds_sum 0.1",
        'sidecar_stage_seconds_sum{stage="parse"} 0.01',
        'sidecar_stage_seconds_sum{stage="judge"} 0.05',
    }
    assert 'sidecar_findings_total{entity="EMAIL_ADDRESS",side="request"} 1.0' in page
    assert 'sidecar_findings_total{entity="PERSON",side="reply"} 2.0' in page
    assert "sidecar_restored_total 3.0" in page


async def test_a_caller_who_leaves_while_the_ledger_fails(stream: io.StringIO) -> None:
    stage = Stage(send=asyncio.CancelledError(), close_aborted=UNAVAILABLE)
    done = Exchange(arrival(question("hi")), DIALECT, stage.answer, stage.ports, HOUSE)
    with pytest.raises(asyncio.CancelledError):
        await done.run()
    line, _ = seen(done, stream)
    assert (line["state"], line["code"], line["recorded"]) == ("open", "LEDGER_UNAVAILABLE", "intent")


def wrapped(error: SidecarError, cause: Exception) -> SidecarError:
    """As drivers raise theirs: the cause is not told."""
    try:
        try:
            raise cause
        except type(cause):
            raise error from None
    except SidecarError as raised:
        return raised


FAULTS = [
    ("inspect", RuntimeError(SECRET), "INSPECTOR_ERROR", "RuntimeError"),
    ("inspect", wrapped(OwnError("INSPECTOR_ERROR", "-"), KeyError(SECRET)), "INSPECTOR_ERROR", "KeyError"),
    ("decide_request", TimeoutError(SECRET), "PDP_TIMEOUT", "TimeoutError"),
    ("send", wrapped(UpstreamError("UPSTREAM_UNREACHABLE", "-"), OSError(SECRET)), "UPSTREAM_UNREACHABLE", "OSError"),
    ("send", RuntimeError(SECRET), "INTERNAL", "RuntimeError"),
    ("decide_response", KeyError(SECRET), None, "KeyError"),
]


@pytest.mark.parametrize(("step", "fault", "code", "error"), FAULTS)
async def test_the_log_says_what_was_behind_a_code(
    stream: io.StringIO, step: str, fault: Exception, code: str | None, error: str
) -> None:
    line, _ = seen(await Stage(**{step: fault}).run(question(SECRET)), stream)
    assert (line["code"], line["error"]) == (code, error)
    assert line["error_at"].rpartition(":")[0] in ("testing.py", "test_observe.py")


async def test_the_log_says_what_a_worker_says_was_raised(stream: io.StringIO) -> None:
    failed = wrapped(OwnError("INSPECTOR_ERROR", "-"), WorkerFailed("ZeroDivisionError"))
    line, _ = seen(await Stage(inspect=failed).run(question(SECRET)), stream)
    assert (line["code"], line["error"], line["raised"]) == ("INSPECTOR_ERROR", "WorkerFailed", "ZeroDivisionError")


CONFLICT = """package governor.decide

decision := "chat"

decision := input.model.requested
"""
BUILTIN = """package governor.decide

decision := to_number(input.model.requested)
"""
LONG = """package governor.decide

decision := [x | some x in numbers.range(1, 40000); some y in numbers.range(1, 40000); x == -y]
"""
FAILING = [
    (CONFLICT, 1.0, "PDP_ERROR", "policy.rego:5:1", "complete rules must not produce multiple outputs"),
    (BUILTIN, 1.0, "PDP_ERROR", "policy.rego:3:", "operand 1 must be a valid number string"),
    (LONG, 1.0, "PDP_LIMIT", "policy.rego:3:", "too many evaluation steps"),
    (LONG, -1.0, "PDP_TIMEOUT", "policy.rego:3:", "deadline passed"),
]


@pytest.mark.parametrize(("source", "seconds", "code", "at", "said"), FAILING)
async def test_the_log_says_where_policy_failed(
    stream: io.StringIO, source: str, seconds: float, code: str, at: str, said: str
) -> None:
    stage, built = Stage(), bundle.parse(opa_process.build(source))
    stage.ports = replace(stage.ports, decide=RegoEngine(built, FakeClock(), Limits(deadline_s=seconds)))
    line, _ = seen(await stage.run(question(SECRET)), stream)
    assert (line["code"], line["error"], line["policy_error"]) == (code, "EvaluationFault", said)
    assert line["policy_at"].startswith(at)


def test_what_a_worker_says_is_a_types_name_or_nothing() -> None:
    for told in (None, 7, SECRET, "two words", "x" * 65):
        assert WorkerFailed(told).raised is None


async def test_a_caller_who_leaves_during_a_refusal(stream: io.StringIO) -> None:
    stage, error = Stage(open=asyncio.CancelledError()), SidecarError("ROUTE_UNKNOWN", "-", status=404)
    refused = Exchange(arrival(b""), UNREAD, stage.answer, stage.ports, HOUSE)
    with pytest.raises(asyncio.CancelledError):
        await refused.refuse(error)
    line, _ = seen(refused, stream)
    assert (line["state"], line["code"], line["status"]) == ("aborted", "ABORTED", 499)


async def test_a_refusal_of_policy_and_a_bad_call_are_no_trouble(stream: io.StringIO) -> None:
    line, _ = seen(await Stage(answers={"request": DENIED}).run(question("hi")), stream)
    assert "error" not in line and "recorded" not in line
    stream.truncate(stream.seek(0))
    line, _ = seen(await Stage().run(b"{"), stream)
    assert line["status"] == 400 and "error" not in line


def test_a_step_of_the_clock_is_one_line(stream: io.StringIO) -> None:
    stepped(-7200.0004)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["by_s"]) == ("clock stepped", "warning", -7200.0)
