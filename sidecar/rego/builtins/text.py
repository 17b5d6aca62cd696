"""Values as text: JSON as Go's encoding/json writes it, and Rego's own notation (ast.Value.String)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sidecar.rego.numbers import is_number, text_of
from sidecar.rego.values import RegoSet, Value, key_text, ordered, sorted_keys, thaw

# Go escapes these in every JSON string it writes (encoding/json, escapeHTML) ...
_HTML: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HTML_PATTERN: Final = re.compile("[<>&\u2028\u2029]")
# ... and these in a quoted string (strconv.Quote).
_QUOTED: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip


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


def go_quote(text: str) -> str:
    """strconv.Quote."""
    return '"' + "".join(map(_quoted, text)) + '"'


def _quoted(char: str) -> str:
    if char in _QUOTED:
        return _QUOTED[char]
    if char.isprintable() and (char == " " or not char.isspace()):
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def rego_text(value: Value) -> str:
    """`value` in Rego's notation, as `sprintf("%v")` shows composites."""
    kind = type(value)
    if value is None or kind is bool:
        return {None: "null", True: "true", False: "false"}[value]
    if kind is str:
        return go_quote(value)
    if is_number(value):
        return text_of(value)
    if kind is list:
        return "[" + ", ".join(map(rego_text, value)) + "]"
    if kind is RegoSet:
        return "{" + ", ".join(map(rego_text, ordered(value))) + "}" if value else "set()"
    return "{" + ", ".join(_pair(key, value[key]) for key in sorted_keys(value)) + "}"


def _pair(key: Any, item: Value) -> str:
    return f"{rego_text(thaw(key))}: {rego_text(item)}"
