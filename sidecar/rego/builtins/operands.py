"""Operand checks shared by the builtins: topdown/builtins/builtins.go.

Messages name types and positions, never values. `run` charges work that is not a scan: a builtin must
not be a way around the step limit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from sidecar.rego.errors import BuiltinError
from sidecar.rego.numbers import Number, is_number, whole
from sidecar.rego.values import RegoSet, Value, ordered

INT64: Final = 2**63
MAX_TEXT: Final = 1_000_000  # characters a builtin may build; an input holds a quarter of that

_NAMES: Final = {
    type(None): "null", bool: "boolean", int: "number", float: "number", Decimal: "number",
    str: "string", list: "array", dict: "object", RegoSet: "set",
}  # fmt: skip


def type_name(value: Value) -> str:
    return _NAMES.get(type(value), "undefined")


def wrong_type(position: int, value: Value, *expected: str) -> BuiltinError:
    wanted = expected[0] if len(expected) == 1 else "one of {" + ", ".join(expected) + "}"
    return BuiltinError(f"operand {position} must be {wanted} but got {type_name(value)}")


def string(value: Value, position: int) -> str:
    if type(value) is not str:
        raise wrong_type(position, value, "string")
    return value


def number(value: Value, position: int) -> Number:
    if not is_number(value):
        raise wrong_type(position, value, "number")
    return value  # type: ignore[no-any-return]


def integer(value: Value, position: int) -> int:
    """A number written as an integer: OPA takes `1` and refuses `1.0` here."""
    if type(number(value, position)) is not int or not -INT64 <= value < INT64:
        raise BuiltinError(f"operand {position} must be integer number but got floating-point number")
    return value  # type: ignore[no-any-return]


def big_integer(value: Value, position: int) -> int:
    """An integral number of any size and spelling."""
    exact = whole(value) if is_number(value) else None
    if exact is None:
        raise BuiltinError(f"operand {position} must be integer number")
    return exact


def array(value: Value, position: int) -> list[Value]:
    if type(value) is not list:
        raise wrong_type(position, value, "array")
    return value


def obj(value: Value, position: int) -> dict[Any, Value]:
    if type(value) is not dict:
        raise wrong_type(position, value, "object")
    return value


def a_set(value: Value, position: int) -> RegoSet:
    if type(value) is not RegoSet:
        raise wrong_type(position, value, "set")
    return value


def elements(value: Value, position: int) -> list[Value]:
    """Elements of an array, or of a set in order."""
    if type(value) is list:
        return value
    if type(value) is RegoSet:
        return ordered(value)
    raise wrong_type(position, value, "array", "set")


def strings(value: Value, position: int) -> list[str]:
    found = elements(value, position)
    for item in found:
        if type(item) is not str:
            raise BuiltinError(f"operand {position} must be {type_name(value)} of strings")
    return found


def room(length: int) -> None:
    """Refuses a text before it is built."""
    if length > MAX_TEXT:
        raise BuiltinError("result too long")
