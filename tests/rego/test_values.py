"""Equality, canonical keys and the total order, over values OPA would have."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rego import values
from sidecar.rego.leaving import to_json
from sidecar.rego.numbers import parse
from sidecar.rego.values import RegoSet, canonical, compare, in_order, make_set, same, thaw

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, -0.0, 1e-9, Decimal("0.30000000000000000001"), 2**70])
    | st.sampled_from(["", "a", "b", "é", "ﬀ", "😀"])
)


def composite(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=3)
    objects = lists.map(lambda items: {canonical(key): key for key in items})
    return lists | objects | lists.map(make_set) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)


VALUES = st.recursive(SCALARS, composite, max_leaves=8)


@given(VALUES, VALUES)
def test_three_ways_to_be_equal_are_one(a: Any, b: Any) -> None:
    assert same(a, b) == (compare(a, b) == 0) == (canonical(a) == canonical(b))


@given(VALUES)
def test_a_canonical_key_can_be_read_back(value: Any) -> None:
    assert same(thaw(canonical(value)), value)


@given(st.lists(VALUES, max_size=6))
def test_order_is_total(items: list[Any]) -> None:
    ranked = in_order(items)
    assert all(compare(x, y) <= 0 for x, y in pairwise(ranked))
    assert all(compare(x, y) == -compare(y, x) or compare(x, y) * compare(y, x) < 0 for x in items for y in items)


@given(st.lists(VALUES.filter(lambda value: "Decimal" not in repr(value)), max_size=6))
def test_sort_keys_order_as_comparisons_do(items: list[Any]) -> None:
    by_key, by_comparison = sorted(items, key=values.order_key), sorted(items, key=values._by_order)
    assert list(map(canonical, by_key)) == list(map(canonical, by_comparison))


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True), (1, True, False), (0, False, False), ([1], [True], False), ([1], [1.0], True),
        ({"a": [1]}, {"a": [True]}, False), (make_set([1, 2]), make_set([2, 1.0]), True), (None, False, False),
        (make_set([[1]]), make_set([[True]]), False), ([], {}, False), (RegoSet(), {}, False), (10**23, 1e23, False),
    ],
)  # fmt: skip
def test_probes(a: Any, b: Any, equal: bool) -> None:
    assert same(a, b) is equal


def test_a_number_is_equal_to_itself_however_it_is_written() -> None:
    """`1e+23` and the integer: the nearest double of the first is another number."""
    one, other = parse("1e+23"), parse("1" + "0" * 23)
    assert same(one, other) and canonical(one) == canonical(other) and compare(one, other) == 0


def test_of_equal_elements_the_first_stays() -> None:
    assert to_json(make_set([1, 1.0, True])) == [True, 1]
    assert repr(to_json(make_set([1.0, 1]))) == "[1.0]"


def test_keys_that_are_not_strings_become_json_text() -> None:
    keys = [None, True, 1, 1.5, "s", [1, "x"], make_set(["b", "a"]), {"k": 1}]
    assert list(to_json({canonical(key): 0 for key in keys})) == sorted(
        ["null", "true", "1", "1.5", "s", '[1,"x"]', '["a","b"]', '{"k":1}']
    )
