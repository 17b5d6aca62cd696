"""Which places of its input a policy can see at all: what it decides is a function of these alone.

A policy looks at a dozen fields of an input of ninety. Where two inputs agree in what is read, so do their answers,
because every builtin is pure (builtins/__init__.py): `recall.py` makes use of that.

`reads_of` follows values through the plan without regard to order. A place whose value goes anywhere but into a
further lookup is read whole, so that a statement not thought of here costs precision and never an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .ir import DATA, INPUT, Func, Lit, Operand, Policy, Stmt, walk
from .optimise import propagated, separated, unwrapped

EACH: Final = None
"""Stands in a path for every element of an array; the other steps are keys of objects."""

ABSENT: Final = ...
DEPTH_LIMIT: Final = 12
PATH_LIMIT: Final = 400

Path = tuple[str | None, ...]
Reads = Mapping[str | None, Any]  # step -> Reads; one without steps is read whole

# What they tell of a value is seen in its projection too: whether it is there, of which kind, equal to a scalar.
GLANCES: Final = frozenset({"IsArray", "IsObject", "IsSet", "IsCollection", "IsDefined", "IsUndefined"})
COMPARES: Final = frozenset({"Equal", "NotEqual"})
GLANCING_CALLS: Final = frozenset({
    "is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string",
})  # fmt: skip
COMPARING_CALLS: Final = frozenset({"equal", "neq"})


class Unbounded(Exception):
    """The plan replaces its input (`with`), or looks at more places than are worth telling apart."""


def reads_of(policy: Policy) -> Reads | None:
    """What any rule of the policy may read of the input; None where that cannot be told."""
    try:
        return _tree(_Follower(policy).paths())
    except Unbounded:
        return None


def projected(value: Any, reads: Reads) -> Any:
    """What `reads` sees of a value, as something that marshals. Equal projections: the policy answers the same."""
    if not reads:
        return value
    if type(value) is dict:
        if EACH in reads:
            return value
        return tuple([
            projected(value.get(key, ABSENT), inner) if inner else value.get(key, ABSENT)
            for key, inner in reads.items()
        ])  # fmt: skip
    if type(value) is list and EACH in reads:
        inner = reads[EACH]
        return [projected(item, inner) for item in value]
    if type(value) is tuple:
        raise ValueError("not JSON")  # it would be taken for the projection of an object
    return value


def projection(reads: Reads) -> Callable[[Any], Any]:
    """`projected` for these reads, written out as one expression, which takes a third of the time."""
    nodes: list[Reads] = []
    text = f"lambda value: {_written(reads, 'value', 0, nodes)}"
    names = {"__builtins__": {"type": type, "dict": dict, "list": list}}
    found: Callable[[Any], Any] = eval(  # noqa: S307 (of a bundle the text holds the repr() of keys: see module.py)
        text, {**names, "ABSENT": ABSENT, "projected": projected, "nodes": nodes}
    )
    return found


DEEPEST = 50
"""Levels that are written out: Python's parser takes no more than 200 brackets in one another."""


def _written(reads: Reads, value: str, depth: int, nodes: list[Reads]) -> str:
    """What `reads` sees of the expression `value`, as an expression; of a value of another kind, `projected` knows."""
    if not reads:
        return value
    if depth == DEEPEST:
        nodes.append(reads)
        return f"projected({value}, nodes[{len(nodes) - 1}])"
    here, each = f"v{depth}", f"i{depth}"
    if EACH in reads:
        kind, seen = "list", f"[{_written(reads[EACH], each, depth + 1, nodes)} for {each} in {here}]"
    else:
        steps = [_written(below, f"{here}.get({key!r}, ABSENT)", depth + 1, nodes) for key, below in reads.items()]
        kind, seen = "dict", f"({''.join(f'{step}, ' for step in steps)})"
    nodes.append(reads)
    return f"({seen} if type({here} := {value}) is {kind} else projected({here}, nodes[{len(nodes) - 1}]))"


@dataclass(slots=True)
class _Follower:
    """Which local may hold which place of the input, over all functions; grows until nothing is new."""

    policy: Policy
    held: dict[tuple[str, int], set[Path]] = field(default_factory=lambda: defaultdict(set))
    seen: set[Path] = field(default_factory=set)
    whole: set[Path] = field(default_factory=set)
    grown: bool = True

    def paths(self) -> tuple[set[Path], set[Path]]:
        bodies = [(func.name, statements(func)) for func in self.policy.funcs]
        bodies += [("", [stmt for block in blocks for stmt in walk(block)]) for _, blocks in self.policy.plans]
        params = {func.name: func.params for func in self.policy.funcs}
        for name, _ in bodies:
            self.held[name, INPUT].add(())
        while self.grown:
            self.grown = False
            for name, body in bodies:
                for stmt in body:
                    self.follow(name, stmt, params)
        return self.seen, self.whole

    def follow(self, name: str, stmt: Stmt, params: Mapping[str, tuple[int, ...]]) -> None:
        if stmt.kind == "With" or INPUT in stmt.outs:
            raise Unbounded
        if stmt.kind == "Assign":
            self.flow(self.of(name, stmt.ins[0]), name, stmt.outs[0])
        elif stmt.kind == "Dot":
            self.dot(name, stmt)
        elif stmt.kind == "Scan":
            self.flow(self.steps(name, stmt.ins[0], EACH), name, stmt.outs[1])
        elif stmt.kind == "Call" and stmt.extra in params:
            for argument, param in zip(stmt.ins, params[stmt.extra], strict=True):
                self.flow(self.of(name, argument), stmt.extra, param)
        elif stmt.kind == "Lookup" and stmt.ins[:2] == (INPUT, DATA):
            self.read(name, stmt.ins[2:])
        elif not glances(stmt):
            self.read(name, stmt.ins)

    def of(self, name: str, operand: Operand) -> set[Path]:
        return set() if isinstance(operand, Lit) else self.held[name, operand]

    def dot(self, name: str, stmt: Stmt) -> None:
        source, key = stmt.ins
        if isinstance(key, Lit) and type(key.value) is str:
            self.flow(self.steps(name, source, key.value), name, stmt.outs[0])
        else:
            self.read(name, stmt.ins)

    def steps(self, name: str, source: Operand, step: str | None) -> set[Path]:
        """The places one step below those of `source`; below a place that is read whole there is nothing to tell."""
        found = set[Path]()
        for path in self.of(name, source):
            if len(path) < DEPTH_LIMIT:
                found.add((*path, step))
            else:
                self.add(self.whole, {path})
        return found

    def flow(self, paths: set[Path], name: str, target: int) -> None:
        self.add(self.held[name, target], paths)
        self.add(self.seen, paths)
        if len(self.seen) > PATH_LIMIT:
            raise Unbounded

    def read(self, name: str, operands: Iterable[Operand]) -> None:
        for operand in operands:
            self.add(self.whole, self.of(name, operand))

    def add(self, known: set[Path], paths: set[Path]) -> None:
        if not paths <= known:
            known |= paths
            self.grown = True


def statements(func: Func) -> list[Stmt]:
    """With constants in place, and locals that rule bodies share by accident told apart, as the optimiser does."""
    blocks = separated(tuple(map(unwrapped, func.blocks)), {*func.params, func.ret})
    return [stmt for block in blocks for stmt in walk(propagated(block, {}))]


def glances(stmt: Stmt) -> bool:
    """Whether the statement tells no more of its operands than a projection keeps."""
    if stmt.kind in GLANCES or (stmt.kind == "Call" and stmt.extra in GLANCING_CALLS):
        return True
    compares = stmt.kind in COMPARES or (stmt.kind == "Call" and stmt.extra in COMPARING_CALLS)
    return compares and any(isinstance(operand, Lit) for operand in stmt.ins)


def _tree(paths: tuple[set[Path], set[Path]]) -> Reads:
    seen, whole = paths
    tree: dict[str | None, Any] = {}
    if () in whole or (EACH,) in seen:
        raise Unbounded
    for path in sorted(seen, key=lambda path: (len(path), repr(path))):
        node = tree
        for length, step in enumerate(path, 1):
            node = node.setdefault(step, {})
            if path[:length] in whole:
                break
    return tree
