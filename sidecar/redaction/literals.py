"""Surrogates that the caller typed: found before anything is minted, so that each surrogate upstream is ours.

Every spelling that a restorer tolerates is a literal here: both use the same pattern. A name in brackets counts if its
label is well known, ruled on or minted; one that lacks a bracket only if its label is minted in this very request, for
`MAX_SIZE_2` and `n < step_1` are code, not surrogates.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from functools import lru_cache

from sidecar.redaction.grammar import LITERAL, RESERVED, TOKEN, joints, label_of, plain, read

_NUMBERED = re.compile("_[0-9]+")
_WORD = string.ascii_letters + string.digits + "_\\"
_LONGEST_WORD = 256
_BRACKET = 16
_BEHIND = 32
"""Code points behind a name's number in which it is decided: the rest of a keyed one, a bracket, and what adjoins."""
_TAIL = 5


@lru_cache(maxsize=256)
def scan_for(minted: frozenset[str], ruled: frozenset[str]) -> LiteralScan:
    """The scan of a request in which these labels are minted, and these have a rule. An installation sees few sets."""
    return LiteralScan(minted, RESERVED | ruled)


class LiteralScan:
    """Looks for literals in texts, given the labels minted in their request and those known besides."""

    def __init__(self, minted: Collection[str], known: Collection[str]) -> None:
        self._without = frozenset(minted) | {LITERAL}
        self._bracketed = self._without | frozenset(known)
        self._tails = {each[-_TAIL:] for each in self._bracketed}
        self._short = ("\\", *(each for each in self._tails if len(each) < _TAIL))

    def literals(self, text: str) -> list[tuple[int, int]]:
        """Where they are, left to right."""
        return self._search(text) if "_" in text else []

    def _search(self, text: str) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for number in _NUMBERED.finditer(text):
            at = number.start()
            if (found and at < found[-1][1]) or not self._may_end(text, at):
                continue
            span = self._around(text, at, found[-1][1] if found else 0, number.end() + _BEHIND)
            if span:
                found.append(span)
        return found

    def _may_end(self, text: str, at: int) -> bool:
        """Whether a label can end here. It is cheap, and spares the rest for nearly all names in code."""
        tail = text[max(0, at - _TAIL) : at].upper()
        return tail in self._tails or tail.endswith(self._short)

    def _around(self, text: str, at: int, first: int, last: int) -> tuple[int, int] | None:
        """The literal whose number begins behind `at`, between `first` and `last`: were the text searched to its end
        for each number, the time would grow with its square."""
        first = max(first, at - _LONGEST_WORD)
        before = text[first:at].rstrip(_WORD)
        begin = max(first, first + len(before) - _BRACKET)
        for found in TOKEN.finditer(text, begin, last):
            if found.start() > at:
                return None
            if found.end() > at:
                start = self._start(found)
                return None if start is None else (start, found.end())
        return None

    def _start(self, found: re.Match[str]) -> int | None:
        """Where the literal begins in what the grammar found, None when no restorer would touch it."""
        token = read(found)
        if token.opening and token.closing and label_of(token.name.upper()) in self._bracketed:
            return found.start()
        if token.opening and label_of(token.name) in self._without:
            return found.start()
        for start in joints(token.body):
            if label_of(plain(token.body[start:]).upper()) in self._without:
                return token.start + start
        return None
