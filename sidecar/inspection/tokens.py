"""One pass over a text: where the things stand at which a recogniser may start.

Every number-like recogniser begins with a token that holds a digit, so it is tried only at tokens of a fitting length:
one `match` at a known place instead of one search per pattern over the whole text. That is what makes the cost linear
and small, with or without a multi-pattern scanner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

DIGITS = re.compile(r"[0-9]+")
WORD_TAIL = re.compile(r"[^\W_]*")
LONGEST_TOKEN = 128
"""A longer run of letters is no identifier but base64 or a hash; it is left to the secrets rules."""


class Token(NamedTuple):
    """A run of letters and digits that holds a digit; `numeric` when it holds nothing else."""

    start: int
    end: int
    numeric: bool


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    after = 0
    for run in DIGITS.finditer(text):
        start, end = run.span()
        if start < after:
            continue
        left = _head(text, start, after)
        after = _tail(text, end)
        found.append(Token(left, after, left == start and after == end))
    return found


def _head(text: str, start: int, floor: int) -> int:
    floor = max(floor, start - LONGEST_TOKEN)
    while start > floor and text[start - 1].isalnum():
        start -= 1
    return start


def _tail(text: str, end: int) -> int:
    if end < len(text) and text[end].isalnum():
        matched = WORD_TAIL.match(text, end)
        return matched.end() if matched else end
    return end


def grouped(tokens: Sequence[Token], least: int, gap: int) -> Iterator[int]:
    """Indexes of tokens that may begin a number of `least` digits: long enough, or the next one stands near."""
    last = len(tokens) - 1
    for at, (start, end, _) in enumerate(tokens):
        if end - start >= least or (at < last and tokens[at + 1].start - end <= gap):
            yield at


def places(text: str, mark: str) -> list[int]:
    """Every offset of `mark`."""
    found = []
    at = text.find(mark)
    while at >= 0:
        found.append(at)
        at = text.find(mark, at + 1)
    return found
