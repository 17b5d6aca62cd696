"""Values that leave the room: as plain JSON, and as JSON text as Go's encoding/json writes it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .numbers import is_number, text_of
from .values import RegoSet, Value, ordered, string_keys, thaw

_HTML: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What Go escapes in every JSON string that it writes (encoding/json, escapeHTML)."""
_HTML_PATTERN: Final = re.compile("[<>&\u2028\u2029]")


def to_json(value: Value) -> Any:
    """Plain JSON in OPA's order: sets as sorted arrays, keys as sorted strings, numbers as int or float."""
    kind = type(value)
    if kind is str or kind is bool or kind is int or value is None:
        return value
    if kind is RegoSet:
        return [to_json(item) for item in ordered(value)]
    if kind is list:
        return [to_json(item) for item in value]
    if kind is dict:
        return object_to_json(value)
    return float(value)


def object_to_json(obj: dict[Any, Value]) -> dict[str, Any]:
    names = string_keys(obj)
    if names is None:
        return dict(sorted((key_text(thaw(key)), to_json(item)) for key, item in obj.items()))
    return {name: item if type(item := obj[name]) is str else to_json(item) for name in names}


def key_text(key: Value) -> str:
    """How OPA spells a key that is not a string when the object must become JSON (ast.JSON)."""
    return key if type(key) is str else json_text(key)


def json_string(text: str) -> str:
    return _HTML_PATTERN.sub(lambda match: _HTML[match[0]], json.dumps(text, ensure_ascii=False))


def json_text(value: Value, indent: str | None = None, prefix: str = "", level: int = 0) -> str:
    """`value` as JSON; with `indent`, laid out as Go's MarshalIndent does."""
    kind = type(value)
    if value is None or kind is bool:
        return {None: "null", True: "true", False: "false"}[value]
    if kind is str:
        return json_string(value)
    if is_number(value):
        return text_of(value)
    if kind is dict:
        pairs = sorted((key_text(thaw(key)), item) for key, item in value.items())
        colon = ": " if indent is not None else ":"
        parts = [json_string(key) + colon + json_text(item, indent, prefix, level + 1) for key, item in pairs]
        return _bracketed("{}", parts, indent, prefix, level)
    items = ordered(value) if kind is RegoSet else value
    return _bracketed("[]", [json_text(item, indent, prefix, level + 1) for item in items], indent, prefix, level)


def _bracketed(ends: str, parts: list[str], indent: str | None, prefix: str, level: int) -> str:
    if indent is None or not parts:
        return ends[0] + ",".join(parts) + ends[1]
    line = "\n" + prefix + indent * (level + 1)
    return ends[0] + line + ("," + line).join(parts) + "\n" + prefix + indent * level + ends[1]
