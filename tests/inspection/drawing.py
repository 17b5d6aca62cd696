"""Strings that a regular expression matches, drawn from the expression itself, the same ones every time."""

from __future__ import annotations

import random
import re
from functools import cache
from re import _parser  # type: ignore[attr-defined]  # the only reader of regular expressions in the library
from typing import Any

ASCII = [chr(code) for code in range(32, 127)]
CATEGORIES = {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": " ", "CATEGORY_WORD": r"\w", "CATEGORY_NOT_SPACE": r"\S"}


def matching(regex: str, count: int) -> list[str]:
    """At most `count` strings that match it whole."""
    bare = regex.replace("(?i)", "")
    source, parsed, pattern = random.Random(7), _parser.parse(bare), re.compile(bare)
    drawn = (_drawn(parsed, source, {}) for _ in range(count))
    return sorted({text for text in drawn if pattern.fullmatch(text)})


def _drawn(nodes: Any, source: random.Random, groups: dict[int, str]) -> str:
    """A string that a parsed regular expression may match; look-around is left to a later check."""
    return "".join(_one(str(kind), value, source, groups) for kind, value in nodes)


def _one(kind: str, value: Any, source: random.Random, groups: dict[int, str]) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind == "IN":
        return source.choice(_choices(_class(value)))
    if kind == "ANY":
        return source.choice(ASCII)
    if kind == "BRANCH":
        return _drawn(source.choice(value[1]), source, groups)
    if kind == "SUBPATTERN":
        groups[value[0]] = _drawn(value[3], source, groups)
        return groups[value[0]]
    if kind == "GROUPREF":
        return groups[value]
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        low, high, inner = value
        times = source.randint(low, min(int(high), low + 8))
        return "".join(_drawn(inner, source, groups) for _ in range(times))
    return ""


@cache
def _choices(pattern: str) -> list[str]:
    return [char for char in ASCII if re.fullmatch(pattern, char)]


def _class(items: Any) -> str:
    parts = []
    for kind, value in items:
        if str(kind) == "LITERAL":
            parts.append(re.escape(chr(value)))
        elif str(kind) == "RANGE":
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif str(kind) == "CATEGORY":
            parts.append(CATEGORIES[str(value)])
    negated = "^" if str(items[0][0]) == "NEGATE" else ""
    return f"[{negated}{''.join(parts)}]"
