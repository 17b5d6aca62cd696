"""Words near a hit that make it likelier: whole words, looked up only for the hits that need them.

Presidio compares every hit with every token of the text (quadratic) and matches substrings, so that "lic" in "public"
makes a driver's licence (reference/pii.md 2.2, 2.4). Here the neighbourhood is a fixed number of characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

WORDS = re.compile(r"[^\W\d_]+")
BEFORE = 90
AFTER = 40
"""Code points searched on either side. Presidio: five words before, none after; a CSV cell or a table's label is
often further away, and "078-05-1120 (SSN)" stands after."""


class Context:
    """A set of words and phrases; `near` asks whether one stands near a span."""

    __slots__ = ("_phrases", "_words")

    def __init__(self, terms: Iterable[str]) -> None:
        split = {tuple(WORDS.findall(term.lower())) for term in terms}
        self._words = frozenset(words[0] for words in split if len(words) == 1)
        self._phrases = tuple(" ".join(words) for words in split if len(words) > 1)

    @classmethod
    def of(cls, *terms: str) -> Self:
        return cls(terms)

    @classmethod
    def words(cls, listed: str) -> Self:
        """From single words, separated by white space."""
        return cls(listed.split())

    def near(self, text: str, start: int, end: int) -> bool:
        words = WORDS.findall(text[max(0, start - BEFORE) : start].lower())
        words += WORDS.findall(text[end : end + AFTER].lower())
        if not self._words.isdisjoint(words):
            return True
        if not self._phrases:
            return False
        around = f" {' '.join(words)} "
        return any(f" {phrase} " in around for phrase in self._phrases)
