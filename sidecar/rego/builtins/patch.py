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
    patch = _Patch(run)
    for operation in array(operations, 2):
        run.spend(1)
        document = patch.apply(document, operation)
    if document is _GONE:
        raise BuiltinError("document removed")
    return document


class _Patch:
    """One patch at work. Once elements of an array have moved, OPA's edit tree goes on into those that stood there
    before (`remove /0`, then `test /0`): what it answers then is no guide, so there is no answer."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.shifted = False

    def apply(self, document: Value, operation: Value) -> Value:
        if type(operation) is not dict:
            raise BuiltinError("must be an array of JSON-Patch objects")
        path = parse_path(_required(operation, "path"))
        name = _required(operation, "op")
        if name == "remove":
            return self.remove(document, path)
        if name == "add":
            return self.insert(document, path, _required(operation, "value"))
        if name == "replace":
            return self.replace(document, path, _required(operation, "value"))
        if name == "test":
            if not same(self.find(document, path), _required(operation, "value")):
                raise BuiltinError("value does not equal the patch's")
            return document
        return self.transfer(document, path, operation, name)

    def replace(self, document: Value, path: list[Value], value: Value) -> Value:
        before = self.shifted
        document = self.insert(self.remove(document, path), path, value)
        self.shifted = before  # the new element stands where the old one stood
        return document

    def transfer(self, document: Value, path: list[Value], operation: dict[Any, Value], name: Value) -> Value:
        if name not in ("move", "copy"):
            raise BuiltinError("unrecognized op")
        source = parse_path(_required(operation, "from"))
        value = self.find(document, source)
        if name == "move":
            document = self.remove(document, source)
        return self.insert(document, path, value)

    def find(self, document: Value, path: list[Value]) -> Value:
        for part in path:
            document = self.child(document, part)
        return document

    def child(self, node: Value, part: Value) -> Value:
        if type(node) is list and self.shifted:
            raise BuiltinError("an array's elements have moved")
        return _child(node, part)

    def insert(self, document: Value, path: list[Value], value: Value) -> Value:
        return self.edit(document, path, lambda node, part: self.put(node, part, value)) if path else value

    def remove(self, document: Value, path: list[Value]) -> Value:
        return self.edit(document, path, self.drop) if path else _GONE

    def edit(self, node: Value, path: list[Value], edit: Edit) -> Value:
        """A copy of `node` in which the last container on `path` is edited."""
        if node is _GONE:
            raise BuiltinError("deleted node encountered")
        if len(path) == 1:
            self.run.spend(len(node) if type(node) in (list, dict, RegoSet) else 0)
            return edit(node, path[0])
        child = self.edit(self.child(node, path[0]), path[1:], edit)
        self.run.spend(len(node))
        if type(node) is RegoSet:  # the element's identity is its value, which has changed
            rest = self.drop(node, path[0])
            rest[canonical(child)] = child
            return rest
        copy = node.copy()
        copy[_index(path[0], len(node) - 1) if type(node) is list else canonical(path[0])] = child
        return copy

    def put(self, node: Value, part: Value, value: Value) -> Value:
        if type(node) is list:
            at = len(node) if part == "-" else _index(part, len(node))
            self.shifted |= at < len(node)
            return [*node[:at], value, *node[at:]]
        if type(node) is dict:
            return {**node, canonical(part): value}
        if type(node) is RegoSet and same(part, value):
            return RegoSet({**node, canonical(part): value})
        raise BuiltinError("cannot insert there")

    def drop(self, node: Value, part: Value) -> Value:
        _child(node, part)
        if type(node) is list:
            at = _index(part, len(node) - 1)
            self.shifted |= at < len(node) - 1
            return [*node[:at], *node[at + 1 :]]
        gone = canonical(part)
        return type(node)((key, item) for key, item in node.items() if key != gone)


def _required(operation: dict[Any, Value], name: str) -> Value:
    if name not in operation:
        raise BuiltinError(f"missing required attribute '{name}'")
    return operation[name]


def _child(node: Value, part: Value) -> Value:
    if type(node) is list:
        return node[_index(part, len(node) - 1)]
    if type(node) is dict or type(node) is RegoSet:
        key = canonical(part)
        if key in node:
            return node[key]
    raise BuiltinError("path does not exist")


def _index(part: Value, highest: int) -> int:
    """`toIndex` of edittree.go: an integer, or its decimal text without leading zeros."""
    if type(part) is int:
        at = part
    elif type(part) is str and part.isascii() and part.isdigit() and (part == "0" or part[0] != "0"):
        at = int(part[:10])
    else:
        raise BuiltinError("invalid array index")
    if not 0 <= at <= highest:
        raise BuiltinError("array index out of bounds")
    return at


TABLE: dict[str, Builtin] = {"json.patch": json_patch}
