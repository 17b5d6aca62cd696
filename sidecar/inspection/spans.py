"""What a detector marks in a text, and how overlapping marks become disjoint spans."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from enum import IntEnum
from operator import attrgetter
from typing import NamedTuple

WORD = re.compile(r"[^\W_]")
ADDRESS = "STREET_ADDRESS"


class Strength(IntEnum):
    """What a mark rests on; the stronger one names the span where two overlap (reference/pii.md section 8)."""

    WEAK = 1  # a shape that many other things have too
    LIST = 2  # a word list
    MODEL = 3  # a trained model
    PROVEN = 4  # a checksum, or a structure nothing else has (an e-mail address, a private key's header)


class Span(NamedTuple):
    """`start` and `end` are code points. Ordered fields, so that spans sort by position."""

    start: int
    end: int
    entity: str
    score: float
    detector: str
    strength: Strength = Strength.WEAK


def resolve(spans: Iterable[Span], text: str) -> list[Span]:
    """Disjoint spans, by position, that cover every letter and digit any detector marked.

    The strongest of an overlapping group names it; a loser that sticks out widens the winner (a span is never
    trimmed: half a name left standing is a leak), unless what sticks out is only punctuation.
    """
    settled: list[Span] = []
    for span in sorted(_apart(sorted(spans), text)):
        while settled and settled[-1].end > span.start:
            span = _join(settled.pop(), span, text)
        settled.append(span)
    return settled


def _apart(spans: list[Span], text: str) -> list[Span]:
    """A model's address may run on over the number that follows it ("..., Amsterdam, BSN 123456782"). What a rule found
    at its edge keeps its own name, since policy asks for types.
    """
    marks = [span for span in spans if span.strength is not Strength.MODEL and span.entity != ADDRESS]
    if not marks or not any(map(_is_models_address, spans)):
        return spans
    return [_shortened(span, marks, text) if _is_models_address(span) else span for span in spans]


def _is_models_address(span: Span) -> bool:
    return span.entity == ADDRESS and span.strength is Strength.MODEL


def _shortened(address: Span, marks: list[Span], text: str) -> Span:
    """Without the marks at its end, and the punctuation before them; `marks` are in order."""
    start, end = address.start, address.end
    low, high = bisect_left(marks, (start + 1,)), bisect_left(marks, (end,))
    for mark in sorted(marks[low:high], key=attrgetter("end"), reverse=True):
        if mark.end > end or _has_word(text, mark.end, end) or not _has_word(text, start, mark.start):
            break
        end = mark.start
        while not _has_word(text, end - 1, end):
            end -= 1
    return address._replace(end=end)


def _join(left: Span, right: Span, text: str) -> Span:
    winner, loser = (left, right) if _weight(left) >= _weight(right) else (right, left)
    start = _widened(loser.start, winner.start, text)
    end = max(winner.end, loser.end)
    if end > winner.end and not _has_word(text, winner.end, end):
        end = winner.end
    return winner._replace(start=start, end=end)


def _widened(outer: int, inner: int, text: str) -> int:
    return outer if outer < inner and _has_word(text, outer, inner) else inner


def _has_word(text: str, start: int, end: int) -> bool:
    return WORD.search(text, start, end) is not None


def _weight(span: Span) -> tuple[int, float, int]:
    return (span.strength, span.score, span.end - span.start)
