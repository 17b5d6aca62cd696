"""What the heading of a table says of the cells below it: CSV, TSV, semicolons, Markdown, tables of SQL's clients,
columns parted by blanks, PostgreSQL's COPY, and what tables.py reads.

A word near a number is looked for some ninety characters back; a table's heading stands as many rows above as it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import repeat

from sidecar.inspection.context import NOTHING, Context, Neighbourhood, Said, words_of
from sidecar.inspection.tables import INSERTS, has_html, values
from sidecar.inspection.tokens import places

MARKS = ",;\t|"
"""What parts the cells of a row."""
UNEVEN = ";|"
"""Marks that stand nowhere else in a row, so that one with fewer or more of them still says which cell is which."""
LONGEST_ROW, LONGEST_CELL = 1000, 40
"""Code points. A longer line is no row, so that every question costs a fixed amount."""
FIGURES = re.compile(r"\d{3}")
PARTING = re.compile(rf"[{MARKS}]| {{2,}}")
BLANKS = re.compile(r"(?<![\s,;|]) {2,}(?![\s|])")
WRAPPING = " \"'(+`*"
"""Stands between the mark and the value."""
ENDS = MARKS + "\n"
CELL_ENDS = ENDS + "<"
EDGES, VALUE_EDGES = ENDS + WRAPPING, "'\"( ,>\n\t"
"""What stands right before a cell's value, and before one of SQL's or HTML's."""
CLOSING = " \"')`*\r"
HEAD_CELL = re.compile(
    r"[\s\"'*`]*+(?:[\w#%€№][\w.°º%€£$&+#'’/\- ]{0,40}+(?:\([^()\n]{1,24}\))?[\w ]{0,12}+)?[\s\"'*`:.?]*+"
)
"""A name, and neither code nor prose: letters, digits and what joins them."""
COPY = re.compile(r"COPY [\w.\"]{1,100} \((?P<columns>[\w\s,\"]{1,900})\) FROM stdin;", re.IGNORECASE)
Heading = list[list[str]]
"""The words of each of its cells."""


class Columns:
    """The columns of one text whose heading holds one of `words`.

    Ask in the order of the text: every line before the place asked for is read once, so that all questions together
    cost as much as the text is long, and a text about which nobody asks costs nothing.
    """

    __slots__ = (
        "_cells", "_has_rows", "_headings", "_line", "_parted", "_row", "_seen", "_text", "_values", "_words",
    )  # fmt: skip

    def __init__(self, text: str, words: Context) -> None:
        self._text, self._words = text, words
        self._line = self._seen = 0
        self._headings: dict[str, Heading] = {}  # by mark, of the last heading above
        self._has_rows = False
        self._row, self._parted = -1, ""  # the line asked about last: where it begins, and its cells parted
        self._cells: dict[int, list[str]] = {}  # what stands over them, by the mark before
        self._values: dict[int, list[str]] | None = None  # of SQL and HTML, by their start

    def over(self, start: int) -> list[str]:
        """The words of the heading over the cell that begins at `start`, but for quotes and brackets."""
        before = self._text[start - 1 : start]
        found = self._above(start) if before in EDGES and self._may_begin(start) else []
        if not found and before in VALUE_EDGES:
            if self._values is None:
                self._values = _placed(self._text)
            found = self._values.get(start, [])
        return found

    def ends(self, end: int) -> bool:
        """Whether the cell ends there, but for quotes and blanks."""
        text, limit = self._text, min(len(self._text), end + LONGEST_CELL)
        while end < limit and text[end] in CLOSING:
            end += 1
        return end == len(text) or text[end] in CELL_ENDS or text[end - 2 : end] == "  "

    def _may_begin(self, start: int) -> bool:
        """Whether a mark, two blanks or the line's beginning stands before, as in prose they seldom do."""
        if self._text[start - 1 : start] == " " and self._text[start - 2 : start - 1].isalnum():
            return False
        before = self._text[max(0, start - LONGEST_CELL) : start]
        bare = before.rstrip(WRAPPING)
        return not bare or bare[-1] in ENDS or "  " in before[len(bare) :]

    def _above(self, start: int) -> list[str]:
        self._advance(start)
        if not self._headings or start - self._line > LONGEST_ROW:
            return []
        if self._row != self._line:
            self._part()
        before = self._parted[: start - self._line].rstrip(WRAPPING)
        return self._cells.get(len(before) - 1, [])

    def _part(self) -> None:
        """The line asked about."""
        end = self._text.find("\n", self._line, self._line + LONGEST_ROW)
        end = min(len(self._text), self._line + LONGEST_ROW) if end < 0 else end
        row = parted(self._text[self._line : end].rstrip("\r "))
        self._row, self._parted, self._cells = self._line, row, {}
        for mark, heading in self._headings.items():
            is_even = row.count(mark) == len(heading) - 1
            if is_even or mark in UNEVEN:
                self._cells.update(zip(places(row, mark), heading[1:], strict=False))
            if is_even:
                self._cells.setdefault(-1, heading[0])

    def _advance(self, start: int) -> None:
        text = self._text
        while (end := text.find("\n", self._seen, start)) >= 0:
            if end - self._line <= LONGEST_ROW:
                self._read(text[self._line : end].rstrip("\r "))
            self._line = self._seen = end + 1
        self._seen = max(self._seen, start)

    def _read(self, line: str) -> None:
        """An empty line ends a table."""
        if not line:
            self._headings = {}
        elif FIGURES.search(line):
            self._has_rows = True
        elif self._words.among(words_of(line)) and (named := cells(line)):
            found = _headings(named)
            if not (self._has_rows and _sizes(found) == _sizes(self._headings)):
                self._headings, self._has_rows = found, False


def below(text: str, at: Iterable[int], words: Context, value: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """What is written as `value` and fills a cell below a heading with one of `words`, which stand in the text `at`."""
    first = 0 if any(map(text.__contains__, INSERTS)) or has_html(text) else _first(text, at, words)
    columns = Columns(text, words)
    for match in value.finditer(text, first) if first >= 0 else ():
        over = columns.over(match.start())
        if over and words.among(over) and columns.ends(match.end()):
            yield match


def _first(text: str, at: Iterable[int], words: Context) -> int:
    """Where the first row begins, -1 where no heading is."""
    after = 0
    for place in at:
        if place >= after:
            start = text.rfind("\n", max(0, place - LONGEST_ROW), place) + 1
            after = text.find("\n", place, place + LONGEST_ROW) + 1
            line = text[start : after - 1].rstrip("\r ") if after and place - start < LONGEST_ROW else ""
            if line and not FIGURES.search(line) and cells(line) and words.among(words_of(line)):
                return after
            after = after or place + LONGEST_ROW
    return -1


def is_heading(text: str, at: int, value: int) -> bool:
    """Whether the word at `at` stands in the heading of a table, and `value` below."""
    end = text.find("\n", at, value)
    if end < 0:
        return False
    start = text.rfind("\n", max(0, at - LONGEST_ROW), at) + 1
    line = text[start:end].rstrip("\r ")
    return not FIGURES.search(line) and bool(cells(line))


def headings(line: str) -> dict[str, Heading]:
    """By mark, the words of each cell of a heading; none where these are no names."""
    return _headings(cells(line))


def _headings(named: dict[str, list[str]]) -> dict[str, Heading]:
    return {mark: list(map(words_of, names)) for mark, names in named.items()}


def cells(line: str) -> dict[str, list[str]]:
    """By mark, the names in a heading's cells; none where these are no names."""
    copied = COPY.fullmatch(line)
    if copied:
        return {"\t": copied["columns"].split(",")}
    row = parted(line)
    found = {mark: row.split(mark) for mark in MARKS if mark in row}
    return {mark: names for mark, names in found.items() if all(map(_is_name, names, repeat(mark)))}


def _is_name(cell: str, mark: str) -> bool:
    """Between commas of at most three words: they part sentences, too."""
    is_short = len(cell) <= 2 * LONGEST_CELL and not (mark == "," and cell.count(" ") > 3)
    return is_short and HEAD_CELL.fullmatch(cell) is not None


def _sizes(found: dict[str, Heading]) -> list[tuple[str, int]]:
    return [(mark, len(cells)) for mark, cells in found.items()]


def parted(row: str) -> str:
    """Marks inside quotes part nothing, and two blanks part cells; every code point stays where it is."""
    pieces = row.split('"')
    if len(pieces) > 2:
        pieces[1:-1:2] = map(_closed, pieces[1:-1:2])
        row = '"'.join(pieces)
    return BLANKS.sub(lambda blanks: "\t".ljust(len(blanks.group())), row) if "  " in row else row


def _closed(quoted: str) -> str:
    return PARTING.sub(lambda mark: "." * len(mark.group()), quoted)


def _placed(text: str) -> dict[int, list[str]]:
    """The words of the column of each value that has it elsewhere, by the value's start."""
    told: dict[str, list[str]] = {}
    found: dict[int, list[str]] = {}
    for column, start, _, _ in values(text):
        words = told.get(column)
        if words is None:
            words = told[column] = words_of(column)
        found[start] = words
    return found


class Beside(Neighbourhood):
    """The words around a place of a text, and those of its table's heading."""

    __slots__ = ("_columns", "_headed", "_heading")

    def __init__(self, text: str, headings: Context, vocabulary: frozenset[str]) -> None:
        super().__init__(text, vocabulary)
        self._columns = Columns(text, headings)
        self._headed, self._heading = -1, NOTHING

    def heading(self, start: int) -> Said:
        """Remembered, for many rules ask about the same place."""
        if self._headed != start:
            words = self._columns.over(start)
            self._headed, self._heading = start, self._known(words) if words else NOTHING
        return self._heading

    def ends(self, end: int) -> bool:
        """Whether the cell ends there."""
        return self._columns.ends(end)
