"""Words, word pieces and word features of the names model, shared by training and run time.

A text becomes words with offsets; every word becomes lower-cased, accent-free word pieces, one
casing class and one word-list class. The model labels words, so a span always starts and ends at
a word boundary and offsets never pass through the pieces.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+|\n|[^\w\s]|_")
CASINGS = 8
LEXES = 16
GIVEN, FAMILY, PLACE, COMMON = 1, 2, 4, 8
MAX_PIECES = 10
MAX_WORD = 80
CACHE = 20_000

UNK, CLS, SEP = "[UNK]", "[CLS]", "[SEP]"
_KEYBOARD = dict(zip("‘’‚`´“”„«»–—‐‑øłıđ", "'''''" + '"""""' + "----olid", strict=True))
_FOLD = str.maketrans({**_KEYBOARD, "ß": "ss", "æ": "ae", "œ": "oe"})
"""Quotes and hyphens of print as those of a keyboard, and letters that are made with no accent."""


class Word(NamedTuple):
    """One word with its place in the text, in code points."""

    start: int
    end: int
    text: str


class Encoded(NamedTuple):
    """The pieces of one word and its two feature classes."""

    ids: tuple[int, ...]
    casing: int
    lex: int


def words_of(text: str) -> list[Word]:
    """Split a text into words, single marks and line ends, with offsets."""
    return [Word(match.start(), match.end(), match.group()) for match in WORD.finditer(text)]


def normal(word: str) -> str:
    """Return the form looked up in vocabulary and lists: lower case, no accents."""
    if word.isascii():
        return word.lower()
    lowered = unicodedata.normalize("NFKD", word.translate(_FOLD)).lower().translate(_FOLD)
    return "".join(mark for mark in lowered if unicodedata.category(mark) != "Mn")


def casing_of(word: str) -> int:
    """Return the casing class: mark, lower, title, upper, one capital, mixed, digits, line end."""
    if word == "\n":
        return 7
    first = word[0]
    if not first.isalnum():
        return 0
    if not word.isalpha() and any(mark.isdigit() for mark in word):
        return 6
    if len(word) == 1:
        return 4 if first.isupper() else 1
    if word.islower():
        return 1
    if word.isupper():
        return 3
    if first.isupper() and word[1:].islower():
        return 2
    return 5 if any(mark.isupper() for mark in word) else 1


def word_key(word: str) -> int:
    """Return the key of a normalised word in the word lists."""
    return zlib.crc32(word.encode("utf-8", "replace"))


class Lexicon:
    """Words known as given name, family name, place or common word: sorted keys, one byte each."""

    def __init__(self, keys: array[int], marks: bytes) -> None:
        """Keep the sorted keys and, at the same index, their class bits."""
        self._keys = keys
        self._marks = marks

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Read a word list: count, keys (4 bytes, little end first), class bits."""
        raw = path.read_bytes()
        count = int.from_bytes(raw[:4], "little")
        keys: array[int] = array("I")
        keys.frombytes(raw[4 : 4 + 4 * count])
        return cls(keys, raw[4 + 4 * count : 4 + 5 * count])

    def save(self, path: Path) -> None:
        """Write the file that load reads."""
        path.write_bytes(len(self._keys).to_bytes(4, "little") + self._keys.tobytes() + self._marks)

    def find(self, word: str) -> int:
        """Return the class bits of a normalised word, 0 where it is in no list."""
        key = word_key(word)
        at = bisect_left(self._keys, key)
        if at < len(self._keys) and self._keys[at] == key:
            return self._marks[at]
        return 0


class Pieces:
    """Word pieces by greedy longest match, with a bounded cache of whole words."""

    def __init__(self, vocabulary: Sequence[str], lexicon: Lexicon | None) -> None:
        """Index the vocabulary."""
        self._ids = {piece: at for at, piece in enumerate(vocabulary)}
        self._lexicon = lexicon
        self._cache: dict[str, Encoded] = {}
        self.unk, self.cls, self.sep = (self._ids[mark] for mark in (UNK, CLS, SEP))

    def encode(self, word: str) -> Encoded:
        """Return the pieces and features of one word."""
        found = self._cache.get(word)
        if found is None:
            if len(self._cache) >= CACHE:
                self._cache = {}
            found = self._encode(word)
            self._cache[word] = found
        return found

    def _encode(self, word: str) -> Encoded:
        casing = casing_of(word)
        if word == "\n":
            return Encoded((self.sep,), casing, 0)
        plain = normal(word[:MAX_WORD])
        lex = self._lexicon.find(plain) if self._lexicon is not None and casing else 0
        return Encoded(tuple(self._split(plain)), casing, lex)

    def _split(self, plain: str) -> Iterator[int]:
        at, size, count = 0, len(plain), 0
        ids = self._ids
        if not size:
            yield self.unk
        while at < size and count < MAX_PIECES:
            end = min(size, at + 24)
            while end > at:
                piece = plain[at:end] if at == 0 else "##" + plain[at:end]
                known = ids.get(piece)
                if known is not None:
                    yield known
                    break
                end -= 1
            else:
                yield self.unk
                end = at + 1
            at = end
            count += 1
