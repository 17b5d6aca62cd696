"""Words near a hit that make it likelier: whole words, looked up only for the hits that need them.

Presidio compares every hit with every token of the text (quadratic) and matches substrings, so that "lic" in "public"
makes a driver's licence. Here the neighbourhood is a fixed number of characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Self

WORDS = re.compile(r"[^\W\d_]+")
LATIN = [chr(code) for code in range(256)]
LETTERS = "".join(char.lower() if WORDS.match(char) else " " for char in LATIN).encode("latin-1")
"""Latin-1 with capitals lowered and all but letters blank: translating and splitting is a third of a regex search."""
CASES = "".join("a" if "a" <= char <= "z" else "A" if "A" <= char <= "Z" else " " for char in LATIN).encode()
STOP = re.compile(r"[,;!?\n]")
PAIR = re.compile(r"[\"'],\s{0,16}[\"']?[Vv]alue[\"']?\s?:\s?[\"']?\Z")
HUMP = re.compile(r"[a-z](?=[A-Z])")
NUMBERING = ("nummer", "number", "nr", "numer")
"""The end of a compound."""
HINTS = ("um", "nr", "UM", "NR", "Nr")
NUMBER = re.compile(f"(?<=..)(?:{'|'.join(NUMBERING)})$")
COMPOUND = re.compile(r"n(?:r(?<=[^ ]nr)|um(?<=[^ ]num)(?:m?er|ber))(?![^ ])")
"""One in small letters and blanks; its letter first, for which a search looks at memory speed."""
BEFORE = 90
AFTER = 40
"""Code points searched on either side. Presidio: five words before, none after; a CSV cell or a table's label is
often further away, and "078-05-1120 (SSN)" stands after."""


class Said(NamedTuple):
    """The words of a place, and those of them with which a term of the contexts begins that are asked about it."""

    words: list[str]
    heads: frozenset[str]


NOTHING = Said([], frozenset())


def label_end(text: str, start: int) -> int:
    """Where the label of the value at `start` ends: of a pair (`{"name": "ssn", "value": "..."}`) that is the name."""
    if "alue" not in text[max(0, start - 12) : start]:
        return start
    pair = PAIR.search(text, max(0, start - 40), start)
    return pair.start() if pair else start


class Neighbourhood:
    """The words around one span after another of a text; many rules ask about the same one, so they are remembered.

    `vocabulary` holds the heads of every context that is asked: all other words are sifted once, not once a rule.
    """

    __slots__ = ("_label", "_labelled", "_said", "_start", "_vocabulary", "text")

    def __init__(self, text: str, vocabulary: frozenset[str]) -> None:
        self.text = text
        self._vocabulary = vocabulary
        self._start = -1
        self._said: dict[int, Said] = {}  # by end
        self._labelled, self._label = -1, list[str]()

    def near(self, start: int, end: int) -> Said:
        if self._start != start:
            self._start, self._said = start, {}
        said = self._said.get(end)
        if said is None:
            said = self._said[end] = self._known(_around(self.text, start, end))
        return said

    def label(self, start: int) -> list[str]:
        """The words right before `start`."""
        if self._labelled != start:
            self._labelled, self._label = start, label_words(self.text, start)
        return self._label

    def _known(self, words: list[str]) -> Said:
        return Said(words, self._vocabulary.intersection(words))


def _around(text: str, start: int, end: int) -> list[str]:
    low = max(0, start - BEFORE)
    if low and text[low - 1].isalpha():
        while low < start and text[low].isalpha():  # half a word is none; compact JSON has no blank to seek
            low += 1
    return words_of(f"{text[low:start]} {text[end : end + AFTER]}")


def label_words(text: str, start: int) -> list[str]:
    """The last words, at most four, before `start` in its clause."""
    start = label_end(text, start)
    words = WORDS.findall(STOP.split(text[max(0, start - 40) : start])[-1])[-4:]
    return words_of(" ".join(words)) if words else words


def words_of(text: str) -> list[str]:
    """Every word, in lower case; a name of code also as its words (`passportNumber`), a compound without the word for
    a number at its end (`bsnnummer`)."""
    try:
        drawn = text.encode("latin-1")
    except UnicodeEncodeError:
        words, has_hump = WORDS.findall(text.lower()), HUMP.search(text) is not None
    else:
        letters = drawn.translate(LETTERS).decode("latin-1")
        words, has_hump = letters.split(), b"aA" in drawn.translate(CASES)
        if not has_hump and not COMPOUND.search(letters):
            return words
    if has_hump:
        words += WORDS.findall(HUMP.sub(r"\g<0> ", text).lower())
    if not any(map(text.__contains__, HINTS)):
        return words
    compounds = [word for word in words if word[-1] == "r" and word.endswith(NUMBERING) and word not in NUMBERING]
    return words + [NUMBER.sub("", word) for word in compounds]


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

    @property
    def heads(self) -> frozenset[str]:
        """The words with which its terms begin."""
        return self._words.union(self._phrases)

    def without(self, words: Iterable[str]) -> Context:
        """The same but for these single words."""
        rest = Context(())
        rest._words = self._words.difference(words)
        rest._phrases = self._phrases
        return rest

    def labels(self, text: str, start: int) -> bool:
        """Whether one stands right before `start` ("BSN nr.: ", `"nir": "`), nothing but a word or two between."""
        return self.among(label_words(text, start))

    def near(self, text: str, start: int, end: int) -> bool:
        return self.among(_around(text, start, end))

    def within(self, said: Said) -> bool:
        """As `among`, of words whose `heads` hold every one with which a term of this context begins."""
        if not said.heads:
            return False
        return not self._words.isdisjoint(said.heads) or (
            not self._phrases.keys().isdisjoint(said.heads) and self.among(said.words)
        )

    def among(self, words: list[str]) -> bool:
        if not self._words.isdisjoint(words):
            return True
        if self._phrases.keys().isdisjoint(words):
            return False
        around = f" {' '.join(words)} "
        return any(phrase in around for head in self._phrases.keys() & words for phrase in self._phrases[head])
