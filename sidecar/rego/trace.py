"""Why: the traced build of a plan, made at the first `explain()`.

It is the optimised program with three calls added: a rule body is entered, one of its conditions fails,
it fires. Kept per rule body is the *furthest* failure, the first of its kind: in a body without `some`
that is its first failing condition, and with `some` the condition no element gets past.

Conditions are told by file and row, by the source line where the bundle's Rego is at hand, else by text
rebuilt from the plan; the plan knows no variable names, so an element of a collection is `xs[_]`.
The bundle's Rego is not at hand where it is not the text that the plan was made of (sources.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .builtins.text import rego_text
from .fast import Fast
from .fold import is_false
from .ir import Block, Func, Lit, Operand, Place, Stmt, walk
from .leaving import to_json
from .module import Line, Module
from .values import UNDEFINED, Undefined, Value

MAX_NODES: Final = 50
MAX_TEXT: Final = 200
NAMELESS: Final = "_"  # what the plan has no words for: its value alone would tell nobody anything


@dataclass(frozen=True, slots=True)
class RuleSite:
    """A rule body: the rule's path and where its head stands. A default fires where no other body did."""

    path: str
    file: str
    row: int
    default: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """What a failing condition looked at. `value` is UNDEFINED where there was nothing."""

    text: str
    value: Any


@dataclass(frozen=True, slots=True)
class FailedCondition:
    """The condition at which a rule body stopped."""

    rule: RuleSite
    file: str
    row: int
    text: str
    operands: tuple[Looked, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and the rule bodies that were asked for it, in the order they were asked."""

    value: Undefined | Any
    fired: tuple[RuleSite, ...]
    failed: tuple[FailedCondition, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A place where a rule body can stop."""

    rule: int
    place: Place
    text: str
    operands: tuple[str, ...]


@dataclass(slots=True)
class Sites:
    """What the traced program's numbers mean."""

    rules: list[RuleSite] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)


class Trace:
    """The events of one evaluation: at most one entry per rule body."""

    __slots__ = ("fired", "stopped")

    def __init__(self) -> None:
        self.stopped: dict[int, tuple[int, tuple[Value, ...]]] = {}
        self.fired: dict[int, None] = {}

    def enter(self, rule: int) -> None:
        self.stopped.setdefault(rule, (-1, ()))

    def miss(self, rule: int, site: int, operands: tuple[Value, ...]) -> None:
        if site > self.stopped.get(rule, (-1, ()))[0]:
            self.stopped[rule] = (site, operands)

    def fire(self, rule: int) -> None:
        self.fired[rule] = None


def explanation(value: Any, trace: Trace, known: Sites, sources: Mapping[str, str]) -> Explanation:
    """`sources` are those whose rows are the plan's."""
    stopped = ((known.rules[rule], stop) for rule, stop in trace.stopped.items() if rule not in trace.fired)
    failed = tuple(
        _failed(rule, known.sites[site], found, sources)
        for rule, (site, found) in stopped
        if site >= 0 and not rule.default  # that another body held is no condition of a default
    )
    return Explanation(value, tuple(known.rules[rule] for rule in trace.fired), failed)


def _failed(rule: RuleSite, site: Site, found: tuple[Value, ...], sources: Mapping[str, str]) -> FailedCondition:
    line = line_at(sources.get(site.place.file, ""), site.place.row).strip()
    operands = tuple(Looked(text, shown(item)) for text, item in zip(site.operands, found, strict=True))
    return FailedCondition(rule, site.place.file, site.place.row, line or site.text, operands)


def line_at(source: str, row: int) -> str:
    """The line as it stands, "" where there is none. Rows count from 1."""
    lines = source.split("\n")
    return lines[row - 1] if 0 < row <= len(lines) else ""


def shown(value: Value) -> Any:
    """A value small enough to print; of a large one, its kind and size."""
    if value is UNDEFINED:
        return UNDEFINED
    if type(value) is str:
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "..."
    if nodes(value, MAX_NODES) > MAX_NODES:
        return f"<{len(value)} elements>"
    return to_json(value)


def nodes(value: Value, enough: int) -> int:
    """How many values there are in `value`, counted to a little past `enough`."""
    if type(value) not in (list, dict) and not isinstance(value, dict):
        return 1
    total = 1
    for item in value if type(value) is list else value.values():
        total += nodes(item, enough - total)
        if total > enough:
            break
    return total


# --- rule bodies ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Body:
    """A rule body's head, and the locals that are assigned or grown when it fires."""

    place: Place
    results: frozenset[int]
    default: bool


def bodies(func: Func) -> list[list[Body | None]]:
    """For each block of `func` its bodies: one, or those of an `else` chain; None for what is no rule's.

    planRules writes a `ResetLocal` at the head's position first in a body, `IsUndefined` first in an
    `else` body and in the default's.
    """
    return [[_body(body, func) for body in chained(block)] for block in func.blocks]


def chained(block: Block) -> tuple[Block, ...]:
    return block[0].blocks if len(block) == 1 and block[0].kind == "Block" else (block,)


def _body(block: Block, func: Func) -> Body | None:
    if not block or block[0].kind not in ("Reset", "IsUndefined"):
        return None
    first = block[0]
    heads = {*first.outs, *(item for item in first.ins if isinstance(item, int)), func.ret}
    return Body(first.at, frozenset(heads), default=first.kind == "IsUndefined" and first.ins == (func.ret,))


# --- the traced writer ------------------------------------------------------------------------------

_ENDS: Final = frozenset({"Assign", "AssignOnce", "SetAdd", "ObjectInsert", "ObjectInsertOnce", "Absorb"})
_DOCUMENTS: Final = frozenset({0, 1})  # input and data, too large to be an operand
_VALUES: Final = frozenset({"Path", "Dot", "Lookup", "Call"})  # these fail by being undefined


class Traced(Fast):
    """`Fast`, telling what it does. `sites` collects what its numbers mean."""

    def __init__(
        self,
        module: Module,
        func_index: dict[str, int],
        builtin_index: dict[str, int],
        sites: Sites,
        originals: Mapping[str, Func],
    ) -> None:
        super().__init__(module, func_index, builtin_index)
        self.sites, self.originals = sites, originals
        self.heads: list[list[Body | None]] = []
        self.path = ""
        self.names = Names(func_index)
        self.rule: int | None = None  # whose failures are told here
        self.ends: frozenset[int] = frozenset()
        self.firing: int | None = None  # which rule fires where an end is reached

    def function(self, index: int, func: Func) -> list[Line]:
        self.heads = bodies(self.originals[func.name])
        self.path = ".".join(("data", *func.path[1:]))
        self.names.begin(func.params)
        return super().function(index, func)

    def whole_block(self, block: Block, memo: int | None) -> None:
        heads = self.heads.pop(0) if self.heads else [None]
        self.memo_index = memo
        for body, head in zip(chained(block) if len(heads) > 1 else (block,), heads, strict=True):
            self.enter_body(head)
            self.block(body)
            self.rule = self.firing = None

    def enter_body(self, head: Body | None) -> None:
        if head is None:
            return
        self.sites.rules.append(RuleSite(self.path, head.place.file, head.place.row, head.default))
        self.rule = self.firing = len(self.sites.rules) - 1
        self.ends = head.results
        self.put(f"run.trace.enter({self.rule})")

    def statement(self, stmt: Stmt) -> None:
        self.names.describe(stmt)
        if stmt.kind in ("Scan", "Absorb"):  # until an element gets further
            self.missed(stmt, ())
        self.fires(stmt)
        super().statement(stmt)

    def fires(self, stmt: Stmt) -> None:
        target = next(iter(stmt.outs or stmt.ins), None)
        if self.firing is None or stmt.kind not in _ENDS or not (target in self.ends or target in self.owned):
            return
        if stmt.kind == "Absorb":
            source = self.ref(stmt.ins[1])
            self.put(f"if isinstance({source}, (list, dict)) and {source}: run.trace.fire({self.firing})")
        else:
            self.put(f"run.trace.fire({self.firing})")

    def inner(self, loop: str, block: Block) -> None:
        """Inside `not` a failure is what is wanted."""
        rule = self.rule
        if loop == "not":
            self.rule = None
        super().inner(loop, block)
        self.rule = rule

    def do_Block(self, stmt: Stmt) -> None:
        """Leaving a nested block is no failure of the rule, unless a jump then leaves the rule too."""
        for block in stmt.blocks:
            rule, self.rule = self.rule, None
            self.block(block)
            self.rule = rule
            self.after((block,), stmt)

    def missed(self, stmt: Stmt, operands: Iterable[str]) -> None:  # noqa: ARG002
        if self.rule is None:
            return
        text = self.names.sentence(stmt)
        looked = [item for item in looked_at(stmt) if self.names.word(item) != NAMELESS]
        words = [self.names.word(item) for item in looked]
        found = [self.ref(item) for item in looked]
        if stmt.kind in _VALUES:
            words, found = [*words, text], [*found, "U"]
        self.sites.sites.append(Site(self.rule, stmt.at, text, tuple(words)))
        values = "".join(f"{name}, " for name in found)
        self.put(f"run.trace.miss({self.rule}, {len(self.sites.sites) - 1}, ({values}))")


def looked_at(stmt: Stmt) -> list[int]:
    """Locals whose values say why `stmt` failed; of a `not`, those its inside looks at."""
    if stmt.kind == "Path":
        return []
    inside = list(walk((stmt,))) if stmt.kind == "Not" else [stmt]
    made = {out for inner in inside for out in inner.outs} if stmt.kind == "Not" else set()
    found = dict.fromkeys(item for inner in inside for item in inner.ins if not isinstance(item, Lit))
    return [item for item in found if item not in made | _DOCUMENTS]


# --- conditions in words ----------------------------------------------------------------------------

INFIX: Final = {
    "plus": "+", "minus": "-", "mul": "*", "div": "/", "rem": "%", "and": "&", "or": "|",
    "equal": "==", "neq": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "internal.member_2": "in",
}  # fmt: skip
_TESTS: Final = {"IsArray": "is_array", "IsObject": "is_object", "IsSet": "is_set", "IsDefined": "is defined:"}


class Names:
    """What each local stands for, in Rego's notation as far as a plan remembers it."""

    def __init__(self, functions: Mapping[str, int]) -> None:
        self.functions = functions
        self.texts: dict[int, str] = {}

    def begin(self, params: tuple[int, ...]) -> None:
        self.texts = {params[0]: "input", params[1]: "data"}
        self.texts |= {number: f"argument {at}" for at, number in enumerate(params[2:], 1)}

    def word(self, operand: Operand) -> str:
        if isinstance(operand, Lit):
            return rego_text(operand.value)
        return self.texts.get(operand, NAMELESS)

    def describe(self, stmt: Stmt) -> None:
        if stmt.kind == "Scan":
            self.texts[stmt.outs[0]] = NAMELESS
            self.texts[stmt.outs[1]] = f"{self.word(stmt.ins[0])}[_]"
        elif len(stmt.outs) == 1 and stmt.kind != "With":
            self.texts[stmt.outs[0]] = self.value(stmt)

    def value(self, stmt: Stmt) -> str:
        if stmt.kind == "Path":
            return self.word(stmt.ins[0]) + "".join(map(step, stmt.extra))
        if stmt.kind == "Dot":
            return self.word(stmt.ins[0]) + self.step(stmt.ins[1])
        if stmt.kind == "Lookup":
            return "data" + "".join(map(self.step, stmt.ins[3:]))
        if stmt.kind in ("Call", "Holds"):
            return self.call(stmt)
        return self.word(stmt.ins[0]) if stmt.kind == "Assign" else _LITERALS.get(stmt.kind, NAMELESS)

    def step(self, key: Operand) -> str:
        return step(key.value) if isinstance(key, Lit) else f"[{self.word(key)}]"

    def call(self, stmt: Stmt) -> str:
        name = str(stmt.extra)
        if name in self.functions:
            name, args = name.partition(".")[2], list(map(self.word, stmt.ins[2:]))
            return f"{name}({', '.join(args)})" if args else name
        args = list(map(self.word, stmt.ins))
        return f"{args[0]} {INFIX[name]} {args[1]}" if name in INFIX else f"{name}({', '.join(args)})"

    def sentence(self, stmt: Stmt) -> str:
        """The condition, as near as it can be told to how it was written."""
        words = list(map(self.word, stmt.ins))
        if stmt.kind in _VALUES or stmt.kind == "Holds":
            return self.value(stmt)
        if stmt.kind == "Equal":
            return f"{words[0]} == {words[1]}"
        if stmt.kind == "NotEqual":
            return words[0] if is_false(stmt.ins[1]) else f"{words[0]} != {words[1]}"
        if stmt.kind == "Not":
            return f"not {self.last(stmt.blocks[0])}"
        if stmt.kind in ("Scan", "Absorb"):
            return f"some element of {words[-1]}"
        return f"{_TESTS[stmt.kind]}({words[0]})" if stmt.kind in _TESTS else _OTHERS.get(stmt.kind, "condition")

    def last(self, block: Block) -> str:
        for stmt in block:
            self.describe(stmt)
        return self.sentence(block[-1]) if block else "true"


_LITERALS: Final = {"Object": "{...}", "Array": "[...]", "Set": "{...}", "MakeArray": "[...]", "MakeObject": "{...}"}
_OTHERS: Final = {
    "IsCollection": "every: a collection", "IsUndefined": "every element, or no earlier result",
    "Break": "a constant that is false", "With": "condition under `with`", "Block": "a reference",
}  # fmt: skip


def step(key: Any) -> str:
    plain = type(key) is str and key.isidentifier() and key.isascii()
    return f".{key}" if plain else f"[{rego_text(key)}]"
