"""Where OPA's planner and OPA's evaluator disagree, the evaluator is right: plans are mended at load.

Found by generated policies (tests/rego/test_differential.py) with OPA 1.19.1, whose own Wasm has the same
fault. The planner writes what follows a dynamic reference *inside* the blocks that look the reference up.
An ordinary rule body does not mind; `not` does, since reaching the end of its block is what makes it fail:

    not data.packs[x].flag     lookup by `CallDynamic`, then a block around the rest: a rest that is
                               undefined leaves only that block, and `not` fails where it must hold
    not data.packs[x].flag     (packages of unequal depth) one block per package and a scan for base data:
                               the end is reached always, and `not` never holds

    not { some y in ... }      (future.keywords.not) its mark of success is not taken back before it is
                               asked again, for the next element of a scan around it

A deny rule with such a condition would silently never fire. So the rest is taken out of the first kind
of block, a `not` over the second kind asks whether any of its ends was reached, and the mark is reset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .errors import PlanRefused
from .fold import GROW
from .ir import DATA, INPUT, NOWHERE, Block, Func, Lit, Policy, Stmt, walk


def repaired(policy: Policy) -> Policy:
    """The policy its Rego means. Raises PlanRefused for a negation of a shape not known here."""
    funcs = tuple(_func(func) for func in policy.funcs)
    plans = tuple((name, _blocks(blocks, 2)) for name, blocks in policy.plans)
    return replace(policy, funcs=funcs, plans=plans)


def _func(func: Func) -> Func:
    return replace(func, blocks=_blocks(func.blocks, max(*func.params, func.ret) + 1))


def _blocks(blocks: tuple[Block, ...], first: int) -> tuple[Block, ...]:
    statements = [stmt for block in blocks for stmt in walk(block)]
    used = {item for stmt in statements for item in (*stmt.ins, *stmt.outs) if not isinstance(item, Lit)}
    mender = _Mender(max(used | {first}) + 1)
    return tuple(map(mender.block, blocks))


class _Mender:
    def __init__(self, fresh: int) -> None:
        self.fresh = fresh

    def block(self, block: Block) -> Block:
        return tuple(self.statements(block))

    def statements(self, block: Block) -> Iterator[Stmt]:
        for index, stmt in enumerate(block):
            if is_dispatch(stmt):
                if any(later.kind != "IsDefined" for later in block[index + 1 :]):
                    raise refusal(stmt)
                yield lookup(stmt.blocks[0][0])
                yield from self.statements(stmt.blocks[0][1:])
                continue
            if stmt.kind == "CallDynamic":
                raise refusal(stmt)
            stmt = replace(stmt, blocks=tuple(map(self.block, stmt.blocks)))
            yield from self.negation(stmt) if stmt.kind == "Not" else (stmt,)

    def negation(self, stmt: Stmt) -> Iterator[Stmt]:
        (block,) = stmt.blocks
        if block and block[-1].kind == "IsDefined":  # `not { ... }` brings its own question
            yield Stmt("Reset", stmt.at, outs=tuple(item for item in block[-1].ins if isinstance(item, int)))
            yield stmt
        elif carries(block):
            yield from self.reached(stmt)
        else:
            yield stmt

    def reached(self, stmt: Stmt) -> Iterator[Stmt]:
        reached, self.fresh = self.fresh, self.fresh + 1
        yield Stmt("Reset", stmt.at, outs=(reached,))
        yield Stmt("Block", stmt.at, blocks=(marked(stmt.blocks[0], reached),))
        yield Stmt("IsUndefined", stmt.at, (reached,))


def is_dispatch(stmt: Stmt) -> bool:
    """`block { block { block { CallDynamic; break 1 } { base document; break 1 }; break 2 }; rest }`.

    The sketch is in a comment of planRefData, internal/planner/planner.go. Nothing follows the outer
    block but, in a scope of its own, the question whether its end was reached.
    """
    heart = stmt
    for _ in range(3):
        if heart.kind != "Block" or not heart.blocks or not heart.blocks[0]:
            return False
        heart = heart.blocks[0][0]
    return heart.kind == "CallDynamic"


def lookup(stmt: Stmt) -> Stmt:
    """The first part of a dispatch as one statement: a mapped function's value, else base data at the path."""
    try:
        ((tries, leave),) = stmt.blocks
        (call, called), (*dots, result, found) = tries.blocks
    except ValueError:
        raise refusal(stmt) from None
    path = call.ins[2:]
    keys = tuple(dot.ins[1] for dot in dots if dot.kind == "Dot")
    chain = [DATA, *(dot.outs[0] for dot in dots)]
    known = (
        call.kind == "CallDynamic" and call.ins[:2] == (INPUT, DATA) and call.extra == 2
        and keys == path[1:] and [dot.ins[0] for dot in dots] == chain[:-1]
        and result.kind == "Assign" and (list(result.ins), result.outs) == (chain[-1:], call.outs)
        and [item.extra for item in (leave, called, found) if item.kind == "Break"] == [2, 1, 1]
    )  # fmt: skip
    if not known:
        raise refusal(call)
    return Stmt("Lookup", call.at, call.ins, call.outs)


def refusal(stmt: Stmt) -> PlanRefused:
    return PlanRefused("dynamic call of an unknown shape", name="CallDynamicStmt", position=str(stmt.at))


def carries(block: Block) -> bool:
    """Whether the end of this expression lies inside one of its blocks."""
    return any(stmt.kind == "Block" and enumerates(stmt, block) for stmt in block) or _ends_in_scan(block)


def _ends_in_scan(block: Block) -> bool:
    return bool(block) and block[-1].kind == "Scan"


def enumerates(stmt: Stmt, block: Block) -> bool:
    """One block per package, each comparing its name first; refuses what is neither that nor a value's making."""
    if _collects(stmt, block) or _is_value(stmt):
        return False
    if all(inner and _compares_name(inner[0]) for inner in stmt.blocks):
        return True
    raise PlanRefused(
        "`not` over a reference that is planned in a way not known here: negate a rule of its own that asks it",
        name="NotStmt",
        position=str(stmt.at),
    )


def _is_value(stmt: Stmt) -> bool:
    """A reference to base data, perhaps merged with rules, or a call that may be undefined (planRefDataExtent)."""
    return len(stmt.blocks) == 1 and bool(stmt.blocks[0]) and stmt.blocks[0][0].kind in ("Block", "Call")


def _collects(stmt: Stmt, block: Block) -> bool:
    """A comprehension or the extent of a document: it adds to a container made before it."""
    made = {other.outs[0] for other in block if other.kind in ("MakeArray", "MakeObject", "MakeSet")}
    grown = {inner.ins[0] for inner in walk((stmt,)) if inner.kind in GROW}
    return bool(made & {item for item in grown if isinstance(item, int)})


def _compares_name(stmt: Stmt) -> bool:
    return stmt.kind == "Break" or (stmt.kind == "Equal" and any(isinstance(item, Lit) for item in stmt.ins))


def marked(block: Block, reached: int) -> Block:
    """`block` with `reached := true` at each of its ends."""
    inside = [_marked(stmt, block, reached) for stmt in block[:-1]]
    last = block[-1] if block else None
    if last is not None and last.kind == "Scan":
        return (*inside, replace(last, blocks=(marked(last.blocks[0], reached),)))
    if last is not None:
        inside.append(_marked(last, block, reached))
        if inside[-1] != last:  # its ends are inside
            return tuple(inside)
    return (*inside, Stmt("Assign", last.at if last else NOWHERE, (Lit(True),), (reached,)))


def _marked(stmt: Stmt, block: Block, reached: int) -> Stmt:
    if stmt.kind == "Block" and enumerates(stmt, block):
        return replace(stmt, blocks=tuple(marked(inner, reached) for inner in stmt.blocks))
    return stmt
