"""What the names model takes for a name in source code and is none: identifiers and words of programming languages.

Only words without a capital letter, since a model has least to go by there, and only outside of quotes and comments,
where people's names stand in code. `user=anna`, "{'user': 'anna'}", logs and chat are left to the model: in doubt a
word is a name.
"""

from __future__ import annotations

import re

WORDS = frozenset({
    "argv", "asyncio", "elseif", "endif", "fprintf", "frozenset", "getattr", "hasattr", "ifdef", "ifndef",
    "isinstance", "malloc", "noqa", "nullptr", "orjson", "pathlib", "printf", "println", "setattr", "sizeof",
    "stderr", "stdin", "stdout", "sys", "typedef", "urllib",
})  # fmt: skip
"""No words of a language that the model reads, and nobody's name (Elif is one)."""

LINE = re.compile(
    r"""\w\((?:\)|[\w.'"]+[],)(=[])|\s[!=+]=\s|\)\s*->|[])]\s*[;{]\s*$|^\s*(?:from\s[\w.]+\s)?import\s\w"""
    r"|^\s*(?:def|class)\s\w+[(:]|^\s*(?:elif|except)\b.*:\s*$"
)
"""A line of code: a call, a comparison, an import, the end of a statement, the head of a block."""

MOST_LINE = 400
"""Code points of a line that are looked at, on either side."""


def is_code(text: str, start: int, end: int) -> bool:
    """Tell whether what stands there is a word of code."""
    found = text[start:end]
    first = found.split(maxsplit=1)[0]
    if not first.islower():
        return False
    if first in WORDS:
        return True
    if text[start - 1 : start] == "=" or not (first == found or first == "elif"):
        return False
    begin = max(0, start - MOST_LINE)
    begin = max(begin, text.rfind("\n", begin, start) + 1)
    stop = text.find("\n", end, end + MOST_LINE)
    line = text[begin : stop if stop >= 0 else end + MOST_LINE]
    return LINE.search(line) is not None and not is_written(line[: start - begin])


def is_written(before: str) -> bool:
    """Tell whether a quote or a comment is open behind these code points of a line."""
    return any(before.count(quote) % 2 for quote in "\"'`") or "#" in before or "//" in before or "--" in before
