"""How the stub misbehaves on request.

A request chooses by the header `x-stub-behaviour: NAME[,NAME]`, by `metadata: {"stub": "NAME[,NAME]"}` in the body, or
by the model name `stub-NAME`. Unknown names and unknown `x-stub-*` headers are refused: a test that misspells one must
not pass by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.stub.told import MODEL, Json, Wrong

NAMES: Mapping[str, str] = {
    "model": "nothing special",
    "echo": "the reply's text is the whole request body, as it came",
    "reasoning": "a `reasoning_content` beside the answer",
    "bytewise": "a stream is written byte by byte",
    "whole": "a stream is written at once",
    "comments": "a stream has comments and a retry line between its events",
    "crlf": "a stream's lines end in CR LF",
    "gzip": "the reply is gzipped when the caller takes that",
    "slow": "50 ms between pieces",
    "huge": "the reply's text is `x-stub-size` code points long (4 Mi)",
    "lone-surrogate": "the reply's text ends in half a UTF-16 pair, as a \\u escape",
    "no-done": "a stream ends without [DONE]",
    "hang-head": "nothing is ever answered",
    "hang-stream": "`x-stub-after` pieces (3), then nothing",
    "die-head": "the connection is cut before the head",
    "die-stream": "`x-stub-after` pieces (3), then the connection is cut",
    "short": "the body is shorter than Content-Length says",
    "truncated": "the JSON breaks off, the HTTP message does not",
    "garbage": "200, application/json, and no JSON",
    "not-http": "bytes that are not HTTP",
    "html": "200 and an HTML page",
    "html-502": "502 and an HTML page, as a proxy in between would",
    "wrong-type": "the right JSON as text/plain",
    "error-400": "400 in the API's envelope, quoting the last message",
    "error-429": "429, the same, with Retry-After",
    "error-500": "500, the same",
    "error-stream": "three pieces, then an error event",
    "redirect": "302 to another path",
}
HEADERS = ("x-stub-behaviour", "x-stub-pace-ms", "x-stub-size", "x-stub-after", "x-stub-text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one request wants to be answered. `pace` is seconds between pieces, `text` an answer given in full."""

    names: frozenset[str] = frozenset()
    pace: float = 0.0
    size: int = 4 * 1024 * 1024
    after: int = 3
    text: str | None = None

    def __contains__(self, name: str) -> bool:
        return name in self.names


def manner(headers: Mapping[str, str], body: Json, pace: float) -> Manner:
    """Read it off a request. Raises Wrong."""
    unknown = [name for name in headers if name.lower().startswith("x-stub-") and name.lower() not in HEADERS]
    if unknown:
        raise Wrong(f"unknown header {unknown[0]}")
    names = _named(headers.get("x-stub-behaviour")) | _named(_metadata(body)) | _by_model(body.get("model"))
    if names - NAMES.keys():
        raise Wrong(f"unknown behaviour {sorted(names - NAMES.keys())[0]}")
    return Manner(
        names=names,
        pace=_number(headers, "x-stub-pace-ms", 50 if "slow" in names else pace * 1000) / 1000,
        size=int(_number(headers, "x-stub-size", 4 * 1024 * 1024)),
        after=int(_number(headers, "x-stub-after", 3)),
        text=headers.get("x-stub-text"),
    )


def _named(text: object) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip()) if isinstance(text, str) else frozenset()


def _metadata(body: Json) -> object:
    metadata = body.get("metadata")
    return metadata.get("stub") if isinstance(metadata, dict) else None


def _by_model(model: object) -> frozenset[str]:
    """`stub-echo` asks for `echo`; any other model name is taken and answered for."""
    if not isinstance(model, str) or not model.startswith("stub-") or model == MODEL:
        return frozenset()
    return frozenset({model.removeprefix("stub-")})


def _number(headers: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(headers.get(name, default))
    except ValueError:
        raise Wrong(f"{name} must be a number") from None
