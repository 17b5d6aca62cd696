"""Cuts: nothing lost, and a longer text has the same pieces before its end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.engine import Engine
from sidecar.inspection.segments import LEAST, LONGEST_PEM, MOST, Segment, joined, segments
from sidecar.inspection.spans import Span

ENGINE = Engine(Settings(countries=("us", "de")))
WORD = st.sampled_from(
    ["a@corp.example", "4111 1111 1111 1111", "lorem ipsum", "\n\n", "\n", " ", "x" * 50, "219-09-9999"]
)
TEXTS = st.lists(WORD, min_size=50, max_size=900).map(" ".join)


@settings(max_examples=30, deadline=None)
@given(TEXTS)
def test_pieces_tile_the_text(text: str) -> None:
    pieces = segments(text)
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text
    assert all(piece.low <= piece.start < piece.end <= piece.high for piece in pieces if text)


@settings(max_examples=15, deadline=None)
@given(TEXTS)
def test_found_in_pieces_is_found_in_the_whole(text: str) -> None:
    pieces = [(piece, ENGINE.find(text[piece.low : piece.high])) for piece in segments(text)]
    assert joined(pieces) == ENGINE.find(text)


@settings(max_examples=30, deadline=None)
@given(TEXTS, TEXTS)
def test_appending_moves_no_earlier_cut(text: str, more: str) -> None:
    before = [piece.end for piece in segments(text)[:-2]]
    assert [piece.end for piece in segments(text + more)][: len(before)] == before


def test_a_private_key_is_not_cut() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\n\n" + ("A" * 64 + "\n\n") * 60 + "-----END RSA PRIVATE KEY-----\n"
    text = "intro " * 300 + key + "outro " * 2000
    start, end = text.index("-----BEGIN"), text.index("-----END")
    assert not [piece for piece in segments(text) if start < piece.start <= end]


def test_a_text_without_blanks_is_cut_all_the_same() -> None:
    assert max(piece.end - piece.start for piece in segments("x" * 100_000)) <= 20_000 + LEAST


def test_a_block_without_a_line_end_does_not_keep_the_rest_in_one_piece() -> None:
    """Some rules cost more than their share in one long piece."""
    text = "-----BEGIN X----- " + "a" * 17_000 + "-----END X----- " + "http://a" * 20_000
    assert max(piece.end - piece.start for piece in segments(text)) < MOST + LONGEST_PEM
    assert "".join(text[piece.start : piece.end] for piece in segments(text)) == text


def test_what_begins_in_a_value_of_the_piece_before_keeps_what_lies_behind_it() -> None:
    """Its end would leave in clear: the later piece alone saw the whole of it."""
    before, behind = Segment(0, 0, 10, 15), Segment(5, 10, 30, 30)
    spans = joined([(before, [Span(6, 14, "A", 1.0, "d")]), (behind, [Span(6, 15, "B", 1.0, "d")])])
    assert [span[:3] for span in spans] == [(6, 14, "A"), (14, 20, "B")]
