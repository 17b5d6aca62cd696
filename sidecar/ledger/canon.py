"""The closed JSON profile of entries: one value, one spelling.

Inside the profile (ASCII keys, integers within +-(2^53 - 1), no floats, no lone surrogates, no duplicate keys, sorted
keys, no white space) `orjson` writes the same bytes as RFC 8785; outside it the two differ, orjson even silently
(NaN becomes null), so every value is walked before it is written. Readers hash the stored bytes and never write them
anew (DSSE, its protocol: "MUST NOT re-parse"); `loads` is for looking inside.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

MAX_INT = 2**53 - 1
"""RFC 8785 numbers are IEEE 754 doubles; beyond this, two integers share a spelling."""

MAX_DEPTH = 16
MAX_ENTRY = 65_535
"""Entry bundles length-prefix with a big-endian uint16 (C2SP tlog-tiles)."""

PPM = 1_000_000


class ProfileError(ValueError):
    """A value or a text outside the profile. The message names the rule, never the value."""


_WRITE = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER  # refuses integers beyond 53 bits
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)


def dumps(value: Any) -> bytes:
    """The canonical bytes of a value of the profile."""
    check(value)
    try:
        data = orjson.dumps(value, option=_WRITE)
    except TypeError as fault:  # a lone surrogate, an integer too large, a key that is no string
        raise ProfileError(str(fault)) from fault
    _check_size(data)
    if not data.isascii():
        check_keys(value)
    return data


def constant(value: Any) -> orjson.Fragment:
    """A value that stands in many entries, walked and spelt once. `dumps` takes it as part of a larger one."""
    return orjson.Fragment(dumps(value))


def loads(data: bytes) -> Any:
    """The value of canonical bytes; duplicate keys, other spellings and other types are refused."""
    _check_size(data)
    try:
        value = orjson.loads(data)
    except ValueError as fault:
        raise ProfileError("not JSON") from fault
    # Writing it again and comparing is the cheapest complete test: orjson keeps the last of two equal keys.
    if dumps(value) != data:
        raise ProfileError("not the canonical spelling")
    return value


def load_object(data: bytes) -> dict[str, Any]:
    """Like `loads`, for an object at the top."""
    return _object(loads(data))


def load_signed(data: bytes) -> dict[str, Any]:
    """Like `load_object`, for bytes that a signed tree commits to: spelling is checked, types are not walked again.

    Twice as fast; what it lets through (a float, deep nesting) only the log itself could have signed.
    """
    try:
        value = orjson.loads(data)
        same = orjson.dumps(value, option=_WRITE) == data
    except (ValueError, TypeError) as fault:
        raise ProfileError("not JSON") from fault
    if not same:
        raise ProfileError("not the canonical spelling")
    return _object(value)


def _check_size(data: bytes) -> None:
    if len(data) > MAX_ENTRY:
        raise ProfileError(f"more than {MAX_ENTRY} bytes")


def _object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise ProfileError("not an object")
    return value


def check(value: Any) -> None:
    """Raise ProfileError for a type outside the profile, or nesting too deep.

    Floats are the point; integers and key types are left to orjson.
    """
    _check_items((value,), MAX_DEPTH + 1)


def _check_items(items: Iterable[Any], depth: int) -> None:
    if not depth:
        raise ProfileError(f"deeper than {MAX_DEPTH}")
    for item in items:
        kind = type(item)
        if kind is str or kind is int or kind is bool or item is None:
            continue
        if kind is dict:
            if item or depth == 1:  # most lists and objects of an entry are empty
                _check_items(item.values(), depth - 1)
        elif kind is list:
            if item or depth == 1:
                _check_items(item, depth - 1)
        elif kind is not orjson.Fragment:  # of `constant`, hence walked before
            raise ProfileError(f"type {kind.__name__}")


def check_keys(value: Any) -> None:
    """Keys are ASCII, so that sorting by bytes, by code points and by UTF-16 units (RFC 8785) is the same."""
    if type(value) is dict:
        if not all(map(str.isascii, value)):
            raise ProfileError("a key is not ASCII")
        value = list(value.values())
    if type(value) is list:
        for item in value:
            check_keys(item)


def plain(value: Any) -> Any:
    """Bring a value of the model into the profile without losing meaning silently.

    A float becomes `{"ppm": n}` (parts per million; null when it is no number), an integer beyond the profile
    `{"digits": "..."}`; enumerations become strings, sets are sorted, keys are escaped to ASCII.
    """
    kind = type(value)
    if value is None or kind is bool or (kind is str and value.isascii()):
        return value
    if kind is dict:
        return {_ascii(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return clean(str(value))
    if isinstance(value, int):
        return int(value) if -MAX_INT <= value <= MAX_INT else {"digits": str(int(value))}
    if isinstance(value, float):
        return {"ppm": to_ppm(value)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_ascii(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    raise ProfileError(f"type {type(value).__name__}")


def to_ppm(value: float) -> int | None:
    """Parts per million, null where that is no integer of the profile."""
    if not math.isfinite(value) or abs(value) * PPM > MAX_INT:
        return None
    return round(value * PPM)


def clean(text: str) -> str:
    """The text with lone surrogates replaced: a reply read by the standard library may hold them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _ascii(key: str) -> str:
    return key if key.isascii() else key.encode("ascii", "backslashreplace").decode()
