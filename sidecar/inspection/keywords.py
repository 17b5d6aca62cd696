"""Which of some hundred words stand in a text: one pass, then only the rules whose word is there are tried.

A `Scan` is made for a fixed list of words and answers which of them (by index) occur as substrings. The pure one is
here; drivers/inspector_scan.py has faster ones with the same answers (Hyperscan, RE2), handed in from outside.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence

Scan = Callable[[str], Iterable[int]]
"""From a lower-cased text to the indexes of the words in it, in any order, each at most once."""

MakeScan = Callable[[Sequence[str]], Scan]


def pure_scan(words: Sequence[str]) -> Scan:
    """0.1 ms per kilobyte for 250 words; the fast ones need 2 microseconds."""
    numbered = tuple(enumerate(words))

    def scan(text: str) -> list[int]:
        return [number for number, word in numbered if word in text]

    return scan


def listed(words: str) -> tuple[str, ...]:
    """Words separated by white space; `_` stands for a space inside one."""
    return tuple(word.replace("_", " ") for word in words.split())


SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae"})
BARE = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "a"})


def unaccented(words: str) -> str:
    """Words separated by white space, and each as it is spelled without accents, in keys of data and in haste."""
    bare = "".join(
        char for char in unicodedata.normalize("NFD", words.translate(BARE)) if not unicodedata.combining(char)
    )
    return " ".join(dict.fromkeys((*words.split(), *words.translate(SPELLED_OUT).split(), *bare.split())))


def lowered(text: str) -> str:
    """Lower case with every code point where it was: `İ` lower-cases to two, so it stays as it is."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
