"""Fewer statements of the same meaning: passes over one function.

    unwrapped    the planner's block-in-block around a base document reference becomes the reference
    separated    locals the planner reuses from rule body to rule body get numbers of their own
    propagated   copies and constants reach their readers
    living       what nobody reads and cannot fail is gone
    folded       chains of lookups become paths, literals are built at once, tests join their calls

New kinds: `Path` (a chain of string keys in `extra`), `Value` (a constant of base data), `Object`, `Array`
and `Set` (literals; `extra` holds an object's keys), `IsCollection`, `Holds` (a call that must be neither
undefined nor false), `Absorb` (a scan that only adds to a set).

Every pass keeps to one rule: a local is replaced, renamed or dropped only where each of its reads is
certain to follow the one assignment in question. A literal is folded only when *all* growth of that
container is folded with it; the shape of a container that grows later is not known at load.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

from .ir import DATA, Block, Func, Lit, Operand, Stmt, escape, walk
from .values import UNDEFINED

GROW: Final = frozenset({"ArrayAppend", "ObjectInsert", "ObjectInsertOnce", "SetAdd"})
MAKE: Final = frozenset({"MakeArray", "MakeObject", "MakeSet"})
INFALLIBLE: Final = frozenset({"Assign", "Reset", "Value", "Object", "Array", "Set"}) | MAKE
# Where an operand must stay a local: the field is bare in the IR, or `x is U` is written for it.
BARE: Final = frozenset({"IsDefined", "IsUndefined", "Scan", "ObjectMerge", "Return", "ResultSetAdd"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What the passes may rely on about the whole policy."""

    data: Any  # base data, or UNDEFINED where some `with` may replace it


def optimised(func: Func, scope: Scope) -> Func:
    """`func` with the same value for every input, input and data included."""
    fixed = {*func.params, func.ret}
    blocks = tuple(map(unwrapped, func.blocks))
    blocks = separated(blocks, fixed)
    blocks = tuple(propagated(block, {}) for block in blocks)
    blocks = living(blocks, fixed)
    blocks = folded(blocks, scope)
    return replace(func, blocks=living(blocks, fixed))


def scope_of(funcs: tuple[Func, ...], plans: tuple[tuple[str, tuple[Block, ...]], ...], data: Any) -> Scope:
    bodies = [block for func in funcs for block in func.blocks]
    bodies += [block for _, blocks in plans for block in blocks]
    replaced = any(stmt.kind == "With" and DATA in stmt.outs for block in bodies for stmt in walk(block))
    return Scope(UNDEFINED if replaced else data)


def rebuilt(stmt: Stmt, change: Callable[[Block], Block]) -> Stmt:
    return replace(stmt, blocks=tuple(map(change, stmt.blocks))) if stmt.blocks else stmt


def reads(block: Block) -> Counter[int]:
    return Counter(item for stmt in walk(block) for item in stmt.ins if not isinstance(item, Lit))


def written(block: Block) -> set[int]:
    return {out for stmt in walk(block) for out in stmt.outs}


# --- unwrapped --------------------------------------------------------------------------------------


def unwrapped(block: Block) -> Block:
    return tuple(_unwrapped(block))


def _unwrapped(block: Block) -> Iterator[Stmt]:
    for stmt in block:
        stmt = rebuilt(stmt, unwrapped)
        inner = _reference(stmt)
        if inner is not None:
            yield from inner
        elif _domain(stmt) is not None:
            yield Stmt("IsCollection", stmt.at, (_domain(stmt) or 0,))
        elif stmt.kind != "Nop":
            yield stmt


def _alternatives(stmt: Stmt) -> tuple[Block, ...] | None:
    """The blocks of `block { block { A; break 1 } ...; break 1 }`: one of them succeeds, or all is undefined."""
    if stmt.kind != "Block" or len(stmt.blocks) != 1 or len(stmt.blocks[0]) != 2:
        return None
    inner, leave = stmt.blocks[0]
    if inner.kind != "Block" or not _breaks(leave):
        return None
    tries = inner.blocks
    if not tries or not all(block and _breaks(block[-1]) and _stays(block[:-1]) for block in tries):
        return None
    return tuple(block[:-1] for block in tries)


def _breaks(stmt: Stmt) -> bool:
    return stmt.kind == "Break" and stmt.extra == 1


def _stays(block: Block) -> bool:
    return escape(block) == 0 and all(stmt.kind != "Break" for stmt in block)


def _reference(stmt: Stmt) -> Block | None:
    """planRefDataExtent without a virtual document: one alternative, so its failure is the block's."""
    tries = _alternatives(stmt)
    return tries[0] if tries and len(tries) == 1 else None


def _domain(stmt: Stmt) -> int | None:
    """planExprEvery's check of its domain; the local, which is never input's own 0 in a rule body."""
    tries = _alternatives(stmt)
    if tries is None or [tuple(item.kind for item in block) for block in tries] != _DOMAIN:
        return None
    sources = {block[0].ins[0] for block in tries}
    source = sources.pop()
    return None if sources or isinstance(source, Lit) or not source else source


_DOMAIN: Final = [("IsArray",), ("IsObject",), ("IsSet",)]


# --- separated --------------------------------------------------------------------------------------


def exposed(block: Block, assigned: set[int]) -> set[int]:
    """Locals read in `block` that are not certainly assigned before; `assigned` grows on the way."""
    found: set[int] = set()
    for stmt in block:
        found |= {item for item in stmt.ins if not isinstance(item, Lit) and item not in assigned}
        inside = assigned | set(stmt.outs)
        for inner in stmt.blocks:
            known = set(inside)
            found |= exposed(inner, known)
            if stmt.kind == "With":  # what follows runs only when all of its block did
                assigned |= known
        if stmt.kind != "Scan":
            assigned.update(stmt.outs)
    return found


def separated(blocks: tuple[Block, ...], fixed: set[int]) -> tuple[Block, ...]:
    """Fresh numbers, body by body, for locals that no body takes over from another."""
    bodies = [unit for block in blocks for unit in _bodies(block)]
    shared = set(fixed).union(*(exposed(body, set(fixed)) for body in bodies))
    fresh = count(1 + max(fixed.union(*(written(body) for body in bodies)), default=0))

    def renumbered(body: Block) -> Block:
        names = {name: next(fresh) for name in sorted(written(body) - shared)}
        return renamed(body, names)

    return tuple((rebuilt(block[0], renumbered),) if _is_chain(block) else renumbered(block) for block in blocks)


def _is_chain(block: Block) -> bool:
    """An `else` chain: one block statement, a rule body in each of its blocks."""
    return len(block) == 1 and block[0].kind == "Block"


def _bodies(block: Block) -> tuple[Block, ...]:
    return block[0].blocks if _is_chain(block) else (block,)


def renamed(block: Block, names: Mapping[int, int]) -> Block:
    def one(stmt: Stmt) -> Stmt:
        ins = tuple(item if isinstance(item, Lit) else names.get(item, item) for item in stmt.ins)
        outs = tuple(names.get(out, out) for out in stmt.outs)
        return rebuilt(replace(stmt, ins=ins, outs=outs), lambda inner: renamed(inner, names))

    return tuple(map(one, block))


# --- propagated -------------------------------------------------------------------------------------

Known = dict[int, Operand]


def propagated(block: Block, known: Known) -> Block:
    """`known` says which locals are, at this point, certainly a constant or a copy."""
    result = []
    for stmt in block:
        stmt = _substituted(stmt, known)
        if stmt.blocks:
            stmt = _inside(stmt, known)
        _forget(known, stmt.outs)
        if stmt.kind == "Assign" and stmt.ins[0] != stmt.outs[0]:
            known[stmt.outs[0]] = stmt.ins[0]
        result.append(stmt)
    return tuple(result)


def _inside(stmt: Stmt, known: Known) -> Stmt:
    """Whatever a nested block assigns is unknown in it (loops), in its siblings and afterwards."""
    for block in stmt.blocks:
        _forget(known, written(block))
    _forget(known, stmt.outs)
    return rebuilt(stmt, lambda block: propagated(block, dict(known)))


def _forget(known: Known, names: tuple[int, ...] | set[int]) -> None:
    for name in names:
        known.pop(name, None)
        for copy in [copy for copy, source in known.items() if source == name]:
            del known[copy]


def _substituted(stmt: Stmt, known: Known) -> Stmt:
    first_stays = stmt.kind in GROW or stmt.kind == "With"  # the binding that is changed, not read
    last_stays = stmt.kind == "AssignOnce"

    def one(index: int, item: Operand) -> Operand:
        if isinstance(item, Lit) or (first_stays and index == 0) or (last_stays and index == 1):
            return item
        source = known.get(item, item)
        return item if isinstance(source, Lit) and stmt.kind in BARE else source

    return replace(stmt, ins=tuple(one(index, item) for index, item in enumerate(stmt.ins)))


# --- living -----------------------------------------------------------------------------------------


def living(blocks: tuple[Block, ...], fixed: set[int]) -> tuple[Block, ...]:
    while True:
        counted = sum(map(reads, blocks), Counter[int]())
        kept = tuple(_living(block, counted, fixed) for block in blocks)
        if kept == blocks:
            return blocks
        blocks = kept


def _living(block: Block, counted: Counter[int], fixed: set[int]) -> Block:
    def needed(stmt: Stmt) -> bool:
        return stmt.kind not in INFALLIBLE or bool(counted[stmt.outs[0]]) or stmt.outs[0] in fixed

    return tuple(rebuilt(stmt, lambda inner: _living(inner, counted, fixed)) for stmt in block if needed(stmt))


# --- folded -----------------------------------------------------------------------------------------


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
