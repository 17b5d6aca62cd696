"""Type tests and casts: topdown/type.go, type_name.go, casts.go."""

# ruff: noqa: ARG001, ARG005 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sidecar.rego import numbers
from sidecar.rego.errors import BuiltinError
from sidecar.rego.numbers import is_number
from sidecar.rego.runtime import Run
from sidecar.rego.values import RegoSet, Value

from .operands import type_name, wrong_type

Builtin = Callable[..., Value]

# What strconv.ParseFloat takes and a JSON number may be; hexadecimal floats and `_` are left out: no answer.
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def to_number(run: Run, a: Value) -> Value:
    if a is None or type(a) is bool:
        return int(a is True)
    if is_number(a):
        return a
    if type(a) is not str:
        raise wrong_type(1, a, "null", "boolean", "number", "string")
    if not _NUMBER.fullmatch(a):
        raise BuiltinError("operand 1 must be a valid number string")
    try:
        return numbers.parse(a)
    except ValueError:
        raise BuiltinError("number out of range") from None


def _is(*kinds: type) -> Builtin:
    return lambda run, a: type(a) in kinds


def _cast(name: str, *kinds: type) -> Builtin:
    def cast(run: Run, a: Value) -> Value:
        if type(a) not in kinds:
            raise wrong_type(1, a, name)
        return a

    return cast


TABLE: dict[str, Builtin] = {
    "cast_boolean": _cast("boolean", bool),
    "cast_null": _cast("null", type(None)),
    "cast_object": _cast("object", dict),
    "cast_string": _cast("string", str),
    "is_array": _is(list),
    "is_boolean": _is(bool),
    "is_null": _is(type(None)),
    "is_number": lambda run, a: is_number(a),
    "is_object": _is(dict),
    "is_set": _is(RegoSet),
    "is_string": _is(str),
    "to_number": to_number,
    "type_name": lambda run, a: type_name(a),
}
