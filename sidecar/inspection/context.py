"""Words near a hit that make it likelier: whole words, looked up only for the hits that need them.

Presidio compares every hit with every token of the text (quadratic) and matches substrings, so that "lic" in "public"
makes a driver's licence (reference/pii.md 2.2, 2.4). Here the neighbourhood is a fixed number of characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

WORDS = re.compile(r"[^\W\d_]+")
LETTERS = "".join(chr(code).lower() if chr(code).isalpha() else " " for code in range(128)).encode().ljust(256)
"""ASCII with capitals lowered and all but letters blank: translating and splitting is a third of a regex search."""
LABEL = re.compile(r"[^\W\d_][^,;!?\n]*\Z")
PAIR = re.compile(r"[\"'],\s{0,16}[\"']?[Vv]alue[\"']?\s?:\s?[\"']?\Z")
HUMP = re.compile(r"[a-z](?=[A-Z])")
NUMBERING = ("nummer", "number", "nr", "numer")
"""The end of a compound."""
HINTS = ("um", "nr", "UM", "NR", "Nr")
NUMBER = re.compile(f"(?<=..)(?:{'|'.join(NUMBERING)})$")
BEFORE = 90
AFTER = 40
"""Code points searched on either side. Presidio: five words before, none after; a CSV cell or a table's label is
often further away, and "078-05-1120 (SSN)" stands after."""


def label_end(text: str, start: int) -> int:
    """Where the label of the value at `start` ends: of a pair (`{"name": "ssn", "value": "..."}`) that is the name."""
    if "alue" not in text[max(0, start - 12) : start]:
        return start
    pair = PAIR.search(text, max(0, start - 40), start)
    return pair.start() if pair else start


class Neighbourhood:
    """The words around one span after another of a text; many rules ask about the same span, so it is remembered."""

    __slots__ = ("_span", "_words", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._span = (-1, -1)
        self._words: list[str] = []

    def words(self, start: int, end: int) -> list[str]:
        if self._span != (start, end):
            text = self.text
            low = max(0, start - BEFORE)
            if low and text[low - 1].isalpha():
                while low < start and text[low].isalpha():  # half a word is none; compact JSON has no blank to seek
                    low += 1
            self._words = words_of(f"{text[low:start]} {text[end : end + AFTER]}")
            self._span = (start, end)
        return self._words


def words_of(text: str) -> list[str]:
    """Every word, in lower case; a name of code also as its words (`passportNumber`), a compound without the word for
    a number at its end (`bsnnummer`)."""
    words = _plain(text)
    if HUMP.search(text):
        words += _plain(HUMP.sub(r"\g<0> ", text))
    if not any(part in text for part in HINTS):
        return words
    compounds = [word for word in words if word.endswith(NUMBERING) and word not in NUMBERING]
    return words + [NUMBER.sub("", word) for word in compounds]


def _plain(text: str) -> list[str]:
    return text.encode().translate(LETTERS).decode().split() if text.isascii() else WORDS.findall(text.lower())


class Context:
    """A set of words and phrases; `near` asks whether one stands near a span."""

    __slots__ = ("_phrases", "_words")

    def __init__(self, terms: Iterable[str]) -> None:
        split = {tuple(WORDS.findall(term.lower())) for term in terms}
        self._words = frozenset(words[0] for words in split if len(words) == 1)
        self._phrases: dict[str, tuple[str, ...]] = {}  # by their first word
        for words in sorted(split):
            if len(words) > 1:
                self._phrases[words[0]] = (*self._phrases.get(words[0], ()), f" {' '.join(words)} ")

    @classmethod
    def of(cls, *terms: str) -> Self:
        return cls(terms)

    @classmethod
    def words(cls, listed: str) -> Self:
        """From single words, separated by white space."""
        return cls(listed.split())

    @classmethod
    def union(cls, contexts: Iterable[Context]) -> Context:
        whole = cls(())
        for context in contexts:
            whole._words |= context._words
            for head, phrases in context._phrases.items():
                whole._phrases[head] = tuple(dict.fromkeys((*whole._phrases.get(head, ()), *phrases)))
        return whole

    def without(self, words: Iterable[str]) -> Context:
        """The same but for these single words."""
        rest = Context(())
        rest._words = self._words.difference(words)
        rest._phrases = self._phrases
        return rest

    def labels(self, text: str, start: int) -> bool:
        """Whether one stands right before `start` ("BSN nr.: ", `"nir": "`), nothing but a word or two between."""
        start = label_end(text, start)
        label = LABEL.search(text, max(0, start - 40), start)
        return label is not None and self.among(words_of(" ".join(WORDS.findall(label.group())[-4:])))

    def near(self, text: str, start: int, end: int) -> bool:
        return self.among(Neighbourhood(text).words(start, end))

    def among(self, words: list[str]) -> bool:
        if not self._words.isdisjoint(words):
            return True
        if self._phrases.keys().isdisjoint(words):
            return False
        around = f" {' '.join(words)} "
        return any(phrase in around for head in self._phrases.keys() & words for phrase in self._phrases[head])
