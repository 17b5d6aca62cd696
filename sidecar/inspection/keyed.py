"""A value in data beside its key, as it would stand in the data's text.

`{"password": "Xk29fjq!z"}` in a tool's result is walked value by value, and `Xk29fjq!z` alone is no password. So a
detector reads `"password": "Xk29fjq!z"`, and what it finds is moved back onto the value. A key is read as one, too.
"""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.inspection.spans import Span
from sidecar.model import Part, PlaceKind

LONGEST_KEY = 64
"""Code points; a longer key is a text of its own and says nothing of what stands under it."""
LONGEST_VALUE = 512
"""A longer value is prose that says itself what it speaks of; it is read, and cached, like any other."""


def told(part: Part) -> str:
    """What a detector reads of a part."""
    before, behind = _around(part)
    return f"{before}{part.text}{behind}" if before else part.text


def moved_back(part: Part, spans: Iterable[Span]) -> list[Span]:
    """Spans of `told(part)` as spans of its text: what was found in the key goes."""
    size, shift = len(part.text), len(_around(part)[0])
    moved = ((max(span.start - shift, 0), min(span.end - shift, size), span) for span in spans)
    return [span._replace(start=start, end=end) for start, end, span in moved if start < end]


def _around(part: Part) -> tuple[str, str]:
    if part.place.kind is PlaceKind.KEY:  # alone, `iban` might be somebody's name
        return ('"', '": ') if len(part.text) <= LONGEST_KEY else ("", "")
    if not part.key or len(part.key) > LONGEST_KEY or len(part.text) > LONGEST_VALUE:
        return "", ""
    quote = "" if part.place.kind is PlaceKind.NUMBER else '"'
    return f'"{part.key}": {quote}', quote
