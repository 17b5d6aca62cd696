"""What broke elsewhere: the issues of a well-known gateway's guardrail that concern this room.

Others of that list are other rooms': a dead analyser (30728) and the positions of a body (41265, 14612) belong to the
conductor and the dialects, false findings (21949) to inspection, byte-identical passing (30447) to the relay.
"""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model import Channel, PlaceKind, RedactMode, Role
from sidecar.redaction import Restorer, redact
from tests.redaction.kit import ALL, JSON, TEXT, cut, edited, mark, marks, part, redacted, splits, stream

PEOPLE = {"Anna Smith": "PERSON", "Bob Jones": "PERSON", "Cleo": "PERSON"}


@given(st.text(max_size=40), st.lists(st.integers(0, 40), max_size=8, unique=True))
def test_42130_spans_never_splice_placeholders_or_eat_text(text: str, edges: list[int]) -> None:
    """`<US_BANK_NUMBER_7>LICENSE_7>`: overlapping spans, each replaced in the other's output."""
    made = part(text)
    spans = sorted(min(edge, len(text)) for edge in edges)
    findings = [mark(made, *span) for span in zip(spans[::2], spans[1::2], strict=False) if span[0] < span[1]]
    result = redact([made], findings, ALL)
    new = edited([made], result.edits)[0]
    outside = re.split(r"<(?:PERSON|LITERAL)_[0-9]+>", new)
    at = 0
    for piece in outside:
        at = text.index(piece, at) + len(piece)
    assert stream(Restorer(result.vault, guard=False), list(new)) == text


def test_42130_overlapping_findings_are_refused() -> None:
    made = part("123456789")
    with pytest.raises(ValueError, match="overlap"):
        redact([made], [mark(made, 0, 6, "US_BANK_NUMBER"), mark(made, 3, 9, "US_DRIVER_LICENSE")], ALL)


def test_24160_no_offset_of_the_output_is_used_on_the_input() -> None:
    """Replacements longer and shorter than their values, side by side: no remnant of a value is left."""
    text = "Cleo, Anna Smith, Cleo, Bob Jones, Cleo" * 20
    texts, result = redacted([text], PEOPLE)
    assert not [value for value in PEOPLE if value in texts[0]]
    assert stream(Restorer(result.vault), texts) == text


def test_31959_numbers_do_not_restart_with_each_message() -> None:
    """`<PERSON_1>` in two messages was two people, and the wrong one came back."""
    texts, result = redacted(["I am Anna Smith", "I am Bob Jones", "Anna Smith and Bob Jones"], PEOPLE)
    assert texts == ["I am <PERSON_1>", "I am <PERSON_2>", "<PERSON_1> and <PERSON_2>"]
    assert stream(Restorer(result.vault), [texts[1]]) == "I am Bob Jones"


def test_31959_a_repeat_gets_no_new_number() -> None:
    texts, _ = redacted(["Cleo " * 50], PEOPLE)
    assert texts == ["<PERSON_1> " * 50]


def test_31959_a_placeholder_without_its_number_is_left() -> None:
    _, result = redacted(["Anna Smith"], PEOPLE)
    assert stream(Restorer(result.vault), ["Dear <PERSON>, dear <PERSON_>"]) == "Dear <PERSON>, dear <PERSON_>"


@pytest.mark.parametrize("seed", range(10))
def test_41600_turn_n_and_turn_n_plus_1_share_their_prefix(seed: int) -> None:
    """A whole conversation, each reply restored and sent back: what the upstream saw once it sees again."""
    source = random.Random(seed)
    history: list[str] = []
    before: list[str] = []
    for _ in range(8):
        names = source.sample(list(PEOPLE), 2)
        history.append(f"{names[0]} asks {names[1]} <PERSON_{source.randint(1, 9)}>")
        upstream, result = redacted(history, PEOPLE)
        assert upstream[: len(before)] == before
        reply = f"Dear {upstream[-1].split()[0]}, <PERSON_77> says <div>"
        history.append(stream(Restorer(result.vault), cut(source, reply)))
        before = upstream


def test_41600_what_comes_back_from_a_file_is_not_resolved_by_a_later_exchange() -> None:
    _, first = redacted(["Anna Smith"], PEOPLE)
    unresolved = stream(Restorer(first.vault), ["<PERSON_2>"])
    texts, second = redacted(["Bob Jones", f"the file says {unresolved}"], PEOPLE)
    assert stream(Restorer(second.vault), texts[1:]) == "the file says <PERSON_2>"


def test_31503_the_first_chunk_leaves_at_once() -> None:
    """The whole stream was buffered: first token = end."""
    _, result = redacted(["Anna Smith"], PEOPLE)
    restorer = Restorer(result.vault)
    text = "The answer is short, and <PERSON_1> knows."
    released = [restorer.feed(TEXT, character) for character in text]
    assert "".join(released[:25]) == text[:25]
    assert sum(not each for each in released) == len("<PERSON_1")


def test_28316_28197_what_was_restored_is_not_masked_again() -> None:
    values = {"<PERSON_2>": "PERSON", "Anna <PERSON_1>": "PERSON"}
    texts, result = redacted(["<PERSON_2> Anna <PERSON_1>"], values)
    assert texts == ["<PERSON_1> <PERSON_2>"]
    assert stream(Restorer(result.vault), list(texts[0])) == "<PERSON_2> Anna <PERSON_1>"


@pytest.mark.parametrize("channel", [TEXT, Channel(0, "reasoning_content"), Channel(1, "refusal")])
def test_30206_a_placeholder_split_over_events_comes_back(channel: Channel) -> None:
    _, result = redacted(["Anna Smith, Bob Jones"], PEOPLE)
    for pieces in splits("<PERSON_1> and <PERSON_2>"):
        assert stream(Restorer(result.vault), pieces, channel) == "Anna Smith and Bob Jones"


def test_712_placeholders_split_by_argument_deltas_come_back() -> None:
    """Another proxy sealed 30 to 45 placeholders a request and restored one in 1,881: `input_json_delta` split them."""
    _, result = redacted(["Anna Smith, Bob Jones"], PEOPLE)
    document = '{"to": ["<PERSON_1>", "<PERSON_2>"], "note": "{\\"by\\": \\"<PERSON_1>\\"}"}'
    expected = '{"to": ["Anna Smith", "Bob Jones"], "note": "{\\"by\\": \\"Anna Smith\\"}"}'
    for pieces in splits(document):
        restorer = Restorer(result.vault)
        assert stream(restorer, pieces, JSON) == expected
        assert dict(restorer.restored) == {"PERSON": 3}


@pytest.mark.parametrize("kind", PlaceKind)
@pytest.mark.parametrize("role", Role)
def test_41265_14612_every_kind_of_place_and_every_role_is_redacted(kind: PlaceKind, role: Role) -> None:
    made = part("Cleo", kind=kind, role=role)
    result = redact([made], marks(made, PEOPLE), ALL)
    assert "Cleo" not in result.edits[0].text
    assert stream(Restorer(result.vault), [result.edits[0].text]) == "Cleo"


@pytest.mark.parametrize("value", ["a.b", "(x", "[", "*", "\\d", "a|b", "$", "^"])
def test_values_are_no_patterns(value: str) -> None:
    """A case-insensitive mode elsewhere used values as regular expressions."""
    texts, result = redacted([f"x {value} y"], {value: "SECRET"})
    assert texts == ["x <SECRET_1> y"]
    assert stream(Restorer(result.vault), texts) == f"x {value} y"


def test_what_policy_dropped_or_masked_is_never_restored() -> None:
    rules = {"PERSON": RedactMode.MASK, "SECRET": RedactMode.DROP, "*": RedactMode.SURROGATE}
    texts, result = redacted(["Cleo hunter2 x@y.z"], {**PEOPLE, "hunter2": "SECRET", "x@y.z": "EMAIL_ADDRESS"}, rules)
    assert texts == ["<PERSON>  <EMAIL_ADDRESS_1>"]
    said = "<PERSON> <PERSON_1> <SECRET_1> SECRET_1 <EMAIL_ADDRESS_1>"
    assert stream(Restorer(result.vault), list(said)) == "<PERSON> <PERSON_1> <SECRET_1> SECRET_1 x@y.z"
