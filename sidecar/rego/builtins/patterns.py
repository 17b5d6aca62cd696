"""Regular expressions and globs, all in RE2: topdown/regex.go, glob.go.

Go's regexp and RE2 share syntax and linear time; Python's `re` has neither. Iteration over matches
follows Go's rule for empty ones, not the wrapper's.
"""

# ruff: noqa: ARG001 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import re2

from sidecar.rego.errors import BuiltinError
from sidecar.rego.runtime import Run
from sidecar.rego.values import Value

from .operands import array, integer, room, string

Builtin = Callable[..., Value]

MAX_PATTERN: Final = 10_000
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:
    """A compiled RE2. A pure function of its argument, so the shared cache is no state."""
    if len(pattern) > MAX_PATTERN:
        raise BuiltinError("pattern too long")
    if "C" in _ESCAPE.findall(pattern):  # one byte, to RE2; Go refuses it
        raise BuiltinError("error parsing regexp")
    options = re2.Options()
    options.log_errors = False  # RE2 would write the pattern to stderr
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        raise BuiltinError("error parsing regexp") from None


def literal(text: str) -> str:
    return str(re2.escape(text))


def searched(pattern: Any, text: str, at: int = 0) -> Any:
    if not text.isascii() and r"\B" in pattern.pattern:  # RE2 finds it between the bytes of one character, too
        raise BuiltinError("regexp not available here for text beyond ASCII")
    try:
        return pattern.search(text, at)
    except UnicodeError:
        raise BuiltinError("operand is not valid Unicode") from None


def matches(run: Run, pattern: Any, text: str, limit: int = -1) -> Iterator[Any]:
    """Go's FindAll: no empty match right behind another (regexp.allMatches)."""
    at, previous = 0, -1
    while at <= len(text) and limit != 0:
        match = searched(pattern, text, at)
        if match is None:
            return
        run.spend(1)
        empty = match.end() == at
        if not (empty and match.start() == previous):
            limit -= 1
            yield match
        at, previous = (at + 1 if empty else match.end()), match.end()


def regex_match(run: Run, pattern: Value, text: Value) -> Value:
    return searched(compiled(string(pattern, 1)), string(text, 2)) is not None


def is_valid(run: Run, pattern: Value) -> Value:
    if type(pattern) is not str:
        return False
    try:
        return compiled(pattern) is not None
    except BuiltinError:
        return False


def split(run: Run, pattern: Value, text: Value) -> Value:
    """regexp.Split with n < 0."""
    regexp, base = compiled(string(pattern, 1)), string(text, 2)
    if pattern and not base:
        return [""]
    parts, start, end = [], 0, 0
    for match in matches(run, regexp, base):
        end = match.start()
        if match.end():
            parts.append(base[start:end])
        start = match.end()
    return [*parts, base[start:]] if end != len(base) else parts


def find_n(run: Run, pattern: Value, text: Value, n: Value) -> Value:
    regexp = compiled(string(pattern, 1))
    return [match.group(0) for match in matches(run, regexp, string(text, 2), integer(n, 3))]


def find_all_submatch(run: Run, pattern: Value, text: Value, n: Value) -> Value:
    regexp = compiled(string(pattern, 1))
    found = matches(run, regexp, string(text, 2), integer(n, 3))
    return [[match.group(0), *(group or "" for group in match.groups())] for match in found]


_EXPAND: Final = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


def replace(run: Run, text: Value, pattern: Value, template: Value) -> Value:
    base, regexp, form = string(text, 1), compiled(string(pattern, 2)), string(template, 3)
    parts: list[str] = []
    end = size = 0
    for match in matches(run, regexp, base):
        parts += [base[end : match.start()], expanded(form, match, regexp)]
        end = match.end()
        size += len(parts[-1]) + len(parts[-2])
        room(size)
    return "".join([*parts, base[end:]])


def expanded(form: str, match: Any, regexp: Any) -> str:
    """regexp.Expand: `$1`, `${name}`, `$$`; the longest name counts, unknown ones are empty."""

    def put(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        number = name.isascii() and name.isdecimal() and (name == "0" or name[0] != "0")
        index = int(name[:9]) if number else regexp.groupindex.get(name, -1)
        return (match.group(index) or "") if 0 <= index <= regexp.groups else ""

    return _EXPAND.sub(put, form)


def template_match(run: Run, pattern: Value, text: Value, start: Value, end: Value) -> Value:
    """A literal text with regular expressions between delimiters: topdown/regex_template.go."""
    opening, closing = string(start, 3), string(end, 4)
    if len(opening.encode()) != 1 or len(closing.encode()) != 1:
        raise BuiltinError("delimiter has to be exactly one character long")
    regexp = compiled(templated(string(pattern, 1), opening, closing))
    return searched(regexp, string(text, 2)) is not None


def templated(pattern: str, opening: str, closing: str) -> str:
    depth, begin, end, parts = 0, 0, 0, []
    for at, char in enumerate(pattern):
        if char == opening:
            if not depth:
                begin = at
            depth += 1
        elif char == closing:
            depth -= 1
            if depth < 0:
                break
            if not depth:
                parts.append(literal(pattern[end:begin]) + "(" + pattern[begin + 1 : at] + ")")
                end = at + 1
    if depth:
        raise BuiltinError("unbalanced braces")
    return "^" + "".join(parts) + literal(pattern[end:]) + "$"


# --- globs ------------------------------------------------------------------------------------------


def glob_match(run: Run, pattern: Value, delimiters: Value, text: Value) -> Value:
    if delimiters is None:
        separators = ""
    else:
        marks = array(delimiters, 2)
        if any(type(mark) is not str or len(mark) != 1 for mark in marks):
            raise BuiltinError("operand 2 must be array of runes")
        separators = "".join(marks) or "."
    regexp = glob_compiled(string(pattern, 1), separators)
    return searched(regexp, string(text, 3)) is not None


@lru_cache(maxsize=512)
def glob_compiled(pattern: str, separators: str) -> Any:
    return compiled(r"(?s)\A" + _Glob(pattern, separators).translated() + r"\z")


_RANGE: Final = re.compile(r"(?:(?P<low>.)-(?P<high>.)|(?!.-)(?P<chars>(?:\\.|[^\]\\])+))\]", re.DOTALL)


class _Glob:
    """github.com/gobwas/glob's syntax as RE2: `*`, `**`, `?`, `[a-z]`, `[!a]`, `{a,b}`, `\\`."""

    def __init__(self, pattern: str, separators: str) -> None:
        self.pattern, self.at, self.depth = pattern, 0, 0
        self.one = f"[^{class_text(separators)}]" if separators else "."

    def translated(self) -> str:
        parts = []
        while self.at < len(self.pattern):
            char = self.pattern[self.at]
            self.at += 1
            parts.append(self.piece(char))
        if self.depth:
            raise BuiltinError("glob: unclosed group")
        return "".join(parts)

    def piece(self, char: str) -> str:
        if char == "*":
            return self.star()
        if char == "?":
            return self.one
        if char == "[":
            return self.range()
        if char == "\\":
            return self.escaped()
        return self.grouping(char)

    def grouping(self, char: str) -> str:
        if char == "{":
            self.depth += 1
            return "(?:"
        if char == "}" and self.depth:
            self.depth -= 1
            return ")"
        if char == "," and self.depth:
            return "|"
        return literal(char)

    def star(self) -> str:
        stars = 1
        while self.pattern[self.at : self.at + 1] == "*":
            self.at += 1
            stars += 1
        return ".*" if stars > 1 else self.one + "*"

    def escaped(self) -> str:
        if self.at >= len(self.pattern):
            raise BuiltinError("glob: trailing backslash")
        self.at += 1
        return literal(self.pattern[self.at - 1])

    def range(self) -> str:
        """As gobwas reads it: one range and nothing else (`[a-z]`), or characters, `\\` before the next."""
        negated = "^" if self.pattern[self.at : self.at + 1] == "!" else ""
        match = _RANGE.match(self.pattern, self.at + len(negated))
        if match is None:
            raise BuiltinError("glob: bad range")
        self.at = match.end()
        low, high = match["low"], match["high"]
        if low is None:
            return f"[{negated}{class_text(_ESCAPE.sub(lambda pair: pair[1], match['chars']))}]"
        if low > high:
            raise BuiltinError("glob: bad range")
        return f"[{negated}{class_text(low)}-{class_text(high)}]"


def class_text(chars: str) -> str:
    return "".join("\\" + char if char in "\\]^-[" else char for char in chars)


def quote_meta(run: Run, pattern: Value) -> Value:
    return "".join("\\" + char if char in "*?\\[]{}" else char for char in string(pattern, 1))


TABLE: dict[str, Builtin] = {
    "glob.match": glob_match,
    "glob.quote_meta": quote_meta,
    "re_match": regex_match,
    "regex.find_all_string_submatch_n": find_all_submatch,
    "regex.find_n": find_n,
    "regex.is_valid": is_valid,
    "regex.match": regex_match,
    "regex.replace": replace,
    "regex.split": split,
    "regex.template_match": template_match,
}
