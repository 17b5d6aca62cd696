"""Long texts in pieces: each is analysed and cached on its own, so that a changed tail re-analyses only itself.

A cut depends only on the text before it, so appending never moves one. A piece is analysed together with its
neighbourhood (`BEFORE` for context words, `AFTER` for what begins in it and ends later); a span belongs to the piece it
begins in. Cuts are sought at blank lines, then at line ends, then at spaces, never inside a PEM block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from sidecar.inspection.spans import Span

LEAST = 2048
MOST = 16384
BEFORE = 160
AFTER = 2048
PEM_BEGIN, PEM_END = "-----BEGIN ", "-----END "
LONGEST_PEM = 32768
LONGEST_END = 80
"""Code points of an end line; in one line of text a block ends in the middle of it."""


class Segment(NamedTuple):
    """`text[start:end]`, analysed as `text[low:high]`."""

    low: int
    start: int
    end: int
    high: int


def segments(text: str) -> list[Segment]:
    if len(text) <= 2 * LEAST:
        return [Segment(0, 0, len(text), len(text))]
    cuts = [0, *_cuts(text), len(text)]
    return [
        Segment(max(0, start - BEFORE), start, end, min(len(text), end + AFTER if _hard(text, end) else end))
        for start, end in pairwise(cuts)
    ]


def _cuts(text: str) -> Iterator[int]:
    at = 0
    while len(text) - at > 2 * LEAST:
        at = _outside_pem(text, at, _cut(text, at))
        if at >= len(text):
            return
        yield at


def _cut(text: str, start: int) -> int:
    low, high = start + LEAST, start + MOST
    line = text.find("\n", low, high)  # one character is found twenty times as fast as two
    blank = text.find("\n\n", line, high) if line >= 0 else -1
    if blank >= 0:
        return blank + 2
    at = line if line >= 0 else text.find(" ", low, high)
    return at + 1 if at >= 0 else min(high, len(text))


def _outside_pem(text: str, start: int, cut: int) -> int:
    begin = text.rfind(PEM_BEGIN, start, cut)
    if begin < 0 or text.find(PEM_END, begin, cut) >= 0:
        return cut
    end = text.find(PEM_END, cut, cut + LONGEST_PEM)
    if end < 0:
        return cut
    line = text.find("\n", end, end + LONGEST_END)
    return line + 1 if line >= 0 else min(len(text), end + LONGEST_END)


def _hard(text: str, cut: int) -> bool:
    """Whether something may run across the cut: anything but a blank line."""
    return text[cut - 2 : cut] != "\n\n"


def joined(parts: Sequence[tuple[Segment, Sequence[Span]]]) -> list[Span]:
    """Each piece's spans, moved to where they stand in the whole; what begins outside a piece is another's."""
    found: list[Span] = []
    for segment, spans in parts:
        for span in spans:
            start, end = span.start + segment.low, span.end + segment.low
            if segment.start <= start < segment.end and not (found and start < found[-1].end):
                found.append(span._replace(start=start, end=end))
    return found
