"""Source code in which nobody is named: Python and C++ of the packages that training needs, without comments and
strings. A model that reads prompts of developers learns from it that identifiers are no names.

The packages are pinned in requirements.txt: torch, numpy and babel (BSD-3-Clause), onnx (Apache-2.0), onnxruntime
(MIT).
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from names_data import Example, part_of, words_of

PACKAGES = {"torch": 20, "numpy": 8, "onnx": 8, "onnxruntime": 10, "babel": 1}
"""One in so many files is read; not torch's thousands of headers of single operations, which are all alike."""

MOST_FILE = 200_000
"""Bytes; longer files are tables."""

C_NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|R\"\((?s:.*?)\)\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
PLAIN = re.compile(r"[a-z\d]+(?:_[a-z\d]+)+|[A-Z\d]+(?:_[A-Z\d]+)+|--?[a-z-]+")
"""A string that is an identifier or a flag stays."""


def snippets() -> list[Example]:
    """Pieces of 2 to 9 lines; the same packages give the same list."""
    found = []
    for package, step in PACKAGES.items():
        spec = find_spec(package)
        assert spec is not None and spec.origin is not None
        root = Path(spec.origin).parent
        paths = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".h") and path.parent.name != "ops")
        for path in paths[::step]:
            if path.stat().st_size <= MOST_FILE:
                found += [_example(piece) for piece in _pieces(path)]
    return found


def _example(text: str) -> Example:
    words = [word.text for word in words_of(text)]
    return Example(words, [0] * len(words), "en", "source", part_of("source|" + text))


def _pieces(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8", errors="replace")
    lines = _python(text) if path.suffix == ".py" else _c(text)
    at = 0
    while at < len(lines):
        size = 2 + (len(lines[at]) + at) % 8
        piece = "\n".join(lines[at : at + size])
        if len(piece) >= 60:
            yield piece[:600]
        at += size


def _python(text: str) -> list[str]:
    """The lines, without comments; strings are empty, lines that were only a string are gone."""
    lines = text.splitlines(keepends=True)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    for token in reversed(tokens):
        if token.type == tokenize.COMMENT:
            _cut(lines, token, "")
        elif token.type == tokenize.STRING:
            inner = token.string.strip("rbfuRBFU").strip("\"'")
            _cut(lines, token, f'"{inner}"' if PLAIN.fullmatch(inner) else '""')
        elif token.type not in (tokenize.OP, tokenize.NAME, tokenize.NUMBER) and token.string.strip():
            _cut(lines, token, "")  # the text inside of f-strings, which is a token of its own since Python 3.12
    return [line.rstrip() for line in lines if line.strip() not in ("", '""')]


def _cut(lines: list[str], token: tokenize.TokenInfo, into: str) -> None:
    (first, begin), (last, end) = token.start, token.end
    rest = lines[last - 1][end:]
    lines[first - 1] = lines[first - 1][:begin] + into + rest
    for row in range(first, last):
        lines[row] = ""


def _c(text: str) -> list[str]:
    return [line.rstrip() for line in C_NOISE.sub(_kept, text).splitlines() if line.strip()]


def _kept(match: re.Match[str]) -> str:
    inner = match[0].strip("\"'")
    return f'"{inner}"' if match[0][0] == '"' and PLAIN.fullmatch(inner) else '""' if match[0][0] in "\"'" else ""
