"""The one-pass keyword scan by a multi-pattern engine: Hyperscan where its wheel is installed, else RE2.

Both give exactly the answers of inspection/keywords.py:pure_scan (tests/drivers/test_inspector_scan.py), 40 times
faster. Hyperscan is optional (its wheel exists for x86-64 and arm64 Linux); google-re2 is a dependency of the product.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sidecar.inspection.keywords import MakeScan, Scan, pure_scan


def hyperscan_scan(words: Sequence[str]) -> Scan:
    """Raises ImportError without the wheel."""
    import hyperscan

    database: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[re.escape(word).encode() for word in words],
        ids=list(range(len(words))),
        elements=len(words),
        flags=[hyperscan.HS_FLAG_SINGLEMATCH] * len(words),
    )
    scratch, search = hyperscan.Scratch(database), database.scan

    def hit(number: int, _start: int, _end: int, _flags: int, found: list[int]) -> None:
        found.append(number)

    def scan(text: str) -> list[int]:
        found: list[int] = []
        search(text.encode("utf-8", "surrogatepass"), hit, 0, found, scratch)  # by position: naming them costs a third
        return found

    return scan


def re2_scan(words: Sequence[str]) -> Scan:
    """Raises ImportError without google-re2, re2.error when its automaton cannot be built."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are bytes: lone surrogates are no valid UTF-8
    matcher = re2.Set.SearchSet(options)
    for word in words:
        matcher.Add(re2.escape(word).encode() if word.isascii() else re.escape(word).encode())
    matcher.Compile()

    def scan(text: str) -> list[int]:
        return list(matcher.Match(text.encode("utf-8", "surrogatepass")) or ())

    return scan


def fastest() -> tuple[str, MakeScan]:
    """The first that is installed, and its name."""
    for name, make in (("hyperscan", hyperscan_scan), ("re2", re2_scan)):
        try:
            make(["probe"])
        except ImportError:
            continue
        return name, make
    return "python", pure_scan
