"""The words of a neighbourhood: the quick way for ASCII gives what the pattern gives, and names of code their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection.context import WORDS, Neighbourhood, words_of


def assert_begins_with_those_of_the_pattern(text: str) -> None:
    """What follows is of names of code and of compounds: parts of the words before."""
    words, plain = Neighbourhood(f"{text} 1").words(len(text) + 1, len(text) + 2), WORDS.findall(text.lower())
    assert words[: len(plain)] == plain
    assert all(any(more in word for word in plain) for more in words[len(plain) :])


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_ascii_words_are_those_of_the_pattern(text: str) -> None:
    assert_begins_with_those_of_the_pattern(text)


@given(st.text(max_size=60))
def test_words_of_any_text_are_those_of_the_pattern(text: str) -> None:
    assert_begins_with_those_of_the_pattern(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plain words_of 2 kinds", ["plain", "words", "of", "kinds"]),
        ("passportNumber x", ["passportnumber", "x", "passport", "number", "x", "passport"]),
        ("bsnnummer", ["bsnnummer", "bsn"]),
        ("CARD NUMBER", ["card", "number"]),
    ],
)
def test_names_of_code_and_compounds_are_also_read_as_their_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words
