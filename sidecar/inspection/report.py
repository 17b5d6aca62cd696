"""What would be redacted: `sidecar pii scan`. Data for programs, coloured text for people; both from the same spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sidecar.inspection.spans import Span

COLOURS = (31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96)
"""ECMA-48 foreground colours that are legible on light and dark."""


def as_json(spans: Sequence[Span]) -> dict[str, Any]:
    """`{"findings": [{"start", "end", "entity", "score", "detector"}]}`, offsets in code points."""
    return {
        "findings": [
            {
                "start": span.start,
                "end": span.end,
                "entity": span.entity,
                "score": round(span.score, 4),
                "detector": span.detector,
            }
            for span in spans
        ]
    }


def as_text(text: str, spans: Sequence[Span], *, colour: bool) -> str:
    """The text with each span marked: in its type's colour and name, or as `[TYPE: value]`."""
    out: list[str] = []
    done = 0
    for span in spans:
        out += (text[done : span.start], _marked(text[span.start : span.end], span.entity, colour=colour))
        done = span.end
    return "".join(out) + text[done:]


def _marked(value: str, entity: str, *, colour: bool) -> str:
    if not colour:
        return f"[{entity}: {value}]"
    code = COLOURS[sum(map(ord, entity)) % len(COLOURS)]
    return f"\x1b[{code};4m{value}\x1b[24m\x1b[2m {entity}\x1b[0m"


def summary(spans: Sequence[Span], not_looked_for: Sequence[str]) -> str:
    """One line a type with its count, then what nobody looked for."""
    counts = Counter(span.entity for span in spans)
    lines = [f"{count:6} {entity}" for entity, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    lines.append(f"not looked for: {', '.join(not_looked_for) or 'nothing of what is known'}")
    return "\n".join(lines)
