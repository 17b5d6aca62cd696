"""Edits over a text that lies in pieces: the same as over the whole."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.redaction import mask_text, spread
from tests.redaction.kit import mark, part


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[str], list[tuple[int, int, str]]]:
    pieces = draw(st.lists(st.text("abc", max_size=5), min_size=1, max_size=6))
    size = sum(map(len, pieces))
    edges = sorted(draw(st.lists(st.integers(0, size), max_size=8)))
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    return pieces, [(start, end, draw(st.sampled_from(["", "X", "<PERSON>"]))) for start, end in spans]


def whole(text: str, edits: list[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(edits, reverse=True, key=lambda edit: edit[:2]):
        text = text[:start] + new + text[end:]
    return text


@given(cases())
def test_joined_it_is_the_edited_text(case: tuple[list[str], list[tuple[int, int, str]]]) -> None:
    pieces, edits = case
    new = spread(pieces, edits)
    assert len(new) == len(pieces)
    assert sorted("".join(new)) == sorted(whole("".join(pieces), edits))
    if len({edit[0] for edit in edits}) == len(edits):
        assert "".join(new) == whole("".join(pieces), edits)


@given(cases())
def test_pieces_without_an_edit_are_unchanged(case: tuple[list[str], list[tuple[int, int, str]]]) -> None:
    pieces, edits = case
    edges = pairwise([0, *accumulate(map(len, pieces))])
    for old, new, (base, stop) in zip(pieces, spread(pieces, edits), edges, strict=True):
        if all(end <= base or start >= stop for start, end, _ in edits) and base not in {edit[0] for edit in edits}:
            assert new == old or stop == sum(map(len, pieces))


@pytest.mark.parametrize(
    ("pieces", "edits", "expected"),
    [
        (["ab", "cd", "ef"], [(1, 5, "X")], ["aX", "", "f"]),
        (["ab", "cd"], [(2, 3, "X")], ["ab", "Xd"]),
        (["ab", "cd"], [(1, 2, "X"), (2, 3, "Y")], ["aX", "Yd"]),
        (["ab", "", "cd"], [(0, 4, "X")], ["X", "", ""]),
        (["ab", ""], [(2, 2, "X")], ["ab", "X"]),
        ([], [], []),
        (["a"], [], ["a"]),
    ],
)
def test_a_replacement_lies_where_its_span_starts(
    pieces: list[str], edits: list[tuple[int, int, str]], expected: list[str]
) -> None:
    assert spread(pieces, edits) == expected


@pytest.mark.parametrize("edits", [[(0, 2, ""), (1, 3, "")], [(0, 5, "")], [(-1, 1, "")], [(2, 1, "")]])
def test_edits_that_cannot_be_are_a_fault(edits: list[tuple[int, int, str]]) -> None:
    with pytest.raises(ValueError, match="overlap or lie outside"):
        spread(["ab", "cd"], edits)


def test_masking_leaves_the_kind_only() -> None:
    made = part("Anna met Bob")
    assert mask_text(made.text, [mark(made, 9, 12), mark(made, 0, 4)]) == "<PERSON> met <PERSON>"
