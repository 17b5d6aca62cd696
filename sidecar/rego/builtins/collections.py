"""Aggregates, arrays, sets, membership, walk, graphs: topdown/aggregates.go, array.go, sets.go, walk.go."""

# ruff: noqa: ARG001 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

from sidecar.rego import numbers
from sidecar.rego.errors import BuiltinError
from sidecar.rego.numbers import Number, is_number
from sidecar.rego.runtime import Run, dot, member
from sidecar.rego.values import (
    UNDEFINED,
    RegoSet,
    Value,
    canonical,
    compare,
    in_order,
    make_set,
    ordered,
    same,
    sorted_keys,
    thaw,
)

from .operands import a_set, array, elements, integer, obj, type_name, wrong_type

Builtin = Callable[..., Value]


def count(run: Run, a: Value) -> Value:
    if type(a) in (list, dict, RegoSet, str):
        return len(a)
    raise wrong_type(1, a, "array", "object", "set", "string")


def total(run: Run, a: Value) -> Value:
    return _accumulate(run, a, 0, int.__add__, lambda x, y: x + y)


def product(run: Run, a: Value) -> Value:
    return _accumulate(run, a, 1, lambda x, y: numbers.bounded(x * y), lambda x, y: x * y)


def _accumulate(run: Run, a: Value, start: int, exactly: Any, roughly: Any) -> Number:
    """Exact while all are integers, else rounded to a 64-bit mantissa at every step, in order."""
    items = elements(a, 1)
    run.spend(len(items))
    for item in items:
        if not is_number(item):
            raise BuiltinError(f"operand 1 must be {type_name(a)} of numbers")
    exact = [numbers.whole(item) for item in items]
    if None not in exact:
        return reduce(exactly, exact, start)
    result = reduce(lambda x, y: numbers.rounded(roughly(x, numbers.to_big(y))), items, numbers.to_big(start))
    return numbers.from_big(result)


def maximum(run: Run, a: Value) -> Value:
    items = elements(a, 1)
    run.spend(len(items))
    return reduce(lambda x, y: y if compare(x, y) <= 0 else x, items) if items else UNDEFINED


def minimum(run: Run, a: Value) -> Value:
    """As OPA: of a set, null is the minimum only where there is nothing else (builtinMin)."""
    items = elements(a, 1)
    if type(a) is RegoSet:
        items = [item for item in items if item is not None] or items
    run.spend(len(items))
    return reduce(lambda x, y: y if compare(x, y) >= 0 else x, items) if items else UNDEFINED


def sort(run: Run, a: Value) -> Value:
    items = elements(a, 1)
    run.spend(len(items))
    return in_order(items)


def all_true(run: Run, a: Value) -> Value:
    return all(item is True for item in elements(a, 1))


def any_true(run: Run, a: Value) -> Value:
    return any(item is True for item in elements(a, 1))


def member_2(run: Run, value: Value, collection: Value) -> Value:
    if type(collection) is list or type(collection) is dict:
        run.steps += len(collection)  # checked at the next scan or call: this one is C, and bounded by the input
    return member(value, collection)


def member_3(run: Run, key: Value, value: Value, collection: Value) -> Value:
    if type(collection) is RegoSet:
        return canonical(key) in collection and same(key, value)
    found = dot(collection, key)
    return found is not UNDEFINED and same(value, found)


def array_concat(run: Run, a: Value, b: Value) -> Value:
    run.spend(len(array(a, 1)) + len(array(b, 2)))
    return a + b


def array_flatten(run: Run, a: Value) -> Value:
    flat: list[Value] = []
    for item in array(a, 1):
        flat.extend(item if type(item) is list else [item])
        run.spend(1)
    run.spend(len(flat))
    return flat


def array_slice(run: Run, a: Value, start: Value, stop: Value) -> Value:
    items = array(a, 1)
    first, last = integer(start, 2), min(max(integer(stop, 3), 0), len(items))
    return items[min(max(first, 0), last) : last]


def array_reverse(run: Run, a: Value) -> Value:
    return array(a, 1)[::-1]


def intersection(run: Run, a: Value) -> Value:
    sets = [a_set(item, 1) for item in ordered(a_set(a, 1))]
    if not sets:
        return RegoSet()
    run.spend(len(sets[0]))
    return RegoSet((key, item) for key, item in sets[0].items() if all(key in other for other in sets))


def union(run: Run, a: Value) -> Value:
    result = RegoSet()
    for item in a_set(a, 1).values():
        run.spend(len(a_set(item, 1)))
        for key, element in item.items():
            result.setdefault(key, element)
    return result


def set_diff(run: Run, a: Value, b: Value) -> Value:
    other = a_set(b, 2)
    return RegoSet((key, item) for key, item in a_set(a, 1).items() if key not in other)


def walk(run: Run, a: Value) -> Value:
    """The relation as an array of [path, value] pairs, in the order topdown visits them."""
    return [[path, value] for path, value in _walk(run, [], a)]


def _walk(run: Run, path: list[Value], value: Value) -> Iterator[tuple[list[Value], Value]]:
    run.spend(1 + len(path))
    yield path, value
    for key, item in children(value):
        yield from _walk(run, [*path, key], item)


def children(value: Value) -> list[tuple[Value, Value]]:
    kind = type(value)
    if kind is list:
        return list(enumerate(value))
    if kind is dict:
        return [(thaw(key), value[key]) for key in sorted_keys(value)]
    return [(item, item) for item in ordered(value)] if kind is RegoSet else []


def reachable(run: Run, graph: Value, initial: Value) -> Value:
    """Nodes of the graph that can be reached: topdown/reachable.go."""
    edges, queue, reached = obj(graph, 1), list(elements(initial, 2)), RegoSet()
    while queue:
        node = queue.pop()
        key = canonical(node)
        run.spend(1)
        if key in edges and key not in reached:
            reached[key] = node
            queue.extend(_vertices(edges[key]))
    return reached


def _vertices(value: Value) -> list[Value]:
    return elements(value, 1) if type(value) in (list, RegoSet) else []


def to_array(run: Run, a: Value) -> Value:
    return list(elements(a, 1))


def to_set(run: Run, a: Value) -> Value:
    return a if type(a) is RegoSet else make_set(elements(a, 1))


TABLE: dict[str, Builtin] = {
    "all": all_true,
    "any": any_true,
    "array.concat": array_concat,
    "array.flatten": array_flatten,
    "array.reverse": array_reverse,
    "array.slice": array_slice,
    "cast_array": to_array,
    "cast_set": to_set,
    "count": count,
    "graph.reachable": reachable,
    "internal.member_2": member_2,
    "internal.member_3": member_3,
    "intersection": intersection,
    "max": maximum,
    "min": minimum,
    "product": product,
    "set_diff": set_diff,
    "sort": sort,
    "sum": total,
    "union": union,
    "walk": walk,
}
