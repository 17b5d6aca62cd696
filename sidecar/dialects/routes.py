"""Which method and path is governed, passed or denied, per kind of upstream. Default: deny.

Passed: liveness, metrics and model lists, which hold no caller's text. Denied with all the rest: what loads weights,
what takes or gives token ids, what keeps state, and every operation whose dialect is not written yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from sidecar.dialects import Dialect
from sidecar.dialects.openai.dialect import OpenAI
from sidecar.model import Operation


class Action(StrEnum):
    GOVERN = "govern"
    PASS = "pass"  # noqa: S105  an action, not a password
    DENY = "deny"


class Route(NamedTuple):
    """`template` is what the record and the metrics name; a denied path is never shown.

    `allow` names the methods of a path that is listed for others only (405); it is empty for a path not listed (404).
    """

    action: Action
    template: str = "unknown"
    dialect: Dialect | None = None
    allow: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether it is forwarded untouched, and only counted."""
        return self.action is Action.PASS

    @property
    def open(self) -> bool:
        """Whether anybody may ask: probes and scrapers (kubelet, Prometheus, an endpoint picker) bring no key."""
        return self.passes and self.template in OPEN


DENIED = Route(Action.DENY)

_ELSE = (
    "This path is not governed, so it is not forwarded. POST /v1/chat/completions, /v1/completions and /v1/embeddings "
    "are, and GET /v1/models passes."
)
_ADVICE = (
    (
        re.compile(r"(?:/openai)?(?:/v1)?/responses(?:/.*)?"),
        "The Responses API is not governed, so it is not forwarded. Let your client use chat completions: "
        "client.chat.completions.create in the openai SDK, use_responses_api=False in LangChain, "
        "OpenAIChatModel in Pydantic AI, openai.chat(model) or @ai-sdk/openai-compatible in the AI SDK, "
        'set_default_openai_api("chat_completions") in the Agents SDK.',
    ),
    (
        re.compile(r"/openai/(?:deployments/.*|v1/.*)"),
        "Azure's paths are not governed here. Use the plain OpenAI client with the sidecar's base URL, which ends in "
        "/v1, the deployment as `model`, and give the sidecar https://NAME.openai.azure.com/openai/v1 as its upstream.",
    ),
    (
        re.compile(r"/api/(?:chat|generate|embed|embeddings)"),
        "Ollama's own API is not governed, so it is not forwarded. It speaks OpenAI's too: use a client of that, "
        "with the sidecar's base URL, which ends in /v1.",
    ),
    (
        re.compile(r"(?:/v1)?/messages(?:/.*)?"),
        "The Messages API is not governed, so it is not forwarded. Where the model server speaks OpenAI's API too, use "
        "a client of that, with the sidecar's base URL, which ends in /v1.",
    ),
    (
        re.compile(r"/+(?:v1/+)*(?:chat/+completions|completions|embeddings|models)/*"),
        "This path is spelled otherwise than any that is governed. End the client's base URL in /v1, once and without "
        "a slash behind it.",
    ),
)
"""What callers meet who come with another API, or whose base URL is not quite ours: that is how they get on."""

_MODEL_PATH = re.compile(r"/v1/models/(?:[A-Za-z0-9._:@+~=-]|%2[Ff])+")
_READ = ("GET", "HEAD")


def _governed(chat_cap: str) -> Mapping[str, Dialect]:
    return {
        "/v1/chat/completions": OpenAI(operation=Operation.CHAT, cap_field=chat_cap),
        "/v1/completions": OpenAI(operation=Operation.COMPLETION, cap_field="max_tokens"),
        "/v1/embeddings": OpenAI(operation=Operation.EMBEDDING, cap_field=None),
    }


GOVERNED: Mapping[str, Mapping[str, Dialect]] = {
    "openai": _governed("max_completion_tokens"),  # o-series and later refuse max_tokens
    "vllm": _governed("max_tokens"),
}

PASSED: Mapping[str, frozenset[str]] = {
    "openai": frozenset({"/v1/models"}),
    "vllm": frozenset({"/health", "/ping", "/load", "/version", "/metrics", "/v1/models"}),
}


OPEN = PASSED["vllm"] - {"/v1/models"}


def match(kind: str, method: str, path: str) -> Route:
    """The route of a path as sent upstream, without its query. A kind, method or spelling not listed is denied."""
    dialect = GOVERNED.get(kind, {}).get(path)
    if dialect is not None:
        return Route(Action.GOVERN, path, dialect) if method == "POST" else Route(Action.DENY, path, allow=("POST",))
    template = _passed(kind, path)
    if template is None:
        return DENIED
    return Route(Action.PASS, template) if method in _READ else Route(Action.DENY, template, allow=_READ)


def advice(path: str) -> str:
    """What to tell the caller of a path that is not listed. It holds nothing of the path."""
    return next((text for pattern, text in _ADVICE if pattern.fullmatch(path)), _ELSE)


def _passed(kind: str, path: str) -> str | None:
    passed = PASSED.get(kind, frozenset())
    if path in passed:
        return path
    known = passed and _MODEL_PATH.fullmatch(path) and ".." not in path
    return "/v1/models/{model}" if known else None
