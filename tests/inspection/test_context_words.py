"""The words of a neighbourhood: the quick way for ASCII gives what the pattern gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection.context import WORDS, Neighbourhood


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_ascii_words_are_those_of_the_pattern(text: str) -> None:
    assert Neighbourhood(f"{text} 1").words(len(text) + 1, len(text) + 2) == WORDS.findall(text.lower())


@given(st.text(max_size=60))
def test_words_of_any_text_are_those_of_the_pattern(text: str) -> None:
    assert Neighbourhood(f"{text} 1").words(len(text) + 1, len(text) + 2) == WORDS.findall(text.lower())
