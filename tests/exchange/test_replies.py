"""Replies as servers really write them: what events say in full, what is said twice, what goes on after the end."""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sidecar.ledger.facts import State
from sidecar.model import Caller, Inspection, Outbound, Part
from sidecar.plan import Surrogates
from sidecar.testing import FakeInspect, ScriptedReply, Transcript, split
from tests.exchange.kit import HOUSE, SECRET, SSE, Stage, completion, question


class Seeing(FakeInspect):
    """Remembers what it was given."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__(transcript)
        self.seen: list[Sequence[Part]] = []

    async def inspect(self, parts: Sequence[Part], caller: Caller | None = None) -> Inspection:
        self.seen.append(parts)
        return await super().inspect(parts, caller)


HIDDEN = "<EMAIL_ADDRESS_1>"


def event(delta: dict[str, Any], ended: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": ended, **more.pop("choice", {})}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "model": "m-1", "choices": [choice], **more}
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def tool(name: str | None, arguments: str) -> dict[str, Any]:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}


END = event({}, "stop") + b"data: [DONE]\n\n"


async def played(*chunks: bytes, house: Any = HOUSE, answers: Any = None) -> Stage:
    def reply(_: Outbound) -> ScriptedReply:
        return ScriptedReply(headers=SSE, chunks=list(chunks))

    stage = Stage(reply, answers)
    stage.inspect = Seeing(stage.transcript)
    stage.ports = replace(stage.ports, inspect=stage.inspect)
    await stage.run(question(f"Write to {SECRET}.", stream=True), house)
    return stage


def seen(stage: Stage) -> Sequence[Part]:
    """What was inspected last: the reply."""
    assert isinstance(stage.inspect, Seeing)
    return stage.inspect.seen[-1]


def deltas(body: bytes) -> list[dict[str, Any]]:
    datas = [each.removeprefix(b"data: ") for each in body.split(b"\n\n") if each.startswith(b"data: {")]
    return [orjson.loads(data)["choices"][0]["delta"] for data in datas]


@pytest.mark.parametrize("name", ["get_EMAIL", "EMAIL_ADDRESS", "send_E", "lookup_EMAIL_"])
async def test_a_tool_has_its_whole_name_in_its_first_event(name: str) -> None:
    """Some SDKs take a call's name from its first event and refuse one without. It was held, for it may have become a
    surrogate's, and came at the end."""
    stage = await played(
        event(tool(name, "")), event(tool(None, '{"to": "<EMAIL_')), event(tool(None, 'ADDRESS_1>"}')), END
    )
    calls = [each["tool_calls"][0]["function"] for each in deltas(stage.answer.body) if each]
    assert [call.get("name") for call in calls] == [name, None, None]
    assert orjson.loads("".join(call["arguments"] for call in calls)) == {"to": SECRET}


async def test_a_thoughts_signature_is_whole_in_the_event_that_brings_it() -> None:
    """Gemini's: clients give it back as it came in its one event; its end was held, for it may have become a name."""
    call = tool("mail", "{}")
    call["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "CpQB+E"}}
    stage = await played(event(call), event({"content": "ok"}), END)
    calls = [each["tool_calls"][0] for each in deltas(stage.answer.body) if "tool_calls" in each]
    assert [each["extra_content"]["google"] for each in calls] == [{"thought_signature": "CpQB+E"}]


def detail(index: int, text: str) -> bytes:
    return event({"reasoning_details": [{"type": "reasoning.text", "index": index, "format": "v1", "text": text}]})


async def test_a_held_tail_says_which_item_it_goes_on_with() -> None:
    """OpenRouter's `reasoning_details`: the end of one was given out with the next, or by an event that said neither
    index nor type; the openai SDK's `chat.completions.stream()` raises RuntimeError on it."""
    stage = await played(detail(0, "ask <EMAIL_ADD"), detail(1, "RESS_1> or <EMAIL_ADDR"), detail(0, "RESS_1> & "), END)
    texts = {0: "", 1: ""}
    for item in (each["reasoning_details"][0] for each in deltas(stage.answer.body) if each):
        assert item["type"] == "reasoning.text"
        texts[item["index"]] += item["text"]
    assert texts == {0: f"ask {SECRET} & ", 1: "RESS_1> or <EMAIL_ADDR"}


async def test_a_held_tail_of_a_content_part_is_one_again() -> None:
    """Mistral's models think in parts within parts; its SDK tells them by their type."""
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "is 1 <"}]}
    stage = await played(event({"content": [part]}), event({"content": "ok"}), END)
    first, _, held, _ = deltas(stage.answer.body)
    assert [each["content"][0]["type"] for each in (first, held)] == ["thinking", "thinking"]
    assert [each["content"][0]["thinking"] for each in (first, held)] == [
        [{"type": "text", "text": "is 1 "}], [{"type": "text", "text": "<"}],
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["reasoning_details", "thinking_blocks"])
async def test_a_signature_is_whole_in_the_event_that_brings_it(place: str) -> None:
    """Claude's by OpenRouter and LiteLLM: given back in two pieces, the next call is refused."""
    signed = {place: [{"type": "thinking", "index": 0, "signature": "CpQB+E"}]}
    stage = await played(event(signed), event({"content": "ok"}), END)
    assert deltas(stage.answer.body)[0] == signed


@pytest.mark.parametrize("problem", [{"error": {"message": "out of memory"}}, {"object": "error", "message": "no"}])
@pytest.mark.parametrize("blank_line", [b"\n\n", b""])
async def test_what_is_held_leaves_before_the_server_gives_up(problem: dict[str, Any], blank_line: bytes) -> None:
    """It came behind the error, which an SDK raises; without its blank line the two became one event."""
    last = b"data: " + orjson.dumps(problem) + blank_line
    stage = await played(event({"content": "x <EMAIL_"}), last)
    first, held, told = stage.answer.body.removesuffix(b"\n\n").split(b"\n\n")
    assert [each["content"] for each in deltas(first + b"\n\n" + held)] == ["x ", "<EMAIL_"]
    for each in (first, held):
        head = orjson.loads(each.removeprefix(b"data: "))
        assert (head["id"], head["object"], head["model"]) == ("c1", "chat.completion.chunk", "m-1")
    assert told == last.removesuffix(b"\n\n")
    assert stage.steps.index("close failed") < len(stage.steps) - stage.steps[::-1].index("write") - 1


NAMED = [
    b'event: error\ndata: {"message": "no %b"}\n\n',
    b'event:error\ndata: {"message": "no %b"}\n\ndata: [DONE]\n\n',
    b'id: 7\r\ndata: {"message": "no %b"}\r\nevent: error\r\n\r\n',
    b'event: message\revent: error\rdata: {"detail": [{"msg": "no %b"}]}\r\r',
    b'event: error\ndata: {"message": "no %b"}',
]


@pytest.mark.parametrize("problem", NAMED)
async def test_an_event_named_error_is_one_whatever_it_says(problem: bytes) -> None:
    """It counted as a chunk like any other: with [DONE] behind it the reply was whole, and the record said so."""
    begun = event({"content": "x <EMAIL_"})
    for pieces in split(begun + problem % HIDDEN.encode()):
        stage = await played(*pieces)
        outcome = stage.record.outcomes[0]
        assert (outcome.state, outcome.error, stage.answer.error) == (State.FAILED, "UPSTREAM_STATUS", None)
        assert (outcome.reply.upstream_error, outcome.reply.complete) == (True, False)
        assert stage.answer.body.endswith(problem % SECRET.encode())
        assert [each["content"] for each in deltas(stage.answer.body[: -len(problem % SECRET.encode())])] == [
            "x ", "<EMAIL_",
        ]  # fmt: skip
        assert stage.steps.index("close failed") < len(stage.steps) - stage.steps[::-1].index("write") - 1


@pytest.mark.parametrize("name", [b"errors", b"message", b"thread.error"])
async def test_an_event_of_another_name_is_no_error(name: bytes) -> None:
    stage = await played(b"event: error\nevent: " + name + b"\n" + event({"content": "an error"}) + END)
    assert stage.record.outcomes[0].state is State.ANSWERED


async def test_an_error_that_is_told_as_no_json_is_a_failure_too() -> None:
    for pieces in split(event({"content": "x"}) + b"event: error\ndata: out of memory\n\n"):
        stage = await played(*pieces)
        outcome = stage.record.outcomes[0]
        assert (outcome.state, outcome.error) == (State.FAILED, "UPSTREAM_INVALID")


GIVEN_UP = {"index": 0, "finish_reason": "error", "error": {"code": 502, "message": f"no {HIDDEN}"}}
FINISHED = {"index": 1, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}


@pytest.mark.parametrize(("choices", "state"), [
    ([GIVEN_UP], State.FAILED), ([GIVEN_UP, GIVEN_UP | {"index": 1}], State.FAILED),
    ([GIVEN_UP, FINISHED], State.ANSWERED),
])  # fmt: skip
async def test_a_reply_whose_choices_all_ended_with_an_error_has_failed(choices: list[Any], state: State) -> None:
    """OpenRouter: the provider behind it broke, and only the choice says so."""
    body = orjson.dumps({"id": "c1", "model": "m-1", "choices": choices})
    for headers, raw in ((), body), (SSE, b"data: %b\n\ndata: [DONE]\n\n" % body.replace(b"message\":{", b"delta\":{")):
        headers = headers or (("Content-Type", "application/json"),)
        for pieces in split(raw, rounds=1):
            stage = Stage(lambda _, headers=headers, pieces=pieces: ScriptedReply(headers=headers, chunks=pieces))
            await stage.run(question(f"Write to {SECRET}."))
            outcome = stage.record.outcomes[0]
            assert (outcome.state, outcome.reply.complete) == (state, state is State.ANSWERED)
            assert stage.answer.body == raw.replace(HIDDEN.encode(), SECRET.encode())


async def test_of_several_choices_too_an_error_waits_for_the_record() -> None:
    def reply(_: Outbound) -> ScriptedReply:
        return ScriptedReply(headers=SSE, chunks=[event({"content": "a"}), b'data: {"error": {"message": "no"}}\n\n'])

    stage = Stage(reply)
    await stage.run(question(f"Write to {SECRET}.", stream=True, n=2))
    assert [step for step in stage.steps if step in ("write", "close failed")] == ["write", "close failed", "write"]
    assert stage.answer.body.endswith(b'data: {"error": {"message": "no"}}\n\n')


async def test_a_tool_that_is_named_once_keeps_its_values_where_its_name_is_empty_from_then_on() -> None:
    listed = replace(HOUSE, surrogates=Surrogates(tools=frozenset({"mail"})))
    others = replace(HOUSE, surrogates=Surrogates(tools=frozenset({"search"})))
    chunks = event(tool("mail", "")), event(tool("", f'{{"to": "{HIDDEN}"}}')), END
    stage = await played(*chunks, house=listed)
    assert SECRET.encode() in stage.answer.body
    assert stage.record.outcomes[0].withheld == {}
    stage = await played(*chunks, house=others)
    assert SECRET.encode() not in stage.answer.body


@pytest.mark.parametrize("names", [("search", "mail"), ("mail", "search")])
async def test_calls_of_one_number_in_one_event_are_told_apart_by_their_ids(names: tuple[str, str]) -> None:
    """Ollama numbers them all 0: the arguments of each got values by the name of the last."""
    listed = replace(HOUSE, surrogates=Surrogates(tools=frozenset({"mail"})))
    calls = [tool(name, f'{{"to": "{HIDDEN}"}}')["tool_calls"][0] | {"id": f"call_{name}"} for name in names]
    stage = await played(event({"tool_calls": calls}), END, house=listed)
    functions = [call["function"] for call in deltas(stage.answer.body)[0]["tool_calls"]]
    assert {each["name"]: orjson.loads(each["arguments"])["to"] for each in functions} == {
        "mail": SECRET, "search": HIDDEN,
    }  # fmt: skip
    pieces = [{"index": 0, "id": "a", "function": {"name": "mail", "arguments": '{"to": "<EMAIL_'}}]
    pieces.append({"index": 0, "function": {"arguments": 'ADDRESS_1>"}'}})
    stage = await played(event({"tool_calls": pieces}), END, house=listed)
    said = "".join(call["function"]["arguments"] for call in deltas(stage.answer.body)[0]["tool_calls"])
    assert orjson.loads(said) == {"to": SECRET}


async def test_what_each_event_repeats_is_inspected_once() -> None:
    """Azure's filter results stand beside every token, Perplexity's citations, OpenRouter's provider: a thousand tokens
    made a text of a thousand times as much, which the end of the reply waited for."""
    cited = ["https://a.example/x", "https://b.example/y"]
    more: dict[str, Any] = {"provider": "Some Host", "citations": cited}
    more["choice"] = {"content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}
    stage = await played(*[event({"content": f"word{at} "}, **more) for at in range(50)], END)
    texts = {part.place.label: part.text for part in seen(stage)}
    assert texts.pop("reply[0].content") == "".join(f"word{at} " for at in range(50))
    assert sorted(texts.values()) == ["Some Host", "https://a.example/x", "https://b.example/y", "safe"]


async def test_what_changes_from_event_to_event_is_inspected_each_time() -> None:
    results = [event({"content": "a"}, choice={"stop_reason": each}) for each in ("one ", "one ", "two ", "one ")]
    stage = await played(*results, END)
    assert [part.text for part in seen(stage)] == ["aaaa", "one two one "]


@pytest.mark.parametrize("judged", [False, True])
async def test_a_message_that_grows_beside_its_deltas_is_restored_in_both(judged: bool) -> None:
    """Perplexity's chunks have a `delta`, and a `message` of all that was said so far: they were refused."""
    redact = {"type": "redact", "id": "all", "params": {"entities": ["*"], "mode": "surrogate"}}
    allow = {"contract": "1", "allow": True, "denies": [], "obligations": [redact, *[JUDGED] * judged]}
    pieces = ["Write to <EMAIL_", "ADDRESS_1>", " today."]
    said = ["".join(pieces[: at + 1]) for at in range(3)]
    messages: list[Any] = [{"message": {"role": "assistant", "content": each}} for each in said]
    chunks = [event({"content": piece}, choice=message) for piece, message in zip(pieces, messages, strict=True)]
    stage = await played(*chunks, event({"content": ""}, "stop", choice=messages[-1]), END, answers={"request": allow})
    assert "".join(each.get("content", "") for each in deltas(stage.answer.body)) == f"Write to {SECRET} today."
    data = [each.removeprefix(b"data: ") for each in stage.answer.body.split(b"\n\n") if each.startswith(b"data: {")]
    choices = [choice for each in data for choice in orjson.loads(each)["choices"]]
    shown = [choice["message"]["content"] for choice in choices if "message" in choice]
    assert shown[-1] == f"Write to {SECRET} today."
    if not judged:
        assert {part.text for part in seen(stage)} == {said[-1]}


PICTURE = {"type": "image_url", "index": 0, "image_url": {"url": "data:image/png;base64," + "QUJD" * 100}}
SPOKEN = {"id": "audio_1", "data": "QUJD" * 100}


@pytest.mark.parametrize("judged", [False, True])
@pytest.mark.parametrize("said", [{"images": [PICTURE]}, {"audio": SPOKEN}], ids=["image", "audio"])
async def test_what_nobody_here_can_read_is_no_text_and_the_record_says_so(said: dict[str, Any], judged: bool) -> None:
    """OpenRouter's and Gemini's images. A picture was searched for seconds, and number plates were found in it."""
    redact = {"type": "redact", "id": "all", "params": {"entities": ["*"], "mode": "surrogate"}}
    allow = {"contract": "1", "allow": True, "denies": [], "obligations": [redact, *[JUDGED] * judged]}
    stage = await played(event({"content": f"for {HIDDEN}", **said}), END, answers={"request": allow})
    assert [part.text for part in seen(stage)] == [f"for {HIDDEN}"]
    assert deltas(stage.answer.body)[0] == {"content": f"for {SECRET}", **said}
    assert stage.record.outcomes[0].reply_not_inspected == "UNINSPECTABLE_CONTENT"


@pytest.mark.parametrize("url", [f"data:,{HIDDEN}", f"data:text/plain;base64,{HIDDEN}"])
async def test_what_only_looks_like_media_is_text(url: str) -> None:
    stage = await played(event({"images": [{"image_url": {"url": url}}]}), END)
    assert SECRET.encode() in stage.answer.body
    assert stage.record.outcomes[0].reply_not_inspected is None


JUDGED = {"type": "release", "id": "r", "params": {"mode": "whole"}}


@pytest.mark.parametrize("judged", [False, True])
async def test_reasoning_in_two_fields_is_recorded_once(judged: bool) -> None:
    """vLLM writes both while clients move from one to the other."""
    redact = {"type": "redact", "id": "all", "params": {"entities": ["*"], "mode": "surrogate"}}
    allow = {"contract": "1", "allow": True, "denies": [], "obligations": [redact, *[JUDGED] * judged]}
    both = [{"reasoning": text, "reasoning_content": text} for text in ("First, ", "then.")]
    stage = await played(*map(event, both), event({"content": "ok"}), END, answers={"request": allow})
    assert stage.record.outcomes[0].rationale == "First, then."


@pytest.mark.parametrize("data", [b": and on, and on\n\n" * 1000, event({}) * 100])
async def test_a_stream_that_goes_on_after_its_end_is_cut_off(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it waits for the outcome: without a bound it would fill the memory."""
    monkeypatch.setattr("sidecar.relay.LATE_LIMIT", 1_000_000)
    rest = [data] * (2_000_000 // len(data))
    stage = await played(event({"content": "Hi"}), event({}, "stop"), *rest, b"data: [DONE]\n\n")
    outcome = stage.record.outcomes[0]
    assert (outcome.state, outcome.error, outcome.released) == (State.FAILED, "GATE_OVERFLOW", "part")
    assert stage.answer.body == event({"content": "Hi"})
    stage = await played(event({"content": "Hi"}), event({}, "stop"), *rest[: len(rest) // 4], b"data: [DONE]\n\n")
    assert stage.record.outcomes[0].state is State.ANSWERED


async def test_a_comment_that_speaks_of_an_error_is_none() -> None:
    stage = await played(event({"content": "Hi"}, "stop"), b': "error"\ndata: [DONE]\n\n')
    assert stage.record.outcomes[0].state is State.ANSWERED
    assert stage.answer.error is None


CODED = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))


def coded(body: bytes, size: int = 500) -> list[bytes | BaseException]:
    packed = gzip.compress(body, mtime=0)
    return [packed[at : at + size] for at in range(0, len(packed), size)]


@pytest.mark.parametrize(("body", "status", "error"), [
    (completion(random.Random(1).randbytes(4000).hex()), 200, None),
    (completion(random.Random(2).randbytes(4000).hex())[:-3], 200, "UPSTREAM_INVALID"),
    (b"<html>" + random.Random(3).randbytes(4000).hex().encode(), 429, "UPSTREAM_STATUS"),
])  # fmt: skip
async def test_a_coded_body_of_many_chunks_waits_whole(body: bytes, status: int, error: str | None) -> None:
    """Like one without a coding: what cannot be read is answered with its error, not with half of it."""
    stage = Stage(lambda _: ScriptedReply(status=status, headers=CODED, chunks=coded(body)))
    await stage.run(question("hi"))
    assert stage.record.outcomes[0].error == error
    if error:
        assert (stage.answer.status, stage.answer.body) == (None, b"")
        assert stage.answer.error is not None and stage.answer.error.status == (status if status >= 400 else 502)
    else:
        assert stage.answer.body == gzip.compress(body, mtime=0)
        assert stage.steps.index("close answered") < stage.steps.index("write")


async def test_a_coded_stream_leaves_event_by_event_however_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has left counts no more: a stream may be longer than what may wait."""
    packer = zlib.compressobj(wbits=31)
    said = [packer.compress(event({"content": f"{at}"})) + packer.flush(zlib.Z_SYNC_FLUSH) for at in range(4)]
    said.append(packer.compress(END) + packer.flush())
    monkeypatch.setattr("sidecar.wire.LATE_LIMIT", max(map(len, said)))
    chunks: list[bytes | BaseException] = [bytes([byte]) for each in said for byte in each]
    stage = Stage(lambda _: ScriptedReply(headers=(*SSE, CODED[1]), chunks=chunks))
    await stage.run(question("hi", stream=True))
    assert stage.answer.body == b"".join(said)
    assert stage.steps[: stage.steps.index("close answered")].count("write") == 4


async def test_a_coding_that_stands_for_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.wire.LATE_LIMIT", 10_000)
    packer = zlib.compressobj(wbits=31)
    empty: list[bytes | BaseException] = [packer.flush(zlib.Z_SYNC_FLUSH) + b"\0\0\0\xff\xff" * 200 for _ in range(50)]
    stage = Stage(lambda _: ScriptedReply(headers=CODED, chunks=empty))
    await stage.run(question("hi"))
    assert stage.record.outcomes[0].error == "GATE_OVERFLOW"
    assert stage.record.outcomes[0].reply_bytes < 12_000


class Turns:
    """Counts the turns of the running loop."""

    def __init__(self) -> None:
        self.taken = 0
        self._next = asyncio.get_running_loop().call_soon(self.take)

    def take(self) -> None:
        self.taken += 1
        self._next = asyncio.get_running_loop().call_soon(self.take)

    def stop(self) -> int:
        self._next.cancel()
        return self.taken


def in_one_event(words: int) -> bytes:
    return event({"content": f"{HIDDEN} " * words}) + END


def in_many_events(words: int) -> bytes:
    return event({"content": f"{HIDDEN} "}) * words + END


def in_arguments(words: int) -> bytes:
    return event(tool("send", orjson.dumps([HIDDEN] * words).decode())) + END


@pytest.mark.parametrize("reply", [in_one_event, in_many_events, in_arguments])
async def test_the_others_have_turns_while_a_reply_of_nothing_but_surrogates_is_restored(reply: Any) -> None:
    """5 MB of them held every stream for as long as they took: seconds."""
    taken = []
    for words in (20, 20_000):
        turns = Turns()
        stage = await played(reply(words))
        taken.append(turns.stop())
        assert stage.answer.body.count(SECRET.encode()) == words
    assert taken[1] >= taken[0] + 20


async def test_the_others_have_turns_while_a_long_text_with_one_surrogate_is_restored() -> None:
    taken = []
    for words in (20, 200_000):
        turns = Turns()
        await played(event({"content": HIDDEN + " word" * words}) + END)
        taken.append(turns.stop())
    assert taken[1] >= taken[0] + 20


async def test_a_long_reply_of_prose_is_passed_on_in_one_go() -> None:
    taken = []
    for words in (20, 20_000):
        turns = Turns()
        await played(event({"content": "word "}) * words + END)
        taken.append(turns.stop())
    assert taken[1] == taken[0]
