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
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Final

from .fold import GROW, MAKE, Scope, folded
from .ir import DATA, Block, Func, Lit, Operand, Stmt, escape, reads, rebuilt, walk, written
from .values import UNDEFINED

INFALLIBLE: Final = frozenset({"Assign", "Reset", "Value", "Object", "Array", "Set"}) | MAKE
# Where an operand must stay a local: the field is bare in the IR, or `x is U` is written for it.
BARE: Final = frozenset({"IsDefined", "IsUndefined", "Scan", "ObjectMerge", "Return", "ResultSetAdd"})


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
