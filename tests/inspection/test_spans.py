"""Overlaps: disjoint results that cover every letter and digit any detector marked."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection.spans import Span, Strength, resolve

TEXT = "ab, cd-ef gh.ij kl (mn) op qr: st uv; wx yz 12 34 56 78 90 ."


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    made = []
    for _ in range(draw(st.integers(0, 12))):
        start = draw(st.integers(0, len(TEXT) - 2))
        end = draw(st.integers(start + 1, min(len(TEXT), start + 20)))
        strength = draw(st.sampled_from(Strength))
        made.append(
            Span(
                start, end, draw(st.sampled_from(["A", "B", "STREET_ADDRESS"])), draw(st.floats(0.1, 1)), "t", strength
            )
        )
    return made


@given(spans())
def test_disjoint_in_order_and_nothing_marked_is_left_standing(marked: list[Span]) -> None:
    settled = resolve(marked, TEXT)
    assert all(left.end <= right.start for left, right in itertools.pairwise(settled))
    assert all(span.start < span.end for span in settled)
    covered = {at for span in settled for at in range(span.start, span.end)}
    wanted = {at for span in marked for at in range(span.start, span.end) if TEXT[at].isalnum()}
    assert wanted <= covered
    assert covered <= {at for span in marked for at in range(span.start, span.end)}


@given(spans())
def test_settling_twice_changes_nothing(marked: list[Span]) -> None:
    once = resolve(marked, TEXT)
    assert resolve(once, TEXT) == once


def test_the_stronger_one_names_the_span_and_is_widened_not_trimmed() -> None:
    text = "write to anna bob@corp.example today"
    name = Span(9, 17, "PERSON", 0.99, "model", Strength.MODEL)
    mail = Span(14, 30, "EMAIL_ADDRESS", 0.9, "rules", Strength.PROVEN)
    assert resolve([name, mail], text) == [mail._replace(start=9)]


def test_punctuation_that_sticks_out_widens_nothing() -> None:
    text = "(bob@corp.example)."
    mail = Span(1, 17, "EMAIL_ADDRESS", 1.0, "rules", Strength.PROVEN)
    assert resolve([mail, Span(12, 19, "ORGANIZATION", 0.5, "model", Strength.MODEL)], text) == [mail]


def test_a_number_at_the_end_of_a_models_address_keeps_its_type() -> None:
    text = "Kerkstraat 5, Amsterdam, BSN 123456782."
    address = Span(0, 38, "STREET_ADDRESS", 0.99, "model", Strength.MODEL)
    number = Span(29, 38, "NL_BSN", 0.7, "rules")
    assert resolve([address, number], text) == [address._replace(end=28), number]
    inner = Span(11, 12, "NL_BSN", 0.7, "rules")
    assert resolve([address, inner], text) == [address]
