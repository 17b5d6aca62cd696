"""One pass over a text: where the things stand at which a recogniser may start.

Every number-like recogniser begins with a token that holds a digit, so it is tried only at tokens of a fitting length:
one `match` at a known place instead of one search per pattern over the whole text. That is what makes the cost linear
and small, with or without a multi-pattern scanner.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from sidecar.inspection.spans import Span

DIGITS = re.compile(r"[0-9]+")
WORD_TAIL = re.compile(r"[^\W_]*")
DIGIT_NEAR = re.compile(r"\D{0,3}\d")
"""Groups of one number stand at most three separators apart."""
LONGEST_TOKEN = 128
"""A longer run of letters is no identifier but base64 or a hash; it is left to the secrets rules."""

LATIN = tuple(map(chr, range(256)))
OUTLINE = "".join("9" if "0" <= char <= "9" else "x" if char.isalnum() else " " for char in LATIN).encode()
"""What each code point of Latin-1 is to a token: a digit, a letter, or neither."""

RUN = re.compile(b"99*+(x[9x]*+)?")
"""Of an outline: from a token's first digit to its end. A search runs to its first character, and `9++` has none."""
LETTER = ord("x")

NOWHERE = (sys.maxsize, sys.maxsize)
"""Behind every text."""

Token = tuple[int, int, bool]
"""Start, end, and whether it is numeric: a run of letters and digits that holds a digit; numeric if nothing else."""


def outline(text: str) -> bytes | None:
    """The text as digits (9), letters (x) and blanks, a byte a code point: what stands where is then found at memory
    speed, ten times as fast as a regular expression looks for it. None where a code point needs more than a byte."""
    try:
        return text.encode("latin-1").translate(OUTLINE)
    except UnicodeEncodeError:
        return None


STAMP = re.compile(r"20[0-9]{12}-[0-9a-f]{12}(?![0-9A-Za-z])")
"""When, and at which commit, in the version of a Go module without a tag: `v0.0.0-20180830191138-d8f796af33cc`."""


def tokens(text: str, drawn: bytes | None = None) -> list[Token]:
    """`drawn` is the text's outline, None where it has none. The stamps of versions are left out: they make sums of
    check digits as often as any number, and a list of modules has thousands."""
    found = _searched(text) if drawn is None else _drawn(drawn)
    stamps = {at + 1 for mark in ("-20", ".20") for at in places(text, mark) if STAMP.match(text, at + 1)}
    return [one for one in found if not {one[0], one[0] - 15} & stamps] if stamps else found


def _drawn(drawn: bytes) -> list[Token]:
    found: list[Token] = []
    after = 0
    for run in RUN.finditer(drawn):
        digit, end = run.span()
        start = digit
        if digit > after and drawn[digit - 1] == LETTER:
            floor = after if digit - after < LONGEST_TOKEN else digit - LONGEST_TOKEN
            start = drawn.rfind(b" ", floor, digit) + 1 or floor
        after = end
        found.append((start, end, start == digit and run.lastindex is None))
    return found


def _searched(text: str) -> list[Token]:
    found: list[Token] = []
    after = 0
    for run in DIGITS.finditer(text):
        start, end = run.span()
        if start < after:
            continue
        left = _head(text, start, after)
        after = _tail(text, end)
        found.append((left, after, left == start and after == end))
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


def outside(text: str, tokens: Sequence[Token], tried: Sequence[int], spans: Sequence[Span]) -> Sequence[int]:
    """Those of the tokens `tried` (indexes) that do not lie inside something proven; the spans are in order.

    What could be found there would be a part of what is proven. Where a digit follows near, it might be more than that,
    so that nothing is left out; nor is the token that a span begins with if something before belongs to it.
    """
    proven = [(span.start, span.end) for span in spans if span.score >= 1.0 and not DIGIT_NEAR.match(text, span.end)]
    if not proven:
        return tried
    kept: list[int] = []
    following = iter(proven)
    first, last = next(following)
    for index in tried:
        start, end, _ = tokens[index]
        while last < end:
            first, last = next(following, NOWHERE)
        if start < first or (start == first and _is_led(text, start)):
            kept.append(index)
    return kept


def _is_led(text: str, start: int) -> bool:
    """Whether a sign or a short word stands before a number that may belong to it."""
    before = text[max(0, start - 2) : start]
    return before.endswith(("+", "(")) or before[:1].isupper()


def places(text: str, mark: str) -> list[int]:
    """Every offset of `mark`."""
    found = []
    at = text.find(mark)
    while at >= 0:
        found.append(at)
        at = text.find(mark, at + 1)
    return found
