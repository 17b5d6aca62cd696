"""What the names model takes for a name in source code and is none: identifiers and words of programming languages.

Above all words without a capital letter, since a model has least to go by there, and only outside of quotes and
comments, where people's names stand in code. `user=anna`, "{'user': 'anna'}", logs and chat are left to the model: in
doubt a word is a name.
"""

from __future__ import annotations

import re

WORDS = frozenset({
    "aiohttp", "args", "argv", "asynccontextmanager", "asyncio", "builtin", "builtins", "chdir", "classmethod",
    "contextmanager", "dataclass", "dict", "elseif", "endif", "endswith", "enum", "fprintf", "frozenset", "fsync",
    "getattr", "hasattr", "ifdef", "ifndef", "isinstance", "kubectl", "kwargs", "linux", "localhost", "macos",
    "malloc", "mkdir", "noqa", "nullptr", "numpy", "onnxruntime", "orjson", "pathlib", "posix", "printf", "println",
    "pydantic", "pytest", "regex", "setattr", "sizeof", "sqlalchemy", "sqlite", "startswith", "staticmethod",
    "stderr", "stdin", "stdlib", "stdout", "struct", "sys", "tuple", "typedef", "urllib", "utf", "vars",
})  # fmt: skip
"""No words of a language that the model reads, and nobody's name (Elif is one)."""

LINE = re.compile(
    r"""\w\((?:\)|[\w.'"]+[],)(=[])|\s[!=+]=\s|\)\s*->|[])]\s*[;{]\s*$|^\s*(?:from\s[\w.]+\s)?import\s\w"""
    r"|^\s*(?:def|class)\s\w+[(:]|^\s*(?:elif|except)\b.*:\s*$"
)
"""A line of code: a call, a comparison, an import, the end of a statement, the head of a block."""

MOST_LINE = 400
"""Code points of a line that are looked at, on either side."""


KEYWORDS = frozenset({"def", "elif", "import", "return"})
"""At the head of what the model took for a name of two words."""

IMPORT = re.compile(r"^\s*from\s+[\w.]+\s+import\s")
"""What stands there is a name of code, with a capital too; `import Anna, Peter` may be a wish."""

IDENTIFIER = re.compile(r"\w*[a-z\d][A-Z]\w*|\w+\.[a-z_]\w*|[A-Z\d]+_[A-Z\d_]*")
PEOPLES = re.compile(r"(?:Ma?c|D[aeiu]|Del|L[aeo]|El|Al|Van|Von|Fitz|San|St)[A-Z][a-zà-ÿ]+")
"""McDonald, DiCaprio, LaToya: a capital inside a word that is a person's."""


def is_code(text: str, start: int, end: int) -> bool:
    """Tell whether what stands there is a word of code."""
    found = text[start:end]
    words = found.split()
    if WORDS.issuperset(words):
        return True
    before, line = _line(text, start, end)
    if len(words) == 1 and IMPORT.match(line):
        return True
    identifier = IDENTIFIER.fullmatch(found) is not None and not PEOPLES.fullmatch(found)
    lower = words[0].islower() and (len(words) == 1 or words[0] in KEYWORDS)
    if not (identifier or lower) or before.endswith("="):
        return False
    return LINE.search(line) is not None and not is_written(before)


def _line(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before it on its line, and the line."""
    begin = max(0, start - MOST_LINE)
    begin = max(begin, text.rfind("\n", begin, start) + 1)
    stop = text.find("\n", end, end + MOST_LINE)
    line = text[begin : stop if stop >= 0 else end + MOST_LINE]
    return line[: start - begin], line


def is_written(before: str) -> bool:
    """Tell whether a quote or a comment is open behind these code points of a line."""
    return any(before.count(quote) % 2 for quote in "\"'`") or "#" in before or "//" in before or "--" in before
