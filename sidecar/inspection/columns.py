"""What the heading of a table says of the cells below it, in CSV, TSV, semicolons or a Markdown table.

A word near a number is looked for some ninety characters back; a table's heading stands as many rows above as it has.
"""

from __future__ import annotations

import re

from sidecar.inspection.context import WORDS, Context

MARKS = ",;\t|"
"""What parts the cells of a row."""
LONGEST_ROW, LONGEST_CELL = 400, 40
"""Code points. A longer line is no row, so that every question costs a fixed amount."""
FIGURES = re.compile(r"\d{3}")
QUOTED = re.compile(r'"[^"\n]*"')
ENDS = f"{MARKS}\n"
WRAPPING = " \"'(+`"
"""Stands between the mark and the number."""


class Columns:
    """The columns of one text whose heading holds one of `words`.

    Ask in the order of the text: every line before the place asked for is read once, so that all questions together
    cost as much as the text is long, and a text about which nobody asks costs nothing.
    """

    __slots__ = ("_line", "_named", "_seen", "_text", "_words")

    def __init__(self, text: str, words: Context) -> None:
        self._text, self._words = text, words
        self._line = self._seen = 0
        self._named: dict[str, frozenset[int]] = {}  # by mark, of the last heading above

    def names(self, start: int) -> bool:
        """Whether the cell that begins at `start`, but for quotes and brackets, is in one of those columns."""
        text, at = self._text, start
        while at and start - at < 4 and text[at - 1] in WRAPPING:
            at -= 1
        if at and text[at - 1] not in ENDS:
            return False
        self._advance(at)
        return bool(self._named) and at - self._line <= LONGEST_ROW and self._is_in(_unquoted(text[self._line : at]))

    def _is_in(self, row: str) -> bool:
        """`row` is what stands before the cell."""
        if not row:
            return any(0 in columns for columns in self._named.values())
        return row.count(row[-1]) in self._named.get(row[-1], ())

    def _advance(self, start: int) -> None:
        text = self._text
        while (end := text.find("\n", self._seen, start)) >= 0:
            if end - self._line <= LONGEST_ROW:
                self._read(text[self._line : end].strip("\r "))
            self._line = self._seen = end + 1
        self._seen = max(self._seen, start)

    def _read(self, line: str) -> None:
        """An empty line ends a table."""
        if not line:
            self._named = {}
        elif self._words.among(WORDS.findall(line.lower())):
            self._named = _named(line, self._words) or self._named


def _named(line: str, words: Context) -> dict[str, frozenset[int]]:
    """The columns that `words` name, by mark; none where the line holds figures, as rows do and headings do not."""
    if FIGURES.search(line):
        return {}
    bare = _unquoted(line.lower())
    found = {mark: bare.split(mark) for mark in MARKS if mark in bare}
    return {
        mark: frozenset(at for at, cell in enumerate(cells) if _is_named(cell, words)) for mark, cells in found.items()
    }


def _is_named(cell: str, words: Context) -> bool:
    return len(cell) <= LONGEST_CELL and words.among(WORDS.findall(cell))


def _unquoted(row: str) -> str:
    """Marks inside quotes part nothing."""
    return QUOTED.sub(_blanked, row) if '"' in row else row


def _blanked(quoted: re.Match[str]) -> str:
    return re.sub(f"[{MARKS}]", " ", quoted.group())
