"""Checked IR in, Python source out.

    undefined             `break` out of the `while 1:` a block has become, `continue` in a scan
    jump over n blocks    `b = n; break`, and every block on the way asks `if b: b -= 1; break`
    function              `def f7(run, v0, v1, ...)`: memoised where it is one of input and data only
    deeper than CPython   a function of its own, given and giving back the locals it touches
      allows (20 blocks)

`Plain` writes each statement for itself, as wasm.go does; it is the unoptimised mode, and what the
optimised one (`fast.py`) is held against.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from .errors import PlanRefused
from .ir import NOWHERE, Block, Func, Lit, Operand, Stmt, escape, used, walk
from .module import Line, Module

NESTING: Final = 14  # of CPython's 20, leaving room for what one statement nests in itself
LITERAL_BITS: Final = 1000  # larger integers are bound by name: CPython limits digits in source text


class Plain:
    """Writes one function. Subclasses write single statements better, never differently."""

    def __init__(self, module: Module, func_index: dict[str, int], builtin_index: dict[str, int]) -> None:
        self.module = module
        self.func_index = func_index
        self.builtin_index = builtin_index
        self.lines: list[Line] = []
        self.at = NOWHERE  # of the statement being written: where a fault in its line is from
        self.indent = 0
        self.loops: list[str] = []
        self.fails = False
        self.owned: frozenset[int] = frozenset()
        self.memo_index: int | None = None
        self.constant_values: dict[int, Any] = {}  # locals that need no variable: see Fast

    # --- text ---

    def put(self, text: str) -> None:
        self.lines.append(Line(self.indent, text, self.at))

    def fail(self) -> None:
        """This block is undefined."""
        self.fails = True
        self.put("continue" if self.loops[-1] == "scan" else "break")

    def fail_if(self, condition: str, stmt: Stmt, *operands: str) -> None:
        self.put(f"if {condition}:")
        self.indent += 1
        self.missed(stmt, operands)
        self.fail()
        self.indent -= 1

    def missed(self, stmt: Stmt, operands: Iterable[str]) -> None:
        """For the traced build: `stmt` is where its block stopped."""

    def fired(self, stmt: Stmt) -> None:
        """For the traced build: `stmt` may complete a rule."""

    def ref(self, operand: Operand) -> str:
        return self.literal(operand) if isinstance(operand, Lit) else f"v{operand}"

    def literal(self, lit: Lit) -> str:
        value = lit.value
        if isinstance(value, Decimal):
            return self.module.constant(value)
        if type(value) is int and value.bit_length() > LITERAL_BITS:
            return self.module.constant(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise PlanRefused("number out of range", name="MakeNumberRefStmt")
        return repr(value) if type(value) is not int or value >= 0 else f"({value!r})"

    # --- functions ---

    def function(self, index: int, func: Func) -> list[Line]:
        params = ", ".join(f"v{number}" for number in func.params)
        self.begin(f"def f{index}(run, {params}):")
        memoised = len(func.params) == 2
        if memoised:
            self.put(f"if (r := run.memo[{index}]) is not MISSING: return r")
        self.enter(memoised)
        self.prepare(func.blocks, func.params, func)
        if memoised:
            self.put("memo = run.memo")
        for block in func.blocks:
            self.whole_block(block, index if memoised else None)
        self.put("return U")
        return self.end()

    def enter(self, memoised: bool) -> None:  # noqa: ARG002 (Fast asks)
        self.put("run.spend(1)")

    def plan(self, index: int, blocks: tuple[Block, ...]) -> list[Line]:
        self.begin(f"def p{index}(run, v0, v1):")
        self.put("results = []")
        self.prepare(blocks, (0, 1), None)
        for block in blocks:
            self.whole_block(block, None)
        self.put("return results")
        return self.end()

    def begin(self, head: str) -> None:
        self.lines, self.indent, self.loops = [Line(0, head, self.at)], 1, []

    def end(self) -> list[Line]:
        return self.lines

    def prepare(self, blocks: tuple[Block, ...], params: tuple[int, ...], func: Func | None) -> None:
        """Every local is undefined until assigned: wasm locals begin at zero, which is undefined."""
        statements = [stmt for block in blocks for stmt in walk(block)]
        self.find_owned(statements)
        locals_ = {out for stmt in statements for out in stmt.outs} | used(statements)
        if func is not None:
            locals_.add(func.ret)
        names = [f"v{number}" for number in sorted(locals_ - set(params))]
        if names:
            self.put(" = ".join([*names, "U"]))
        if any(stmt.kind == "Break" for stmt in statements):
            self.put("b = 0")

    def find_owned(self, statements: list[Stmt]) -> None:
        self.owned = shared_containers(statements)
        if self.owned:
            self.put("owned = set()")

    def whole_block(self, block: Block, memo: int | None) -> None:
        self.memo_index = memo
        self.block(block)

    # --- blocks ---

    def block(self, block: Block) -> None:
        """`while 1:` around the statements, left out where nothing inside can leave it."""
        outer, start = self.fails, len(self.lines)
        self.fails = False
        self.put("while 1:")
        self.indent += 1
        self.loops.append("block")
        self.statements(block)
        self.loops.pop()
        self.indent -= 1
        if self.fails:
            self.lines.append(Line(self.indent + 1, "break", self.at))
        else:
            self.lines[start:] = [line._replace(indent=line.indent - 1) for line in self.lines[start + 1 :]]
        self.fails = outer

    def statements(self, block: Block) -> None:
        for stmt in block:
            self.statement(stmt)

    def statement(self, stmt: Stmt) -> None:
        self.at = stmt.at if stmt.at.row else self.at
        if stmt.blocks and len(self.loops) >= NESTING:
            self.outline(stmt)
        else:
            getattr(self, "do_" + stmt.kind)(stmt)

    def after(self, blocks: Iterable[Block], stmt: Stmt) -> None:
        """The check behind a block that a jump may leave for good."""
        if any(escape(block) > 0 for block in blocks):
            self.fails = True
            self.put("if b:")
            self.indent += 1
            self.put("b -= 1")
            self.missed(stmt, ())
            self.fail()
            self.indent -= 1

    def outline(self, stmt: Stmt) -> None:
        """`stmt` as a function of its own: Python nests at most 20 blocks, Rego any number."""
        inside = list(walk((stmt,)))
        written = sorted({out for inner in inside for out in inner.outs})
        memo = {0, 1} if any(inner.kind == "With" for inner in inside) else set()  # whose memo it is: memo_for
        taken = sorted((used(inside) | set(written) | memo) - set(self.constant_values))
        name = f"o{self.module.outlined}"
        self.module.outlined += 1
        gives = ", ".join(["c", "b", *(f"v{number}" for number in written)])
        takes = ", ".join(["run", *(["owned"] if self.owned else []), *(f"v{number}" for number in taken)])
        takes += ", results" if any(inner.kind == "ResultSetAdd" for inner in inside) else ""
        self.outlined(name, stmt, takes, gives)
        self.put(f"{gives} = {name}({takes})")
        self.fail_if("c", stmt)

    def outlined(self, name: str, stmt: Stmt, takes: str, gives: str) -> None:
        saved = self.lines, self.indent, self.loops
        self.begin(f"def {name}({takes}):")
        self.put("b, c = 0, 1")
        self.put("while 1:")
        self.indent, self.loops = 2, ["block"]
        self.statement(stmt)
        self.put("c = 0")
        self.put("break")
        self.indent = 1
        self.put(f"return {gives}")
        self.module.lines += self.end()
        self.lines, self.indent, self.loops = saved

    def do_Block(self, stmt: Stmt) -> None:
        for block in stmt.blocks:
            self.block(block)
            self.after((block,), stmt)

    def do_Break(self, stmt: Stmt) -> None:
        if stmt.extra:
            self.put(f"b = {stmt.extra}")
        else:
            self.missed(stmt, ())
        self.fail()

    def do_Nop(self, stmt: Stmt) -> None:
        pass

    def do_Not(self, stmt: Stmt) -> None:
        depth = len(self.lines)
        self.put(f"n{depth} = 1")
        self.put("while 1:")
        self.indent += 1
        self.inner("not", stmt.blocks[0])
        self.put(f"n{depth} = 0")
        self.put("break")
        self.indent -= 1
        self.fail_if(f"not n{depth}", stmt)

    def inner(self, loop: str, block: Block) -> None:
        outer = self.fails
        self.loops.append(loop)
        self.statements(block)
        self.loops.pop()
        self.fails = outer

    def do_Scan(self, stmt: Stmt) -> None:
        key, value = stmt.outs
        self.put(f"for v{key}, v{value} in sorted_items(run, {self.ref(stmt.ins[0])}):")
        self.indent += 1
        self.inner("scan", stmt.blocks[0])
        self.put("pass")
        self.indent -= 1

    def do_With(self, stmt: Stmt) -> None:
        depth, target = len(self.lines), self.ref(stmt.ins[0])
        self.put(f"w{depth} = {target}, run.memo")
        self.put(f"{target} = upsert({target}, {stmt.extra!r}, {self.ref(stmt.ins[1])})")
        self.put("run.spend(1)")
        self.put("run.memo = run.memo_for(v0, v1)")
        self.put(f"n{depth} = 1")
        self.put("while 1:")
        self.indent += 1
        self.inner("block", stmt.blocks[0])
        self.put(f"n{depth} = 0")
        self.put("break")
        self.indent -= 1
        self.put(f"{target}, run.memo = w{depth}")
        self.fail_if(f"n{depth}", stmt)

    # --- values ---

    def do_Assign(self, stmt: Stmt) -> None:
        # Never fails, also not on undefined: `with` saves an undefined input this way.
        self.put(f"v{stmt.outs[0]} = {self.ref(stmt.ins[0])}")

    def do_AssignOnce(self, stmt: Stmt) -> None:
        target = f"v{stmt.outs[0]}"
        self.put(f"{target} = assign_once({target}, {self.ref(stmt.ins[0])})")
        self.fired(stmt)

    def do_Reset(self, stmt: Stmt) -> None:
        self.put(f"v{stmt.outs[0]} = U")

    def do_MakeArray(self, stmt: Stmt) -> None:
        self.put(f"v{stmt.outs[0]} = []")

    def do_MakeObject(self, stmt: Stmt) -> None:
        self.make(stmt.outs[0], "{}")

    def do_MakeSet(self, stmt: Stmt) -> None:
        self.make(stmt.outs[0], "RegoSet()")

    def make(self, target: int, empty: str) -> None:
        self.put(f"v{target} = {empty}")
        if target in self.owned:
            self.put(f"owned.add(id(v{target}))")

    def do_ArrayAppend(self, stmt: Stmt) -> None:
        self.put(f"{self.ref(stmt.ins[0])}.append({self.ref(stmt.ins[1])})")

    def do_SetAdd(self, stmt: Stmt) -> None:
        self.grow(stmt, "add({0}, {1})")

    def do_ObjectInsert(self, stmt: Stmt) -> None:
        self.grow(stmt, "insert({0}, {1}, {2})")

    def do_ObjectInsertOnce(self, stmt: Stmt) -> None:
        self.grow(stmt, "insert_once({0}, {1}, {2})")

    def grow(self, stmt: Stmt, text: str) -> None:
        refs = [self.ref(operand) for operand in stmt.ins]
        if stmt.ins[0] in self.owned:
            self.put(f"mine(owned, {refs[0]})")
        self.put(text.format(*refs))
        self.fired(stmt)

    def do_ObjectMerge(self, stmt: Stmt) -> None:
        a, b = map(self.ref, stmt.ins)
        self.put(f"v{stmt.outs[0]} = merge({a}, {b})")

    def do_Len(self, stmt: Stmt) -> None:
        self.put(f"v{stmt.outs[0]} = length({self.ref(stmt.ins[0])})")

    def do_Dot(self, stmt: Stmt) -> None:
        source, key = map(self.ref, stmt.ins)
        target = f"v{stmt.outs[0]}"
        self.put(f"{target} = dot({source}, {key})")
        self.fail_if(f"{target} is U", stmt, source, key)

    # --- calls ---

    def do_Call(self, stmt: Stmt) -> None:
        target = f"v{stmt.outs[0]}"
        args = [self.ref(operand) for operand in stmt.ins]
        self.put(f"{target} = {self.call(stmt, args)}")
        self.fail_if(f"{target} is U", stmt, *args[2:] if stmt.extra in self.func_index else args)

    def call(self, stmt: Stmt, args: list[str]) -> str:
        if stmt.extra in self.func_index:
            return f"f{self.func_index[stmt.extra]}({', '.join(['run', *args])})"
        if stmt.extra in self.builtin_index:
            return f"B{self.builtin_index[stmt.extra]}({', '.join(['run', *args])})"
        raise PlanRefused(f"unknown function {stmt.extra!r}", name=stmt.extra, position=str(stmt.at))

    def do_Lookup(self, stmt: Stmt) -> None:
        path, target = self.parts(stmt), f"v{stmt.outs[0]}"
        document, data = map(self.ref, stmt.ins[:2])
        self.put(f"{target} = lookup(run, PATHS, ({path},), {document}, {data})")
        self.fail_if(f"{target} is U", stmt, *map(self.ref, stmt.ins[3:]))

    def parts(self, stmt: Stmt) -> str:
        return ", ".join(self.ref(operand) for operand in stmt.ins[2:])

    # --- conditions ---

    def do_Equal(self, stmt: Stmt) -> None:
        a, b = map(self.ref, stmt.ins)
        self.fail_if(f"not same({a}, {b})", stmt, a, b)

    def do_NotEqual(self, stmt: Stmt) -> None:
        a, b = map(self.ref, stmt.ins)
        self.fail_if(f"same({a}, {b})", stmt, a, b)

    def do_IsArray(self, stmt: Stmt) -> None:
        self.is_kind(stmt, "list")

    def do_IsObject(self, stmt: Stmt) -> None:
        self.is_kind(stmt, "dict")

    def do_IsSet(self, stmt: Stmt) -> None:
        self.is_kind(stmt, "RegoSet")

    def is_kind(self, stmt: Stmt, kind: str) -> None:
        source = self.ref(stmt.ins[0])
        self.fail_if(f"type({source}) is not {kind}", stmt, source)

    def do_IsDefined(self, stmt: Stmt) -> None:
        self.fail_if(f"{self.ref(stmt.ins[0])} is U", stmt)

    def do_IsUndefined(self, stmt: Stmt) -> None:
        source = self.ref(stmt.ins[0])
        self.fail_if(f"{source} is not U", stmt, source)

    def do_Return(self, stmt: Stmt) -> None:
        if len(self.loops) > 1:
            raise PlanRefused("return inside a loop", name="ReturnLocalStmt", position=str(stmt.at))
        source = self.ref(stmt.ins[0])
        if self.memo_index is not None:
            self.put(f"memo[{self.memo_index}] = {source}")
        self.put(f"return {source}")

    def do_ResultSetAdd(self, stmt: Stmt) -> None:
        self.put(f"results.append({self.ref(stmt.ins[0])})")


def shared_containers(statements: list[Stmt]) -> frozenset[int]:
    """Locals that are both looked up and grown: containers inside partial objects (planDotOr)."""
    looked_up = {stmt.outs[0] for stmt in statements if stmt.kind in ("Dot", "Path")}
    grown = {
        stmt.ins[0]
        for stmt in statements
        if stmt.kind in ("ObjectInsert", "ObjectInsertOnce", "SetAdd") and isinstance(stmt.ins[0], int)
    }
    return frozenset(looked_up & grown)
