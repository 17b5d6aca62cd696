"""Values in Rego's own notation (ast.Value.String)."""

from __future__ import annotations

from typing import Any, Final

from sidecar.rego.numbers import is_number, text_of
from sidecar.rego.values import RegoSet, Value, ordered, sorted_keys, thaw

_QUOTED: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip
"""What strconv.Quote escapes."""


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
