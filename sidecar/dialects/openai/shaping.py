"""Obligations on a request body: the output capped, the model routed, tools withdrawn. All else keeps its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from sidecar.dialects.jsontext import load
from sidecar.dialects.openai.fields import CAPS
from sidecar.dialects.openai.tools import tool_name
from sidecar.dialects.spans import Cut, Path, Span, apply, drop, locate

_LISTS: Mapping[str, tuple[str, ...]] = {
    "tools": ("tool_choice", "parallel_tool_calls"),  # OpenAI refuses these without tools
    "functions": ("function_call",),
}


def shape(body: bytes, *, cap: int | None, cap_field: str, model: str | None, disabled: frozenset[str]) -> bytes:
    """The body under its obligations; the very same bytes when none applies to it."""
    if cap is None and model is None and not disabled:
        return body
    tree = load(body)
    values = _capped(tree, cap, cap_field) if cap is not None else {}
    if model is not None and tree.get("model") != model:
        values["model"] = model
    gone = _withdrawn(tree, disabled) if disabled else {}
    return _rewritten(body, tree, values, gone) if values or gone else body


def _capped(tree: Mapping[str, Any], cap: int, field: str) -> dict[str, Any]:
    """Each limit that is set is lowered; where none is, one is. A negative one is none (llama.cpp, Ollama)."""
    present = [name for name in CAPS if tree.get(name) is not None]
    return {name: cap for name in present if not 0 <= tree[name] <= cap} if present else {field: cap}


def _withdrawn(tree: Mapping[str, Any], disabled: frozenset[str]) -> dict[Path, frozenset[Any]]:
    """Container -> the indexes or members that leave it."""
    gone: dict[Path, frozenset[Any]] = {}
    members: set[str] = set()
    for field, dependents in _LISTS.items():
        tools = tree.get(field) or []
        indexes = _named(tools, disabled)
        if indexes and len(indexes) == len(tools):
            members |= {field, *dependents}
        elif indexes:
            gone[field,] = indexes
    for field in ("tool_choice", "function_call"):
        members |= _choice(tree.get(field), field, disabled, gone)
    members &= tree.keys()
    for field in members:
        gone = {path: which for path, which in gone.items() if path[0] != field}
    return {**gone, (): frozenset(members)} if members else gone


def _choice(value: Any, field: str, disabled: frozenset[str], gone: dict[Path, frozenset[Any]]) -> set[str]:
    """A choice that names a withdrawn tool goes; of a list of allowed tools, only those withdrawn."""
    if tool_name(value) in disabled:
        return {field}
    allowed = value.get("allowed_tools") if type(value) is dict else None
    tools = allowed.get("tools") if type(allowed) is dict else None
    if type(tools) is not list:
        return set()
    indexes = _named(tools, disabled)
    if indexes and len(indexes) == len(tools):
        return {field}
    if indexes:
        gone[field, "allowed_tools", "tools"] = indexes
    return set()


def _named(tools: Iterable[Any], disabled: frozenset[str]) -> frozenset[int]:
    return frozenset(index for index, tool in enumerate(tools) if tool_name(tool) in disabled)


def _rewritten(
    body: bytes, tree: dict[str, Any], values: Mapping[str, Any], gone: Mapping[Path, frozenset[Any]]
) -> bytes:
    wanted: set[Path] = {(name,) for name in values if name in tree}
    wanted |= {(*path, step) for path in gone for step in _steps(tree, path)}
    spans = locate(body, tree, wanted)
    cuts = [Cut(*spans[name,][:2], orjson.dumps(value)) for name, value in values.items() if name in tree]
    for path, which in gone.items():
        cuts += _dropped(tree, path, which, spans)
    return apply(body, [*cuts, *_added(body, tree, values, gone)])


def _added(
    body: bytes, tree: Mapping[str, Any], values: Mapping[str, Any], gone: Mapping[Path, frozenset[Any]]
) -> list[Cut]:
    """New members go first: no need to find the end, and no comma to look for."""
    new = {name: value for name, value in values.items() if name not in tree}
    if not new:
        return []
    comma = b"," if tree.keys() - gone.get((), frozenset()) else b""
    start = body.index(b"{") + 1
    return [Cut(start, start, orjson.dumps(new)[1:-1] + comma)]


def _dropped(tree: Any, path: Path, which: frozenset[Any], spans: Mapping[Path, Span]) -> list[Cut]:
    steps = _steps(tree, path)
    items = []
    for step in steps:
        span = spans[(*path, step)]
        items.append((span.start if span.key_start < 0 else span.key_start, span.end))
    return drop(items, frozenset(index for index, step in enumerate(steps) if step in which))


def _steps(tree: Any, path: Path) -> list[Any]:
    for step in path:
        tree = tree[step]
    return list(tree) if type(tree) is dict else list(range(len(tree)))
