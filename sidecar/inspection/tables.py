"""Values whose column is not named in a line above: SQL's INSERT, with its CREATE TABLE, and HTML tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

INSERTS = ("INSERT", "insert", "Insert")
INSERT = re.compile(
    r"insert\s{1,8}(?:ignore\s{1,8})?into\s{1,8}(?P<table>[\w.\"`\[\]]{1,100})"
    r"(?:\s{0,8}\((?P<columns>[\w\s,\"`\[\].]{1,2000})\))?\s{0,40}values(?=\s{0,40}\()",
    re.IGNORECASE,
)
CREATE = re.compile(
    r"create\s{1,8}table\s{1,8}(?:if\s{1,8}not\s{1,8}exists\s{1,8})?(?P<table>[\w.\"`\[\]]{1,100})"
    r"\s{0,8}\((?P<columns>[^;]{1,8000})",
    re.IGNORECASE,
)
COLUMN = re.compile(
    r"(?:\A|,)\s{0,40}(?!(?:primary|unique|key|constraint|foreign|index|check|fulltext)\b)"
    r"[\"`\[]?(?P<name>[^\W\d]\w{0,63})[\"`\]]?\s{1,40}[a-z]",
    re.IGNORECASE,
)
TUPLE = re.compile(r"\s{0,40},?\s{0,40}\(")
ITEM = re.compile(
    r"\s{0,40}(?:[nN]?'(?P<single>(?:[^'\\]|''|\\.){0,500})'|\"(?P<double>[^\"\\]{0,500})\""
    r"|(?P<bare>[^,()'\"]{1,200})(?:\([^()]{0,200}\))?)\s{0,40}(?P<mark>[,)])"
)
KINDS = ("single", "double", "bare")
QUOTES = ' \t\r\n"`[]'
TAG = re.compile(
    r"<(?P<tag>table|tr|t[hd])(?![^\s>])[^<>]{0,400}>"
    r"(?:\s{1,40}|<(?!t[rhd][\s>])[a-z][^<>]{0,200}>){0,8}(?P<text>[^<]{0,200})",
    re.IGNORECASE,
)


class Value(NamedTuple):
    """`text[start:end]` of a column; `is_quoted` of SQL's strings."""

    column: str
    start: int
    end: int
    is_quoted: bool = True


def values(text: str) -> Iterator[Value]:
    if any(map(text.__contains__, INSERTS)):
        yield from inserted(text)
    if has_html(text):
        yield from in_html(text)


def is_table(text: str) -> bool:
    """Whether there may be a table at all."""
    return "\n" in text or has_html(text) or any(map(text.__contains__, INSERTS))


def has_html(text: str) -> bool:
    return "</td>" in text or "</TD>" in text


def inserted(text: str) -> Iterator[Value]:
    """Every value of an INSERT, by the columns that it names, or its CREATE TABLE above."""
    made = {_bare(match["table"]): _created(match["columns"]) for match in CREATE.finditer(text)}
    match = INSERT.search(text)
    while match:
        named = match["columns"]
        columns = [_bare(name) for name in named.split(",")] if named else made.get(_bare(match["table"]), [])
        at = match.end()
        while columns and (opened := TUPLE.match(text, at)):
            at = opened.end()
            for column in columns:
                item = ITEM.match(text, at)
                if item is None:
                    break
                at = item.end()
                kind = next(kind for kind in KINDS if item[kind] is not None)
                yield Value(column, *item.span(kind), kind != "bare")
                if item["mark"] == ")":
                    break
        match = INSERT.search(text, at)


def _created(columns: str) -> list[str]:
    return [match["name"] for match in COLUMN.finditer(columns)]


def _bare(name: str) -> str:
    return name.strip(QUOTES)


def in_html(text: str) -> Iterator[Value]:
    """Every cell below a row of headings: one of <th>, or the first of its table."""
    heading: list[str] = []
    row: list[str] = []
    heads = at_row = 0
    for match in TAG.finditer(text):
        tag, written = match["tag"].lower(), match["text"].strip()
        if tag in ("table", "tr"):
            if row and (heads == len(row) or (at_row == 1 and not any(map(str.isdecimal, "".join(row))))):
                heading = row
            row, heads, at_row = [], 0, at_row + 1
            if tag == "table":
                heading, at_row = [], 0
            continue
        row.append(written)
        heads += tag == "th"
        if tag == "td" and len(row) <= len(heading) and written:
            start = match.start("text") + len(match["text"]) - len(match["text"].lstrip())
            yield Value(heading[len(row) - 1], start, start + len(written))
