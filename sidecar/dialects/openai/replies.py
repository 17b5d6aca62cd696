"""One JSON object of a reply, a chunk or a whole body: its texts as deltas, its facts in passing.

Every string within `choices` is a delta, unless it is an id, a closed enumeration or a logprob's token: a surrogate
may stand anywhere the model or the server puts text, and nothing the caller gets back may stay one. Token texts of
logprobs keep the surrogate's spelling (reference/wire.md 4.2).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from sidecar.dialects.openai.fields import MODEL
from sidecar.dialects.spans import Path
from sidecar.errors import UpstreamError
from sidecar.model import Call, Channel, Delta, ReplyFacts, Usage

MAX_DEPTH = 64
MAX_RATIONALE = 65_536
"""Code points of stated reasoning that are kept for the record."""

CONFIDENCE_SOURCE = "logprobs-mean-v1"
NO_CHOICE = -1
"""The choice of texts that belong to none: error messages, citations."""

_TOP_SILENT = frozenset(
    {
        "id", "object", "created", "model", "system_fingerprint", "service_tier", "obfuscation", "usage",
        "prompt_logprobs", "prompt_token_ids", "data",
    }
)  # fmt: skip
_CHOICE_SILENT = frozenset({"index", "token_ids", "prompt_token_ids", "prompt_logprobs", "hidden_states"})
_SILENT = frozenset({"id", "type", "object", "role", "index", "data", "token_ids"})
_REASONING = frozenset({"reasoning", "reasoning_content"})
_JSON_FIELDS = frozenset({"tool_calls.arguments", "function_call.arguments"})
_CONTENT = frozenset({"content", "text"})
_SHORT = {"function": "", "custom": ""}

_FINGERPRINT = re.compile(r"[\w.:/-]{1,128}", re.ASCII)
_FINISH = re.compile(r"[a-z_]{1,40}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")


def unreadable() -> UpstreamError:
    return UpstreamError("UPSTREAM_UNREADABLE", "The model server's reply is not JSON of the shape it should have.")


class ReplyTree:
    """Keeps what a reply says of itself over all its chunks; its only growing memory is bounded."""

    def __init__(self, call: Call) -> None:
        self.head: Mapping[str, Any] = {}
        self.where: dict[Channel, Path] = {}
        self.error = False
        self._json_output = call.json_output
        self._plain: dict[tuple[int, int, str], tuple[Channel, Path]] = {}
        self._model: str | None = None
        self._id: str | None = None
        self._fingerprint: str | None = None
        self._finish: dict[int, str] = {}
        self._seen: set[int] = set()
        self._usage: Any = None
        self._logprobs = (0.0, 0)
        self._reasoning: list[str] = []
        self._reasoning_room = MAX_RATIONALE

    def read(self, tree: Any) -> tuple[Delta, ...]:
        """The deltas in document order. Raises UpstreamError when it is no object or nested too deep."""
        if type(tree) is not dict:
            raise unreadable()
        deltas: list[Delta] = []
        for key, value in tree.items():
            if key == "choices":
                self._choices(value, deltas)
            elif key not in _TOP_SILENT and value is not None:
                self._top(key, value, deltas)
        self._facts(tree)
        return tuple(deltas)

    def finished(self) -> bool:
        """Whether each choice seen has said why it ended."""
        return bool(self._finish) and self._seen <= self._finish.keys()

    def facts(self, *, complete: bool) -> ReplyFacts:
        confidence = self._confidence()
        return ReplyFacts(
            model_served=self._model,
            response_id=self._id,
            fingerprint=self._fingerprint,
            finish_reasons=tuple(self._finish[index] for index in sorted(self._finish)),
            usage=_usage(self._usage),
            confidence_ppm=confidence,
            confidence_source="unavailable" if confidence is None else CONFIDENCE_SOURCE,
            upstream_error=self.error,
            complete=complete and not self.error,
        )

    def rationale(self) -> str | None:
        return "".join(self._reasoning) or None

    def _facts(self, tree: dict[str, Any]) -> None:
        self.head = tree
        if self._model is None:
            self._model = _matching(MODEL, tree.get("model"))
        if self._id is None:
            self._id = _matching(_FINGERPRINT, tree.get("id"))
        if self._fingerprint is None:
            self._fingerprint = _matching(_FINGERPRINT, tree.get("system_fingerprint"))
        usage = tree.get("usage")
        if usage:
            self._usage = usage

    def _top(self, key: str, value: Any, deltas: list[Delta]) -> None:
        if key == "error" or (key == "object" and value == "error"):
            self.error = True
        self._walk((NO_CHOICE, 0), _name(key, 0), (key,), value, deltas)

    def _choices(self, choices: Any, deltas: list[Delta]) -> None:
        if type(choices) is not list:
            raise unreadable()
        for position, choice in enumerate(choices):
            if type(choice) is not dict:
                raise unreadable()
            index = choice.get("index", position)
            if type(index) is not int:
                raise unreadable()
            self._seen.add(index)
            self._choice(position, index, choice, deltas)

    def _choice(self, position: int, index: int, choice: dict[str, Any], deltas: list[Delta]) -> None:
        for key, value in choice.items():
            if value is None or key in _CHOICE_SILENT:
                continue
            if (key == "delta" or key == "message") and type(value) is dict:
                self._message(position, index, key, value, deltas)
            elif key == "finish_reason":
                self._finish[index] = _matching(_FINISH, value) or "other"
            elif key == "logprobs":
                if index == 0:
                    self._add_logprobs(value)
            else:
                self._walk((index, 0), _name(key, 0), ("choices", position, key), value, deltas)

    def _message(self, position: int, index: int, holder: str, message: dict[str, Any], deltas: list[Delta]) -> None:
        for field, value in message.items():
            if value is None or field == "role":
                continue
            if type(value) is str:
                known = self._plain.get((position, index, field))
                if known is None:
                    known = self._new_plain(position, index, holder, field)
                deltas.append(Delta(known[0], value, known[1]))
                if field in _REASONING:
                    self._reason(index, field, value, message)
            elif field == "tool_calls" and type(value) is list:
                self._tool_calls(index, ("choices", position, holder, field), value, deltas)
            else:
                self._walk((index, 0), _name(field, 0), ("choices", position, holder, field), value, deltas)

    def _new_plain(self, position: int, index: int, holder: str, field: str) -> tuple[Channel, Path]:
        """Channels are made once: a stream has few of them and many chunks."""
        path: Path = ("choices", position, holder, field)
        known = self._plain[position, index, field] = self._channel(index, 0, _name(field, 0), path), path
        return known

    def _channel(self, index: int, item: int, field: str, path: Path) -> Channel:
        json_text = field in _JSON_FIELDS or (self._json_output and field in _CONTENT)
        channel = Channel(index, field, item, json_text)
        self.where.setdefault(channel, path)
        return channel

    def _tool_calls(self, index: int, path: Path, calls: list[Any], deltas: list[Delta]) -> None:
        for position, call in enumerate(calls):
            item = call.get("index", position) if type(call) is dict else position
            at = index, item if type(item) is int else position
            self._walk(at, "tool_calls", (*path, position), call, deltas)

    def _walk(self, at: tuple[int, int], field: str, path: Path, value: Any, deltas: list[Delta]) -> None:
        """Every string below. Raises UpstreamError where it is nested too deep."""
        if len(path) > MAX_DEPTH:
            raise unreadable()
        kind = type(value)
        if kind is str:
            deltas.append(Delta(self._channel(*at, field, path), value, path))
        elif kind is dict:
            for place, (key, item) in enumerate(value.items()):
                if key not in _SILENT:
                    self._walk(at, _below(field, key, place), (*path, key), item, deltas)
        elif kind is list:
            for place, item in enumerate(value):
                self._walk(at, f"{field}[{place}]", (*path, place), item, deltas)

    def _reason(self, index: int, field: str, text: str, message: dict[str, Any]) -> None:
        """Choice 0 only; servers that send both spellings send the same text twice."""
        if index or (field == "reasoning_content" and message.get("reasoning")) or self._reasoning_room <= 0:
            return
        self._reasoning.append(text[: self._reasoning_room])
        self._reasoning_room -= len(text)

    def _add_logprobs(self, value: Any) -> None:
        total, count = self._logprobs
        for logprob in _logprobs(value):
            if type(logprob) in (float, int) and math.isfinite(logprob):
                total += logprob
                count += 1
        self._logprobs = total, count

    def _confidence(self) -> int | None:
        total, count = self._logprobs
        return min(round(math.exp(min(total / count, 0.0)) * 1_000_000), 1_000_000) if count else None


def _logprobs(value: Any) -> list[Any]:
    """Chat lists one object per token, completions a list of numbers (None first, where the prompt is echoed)."""
    if type(value) is not dict:
        return []
    tokens = value.get("content")
    if type(tokens) is list:
        return [token.get("logprob") for token in tokens if type(token) is dict]
    plain = value.get("token_logprobs")
    return plain if type(plain) is list else []


def _usage(value: Any) -> Usage:
    if type(value) is not dict:
        return Usage()
    return Usage(
        input_tokens=_count(value, "prompt_tokens"),
        output_tokens=_count(value, "completion_tokens"),
        reasoning_tokens=_count(value.get("completion_tokens_details"), "reasoning_tokens"),
        cached_tokens=_count(value.get("prompt_tokens_details"), "cached_tokens"),
    )


def _count(holder: Any, key: str) -> int | None:
    value = holder.get(key) if type(holder) is dict else None
    return value if type(value) is int and value >= 0 else None


def _matching(pattern: re.Pattern[str], value: Any) -> str | None:
    """A name as recorded: whatever is not one might be anybody's text."""
    return value if type(value) is str and pattern.fullmatch(value) else None


def _below(field: str, key: str, place: int) -> str:
    return field if key in _SHORT else f"{field}.{_name(key, place)}"


def _name(key: str, place: int) -> str:
    return key if _NAME.fullmatch(key) else f"?{place}"
