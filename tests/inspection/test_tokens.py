"""The fast ways to a text's numbers give what the plain ones give; what is proven is not tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.inspection.catalogue import Settings
from sidecar.inspection.encoded import BLOCK, blocks
from sidecar.inspection.engine import Engine
from sidecar.inspection.normalise import normalised
from sidecar.inspection.tokens import outline, tokens

TEXTS = st.text(st.sampled_from("0123456789") | st.sampled_from("aZé²_ -./+=\u2019\u0142\n"), max_size=300)


@given(TEXTS)
def test_an_outline_shows_the_same_tokens(text: str) -> None:
    assert tokens(text, outline(text)) == tokens(text)


def test_a_token_reaches_back_128_letters_and_no_further() -> None:
    for size in (127, 128, 129, 400):
        text = "x" * size + "1y " + "z" * size + "22"
        assert tokens(text, outline(text)) == tokens(text)


@given(st.text("0123456789 .-/_x", min_size=10))
def test_digits_set_apart_are_seen_in_the_outline(text: str) -> None:
    assert normalised(text, outline(text)).text == normalised(text).text


@given(st.text("ab09+/_-= é\u2019", max_size=200))
def test_every_run_of_a_blocks_characters_is_looked_at(text: str) -> None:
    found = [(block.start, block.end) for block in blocks(text)]
    assert set(found) <= {match.span() for match in BLOCK.finditer(text)}


def test_a_number_that_goes_on_behind_something_proven_is_covered() -> None:
    text = "call +4930901820 219-09-9999 or write to anna@corp.example.GB82 WEST 1234 5698 7654 32"
    first, second = Engine(Settings()).find(text)
    assert text[first.start : first.end] == "+4930901820 219-09-9999"
    assert text[second.start : second.end] == "anna@corp.example.GB82 WEST 1234 5698 7654 32"
