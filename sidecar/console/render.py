"""Rows as text: a table for a terminal, JSON lines, CSV.

Names in a record may have been chosen by a caller, so no control character reaches a terminal and no cell of a CSV
begins a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any
from unicodedata import combining, east_asian_width

import orjson

from sidecar.console.query import Page, Row
from sidecar.ledger.report import printable as printable

COLUMNS = (
    "time",
    "id",
    "caller",
    "model_requested",
    "model_served",
    "prompt_version",
    "verdict",
    "codes",
    "obligations",
    "confidence",
    "findings",
    "state",
)
CSV_COLUMNS = (*COLUMNS[:5], "prompt_name", *COLUMNS[5:10], "confidence_source", *COLUMNS[10:])
_HEADINGS = {"model_requested": "model", "model_served": "served", "prompt_version": "prompt"}
_FIRST = ("time", "id", "verdict", "state")
_WIDEST = 36
ALL = "--limit 0 for all"
_FORMULA = re.compile("(?:^|(?<=;))(?=\\s*[=+@\uff1d\uff0b\uff0d\uff20-])")
"""Where a formula would begin, also in countries where spreadsheets cut lines at `;` and not at commas, and in the wide
characters that they take for narrow ones."""


def timestamp(micros: int) -> str:
    """ISO 8601, UTC, milliseconds."""
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def table(page: Page, terminal: int | None = None) -> str:
    """A table with totals under it. On a `terminal` that is narrower, each exchange has lines of its own."""
    lines = [[_HEADINGS.get(name, name) for name in COLUMNS]]
    lines += [[_short(_cell(row, name), name) for name in COLUMNS] for row in page.rows]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(COLUMNS))]
    if terminal is not None and sum(widths) + 2 * len(widths) - 2 > terminal:
        text = [line for row in page.rows for line in _stacked(row, terminal)]
    else:
        text = ["  ".join(map(_padded, line, widths)).rstrip() for line in lines]
    return "\n".join([*text, "", *totals(page, terminal)]) + "\n"


def _stacked(row: Row, terminal: int) -> Iterator[str]:
    """What tells exchanges apart, then what else is known of this one, by name."""
    yield "  ".join(_cell(row, name) for name in _FIRST)
    rest = [(_HEADINGS.get(name, name), _cell(row, name)) for name in COLUMNS if name not in _FIRST]
    said = "  ".join(f"{name} {cell}" for name, cell in rest if cell)
    yield from wrap(said, terminal, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _width(cell: str) -> int:
    """Columns of a terminal: letters of East Asia take two, accents that stand alone none."""
    if cell.isascii():
        return len(cell)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in cell)


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def lines(rows: Iterable[Row]) -> str:
    """Rows alone, one a line, for a list that grows."""
    return "".join("  ".join(_short(_cell(row, name), name) or "-" for name in COLUMNS) + "\n" for row in rows)


def totals(page: Page, terminal: int | None = None) -> Iterator[str]:
    """How many there are, by verdict and state, and by code, the most frequent first."""
    counts = _counts(page.verdicts) + _counts(page.states)
    whole = len(page.rows) == page.total
    shown, rest = ("", "") if whole else (f", {len(page.rows)} shown", f"; {ALL}")
    yield printable(f"{page.total} exchanges{shown}" + (f" ({', '.join(counts)})" if counts else "") + rest)
    codes = sorted(page.codes.items(), key=lambda item: (-item[1], item[0]))
    said = printable("by code: " + ", ".join(f"{code}:{count}" for code, count in codes))
    yield from wrap(said, terminal or len(said), subsequent_indent="    ") if codes else ()


def json_lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield orjson.dumps({**row.as_json(), "time": timestamp(row.time)}).decode() + "\n"


def cut_short(page: Page, shown: int) -> str:
    """What to tell beside a list for programs that does not hold everything; empty where it does."""
    return "" if shown >= page.total else f"{shown} of {page.total} exchanges; {ALL}"


def csv_text(rows: Iterable[Row], *, header: bool = True) -> str:
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, lineterminator="\r\n")  # RFC 4180
    if header:
        writer.writerow(CSV_COLUMNS)
    for row in rows:
        writer.writerow([_inert(_cell(row, name)) for name in CSV_COLUMNS])
    return sheet.getvalue()


def _cell(row: Row, name: str) -> str:
    value: Any = getattr(row, name)
    if name == "time":
        return timestamp(value)
    if name == "confidence":
        return "" if value is None else f"{value:.3f}"
    if isinstance(value, Mapping):
        return printable(" ".join(_counts(value)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return printable(" ".join(value))
    return "" if value is None else printable(str(value))


def _counts(counts: Mapping[str, int]) -> list[str]:
    return [f"{name}:{count}" for name, count in sorted(counts.items())]


def _short(cell: str, name: str) -> str:
    return cell if name == "id" or len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "…"


def _inert(cell: str) -> str:
    return _FORMULA.sub("'", cell)
