"""Word lists: allow, deny, and a customer's own words (employees, projects), up to a million.

A phrase matches whole words, whatever the case and the white space or punctuation between them. Signs that make a word
another one count: at the edges (`C++`, `F#`, `.NET`) and beside a single letter (`A/B`, `R&D`). What is kept of a
phrase is a 64-bit hash in a sorted array (8 MB for 10^6 phrases; a dict of strings takes 150), behind a bit filter that
answers nearly every word of ordinary text with no. Linear in the text like Aho-Corasick, and it never matches inside a
word.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from sidecar.inspection.normalise import normalised
from sidecar.inspection.spans import Span, Strength

WORD = re.compile(r"[^\W_]+")
LONGEST_PHRASE = 8
"""Words of one phrase; what comes after is ignored on both sides."""
LONGEST_GAP = 3
"""Code points between two words of a phrase."""
SIGNS = "+#&/@%$€£\\"
"""Not those that end sentences, quote, or join names."""
SIGN = re.compile(r"[+#&/@%$€£\\.]")
FIRST_SIGNS = SIGNS + "."
LAST_LATIN = "\u024f"
PLAIN = re.compile(r"[A-Za-z\u00c0-\u0195\u0197-\u024f]+(?:[ '-][A-Za-z\u00c0-\u0195\u0197-\u024f]+)*\n?")
"""What is its own copy, as nearly all names are: all letters to LAST_LATIN but one that is read as another."""
ACUTE = "\u0301"
MOST_SPELLINGS = 1 << 14
"""Words remembered: a million names are made of a few thousand, and one Cyrillic word takes 0.1 ms."""
MOST_SIGNS = 3
"""Signs at one edge that count."""
LEAST_BITS = 15
"""4 KB of filter, with room for the two thousand values of a long conversation."""

Places = Sequence[tuple[int, int]]


def folded(phrase: str) -> list[str]:
    plain = _dotted(phrase)
    if plain.replace(" ", "").isalpha():
        return plain.casefold().split()[:LONGEST_PHRASE]
    return [word.casefold() for word in WORD.findall(plain)[:LONGEST_PHRASE]]


def _dotted(text: str) -> str:
    """Turkish has an i with a dot and one without, small and large; `casefold` makes `ALİ` neither `Ali` nor `ali`.
    Each stays where it was.
    """
    return text.replace("İ", "I").replace("ı", "i")


class Phrases:
    """A set of phrases that reports where they stand in a text, the longest first."""

    __slots__ = ("_bare", "_bits", "_heads", "_longest", "_mask", "_signed", "_whole")

    def __init__(self, phrases: Iterable[str]) -> None:
        heads, whole, signed, bare = set[int](), set[int](), set[int](), set[int]()
        self._longest = 1
        for phrase in phrases:
            words = folded(phrase)
            if not words:
                continue
            self._longest = max(self._longest, len(words))
            heads.add(hash(words[0]))
            plain, spelled = " ".join(words), _spelled(phrase) if SIGN.search(phrase) else ""
            if spelled in ("", plain):
                whole.add(hash(plain))
            else:
                signed.add(hash(spelled))
                bare.add(hash(plain))
        size = max(LEAST_BITS, (16 * len(heads)).bit_length())
        self._mask = (1 << size) - 1
        self._bits = bytearray(1 << size - 3)
        for head in heads:
            self._mark(head)
        self._heads, self._whole = array("q", sorted(heads)), array("q", sorted(whole))
        self._signed, self._bare = array("q", sorted(signed)), array("q", sorted(bare))

    @property
    def count(self) -> int:
        return len(self._whole) + len(self._signed)

    def add(self, phrase: str) -> None:
        """One more. What stands behind it in the arrays moves: for thousands, not for millions."""
        one = Phrases((phrase,))
        self._longest = max(self._longest, one._longest)
        for head in one._heads:
            self._mark(head)
        arrays = zip(self._arrays(), one._arrays(), strict=True)
        for mine, value in ((mine, value) for mine, its in arrays for value in its):
            if not _holds(mine, value):
                insort(mine, value)

    def _arrays(self) -> tuple[array[int], ...]:
        return self._heads, self._whole, self._signed, self._bare

    def _mark(self, head: int) -> None:
        place = head & self._mask
        self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, value: str) -> bool:
        """By its words alone: a detector's value may begin behind a sign."""
        words = hash(" ".join(folded(value)))
        return _holds(self._whole, words) or _holds(self._bare, words)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Disjoint (start, end) of phrases; those that overlap ("Anna Maria", "Maria Rossi") are one."""
        text = _dotted(text)
        words = [(match.start(), match.end()) for match in WORD.finditer(text)]
        bits, mask, start, end = self._bits, self._mask, 0, 0
        for at, (first, last) in enumerate(words):
            head = hash(text[first:last].casefold())
            place = head & mask
            if not bits[place >> 3] >> (place & 7) & 1:
                continue
            found = self._longest_at(text, words, at, head, end if end <= first else words[at - 1][1])
            if found and found[0] < end:
                end = max(end, found[1])
            elif found:
                if end:
                    yield start, end
                start, end = found
        if end:
            yield start, end

    def _longest_at(self, text: str, words: Places, at: int, head: int, behind: int) -> tuple[int, int] | None:
        """Of the longest phrase that begins with the word `at`: start (not before `behind`), end."""
        if not _holds(self._heads, head):
            return None
        best: tuple[int, int] | None = None
        phrase, after = "", -1
        first = words[at][0]
        for size, (start, end) in enumerate(words[at : at + self._longest], 1):
            if after >= 0 and start - after > LONGEST_GAP:
                break
            phrase = f"{phrase} {text[start:end].casefold()}".lstrip()
            after = end
            if _holds(self._whole, hash(phrase)):
                best = (first, end)
            if self._signed and (edges := self._edges(text, words[at : at + size], behind)):
                best = edges
        return best

    def _edges(self, text: str, words: Places, behind: int) -> tuple[int, int] | None:
        """Start and end of the phrase with signs that these words are a part of."""
        start, end = words[0][0], words[-1][1]
        middle = _joined(text, words)
        for low in _starts(text, start, behind):
            for high in _ends(text, end):
                if _holds(self._signed, hash(text[low:start] + middle + text[end:high])):
                    return low, high
        return None


def _spelled(phrase: str) -> str:
    """The words with the signs that count, as `Phrases` looks them up."""
    phrase = _dotted(phrase)
    words = [(match.start(), match.end()) for match in WORD.finditer(phrase)][:LONGEST_PHRASE]
    start, end = words[0][0], words[-1][1]
    low, high = _starts(phrase, start, 0)[0], _ends(phrase, end)[0]
    return phrase[low:start] + _joined(phrase, words) + phrase[end:high]


def _joined(text: str, words: Places) -> str:
    parts = [text[words[0][0] : words[0][1]].casefold()]
    for (start, end), (after, last) in pairwise(words):
        is_single = end - start == 1 or last - after == 1
        signs = "".join(mark for mark in text[end:after] if mark in SIGNS) if is_single else ""
        parts += (signs or " ", text[after:last].casefold())
    return "".join(parts)


def _starts(text: str, start: int, behind: int) -> list[int]:
    """Where a phrase may begin whose first word begins at `start`, with most signs first; no sign is half a run."""
    found = [start]
    low = start
    while low > max(behind, start - MOST_SIGNS) and text[low - 1] in FIRST_SIGNS:
        low -= 1
        if low == behind or not (text[low - 1].isalnum() or text[low - 1] == text[low]):
            found.append(low)
    return found[::-1]


def _ends(text: str, end: int) -> list[int]:
    """The same for the end."""
    found = [end]
    high = end
    while high < min(len(text), end + MOST_SIGNS) and text[high] in SIGNS:
        high += 1
        if high == len(text) or not (text[high].isalnum() or text[high] == text[high - 1]):
            found.append(high)
    return found[::-1]


def _copies(phrase: str) -> Iterable[str]:
    """How the phrase stands in the copy of a text that is searched: of Cyrillic and Greek words some letters are Latin
    ones there, others where they are capitals, and others again where accents are characters of their own.
    """
    if PLAIN.fullmatch(phrase):
        return (phrase,)
    composed = unicodedata.normalize("NFC", phrase)
    if max(composed, default="") <= LAST_LATIN:
        return (normalised(composed).text,)
    return {" ".join(words) for words in zip(*map(_spellings, composed.split()), strict=True)}


@lru_cache(MOST_SPELLINGS)
def _spellings(word: str) -> tuple[str, ...]:
    """Of a word, in an order that all words have. Greek capitals go without accents."""
    cases = (word, word.upper(), word.lower(), word.title(), _bare(word.upper()))
    spellings = [unicodedata.normalize(form, each) for each in cases for form in ("NFC", "NFD")]
    return tuple([_dotted(each).casefold() for each in (*spellings, *(normalised(each).text for each in spellings))])


def _bare(word: str) -> str:
    return unicodedata.normalize("NFD", word).replace(ACUTE, "")


def _holds(hashes: array[int], value: int) -> bool:
    at = bisect_left(hashes, value)
    return at < len(hashes) and hashes[at] == value


class WordList:
    """Phrases of one entity type."""

    __slots__ = ("_entity", "_phrases")

    def __init__(self, entity: str, phrases: Iterable[str]) -> None:
        self._entity = entity
        self._phrases = Phrases(copy for phrase in phrases for copy in _copies(phrase))
        _spellings.cache_clear()

    def find(self, text: str) -> Iterator[Span]:
        for start, end in self._phrases.places(text):
            while unicodedata.combining(text[end : end + 1] or " "):  # the accent of its last letter
                end += 1
            yield Span(start, end, self._entity, 1.0, "list/words", Strength.OWN)
