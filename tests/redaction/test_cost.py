"""Cost that grows with the text and not with its square, whatever a caller or a model server writes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from sidecar.model import Channel, Finding, Part
from sidecar.redaction import LIFELIKE, NUMBERED, Restorer, Style, Vault, redact
from sidecar.redaction.grammar import label
from tests.redaction.kit import ALL, JSON, TEXT, everywhere, mark, part, stream, vault_of

VAULT = vault_of(PERSON="Anna Smith", EMAIL_ADDRESS="bob@x.com")


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Four times as much: a quadratic step would cost 16 times as much; 9 leaves room for a busy machine."""
    fast = min(_cost(work, size) for _ in range(3))
    slow = min(_cost(work, 4 * size) for _ in range(4))
    assert slow < max(9 * fast, 0.1), (fast, slow)


def _cost(work: Callable[[int], object], size: int) -> float:
    began = time.process_time()
    work(size)
    return time.process_time() - began


def linear_stream(vault: Vault, unit: str, channel: Channel = TEXT) -> Callable[[int], object]:
    """A reply of so many code points of the unit, between two surrogates."""

    def work(size: int) -> str:
        reply = f"<EMAIL_ADDRESS_1>{unit * (size // len(unit))}<EMAIL_ADDRESS_1>"
        return stream(Restorer(vault), [reply], channel)

    return work


NEARLY = ["x PERSON_1a ", "PERSON_1", "x person_1a ", "\\" * 5 + "_1", "A_" * 20 + "PERSON_1a ", "<PERSON_0a"]


@pytest.mark.parametrize("unit", NEARLY)
def test_words_that_nearly_are_surrogates_cost_no_more_than_their_length(unit: str) -> None:
    """A log or source code full of them: each was looked for to the end of the text."""

    def work(size: int) -> None:
        made = part("Anna " + unit * (size // len(unit)))
        redact([made], [mark(made, 0, 4)], ALL)

    assert_linear(work, 8_000)


def test_a_document_that_nobody_declared_costs_no_more_than_its_length() -> None:
    def work(size: int) -> str:
        return stream(Restorer(VAULT), ["[", *['"<EMAIL_ADDRESS_1>", ["a", {"b": "c"}], '] * (size // 40)])

    assert_linear(work, 20_000)


@pytest.mark.parametrize("before", ["", '{"a": "', "'" * 5000])
def test_values_that_json_spelled_cost_no_more_than_their_number(before: str) -> None:
    """Each is looked back from to the quote that began its string, but only so far."""
    value = 'Zo\\u00eb\\"'

    def work(size: int) -> None:
        made = part(before + (value + " ") * (size // len(value)))
        starts = range(len(before), len(made.text), len(value) + 1)
        redact([made], [mark(made, at, at + len(value)) for at in starts], ALL)

    assert_linear(work, 20_000)


LONG = [
    "A_",
    "<A_",
    "PERSON_",
    "<PE\\",
    "PERSON_1a ",
    "\\u003c",
    "%3C",
    "%3CPERSON_1%3E",
    "https://a.b/<PERSON_1>",
    '"https://a <PERSON_1>',
]


@pytest.mark.parametrize("channel", [TEXT, JSON])
@pytest.mark.parametrize("unit", LONG)
def test_a_reply_costs_no_more_than_its_length(unit: str, channel: Channel) -> None:
    assert_linear(linear_stream(VAULT, unit, channel), 16_000)


def _columns(count: int) -> tuple[list[Part], list[Finding]]:
    """A tool's result in JSON: each value is a part of its own."""
    parts = [part(f"a{at}@x.com", at=at) for at in range(count)]
    return parts, [mark(each, 0, len(each.text), "EMAIL_ADDRESS") for each in parts]


def _typed(count: int) -> tuple[list[Part], list[Finding]]:
    """As many addresses of the series itself as there are to be replaced."""
    text = " ".join(f"user{at:04}@example.com a{at}@x.com" for at in range(count))
    made = part(text)
    return [made], [mark(made, each.start(), each.end(), "EMAIL_ADDRESS") for each in re.finditer(r"a\d+@x.com", text)]


@pytest.mark.parametrize("style", [NUMBERED, LIFELIKE])
@pytest.mark.parametrize("request_of", [_columns, _typed])
def test_many_values_cost_no_more_than_their_number(
    request_of: Callable[[int], tuple[list[Part], list[Finding]]], style: Style
) -> None:
    assert_linear(lambda size: redact(*request_of(size), ALL, style=style), 1_000)


def test_a_label_has_no_more_words_than_a_surrogate_is_read_with() -> None:
    entity = "_".join(["VERY"] * 40)
    assert label(entity) == "_".join(["VERY"] * 16)
    vault = vault_of(**{entity: "Anna", entity + "_LONG": "Bob"})
    name = label(entity)
    assert everywhere(vault, f"<{name}_1> {name}_2 <{name}_2>") == "Anna Bob Bob"
