"""Each place of each body that the installed `openai` SDK can make: no value leaves, and each surrogate comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sidecar.dialects.sse import SseDecoder, data_of
from sidecar.drivers.inspector import Inspector
from sidecar.testing import FakeClock, ScriptedReply, arrival, split
from tests.dialects import shapes
from tests.dialects.samples import CHAT
from tests.dialects.shapes import Shape
from tests.exchange.kit import SECRET, SSE, Stage, completion

VALUES = {
    "EMAIL_ADDRESS": "zoe.kvist@example.org",
    "IBAN_CODE": "DE89370400440532013000",
    "CREDIT_CARD": "4111 1111 1111 1111",
}
SURROGATE = "<EMAIL_ADDRESS_1>"
END = orjson.dumps({"choices": [{"index": 0, "finish_reason": "stop"}]})


@pytest.fixture
async def inspector() -> AsyncIterator[Inspector]:
    made = await Inspector(secret=b"s" * 32, clock=FakeClock(), names=False).start()
    yield made
    await made.close()


MODEL = ".model"
"""The one text that goes upstream as it is: a model's id, whose form is checked. This IBAN has that form."""


@pytest.mark.parametrize("entity", VALUES)
async def test_no_value_leaves_from_any_place(inspector: Inspector, entity: str) -> None:
    """It is replaced, and nothing else is; or the call is refused, since no text may stand there at all."""
    value = VALUES[entity]
    spellings = [f"<{entity}_1>", f"{entity}_1"]
    sent, refused = [], set()
    for name, dialect, tree in shapes.requests(value):
        stage = Stage(lambda _: ScriptedReply(chunks=[completion("ok")]))
        stage.ports = replace(stage.ports, inspect=inspector)
        body = orjson.dumps(tree)
        await stage.run(arrival(body), dialect=dialect)
        if stage.forward.sent:
            whole = [body.replace(value.encode(), spelling.encode()) for spelling in spellings]
            sent.append((name, stage.forward.sent[0].body in whole))
        else:
            assert stage.answer.error is not None
            refused.add(stage.answer.error.code)
    assert [name for name, is_whole in sent if not (is_whole or name.endswith(MODEL))] == []
    assert len(sent) > 200 and refused == {"BODY_INVALID"}


NOT_RESTORED = (
    ".id", ".model", ".system_fingerprint", ".obfuscation",  # made by the server
    ".token", ".tokens[]", ".top_logprobs[]{key}",  # how the model spelled it, piece by piece
    "<ChatCompletionAudio>.data", "<ChoiceDeltaAudio>.data",  # sound
)  # fmt: skip
GIVEN_IN_FULL = (
    ".name", "{}", "key", "key}", "a key of every size", "Error>.code", "Error>.message", "annotation", "chunk of",
)  # fmt: skip
"""What no stream says in pieces: names, keys, annotations, and what stands beside the choices."""


def restorable(plant: Callable[[str], Iterator[Shape]], *texts: str) -> Iterator[tuple[Shape, ...]]:
    """Each shape, once with each of the texts."""
    for same in zip(*map(plant, texts), strict=True):
        if not same[0].name.endswith(NOT_RESTORED):
            yield same


def expected(shape: Shape) -> bytes:
    """Where a tool's arguments are no more than the value, it is a JSON text of its own."""
    body = orjson.dumps(shape.tree)
    text = orjson.dumps(SECRET)
    return body.replace(text, orjson.dumps(text.decode())) if shape.name.endswith(".arguments") else body


async def answered(shape: Shape, chunks: list[bytes], headers: Any = SSE) -> bytes:
    """What the caller gets of this reply, when his call held the one address."""
    stage = Stage(lambda _: ScriptedReply(headers=headers, chunks=[*chunks]))
    body = {"messages": [{"role": "user", "content": SECRET}], "prompt": SECRET, "input": SECRET}
    await stage.run(arrival(orjson.dumps(body)), dialect=shape.dialect)
    assert stage.answer.error is None, shape.name
    return stage.answer.body


def streamed(*events: bytes) -> bytes:
    return b"".join(b"data: %b\n\n" % event for event in (*events, END, b"[DONE]"))


async def test_a_surrogate_comes_back_from_any_place_of_a_reply() -> None:
    headers = (("Content-Type", "application/json"),)
    for shape, plain in restorable(shapes.replies, SURROGATE, SECRET):
        got = await answered(shape, [orjson.dumps(shape.tree)], headers)
        assert got == expected(plain), shape.name


async def test_a_surrogate_comes_back_from_any_place_of_a_stream_at_any_cut() -> None:
    for shape, plain in restorable(shapes.chunks, SURROGATE, SECRET):
        for pieces in split(streamed(orjson.dumps(shape.tree)), rounds=1):
            assert await answered(shape, pieces) == streamed(expected(plain)), shape.name


FRAMES: dict[str, Callable[[bytes], bytes]] = {
    "LF": lambda raw: raw,
    "CR": lambda raw: raw.replace(b"\n", b"\r"),
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "a mixture": lambda raw: raw.replace(b"\n\n", b"\r\n\n"),
    "no blank": lambda raw: raw.replace(b"data: ", b"data:"),
    "comments": lambda raw: raw.replace(b"data: ", b": PROCESSING\n\n: <EMAIL\ndata: "),
    "fields": lambda raw: raw.replace(b"data: ", b"id: 7\nevent: message\nretry: 10\ndata: "),
    "several lines": lambda raw: raw.replace(b',"', b',\ndata: "'),
    "empty events": lambda raw: raw.replace(b"data: ", b"data:\n\nevent: ping\ndata: {}\n\ndata: "),
    "no choices": lambda raw: raw.replace(b"data: ", b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\ndata: ', 1),
    "no delta": lambda raw: raw.replace(b"data: ", b'data: {"choices":[{"index":0,"delta":null}]}\n\ndata: '),
    "no [DONE]": lambda raw: raw.removesuffix(b"data: [DONE]\n\n"),
    "no end": lambda raw: raw.removesuffix(b"\n\n"),
    "a mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "escapes": lambda raw: raw.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"/", b"\\/"),
    "other letters": lambda raw: raw.replace("é/".encode(), "€😀/".encode()),
    "blank space": lambda raw: raw.replace(b'"delta":{', b'"delta" : {\t'),
}


def texts_of(stream: bytes) -> list[Any]:
    """What each event with data says, whatever stands around it."""
    data = [data_of(event) for decoder in [SseDecoder()] for event in (*decoder.feed(stream), decoder.finish())]
    return [orjson.loads(each) for each in data if each and each != b"[DONE]"]


@pytest.mark.parametrize("frame", FRAMES)
async def test_a_surrogate_comes_back_however_a_stream_is_framed(frame: str) -> None:
    """At any cut; nothing is added but an event for what was held, and nothing is lost."""
    pieces = ["é/ <EMA", "IL_ADDRESS", "_1> é/", " é/ <EMAIL_ADD"]
    deltas = [{"index": 0, "delta": {field: piece}} for field in ("content", "reasoning") for piece in pieces]
    framed = FRAMES[frame](streamed(*[orjson.dumps({"id": "c", "choices": [delta]}) for delta in deltas]))
    meant = texts_of(framed)
    for cut in split(framed):
        got = texts_of(await answered(shapes.Shape(frame, CHAT, {}), cut))
        for field in ("content", "reasoning"):
            said = "".join(text_at(each, field) for each in got)
            assert said == "".join(text_at(each, field) for each in meant).replace(SURROGATE, SECRET)
        assert len(got) == len(meant) + 2


def text_at(chunk: Any, field: str) -> str:
    return "".join((choice.get("delta") or {}).get(field, "") for choice in chunk.get("choices", ()))


async def test_a_surrogate_said_in_two_pieces_comes_back_from_any_place_of_a_stream() -> None:
    in_pieces = []
    for begun, rest in restorable(shapes.chunks, SURROGATE[:7], SURROGATE[7:]):
        if begun.name.endswith(GIVEN_IN_FULL) or begun.name.startswith(GIVEN_IN_FULL):
            continue
        got = await answered(begun, [streamed(orjson.dumps(begun.tree), orjson.dumps(rest.tree))])
        assert SECRET.encode() in got and b"EMAIL" not in got, begun.name
        in_pieces.append(begun.name)
    assert len(in_pieces) > 15
