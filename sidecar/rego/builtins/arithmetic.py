"""Arithmetic, comparison and bits: topdown/arithmetic.go, comparison.go, bits.go, numbers.go."""

# ruff: noqa: ARG001, ARG005 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sidecar.rego import numbers
from sidecar.rego.errors import BuiltinError
from sidecar.rego.numbers import Number, is_number
from sidecar.rego.runtime import Run
from sidecar.rego.values import RegoSet, Value, compare, same

from .operands import a_set, big_integer, integer, number, wrong_type

Builtin = Callable[..., Value]


def _unary(compute: Callable[[Number], Number]) -> Builtin:
    return lambda run, a: compute(number(a, 1))


def _binary(compute: Callable[[Number, Number], Number]) -> Builtin:
    return lambda run, a, b: compute(number(a, 1), number(b, 2))


def _compared(test: Callable[[int], bool]) -> Builtin:
    return lambda run, a, b: test(compare(a, b))


def plus(run: Run, a: Value, b: Value) -> Value:
    if type(a) is int and type(b) is int:
        return a + b
    return numbers.add(number(a, 1), number(b, 2))


def minus(run: Run, a: Value, b: Value) -> Value:
    """Of numbers or of sets."""
    if is_number(a) and is_number(b):
        return numbers.subtract(a, b)
    if type(a) is RegoSet and type(b) is RegoSet:
        return RegoSet((key, item) for key, item in a.items() if key not in b)
    if not is_number(a) and type(a) is not RegoSet:
        raise wrong_type(1, a, "number", "set")
    raise wrong_type(2, b, "number" if is_number(a) else "set")


def numbers_range(run: Run, a: Value, b: Value) -> Value:
    return _range(run, big_integer(a, 1), big_integer(b, 2), 1)


def numbers_range_step(run: Run, a: Value, b: Value, step: Value) -> Value:
    width = big_integer(step, 3)
    if width <= 0:
        raise BuiltinError("step must be a positive integer")
    return _range(run, big_integer(a, 1), big_integer(b, 2), width)


def _range(run: Run, first: int, last: int, step: int) -> list[Value]:
    run.spend(abs(last - first) // step + 1)  # before it exists
    return list(range(first, last + 1, step) if first <= last else range(first, last - 1, -step))


def _bits(compute: Callable[[int, int], int]) -> Builtin:
    return lambda run, a, b: compute(big_integer(a, 1), big_integer(b, 2))


def _shift(value: int, by: int, sign: int) -> int:
    if by < 0:
        raise BuiltinError("operand 2 must be an unsigned integer number but got a negative integer")
    if sign > 0 and by > 4 * numbers.MAX_EXPONENT:
        raise BuiltinError("number out of range")
    return value << by if sign > 0 else value >> by


def set_operation(keep: Callable[[Any, Any], Any]) -> Builtin:
    return lambda run, a, b: keep(a_set(a, 1), a_set(b, 2))


def intersect(a: RegoSet, b: RegoSet) -> RegoSet:
    return RegoSet((key, item) for key, item in a.items() if key in b)


def unite(a: RegoSet, b: RegoSet) -> RegoSet:
    return RegoSet(b | a)


def format_int(run: Run, a: Value, base: Value) -> Value:
    value = number(a, 1)
    style = {2: "b", 8: "o", 10: "d", 16: "x"}.get(integer(base, 2))
    if style is None:
        raise BuiltinError("operand 2 must be one of {2, 8, 10, 16}")
    exact = numbers.whole(value)
    if exact is None:  # truncated toward zero, through the 64-bit mantissa
        exact = int(numbers.to_big(value))
    return format(exact, style)


TABLE: dict[str, Builtin] = {
    "abs": _unary(numbers.absolute),
    "and": set_operation(intersect),
    "bits.and": _bits(int.__and__),
    "bits.lsh": _bits(lambda a, b: _shift(a, b, 1)),
    "bits.negate": lambda run, a: ~big_integer(a, 1),
    "bits.or": _bits(int.__or__),
    "bits.rsh": _bits(lambda a, b: _shift(a, b, -1)),
    "bits.xor": _bits(int.__xor__),
    "ceil": _unary(numbers.ceiling),
    "div": _binary(numbers.divide),
    "equal": lambda run, a, b: same(a, b),
    "floor": _unary(numbers.flooring),
    "format_int": format_int,
    "gt": _compared(lambda order: order > 0),
    "gte": _compared(lambda order: order >= 0),
    "lt": _compared(lambda order: order < 0),
    "lte": _compared(lambda order: order <= 0),
    "minus": minus,
    "mul": _binary(numbers.multiply),
    "neq": lambda run, a, b: not same(a, b),
    "numbers.range": numbers_range,
    "numbers.range_step": numbers_range_step,
    "or": set_operation(unite),
    "plus": plus,
    "rem": _binary(numbers.remainder),
    "round": _unary(numbers.round_half_away),
}
