"""JSON that goes out in prose and comes back as a document: what the application parses is what it meant to send."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import product
from typing import Any

import orjson
import pytest

from sidecar.drivers.inspector import Inspector
from sidecar.model import Outbound
from sidecar.testing import FakeClock, ScriptedReply, split
from tests.exchange.kit import SSE, Stage, question

RECORD = {"mail": "j\u00fcrgen@example.org", "street": "Hauptstra\u00dfe 12\n10115 Berlin"}
PROMPTS = {
    "ascii": "Who is this? " + json.dumps(RECORD),
    "utf-8": "Who is this? " + json.dumps(RECORD, ensure_ascii=False),
    "json": json.dumps(RECORD),
    "text": "\n".join(f"{key}: {value}" for key, value in RECORD.items()),
}


@pytest.fixture
async def inspector() -> AsyncIterator[Inspector]:
    made = await Inspector(secret=b"s" * 32, clock=FakeClock(), names=False).start()
    yield made
    await made.close()


def document(outbound: Outbound) -> str:
    """What a model makes of it: a document with the surrogates that it was sent, as values and as keys."""
    mail, street = re.findall(r"<[A-Z_]+_1>", orjson.loads(outbound.body)["messages"][0]["content"])
    return json.dumps({"mail": mail, "street": f"at {street}", mail: json.dumps({"nested": street})})


MEANT = {
    "mail": RECORD["mail"],
    "street": f"at {RECORD['street']}",
    RECORD["mail"]: json.dumps({"nested": RECORD["street"]}, ensure_ascii=False),
}


def as_content(text: str) -> dict[str, Any]:
    return {"content": text}


def as_arguments(text: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": text}}]}


def text_of(message: dict[str, Any]) -> str:
    calls = message.get("tool_calls")
    return str(calls[0]["function"]["arguments"] if calls else message.get("content") or "")


def unary(said: list[dict[str, Any]]) -> bytes:
    [message] = said
    return orjson.dumps({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def streamed(said: list[dict[str, Any]]) -> bytes:
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in said]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return b"".join(b"data: %b\n\n" % orjson.dumps(chunk) for chunk in chunks) + b"data: [DONE]\n\n"


def parsed(answer: bytes) -> Any:
    """What an application makes of a reply, or of the deltas of a stream."""
    bodies = [line[6:] for line in answer.split(b"\n\n") if line.startswith(b"data: {")] or [answer]
    choices = [orjson.loads(body)["choices"][0] for body in bodies]
    return json.loads("".join(text_of(choice.get("message") or choice.get("delta")) for choice in choices))


CUTS: list[Callable[[str], list[str]]] = [lambda text: [text], list, lambda text: [text[:31], text[31:40], text[40:]]]


@pytest.mark.parametrize("place", [as_content, as_arguments])
async def test_the_application_parses_what_it_meant(inspector: Inspector, place: Any) -> None:
    for prompt, declared in product(PROMPTS, ({"response_format": {"type": "json_object"}}, {})):
        for cut in CUTS:
            def reply(outbound: Outbound, cut: Any = cut) -> ScriptedReply:
                said = [place(piece) for piece in cut(document(outbound))]
                if cut is CUTS[0] and not orjson.loads(outbound.body).get("stream"):
                    return ScriptedReply(chunks=[unary(said)])
                return ScriptedReply(headers=SSE, chunks=list([*split(streamed(said))][CUTS.index(cut) + 1]))

            for stream in {cut is not CUTS[0], True}:
                stage = Stage(reply)
                stage.ports = replace(stage.ports, inspect=inspector)
                await stage.run(question(PROMPTS[prompt], stream=stream, **declared))
                assert parsed(stage.answer.body) == MEANT, (prompt, declared)
