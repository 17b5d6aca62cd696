"""Arithmetic as OPA's: exact integers, 64-bit mantissas, the shortest text. Answers recorded from opa eval."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rego import numbers
from sidecar.rego.errors import BuiltinError


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1), ("1.0", 1.0), ("1e3", 1000), ("-0", 0), ("0.1", 0.1), ("1e-7", 1e-7),
        ("1180591620717411303424", 2**70),
        ("0.30000000000000000001", Decimal("0.30000000000000000001")), ("1e23", 10**23),
        ("1e+23", 10**23), ("1e+22", 1e22), ("-1e+300", -(10**300)),
    ],
)  # fmt: skip
def test_parse(text: str, number: numbers.Number) -> None:
    found = numbers.parse(text)
    assert (found, type(found)) == (number, type(number))


@pytest.mark.parametrize("text", ["", "NaN", "Infinity", "1e9999999", "1" * 6000, "--1", "0x1"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        numbers.parse(text)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (numbers.add(0.1, 0.2), "0.3"),
        (numbers.divide(1, 3), "0.33333333333333333334"),
        (numbers.divide(10, 3), "3.3333333333333333333"),
        (numbers.divide(4, 2), "2"),
        (numbers.divide(-1, 1), "-1"),
        (numbers.divide(2**70, 1), "1180591620717411303400"),
        (numbers.add(758071026957769173558, 1.7e-18), "758071026957769173560"),
        (numbers.multiply(2**70, 2**70), str(2**140)),
        (numbers.remainder(-7, 3), "-1"),
        (numbers.round_half_away(-2.5), "-3"),
        (numbers.ceiling(-0.5), "1"),
        (numbers.flooring(-0.5), "0"),
        (numbers.flooring(-1.5), "-2"),
    ],
)
def test_recorded(found: numbers.Number, text: str) -> None:
    assert numbers.text_of(found) == text


def test_division_by_zero_is_an_error() -> None:
    for compute in (numbers.divide, numbers.remainder):
        with pytest.raises(BuiltinError):
            compute(1, 0)


@given(st.integers(-(2**80), 2**80), st.integers(-(2**80), 2**80))
def test_integers_are_exact(a: int, b: int) -> None:
    assert (numbers.add(a, b), numbers.subtract(a, b), numbers.multiply(a, b)) == (a + b, a - b, a * b)


@given(st.floats(-1e15, 1e15, allow_nan=False), st.floats(-1e15, 1e15, allow_nan=False))
def test_texts_read_back_as_the_same_mantissa(a: float, b: float) -> None:
    total = numbers.rounded(numbers.to_big(a) + numbers.to_big(b))
    assert numbers.to_big(numbers.from_big(total)) == total


@given(st.fractions(max_denominator=10**6))
def test_rounding_keeps_64_bits(value: Fraction) -> None:
    kept = numbers.rounded(value)
    assert abs(kept - value) <= abs(value) / 2**64
