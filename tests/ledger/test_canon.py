"""The closed JSON profile: same bytes as RFC 8785 inside it, a refusal outside it."""

from __future__ import annotations

import json
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.ledger.canon import MAX_DEPTH, MAX_INT, ProfileError, constant, dumps, load_object, loads, plain
from sidecar.ledger.entries import parse

HERE = Path(__file__).parent

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
KEYS = st.text(st.characters(max_codepoint=127), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5))


@given(VALUES)
@settings(max_examples=400, deadline=None)
def test_the_same_bytes_as_rfc_8785_and_back(value: Any) -> None:
    data = dumps(value)
    assert data == rfc8785.dumps(value)
    assert loads(data) == value


def test_outside_the_profile_orjson_and_rfc_8785_part_ways() -> None:
    """Why the profile is closed: these are the differences that it shuts out."""
    assert orjson.dumps(float("nan")) == b"null"
    assert orjson.dumps(5.0) == b"5.0" and rfc8785.dumps(5.0) == b"5"
    assert orjson.loads(b'{"a":1,"a":2}') == {"a": 2}
    keys = {"\U0001f600": 1, "\ufb33": 2}
    assert orjson.dumps(keys, option=orjson.OPT_SORT_KEYS) != rfc8785.dumps(keys)


@given(VALUES)
@settings(deadline=None)
def test_what_is_spelt_once_stands_as_if_spelt_in_place(value: Any) -> None:
    assert dumps({"b": constant(value), "a": "é"}) == dumps({"b": value, "a": "é"})


def test_what_is_spelt_once_is_walked_too() -> None:
    with pytest.raises(ProfileError):
        constant({"a": [0.5]})


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        float("nan"),
        {"a": [1, {"b": 1.0}]},
        MAX_INT + 1,
        -MAX_INT - 1,
        2**64,
        {"a": 2**53},
        {"é": 1},
        {"a": [{"\ufb33": 1}]},
        {1: 2},
        {None: 2},
        "\ud800",
        {"a": "\udfff"},
        b"bytes",
        (1, 2),
        {1, 2},
        {"a": Colour.RED},
        {"a": Number.ONE},
        {"a": Text("x")},
        object(),
        deep(MAX_DEPTH + 1),
        "x" * 70_000,
    ],
)
def test_outside_the_profile(value: Any) -> None:
    with pytest.raises(ProfileError):
        dumps(value)


def test_the_deepest_value() -> None:
    assert loads(dumps(deep(MAX_DEPTH))) == deep(MAX_DEPTH)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" {}",
        b"{}\n",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'{"a":01}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":NaN}',
        b'{"a":9007199254740992}',
        '{"é":1}'.encode(),
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b"[" * 100_000,
        b"[" * 200 + b"]" * 200,
        b"x" * 70_000,
    ],
)
def test_texts_that_are_not_canonical(data: bytes) -> None:
    with pytest.raises(ProfileError):
        loads(data)


def test_an_object_is_an_object() -> None:
    assert load_object(b"{}") == {}
    with pytest.raises(ProfileError):
        load_object(b"[]")


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_canonical_or_refused(data: bytes) -> None:
    try:
        value = loads(data)
    except ProfileError:
        return
    assert dumps(value) == data == rfc8785.dumps(value)


ANYTHING = st.recursive(
    SCALARS | st.floats() | st.integers() | st.text() | st.just(Colour.RED) | st.frozensets(st.text(), max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(ANYTHING)
@settings(max_examples=300, deadline=None)
def test_plain_brings_every_value_of_the_model_inside(value: Any) -> None:
    try:
        data = dumps(plain(value))
    except ProfileError as fault:
        assert "deeper" in str(fault)
        return
    assert json.loads(data) is not Ellipsis


def test_plain_keeps_the_meaning_of_numbers() -> None:
    assert plain({"temperature": 0.7, "seed": 2**60, "top_p": float("inf")}) == {
        "temperature": {"ppm": 700_000},
        "seed": {"digits": str(2**60)},
        "top_p": {"ppm": None},
    }


@pytest.mark.parametrize("path", sorted((HERE / "corpus").glob("entry-*")), ids=lambda path: path.name)
def test_corpus(path: Path) -> None:
    with pytest.raises(ProfileError):
        parse(path.read_bytes())
