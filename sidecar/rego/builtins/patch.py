"""json.patch over Rego values, sets included: topdown/json.go on internal/edittree.

Values are never changed in place, so a patch is a chain of copies along the path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sidecar.rego.errors import BuiltinError
from sidecar.rego.runtime import Run
from sidecar.rego.values import RegoSet, Value, canonical, same

from .objects import parse_path
from .operands import array

Builtin = Callable[..., Value]
Edit = Callable[[Value, Value], Value]

_GONE: Final = object()


def json_patch(run: Run, document: Value, operations: Value) -> Value:
    for operation in array(operations, 2):
        run.spend(1)
        document = _apply(run, document, operation)
    if document is _GONE:
        raise BuiltinError("document removed")
    return document


def _apply(run: Run, document: Value, operation: Value) -> Value:
    if type(operation) is not dict:
        raise BuiltinError("must be an array of JSON-Patch objects")
    path = parse_path(_required(operation, "path"))
    name = _required(operation, "op")
    if name == "remove":
        return _remove(run, document, path)
    if name == "add":
        return _insert(run, document, path, _required(operation, "value"))
    if name == "replace":
        return _insert(run, _remove(run, document, path), path, _required(operation, "value"))
    if name == "test":
        if not same(_find(document, path), _required(operation, "value")):
            raise BuiltinError("value does not equal the patch's")
        return document
    return _transfer(run, document, path, operation, name)


def _transfer(run: Run, document: Value, path: list[Value], operation: dict[Any, Value], name: Value) -> Value:
    if name not in ("move", "copy"):
        raise BuiltinError("unrecognized op")
    source = parse_path(_required(operation, "from"))
    value = _find(document, source)
    if name == "move":
        document = _remove(run, document, source)
    return _insert(run, document, path, value)


def _required(operation: dict[Any, Value], name: str) -> Value:
    if name not in operation:
        raise BuiltinError(f"missing required attribute '{name}'")
    return operation[name]


def _find(document: Value, path: list[Value]) -> Value:
    for part in path:
        document = _child(document, part)
    return document


def _child(node: Value, part: Value) -> Value:
    if type(node) is list:
        return node[_index(part, len(node) - 1)]
    if type(node) is dict or type(node) is RegoSet:
        key = canonical(part)
        if key in node:
            return node[key]
    raise BuiltinError("path does not exist")


def _index(part: Value, highest: int) -> int:
    """`toIndex` of edittree.go: an integer, its decimal text without leading zeros, or `-` for the end."""
    if part == "-":
        at = highest
    elif type(part) is int:
        at = part
    elif type(part) is str and part.isascii() and part.isdigit() and (part == "0" or part[0] != "0"):
        at = int(part[:10])
    else:
        raise BuiltinError("invalid array index")
    if not 0 <= at <= highest:
        raise BuiltinError("array index out of bounds")
    return at


def _insert(run: Run, document: Value, path: list[Value], value: Value) -> Value:
    return _edit(run, document, path, lambda node, part: _put(node, part, value)) if path else value


def _remove(run: Run, document: Value, path: list[Value]) -> Value:
    return _edit(run, document, path, _drop) if path else _GONE


def _edit(run: Run, node: Value, path: list[Value], edit: Edit) -> Value:
    """A copy of `node` in which the last container on `path` is edited."""
    if node is _GONE:
        raise BuiltinError("deleted node encountered")
    if len(path) == 1:
        run.spend(len(node) if type(node) in (list, dict, RegoSet) else 0)
        return edit(node, path[0])
    child = _edit(run, _child(node, path[0]), path[1:], edit)
    run.spend(len(node))
    if type(node) is RegoSet:  # the element's identity is its value, which has changed
        rest = _drop(node, path[0])
        rest[canonical(child)] = child
        return rest
    copy = node.copy()
    copy[_index(path[0], len(node) - 1) if type(node) is list else canonical(path[0])] = child
    return copy


def _put(node: Value, part: Value, value: Value) -> Value:
    if type(node) is list:
        at = _index(part, len(node))
        return [*node[:at], value, *node[at:]]
    if type(node) is dict:
        return {**node, canonical(part): value}
    if type(node) is RegoSet and same(part, value):
        return RegoSet({**node, canonical(part): value})
    raise BuiltinError("cannot insert there")


def _drop(node: Value, part: Value) -> Value:
    _child(node, part)
    if type(node) is list:
        at = _index(part, len(node) - 1)
        return [*node[:at], *node[at + 1 :]]
    gone = canonical(part)
    return type(node)((key, item) for key, item in node.items() if key != gone)


TABLE: dict[str, Builtin] = {"json.patch": json_patch}
