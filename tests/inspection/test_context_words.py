"""The words of a neighbourhood: the quick way for Latin-1 gives the pattern's, and names of code theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection.context import WORDS, Context, Neighbourhood, words_of


def assert_begins_with_those_of_the_pattern(text: str) -> None:
    """What follows is of names of code and of compounds: parts of the words before."""
    said = Neighbourhood(f"{text} 1", frozenset()).near(len(text) + 1, len(text) + 2)
    words, plain = said.words, WORDS.findall(text.lower())
    assert words[: len(plain)] == plain
    assert all(any(more in word for word in plain) for more in words[len(plain) :])


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_words_of_latin_1_are_those_of_the_pattern(text: str) -> None:
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


TERMS = ("phone", "my number", "my card number", "number")


@given(st.lists(st.sampled_from(("my", "number", "phone", "card", "is", "the"))))
def test_a_context_says_the_same_of_the_heads_alone_as_of_all_words(words: list[str]) -> None:
    """Whatever other contexts the vocabulary serves."""
    text = f"{' '.join(words)} 1"
    vocabulary = Context(("card", *TERMS)).heads
    for terms in (TERMS, TERMS[:1], TERMS[1:2], TERMS[2:], ("the card",)):
        context = Context(terms)
        said = Neighbourhood(text, vocabulary | context.heads).near(len(text) - 1, len(text))
        assert context.within(said) == context.among(words)
