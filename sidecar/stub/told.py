"""What a request tells the stub, and what it makes of that: text, pieces, JSON after a schema. Deterministic."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any

LENGTHS = (1, 3, 2, 5, 4, 7)
"""Code points per piece, over and over: no surrogate of a redaction stays in one piece."""

CREATED = 1_700_000_000
MODEL = "stub-model"
FINGERPRINT = "stub"
LIMIT = 64 * 1024
"""Code points that an ordinary reply repeats at most."""

GREETING = "This is the stub model server, not a model. You told me:"

Json = dict[str, Any]


class Wrong(Exception):
    """The request is not one that the API takes; the text goes to the caller, as it would from a real server."""


def text_of(content: object) -> str:
    """The text of a message's content: a string, or the text parts of a list; other parts by their type."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Wrong("content must be a string or a list of parts")
    return "\n".join(_part(part) for part in content)


def _part(part: object) -> str:
    if not isinstance(part, dict):
        raise Wrong("a content part must be an object")
    return str(part.get("text", "")) if part.get("type") == "text" else f"[{part.get('type')}]"


def messages_of(body: Json) -> list[Json]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise Wrong("messages must be a list of at least one object")
    return messages


def last_told(messages: list[Json]) -> str:
    """What the last message says."""
    return text_of(messages[-1].get("content"))[:LIMIT]


def sentence(told: str, choice: int = 0) -> str:
    again = f" (choice {choice + 1})" if choice else ""
    return f"{GREETING}{again} {told}"


def pieces(text: str) -> Iterator[str]:
    """The text in pieces, cut at odd places. A piece is what the stub calls a token."""
    at = 0
    for length in cycle(LENGTHS):
        if at >= len(text):
            return
        yield text[at : at + length]
        at += length


def capped(text: str, tokens: int | None) -> tuple[str, str]:
    """The text within a cap of tokens, and the finish reason that goes with it."""
    if tokens is None:
        return text, "stop"
    kept: list[str] = []
    for piece in pieces(text):
        if len(kept) == tokens:
            return "".join(kept), "length"
        kept.append(piece)
    return text, "stop"


def count(text: str) -> int:
    """Tokens of a text, as the stub counts them."""
    return sum(1 for _ in pieces(text))


def usage(prompt: int, completion: int, reasoning: int = 0) -> Json:
    told: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if reasoning:
        told["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return told


def filled(schema: object, told: str, depth: int = 0) -> Any:
    """A value that a JSON Schema allows, with what was told wherever a string may stand."""
    if not isinstance(schema, dict) or depth > 8:
        return told
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object" or "properties" in schema:
        return {name: filled(inner, told, depth + 1) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [filled(schema.get("items", {}), told, depth + 1)]
    return {"integer": 1, "number": 0.5, "boolean": True, "null": None}.get(kind or "", told)


def compact(value: Any) -> str:
    """JSON as models write it: no spaces to speak of, Unicode as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def identity(prefix: str, raw: bytes) -> str:
    """An id that depends on the request only, so that two equal calls are answered alike."""
    return f"{prefix}-stub-{hashlib.sha256(raw).hexdigest()[:16]}"


def logprob(position: int) -> float:
    """A made-up log probability: -0.01, -0.02 ... -0.05, and again."""
    return -((position % 5) + 1) / 100
