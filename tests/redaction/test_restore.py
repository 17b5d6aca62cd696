"""The restorer in text: any cut of the stream, every tolerated spelling, nothing that is not the caller's own."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.model import Channel, PlaceKind
from sidecar.redaction import LIFELIKE, Restorer, Vault
from tests.redaction.kit import JSON, TEXT, cut, everywhere, part, redacted, splits, stream, vault_of
from tests.redaction.streams import faults

ANNA = vault_of(PERSON="Anna Smith", EMAIL_ADDRESS="anna@x.com")
BARE = redacted([part("Anna", kind=PlaceKind.IDENTIFIER)], {"Anna": "PERSON"})[1].vault


@pytest.mark.parametrize(
    ("upstream", "caller"),
    [
        ("Dear <PERSON_1>, ", "Dear Anna Smith, "),
        ("<PERSON_1><PERSON_1>", "Anna SmithAnna Smith"),
        ("<PERSON_1>'s <EMAIL_ADDRESS_1>.", "Anna Smith's anna@x.com."),
        ("<<PERSON_1>>", "<Anna Smith>"),
        ("a < b <PERSON_1", "a < b Anna Smith"),
        ("&lt;PERSON_1&gt;", "Anna Smith"),
        ("&lt;PERSON_1>", "Anna Smith"),
        ("<PERSON\\_1> <EMAIL\\_ADDRESS\\_1>", "Anna Smith anna@x.com"),
        ("<person_1> <Email_Address_1>", "Anna Smith anna@x.com"),
        ("\\u003cPERSON_1\\u003e", "Anna Smith"),
        ("\\u003Cperson\\_1\\u003E!", "Anna Smith!"),
        ("Hi <PERSON_1, bye", "Hi Anna Smith, bye"),
        ("Hi PERSON_1>, bye", "Hi Anna Smith, bye"),
        ("C:\\<PERSON_1>\\x", "C:\\Anna Smith\\x"),
        ("\\\\\\u003cPERSON_1>", "\\\\Anna Smith"),
        ("by \\<PERSON\\_1\\>.", "by Anna Smith."),
        ("by \\\\<PERSON_1\\\\>, <PERSON_1\\>, PERSON_1\\>.", "by Anna Smith, Anna Smith, Anna Smith."),
        ("C:\\\\\\<PERSON_1\\>", "C:\\\\Anna Smith"),
        ("<mailto:EMAIL_ADDRESS_1>", "<mailto:anna@x.com>"),
        ("<a href=mailto:EMAIL_ADDRESS_1>PERSON_1</a>", "<a href=mailto:anna@x.com>Anna Smith</a>"),
        ("<PERSON_1, EMAIL_ADDRESS_1> <b>PERSON_1>", "Anna Smith, anna@x.com <b>Anna Smith"),
        ("/?q=%3CPERSON_1%3E&r=%3cemail_address_1%3e", "/?q=Anna%20Smith&r=anna%40x.com"),
        ("[a](mailto:%3CEMAIL_ADDRESS_1%3E) 100%3CPERSON_1 5%", "[a](mailto:anna%40x.com) 100Anna%20Smith 5%"),
        ("%3CPERSON_1> <PERSON_1%3E PERSON_1%3E %3CPERSON\\_1%3E", " ".join(["Anna%20Smith"] * 4)),
    ],
)
def test_a_surrogate_comes_back_in_every_spelling_of_the_closed_list(upstream: str, caller: str) -> None:
    assert everywhere(ANNA, upstream) == caller


@pytest.mark.parametrize(
    ("text", "unknown", "ambiguous"),
    [
        ("<PERSON_2>", 1, 0),
        ("&lt;person_2&gt; and <IBAN_CODE_1>", 2, 0),
        ("<A_VERY_LONG_LABEL_THAT_NOTHING_MINTED_HAS_1>", 0, 0),
        ("<PERSON_01> <PERSON_\u0661> <PERSON_1\u0661>", 0, 1),
        ("<PERSON_1x> <PERSON_> <PERSON> PERSON", 0, 0),
        ("x.PERSON_1() PERSON_1[0] PERSON_1=3", 0, 3),
        ("person_1> <person_1 x", 0, 0),
        ("</PERSON_1> <PERSON_1/> <PERSON_1-x>", 0, 2),
        ("MY_PERSON_1> PERSON_1_x", 0, 1),
        ("%3CPERSON_2%3E and %3Cperson_3%3E", 2, 0),
        ("%3CPERSON_1%2C %3CPERSON_1x %3Cdiv%3E %3C %3E 3% %3", 0, 1),
        ("%253CPERSON_1%253E", 0, 0),
        ("&#60;PERSON_2&#62;", 0, 0),
        ("<div> <<<< a<b>c &lt;div&gt; &amp; \\u003cdiv\\u003e", 0, 0),
    ],
)
def test_what_is_not_certainly_ours_passes_and_is_counted(text: str, unknown: int, ambiguous: int) -> None:
    assert everywhere(ANNA, text) == text
    restorer = Restorer(ANNA)
    stream(restorer, [text])
    assert (restorer.unknown, restorer.ambiguous, dict(restorer.restored)) == (unknown, ambiguous, {})


@pytest.mark.parametrize(
    ("upstream", "caller"),
    [
        ("PERSON_1", "Anna"),
        ("<PERSON_1>", "Anna"),
        ("get_PERSON_1_x", "get_Anna_x"),
        ("GET_PERSON_1", "GET_Anna"),
        ("<PERSON_1", "<Anna"),
        ("PERSON_1>", "Anna>"),
        ("PERSON\\_1", "Anna"),
        ("xPERSON_1 PERSON_1x PERSON_12 person_1", "xPERSON_1 PERSON_1x PERSON_12 person_1"),
    ],
)
def test_a_name_minted_bare_comes_back_bare(upstream: str, caller: str) -> None:
    assert everywhere(BARE, upstream) == caller


def test_bare_words_are_restored() -> None:
    assert everywhere(ANNA, "PERSON_1, [PERSON_1] PERSON_1_x") == "Anna Smith, [Anna Smith] PERSON_1_x"
    assert everywhere(ANNA, "< PERSON_1 > 'PERSON_1'") == "< Anna Smith > 'Anna Smith'"
    assert everywhere(ANNA, "`PERSON_1` «PERSON_1» PERSON_1。") == "`Anna Smith` «Anna Smith» Anna Smith。"
    assert everywhere(ANNA, "《PERSON_1》〈PERSON_1〉＜PERSON_1＞ ~~PERSON_1~~") == (
        "《Anna Smith》〈Anna Smith〉＜Anna Smith＞ ~~Anna Smith~~"
    )
    assert everywhere(ANNA, "⟨PERSON_1⟩ ‹PERSON_1› ｛PERSON_1｝") == "⟨Anna Smith⟩ ‹Anna Smith› ｛Anna Smith｝"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a&b=c d", "a%26b%3Dc%20d"),
        ("J\u00fcrgen / 5%", "J%C3%BCrgen%20%2F%205%25"),
        ("anna%40x.com", "anna%40x.com"),
        ("<EMAIL_ADDRESS_1>", "%3CEMAIL_ADDRESS_1%3E"),
        ("\ud800", "%ED%A0%80"),
    ],
)
@pytest.mark.parametrize("channel", [TEXT, JSON])
def test_where_a_link_has_encoded_the_surrogate_the_value_is_encoded(
    value: str, expected: str, channel: Channel
) -> None:
    """An escape in a value came from the caller's own link: there it stays one."""
    vault = vault_of(EMAIL_ADDRESS="x@y.z", PERSON=value)
    assert everywhere(vault, '{"u": "/?q=%3CPERSON_1%3E"}', channel) == f'{{"u": "/?q={expected}"}}'


@pytest.mark.parametrize(
    "value", ["<PERSON_1>", "<EMAIL_ADDRESS_1>", "PERSON_1", "\\", ".*+?()[]{}|^$", "\\1\\g<0>", "a\nb", "\U0001f600"]
)
def test_a_value_comes_back_as_it_is_and_is_not_looked_at_again(value: str) -> None:
    vault = vault_of(EMAIL_ADDRESS="x@y.z", PERSON=value)
    assert everywhere(vault, "a <PERSON_1>b<EMAIL_ADDRESS_1>") == f"a {value}bx@y.z"


def test_only_what_may_become_a_surrogate_is_held_back() -> None:
    restorer = Restorer(ANNA)
    assert restorer.feed(TEXT, "Hello <") == "Hello "
    assert restorer.holding(TEXT)
    assert restorer.feed(TEXT, "div> and <PER") == "<div> and "
    assert restorer.feed(TEXT, "SON_1") == ""
    assert restorer.feed(TEXT, ">!") == "Anna Smith!"
    assert not restorer.holding(TEXT)
    assert restorer.finish(TEXT) == ""
    assert dict(restorer.restored) == {"PERSON": 1}


@pytest.mark.parametrize(
    "text", ["<PERSON_", "<PERS", "<", "P", "&lt;PER", "\\u00", "<PERSON_2", "<PERSON_1&g", "%", "%3", "%3CPERS"]
)
def test_what_the_end_finds_unfinished_is_given_out_as_it_is(text: str) -> None:
    expected = "Anna Smith&g" if text == "<PERSON_1&g" else text
    assert everywhere(ANNA, text) == expected
    restorer = Restorer(ANNA)
    assert restorer.feed(TEXT, f"x {text}") == "x "
    assert restorer.holding(TEXT)
    assert restorer.finish(TEXT) == expected
    assert not restorer.holding(TEXT)


def test_channels_do_not_mix() -> None:
    left, right = Channel(0, "content"), Channel(1, "content")
    texts = {left: "one <PERSON_1> <", right: "<EMAIL_ADDRESS_1> PERSON"}
    restorer = Restorer(ANNA)
    out = {left: "", right: ""}
    for at in range(30):
        for channel, text in texts.items():
            out[channel] += restorer.feed(channel, text[at : at + 1])
    assert out[left] + restorer.finish(left) == "one Anna Smith <"
    assert out[right] + restorer.finish(right) == "anna@x.com PERSON"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([TEXT, Channel(1, "content"), Channel(0, "reasoning")]), st.integers(0, 9))))
def test_interleaved_channels_each_read_as_if_alone(order: list[tuple[Channel, int]]) -> None:
    text = "a <PERSON_1> &lt;EMAIL_ADDRESS_1&gt; <PERSON_9> <PERSON_"
    restorer, alone = Restorer(ANNA), {channel: Restorer(ANNA) for channel, _ in order}
    at = dict.fromkeys(alone, 0)
    for channel, size in order:
        piece = text[at[channel] : at[channel] + size]
        at[channel] += size
        assert restorer.feed(channel, piece) == alone[channel].feed(channel, piece)
    for channel, other in alone.items():
        assert restorer.finish(channel) == other.finish(channel)
    assert restorer.unknown == sum(each.unknown for each in alone.values())


def test_an_empty_vault_passes_the_same_object() -> None:
    restorer = Restorer(Vault())
    text = "<PERSON_1> " * 3
    assert restorer.feed(TEXT, text) is text
    assert (restorer.finish(TEXT), restorer.holding(TEXT)) == ("", False)
    assert restorer.unknown == 0


def test_nothing_comes_back_from_another_exchange() -> None:
    other = vault_of(PERSON="Bob", EMAIL_ADDRESS="bob@x.com", LOCATION="Rome")
    assert everywhere(vault_of(PERSON="Anna"), "<PERSON_1> <EMAIL_ADDRESS_1> <LOCATION_1>").startswith("Anna <EMAIL")
    assert everywhere(other, "<LOCATION_1>") == "Rome"


def test_the_hold_never_exceeds_the_longest_surrogate_in_its_longest_spelling() -> None:
    longest = r"\\\\u003cEMAIL\\\\_ADDRESS\\\\_1\\\\u003e"
    assert ANNA.longest == len(longest)
    assert everywhere(ANNA, longest) == "anna@x.com"
    for text in (
        "<PERSON_" + "1" * 99,
        "<" * 99,
        "\\" * 99,
        "<A" * 99,
        "<" + "A" * 99,
        "\\\\\\\\u003cEMAIL\\\\\\\\_AD" * 9,
    ):
        restorer, released = Restorer(ANNA), 0
        for fed, character in enumerate(text, 1):
            released += len(restorer.feed(TEXT, character))
            assert fed - released <= ANNA.longest


@pytest.mark.parametrize("unit", ["<", "<PERSON_", "A", "A_", "\\", "//", "&lt;", "_1", "%", "%3C"])
@pytest.mark.parametrize("channel", [TEXT, JSON])
def test_a_megabyte_of_nonsense_takes_no_more_than_seconds_and_no_memory(unit: str, channel: Channel) -> None:
    text = unit * (1_000_000 // len(unit))
    restorer = Restorer(ANNA)
    chunks = [text[at : at + 4096] for at in range(0, len(text), 4096)]
    assert len(stream(restorer, chunks, channel)) == len(text)


@pytest.mark.parametrize("block", range(10))
def test_random_hostile_exchanges(block: int) -> None:
    """About ten streams each."""
    assert [fault for seed in range(block * 60, block * 60 + 60) for fault in faults(seed)] == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hundred_thousand_random_streams() -> None:
    """`SIDECAR_SEEDS=12000` is the whole of it; CI takes a third."""
    seeds = int(os.environ.get("SIDECAR_SEEDS", "4000"))  # noqa: TID251  the test's own switch
    assert sum(1 for seed in range(seeds) for _ in faults(seed)) == 0


def test_all_splits_of_a_long_text_with_everything_in_it() -> None:
    text = "Dear <PERSON_1>, &lt;EMAIL\\_ADDRESS_1&gt; <PERSON_2> a < b \\u003cperson_1\\u003e <PERSON_1. PERSON_1> <"
    expected = "Dear Anna Smith, anna@x.com <PERSON_2> a < b Anna Smith Anna Smith. Anna Smith <"
    for pieces in splits(text, rounds=200):
        assert stream(Restorer(ANNA), pieces) == expected


def lifelike(texts: list[str], **values: str) -> tuple[list[str], Vault]:
    """As the upstream sees them, in the lifelike style."""
    upstream, result = redacted(texts, {value: entity for entity, value in values.items()}, style=LIFELIKE)
    return upstream, result.vault


@pytest.mark.parametrize("seed", range(20))
def test_lifelike_surrogates_come_back_exact_only(seed: int) -> None:
    text = "Write to anna@corp.internal, call +49 30 1234567 from 10.1.2.3."
    upstream, vault = lifelike(
        [text], EMAIL_ADDRESS="anna@corp.internal", PHONE_NUMBER="+49 30 1234567", IP_ADDRESS="10.1.2.3"
    )
    assert upstream == ["Write to user0001@example.com, call +1-202-555-0100 from 192.0.2.1."]
    assert stream(Restorer(vault), cut(random.Random(seed), upstream[0])) == text
    for near in (
        "xuser0001@example.com",
        "user0001@example.community",
        "192.0.2.11",
        "192.0.2.1.5",
        "user0002@example.com",
    ):
        assert everywhere(vault, near) == near
