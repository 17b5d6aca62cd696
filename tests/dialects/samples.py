"""Cuts for incremental parsers, and bodies with a text planted at every place a provider would read it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sidecar.dialects import Dialect
from sidecar.dialects.routes import match
from sidecar.model import ReplyEvent

CORPUS = Path(__file__).parent / "corpus"

PLANTED = 'Zoë "Q" Kvist <zoe@corp.internal>'
DIGITS = "4111111111111111"


def dialect(path: str = "/v1/chat/completions", kind: str = "openai") -> Dialect:
    found = match(kind, "POST", path).dialect
    assert found is not None
    return found


CHAT = dialect()
COMPLETION = dialect("/v1/completions")
EMBEDDING = dialect("/v1/embeddings")


def cuts(data: bytes, *, seed: int = 7, rounds: int = 4) -> Iterator[list[bytes]]:
    """The data whole, byte by byte, and cut at random: what every incremental parser has to make the same of."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    dice = random.Random(seed)
    for _ in range(rounds):
        ends = sorted(dice.sample(range(len(data) + 1), k=min(len(data), dice.randint(1, 40))))
        yield [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


def read(reader: Any, chunks: list[bytes]) -> list[ReplyEvent]:
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return [*events, *reader.finish()]


class Plant(NamedTuple):
    """A body that holds a text at one place; `label` is what the record may show of that place."""

    name: str
    dialect: Dialect
    body: bytes
    label: str
    text: str = PLANTED


def _chat(label: str, *, name: str = "", text: str = PLANTED, **fields: Any) -> Plant:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], **fields}
    return Plant(name or label, CHAT, orjson.dumps(body), label, text)


def _message(label: str, *, name: str = "", text: str = PLANTED, **message: Any) -> Plant:
    role = {"role": "assistant"} if "role" not in message else {}
    return _chat(f"messages[0].{label}", name=name, text=text, messages=[{**role, **message}])


def _inner(value: Any) -> str:
    return orjson.dumps(value).decode()


def _call(arguments: str, **more: Any) -> list[Any]:
    return [{"id": "call_1", "type": "function", "function": {"name": "send", "arguments": arguments}, **more}]


def _tool(**function: Any) -> list[Any]:
    return [{"type": "function", "function": {"name": "send", **function}}]


def _image(**part: Any) -> list[Any]:
    return [{"type": "image_url", **part}]


def _parameters(**parameters: Any) -> list[Any]:
    return _tool(parameters={"type": "object", **parameters})


ARGUMENTS = "tool_calls[0].function.arguments"
PARAMETERS = "tools[0].function.parameters"

# fmt: off
PLANTS: list[Plant] = [
    *(
        _message("content", name=f"{role} content", role=role, content=PLANTED)
        for role in ("system", "developer", "user", "assistant", "tool", "function", "critic")
    ),
    _message("content[0].thinking", content=[{"type": "thinking", "thinking": PLANTED}]),
    _message("content[0].image_url.url", role="user", content=_image(image_url={"url": f"https://x/?q={PLANTED}"}),
             text=f"https://x/?q={PLANTED}"),
    _message("content", name="a tool's JSON, value", role="tool", content=_inner({"rows": [{"a": PLANTED}]})),
    _message("content", name="a tool's JSON, key", role="tool", content=_inner([{PLANTED: 1}])),
    _message("content", name="a tool's JSON, number", role="tool", content=f"[{DIGITS}]", text=DIGITS),
    _message("content", name="a tool's JSON, long number", role="tool", content=f"[9{DIGITS}00000]",
             text=f"9{DIGITS}00000"),
    _message("content[0].text", name="a tool's JSON in a part", role="tool",
             content=[{"type": "text", "text": _inner({"a": [PLANTED]})}]),
    _message("content", name="a user's JSON with escapes", role="user",
             content='{"a":"Zo\\u00eb \\"Q\\" Kvist <zoe\\u0040corp.internal>"}'),
    _message("function_call.arguments", function_call={"name": "send", "arguments": _inner({"to": PLANTED})}),
    _message(ARGUMENTS, name="arguments, value", tool_calls=_call(_inner({"to": {"deep": [PLANTED]}}))),
    _message(ARGUMENTS, name="arguments, key", tool_calls=_call(_inner({"to": {PLANTED: 1}}))),
    _message(ARGUMENTS, name="arguments, number", tool_calls=_call(f'{{"card": {DIGITS}}}'), text=DIGITS),
    _message(ARGUMENTS, name="arguments, float", tool_calls=_call(f'{{"card": -{DIGITS}.50}}'), text=f"-{DIGITS}.50"),
    _message(ARGUMENTS, name="arguments that are no JSON", tool_calls=_call("send it to " + PLANTED),
             text="send it to " + PLANTED),
    _message(ARGUMENTS, name="arguments, JSON in JSON in JSON",
             tool_calls=_call(_inner({"body": _inner({"body": _inner({"to": PLANTED})})}))),
    _message(ARGUMENTS, name="arguments, a JSON string", tool_calls=_call(_inner(PLANTED))),
    _chat(PARAMETERS, name="schema description", tools=_parameters(description=PLANTED)),
    _chat(PARAMETERS, name="schema property name", tools=_parameters(properties={PLANTED: {"type": "string"}})),
    _chat(PARAMETERS, name="schema required", tools=_parameters(required=[PLANTED])),
    _chat(PARAMETERS, name="schema enum", tools=_parameters(properties={"a": {"enum": [PLANTED]}})),
    _chat(PARAMETERS, name="schema const", tools=_parameters(items={"const": PLANTED})),
    _chat(PARAMETERS, name="schema default", tools=_parameters(anyOf=[{"default": {"a": PLANTED}}])),
    _chat(PARAMETERS, name="schema title", tools=_parameters(**{"$defs": {"x": {"title": PLANTED}}})),
    _chat(PARAMETERS, name="schema number", tools=_parameters(examples=[int(DIGITS)]), text=DIGITS),
    _chat(PARAMETERS, name="schema unknown keyword", tools=_parameters(**{"x-owner": PLANTED})),
    _chat(PARAMETERS, name="schema unknown keyword's key", tools=_parameters(**{PLANTED: True})),
    _chat(PARAMETERS, name="schema type", tools=_parameters(properties={"a": {"type": ["string", PLANTED]}})),
    _chat(PARAMETERS, name="schema format", tools=_parameters(format=PLANTED)),
    _chat(PARAMETERS, name="schema dialect", tools=_parameters(**{"$schema": PLANTED})),
    _chat("functions[0].parameters", functions=[{"name": "f", "parameters": {"description": PLANTED}}]),
    _chat("tool_choice.allowed_tools.tools[0].function.name",
          tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": _tool(name=PLANTED)}}),
    _chat("response_format.json_schema.schema",
          response_format={"type": "json_schema", "json_schema": {"schema": {"$defs": {"a": {"title": PLANTED}}}}}),
    _chat("metadata[1]", name="metadata value", metadata={"a": "b", "c": PLANTED}),
    _chat("metadata[0]", name="metadata JSON", metadata={"a": _inner({"who": PLANTED})}),
    _chat("stop", name="stop list", stop=["\n", PLANTED]),
    _chat("stream_options", stream=True, stream_options={"include_usage": True, "for": PLANTED}),
    _chat("previous_response_id", previous_response_id=PLANTED),
    _chat("unknown", name="an unknown field's number", text=DIGITS, account=int(DIGITS)),
    Plant("an unknown field's float", CHAT, b'{"messages":[], "account": 41111111111111111.250}', "unknown",
          "41111111111111111.250"),
    Plant("prompt[1]", COMPLETION, orjson.dumps({"model": "m", "prompt": ["a", PLANTED]}), "prompt[1]"),
    Plant("a stored prompt", COMPLETION, orjson.dumps({"prompt": {"id": "p", "variables": {"a": PLANTED}}}), "prompt"),
    Plant("input message", EMBEDDING, orjson.dumps({"input": [{"content": [{"type": "text", "text": PLANTED}]}]}),
          "input[0].content[0].text"),
    Plant("messages at embeddings", EMBEDDING, orjson.dumps({"messages": [{"role": "user", "content": PLANTED}]}),
          "messages[0].content"),
]
# fmt: on
