"""What the heading of a table says of the cells below it: CSV, TSV, semicolons, Markdown, tables of SQL's clients,
columns parted by blanks, PostgreSQL's COPY, and what tables.py reads.

A word near a number is looked for some ninety characters back; a table's heading stands as many rows above as it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sidecar.inspection.context import Context, Neighbourhood, words_of
from sidecar.inspection.tables import INSERTS, has_html, values

MARKS = ",;\t|"
"""What parts the cells of a row."""
UNEVEN = ";|"
"""Marks that stand nowhere else in a row, so that one with fewer or more of them still says which cell is which."""
LONGEST_ROW, LONGEST_CELL = 1000, 40
"""Code points. A longer line is no row, so that every question costs a fixed amount."""
FIGURES = re.compile(r"\d{3}")
QUOTED = re.compile(r'"[^"\n]*"')
PARTING = re.compile(rf"[{MARKS}]| {{2,}}")
BLANKS = re.compile(r"(?<![\s,;|]) {2,}(?![\s|])")
WRAPPING = " \"'(+`*"
"""Stands between the mark and the value."""
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

    __slots__ = ("_has_rows", "_headings", "_line", "_row", "_seen", "_text", "_values", "_words")

    def __init__(self, text: str, words: Context) -> None:
        self._text, self._words = text, words
        self._line = self._seen = 0
        self._headings: dict[str, Heading] = {}  # by mark, of the last heading above
        self._has_rows = False
        self._row = (-1, "")  # the line asked about last: where it begins, and its cells parted
        self._values: dict[int, list[str]] | None = None  # of SQL and HTML, by their start

    def over(self, start: int) -> list[str]:
        """The words of the heading over the cell that begins at `start`, but for quotes and brackets."""
        self._advance(start)
        found = self._in_row(start - self._line) if self._headings and start - self._line <= LONGEST_ROW else []
        if not found and self._text[start - 1 : start] in "'\"( ,>\n\t":
            if self._values is None:
                self._values = {value.start: words_of(value.column) for value in values(self._text)}
            found = self._values.get(start, [])
        return found

    def ends(self, end: int) -> bool:
        """Whether the cell ends there, but for quotes and blanks."""
        text, limit = self._text, min(len(self._text), end + LONGEST_CELL)
        while end < limit and text[end] in CLOSING:
            end += 1
        return end == len(text) or text[end] in f"{MARKS}\n<" or text[end - 2 : end] == "  "

    def _in_row(self, at: int) -> list[str]:
        """`at` counts from the beginning of the line."""
        row = self._parted()
        mark = max(map(row.rfind, MARKS, [0] * len(MARKS), [at] * len(MARKS)))
        if row[mark + 1 : at].strip(WRAPPING):
            return []
        for sign in row[mark] if mark >= 0 else MARKS:
            cells, number = self._headings.get(sign, []), row.count(sign, 0, mark + 1)
            if number < len(cells) and (row.count(sign) == len(cells) - 1 or (sign in UNEVEN and mark >= 0)):
                return cells[number]
        return []

    def _parted(self) -> str:
        """The line asked about."""
        if self._row[0] != self._line:
            end = self._text.find("\n", self._line, self._line + LONGEST_ROW)
            end = min(len(self._text), self._line + LONGEST_ROW) if end < 0 else end
            self._row = (self._line, parted(self._text[self._line : end].rstrip("\r ")))
        return self._row[1]

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
        elif any(map(line.__contains__, (*MARKS, "  "))) and self._words.among(words_of(line)):
            found = headings(line)
            if found and not (self._has_rows and _sizes(found) == _sizes(self._headings)):
                self._headings, self._has_rows = found, False


def below(text: str, at: Iterable[int], words: Context, value: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """What is written as `value` and fills a cell below a heading with one of `words`, which stand in the text `at`."""
    first = 0 if any(map(text.__contains__, INSERTS)) or has_html(text) else _first(text, at, words)
    columns = Columns(text, words)
    for match in value.finditer(text, first) if first >= 0 else ():
        if words.among(columns.over(match.start())) and columns.ends(match.end()):
            yield match


def _first(text: str, at: Iterable[int], words: Context) -> int:
    """Where the first row begins, -1 where no heading is."""
    after = 0
    for place in at:
        if place >= after:
            start = text.rfind("\n", max(0, place - LONGEST_ROW), place) + 1
            after = text.find("\n", place, place + LONGEST_ROW) + 1
            line = text[start : after - 1].rstrip("\r ") if after and place - start < LONGEST_ROW else ""
            if line and not FIGURES.search(line) and words.among(words_of(line)) and headings(line):
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
    return not FIGURES.search(line) and bool(headings(line))


def headings(line: str) -> dict[str, Heading]:
    """By mark, the words of each cell; none where these are no names."""
    copied = COPY.fullmatch(line)
    if copied:
        return {"\t": [words_of(name) for name in copied["columns"].split(",")]}
    row = parted(line)
    found = {mark: row.split(mark) for mark in MARKS if mark in row}
    return {
        mark: [words_of(cell) for cell in cells]
        for mark, cells in found.items()
        if all(_is_name(cell, mark) for cell in cells)
    }


def _is_name(cell: str, mark: str) -> bool:
    """Between commas of at most three words: they part sentences, too."""
    is_short = len(cell) <= 2 * LONGEST_CELL and not (mark == "," and cell.count(" ") > 3)
    return is_short and HEAD_CELL.fullmatch(cell) is not None


def _sizes(found: dict[str, Heading]) -> list[tuple[str, int]]:
    return [(mark, len(cells)) for mark, cells in found.items()]


def parted(row: str) -> str:
    """Marks inside quotes part nothing, and two blanks part cells; every code point stays where it is."""
    if '"' in row:
        row = QUOTED.sub(lambda quoted: PARTING.sub(lambda mark: "." * len(mark.group()), quoted.group()), row)
    return BLANKS.sub(lambda blanks: "\t".ljust(len(blanks.group())), row) if "  " in row else row


class Beside(Neighbourhood):
    """The words around a place of a text, and those of its table's heading."""

    __slots__ = ("_columns", "_headed", "_heading")

    def __init__(self, text: str, words: Context) -> None:
        super().__init__(text)
        self._columns = Columns(text, words)
        self._headed, self._heading = -1, list[str]()

    def heading(self, start: int) -> list[str]:
        """Remembered, for many rules ask about the same place."""
        if self._headed != start:
            self._headed, self._heading = start, self._columns.over(start)
        return self._heading

    def ends(self, end: int) -> bool:
        """Whether the cell ends there."""
        return self._columns.ends(end)
