"""Which method and path is governed, passed or denied, per kind of upstream (reference/wire.md 4.1). Default: deny.

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


DENIED = Route(Action.DENY)

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


def match(kind: str, method: str, path: str) -> Route:
    """The route of a path as sent upstream, without its query. A kind, method or spelling not listed is denied."""
    dialect = GOVERNED.get(kind, {}).get(path)
    if dialect is not None:
        return Route(Action.GOVERN, path, dialect) if method == "POST" else Route(Action.DENY, path, allow=("POST",))
    template = _passed(kind, path)
    if template is None:
        return DENIED
    return Route(Action.PASS, template) if method in _READ else Route(Action.DENY, template, allow=_READ)


def _passed(kind: str, path: str) -> str | None:
    passed = PASSED.get(kind, frozenset())
    if path in passed:
        return path
    known = passed and _MODEL_PATH.fullmatch(path) and ".." not in path
    return "/v1/models/{model}" if known else None
