"""Objects and their subsets: topdown/object.go, subset.go, and the path filters of json.go."""

# ruff: noqa: ARG001 (every builtin is given the run; those whose work grows charge it)
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sidecar.rego.errors import BuiltinError
from sidecar.rego.runtime import Run, dot
from sidecar.rego.values import UNDEFINED, RegoSet, Value, canonical, make_set, same, thaw

from .operands import array, elements, obj, wrong_type

Builtin = Callable[..., Value]


def object_get(run: Run, a: Value, path: Value, default: Value) -> Value:
    current: Value = obj(a, 1)
    for key in path if type(path) is list else [path]:
        current = dot(current, key)
        if current is UNDEFINED:
            return default
    return current


def object_keys(run: Run, a: Value) -> Value:
    run.spend(len(obj(a, 1)))
    return RegoSet((key, thaw(key)) for key in a)


def object_remove(run: Run, a: Value, keys: Value) -> Value:
    removed = _keys(keys)
    run.spend(len(obj(a, 1)))
    return {key: item for key, item in a.items() if key not in removed}


def object_filter(run: Run, a: Value, keys: Value) -> Value:
    kept = _keys(keys)
    run.spend(len(obj(a, 1)))
    return {key: item for key, item in a.items() if key in kept}


def _keys(value: Value) -> Iterable[Any]:
    if type(value) is dict or type(value) is RegoSet:
        return value
    if type(value) is list:
        return make_set(value)
    raise wrong_type(2, value, "object", "set", "array")


def object_union(run: Run, a: Value, b: Value) -> Value:
    run.spend(len(obj(a, 1)) + len(obj(b, 2)))
    return _overlay(run, a, b)


def _overlay(run: Run, a: dict[Any, Value], b: dict[Any, Value]) -> dict[Any, Value]:
    """`b` over `a`, objects merged all the way down."""
    result = dict(a)
    for key, item in b.items():
        old = result.get(key)
        if type(old) is dict and type(item) is dict:
            run.spend(len(old) + len(item))
            item = _overlay(run, old, item)
        result[key] = item
    return result


def object_union_n(run: Run, a: Value) -> Value:
    result: dict[Any, Value] = {}
    for item in array(a, 1):
        if type(item) is not dict:
            raise BuiltinError("operand 1 must be array of objects")
        run.spend(len(result) + len(item))
        result = _overlay(run, result, item)
    return result


# --- subsets ----------------------------------------------------------------------------------------


def object_subset(run: Run, a: Value, b: Value) -> Value:
    kinds = type(a), type(b)
    if kinds == (dict, dict) or kinds == (RegoSet, RegoSet) or kinds == (list, list):
        return _subset(run, a, b)
    if kinds == (list, RegoSet):
        return _array_holds_set(run, a, b)
    raise BuiltinError("both arguments object.subset must be of the same type or array and set")


def _array_holds_set(run: Run, a: list[Value], b: RegoSet) -> bool:
    """As OPA counts: an element of the array that occurs twice is counted twice (subset.go)."""
    run.spend(len(a))
    unmatched = len(b)
    for item in a:
        unmatched -= canonical(item) in b
        if unmatched == 0:
            return True
    return False


def _subset(run: Run, a: Value, b: Value) -> bool:
    run.spend(1)
    if type(a) is dict and type(b) is dict:
        return all(key in a and (same(a[key], item) or _subset(run, a[key], item)) for key, item in b.items())
    if type(a) is RegoSet and type(b) is RegoSet:
        return all(key in a for key in b)
    if type(a) is list and type(b) is list:
        return _contiguous(run, a, b)
    return False


def _contiguous(run: Run, a: list[Value], b: list[Value]) -> bool:
    """The scan of subset.go, which does not back up as a string search would."""
    start = found = 0
    while found < len(b):
        run.spend(1)
        if start + found >= len(a):
            return False
        if same(a[start + found], b[found]):
            found += 1
        else:
            start, found = start + 1, 0
    return True


# --- JSON paths -------------------------------------------------------------------------------------


def parse_path(path: Value) -> list[Value]:
    """A `/a/b` pointer or an array of segments."""
    if type(path) is list:
        return path
    if type(path) is not str:
        raise BuiltinError("operand 2 must be one of {set, array} containing string paths or array of path segments")
    if not path:
        return []
    return [part.replace("~1", "/").replace("~0", "~") for part in path.lstrip("/").split("/")]


def _tree(paths: Value) -> dict[Any, Any]:
    """Paths as nested objects with None at the ends (pathsToObject)."""
    root: dict[Any, Any] = {}
    for path in elements(paths, 2):
        _plant(root, [canonical(part) for part in parse_path(path)])
    return root


def _plant(node: dict[Any, Any], keys: list[Any]) -> None:
    for key in keys[:-1]:
        child = node.setdefault(key, {})
        if child is None:
            return
        node = child
    if keys:
        node[keys[-1]] = None


def json_filter(run: Run, a: Value, paths: Value) -> Value:
    return _filtered(run, obj(a, 1), _tree(paths))


def _filtered(run: Run, value: Value, tree: dict[Any, Any] | None) -> Value:
    if tree is None:
        return value
    run.spend(1)
    kind = type(value)
    if kind is dict:
        return {key: _filtered(run, item, tree[key]) for key, item in value.items() if key in tree}
    if kind is list:
        return [_filtered(run, item, tree[str(at)]) for at, item in enumerate(value) if str(at) in tree]
    if kind is RegoSet:
        return make_set(_filtered(run, item, tree[key]) for key, item in value.items() if key in tree)
    return value


def json_remove(run: Run, a: Value, paths: Value) -> Value:
    return _pruned(run, obj(a, 1), _tree(paths))


_GONE = object()


def _pruned(run: Run, value: Value, tree: Any) -> Value:
    """`value` without what `tree` ends on; `tree` is _GONE where the paths diverged."""
    if tree is None or tree is _GONE:
        return _GONE if tree is None else value
    run.spend(1)
    kind = type(value)
    if kind is dict:
        parts = ((key, _pruned(run, item, tree.get(key, _GONE))) for key, item in value.items())
        return {key: item for key, item in parts if item is not _GONE}
    if kind is list:
        items = (_pruned(run, item, tree.get(str(at), _GONE)) for at, item in enumerate(value))
        return [item for item in items if item is not _GONE]
    if kind is RegoSet:
        items = (_pruned(run, item, tree.get(key, _GONE)) for key, item in value.items())
        return make_set(item for item in items if item is not _GONE)
    return value


TABLE: dict[str, Builtin] = {
    "json.filter": json_filter,
    "json.remove": json_remove,
    "object.filter": object_filter,
    "object.get": object_get,
    "object.keys": object_keys,
    "object.remove": object_remove,
    "object.subset": object_subset,
    "object.union": object_union,
    "object.union_n": object_union_n,
}
