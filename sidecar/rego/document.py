"""What may come in: plain JSON of bounded depth and size, with numbers OPA would read the same.

`admit` is on the path of every decision, so it first only looks; a copy is made where a value needs
another form (doubles from 2**53 on, whose shortest text and binary value differ).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from .errors import INPUT_INVALID, EvaluationFault
from .numbers import EXACT_FLOAT, from_float, parse

MAX_INT_BITS: Final = 4096
DATA_DEPTH: Final = 200
HUGE: Final = 2**MAX_INT_BITS
NODE_BYTES: Final = 2  # the least a value adds to a JSON text: itself and a separator


class _Unusual(Exception):
    """A value that must be looked at more closely, or copied."""


def admit(document: Any, *, depth: int, size: int) -> Any:
    """`document`, or an equal copy in the room's own representation. Raises EvaluationFault INPUT_INVALID."""
    try:
        weight = _weigh(document, depth)
    except _Unusual:
        document = _copy(document, depth)
        weight = _weigh_copy(document)
    if weight > size:
        raise EvaluationFault(INPUT_INVALID, f"input larger than {size} bytes")
    return document


def _weigh(value: Any, depth: int) -> int:
    """A lower bound of the value's JSON size. One loop with the scalars in line: this runs for every decision."""
    kind = type(value)
    if kind is dict:
        return _weigh_object(value, depth - 1)
    if kind is list:
        return _weigh_array(value, depth - 1)
    return _weigh_array([value], depth)


def _weigh_object(value: dict[Any, Any], depth: int) -> int:
    if depth < 0:
        raise EvaluationFault(INPUT_INVALID, "input nested too deeply")
    total = NODE_BYTES + 5 * len(value)
    for key, item in value.items():
        if type(key) is not str:
            raise _Unusual
        total += len(key)
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind is dict:
            total += _weigh_object(item, depth - 1)
        elif kind is list:
            total += _weigh_array(item, depth - 1)
        elif not _is_plain(kind, item):
            raise _Unusual
    return total


def _weigh_array(value: list[Any], depth: int) -> int:
    if depth < 0:
        raise EvaluationFault(INPUT_INVALID, "input nested too deeply")
    total = NODE_BYTES + 2 * len(value)
    for item in value:
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind is dict:
            total += _weigh_object(item, depth - 1)
        elif kind is list:
            total += _weigh_array(item, depth - 1)
        elif not _is_plain(kind, item):
            raise _Unusual
    return total


def _is_plain(kind: type, item: Any) -> bool:
    if item is None or kind is bool:
        return True
    if kind is int:
        return bool(-HUGE < item < HUGE)
    return kind is float and bool(-EXACT_FLOAT < item < EXACT_FLOAT)  # also false for NaN


def _weigh_copy(value: Any) -> int:
    if isinstance(value, dict):
        return NODE_BYTES + sum(len(key) + 3 + _weigh_copy(item) for key, item in value.items())
    if isinstance(value, list):
        return NODE_BYTES + sum(map(_weigh_copy, value))
    return NODE_BYTES + (len(value) if isinstance(value, str) else 5)


def _copy(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int and value.bit_length() <= MAX_INT_BITS:
        return value
    if kind is float and isfinite(value):
        return value if -EXACT_FLOAT < value < EXACT_FLOAT else from_float(value)  # `1.0` stays as it was written
    if depth <= 0:
        raise EvaluationFault(INPUT_INVALID, "input nested too deeply")
    if kind is list:
        return [_copy(item, depth - 1) for item in value]
    if kind is dict and all(type(key) is str for key in value):
        return {key: _copy(item, depth - 1) for key, item in value.items()}
    raise EvaluationFault(INPUT_INVALID, "input holds something that is not JSON")


def own_data(data: Mapping[str, Any] | bytes | None) -> dict[str, Any]:
    """Base data as this engine's private copy. Raises ValueError."""
    if data is None:
        return {}
    document = decode(data) if isinstance(data, bytes) else _own(dict(data))
    if not isinstance(document, dict):
        raise ValueError("base data is not an object")
    return document


def _own(value: Any) -> Any:
    try:
        return _copy(value, DATA_DEPTH)
    except EvaluationFault as fault:
        raise ValueError(str(fault)) from None


def decode(text: bytes) -> Any:
    """JSON without its soft spots: duplicate keys, NaN and numbers out of range are errors (ValueError)."""
    return json.loads(
        text.decode("utf-8"),
        object_pairs_hook=_unique,
        parse_float=parse,
        parse_int=parse,
        parse_constant=_refuse_constant,
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key in JSON object")
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
