"""The last pass of `optimise`: several statements become one that Python can write as an expression.

A literal is folded only when *all* growth of that container is folded with it; the shape of a container
that grows later is not known at load.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Final

from .ir import DATA, Block, Lit, Operand, Stmt, reads, rebuilt, walk, written
from .values import UNDEFINED

GROW: Final = frozenset({"ArrayAppend", "ObjectInsert", "ObjectInsertOnce", "SetAdd"})
MAKE: Final = frozenset({"MakeArray", "MakeObject", "MakeSet"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What the passes may rely on about the whole policy."""

    data: Any  # base data, or UNDEFINED where some `with` may replace it


def folded(blocks: tuple[Block, ...], scope: Scope) -> tuple[Block, ...]:
    counted = sum(map(reads, blocks), Counter[int]())
    assigned = Counter(out for block in blocks for stmt in walk(block) for out in stmt.outs)

    def one(block: Block) -> Block:
        block = tuple(rebuilt(stmt, one) for stmt in block)
        block = _paths(block, counted, assigned)
        block = tuple(based(stmt, scope) for stmt in block)
        block = _literals(block, counted, assigned)
        return _tests(block, counted)

    return tuple(map(one, blocks))


def _paths(block: Block, counted: Counter[int], assigned: Counter[int]) -> Block:
    result: list[Stmt] = []
    for stmt in block:
        key = stmt.ins[1] if stmt.kind == "Dot" else None
        if isinstance(key, Lit) and type(key.value) is str and not isinstance(stmt.ins[0], Lit):
            last = result[-1] if result else None
            if last and last.kind == "Path" and _only(last.outs[0], stmt.ins[0], counted, assigned):
                result[-1] = replace(last, outs=stmt.outs, extra=(*last.extra, key.value), at=stmt.at)
                continue
            stmt = replace(stmt, kind="Path", ins=stmt.ins[:1], extra=(key.value,))
        result.append(stmt)
    return tuple(result)


def _only(target: int, source: Operand, counted: Counter[int], assigned: Counter[int]) -> bool:
    return target == source and counted[target] == 1 and assigned[target] == 1


def based(stmt: Stmt, scope: Scope) -> Stmt:
    """A path into base data is a constant of this engine, or never defined."""
    if stmt.kind != "Path" or stmt.ins[0] != DATA or scope.data is UNDEFINED:
        return stmt
    value = scope.data
    for key in stmt.extra:
        if type(value) is not dict or key not in value:
            return Stmt("Break", stmt.at, extra=0)
        value = value[key]
    return Stmt("Value", stmt.at, outs=stmt.outs, extra=(value,))


def _literals(block: Block, counted: Counter[int], assigned: Counter[int]) -> Block:
    statements: list[Stmt | None] = list(block)
    for index, stmt in enumerate(block):
        if stmt.kind in MAKE and assigned[stmt.outs[0]] == 1:
            _literal(statements, index, stmt, counted)
    return tuple(stmt for stmt in statements if stmt is not None)


def _literal(statements: list[Stmt | None], start: int, make: Stmt, counted: Counter[int]) -> None:
    """Moves the construction of a container to its last growth, if nothing sees it before."""
    target, growth = make.outs[0], _growth(statements, start, make.outs[0])
    if not growth or not _settled(statements, growth, target):
        return
    seen = sum(_mentions(statement, target) for statement in statements[: growth[-1] + 1] if statement)
    grown = [item for at in growth if (item := statements[at])]
    others = counted[target] - len(growth)
    if seen != len(growth) or not all(_plain(stmt, make.kind) for stmt in grown):
        return
    if others and not _after(statements, growth[-1], target, others):
        return
    kind = {"MakeArray": "Array", "MakeObject": "Object", "MakeSet": "Set"}[make.kind]
    keys = tuple(stmt.ins[1].value for stmt in grown if isinstance(stmt.ins[1], Lit)) if kind == "Object" else None
    literal = Stmt(kind, make.at, tuple(stmt.ins[-1] for stmt in grown), make.outs, extra=keys)
    for at in (start, *growth[:-1]):
        statements[at] = None
    statements[growth[-1]] = literal


def _growth(statements: list[Stmt | None], start: int, target: int) -> list[int]:
    places = range(start + 1, len(statements))
    return [at for at in places if (stmt := statements[at]) and stmt.kind in GROW and stmt.ins[0] == target]


def _plain(stmt: Stmt, make: str) -> bool:
    if make == "MakeObject":
        key = stmt.ins[1]
        return stmt.kind == "ObjectInsert" and isinstance(key, Lit) and type(key.value) is str
    return stmt.kind == {"MakeArray": "ArrayAppend", "MakeSet": "SetAdd"}[make]


def _mentions(stmt: Stmt, target: int) -> int:
    return sum(item == target for inner in walk((stmt,)) for item in inner.ins if not isinstance(item, Lit))


def _after(statements: list[Stmt | None], last: int, target: int, others: int) -> bool:
    """All other reads follow in this block, and none of them grows the container."""
    rest = [inner for stmt in statements[last + 1 :] if stmt for inner in walk((stmt,))]
    grows = any(inner.kind in GROW and inner.ins[0] == target for inner in rest)
    return not grows and sum(_mentions(stmt, target) for stmt in statements[last + 1 :] if stmt) == others


def _settled(statements: list[Stmt | None], growth: list[int], target: int) -> bool:
    """No operand is assigned anew between its insertion and the last one."""
    for at in growth[:-1]:
        stmt = statements[at]
        between = tuple(item for item in statements[at + 1 : growth[-1] + 1] if item)
        if stmt and written(between) & {item for item in stmt.ins if not isinstance(item, Lit)} - {target}:
            return False
        # A container inserted here and grown further on would be seen at another moment.
        if stmt and {inner.ins[0] for inner in walk(between) if inner.kind in GROW} & set(stmt.ins[1:]):
            return False
    return True


def _tests(block: Block, counted: Counter[int]) -> Block:
    """`r := f(x); r != false` with no other reader becomes one test; a scan that only adds, one update."""
    result: list[Stmt] = []
    fresh: set[int] = set()
    for stmt in block:
        last = result[-1] if result else None
        stmt = _assigned(stmt, fresh)
        if last and last.kind == "Call" and _tests_result(stmt, last.outs[0]) and counted[last.outs[0]] == 1:
            result[-1] = replace(last, kind="Holds")
        else:
            result.append(_absorbing(stmt, counted))
    return tuple(result)


def _assigned(stmt: Stmt, fresh: set[int]) -> Stmt:
    """An assignment that cannot conflict, its target being undefined, is a plain one."""
    if stmt.kind == "AssignOnce" and stmt.outs[0] in fresh:
        stmt = replace(stmt, kind="Assign", ins=stmt.ins[:1])
    fresh -= written((stmt,))
    if stmt.kind in ("Reset", "IsUndefined"):
        fresh.update(stmt.outs, (item for item in stmt.ins if not isinstance(item, Lit)))
    return stmt


def is_false(operand: Operand) -> bool:
    """Not by `==`: a dataclass holding 0 equals one holding False."""
    return isinstance(operand, Lit) and operand.value is False


def _tests_result(stmt: Stmt, result: int) -> bool:
    return stmt.kind == "NotEqual" and stmt.ins[0] == result and is_false(stmt.ins[1])


def _absorbing(stmt: Stmt, counted: Counter[int]) -> Stmt:
    if stmt.kind != "Scan" or len(stmt.blocks[0]) != 1:
        return stmt
    only, (key, value) = stmt.blocks[0][0], stmt.outs
    if only.kind != "SetAdd" or only.ins[1] != value or counted[value] != 1 or counted[key]:
        return stmt
    if stmt.ins[0] == only.ins[0]:  # a set added to itself is not the planner's
        return stmt
    return Stmt("Absorb", stmt.at, (only.ins[0], stmt.ins[0]))
