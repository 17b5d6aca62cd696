"""What the dialects cost: `python tests/benchmarks/bench_dialects.py`. Best of many runs, in microseconds.

Bodies: 1 KB of chat, a 32 KB agent history with tools and JSON results, 1.1 MB in 200 messages; each compact as httpx
writes it, and spaced with ASCII escapes as `json.dumps` writes it. Chunks: one token as OpenAI and vLLM stream it.
"""

from __future__ import annotations

import json
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sidecar.dialects.jsontext import duplicated
from sidecar.dialects.openai.readers import EmbeddingReader, StreamReader
from sidecar.dialects.routes import match
from sidecar.model import Call, Edit, Operation

CHAT = match("openai", "POST", "/v1/chat/completions").dialect
assert CHAT is not None
CALL = Call(operation=Operation.CHAT, model="m")
PROSE = "The quick brown fox — jumps over “the” lazy dog, and calls Ann back at noon.\n"

TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks a customer up.",
        "parameters": {
            "type": "object",
            "properties": {"name": {"type": "string", "description": "Full name"}, "year": {"type": "integer"}},
            "required": ["name"],
        },
    },
}


def best(action: Callable[[], object], budget: float = 0.4) -> float:
    """Microseconds of the fastest of many short runs: other work on the machine only ever adds."""
    once = min(timeit.repeat(action, number=1, repeat=3))
    number = max(1, int(0.002 / once))
    return min(timeit.repeat(action, number=number, repeat=max(3, int(budget / once / number)))) / number * 1e6


def chat(messages: int, size: int) -> dict[str, Any]:
    text = (PROSE * (size // len(PROSE) + 1))[:size]
    turns = [{"role": ("user", "assistant")[i % 2], "content": f"{i} {text}"} for i in range(messages)]
    return {"model": "gpt-4o", "temperature": 0.7, "messages": [{"role": "system", "content": "Be brief."}, *turns]}


def agent() -> dict[str, Any]:
    rows = json.dumps({"rows": [{"name": "Ann Lee", "id": i, "note": PROSE} for i in range(10)]})
    turns: list[dict[str, Any]] = []
    for i in range(18):
        function = {"name": "look_up", "arguments": json.dumps({"name": f"Ann {i}", "year": 1990})}
        turns.append({"role": "assistant", "content": None, "tool_calls": [{"id": f"c{i}", "function": function}]})
        turns.append({"role": "tool", "tool_call_id": f"c{i}", "content": rows})
    return {**chat(2, 200), "tools": [TOOL] * 5, "messages": [*chat(2, 200)["messages"], *turns]}


def spellings(body: dict[str, Any]) -> dict[str, bytes]:
    return {"compact": orjson.dumps(body), "spaced": json.dumps(body).encode()}


def row(name: str, **figures: float) -> None:
    print(f"{name:46}" + "  ".join(f"{label} {value:9.2f}" for label, value in figures.items()))


def requests() -> None:
    bodies = {"1 KB": chat(2, 400), "32 KB agent": agent(), "1.1 MB": chat(200, 5400)}
    for name, body in bodies.items():
        for style, raw in spellings(body).items():
            tree = orjson.loads(raw)
            parts = CHAT.parse(raw).parts
            last = [Edit(parts[-1].place, "<PERSON_1>")]
            every = [Edit(part.place, "<PERSON_1>") for part in parts]
            row(
                f"{name}, {style}, {len(raw)} B, {len(parts)} parts",
                loads=best(lambda raw=raw: orjson.loads(raw)),
                duplicates=best(lambda raw=raw, tree=tree: duplicated(raw, tree)),
                parse=best(lambda raw=raw: CHAT.parse(raw)),
                edit_last=best(lambda raw=raw, last=last: CHAT.edit(raw, last)),
                edit_all=best(lambda raw=raw, every=every: CHAT.edit(raw, every)),
                cap=best(lambda raw=raw: CHAT.shape(raw, cap_tokens=9, model=None, disable_tools=frozenset())),
            )


def chunk(delta: dict[str, Any]) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    return b"data: " + orjson.dumps({**head, "system_fingerprint": "fp_1", "choices": [choice]}) + b"\n\n"


def chunks() -> None:
    arguments = {"tool_calls": [{"index": 0, "function": {"arguments": '{"a'}}]}
    for name, delta in {"content": {"content": " Hello"}, "tool arguments": arguments}.items():
        raw, reader = chunk(delta), StreamReader(CALL)
        (event,) = reader.feed(raw)
        row(
            f"one chunk, {name}",
            loads=best(lambda raw=raw: orjson.loads(raw[6:-2])),
            feed=best(lambda raw=raw, reader=reader: reader.feed(raw)),
            ends=best(lambda event=event, reader=reader: reader.ends(event)),
            rewrite=best(lambda event=event, reader=reader: reader.rewrite(event, ["<P"])),
        )
    raw, reader = chunk({"content": " Hello"}) * 16, StreamReader(CALL)
    row("one of 16 chunks in one read", feed=best(lambda: reader.feed(raw)) / 16)


def embeddings() -> None:
    vectors = [{"object": "embedding", "index": i, "embedding": [0.0123456789] * 1536} for i in range(64)]
    raw = orjson.dumps({"object": "list", "data": vectors, "model": "m", "usage": {"prompt_tokens": 1}})

    def read() -> None:
        reader = EmbeddingReader(CALL)
        reader.feed(raw)
        reader.finish()

    row(f"embeddings, {len(raw)} B", loads=best(lambda: orjson.loads(raw)), read=best(read))


if __name__ == "__main__":
    requests()
    chunks()
    embeddings()
