"""A value in data is read beside its key, and what is found is moved back onto the value."""

from __future__ import annotations

import pytest

from sidecar.inspection.keyed import LONGEST_KEY, LONGEST_VALUE, moved_back, told
from sidecar.inspection.spans import Span, Strength
from sidecar.model import Part, Place, PlaceKind, Role


def part(text: str, key: str = "", kind: PlaceKind = PlaceKind.TEXT) -> Part:
    return Part(place=Place(path=("a",), label="a", kind=kind), role=Role.TOOL, text=text, key=key)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (part("Xk29", "password"), '"password": "Xk29"'),
        (part("12345678", "iban", PlaceKind.NUMBER), '"iban": 12345678'),
        (part("iban", "iban", PlaceKind.KEY), '"iban": '),
        (part("Xk29"), "Xk29"),
        (part("x", "k" * LONGEST_KEY), f'"{"k" * LONGEST_KEY}": "x"'),
        (part("x", "k" * (LONGEST_KEY + 1)), "x"),
        (part("k" * (LONGEST_KEY + 1), "k", PlaceKind.KEY), "k" * (LONGEST_KEY + 1)),
        (part("x" * LONGEST_VALUE, "k"), f'"k": "{"x" * LONGEST_VALUE}"'),
        (part("x" * (LONGEST_VALUE + 1), "k"), "x" * (LONGEST_VALUE + 1)),
    ],
)
def test_what_a_detector_reads(given: Part, read: str) -> None:
    assert told(given) == read


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ("Xk29", ["Xk29"]),
        ("29", ["29"]),
        ('"password": "Xk29"', ["Xk29"]),
        ('Xk29"', ["Xk29"]),
        ("password", []),
        ('"password": "', []),
    ],
)
def test_what_is_found_is_moved_back_onto_the_value(found: str, left: list[str]) -> None:
    given = part("Xk29", "password")
    start = told(given).index(found)
    spans = moved_back(given, [Span(start, start + len(found), "PASSWORD", 1.0, "rules", next(iter(Strength)))])
    assert [given.text[span.start : span.end] for span in spans] == left
    assert all(0 <= span.start < span.end <= len(given.text) for span in spans)
