"""Optimised statements as Python: what a person would write, with Rego's exactness kept.

Each method is a special case of one in `emit.Plain` and names the reason it may be one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from .emit import NESTING, Plain
from .ir import Block, Func, Lit, Operand, Stmt, used, walk
from .module import Line
from .optimise import INFALLIBLE, exposed
from .values import RegoSet, canonical, make_set

# Builtins that answer true, false or (lenient) undefined: `is True` is their whole test.
BOOLEAN: Final = frozenset({
    "contains", "endswith", "equal", "glob.match", "gt", "gte", "internal.member_2", "internal.member_3",
    "is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "lt", "lte",
    "neq", "net.cidr_contains", "re_match", "regex.match", "semver.is_valid", "startswith",
    "strings.any_prefix_match", "strings.any_suffix_match",
})  # fmt: skip
ORDER: Final = {
    "gt": (">", "greater"),
    "gte": (">=", "greater_equal"),
    "lt": ("<", "less"),
    "lte": ("<=", "less_equal"),
}
TEXT: Final = {"startswith": "{0}.startswith({1})", "endswith": "{0}.endswith({1})", "contains": "{1} in {0}"}
KINDS: Final = {"is_array": "list", "is_boolean": "bool", "is_object": "dict", "is_set": "RegoSet", "is_string": "str"}


class Fast(Plain):
    """The optimised mode."""

    reads: Counter[int]
    assigned: Counter[int]
    late: set[int]
    shapes: dict[Operand, Stmt]

    def prepare(self, blocks: tuple[Block, ...], params: tuple[int, ...], func: Func | None) -> None:
        """Only locals that may be read before they are assigned need to start as undefined."""
        statements = [stmt for block in blocks for stmt in walk(block)]
        self.reads = Counter(item for stmt in statements for item in stmt.ins if not isinstance(item, Lit))
        self.assigned = Counter(out for stmt in statements for out in stmt.outs)
        self.constant_values, self.shapes = {}, {}
        self.find_owned(statements)
        self.late = needed = unset(blocks, params)
        if func is not None and func.ret not in first_assigned(blocks):
            needed.add(func.ret)
        if needed:
            self.put(" = ".join([*(f"v{number}" for number in sorted(needed)), "U"]))
        if any(stmt.kind == "Break" for stmt in statements):
            self.put("b = 0")

    def enter(self, memoised: bool) -> None:
        # A memoised function runs at most once per input and data; only the others can multiply.
        self.put("run.steps += 1" if memoised else "run.spend(1)")

    # --- constants ---

    def known(self, operand: Operand) -> tuple[object] | None:
        """The value of an operand that is the same in every evaluation."""
        if isinstance(operand, Lit):
            return (operand.value,)
        return (self.constant_values[operand],) if operand in self.constant_values else None

    def bind(self, target: int, value: object) -> bool:
        """Lets `target` be a constant for what follows, if this is its one assignment."""
        if self.assigned[target] != 1 or target in self.late:
            return False
        self.constant_values[target] = value
        return True

    def ref(self, operand: Operand) -> str:
        if isinstance(operand, int) and operand in self.constant_values:
            return self.module.constant(self.constant_values[operand])
        return super().ref(operand)

    def do_Value(self, stmt: Stmt) -> None:
        (value,) = stmt.extra
        if not self.bind(stmt.outs[0], value):
            self.put(f"v{stmt.outs[0]} = {self.module.constant(value)}")

    # --- literals ---

    def do_Object(self, stmt: Stmt) -> None:
        values = [item[0] for operand in stmt.ins if (item := self.known(operand))]
        if len(values) == len(stmt.ins) and self.bind(stmt.outs[0], dict(zip(stmt.extra, values, strict=True))):
            return
        self.shapes[stmt.outs[0]] = stmt
        pairs = (f"{key!r}: {self.ref(item)}" for key, item in zip(stmt.extra, stmt.ins, strict=True))
        self.put(f"v{stmt.outs[0]} = {{{', '.join(pairs)}}}")

    def do_Array(self, stmt: Stmt) -> None:
        values = [self.known(item) for item in stmt.ins]
        if all(values) and self.bind(stmt.outs[0], [item[0] for item in values if item]):
            return
        self.put(f"v{stmt.outs[0]} = [{', '.join(map(self.ref, stmt.ins))}]")

    def do_Set(self, stmt: Stmt) -> None:
        values = [item[0] for operand in stmt.ins if (item := self.known(operand))]
        constant = make_set(values)
        if len(values) == len(stmt.ins) and self.bind(stmt.outs[0], constant):
            return
        pairs = (f"({self.key(item)}, {self.ref(item)})" for item in reversed(stmt.ins))  # the first stays
        self.put(f"v{stmt.outs[0]} = RegoSet([{', '.join(pairs)}])")

    def key(self, operand: Operand) -> str:
        """The canonical key of a value: itself if it is a string, at load if it is a constant."""
        known = self.known(operand)
        if known and type(known[0]) is str:
            return repr(known[0])
        if known:
            return self.module.constant(canonical(known[0]))
        if operand in self.shapes:
            return self.shape_key(self.shapes[operand])
        name = self.ref(operand)
        return f"{name} if type({name}) is str else canonical({name})"

    def shape_key(self, stmt: Stmt) -> str:
        """`canonical()` of an object written just before, with its constant pairs made at load.

        Sound because an `Object` statement holds all growth of its container, and nothing but other
        objects was made since: no operand can have changed in between.
        """
        if len(set(stmt.extra)) != len(stmt.extra):
            return f"canonical(v{stmt.outs[0]})"
        parts = []
        for key, item in zip(stmt.extra, stmt.ins, strict=True):
            known = self.known(item)
            parts.append(self.module.constant((key, canonical(known[0]))) if known else f"({key!r}, {self.key(item)})")
        return f"('o', frozenset(({', '.join(parts)},)))" if parts else "('o', frozenset())"

    # --- growth ---

    def statements(self, block: Block) -> None:
        """Remembers how objects were made for as long as only their making goes on."""
        for stmt in block:
            if stmt.kind not in ("Object", "SetAdd"):
                self.shapes = {}
            self.statement(stmt)
        self.shapes = {}

    def do_SetAdd(self, stmt: Stmt) -> None:
        if stmt.ins[0] in self.owned:
            super().do_SetAdd(stmt)
        else:
            self.put(f"{self.ref(stmt.ins[0])}.setdefault({self.key(stmt.ins[1])}, {self.ref(stmt.ins[1])})")

    def do_ObjectInsert(self, stmt: Stmt) -> None:
        if stmt.ins[0] in self.owned:
            super().do_ObjectInsert(stmt)
        else:
            self.put(f"{self.ref(stmt.ins[0])}[{self.key(stmt.ins[1])}] = {self.ref(stmt.ins[2])}")

    def do_Absorb(self, stmt: Stmt) -> None:
        target, source = map(self.ref, stmt.ins)
        if stmt.ins[0] in self.owned:
            self.put(f"mine(owned, {target})")
        self.put(f"absorb(run, {target}, {source})")

    def do_AssignOnce(self, stmt: Stmt) -> None:
        target, source = f"v{stmt.outs[0]}", self.ref(stmt.ins[0])
        self.put(f"{target} = {source} if {target} is U else assign_once({target}, {source})")

    def do_Call(self, stmt: Stmt) -> None:
        if stmt.extra == "count" and stmt.extra in self.builtin_index:
            (source,), target = map(self.ref, stmt.ins), f"v{stmt.outs[0]}"
            self.put(f"{target} = len({source}) if type({source}) is RegoSet else {self.call(stmt, [source])}")
            self.fail_if(f"{target} is U", stmt)
        elif stmt.extra in self.module.total:
            self.put(f"v{stmt.outs[0]} = {self.call(stmt, list(map(self.ref, stmt.ins)))}")
        else:
            super().do_Call(stmt)

    # --- lookup ---

    def do_Path(self, stmt: Stmt) -> None:
        # Of anything but an object or a set, a string key raises one of LOOKUP: undefined, as it should be.
        keys = "".join(f"[{key!r}]" for key in stmt.extra)
        self.put("try:")
        self.lines.append(Line(self.indent + 1, f"v{stmt.outs[0]} = {self.ref(stmt.ins[0])}{keys}", self.at))
        self.put("except LOOKUP:")
        self.indent += 1
        self.missed(stmt, ())
        self.fail()
        self.indent -= 1

    # --- scans ---

    def do_Scan(self, stmt: Stmt) -> None:
        key, value = stmt.outs
        order = "sorted_" if order_shows(stmt.blocks[0]) else ""
        if self.reads[key]:
            head = f"for v{key}, v{value} in {order}items(run, {self.ref(stmt.ins[0])}):"
        else:
            head = f"for v{value} in {order}values(run, {self.ref(stmt.ins[0])}):"
        self.put(head)
        self.indent += 1
        start = len(self.lines)
        self.inner("scan", stmt.blocks[0])
        if len(self.lines) == start:
            self.put("pass")
        self.indent -= 1

    # --- conditions ---

    def condition(self, stmt: Stmt) -> str | None:
        """A Python expression that is true exactly when `stmt` does not fail, where it is one."""
        writer = _CONDITIONS.get(stmt.kind)
        return writer(self, stmt) if writer else None

    def test(self, stmt: Stmt) -> None:
        condition = self.condition(stmt)
        assert condition is not None
        self.fail_if(negated(condition), stmt)

    do_Holds = do_Equal = do_NotEqual = do_IsCollection = do_IsArray = do_IsObject = do_IsSet = test

    def do_Not(self, stmt: Stmt) -> None:
        """Where all of its block is one expression, `not` is an `if`."""
        conditions = [self.condition(inner) for inner in stmt.blocks[0]]
        parts = [part for part in conditions if part is not None]
        if parts and len(parts) == len(conditions):
            self.fail_if(" and ".join(parts), stmt)
        else:
            super().do_Not(stmt)

    def equal(self, a: Operand, b: Operand) -> str:
        if isinstance(a, Lit):
            a, b = b, a
        left, right = self.ref(a), self.ref(b)
        if isinstance(b, Lit) and not isinstance(a, Lit):
            return equal_to(left, b, right)
        # Python's == is true wherever Rego's is; equal strings need no second look.
        return f"({left} == {right} and (type({left}) is str or same({left}, {right})))"

    def holds(self, stmt: Stmt) -> str:
        refs = [self.ref(operand) for operand in stmt.ins]
        if stmt.extra in self.builtin_index:
            inline = self.inlined(stmt, refs)
            if inline is not None:
                return inline
            if stmt.extra in BOOLEAN:
                return f"{self.call(stmt, refs)} is True"
        target = f"v{stmt.outs[0]}"
        return f"(({target} := {self.call(stmt, refs)}) is not U and {target} is not False)"

    def inlined(self, stmt: Stmt, refs: list[str]) -> str | None:
        name = stmt.extra
        if name in ORDER:
            return self.ordered(name, stmt.ins, refs)
        if name in KINDS:
            return f"type({refs[0]}) is {KINDS[name]}"
        if name == "is_number":
            return f"type({refs[0]}) in NUMBERS"
        if name == "internal.member_2":
            return self.member(stmt.ins, refs)
        if name in TEXT:
            return self.text_test(stmt, refs)
        if name == "is_null":
            return f"{refs[0]} is None" if not isinstance(stmt.ins[0], Lit) else None
        if name == "equal":
            return self.equal(*stmt.ins)
        if name == "neq":
            return f"not {self.equal(*stmt.ins)}"
        return None

    def member(self, ins: tuple[Operand, ...], refs: list[str]) -> str | None:
        """In a constant collection of strings there are only strings: one hash answers."""
        known = self.known(ins[1])
        if known is None or type(known[0]) not in (list, RegoSet):
            return None
        elements = known[0] if type(known[0]) is list else known[0].values()  # type: ignore[attr-defined]
        if not all(type(element) is str for element in elements):
            return None
        return f"(type({refs[0]}) is str and {refs[0]} in {self.strings(known[0], elements)})"

    def strings(self, collection: object, elements: Iterable[str]) -> str:
        if id(collection) not in self.module.string_sets:
            # The collection is kept with its set, so that its id stays its own.
            self.module.string_sets[id(collection)] = (collection, frozenset(elements))
        return self.module.constant(self.module.string_sets[id(collection)][1])

    def text_test(self, stmt: Stmt, refs: list[str]) -> str:
        a, b = refs
        checks = [f"type({ref}) is str" for ref, item in zip(refs, stmt.ins, strict=True) if not isinstance(item, Lit)]
        test = TEXT[stmt.extra].format(a, b)
        return f"({test} if {' and '.join(checks) or 'True'} else {self.call(stmt, refs)} is True)"

    def ordered(self, name: str, ins: tuple[Operand, ...], refs: list[str]) -> str:
        """Numbers of type int compare as Python's do; the rest goes by Rego's total order."""
        sign, function = ORDER[name]
        for one, other in ((0, 1), (1, 0)):
            literal = ins[other]
            if isinstance(literal, Lit) and type(literal.value) in (int, float) and not isinstance(ins[one], Lit):
                kind, plain = type(literal.value).__name__, f"{refs[0]} {sign} {refs[1]}"
                return f"({plain} if type({refs[one]}) is {kind} else {function}({refs[0]}, {refs[1]}))"
        return f"{function}({refs[0]}, {refs[1]})"


def equal_to(name: str, literal: Lit, text: str) -> str:
    """Equality with a constant: only 0 and 1 have a bool that Python takes for them."""
    value = literal.value
    if value is None or type(value) is bool:
        return f"{name} is {text}"
    if value in (0, 1):
        return f"({name} == {text} and type({name}) is not bool)"
    return f"{name} == {text}"


def negated(condition: str) -> str:
    return f"not ({condition})"


_CONDITIONS: Final[dict[str, Callable[[Fast, Stmt], str]]] = {
    "Holds": Fast.holds,
    "Equal": lambda writer, stmt: writer.equal(*stmt.ins),
    "NotEqual": lambda writer, stmt: f"not {writer.equal(*stmt.ins)}",
    "IsArray": lambda writer, stmt: f"type({writer.ref(stmt.ins[0])}) is list",
    "IsObject": lambda writer, stmt: f"type({writer.ref(stmt.ins[0])}) is dict",
    "IsSet": lambda writer, stmt: f"type({writer.ref(stmt.ins[0])}) is RegoSet",
    "IsCollection": lambda writer, stmt: f"isinstance({writer.ref(stmt.ins[0])}, (list, dict))",
}


def order_shows(block: Block) -> bool:
    """Whether the order of a scan can be seen outside: it feeds an array made before, or the result."""
    statements = list(walk(block))
    made = {stmt.outs[0] for stmt in statements if stmt.kind == "MakeArray"}
    appended = {stmt.ins[0] for stmt in statements if stmt.kind == "ArrayAppend"}
    return bool(appended - made) or any(stmt.kind == "ResultSetAdd" for stmt in statements)


def total_functions(funcs: Iterable[Func]) -> frozenset[str]:
    """Functions that begin by making the container they return: partial rules are never undefined."""
    return frozenset(func.name for func in funcs if _is_total(func))


def _is_total(func: Func) -> bool:
    writes = sum(out == func.ret for block in func.blocks for stmt in walk(block) for out in stmt.outs)
    return writes == 1 and func.ret in first_assigned(func.blocks)


def first_assigned(blocks: tuple[Block, ...]) -> set[int]:
    """What the leading blocks that cannot fail assign for good."""
    assigned: set[int] = set()
    for block in blocks:
        if not all(stmt.kind in INFALLIBLE for stmt in block):
            break
        assigned.update(stmt.outs[0] for stmt in block)
    return assigned


def unset(blocks: tuple[Block, ...], params: tuple[int, ...]) -> set[int]:
    """Locals that may be read, or handed to an outlined function, while still unassigned."""
    start = {*params, *first_assigned(blocks)}
    found = set().union(*(exposed(block, set(start)) for block in blocks)) if blocks else set()
    return (found | outlined_locals(blocks)) - start


def outlined_locals(blocks: Iterable[Block], depth: int = 1) -> set[int]:
    """Locals of statements nested deeply enough to be outlined: the outlined function takes them all."""
    found: set[int] = set()
    for block in blocks:
        for stmt in block:
            if stmt.blocks and depth >= NESTING:
                inside = list(walk((stmt,)))
                found |= used(inside) | {out for inner in inside for out in inner.outs}
            elif stmt.blocks:
                found |= outlined_locals(stmt.blocks, depth + 1)
    return found
