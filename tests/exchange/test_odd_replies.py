"""Replies that are seldom seen: errors of the model server, too long to keep, coded and cut off, with late words."""

from __future__ import annotations

import asyncio
import gc
import gzip
import weakref
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sidecar.errors import UpstreamError
from sidecar.ledger.facts import State
from sidecar.ledger.fields import outcome_fields
from sidecar.model import RedactMode
from sidecar.plan import Surrogates
from sidecar.testing import ScriptedReply
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

JSON = (("Content-Type", "application/json"),)
GZIP = ("Content-Encoding", "gzip")
PROBLEM = b'{"error":{"message":"no such model","type":"invalid_request_error","code":null}}'


@pytest.mark.parametrize("body", [PROBLEM, b'{"title":"no"}', b"{}"])
@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_an_error_that_passes_is_a_failure_in_the_record(status: int, body: bytes) -> None:
    stage = Stage(lambda _: ScriptedReply(status=status, chunks=[body]))

    await stage.run(question("hi"))

    assert (stage.answer.status, stage.answer.body, stage.answer.error) == (status, body, None)
    [outcome] = stage.record.outcomes
    assert (outcome.state, outcome.status, outcome.error) == (State.FAILED, status, "UPSTREAM_STATUS")
    assert outcome.released == "whole"
    assert (outcome.reply_not_inspected, outcome.decision) == ("UPSTREAM_STATUS", None)


async def test_a_stream_that_broke_was_answered_with_the_status_it_began_with() -> None:
    half = events("hello there")[:400]
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=[half, UpstreamError("UPSTREAM_TIMEOUT", "-", status=504)])
    )

    await stage.run(question("hi", stream=True))

    [outcome] = stage.record.outcomes
    assert (stage.answer.status, outcome.status, outcome.error) == (200, 200, "UPSTREAM_TIMEOUT")


async def test_an_error_that_breaks_while_it_is_told_is_the_fault_that_it_is() -> None:
    """Its head has left: what is recorded is why its end never came."""
    half = events("hello there")[:400]
    broken = UpstreamError("UPSTREAM_DISCONNECTED", "-")
    stage = Stage(lambda _: ScriptedReply(status=503, headers=SSE, chunks=[half, broken]))

    await stage.run(question("hi", stream=True))

    [outcome] = stage.record.outcomes
    assert stage.answer.error is broken
    assert (outcome.status, outcome.error, outcome.released) == (503, "UPSTREAM_DISCONNECTED", "part")


async def test_one_that_broke_before_its_first_byte_was_answered_with_the_faults_status() -> None:
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[UpstreamError("UPSTREAM_TIMEOUT", "-", status=504)]))

    await stage.run(question("hi", stream=True))

    [outcome] = stage.record.outcomes
    assert (outcome.status, outcome.error, outcome.released) == (504, "UPSTREAM_TIMEOUT", "none")


async def test_one_who_is_cut_off_by_us_is_not_said_to_have_left() -> None:
    stage = Stage(send=asyncio.CancelledError())
    stage.ports = replace(stage.ports, aborted_by=lambda: "drain")

    with pytest.raises(asyncio.CancelledError):
        await stage.run(question("hi"))

    [outcome] = stage.record.outcomes
    assert (outcome.state, outcome.aborted_by) == (State.ABORTED, "drain")


async def test_an_exchange_leaves_no_circle_behind() -> None:
    """The collector runs seldom (wiring/serving.py): what waits for it holds the caller's values."""
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=[events("hello there")]))
    gc.collect()
    gc.disable()
    try:
        done = await stage.run(question(f"I am {SECRET}", stream=True))
        kept = weakref.ref(done)
        del done
        assert kept() is None
    finally:
        gc.enable()


async def test_what_could_not_be_judged_afterwards_was_not_withheld() -> None:
    """Policy failed on a reply that had left: the record says so, and calls nobody refused."""
    stage = Stage(decide_response=KeyError("boom"))

    await stage.run(question("hi"))

    [outcome] = stage.record.outcomes
    assert (outcome.state, outcome.released, stage.answer.error) == (State.ANSWERED, "whole", None)
    assert outcome.decision is not None
    assert (outcome.decision.codes, outcome.decision.enforced) == (("PDP_ERROR",), False)
    assert outcome.rationale_codes == ()


async def test_a_reply_that_policy_denies_when_it_has_left_was_not_withheld() -> None:
    stage = Stage(answers={"response": DENIED})

    await stage.run(question("hi"))

    [outcome] = stage.record.outcomes
    assert (outcome.state, outcome.released, stage.answer.error) == (State.ANSWERED, "whole", None)
    assert outcome.decision is not None
    assert (outcome.decision.codes, outcome.decision.enforced) == (("REPLY_FORBIDDEN",), False)
    assert outcome.rationale_codes == ()
    assert outcome_fields(outcome).fields["decision"]["enforced"] is False


async def test_a_call_that_could_not_be_rewritten_is_a_deny_in_the_record() -> None:
    """Policy allowed it, but asks for hashes that nobody has a key for."""
    duty = {"type": "redact", "id": "h", "params": {"entities": ["EMAIL_ADDRESS"], "mode": "hash"}}
    stage = Stage(answers={"request": {**obliged(), "obligations": [duty]}})

    await stage.run(question(f"I am {SECRET}"))

    assert stage.forward.sent == []
    assert stage.answer.error is not None and stage.answer.error.code == "OBLIGATION_UNSUPPORTED"
    [intent] = stage.record.intents
    assert (str(intent.decision.verdict), intent.decision.codes) == ("deny", ("OBLIGATION_UNSUPPORTED",))
    assert stage.record.outcomes[0].state is State.REFUSED


@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
async def test_of_a_reply_too_long_to_be_kept_the_record_says_so(stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stream its beginning is inspected. What is kept is bounded."""
    monkeypatch.setattr("sidecar.relay.KEPT_LIMIT", 40)
    text = "bob@corp.internal " + "and so on " * 30 + "al@corp.internal"
    chunks: list[Any] = [events(text)] if stream else [completion(text)]
    stage = Stage(lambda _: ScriptedReply(headers=SSE if stream else JSON, chunks=chunks))

    await stage.run(question("hi", stream=stream))

    [outcome] = stage.record.outcomes
    assert outcome.state is State.ANSWERED
    assert outcome.reply_not_inspected == "REPLY_TOO_LARGE"
    assert outcome.reply_findings == ({"EMAIL_ADDRESS": 1} if stream else {})
    assert outcome_fields(outcome).fields["not_inspected"] == "REPLY_TOO_LARGE"


LATE = [
    b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"!"}}]}\n\n',
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
    b": still here\n\n",
]


@pytest.mark.parametrize("release", [None, WHOLE, WINDOWED], ids=["pass", "whole", "windows"])
@pytest.mark.parametrize("text", ["hi", f"I am {SECRET}"], ids=["nothing found", "a value"])
@pytest.mark.parametrize("late", LATE, ids=["a word", "usage", "comment"])
async def test_what_comes_behind_the_end_waits_with_it(late: bytes, text: str, release: dict[str, Any] | None) -> None:
    """Guarantee 1, and events leave in the order in which they came."""
    whole = events("hello there").replace(b"data: [DONE]", late + b"data: [DONE]")
    chunks: list[Any] = [event + b"\n\n" for event in whole.split(b"\n\n")[:-1]]
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=chunks),
        answers={"request": obliged(*([release] if release else []))},
    )
    left: list[bytes] = []
    close = stage.record.close

    async def closing(outcome: Any) -> None:
        left.append(stage.answer.body)
        await close(outcome)

    stage.record.close = closing  # type: ignore[method-assign]

    await stage.run(question(text, stream=True))

    assert stage.answer.body == whole
    [before] = left
    assert whole.startswith(before) and b'"stop"' not in before


def legacy(name: str) -> bytes:
    call = {"name": name, "arguments": '{"to": "<EMAIL_ADDRESS_1>"}'}
    message = {"role": "assistant", "content": None, "function_call": call}
    return orjson.dumps({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "function_call"}]})


def custom(name: str) -> bytes:
    calls = [{"id": "c1", "type": "custom", "custom": {"name": name, "input": "to <EMAIL_ADDRESS_1>"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return orjson.dumps({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})


def answering(arguments: Any) -> Any:
    """Tool calls as Workers AI and Ollama's own API have them, if a server hands them on."""

    def reply(name: str) -> bytes:
        calls = [{"id": "c1", "function": {"arguments": arguments, "name": name}}]
        choice = {"index": 0, "message": {"content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}
        return orjson.dumps({"id": "c", "choices": [choice]})

    return reply


OBJECTS = [
    {"to": "<EMAIL_ADDRESS_1>"}, ["<EMAIL_ADDRESS_1>"], {"<EMAIL_ADDRESS_1>": 1},
    {"Ann Lee <x>": {"to": "<EMAIL_ADDRESS_1>"}}, {"deep" * 9: {"deep" * 99: {"name": "<EMAIL_ADDRESS_1>"}}},
]  # fmt: skip


@pytest.mark.parametrize("reply", [legacy, custom, *map(answering, OBJECTS)])
@pytest.mark.parametrize(("name", "comes_back"), [("send", True), ("browse", False)])
async def test_only_listed_tools_get_values_back_in_whatever_form(reply: Any, name: str, comes_back: bool) -> None:
    stage = Stage(lambda _: ScriptedReply(chunks=[reply(name)]))
    house = replace(HOUSE, surrogates=Surrogates(tools=frozenset({"send"})))

    await stage.run(question(f"Write to {SECRET}."), house)

    assert (SECRET.encode() in stage.answer.body) is comes_back
    assert (b"<EMAIL_ADDRESS_1>" in stage.answer.body) is not comes_back
    [outcome] = stage.record.outcomes
    told = outcome.restored if comes_back else outcome.withheld
    assert told == {"EMAIL_ADDRESS": 1}


@pytest.mark.parametrize("named", [{"name": "send"}, {"a": {"name": "send"}}])
async def test_arguments_do_not_say_which_tool_they_are_for(named: dict[str, Any]) -> None:
    reply = answering({**named, "to": "<EMAIL_ADDRESS_1>"})("browse")
    stage = Stage(lambda _: ScriptedReply(chunks=[reply]))
    await stage.run(question(f"Write to {SECRET}."), replace(HOUSE, surrogates=Surrogates(tools=frozenset({"send"}))))
    assert stage.answer.body == reply


@pytest.mark.parametrize("release", [None, WHOLE, WINDOWED], ids=["pass", "whole", "windows"])
async def test_a_value_that_is_a_key_of_the_reply_is_found_and_masked(release: dict[str, Any] | None) -> None:
    reply = answering({"bob@corp.internal": ["x"]})("send")
    stage = Stage(
        lambda _: ScriptedReply(chunks=[reply]),
        answers={"request": obliged(*([release] if release else [])), "response": MASK, "response_window": MASK},
    )
    await stage.run(question("hi"))
    assert stage.record.outcomes[0].reply_findings == {"EMAIL_ADDRESS": 1}
    masked = reply.replace(b"bob@corp.internal", b"<EMAIL_ADDRESS>")
    assert stage.answer.body == (masked if release else reply)


def chunk(**call: Any) -> bytes:
    delta = {"tool_calls": [{"index": 0, **call}]}
    return b"data: %b\n\n" % orjson.dumps({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


@pytest.mark.parametrize(("name", "comes_back"), [("send", True), ("browse", False)])
async def test_a_tool_that_is_named_in_an_event_of_its_own(name: str, comes_back: bool) -> None:
    """vLLM and others say which tool it is first, and nothing else with it."""
    pieces = ['{"to": "<EMAIL', "_ADDRESS", '_1>"}']
    said_first = [chunk(id="c1", type="function", function={"name": name})]
    end = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n'
    chunks: list[Any] = [*said_first, *(chunk(function={"arguments": piece}) for piece in pieces), end]
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=chunks))
    house = replace(HOUSE, surrogates=Surrogates(tools=frozenset({"send"})))

    await stage.run(question(f"Write to {SECRET}.", stream=True), house)

    lines = [orjson.loads(line[6:]) for line in stage.answer.body.split(b"\n\n") if line.startswith(b"data: {")]
    calls = [call for line in lines for choice in line["choices"] for call in choice["delta"].get("tool_calls", ())]
    arguments = "".join(call["function"].get("arguments", "") for call in calls)
    assert arguments == f'{{"to": "{SECRET if comes_back else "<EMAIL_ADDRESS_1>"}"}}'


@pytest.mark.parametrize("text", ["hi", f"I am {SECRET}"], ids=["nothing found", "a value"])
@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
@pytest.mark.parametrize("release", [None, WHOLE, WINDOWED], ids=["pass", "whole", "windows"])
async def test_a_coded_reply_that_is_cut_off_or_has_more_behind_its_end_is_damaged(
    text: str, stream: bool, release: dict[str, Any] | None
) -> None:
    whole = gzip.compress(events("hello there") if stream else completion("hello there"), mtime=0)
    for damaged in (whole[:-4], whole + b"more"):
        stage = Stage(
            lambda _, damaged=damaged: ScriptedReply(headers=(*(SSE if stream else JSON), GZIP), chunks=[damaged]),
            answers={"request": obliged(*([release] if release else []))},
        )

        await stage.run(question(text, stream=stream))

        assert stage.answer.error is not None and stage.answer.error.code == "UPSTREAM_INVALID"
        assert stage.record.outcomes[0].state is State.FAILED
        assert b"[DONE]" not in stage.answer.body and b'"stop"' not in stage.answer.body


async def test_a_coding_that_nobody_asked_for_is_the_upstreams_fault() -> None:
    headers = (*JSON, ("Content-Encoding", "br"))
    stage = Stage(lambda _: ScriptedReply(headers=headers, chunks=[completion("hi")]))

    await stage.run(question("hi"))

    assert stage.answer.error is not None and stage.answer.error.code == "UPSTREAM_INVALID"
    assert stage.answer.body == b""


@pytest.mark.parametrize("release", [WHOLE, WINDOWED], ids=["whole", "windows"])
@pytest.mark.parametrize(("mode", "left"), [(RedactMode.DROP, ""), (RedactMode.HASH, "<EMAIL_ADDRESS>")])
async def test_what_policy_wants_dropped_of_a_reply_is_gone(
    release: dict[str, Any], mode: RedactMode, left: str
) -> None:
    duty = {"type": "redact", "id": "d", "params": {"entities": ["EMAIL_ADDRESS"], "mode": str(mode)}}
    judged = obliged(duty)
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=[events("Ask bob@corp.internal, " + "and so on " * 9)]),
        answers={"request": obliged(release), "response": judged, "response_window": judged},
    )

    await stage.run(question("hi", stream=True))

    assert said(stage.answer.body) == f"Ask {left}, " + "and so on " * 9


async def test_the_stated_rationale_of_a_reply_that_passed_is_masked_in_the_record() -> None:
    message = {
        "role": "assistant",
        "content": "ok",
        "reasoning_content": "bob@corp.internal asks, so al@corp.internal too",
    }
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    stage = Stage(lambda _: ScriptedReply(chunks=[orjson.dumps({"id": "c", "choices": choices})]))

    await stage.run(question("hi"))

    [outcome] = stage.record.outcomes
    assert outcome.rationale == "<EMAIL_ADDRESS> asks, so <EMAIL_ADDRESS> too"


@pytest.mark.parametrize("shift", range(24))
async def test_each_finding_counts_once_wherever_a_window_ends(shift: int) -> None:
    """Also right behind the value: it has left then, and is judged again with what follows."""
    text = "z" * shift + " bob@corp.internal" + " and so on." * 3
    deltas = [{"choices": [{"index": 0, "delta": {"content": sign}, "finish_reason": None}]} for sign in text]
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    chunks: list[Any] = [*(b"data: %b\n\n" % orjson.dumps(delta) for delta in deltas), end]
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=chunks), answers={"request": obliged(WINDOWED)})

    await stage.run(question("hi", stream=True))

    counts = [entity["count"] for entity in stage.decide.documents[-1]["response"]["entities"]]
    assert (counts, stage.record.outcomes[0].reply_findings) == ([1], {"EMAIL_ADDRESS": 1})


@pytest.mark.parametrize("release", [WHOLE, WINDOWED], ids=["whole", "windows"])
async def test_what_was_found_in_a_reply_that_was_withheld_is_counted(release: dict[str, Any]) -> None:
    stage = Stage(
        lambda _: ScriptedReply(headers=SSE, chunks=[events("Ask bob@corp.internal, " + "and so on " * 9)]),
        answers={"request": obliged(release), "response": DENIED, "response_window": DENIED},
    )

    await stage.run(question("hi", stream=True))

    [outcome] = stage.record.outcomes
    assert (outcome.state, outcome.reply_findings) == (State.REFUSED, {"EMAIL_ADDRESS": 1})


class Halting(ScriptedReply):
    """A reply of which each chunk takes a moment."""

    async def read(self) -> bytes:
        await asyncio.sleep(0.01)
        return await super().read()


async def test_what_comes_a_moment_behind_the_end_is_taken_so_that_the_connection_lives_on() -> None:
    reply = Halting(headers=SSE, chunks=[events("hi"), b": that was it\n\n"])
    stage = Stage(lambda _: reply)
    await stage.run(question("hi", stream=True))
    assert b"data: [DONE]" in stage.answer.body
    assert reply.chunks == []


async def test_what_drips_behind_the_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time counts from the end on, not from each of its pieces."""
    monkeypatch.setattr("sidecar.ending.LATE", 0.05)
    reply = Halting(headers=SSE, chunks=[events("hi"), *[b": more\n\n"] * 300])
    stage = Stage(lambda _: reply)
    await stage.run(question("hi", stream=True))
    assert stage.record.outcomes[0].state is State.ANSWERED
    assert reply.chunks != []


class Hanging(ScriptedReply):
    """A reply whose connection stays when all of it is said."""

    async def read(self) -> bytes:
        return await super().read() or await asyncio.sleep(60, b"")


@pytest.mark.parametrize(
    "reply",
    [
        ScriptedReply(headers=SSE, chunks=[events("hi"), UpstreamError("UPSTREAM_DISCONNECTED", "-")]),
        Hanging(headers=SSE, chunks=[events("hi")]),
    ],
    ids=["breaks", "stays"],
)
async def test_a_connection_is_of_no_account_once_the_stream_has_said_its_end(
    reply: ScriptedReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.ending.LATE", 0.05)
    stage = Stage(lambda _: reply)
    await stage.run(question("hi", stream=True))
    assert b"data: [DONE]" in stage.answer.body and stage.answer.error is None
    assert stage.record.outcomes[0].state is State.ANSWERED


async def test_what_looks_like_a_surrogates_beginning_behind_the_end_waits_with_it() -> None:
    """It is held to see whether it becomes one, and given out at the very end, in an event of its own."""
    late = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"<EMAIL_ADD"}}]}\n\n'
    whole = events("hello there").replace(b"data: [DONE]", late + b"data: [DONE]")
    chunks: list[Any] = [event + b"\n\n" for event in whole.split(b"\n\n")[:-1]]
    stage = Stage(lambda _: ScriptedReply(headers=SSE, chunks=chunks))

    await stage.run(question(f"I am {SECRET}", stream=True))

    assert said(stage.answer.body) == "hello there<EMAIL_ADD"
    assert stage.answer.body.endswith(b"data: [DONE]\n\n")
    assert stage.answer.body.index(b'"stop"') < stage.answer.body.index(b"<EMAIL_ADD")
    assert stage.steps.index("close answered") == len(stage.steps) - 3
    assert stage.steps[-2:] == ["write", "end"]
