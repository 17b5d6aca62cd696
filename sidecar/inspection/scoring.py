"""How well spans match a labelled set: `sidecar pii eval`.

Three figures per type, never one headline: precision and recall (same type, overlap of at least half by intersection
over union), and `covered`: every character of the labelled span lies inside some found span, whatever its label.
Covered is the leak metric; recall by overlap hides leaks. Each with n and a 95 % Wilson interval.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, NamedTuple


class Label(NamedTuple):
    """A span as an annotator or a detector gave it; offsets in code points."""

    start: int
    end: int
    entity: str


class Example(NamedTuple):
    text: str
    labels: tuple[Label, ...]


ALIASES = {
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "IBAN": "IBAN_CODE",
    "SSN": "US_SSN",
    "IP": "IP_ADDRESS",
    "DOMAIN_NAME": "URL",
    "PER": "PERSON",
    "NAME": "PERSON",
    "LOC": "LOCATION",
    "GPE": "LOCATION",
    "ORG": "ORGANIZATION",
    "ADDRESS": "STREET_ADDRESS",
    "CVV": "CARD_SECURITY_CODE",
    "CREDITCARDCVV": "CARD_SECURITY_CODE",
    "COORDINATE": "GEO_COORDINATES",
    "NEARBYGPSCOORDINATE": "GEO_COORDINATES",
    "PHONEIMEI": "IMEI",
    "VEHICLEVIN": "VIN",
}
"""Names that labelled sets use for the types of this engine."""


def examples(data: str) -> Iterator[Example]:
    """Read a set: JSON lines of {"text", "spans": [{"start", "end", "entity"}]}, or presidio-research's JSON list.

    Raises ValueError, which says where and why but not what stands there, for anything else.
    """
    data = data.removeprefix("\ufeff")
    if data.lstrip().startswith("["):
        rows = [(f"entry {number}", row) for number, row in enumerate(json.loads(data), 1)]
    else:  # not splitlines: U+2028 and its like may stand within a JSON string
        lines = enumerate(data.split("\n"), 1)
        rows = [(f"line {number}", _parsed(number, line)) for number, line in lines if line.strip()]
    for place, row in rows:
        try:
            yield _example(row)
        except KeyError as error:
            raise ValueError(f"{place}: there is no {error}") from None
        except (TypeError, AttributeError):
            raise ValueError(f"{place}: not of the form that `sidecar pii eval --help` shows") from None
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None


def _parsed(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: no JSON ({getattr(error, 'msg', 'unreadable')})") from None


def _example(row: Mapping[str, Any]) -> Example:
    text, labels = row["full_text"] if "full_text" in row else row["text"], tuple(map(_label, row["spans"]))
    if not isinstance(text, str):
        raise TypeError
    if not all(0 <= label.start < label.end <= len(text) for label in labels):
        raise ValueError("a span is empty or lies outside of its text (offsets are code points)")
    return Example(text, labels)


def _label(row: Mapping[str, Any]) -> Label:
    if "entity_type" in row:
        start, end = row.get("start_position", row.get("start")), row.get("end_position", row.get("end"))
        return Label(int(start or 0), int(end or 0), named(row["entity_type"]))
    return Label(int(row["start"]), int(row["end"]), named(row["entity"]))


def named(entity: str) -> str:
    return ALIASES.get(entity, entity)


@dataclass(slots=True)
class Tally:
    labelled: int = 0
    matched: int = 0
    covered: int = 0
    found: int = 0
    right: int = 0

    @property
    def precision(self) -> float | None:
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        return self.matched / self.labelled if self.labelled else None

    @property
    def coverage(self) -> float | None:
        return self.covered / self.labelled if self.labelled else None


@dataclass(slots=True)
class Scorecard:
    types: dict[str, Tally] = field(default_factory=dict)
    texts: int = 0
    characters: int = 0

    def add(self, example: Example, found: Sequence[Label]) -> None:
        self.texts += 1
        self.characters += len(example.text)
        for label in example.labels:
            tally = self._of(label.entity)
            tally.labelled += 1
            tally.matched += any(_matches(label, hit) for hit in found)
            tally.covered += _is_covered(label, found, example.text)
        for hit in found:
            tally = self._of(hit.entity)
            tally.found += 1
            tally.right += any(_matches(label, hit) for label in example.labels)

    def _of(self, entity: str) -> Tally:
        return self.types.setdefault(entity, Tally())

    def as_json(self) -> dict[str, Any]:
        return {
            "texts": self.texts,
            "characters": self.characters,
            "types": {entity: _row(self.types[entity]) for entity in sorted(self.types)},
        }

    def as_text(self) -> str:
        lines = [f"{'type':32} {'n':>6} {'covered':>21} {'recall':>21} {'found':>6} {'precision':>21}"]
        for entity in sorted(self.types):
            tally = self.types[entity]
            covered, recall = (_figure(part, tally.labelled) for part in (tally.covered, tally.matched))
            precision = _figure(tally.right, tally.found)
            lines.append(f"{entity:32} {tally.labelled:6} {covered:>21} {recall:>21} {tally.found:6} {precision:>21}")
        return "\n".join(lines)


def score(data: Iterable[Example], find: Callable[[str], Iterable[Label]]) -> Scorecard:
    card = Scorecard()
    for example in data:
        card.add(example, list(find(example.text)))
    return card


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson 1927)."""
    if not whole:
        return (0.0, 1.0)
    z = 1.96
    share, scale = part / whole, 1 + z * z / whole
    middle = (share + z * z / (2 * whole)) / scale
    width = z * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole)) / scale
    return (max(0.0, middle - width), min(1.0, middle + width))


def _figure(part: int, whole: int) -> str:
    if not whole:
        return "-"
    low, high = wilson(part, whole)
    return f"{part / whole:.3f} [{low:.3f}, {high:.3f}]"


def _row(tally: Tally) -> dict[str, Any]:
    return {
        "n": tally.labelled,
        "found": tally.found,
        "precision": tally.precision,
        "precision_interval": wilson(tally.right, tally.found),
        "recall": tally.recall,
        "recall_interval": wilson(tally.matched, tally.labelled),
        "covered": tally.coverage,
        "covered_interval": wilson(tally.covered, tally.labelled),
    }


def _matches(label: Label, hit: Label) -> bool:
    if label.entity != hit.entity:
        return False
    shared = min(label.end, hit.end) - max(label.start, hit.start)
    return shared > 0 and shared / (max(label.end, hit.end) - min(label.start, hit.start)) >= 0.5


def _is_covered(label: Label, found: Iterable[Label], text: str) -> bool:
    """White space and punctuation at the edges of a found span are not needed to hide the value."""
    at = label.start
    for hit in sorted(found):
        if hit.start <= at < hit.end:
            at = hit.end
        while at < label.end and not text[at].isalnum():
            at += 1
    return at >= label.end
