"""Edits to one text that lies in several pieces: a judged window of a reply, cut as the upstream cut it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from sidecar.model import Finding

Cut = tuple[int, int, str]
"""Start and end in the whole text, and what replaces it."""


def spread(pieces: Sequence[str], edits: Sequence[Cut]) -> list[str]:
    """The edited text in as many pieces: a replacement lies in the piece where its span starts.

    Offsets are code points of the pieces joined. An insertion at the very end goes to the last piece. Raises
    ValueError when edits overlap or lie outside the text.
    """
    new = list(pieces)
    bases = [0, *accumulate(map(len, pieces))]
    ordered = _checked(edits, bases.pop())
    for start, end, text in reversed(ordered):  # from the right, so that offsets to the left stay true
        first = bisect_right(bases, start) - 1
        last = max(first, bisect_left(bases, end) - 1)
        rest = new[last][end - bases[last] :]
        for between in range(first + 1, last + 1):
            new[between] = ""
        head = new[first][: start - bases[first]] + text
        if first == last:
            new[first] = head + rest
        else:
            new[first], new[last] = head, rest
    return new


def _checked(edits: Sequence[Cut], size: int) -> list[Cut]:
    ordered = sorted(edits, key=lambda edit: edit[:2])
    reached = 0
    for start, end, _ in ordered:
        if not reached <= start <= end <= size:
            raise ValueError("edits overlap or lie outside the text")
        reached = end
    return ordered


def mask_text(text: str, findings: Sequence[Finding]) -> str:
    """The text with every finding replaced by its entity, `<PERSON>`: nothing of it comes back."""
    return spread([text], [(finding.start, finding.end, f"<{finding.entity}>") for finding in findings])[0]
