"""Completions and embeddings."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from collections.abc import Iterator
from typing import Any

from sidecar.stub import chat, told
from sidecar.stub.behaviours import Manner
from sidecar.stub.told import Json, Wrong

DIMENSIONS = 64


def prompts_of(body: Json) -> list[str]:
    """The prompts: a string, strings, token ids, or lists of token ids (which stand as their numbers)."""
    prompt = body.get("prompt", "")
    if isinstance(prompt, str):
        return [prompt]
    if not isinstance(prompt, list):
        raise Wrong("prompt must be a string or a list")
    if prompt and all(isinstance(one, int) for one in prompt):
        return [" ".join(map(str, prompt))]
    return [one if isinstance(one, str) else " ".join(map(str, one)) for one in prompt]


def texts_of(body: Json, raw: bytes, manner: Manner, scripted: str | None) -> list[tuple[str, str]]:
    """Text and finish reason of every choice: n for each prompt."""
    special = chat.manner_text(manner, raw, scripted)
    out = []
    for prompt in prompts_of(body):
        for index in range(chat.number(body)):
            text, finish = told.capped(told.sentence(prompt[: told.LIMIT], index), body.get("max_tokens"))
            if special is not None:
                text, finish = special, "stop"
            out.append((prompt + text if body.get("echo") else text, finish))
    return out


def head(body: Json, raw: bytes) -> Json:
    return {
        "id": told.identity("cmpl", raw),
        "object": "text_completion",
        "created": told.CREATED,
        "model": body.get("model", told.MODEL),
        "system_fingerprint": told.FINGERPRINT,
    }


def completion(body: Json, raw: bytes, texts: list[tuple[str, str]]) -> Json:
    """The whole reply."""
    choices = [
        {"index": index, "text": text, "logprobs": logprobs(body, text), "finish_reason": finish}
        for index, (text, finish) in enumerate(texts)
    ]
    return {**head(body, raw), "choices": choices, "usage": usage(body, texts)}


def usage(body: Json, texts: list[tuple[str, str]]) -> Json:
    return told.usage(sum(map(told.count, prompts_of(body))), sum(told.count(text) for text, _ in texts))


def chunks(body: Json, raw: bytes, texts: list[tuple[str, str]]) -> Iterator[Json]:
    """The reply as a stream, one choice after the other."""
    for index, (text, finish) in enumerate(texts):
        for piece in told.pieces(text):
            choice = {"index": index, "text": piece, "logprobs": logprobs(body, piece), "finish_reason": None}
            yield {**head(body, raw), "choices": [choice]}
        yield {**head(body, raw), "choices": [{"index": index, "text": "", "logprobs": None, "finish_reason": finish}]}
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**head(body, raw), "choices": [], "usage": usage(body, texts)}


def logprobs(body: Json, text: str) -> Json | None:
    if body.get("logprobs") is None:
        return None
    tokens = list(told.pieces(text))
    offsets = [sum(map(len, tokens[:at])) for at in range(len(tokens))]
    values = [told.logprob(at) for at in range(len(tokens))]
    top = [{token: value} for token, value in zip(tokens, values, strict=True)]
    return {"tokens": tokens, "token_logprobs": values, "top_logprobs": top, "text_offset": offsets}


def embeddings(body: Json) -> Json:
    """Vectors that depend on the text only, of length one."""
    inputs = body.get("input")
    if not isinstance(inputs, str | list) or not inputs:
        raise Wrong("input must be a string or a list")
    alone = isinstance(inputs, str) or isinstance(inputs[0], int)
    texts = [str(one) for one in ([inputs] if alone else inputs)]
    size = body.get("dimensions") or DIMENSIONS
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector(text, size), body.get("encoding_format"))}
        for index, text in enumerate(texts)
    ]
    tokens = sum(map(told.count, texts))
    told_usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body.get("model", told.MODEL), "usage": told_usage}


def vector(text: str, size: int) -> list[float]:
    """Floats drawn from a SHA-256 of the text, to single precision, so that both encodings mean the same."""
    noise = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(4 * size)
    values = [value / 2**31 - 1 for value in struct.unpack(f"<{size}I", noise)]
    length = math.sqrt(sum(value * value for value in values))
    return list(struct.unpack(f"<{size}f", struct.pack(f"<{size}f", *(value / length for value in values))))


def _encoded(values: list[float], encoding: str | None) -> Any:
    if encoding != "base64":
        return values
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
