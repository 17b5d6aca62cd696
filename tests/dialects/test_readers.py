"""Replies read as they come: whole, byte by byte, at random cuts; new text written into the bytes that came."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.dialects import sse
from sidecar.dialects.jsontext import load_reply, spell
from sidecar.dialects.openai import readers
from sidecar.dialects.openai.readers import StreamReader
from sidecar.dialects.sse import data_of
from sidecar.errors import OwnError, UpstreamError
from sidecar.model import Call, Channel, Operation, ReplyEvent, Usage
from tests.dialects.samples import CHAT, CORPUS, EMBEDDING, cuts, read
from tests.dialects.spelling import TEXTS, TREES, tokens, write

CALL = Call(operation=Operation.CHAT, model="m")
JSON_CALL = Call(operation=Operation.CHAT, model="m", json_output=True)
STREAMS = sorted((CORPUS / "streams").glob("*.sse"))
REPLIES = sorted((CORPUS / "replies").glob("*.json"))


def texts(events: Iterable[ReplyEvent]) -> dict[Channel, str]:
    joined: dict[Channel, str] = {}
    for event in events:
        for delta in event.deltas:
            joined[delta.channel] = joined.get(delta.channel, "") + delta.text
    return joined


def by_field(events: Iterable[ReplyEvent]) -> dict[str, str]:
    return {f"{c.choice}.{c.field}.{c.item}": text for c, text in texts(events).items()}


def stream(*chunks: Any, done: bool = True) -> bytes:
    raw = b"".join(b"data: " + (chunk if type(chunk) is bytes else spell(chunk)) + b"\n\n" for chunk in chunks)
    return raw + b"data: [DONE]\n\n" * done


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": [choice]}


def streamed(*chunks: Any, call: Call = CALL, done: bool = True) -> tuple[StreamReader, list[ReplyEvent]]:
    reader = StreamReader(call)
    return reader, read(reader, [stream(*chunks, done=done)])


def reader_for(path: Path) -> Any:
    return CHAT.reader(CALL, stream=path.suffix == ".sse")


@pytest.mark.parametrize("path", [*STREAMS, *REPLIES], ids=lambda path: path.name)
def test_any_cuts_give_the_same_events(path: Path) -> None:
    raw = path.read_bytes()
    whole = reader_for(path)
    expected = read(whole, [raw])
    assert texts(expected)
    assert [event.last for event in expected].count(True) == 1
    for pieces in cuts(raw):
        reader = reader_for(path)
        events = read(reader, pieces)
        assert b"".join(event.raw for event in events) == raw
        assert [event.raw for event in events if event.deltas] == [event.raw for event in expected if event.deltas]
        assert texts(events) == texts(expected)
        assert reader.facts() == whole.facts()
        assert [reader.ends(event) for event in events if event.deltas] == [
            whole.ends(event) for event in expected if event.deltas
        ]


@pytest.mark.parametrize("path", [*STREAMS, *REPLIES], ids=lambda path: path.name)
@pytest.mark.parametrize("which", ["all", "one", "random"])
def test_new_text_changes_its_literals_only(path: Path, which: str) -> None:
    reader, dice = reader_for(path), Random(3)
    events = read(reader, [path.read_bytes()])
    new = 'Zoë "<\\\n😀'
    for event in events:
        told = [delta.text for delta in event.deltas]
        chosen = {"all": [True] * len(told), "one": [i == 0 for i in range(len(told))]}.get(which)
        chosen = chosen or [dice.random() < 0.5 for _ in told]
        wanted = [new if use else text for use, text in zip(chosen, told, strict=True)]
        slots = {delta.slot for delta, use in zip(event.deltas, chosen, strict=True) if use}

        rewritten = reader.rewrite(event, wanted)

        if not any(chosen):
            assert rewritten is event.raw
            continue
        again = data_of(rewritten) if path.suffix == ".sse" else rewritten
        before = data_of(event.raw) if path.suffix == ".sse" else event.raw
        assert outside(again or b"", slots) == outside(before or b"", slots)
        assert [text_at(load_reply(again or b""), delta.slot) for delta in event.deltas] == wanted
        if b"\ndata:" not in event.raw:
            assert rewritten.startswith(event.raw[:5])
            assert rewritten.endswith(event.raw[-2:])


def outside(data: bytes, slots: set[Any]) -> list[str]:
    """The text between the literals at `slots`."""
    spelled, pieces, at = data.decode("utf-8"), [], 0
    for token in tokens(spelled):
        if token.path in slots and not token.is_key:
            pieces.append(spelled[at : token.start])
            at = token.end
    return [*pieces, spelled[at:]]


def text_at(tree: Any, path: Any) -> Any:
    for step in path:
        tree = tree[step]
    return tree


@given(st.lists(TEXTS, max_size=6), TEXTS, st.integers(0, 10**6))
def test_any_texts_survive_streaming_and_rewriting(said: list[str], new: str, seed: int) -> None:
    dice = Random(seed)
    spelled = [write(chunk(content=text, other=text), dice) for text in said]
    raw = stream(*(line.replace("\r", " ").replace("\n", " ").encode() for line in spelled))
    reader = StreamReader(CALL)
    cut = dice.randint(0, len(raw))
    events = read(reader, [raw[:cut], raw[cut:]])
    assert by_field(events) == ({"0.content.0": "".join(said), "0.other.0": "".join(said)} if said else {})
    fresh = b"".join(reader.rewrite(event, [new] * len(event.deltas)) for event in events)
    assert by_field(read(StreamReader(CALL), [fresh])).get("0.content.0", "") == new * len(said)


@given(TREES, st.randoms(use_true_random=False))
def test_every_text_of_a_choice_can_be_restored(extra: Any, dice: Random) -> None:
    """Whatever a server adds to a choice, no surrogate in it is out of reach."""
    body = {"id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "x", "extra": extra}}]}
    raw = write(body, dice).encode()
    reader = CHAT.reader(CALL, stream=False)
    (event,) = read(reader, [raw])
    fresh = reader.rewrite(event, ["Y"] * len(event.deltas))
    assert all(text in ("Y", *SILENT) for text in strings_of(orjson.loads(fresh)["choices"]))


SILENT = ("id", "type", "object", "role", "index", "data", "token_ids")


def strings_of(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [text for key, value in tree.items() if key not in SILENT for text in strings_of(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in strings_of(value)]
    return [tree] if isinstance(tree, str) else []


def test_what_a_stream_says_of_itself() -> None:
    reader = reader_for(CORPUS / "streams" / "openai-usage.sse")
    events = read(reader, [(CORPUS / "streams" / "openai-usage.sse").read_bytes()])
    facts = reader.facts()
    assert (facts.model_served, facts.response_id, facts.fingerprint) == (
        "gpt-4o-2024-08-06", "chatcmpl-AbC123", "fp_9eed8")  # fmt: skip
    assert facts.usage == Usage(input_tokens=12, output_tokens=7, reasoning_tokens=3, cached_tokens=4)
    assert (facts.finish_reasons, facts.complete, facts.upstream_error) == (("stop",), True, False)
    assert (facts.confidence_ppm, facts.confidence_source) == (None, "unavailable")
    assert by_field(events)["0.content.0"].startswith("Dear <PERSON_1>, your mail")
    assert [reader.ends(event) for event in events if reader.ends(event)] == [(0,)]


def test_reasoning_and_tool_calls_have_channels_of_their_own() -> None:
    path = CORPUS / "streams" / "vllm-reasoning-tools.sse"
    reader = reader_for(path)
    events = read(reader, [path.read_bytes()])
    assert by_field(events) == {
        "0.reasoning.0": "The user <PERSON_1> wants mail.",
        "0.tool_calls.name.0": "send_mail",
        "0.tool_calls.arguments.0": '{"to": "<EMAIL_ADDRESS_1>", "n": 3, "body": "line\\n\\"q\\" <PERSON_1>"}',
        "0.tool_calls.name.1": "look_up",
        "0.tool_calls.arguments.1": "{}",
        "0.content.0": "",
    }
    assert {c.field for c in texts(events) if c.json_text} == {"tool_calls.arguments"}
    assert reader.facts().finish_reasons == ("tool_calls",)


def test_text_in_unusual_places() -> None:
    path = CORPUS / "streams" / "annotations-and-citations.sse"
    events = read(reader_for(path), [path.read_bytes()])
    assert by_field(events) == {
        "-1.citations[0].0": "https://x/?mail=<EMAIL_ADDRESS_1>",
        "0.content.0": "See it",
        "0.annotations.url_citation.title.0": "<PERSON_1>",
        "0.annotations.url_citation.url.0": "https://x/",
        "0.audio.transcript.0": "by <PERSON_1>",
    }


def test_keys_that_are_texts_do_not_become_labels() -> None:
    _, events = streamed(chunk(notes={"Ann Lee <ann@x.io>": "a"}))
    assert {channel.field for channel in texts(events)} == {"notes.other[0]", "notes.other[1]"}
    assert sorted(texts(events).values()) == ["Ann Lee <ann@x.io>", "a"]


def test_declared_json_marks_its_channels() -> None:
    _, events = streamed(chunk(content="{", refusal="no"), call=JSON_CALL)
    assert {c.field: c.json_text for c in texts(events)} == {"content": True, "refusal": False}
    _, events = streamed(chunk(content=[{"type": "text", "text": "{"}]), call=JSON_CALL)
    assert {c.field: c.json_text for c in texts(events)} == {"content.text": True}


def test_a_choice_without_a_number_is_known_by_its_place() -> None:
    nameless: Any = {"index": None, "delta": {"content": "a"}, "finish_reason": "stop"}
    reader, (event, _) = streamed({"choices": [nameless]})
    assert [delta.channel.choice for delta in event.deltas] == [0]
    assert reader.ends(event) == (0,)


@pytest.mark.parametrize("goes_on", ["", "null"])
def test_a_choice_goes_on_where_servers_write_an_empty_reason(goes_on: str) -> None:
    """SGLang, Ollama ("") and KoboldCpp ("null") in chunks before the last."""
    reader, events = streamed(chunk(goes_on, content="<EMAIL_ADD"), chunk(goes_on, content="RESS_1>"), chunk("stop"))
    assert [reader.ends(event) for event in events] == [(), (), (0,), ()]
    assert reader.facts().finish_reasons == ("stop",)


def test_an_applications_own_ids_and_types_are_text() -> None:
    arguments = {"to": "<A_1>", "id": "<A_1>", "type": "<A_1>", "deep": [{"data": "<A_1>"}]}
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    _, events = streamed(chunk(None, tool_calls=[call], parsed={"role": "<A_1>"}))
    assert [delta.text for delta in events[0].deltas] == ["f", *["<A_1>"] * 5]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([-0.1, -0.3], round(math.exp(-0.2) * 1e6)), ([0.0], 1_000_000), ([1e-9], 1_000_000), ([-9999.0], 0),
     ([None, -0.5], round(math.exp(-0.5) * 1e6)), ([], None), ([None], None), (["x", True], None)],
)  # fmt: skip
def test_confidence_is_the_mean_logprob(values: list[Any], expected: int | None) -> None:
    for logprobs in ({"content": [{"token": "<P", "logprob": v} for v in values]}, {"token_logprobs": values}):
        body = {"choices": [{"index": 0, "text": "x", "logprobs": logprobs}, {"index": 1, "logprobs": {"content": 1}}]}
        for stream_, raw in ((False, spell(body)), (True, stream(body))):
            reader = CHAT.reader(CALL, stream=stream_)
            events = read(reader, [raw])
            facts = reader.facts()
            source = "unavailable" if expected is None else "logprobs-mean-v1"
            assert (facts.confidence_ppm, facts.confidence_source) == (expected, source)
            assert "<P" not in texts(events).values()


def test_logprobs_that_are_not_finite_do_not_count() -> None:
    body = b'{"choices":[{"index":0,"text":"x","logprobs":{"token_logprobs":[NaN,-Infinity,-0.5]}}]}'
    reader = CHAT.reader(CALL, stream=False)
    read(reader, [body])
    assert reader.facts().confidence_ppm == round(math.exp(-0.5) * 1e6)


def test_facts_hold_no_text_of_anyone() -> None:
    odd = {"id": "Ann Lee", "model": "ann@x.io", "system_fingerprint": "Ann Lee", "usage": {"prompt_tokens": "Ann"},
           "choices": [{"index": 0, "finish_reason": "Ann Lee"}]}  # fmt: skip
    reader, _ = streamed(odd)
    assert "nn" not in repr(reader.facts()).replace("unavailable", "")
    assert reader.facts().finish_reasons == ("other",)


def test_an_error_in_a_stream_is_marked_and_its_message_restorable() -> None:
    path = CORPUS / "streams" / "error-midway.sse"
    reader = reader_for(path)
    events = read(reader, [path.read_bytes()])
    assert by_field(events)["-1.error.message.0"] == "engine died at <PERSON_1>"
    facts = reader.facts()
    assert (facts.upstream_error, facts.complete, facts.finish_reasons) == (True, False, ())
    assert reader.ends(events[1]) == (-1, 0)


@pytest.mark.parametrize("name", ["error.json", "vllm-old-error.json", "fastapi-error.json"])
def test_error_bodies_are_restorable(name: str) -> None:
    reader = CHAT.reader(CALL, stream=False)
    (event,) = read(reader, [(CORPUS / "replies" / name).read_bytes()])
    assert event.last
    assert any("<PERSON_1>" in text for text in texts([event]).values())
    assert b"<PERSON_1>" not in reader.rewrite(event, ["Ann"] * len(event.deltas))
    assert reader.facts().upstream_error is (name != "fastapi-error.json")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "UPSTREAM_DISCONNECTED"),
        (stream(chunk(content="a"), done=False), "UPSTREAM_DISCONNECTED"),
        (stream(chunk(content="a"), done=False) + b'data: {"id"', "UPSTREAM_DISCONNECTED"),
        (b": only comments\n\n", "UPSTREAM_DISCONNECTED"),
        (b"data: planted\n\n", "UPSTREAM_INVALID"),
        (b"data: [1]\n\n", "UPSTREAM_INVALID"),
        (b'data: {"choices":{}}\n\n', "UPSTREAM_INVALID"),
        (b'data: {"choices":["planted"]}\n\n', "UPSTREAM_INVALID"),
        (b'data: {"choices":[{"index":-1}]}\n\n', "UPSTREAM_INVALID"),
        (b'data: {"choices":[{"index":"planted"}]}\n\n', "UPSTREAM_INVALID"),
        (b'data: {"a":' + b"[" * 70 + b'"planted"' + b"]" * 70 + b"}\n\n", "UPSTREAM_INVALID"),
        (b'data: {"a":' + b"[" * 100_000 + b"\n\n", "UPSTREAM_INVALID"),
    ],
)
def test_streams_that_cannot_be_read(raw: bytes, code: str) -> None:
    for pieces in cuts(raw) if len(raw) < 10_000 else [[raw]]:
        with pytest.raises(UpstreamError) as fault:
            read(StreamReader(CALL), pieces)
        assert (fault.value.code, fault.value.status) == (code, 502)
        assert fault.value.__context__ is None


def test_events_before_a_fault_are_handed_out_first() -> None:
    reader = StreamReader(CALL)
    events = reader.feed(stream(chunk(content="a"), b"planted", chunk(content="b")))
    assert by_field(events) == {"0.content.0": "a"}
    for action in (lambda: reader.feed(b""), reader.finish):
        with pytest.raises(UpstreamError) as fault:
            action()
        assert fault.value.code == "UPSTREAM_INVALID"


def test_a_stream_without_done_is_whole_when_its_choices_are() -> None:
    reader, events = streamed(chunk(content="a"), chunk("stop"), done=False)
    assert events[-1] == ReplyEvent(b"", (), True)
    assert reader.facts().complete
    with pytest.raises(UpstreamError):
        other = {**chunk(content="b"), "choices": [{"index": 1, "delta": {"content": "b"}}]}
        streamed(other, chunk("stop"), done=False)


def test_a_last_event_may_lack_its_blank_line() -> None:
    for rest in (b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\r\n", b"data: [DONE] \n"):
        raw = stream(chunk(content="a"), done=False) + rest
        events = read(StreamReader(CALL), [raw])
        assert b"".join(event.raw for event in events) == raw
        assert events[-1].last


def test_what_follows_done_passes() -> None:
    raw = stream(chunk(content="a")) + b": bye\n\ndata: [DONE]\n\n\n"
    events = read(StreamReader(CALL), [raw])
    assert b"".join(event.raw for event in events) == raw
    assert [event.last for event in events] == [False, True, False, False]


def test_an_event_beyond_the_buffer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_EVENT", 100)
    for size in (1, 7, 1000):
        reader, raw = StreamReader(CALL), stream(chunk(content="x" * 300))
        with pytest.raises(UpstreamError) as fault:
            for at in range(0, 250, min(size, 250)):
                reader.feed(raw[at : min(at + size, 250)])
        assert fault.value.code == "GATE_OVERFLOW"


def test_a_trickle_of_a_large_event_stays_linear() -> None:
    raw = stream(chunk(content="x" * 300_000))
    start = time.perf_counter()
    events = read(StreamReader(CALL), [raw[i : i + 7] for i in range(0, len(raw), 7)])
    assert len(events) == 2
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"", "UPSTREAM_DISCONNECTED"), (b"<html>planted</html>", "UPSTREAM_INVALID"),
     (b'{"choices":[', "UPSTREAM_INVALID"),
     (b"[]", "UPSTREAM_INVALID"), (b'{"choices":[{"message":{"content":"planted', "UPSTREAM_INVALID")],
)  # fmt: skip
@pytest.mark.parametrize("endpoint", [CHAT, EMBEDDING])
def test_bodies_that_cannot_be_read(endpoint: Any, raw: bytes, code: str) -> None:
    with pytest.raises(UpstreamError) as fault:
        read(endpoint.reader(CALL, stream=False), [raw])
    assert fault.value.code == code
    assert fault.value.__context__ is None


def test_a_body_beyond_the_buffer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_BODY", 10)
    reader = CHAT.reader(CALL, stream=False)
    reader.feed(b"x" * 10)
    with pytest.raises(UpstreamError) as fault:
        reader.feed(b"x")
    assert fault.value.code == "GATE_OVERFLOW"


def test_a_key_given_twice_is_never_edited_blindly() -> None:
    raw = b'{"choices":[{"index":0,"message":{"content":"a","content":"b"}}]}'
    reader = CHAT.reader(CALL, stream=False)
    (event,) = read(reader, [raw])
    with pytest.raises(UpstreamError):
        reader.rewrite(event, ["c"])


def test_texts_must_be_as_many_as_deltas() -> None:
    reader, events = streamed(chunk(content="a"))
    with pytest.raises(ValueError, match="argument"):
        reader.rewrite(events[0], [])


def test_the_first_key_of_that_name_is_not_always_the_one() -> None:
    """The quick search hits another `content`; reading back shows it, and the walk finds the right one."""
    raw = b'{"x":{"content":"a"},"choices":[{"index":0,"delta":{"content" : "a"}}]}'
    reader, events = streamed(raw)
    assert reader.rewrite(events[0], ["a", "b"]) == b"data: " + raw.replace(b' "a"', b' "b"') + b"\n\n"


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_a_held_tail_goes_out_in_an_event_of_its_own(end: bytes) -> None:
    first = chunk(
        role="assistant", content="a", reasoning="r",
        tool_calls=[{"index": 1, "id": "x", "function": {"name": "f", "arguments": "{"}}],
    )  # fmt: skip
    first["usage"] = {"prompt_tokens": 1}
    raw = stream({**first, "citations": ["u"]}).replace(b"\n\n", end)
    reader = StreamReader(CALL)
    events = read(reader, [raw])
    for channel in texts(events):
        extra = reader.carry(channel, 'tail "<é>')
        assert extra.endswith(end)
        again = StreamReader(CALL)
        (event, _) = read(again, [extra + b"data: [DONE]\n\n"])
        assert texts([event]) == {channel: 'tail "<é>'}
        assert again.facts().model_served == "m-1"
        assert again.facts().usage == Usage()
        assert again.ends(event) == ()
        assert b'"name"' not in extra or channel.field == "tool_calls.name"


def test_a_body_carries_nothing_extra() -> None:
    with pytest.raises(OwnError):
        CHAT.reader(CALL, stream=False).carry(Channel(0, "content"), "x")


def embedding(count: int, *, tail: bool = True) -> bytes:
    vectors = [{"object": "embedding", "index": i, "embedding": [0.1, -0.25] * 500} for i in range(count)]
    around = {"model": "te-3", "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    data = {"object": "list", "data": vectors}
    return orjson.dumps({**data, **around} if tail else {**around, **data})


@pytest.mark.parametrize("tail", [True, False])
def test_embeddings_give_facts_and_keep_their_bytes(tail: bool) -> None:
    raw = embedding(3, tail=tail)
    for pieces in ([raw], [raw[:100], raw[100:]]):
        reader = EMBEDDING.reader(CALL, stream=False)
        events = read(reader, pieces)
        assert events == [ReplyEvent(raw, (), True)]
        facts = reader.facts()
        assert (facts.model_served, facts.usage.input_tokens, facts.complete) == ("te-3", 8, True)


def test_embeddings_of_another_shape_are_read_whole() -> None:
    bodies = [
        b'{"model":"m","data":[[1,"]"]],"usage":{"prompt_tokens":3},"more":[]}',
        b'{"model":"m","usage":{"prompt_tokens":3},"data":"x","more":[1]}',
        b'{"x":"\\"data\\"[","model":"m","usage":{"prompt_tokens":3},"data":[{"embedding":"AAAA"}]}',
    ]
    for raw in bodies:
        reader = EMBEDDING.reader(CALL, stream=False)
        read(reader, [raw])
        assert reader.facts().usage.input_tokens == 3


def test_a_truncated_embedding_is_refused() -> None:
    raw = embedding(2)
    for end in (len(raw) - 1, len(raw) // 2, len(raw) - 40):
        with pytest.raises(UpstreamError):
            read(EMBEDDING.reader(CALL, stream=False), [raw[:end]])


def test_embedding_errors_are_restorable() -> None:
    reader = EMBEDDING.reader(CALL, stream=False)
    (event,) = read(reader, [(CORPUS / "replies" / "error.json").read_bytes()])
    assert reader.facts().upstream_error
    assert b"Ann" in reader.rewrite(event, ["Ann"] * len(event.deltas))


PIECES = [b"\n", b"\r", b"\r\n", b"data: 1", b"data:", b": x", b"event: a", b"\xef\xbb\xbf", b"\xc3"]


@given(st.lists(st.sampled_from(PIECES)))
@example([b"\n", b"\n", b"\n", b"\xef\xbb\xbf", b"data: 1"])
@example([b"\xef\xbb\xbf", b"data: 1"])
def test_the_decoder_loses_no_byte_and_cuts_alike(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    outcomes = set()
    for chunks in cuts(raw, rounds=2):
        decoder = sse.SseDecoder()
        events = [event for piece in chunks for event in decoder.feed(piece)]
        rest = decoder.finish()
        assert b"".join(events) + rest == raw
        outcomes.add((tuple(data_of(event) for event in events if data_of(event)), data_of(rest)))
    assert len(outcomes) == 1


def test_a_byte_order_mark_is_skipped_before_a_stream_and_nowhere_else() -> None:
    mark = b"\xef\xbb\xbf"
    for pieces in cuts(mark + b"data: 1\n\n" + mark + b"data: 2\n\n"):
        decoder = sse.SseDecoder()
        assert [data_of(event) for piece in pieces for event in decoder.feed(piece)] == [None, b"1", None]


@pytest.mark.parametrize("blank", [b"\n", b"\r", b"\r\n", b"\n\r\n"])
@pytest.mark.parametrize("size", [1000, 65_536])
def test_any_number_of_blank_lines_are_one_event_for_each_chunk_that_has_some(blank: bytes, size: int) -> None:
    """Half a million of them were as many events, and held the stream for seconds."""
    raw = b"data: 1\n\n" + blank * (300_000 // len(blank)) + b"data: 2\n\n"
    decoder = sse.SseDecoder()
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    assert b"".join(events) == raw and decoder.finish() == b""
    assert [data_of(event) for event in events if data_of(event)] == [b"1", b"2"]
    assert len(events) <= len(chunks) + 2


def test_an_event_leaves_though_a_carriage_return_ends_the_chunk() -> None:
    """Of the next line end half may have come; the blank lines before it are whole."""
    decoder = sse.SseDecoder()
    assert decoder.feed(b"data: 1\r\n\r\n\r") == [b"data: 1\r\n\r\n"]
    assert decoder.feed(b"\ndata: 2\r\r") == []
    assert decoder.feed(b"\r") == [b"\r\ndata: 2\r\r"]
    assert decoder.finish() == b"\r"
