"""OPA's plan IR as read-only data: `plan.json` in, checked functions out.

The format is v1/ir/ir.go of OPA; what each statement means is defined by OPA's own second backend,
internal/compiler/wasm/wasm.go. Every statement becomes one shape,

    Stmt(kind, at, ins, outs, blocks, extra)

what it reads, what it assigns, what it contains, and whatever is left: so that the passes after this one
need no knowledge of kinds to follow values. A statement, operand, field or jump that is not known here is
refused with its name and position: the plan carries no version of its own to go by.
"""

# ruff: noqa: ARG001, ARG005 (every shape is given the reader, the place and the body)
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .errors import PlanRefused
from .numbers import Number, parse

INPUT: Final = 0
DATA: Final = 1


@dataclass(frozen=True, slots=True)
class Lit:
    """A constant operand: string, bool, number or null."""

    value: str | bool | Number | None


Operand = int | Lit  # an int is a local


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the Rego source. Row 0 means: made up by the compiler."""

    file: str
    row: int
    col: int

    def __str__(self) -> str:
        return f"{self.file}:{self.row}:{self.col}" if self.row else ""


NOWHERE: Final = Place("", 0, 0)


@dataclass(frozen=True, slots=True)
class Stmt:
    kind: str
    at: Place
    ins: tuple[Operand, ...] = ()
    outs: tuple[int, ...] = ()
    blocks: tuple[Block, ...] = ()
    extra: Any = None


Block = tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class Func:
    name: str
    params: tuple[int, ...]
    ret: int
    path: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    funcs: tuple[Func, ...]
    plans: tuple[tuple[str, tuple[Block, ...]], ...]
    builtins: Mapping[str, int]  # name -> arity, as declared
    files: tuple[str, ...]


def read(document: Any) -> Policy:
    """The plan in a decoded `plan.json`. Raises PlanRefused."""
    return _Reader(document).policy()


def walk(block: Block) -> Iterator[Stmt]:
    """Every statement of a block, containers before their contents."""
    for stmt in block:
        yield stmt
        for inner in stmt.blocks:
            yield from walk(inner)


def escape(block: Block) -> int:
    """How many blocks beyond this one a jump inside it can leave (0: none)."""
    return max((_escape(stmt) for stmt in block), default=0)


def _escape(stmt: Stmt) -> int:
    if stmt.kind == "Break":
        return int(stmt.extra)
    return max((escape(block) - 1 for block in stmt.blocks), default=0)


def rebuilt(stmt: Stmt, change: Callable[[Block], Block]) -> Stmt:
    return replace(stmt, blocks=tuple(map(change, stmt.blocks))) if stmt.blocks else stmt


def reads(block: Block) -> Counter[int]:
    return Counter(item for stmt in walk(block) for item in stmt.ins if not isinstance(item, Lit))


def written(block: Block) -> set[int]:
    return {out for stmt in walk(block) for out in stmt.outs}


def used(statements: Iterable[Stmt]) -> set[int]:
    """Locals that statements read, nested ones not counted."""
    return {operand for stmt in statements for operand in stmt.ins if not isinstance(operand, Lit)}


def local(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1_000_000:
        raise PlanRefused("not a local variable", name="local")
    return value


class _Reader:
    """One pass over the JSON, with the string tables at hand."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict) or not {"static", "plans", "funcs"} >= set(document):
            raise PlanRefused("not a plan of IR version 1", name="plan.json")
        static = document.get("static") or {}
        self.document = document
        self.strings: list[str] = [item["value"] for item in static.get("strings") or ()]
        # as a bundle's files are named; of `opa build -b /DIR` the plan has the slash
        self.files = tuple(str(item["value"]).lstrip("/") for item in static.get("files") or ())
        self.declared = static.get("builtin_funcs") or ()
        self.at = NOWHERE

    def policy(self) -> Policy:
        try:
            plans = (self.document.get("plans") or {}).get("plans") or ()
            funcs = (self.document.get("funcs") or {}).get("funcs") or ()
            return Policy(
                funcs=tuple(self.func(item) for item in funcs),
                plans=tuple((item["name"], self.body(item["blocks"])) for item in plans),
                builtins={item["name"]: len(item["decl"].get("args") or ()) for item in self.declared},
                files=self.files,
            )
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as cause:
            raise PlanRefused(f"malformed plan ({type(cause).__name__})", position=str(self.at)) from cause

    def func(self, item: dict[str, Any]) -> Func:
        params = tuple(map(local, item["params"]))
        if len(params) < 2 or len(set(params)) != len(params):
            raise PlanRefused("function without input and data", name=item["name"])
        self.only(item, "a function", "name", "params", "return", "path", "blocks")
        path = tuple(map(str, item.get("path") or ()))
        return Func(str(item["name"]), params, local(item["return"]), path, self.body(item["blocks"]))

    def body(self, items: Any) -> tuple[Block, ...]:
        return tuple(self.contained(self.block(item)) for item in items or ())

    def block(self, item: Any) -> Block:
        self.only(item or {}, "a block", "stmts")
        return tuple(self.stmt(entry) for entry in (item or {}).get("stmts") or ())

    def contained(self, block: Block) -> Block:
        """Jumps cross plain blocks only; the planner never leaves a scan, `not`, `with` or function by one."""
        if escape(block) > 0:
            raise PlanRefused("jump out of a loop or function", name="BreakStmt", position=str(self.at))
        return block

    def stmt(self, entry: dict[str, Any]) -> Stmt:
        kind, body = entry["type"], entry["stmt"]
        self.at = self.place(body)
        shape = _SHAPES.get(kind)
        if shape is None:
            raise PlanRefused(f"unknown statement {kind!r}", name=str(kind), position=str(self.at))
        self.only(body, kind, "file", "row", "col", *shape.fields)
        return shape.read(self, self.at, body)

    def only(self, item: dict[str, Any], what: str, *known: str) -> None:
        """What a later OPA adds may change what the rest means."""
        if more := set(item).difference(known):
            raise PlanRefused(f"unknown field {min(more)!r} of {what}", name=str(min(more)), position=str(self.at))

    def place(self, body: dict[str, Any]) -> Place:
        row, col, file = body.get("row", 0), body.get("col", 0), body.get("file", 0)
        return Place(self.files[file], row, col) if row else NOWHERE

    def operand(self, item: dict[str, Any]) -> Operand:
        kind, value = item["type"], item["value"]
        if kind == "local":
            return local(value)
        if kind == "string_index":
            return Lit(self.string(value))
        if kind == "bool" and isinstance(value, bool):
            return Lit(value)
        raise PlanRefused(f"unknown operand {kind!r}", name=str(kind), position=str(self.at))

    def string(self, index: Any) -> str:
        if type(index) is not int or index < 0:
            raise PlanRefused("bad string index", name="string_index", position=str(self.at))
        return self.strings[index]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a statement may hold beside its place, and how it is read."""

    read: Callable[[_Reader, Place, dict[str, Any]], Stmt]
    fields: tuple[str, ...]


def _value(kind: str, *reads: str, target: str | None = None) -> Shape:
    """Reads operands, perhaps assigns one local."""

    def shape(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
        outs = (local(body[target]),) if target else ()
        return Stmt(kind, at, tuple(reader.operand(body[name]) for name in reads), outs)

    return Shape(shape, (*reads, *([target] if target else ())))


def _check(kind: str, name: str = "source") -> Shape:
    """Reads one local that is written bare, not as an operand."""
    return Shape(lambda reader, at, body: Stmt(kind, at, (local(body[name]),)), (name,))


def _make(kind: str, *hints: str) -> Shape:
    """`hints` are passed over."""
    return Shape(lambda reader, at, body: Stmt(kind, at, (), (local(body["target"]),)), ("target", *hints))


def _grow(kind: str, container: str, *reads: str) -> Shape:
    """Changes the container held by a local; the local itself keeps its binding."""

    def shape(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
        operands = (reader.operand(body[name]) for name in reads)
        return Stmt(kind, at, (local(body[container]), *operands))

    return Shape(shape, (container, *reads))


def _constant(value: Callable[[_Reader, dict[str, Any]], Any], *fields: str) -> Shape:
    """All ways to write a constant are an assignment of a literal."""

    def shape(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
        return Stmt("Assign", at, (Lit(value(reader, body)),), (local(body["target"]),))

    return Shape(shape, ("target", *fields))


def _integer(reader: _Reader, body: dict[str, Any]) -> int:
    if type(body["value"]) is not int:
        raise PlanRefused("not an integer", name="value", position=str(reader.at))
    return body["value"]


def _number(reader: _Reader, body: dict[str, Any]) -> Number:
    # `Index` is the older spelling and is still written beside the newer one (v1/ir/marshal.go).
    return parse(reader.string(body.get("index", body.get("Index"))))


def _call(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    args = tuple(reader.operand(item) for item in body.get("args") or ())
    return Stmt("Call", at, args, (local(body["result"]),), extra=str(body["func"]))


def _call_dynamic(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    args = tuple(map(local, body.get("args") or ()))
    path = tuple(reader.operand(item) for item in body.get("path") or ())
    return Stmt("CallDynamic", at, (*args, *path), (local(body["result"]),), extra=len(args))


def _once(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    target = local(body["target"])
    return Stmt("AssignOnce", at, (reader.operand(body["source"]), target), (target,))


def _scan(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    outs = (local(body["key"]), local(body["value"]))
    block = reader.contained(reader.block(body["block"]))
    return Stmt("Scan", at, (local(body["source"]),), outs, (block,))


def _not(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    return Stmt("Not", at, blocks=(reader.contained(reader.block(body["block"])),))


def _with(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    target = local(body["local"])
    path = tuple(reader.string(index) for index in body.get("path") or ())
    block = reader.contained(reader.block(body["block"]))
    return Stmt("With", at, (target, reader.operand(body["value"])), (target,), (block,), path)


def _blocks(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    return Stmt("Block", at, blocks=tuple(map(reader.block, body.get("blocks") or ())))


def _merge(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    return Stmt("ObjectMerge", at, (local(body["a"]), local(body["b"])), (local(body["target"]),))


def _break(reader: _Reader, at: Place, body: dict[str, Any]) -> Stmt:
    index = body.get("index", 0)
    if type(index) is not int or index < 0:
        raise PlanRefused("bad jump", name="BreakStmt", position=str(at))
    return Stmt("Break", at, extra=index)


_SHAPES: Final[dict[str, Shape]] = {
    "ArrayAppendStmt": _grow("ArrayAppend", "array", "value"),
    "AssignIntStmt": _constant(_integer, "value"),
    "AssignVarOnceStmt": Shape(_once, ("source", "target")),
    "AssignVarStmt": _value("Assign", "source", target="target"),
    "BlockStmt": Shape(_blocks, ("blocks",)),
    "BreakStmt": Shape(_break, ("index",)),
    "CallDynamicStmt": Shape(_call_dynamic, ("args", "path", "result")),
    "CallStmt": Shape(_call, ("args", "func", "result")),
    "DotStmt": _value("Dot", "source", "key", target="target"),
    "EqualStmt": _value("Equal", "a", "b"),
    "IsArrayStmt": _value("IsArray", "source"),
    "IsDefinedStmt": _check("IsDefined"),
    "IsObjectStmt": _value("IsObject", "source"),
    "IsSetStmt": _value("IsSet", "source"),
    "IsUndefinedStmt": _check("IsUndefined"),
    "LenStmt": _value("Len", "source", target="target"),
    "MakeArrayStmt": _make("MakeArray", "capacity"),
    "MakeNullStmt": _constant(lambda reader, body: None),
    "MakeNumberIntStmt": _constant(_integer, "value"),
    "MakeNumberRefStmt": _constant(_number, "index", "Index"),
    "MakeObjectStmt": _make("MakeObject"),
    "MakeSetStmt": _make("MakeSet"),
    "NopStmt": Shape(lambda reader, at, body: Stmt("Nop", at), ()),
    "NotEqualStmt": _value("NotEqual", "a", "b"),
    "NotStmt": Shape(_not, ("block",)),
    "ObjectInsertOnceStmt": _grow("ObjectInsertOnce", "object", "key", "value"),
    "ObjectInsertStmt": _grow("ObjectInsert", "object", "key", "value"),
    "ObjectMergeStmt": Shape(_merge, ("a", "b", "target")),
    "ResetLocalStmt": _make("Reset"),
    "ResultSetAddStmt": _check("ResultSetAdd", "value"),
    "ReturnLocalStmt": _check("Return"),
    "ScanStmt": Shape(_scan, ("source", "key", "value", "block")),
    "SetAddStmt": _grow("SetAdd", "set", "value"),
    "WithStmt": Shape(_with, ("local", "path", "value", "block")),
}
