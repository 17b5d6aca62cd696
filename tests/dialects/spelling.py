"""JSON as others spell it: a writer that makes arbitrary choices, a slow reader that tells where each token stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ["", '"', "\\", "\\u0022", "a\\", ":", '","', "<PERSON_1>", "é", "😀", "\n", "/", "content", '":"']
)
NUMBERS = st.sampled_from(["0", "-0", "0.70", "1e5", "12345678", "-4111111111111111", "98765432109876543210.50", "7"])


class Number(str):
    """A number by its spelling."""

    __slots__ = ()


LEAVES = TEXTS | NUMBERS.map(Number) | st.booleans() | st.none()
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


def write(tree: Any, dice: Random) -> str:
    """A spelling of the tree: blanks, escapes and their case are drawn anew for each token."""
    if isinstance(tree, dict):
        members = [f"{_blank(dice)}{_text(k, dice)}{_blank(dice)}:{write(v, dice)}" for k, v in tree.items()]
        return _blank(dice) + "{" + ",".join(members) + _blank(dice) + "}" + _blank(dice)
    if isinstance(tree, list):
        return _blank(dice) + "[" + ",".join(write(v, dice) for v in tree) + _blank(dice) + "]" + _blank(dice)
    if isinstance(tree, Number):
        return _blank(dice) + tree + _blank(dice)
    word = _text(tree, dice) if isinstance(tree, str) else json.dumps(tree)
    return _blank(dice) + word + _blank(dice)


def _blank(dice: Random) -> str:
    return dice.choice(["", "", "", "", " ", "\n  ", "\t\r\n"])


def _text(text: str, dice: Random) -> str:
    style = dice.random()
    return '"' + "".join(_character(char, dice, style) for char in text) + '"'


def _character(char: str, dice: Random, style: float) -> str:
    if style < 0.3 and dice.random() < 0.4:
        units = char.encode("utf-16-be").hex()
        escaped = "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
        return escaped if dice.random() < 0.5 else escaped.upper().replace("\\U", "\\u")
    if char == "/" and style < 0.5:
        return "\\/"
    return json.dumps(char, ensure_ascii=style > 0.8)[1:-1]


class Token(NamedTuple):
    path: tuple[Any, ...]
    is_key: bool
    start: int
    end: int


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def tokens(spelled: str) -> Iterator[Token]:
    """Every key and scalar with its path, read one after another."""
    found = [(match[0], *match.span()) for match in _TOKEN.finditer(spelled)]
    yield from _value(found, (), [0])


def _value(found: list[Any], path: tuple[Any, ...], at: list[int]) -> Iterator[Token]:
    word, start, end = found[at[0]]
    at[0] += 1
    if word == "{":
        while found[at[0]][0] != "}":
            key, start, end = found[at[0]]
            below = (*path, json.loads(key))
            yield Token(below, True, start, end)
            at[0] += 2
            yield from _value(found, below, at)
            at[0] += found[at[0]][0] == ","
        at[0] += 1
    elif word == "[":
        index = 0
        while found[at[0]][0] != "]":
            yield from _value(found, (*path, index), at)
            at[0] += found[at[0]][0] == ","
            index += 1
        at[0] += 1
    else:
        yield Token(path, False, start, end)
