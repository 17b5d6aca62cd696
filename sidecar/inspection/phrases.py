"""Word lists: allow, deny, and a customer's own words (employees, projects), up to a million.

A phrase matches whole words, whatever the case and the white space or punctuation between them. What is kept of it is a
64-bit hash in a sorted array (8 MB for 10^6 phrases; a dict of strings takes 150), behind a bit filter that answers
nearly every word of ordinary text with no. Linear in the text like Aho-Corasick, and it never matches inside a word.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from sidecar.inspection.spans import Span, Strength

WORD = re.compile(r"[^\W_]+")
LONGEST_PHRASE = 8
"""Words of one phrase; what comes after is ignored on both sides."""
LONGEST_GAP = 3
"""Code points between two words of a phrase."""


def folded(phrase: str) -> list[str]:
    return WORD.findall(phrase.casefold())[:LONGEST_PHRASE]


class Phrases:
    """A set of phrases that reports where they stand in a text, the longest first."""

    __slots__ = ("_bits", "_heads", "_longest", "_mask", "_whole", "count")

    def __init__(self, phrases: Iterable[str]) -> None:
        heads, whole = set[int](), set[int]()
        self._longest = 1
        for phrase in phrases:
            words = folded(phrase)
            if words:
                self._longest = max(self._longest, len(words))
                heads.add(hash(words[0]))
                whole.add(hash(" ".join(words)))
        self.count = len(whole)
        size = max(10, (16 * (len(heads) or 1)).bit_length())
        self._mask = (1 << size) - 1
        self._bits = bytearray(1 << max(0, size - 3))
        for head in heads:
            place = head & self._mask
            self._bits[place >> 3] |= 1 << (place & 7)
        self._heads = array("q", sorted(heads))
        self._whole = array("q", sorted(whole))

    def __contains__(self, phrase: str) -> bool:
        return _holds(self._whole, hash(" ".join(folded(phrase))))

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Disjoint (start, end) of phrases."""
        words = [(match.start(), match.end()) for match in WORD.finditer(text)]
        bits, mask, at = self._bits, self._mask, 0
        while at < len(words):
            head = hash(text[words[at][0] : words[at][1]].casefold())
            place = head & mask
            size = self._length(text, words, at, head) if bits[place >> 3] >> (place & 7) & 1 else 0
            if size:
                yield words[at][0], words[at + size - 1][1]
            at += size or 1

    def _length(self, text: str, words: list[tuple[int, int]], at: int, head: int) -> int:
        """How many words from `at` on are the longest phrase there, 0 if none is."""
        if not _holds(self._heads, head):
            return 0
        best, phrase, after = 0, "", -1
        for size, (start, end) in enumerate(words[at : at + self._longest], 1):
            if after >= 0 and start - after > LONGEST_GAP:
                break
            phrase = f"{phrase} {text[start:end].casefold()}".lstrip()
            after = end
            if _holds(self._whole, hash(phrase)):
                best = size
        return best


def _holds(hashes: array[int], value: int) -> bool:
    at = bisect_left(hashes, value)
    return at < len(hashes) and hashes[at] == value


class WordList:
    """Phrases of one entity type."""

    __slots__ = ("_entity", "_phrases")

    def __init__(self, entity: str, phrases: Iterable[str]) -> None:
        self._entity = entity
        self._phrases = Phrases(phrases)

    def find(self, text: str) -> Iterator[Span]:
        for start, end in self._phrases.places(text):
            yield Span(start, end, self._entity, 1.0, "list/words", Strength.LIST)
