"""Long texts in pieces: each is analysed and cached on its own, so that a changed tail re-analyses only itself.

A cut depends only on the text before it, so appending never moves one. A piece is analysed together with its
neighbourhood (`BEFORE` for context words, `AFTER` for what begins in it and ends later); a span belongs to the piece it
begins in. Cuts are sought at blank lines, then at line ends, then at spaces, never inside a PEM block. A piece that
begins within a table is analysed below the table's heading, for that says what stands in its columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from sidecar.inspection.columns import FIGURES, LONGEST_ROW, MARKS, parted
from sidecar.inspection.spans import Span

LEAST = 2048
MOST = 16384
BEFORE = 160
AFTER = 2048
PEM_BEGIN, PEM_END = "-----BEGIN ", "-----END "
LONGEST_PEM = 32768
LONGEST_END = 80
"""Code points of an end line; in one line of text a block ends in the middle of it."""


RULE = re.compile(r"[|:+\- \t]{3,}\r?")
"""Between a heading and its rows."""
SQL = re.compile(r"(?i)^(?:insert |copy )|\) ?values ?$")


class Segment(NamedTuple):
    """`text[start:end]`, analysed as `text[low:high]`, below `head` if that is not empty."""

    low: int
    start: int
    end: int
    high: int
    head: str = ""

    def window(self, text: str) -> str:
        """What is analysed."""
        return self.head + text[self.low : self.high]


def segments(text: str) -> list[Segment]:
    if len(text) <= 2 * LEAST:
        return [Segment(0, 0, len(text), len(text))]
    cuts = [0, *_cuts(text), len(text)]
    found: list[Segment] = []
    table = Table()
    for start, end in pairwise(cuts):
        table = _table(text, found[-1].start if found else 0, start, table)
        high = min(len(text), end + AFTER if _hard(text, end) else end)
        found.append(Segment(start if table.head else max(0, start - BEFORE), start, end, high, table.head))
    return found


class Table(NamedTuple):
    """That of the rows around a cut: the mark that parts their cells, how many of them, and the line of its heading."""

    mark: str = ""
    marks: int = 0
    head: str = ""


def _table(text: str, floor: int, cut: int, last: Table) -> Table:
    """That of the rows before and behind `cut`; `last` is the table at `floor`, where the last cut was."""
    if cut == 0 or text[cut - 1] != "\n" or text[cut - 2 : cut] == "\n\n":
        return Table()
    shapes = {_shape(_line_before(text, cut - 1, floor)), _shape(text[cut : _line_end(text, cut)])}
    blank = text.rfind("\n\n", floor, cut)
    if blank < 0 and last.marks and last[:2] in shapes:
        return last
    if len(shapes) > 1 or shapes == {("", 0)}:
        return Table()
    shape = shapes.pop()
    return Table(*shape, _head(text, blank + 2 if blank >= 0 else floor, cut, shape))


def _shape(line: str) -> tuple[str, int]:
    """The mark that parts a row's cells, and how often; of a row of values in SQL no more than that it is one."""
    if line.startswith("(") and line.rstrip("\r ").endswith(("),", ");")):
        return "(", 1
    row = parted(line)
    mark = max(MARKS[::-1], key=row.count)  # a decimal's comma stands in fewer cells than there are marks
    return (mark, row.count(mark)) if mark in row else ("", 0)


def _head(text: str, floor: int, cut: int, shape: tuple[str, int]) -> str:
    """The line above the rows before `cut`: the first of their shape, or what SQL writes before its values."""
    first, at = "", cut - 1
    while at > floor:
        line = _line_before(text, at, floor)
        if _shape(line) == shape:
            first = line
        elif not RULE.fullmatch(line):
            first = line if SQL.search(line) else first
            break
        at -= len(line) + 1
    return f"{first}\n" if len(first) < LONGEST_ROW and (SQL.search(first) or not FIGURES.search(first)) else ""


def _line_before(text: str, end: int, floor: int) -> str:
    """The line that ends at `end`, or as much of its end as a row may be long."""
    floor = max(floor, end - LONGEST_ROW)
    return text[max(floor, text.rfind("\n", floor, end) + 1) : end]


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start, start + LONGEST_ROW)
    return min(len(text), start + LONGEST_ROW) if end < 0 else end


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
    """Each piece's spans, moved to where they stand in the whole; what begins outside a piece is another's.

    Of two that overlap across a cut the first keeps its place, and the other what lies behind it.
    """
    found: list[Span] = []
    for segment, spans in parts:
        for span in spans:
            shift = segment.low - len(segment.head)
            start, end = span.start + shift, span.end + shift
            if segment.start <= start < segment.end:
                start = max(start, found[-1].end) if found else start
                if start < end:
                    found.append(span._replace(start=start, end=end))
    return found
