"""Strings: topdown/strings.go, template_string.go. Positions and lengths are in code points, as in OPA."""

# ruff: noqa: ARG001, ARG005 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from sidecar.rego.errors import BuiltinError
from sidecar.rego.leaving import key_text
from sidecar.rego.runtime import Run
from sidecar.rego.values import RegoSet, Value, ordered

from .operands import array, integer, obj, room, string, strings, type_name, wrong_type
from .text import rego_text

Builtin = Callable[..., Value]

SPACE: Final = "".join(
    map(chr, [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
)


def concat(run: Run, separator: Value, parts: Value) -> Value:
    joiner, items = string(separator, 1), strings(parts, 2)
    room(sum(map(len, items)) + len(joiner) * len(items))
    run.spend(len(items))
    return joiner.join(items)


def index_of(run: Run, a: Value, search: Value) -> Value:
    return string(a, 1).find(_searched(search))


def _searched(search: Value) -> str:
    if not string(search, 2):
        raise BuiltinError("empty search character")
    return search  # type: ignore[no-any-return]


def index_of_n(run: Run, a: Value, search: Value) -> Value:
    base, wanted, found, at = string(a, 1), _searched(search), [], -1
    while (at := base.find(wanted, at + 1)) >= 0:
        found.append(at)
    run.spend(len(found))
    return found


def substring(run: Run, a: Value, offset: Value, length: Value) -> Value:
    base, start, size = string(a, 1), integer(offset, 2), integer(length, 3)
    if start < 0:
        raise BuiltinError("negative offset")
    return base[start:] if size < 0 else base[start : start + size]


def split(run: Run, a: Value, delimiter: Value) -> Value:
    text, cut = string(a, 1), string(delimiter, 2)
    parts = text.split(cut) if cut else list(text)  # Go explodes on an empty separator
    run.spend(len(parts))
    return parts


def split_n(run: Run, a: Value, delimiter: Value, n: Value) -> Value:
    """The first `n` parts, or the last `-n`."""
    parts, wanted = split(run, a, delimiter), integer(n, 3)
    return parts[:wanted] if wanted >= 0 else parts[max(len(parts) + wanted, 0) :]


def replace(run: Run, a: Value, old: Value, new: Value) -> Value:
    text, wanted, put = string(a, 1), string(old, 2), string(new, 3)
    _between_bytes(wanted, text)
    room(len(text) + (text.count(wanted) + 1) * len(put))
    return text.replace(wanted, put)


def _between_bytes(wanted: str, text: str) -> None:
    """Go finds the empty text between the bytes of a character, too: what it makes of them is no text."""
    if not wanted and not text.isascii():
        raise BuiltinError("nothing cannot be replaced in text beyond ASCII")


def replace_n(run: Run, patterns: Value, a: Value) -> Value:
    """Go's strings.NewReplacer: at each place the first pattern, in key order, that matches."""
    pairs, text = obj(patterns, 1), string(a, 2)
    if any(type(key) is not str or type(item) is not str for key, item in pairs.items()):
        raise BuiltinError("operand 1 non-string key or value found in pattern object")
    if not pairs:
        return text
    _between_bytes(min(pairs), text)
    # Longer keys first only among those the replacer would tie on: it prefers keys in the order given.
    pattern = re.compile("|".join(re.escape(key) for key in sorted(pairs)))
    room((len(text) + 1) * (1 + max(map(len, pairs.values()))))
    return pattern.sub(lambda match: pairs[match[0]], text)


def count(run: Run, a: Value, search: Value) -> Value:
    return string(a, 1).count(string(search, 2))


def _trim(method: str) -> Builtin:
    def trim(run: Run, a: Value, cutset: Value) -> Value:
        return getattr(string(a, 1), method)(string(cutset, 2)) if string(cutset, 2) else string(a, 1)

    return trim


# Python maps whole words (`ß` to `SS`, a final sigma); Go maps code points one to one (unicode.ToUpper).
@lru_cache(maxsize=4096)
def _upper_one(char: str) -> str:
    mapped = char.upper()
    return mapped if len(mapped) == 1 else _SIMPLE_UPPER.get(char, char)


@lru_cache(maxsize=4096)
def _lower_one(char: str) -> str:
    mapped = char.lower()
    return mapped if len(mapped) == 1 else _SIMPLE_LOWER.get(char, char)


_SIMPLE_LOWER: Final = {"\u0130": "i"}
# Characters whose full upper case is longer but that have a simple one of their own (UnicodeData.txt).
_SIMPLE_UPPER: Final = {
    **{chr(0x1F80 + at): chr(0x1F88 + at) for at in range(8)},
    **{chr(0x1F90 + at): chr(0x1F98 + at) for at in range(8)},
    **{chr(0x1FA0 + at): chr(0x1FA8 + at) for at in range(8)},
    "\u1fb3": "\u1fbc", "\u1fc3": "\u1fcc", "\u1ff3": "\u1ffc",
}  # fmt: skip


def lower(run: Run, a: Value) -> Value:
    text = string(a, 1)
    return text.lower() if text.isascii() else "".join(map(_lower_one, text))


def upper(run: Run, a: Value) -> Value:
    text = string(a, 1)
    return text.upper() if text.isascii() else "".join(map(_upper_one, text))


def _affix(test: Callable[[str, str], bool]) -> Builtin:
    return lambda run, a, b: test(string(a, 1), string(b, 2))


def _any_affix(test: Callable[[str, tuple[str, ...]], bool]) -> Builtin:
    def match(run: Run, search: Value, base: Value) -> Value:
        texts, affixes = _texts(search, 1), tuple(_texts(base, 2))
        run.spend(len(texts) * max(len(affixes), 1))
        return any(test(text, affixes) for text in texts)

    return match


def _texts(value: Value, position: int) -> list[str]:
    if type(value) is str:
        return [value]
    if type(value) is not list and type(value) is not RegoSet:
        raise wrong_type(position, value, "string", "set", "array")
    return strings(value, position)


def template_string(run: Run, parts: Value) -> Value:
    """`$"..."`: scalars as they are; a set holds the one value of an expression, or none."""
    texts = [_piece(item) for item in array(parts, 1)]
    room(sum(map(len, texts)))
    return "".join(texts)


def _piece(value: Value) -> str:
    if type(value) is not RegoSet:
        if type(value) in (list, dict):
            raise BuiltinError(f"illegal argument type: {type_name(value)}")
        return key_text(value)
    if len(value) > 1:
        raise BuiltinError("template-strings must not produce multiple outputs")
    return "".join(item if type(item) is str else rego_text(item) for item in ordered(value)) or _empty(value)


def _empty(value: RegoSet) -> str:
    return "" if value else "<undefined>"


TABLE: dict[str, Builtin] = {
    "concat": concat,
    "contains": _affix(lambda a, b: b in a),
    "endswith": _affix(str.endswith),
    "indexof": index_of,
    "indexof_n": index_of_n,
    "internal.template_string": template_string,
    "lower": lower,
    "replace": replace,
    "split": split,
    "startswith": _affix(str.startswith),
    "strings.any_prefix_match": _any_affix(str.startswith),
    "strings.any_suffix_match": _any_affix(str.endswith),
    "strings.count": count,
    "strings.replace_n": replace_n,
    "strings.reverse": lambda run, a: string(a, 1)[::-1],
    "strings.split_n": split_n,
    "substring": substring,
    "trim": _trim("strip"),
    "trim_left": _trim("lstrip"),
    "trim_prefix": lambda run, a, b: string(a, 1).removeprefix(string(b, 2)),
    "trim_right": _trim("rstrip"),
    "trim_space": lambda run, a: string(a, 1).strip(SPACE),
    "trim_suffix": lambda run, a, b: string(a, 1).removesuffix(string(b, 2)),
    "upper": upper,
}
