"""One JSON object of a reply, a chunk or a whole body: its texts as deltas, its facts in passing.

Every string within `choices` is a delta, unless it is an id, a closed enumeration or a logprob's token: a surrogate
may stand anywhere the model or the server puts text, and nothing the caller gets back may stay one. So is a key that no
API would name a field by. Token texts of logprobs keep the surrogate's spelling.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from sidecar.dialects.openai.fields import MODEL
from sidecar.dialects.openai.messages import encoded
from sidecar.dialects.spans import Path
from sidecar.errors import UpstreamError
from sidecar.model import EMPTY, Call, Channel, Delta, Operation, ReplyFacts, Usage

MAX_DEPTH = 64
MAX_CHOICES = 4096
MAX_CHANNELS = 65_536
MAX_WALKED = 262_144
"""Objects and lists in one event or body, beside those that are known to hold no text."""

CONFIDENCE_SOURCE = "logprobs-mean-v1"
NO_CHOICE = -1
"""The choice of texts that belong to none: error messages, citations."""

_TOP_KNOWN = frozenset(
    {
        "id", "object", "created", "model", "system_fingerprint", "service_tier", "obfuscation", "usage", "choices",
        "prompt_logprobs", "prompt_token_ids",
    }
)  # fmt: skip
_WITH_VECTORS = _TOP_KNOWN | {"data"}
_CHOICE_SILENT = frozenset({"index", "token_ids", "prompt_token_ids", "prompt_logprobs", "hidden_states"})
_SILENT = frozenset({"id", "type", "object", "role", "index", "data", "token_ids"})
_FREE = frozenset({"arguments", "input", "parsed"})
"""Below these the keys are the application's own: an `id` or `type` there may be anybody's text."""
_JSON_FIELDS = re.compile(r"(?:message\.)?(?:tool_calls(?:\[\d+\])?|function_call)\.arguments")
_WHOLE = re.compile(
    r"(\w+\.name|(\w+\.)?extra_content|annotations|content_filter\w+|matched_stop|message|\w+_reason"
    r"|(\w+\.)+(signature|format))\b"
)
"""Fields that each event gives in full: nothing of them is held for more, or a tool would lose its name."""
_CONTENT = frozenset({"content", "content.text", "text", "message.content"})
_HOLDERS = frozenset({"function", "custom"})


class Key(NamedTuple):
    """The slot of a key's own text: the path of what stands under it."""

    path: Path


Beside = tuple[Mapping[str, Any], ...]
"""For each step of a path, what a held tail repeats of the object that it starts from."""

_FINGERPRINT = re.compile(r"[\w.:/-]{1,128}", re.ASCII)
_FINISH = re.compile(r"[a-z_]{1,40}")
_FIELD = re.compile(r"[a-z][A-Za-z0-9_\-]*+|[0-9]{1,7}")
"""Keys that are no text; no surrogate, in whatever style, is one of these."""
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]]{0,120}")
_STEPS = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_\[\]]{0,40}\.){0,3}")
"""What stays of a label that is none: enough to tell whether it is of a tool's arguments."""


def has_ended(finish_reason: Any) -> bool:
    """Whether a choice ends with this. SGLang and Ollama write "" where it goes on, KoboldCpp "null"."""
    return finish_reason is not None and finish_reason not in ("", "null")


def index_of(choice: Mapping[str, Any], position: int) -> Any:
    """Which choice this is, by its place in the list where it does not say."""
    index = choice.get("index")
    return position if index is None else index


def has_failed(tree: Mapping[str, Any]) -> bool:
    """Whether the server gives up with this: `error`, or an object that is one (vLLM before 0.10)."""
    return bool(tree.get("error")) or tree.get("object") == "error"


def unreadable() -> UpstreamError:
    return UpstreamError("UPSTREAM_INVALID", "The model server's reply is not JSON of the shape it should have.")


class ReplyTree:
    """Keeps what a reply says of itself over all its chunks; its only growing memory is bounded."""

    def __init__(self, call: Call) -> None:
        self.head: Mapping[str, Any] = {}
        """The last object that had choices: what is carried has its id and model."""
        self._tree: Mapping[str, Any] = {}
        self.where: dict[Channel, tuple[Path, Beside]] = {}
        self.seen: set[int] = set()
        self.error = False
        self._json_output = call.json_output
        self._known = _WITH_VECTORS if call.operation is Operation.EMBEDDING else _TOP_KNOWN
        self._channels: dict[tuple[int, int, Path | Key], Channel] = {}
        self._plain: defaultdict[tuple[int, int], dict[str, tuple[Channel, Path]]] = defaultdict(dict)
        self._model: str | None = None
        self._id: str | None = None
        self._fingerprint: str | None = None
        self._finish: dict[int, str] = {}
        self._usage: Any = None
        self._logprobs = (0.0, 0)
        self._walked = 0
        self._has_media = False

    def read(self, tree: Any) -> tuple[Delta, ...]:
        """The deltas of one object. Raises UpstreamError when it is of another shape or nested too deep."""
        if type(tree) is not dict:
            raise unreadable()
        deltas: list[Delta] = []
        self._tree, self._walked = tree, 0
        if not tree.keys() <= self._known or tree.get("object") == "error":
            self._others(tree, deltas)
        choices = tree.get("choices")
        if choices is not None:
            self._choices(choices, deltas)
        if choices:
            self.head = tree
        if self._model is None or "usage" in tree:
            self._facts(tree)
        return tuple(deltas)

    def forget(self) -> None:
        """Let go of what was read: a tree is several times as large as its bytes."""
        self.head = self._tree = {}

    def finished(self) -> bool:
        """Whether each choice seen has said why it ended."""
        return bool(self._finish) and self.seen <= self._finish.keys()

    def facts(self, *, complete: bool) -> ReplyFacts:
        confidence = self._confidence()
        failed = self.error or set(self._finish.values()) == {"error"}  # OpenRouter says it in the choice
        return ReplyFacts(
            model_served=self._model,
            response_id=self._id,
            fingerprint=self._fingerprint,
            finish_reasons=tuple([self._finish[index] for index in sorted(self._finish)]),
            usage=_usage(self._usage),
            confidence_ppm=confidence,
            confidence_source="unavailable" if confidence is None else CONFIDENCE_SOURCE,
            upstream_error=failed,
            complete=complete and not failed,
            not_inspected="UNINSPECTABLE_CONTENT" if self._has_media else None,
        )

    def _facts(self, tree: dict[str, Any]) -> None:
        self._model = self._model or _matching(MODEL, tree.get("model"))
        self._id = self._id or _matching(_FINGERPRINT, tree.get("id"))
        self._fingerprint = self._fingerprint or _matching(_FINGERPRINT, tree.get("system_fingerprint"))
        self._usage = tree.get("usage") or self._usage

    def _others(self, tree: dict[str, Any], deltas: list[Delta]) -> None:
        """Errors, citations, whatever else a server puts beside the choices."""
        self.error = self.error or has_failed(tree)
        for key, value in tree.items():
            if key not in self._known:
                self._walk((NO_CHOICE, 0), key, (key,), value, deltas)

    def _choices(self, choices: Any, deltas: list[Delta]) -> None:
        if type(choices) is not list:
            raise unreadable()
        for position, choice in enumerate(choices):
            if type(choice) is not dict:
                raise unreadable()
            index = index_of(choice, position)
            if type(index) is not int or not 0 <= index < MAX_CHOICES:
                raise unreadable()
            self.seen.add(index)
            self._choice(index, position, choice, deltas)

    def _choice(self, index: int, position: int, choice: dict[str, Any], deltas: list[Delta]) -> None:
        for key, value in choice.items():
            if value is None or key in _CHOICE_SILENT:
                continue
            if key == "message" and type(choice.get("delta")) is dict:  # Perplexity: all that was said so far, again
                self._walk((index, 0), key, ("choices", position, key), value, deltas)
            elif (key == "delta" or key == "message") and type(value) is dict:
                self._message(index, position, key, value, deltas)
            elif key == "finish_reason":
                if has_ended(value):
                    self._finish[index] = _matching(_FINISH, value) or "other"
            elif key == "logprobs":
                if index == 0:
                    self._add_logprobs(value)
            else:
                self._walk((index, 0), key, ("choices", position, key), value, deltas)

    def _message(self, index: int, position: int, holder: str, message: dict[str, Any], deltas: list[Delta]) -> None:
        known = self._plain[index, position]
        for field, value in message.items():
            if type(value) is str and field != "role":
                channel, path = known.get(field) or self._learn(known, index, ("choices", position, holder, field))
                deltas.append(Delta(channel, value, path))
            elif type(value) is list:
                self._items(index, field, ("choices", position, holder, field), value, deltas)
            elif type(value) is dict:
                self._walk((index, 0), field, ("choices", position, holder, field), value, deltas)

    def _learn(self, known: dict[str, tuple[Channel, Path]], index: int, path: Path) -> tuple[Channel, Path]:
        """A stream has few channels and many chunks: each channel and its path are made once."""
        field = str(path[-1])
        known[field] = self._channel(index, 0, field, path), path
        return known[field]

    def _items(self, index: int, field: str, path: Path, items: list[Any], deltas: list[Delta]) -> None:
        """Tool calls, `reasoning_details` and their like say by `index` which item they go on with. Some servers number
        all calls 0 (ollama/ollama#15457): what has an `id` of its own is an item of its own.
        """
        known: dict[int, Any] = {}
        for position, item in enumerate(items):
            if type(item) in (str, dict, list):  # of a million numbers, naming each would take seconds
                number, name = (item.get("index"), item.get("id")) if type(item) is dict else (None, None)
                number = number if type(number) is int else position
                if name and known.setdefault(number, name) != name:
                    number = ~position
                self._walk((index, number), field, (*path, position), item, deltas)

    def _walk(self, at: tuple[int, int], field: str, path: Path, value: Any, deltas: list[Delta]) -> None:
        """Every string below. Raises UpstreamError where it is nested too deep."""
        kind = type(value)
        if kind is str:
            self._text(at, field, path, value, deltas)
        if kind is not dict and kind is not list:
            return
        self._walked += 1
        if len(path) > MAX_DEPTH or self._walked > MAX_WALKED:
            raise unreadable()
        if kind is dict:
            own = _FREE.isdisjoint(path)
            for key, item in value.items():
                if own and key in _SILENT:
                    self._has_media = self._has_media or (field == "audio" and key == "data")
                    continue
                if not _FIELD.fullmatch(key):
                    self._key(at, field, Key((*path, key)), deltas)
                self._walk(at, field if key in _HOLDERS else f"{field}.{key}", (*path, key), item, deltas)
        else:
            for place, item in enumerate(value):
                if type(item) in (str, dict, list):  # as in `_items`
                    self._walk(at, f"{field}[{place}]", (*path, place), item, deltas)

    def _key(self, at: tuple[int, int], field: str, slot: Key, deltas: list[Delta]) -> None:
        """No label can be made of one; nor is one told in pieces."""
        channel = self._channels.get((*at, slot))
        if channel is None:
            channel = self._channels[(*at, slot)] = self._channel(*at, f"{field}.?", slot.path)._replace(whole=True)
        deltas.append(Delta(channel, str(slot.path[-1]), slot))

    def _text(self, at: tuple[int, int], field: str, path: Path, text: str, deltas: list[Delta]) -> None:
        if text[:5] == "data:" and encoded(text) and _FREE.isdisjoint(path):  # an image: masks would break it
            self._has_media = True
            return
        channel = self._channels.get((*at, path))
        if channel is None:
            channel = self._channels[(*at, path)] = self._channel(*at, field, path)
        deltas.append(Delta(channel, text, path))

    def _channel(self, index: int, item: int, field: str, path: Path) -> Channel:
        if len(self.where) >= MAX_CHANNELS:
            raise unreadable()
        json_text = bool(_JSON_FIELDS.fullmatch(field)) or (self._json_output and field in _CONTENT)
        if not _LABEL.fullmatch(field):  # keys that are somebody's text
            known = _STEPS.match(field)
            assert known is not None
            field = f"{known[0]}other[{len(self._channels)}]"
        channel = Channel(index, field, item, json_text, index == NO_CHOICE or _WHOLE.match(field) is not None)
        self.where.setdefault(channel, (path, _beside(self._tree, path)))
        return channel

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


def _beside(tree: Any, path: Path) -> Beside:
    """Of each list's item on the path, which one it is and of what type: SDKs take no delta of it without."""
    beside = []
    for at, step in enumerate(path):
        is_item = at > 0 and type(path[at - 1]) is int and type(tree) is dict and _FREE.isdisjoint(path[:at])
        beside.append({key: tree[key] for key in ("index", "type") if key in tree} if is_item else EMPTY)
        tree = tree[step]
    return tuple(beside)


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
