"""Rego values as Python values, and OPA's equality and total order over them.

    null bool number string   None, bool, numbers.Number, str
    array                     list
    object                    dict: canonical key -> value
    set                       RegoSet, a dict: canonical key -> element
    undefined                 UNDEFINED, which is not a value

Python conflates `True`, `1` and `1.0` as keys and in `==`; Rego keeps bool apart and lets composites be
keys. So keys are *canonical*: strings, numbers and null stand for themselves, all else is a tuple that
begins with its kind. A tuple is never a value, hence `thaw()` can always tell.

Nothing here changes a value in place except `insert*`, on objects the same evaluation has made.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from functools import cmp_to_key
from typing import Any, Final

from .errors import Conflict
from .numbers import decimal_of, is_number

Value = Any  # mypy has no recursive type over dict[canonical, ...] that would not be noise here


class Undefined(Enum):
    """The type of `UNDEFINED`: a rule or reference without a value, which is not `false` and not `null`."""

    UNDEFINED = "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined.UNDEFINED


class RegoSet(dict[Any, Any]):
    """A set: canonical key -> element. A dict, so that lookup by a string costs one hash.

    Of equal elements the first stays (`1`, then `1.0`: OPA shows 1), hence `setdefault` wherever sets grow.
    """

    __slots__ = ()


def canonical(value: Value) -> Any:
    """A hashable stand-in with Rego's equality: `1 == 1.0`, `true != 1`, sets without order."""
    kind = type(value)
    if kind is str or kind is int or kind is float or value is None:
        return value
    if kind is bool:
        return ("b", value)
    if kind is list:
        return ("a", *map(canonical, value))
    if kind is dict:
        return ("o", frozenset((key, canonical(item)) for key, item in value.items()))
    if kind is RegoSet:
        return ("s", frozenset(value))
    return value  # Decimal


def thaw(key: Any) -> Value:
    """The value a canonical key stands for."""
    if type(key) is not tuple:
        return key
    tag = key[0]
    if tag == "b":
        return key[1]
    if tag == "a":
        return [thaw(item) for item in key[1:]]
    if tag == "o":
        return {name: thaw(item) for name, item in key[1]}
    return RegoSet((item, thaw(item)) for item in key[1])


def make_set(elements: Iterable[Value]) -> RegoSet:
    result = RegoSet()
    for element in elements:
        result.setdefault(canonical(element), element)
    return result


def same(a: Value, b: Value) -> bool:
    """Rego's `==`. Python's `!=` is a sound first answer: what it tells apart, Rego does too."""
    if a is b:
        return True
    if a != b or (type(a) is not type(b) and not (is_number(a) and is_number(b))):
        return False
    kind = type(a)
    if kind is list:
        return all(map(same, a, b))
    if kind is dict or kind is RegoSet:
        return all(same(item, b[key]) for key, item in a.items())
    return True


# --- total order: null < bool < number < string < array < object < set (ast/compare.go) --------------

_RANK: Final = {
    type(None): 0, bool: 1, int: 2, float: 2, Decimal: 2, str: 3, list: 4, dict: 5, RegoSet: 6,
}  # fmt: skip


def compare(a: Value, b: Value) -> int:
    """Negative, zero or positive: ast.Compare."""
    kind = type(a)
    rank, other = _RANK[kind], _RANK[type(b)]
    if rank != other:
        return rank - other
    if rank == 2:
        return compare_numbers(a, b)
    if rank <= 3:
        return 0 if rank == 0 else (a > b) - (a < b)
    if rank == 4:
        return compare_sequences(a, b)
    if rank == 5:
        return compare_objects(a, b)
    return compare_sequences(ordered(a), ordered(b))


def compare_numbers(a: Any, b: Any) -> int:
    if type(a) is Decimal or type(b) is Decimal:
        a, b = decimal_of(a), decimal_of(b)
    return int(a > b) - int(a < b)


def compare_sequences(a: list[Value], b: list[Value]) -> int:
    for x, y in zip(a, b, strict=False):
        result = compare(x, y)
        if result:
            return result
    return len(a) - len(b)


def compare_objects(a: dict[Any, Value], b: dict[Any, Value]) -> int:
    """Pairwise over sorted keys, key before value, then by size (ast/term.go, object.Compare)."""
    for x, y in zip(sorted_keys(a), sorted_keys(b), strict=False):
        result = compare(thaw(x), thaw(y)) or compare(a[x], b[y])
        if result:
            return result
    return len(a) - len(b)


_by_order = cmp_to_key(compare)


class _NeedsCompare(Exception):
    """A value whose order Python's tuples would get wrong."""


def order_key(value: Value) -> Any:
    """A tuple that Python orders as `compare` does: rank first, containers flattened."""
    kind = type(value)
    if kind is str:
        return (3, value)
    if kind is int or kind is float:
        return (2, value)
    if kind is dict:
        return (5, [part for key in sorted_keys(value) for part in (order_key(thaw(key)), order_key(value[key]))])
    if kind is list:
        return (4, list(map(order_key, value)))
    if kind is RegoSet:
        return (6, list(map(order_key, ordered(value))))
    if kind is Decimal:
        raise _NeedsCompare
    return (1, value) if kind is bool else (0,)


def in_order(elements: Iterable[Value]) -> list[Value]:
    """`elements` sorted; strings alone, the common case, by code point without keys."""
    items = list(elements)
    if len(items) < 2:
        return items
    kinds = set(map(type, items))
    if kinds == {str} or kinds <= {int, float}:
        return sorted(items)
    try:
        return sorted(items, key=order_key)
    except _NeedsCompare:
        return sorted(items, key=_by_order)


def sorted_keys(obj: dict[Any, Value]) -> list[Any]:
    """Canonical keys of an object in the order of the keys they stand for."""
    names = string_keys(obj)
    return sorted(obj, key=lambda key: _by_order(thaw(key))) if names is None else names


def string_keys(obj: dict[Any, Value]) -> list[str] | None:
    """Sorted keys where all are strings: they sort among themselves only, so one look at the first is enough."""
    try:
        names = sorted(obj)
    except TypeError:
        return None
    return names if not names or type(names[0]) is str else None


def ordered(value: RegoSet) -> list[Value]:
    """Elements in order. A set of strings has its elements for keys."""
    names = string_keys(value)
    return in_order(value.values()) if names is None else names


# --- building ---------------------------------------------------------------------------------------


def insert_once(obj: dict[Any, Value], key: Value, value: Value) -> None:
    """Object key with one value; a second, different one is OPA's conflict error."""
    name = key if type(key) is str else canonical(key)
    if name in obj and not same(obj[name], value):
        raise Conflict("object keys must be unique")
    obj[name] = value


def merge(a: Value, b: Value) -> Value:
    """Base and virtual document as one (`ObjectMergeStmt`): recursive; `a` wins a clash (wasm/src/value.c)."""
    if type(a) is not dict or type(b) is not dict:
        return a
    result = dict(a)
    for key, value in b.items():
        result[key] = merge(result[key], value) if key in result else value
    return result


def upsert(root: Value, path: tuple[str, ...], value: Value) -> Value:
    """A copy of `root` with `value` at `path`; missing or scalar nodes become objects (`with`)."""
    if not path:
        return value
    node = dict(root) if type(root) is dict else {}
    node[path[0]] = upsert(node.get(path[0]), path[1:], value)
    return node
