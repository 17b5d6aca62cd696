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

STATEMENT = re.compile(
    r"^\s*(?:[\w.\[\]]+(?:\s*,\s*[\w.]+)*\s*[-+*/|&]?=\s"
    r"|(?:if|elif|while|for|return|with|assert|raise|yield|case|switch|const|let|var|public|private|static|void)\b)"
)
MARK = re.compile(r"[\w\])]\(|\bself\b|[=!<>]=|\s=\s|\bNone\b|\w_\w|\)\s*:|[;{]\s*$")
"""Head and marks of a line that is likely code: there a single word is a name only when the model is sure."""

SURE = 0.97

MOST_LINE = 400
"""Code points of a line that are looked at, on either side."""


KEYWORDS = frozenset({"def", "elif", "import", "return"})
"""At the head of what the model took for a name of two words."""

IMPORT = re.compile(r"^\s*(?:from\s+[\w.]+\s+import\s|import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+)*\s*;?\s*$)")
"""Whatever stands there, capital or not, is a name of code; `import Anna's contacts` is no such line."""

CAMEL = re.compile(r"\w*[a-z\d][A-Z]\w*|\w+\.[a-z_]\w*")
PEOPLES = re.compile(r"(?:Ma?c|D[aeiu]|Del|L[aeo]|El|Al|Van|Von|Fitz|San|St)[A-Z][a-zà-ÿ]+")
"""McDonald, DiCaprio, LaToya: a capital inside a word that is a person's."""


def is_code(text: str, start: int, end: int, score: float = 1.0) -> bool:
    """Tell whether what stands there is a word of code; `score` is how sure the model is that it is none."""
    found = text[start:end]
    first = found.split(maxsplit=1)[0]
    if first in WORDS:
        return True
    if found.isupper():  # LEDGER_KEY, of which the model may take a part
        return "_" in found or "_" in (text[start - 1 : start], text[end : end + 1])
    single = first == found
    identifier = single and CAMEL.fullmatch(found) is not None and not PEOPLES.fullmatch(found)
    before, line = _line(text, start, end)
    if single and IMPORT.match(line):
        return True
    if single and score < SURE and STATEMENT.match(line) and MARK.search(line) and not is_written(before):
        return True
    if not (identifier or (first.islower() and (single or first in KEYWORDS))) or before.endswith("="):
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
